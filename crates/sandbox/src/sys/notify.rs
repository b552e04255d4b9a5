//! Being asked about system calls (`SECCOMP_RET_USER_NOTIF`): the worker's half, which installs the filter and hands its
//! listener to the host, and the host's, which hears and answers.

use std::ffi::c_int;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use rustix::fs::{Mode, OFlags};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};

use crate::filter::Instruction;

/// Where a worker that is traced finds the socket for its listener: in place of its standard input.
const PLACE: c_int = 0;

/// `SECCOMP_IOCTL_NOTIF_RECV`, `SECCOMP_IOCTL_NOTIF_SEND` and `SECCOMP_IOCTL_NOTIF_ID_VALID`.
const RECEIVE: u64 = 0xc050_2100;
const SEND: u64 = 0xc018_2101;
const WAITS: u64 = 0x4008_2102;

/// Of an answer: the kernel executes the call (Linux 5.5).
const CONTINUE: u32 = 1;

/// What a worker passes to `seccomp` to say that it serves from now on. The kernel knows no such operation.
pub(crate) const SERVES: u64 = 0x686f_7463;

/// A call that waits for an answer (`struct seccomp_notif`).
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub(crate) struct Asked {
    id: u64,
    /// The thread that makes it.
    pub(crate) thread: u32,
    flags: u32,
    pub(crate) number: i32,
    pub(crate) architecture: u32,
    instruction: u64,
    pub(crate) arguments: [u64; 6],
}

/// `struct seccomp_notif_resp`.
#[repr(C)]
struct Answered {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The kernel executes it.
    GoOn,
    /// The caller gets this error.
    Fail(i32),
    /// The caller gets 0, and nothing is done.
    Done,
}

/// The worker's half: installs the filter on this thread and those it will make, and hands its listener to whoever has the
/// other end of standard input, which is nothing from then on.
pub(crate) fn hand_over(filter: &[Instruction]) -> io::Result<()> {
    // Before there is a filter, for it would ask about this.
    let nothing = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let listener = listen(filter)?;
    // SAFETY: the host starts a worker that it traces with a socket as its standard input; nothing here owns that.
    let socket = unsafe { BorrowedFd::borrow_raw(PLACE) };
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let listeners = [listener.as_fd()];
    ancillary.push(SendAncillaryMessage::ScmRights(&listeners));
    sendmsg(socket, &[IoSlice::new(&[0])], &mut ancillary, SendFlags::NOSIGNAL)?;
    // SAFETY: no memory is involved; the socket is nobody else's.
    match unsafe { libc::dup2(nothing.as_raw_fd(), PLACE) } {
        PLACE => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Installs a filter that asks.
fn listen(filter: &[Instruction]) -> io::Result<OwnedFd> {
    let length = u16::try_from(filter.len()).map_err(|_| io::Error::other("the filter is too long"))?;
    let program = libc::sock_fprog { len: length, filter: filter.as_ptr().cast_mut().cast() };
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    // SAFETY: `program` points to `len` instructions of the kernel's layout; the kernel copies them and checks every jump.
    let listener = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, ptr::from_ref(&program))
    };
    match listener {
        ..0 => Err(io::Error::last_os_error()),
        // SAFETY: the kernel made this descriptor, and nobody else knows it.
        listener => Ok(unsafe { OwnedFd::from_raw_fd(listener as c_int) }),
    }
}

/// Says to the host that the worker has loaded its library.
pub(crate) fn say_that_it_serves() {
    // SAFETY: no memory is involved: the host answers in the kernel's place, which would refuse such an operation.
    unsafe { libc::syscall(libc::SYS_seccomp, SERVES, 0, ptr::null::<u8>()) };
}

/// The host's half: the listener that comes through a socket; none when the worker has ended before it sent one.
pub(crate) fn receive_listener(socket: &OwnedFd) -> io::Result<Option<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let flags = RecvFlags::CMSG_CLOEXEC;
    rustix::io::retry_on_intr(|| recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, flags))?;
    Ok(ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    }))
}

/// Waits for a call to be asked about; none when no thread has the filter any more.
pub(crate) fn hear(listener: &OwnedFd) -> io::Result<Option<Asked>> {
    use rustix::event::{PollFd, PollFlags, poll};
    loop {
        let mut ready = [PollFd::new(listener, PollFlags::IN)];
        rustix::io::retry_on_intr(|| poll(&mut ready, None))?;
        if !ready[0].revents().contains(PollFlags::IN) {
            return Ok(None);
        }
        let mut asked = Asked::default();
        // SAFETY: the kernel writes a `seccomp_notif`, as long as the number of the request says, to a structure of that
        // layout, which is zero as it must be.
        if unsafe { libc::ioctl(listener.as_raw_fd(), RECEIVE as _, ptr::from_mut(&mut asked)) } == 0 {
            return Ok(Some(asked));
        }
        let error = io::Error::last_os_error();
        // The thread has gone meanwhile, or a signal came.
        if !matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR)) {
            return Err(error);
        }
    }
}

/// Whether the thread that asked waits yet. What was read of its memory before is its own then, and not that of another one which
/// has its number by now.
pub(crate) fn waits(listener: &OwnedFd, asked: &Asked) -> bool {
    // SAFETY: the kernel reads the number, as long as the number of the request says.
    unsafe { libc::ioctl(listener.as_raw_fd(), WAITS as _, ptr::from_ref(&asked.id)) == 0 }
}

/// Answers. A thread that has gone meanwhile needs none.
pub(crate) fn answer(listener: &OwnedFd, asked: &Asked, answer: Answer) -> io::Result<()> {
    let (error, flags) = match answer {
        Answer::GoOn => (0, CONTINUE),
        Answer::Fail(errno) => (-errno, 0),
        Answer::Done => (0, 0),
    };
    let answered = Answered { id: asked.id, value: 0, error, flags };
    // SAFETY: the kernel reads a `seccomp_notif_resp`, as long as the number of the request says, of that layout.
    if unsafe { libc::ioctl(listener.as_raw_fd(), SEND as _, ptr::from_ref(&answered)) } == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    if error.raw_os_error() == Some(libc::ENOENT) { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_travels_is_as_long_as_the_kernels_numbers_say() {
        let length = |request: u64| (request >> 16) & 0x3fff;
        assert_eq!(size_of::<Asked>() as u64, length(RECEIVE));
        assert_eq!(size_of::<Answered>() as u64, length(SEND));
        assert_eq!(size_of::<u64>() as u64, length(WAITS));
    }
}

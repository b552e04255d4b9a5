//! Being asked about system calls (`SECCOMP_RET_USER_NOTIF`): the worker's half, which installs the filter and hands its
//! listener to the host, and the host's, which hears and answers.

use std::ffi::c_int;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair, sockopt,
};
use rustix::process::{PidfdFlags, pidfd_open};

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

/// The host's end of a socket through which a listener comes, and the worker's. With what comes the kernel says who sent it: it does
/// so for what is sent from now on.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_passcred(&ours, true)?;
    Ok((ours, theirs))
}

/// The host's half.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: OwnedFd,
    /// Who is asked about; none where the kernel does not say who sent the listener. Before Linux 5.9 a listener does not tell that
    /// nobody is there any more: the process does.
    process: Option<OwnedFd>,
}

impl Listener {
    /// The listener that comes through a socket; none when the worker has ended before it sent one.
    pub(crate) fn receive(socket: &OwnedFd) -> io::Result<Option<Listener>> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1), ScmCredentials(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let flags = RecvFlags::CMSG_CLOEXEC;
        rustix::io::retry_on_intr(|| {
            recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, flags)
        })?;
        let (mut listener, mut process) = (None, None);
        for message in ancillary.drain() {
            match message {
                RecvAncillaryMessage::ScmRights(mut descriptors) => listener = descriptors.next(),
                RecvAncillaryMessage::ScmCredentials(sender) => process = Some(sender.pid),
                _ => {}
            }
        }
        // A number that is another's by now only makes this wait for another's end.
        let process = process.and_then(|process| pidfd_open(process, PidfdFlags::empty()).ok());
        Ok(listener.map(|listener| Listener { listener, process }))
    }

    /// Waits for a call to be asked about; none when no thread has the filter any more.
    pub(crate) fn hear(&self) -> io::Result<Option<Asked>> {
        loop {
            if !self.is_asked()? {
                return Ok(None);
            }
            let mut asked = Asked::default();
            // SAFETY: the kernel writes a `seccomp_notif`, as long as the number of the request says, to a structure of that
            // layout, which is zero as it must be.
            if unsafe { libc::ioctl(self.listener.as_raw_fd(), RECEIVE as _, ptr::from_mut(&mut asked)) } == 0
            {
                return Ok(Some(asked));
            }
            let error = io::Error::last_os_error();
            // The thread has gone meanwhile, or a signal came.
            if !matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR)) {
                return Err(error);
            }
        }
    }

    /// Waits until somebody asks; false when nobody is there any more who could.
    fn is_asked(&self) -> io::Result<bool> {
        let mut ready = vec![PollFd::new(&self.listener, PollFlags::IN)];
        ready.extend(self.process.as_ref().map(|process| PollFd::new(process, PollFlags::IN)));
        rustix::io::retry_on_intr(|| poll(&mut ready, None))?;
        Ok(ready[0].revents().contains(PollFlags::IN))
    }

    /// Whether the thread that asked waits yet. What was read of its memory before is its own then, and not that of another one
    /// which has its number by now.
    pub(crate) fn waits(&self, asked: &Asked) -> bool {
        // SAFETY: the kernel reads the number, as long as the number of the request says.
        unsafe { libc::ioctl(self.listener.as_raw_fd(), WAITS as _, ptr::from_ref(&asked.id)) == 0 }
    }

    /// Answers. A thread that has gone meanwhile needs none.
    pub(crate) fn answer(&self, asked: &Asked, answer: Answer) -> io::Result<()> {
        let (error, flags) = match answer {
            Answer::GoOn => (0, CONTINUE),
            Answer::Fail(errno) => (-errno, 0),
            Answer::Done => (0, 0),
        };
        let answered = Answered { id: asked.id, value: 0, error, flags };
        // SAFETY: the kernel reads a `seccomp_notif_resp`, as long as the number of the request says, of that layout.
        if unsafe { libc::ioctl(self.listener.as_raw_fd(), SEND as _, ptr::from_ref(&answered)) } == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() == Some(libc::ENOENT) { Ok(()) } else { Err(error) }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use rustix::event::{EventfdFlags, eventfd};
    use rustix::process::Pid;

    use super::*;

    #[test]
    fn what_travels_is_as_long_as_the_kernels_numbers_say() {
        let length = |request: u64| (request >> 16) & 0x3fff;
        assert_eq!(size_of::<Asked>() as u64, length(RECEIVE));
        assert_eq!(size_of::<Answered>() as u64, length(SEND));
        assert_eq!(size_of::<u64>() as u64, length(WAITS));
    }

    /// As on a kernel whose listeners do not hang up: this one is a descriptor of which never anything comes.
    #[test]
    fn the_end_of_the_process_is_heard_where_a_listener_says_nothing() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let process = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
        let mute = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).unwrap();
        let listener = Listener { listener: mute, process: Some(process) };
        let heard = std::thread::spawn(move || listener.hear().map(|asked| asked.is_none()));
        assert!(!heard.is_finished(), "it waits for as long as the process lives");
        drop(child.stdin.take());
        assert!(heard.join().unwrap().unwrap());
        child.wait().unwrap();
    }

    /// Who sent the listener is the kernel's word.
    #[test]
    fn the_sender_of_a_listener_is_known() {
        let (ours, theirs) = pair().unwrap();
        let mute = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let sent = [mute.as_fd()];
        ancillary.push(SendAncillaryMessage::ScmRights(&sent));
        // A worker may be faster than the thread that hears it.
        sendmsg(&theirs, &[IoSlice::new(&[0])], &mut ancillary, SendFlags::NOSIGNAL).unwrap();
        let listener = Listener::receive(&ours).unwrap().unwrap();
        let told = std::fs::read_to_string(format!(
            "/proc/self/fdinfo/{}",
            listener.process.as_ref().unwrap().as_raw_fd()
        ));
        let own = format!("Pid:\t{}\n", std::process::id());
        assert!(told.unwrap().contains(&own));
        drop(theirs);
        assert!(Listener::receive(&ours).unwrap().is_none());
    }
}

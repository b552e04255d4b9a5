//! Users: those of this process, and a peer's by the kernel's word.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Who is at the other end of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its process; 0 where that is not to be seen from here.
    pub pid: u32,
    /// Its user.
    pub user: u32,
}

/// Who connected to this socket of the `AF_UNIX` family, or listens there.
///
/// # Errors
///
/// It is no such socket, or has no other end.
pub fn peer(socket: impl AsFd) -> io::Result<Peer> {
    // A process of another namespace has no number here, so none is expected.
    let mut found = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    let mut size = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: both pointers are to locals, which are valid for writes of the size that is said.
    let done = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut found).cast(),
            &mut size,
        )
    };
    match done {
        0 if size as usize == size_of::<libc::ucred>() => {
            Ok(Peer { pid: u32::try_from(found.pid).unwrap_or(0), user: found.uid })
        }
        0 => Err(io::Error::other("the kernel has other credentials")),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The real, the effective and the saved user of this process.
pub fn users() -> [u32; 3] {
    let (mut real, mut effective, mut saved) = (0, 0, 0);
    // SAFETY: the pointers are to locals; with such ones it does not fail.
    unsafe { libc::getresuid(&mut real, &mut effective, &mut saved) };
    [real, effective, saved]
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn this_process_is_its_own_peer() {
        let (here, _there) = UnixStream::pair().unwrap();
        let [_, effective, _] = users();
        assert_eq!(peer(&here).unwrap(), Peer { pid: std::process::id(), user: effective });
        let file = std::fs::File::open("/proc/self/status").unwrap();
        assert_eq!(peer(file).unwrap_err().raw_os_error(), Some(libc::ENOTSOCK));
    }
}

//! Where a process listens for those that look at it.
//!
//! The socket's name is in the kernel's list only, so nothing is left of it when the process has gone. One thread sleeps there and answers
//! one peer after the other, each in a bounded time; a stranger is let go at once, and many of them are let wait.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use hotcell_sandbox::{Unshared, with_signals_blocked};
use hotcell_shm::OfProcess;
use hotcell_shm::lock::Mutex;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, Shutdown, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen, shutdown,
    socket_with,
};

use super::answer;
use super::peers::{Peer, are_told_apart};

/// How the names of all sockets begin.
pub(super) const PREFIX: &str = "hotcell-watch/";

/// Peers that may wait to be accepted.
const BACKLOG: i32 = 64;

/// After how many strangers there is a pause, and how long it is: they cost this process a few percent of a CPU at most.
const STRANGERS: (u32, Duration) = (16, Duration::from_millis(10));

/// How long it waits where the process has no descriptor left for a peer.
const SHORT: Duration = Duration::from_millis(100);

/// What this process has of it. A thread that listens has the socket.
#[derive(Debug, Default)]
struct Endpoint {
    listens: bool,
    /// Why not, where that was tried.
    failed: Option<String>,
}

static ENDPOINT: OfProcess<Mutex<Endpoint>> = OfProcess::new();

/// Sees to it that this process listens.
pub(crate) fn open() -> io::Result<()> {
    let mut endpoint = ENDPOINT.get()?.lock();
    if endpoint.listens {
        return Ok(());
    }
    let begun = begin();
    endpoint.listens = begun.is_ok();
    endpoint.failed = begun.as_ref().err().map(ToString::to_string);
    begun
}

/// Lets others look while this runs, where they cannot anyway. It is not to open a session.
pub(super) fn open_while<T>(run: impl FnOnce() -> T) -> io::Result<T> {
    // Whoever opens it for good meanwhile finds the place free again.
    let endpoint = ENDPOINT.get()?.lock();
    if endpoint.listens {
        drop(endpoint);
        return Ok(run());
    }
    let listener = listener()?;
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("hotcell-watch".into());
        with_signals_blocked(|| thread.spawn_scoped(scope, || serve(&listener)))?;
        let _closes = Closes(&listener);
        Ok(run())
    })
}

/// Has nobody be accepted there any more, once it is dropped.
struct Closes<'a>(&'a Unshared);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        // It is a socket that listens.
        let _ = shutdown(self.0, Shutdown::Both);
    }
}

/// Why nobody can look at this process, which was to let others.
pub(super) fn failure() -> Option<String> {
    match ENDPOINT.get() {
        Ok(endpoint) => endpoint.lock().failed.clone(),
        Err(errno) => Some(errno.to_string()),
    }
}

fn begin() -> io::Result<()> {
    let listener = listener()?;
    // Signals of the application are for its own threads.
    let thread = thread::Builder::new().name("hotcell-watch".into());
    with_signals_blocked(|| thread.spawn(move || serve(&listener)))?;
    Ok(())
}

/// Children do not get it: they would keep the name of a process that has gone.
fn listener() -> io::Result<Unshared> {
    if !are_told_apart() {
        return Err(io::Error::other(
            "this process is of the user that stands for all users without a number, in a namespace with a part of them: others cannot be told from its own",
        ));
    }
    let socket =
        Unshared::new(socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?)?;
    // Another process may have the number in its own namespace.
    let chance = RandomState::new().hash_one(std::process::id());
    let name = format!("{PREFIX}{}/{chance:016x}", std::process::id());
    bind(&socket, &SocketAddrUnix::new_abstract_name(name.as_bytes())?)?;
    listen(&socket, BACKLOG)?;
    Ok(socket)
}

fn serve(listener: &Unshared) {
    let mut strangers = 0;
    loop {
        match accept_with(listener, SocketFlags::CLOEXEC) {
            Ok(socket) if Peer::of(&socket).is_some_and(Peer::may_ask) => {
                strangers = 0;
                let stream = UnixStream::from(socket);
                // There is nobody to hear of a panic, and others wait.
                let _ = catch_unwind(AssertUnwindSafe(|| answer::to(stream)));
            }
            Ok(stranger) => {
                drop(stranger);
                strangers += 1;
                if strangers >= STRANGERS.0 {
                    strangers = 0;
                    thread::sleep(STRANGERS.1);
                }
            }
            Err(Errno::INTR | Errno::CONNABORTED) => {}
            // It was shut down.
            Err(Errno::INVAL) => return,
            Err(_) => thread::sleep(SHORT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_nobody_can_look_is_known() {
        assert_eq!(failure(), None, "nothing was tried");
        crate::watch::attempt().unwrap();
        let sockets = || std::fs::read_to_string("/proc/net/unix").unwrap();
        let own = format!("@{PREFIX}{}/", std::process::id());
        assert!(!sockets().contains(&own), "it was a try, and nobody can look any more");
        // There is one place for it in a process.
        let taken = Unshared::new(rustix::pipe::pipe().unwrap().0).unwrap();
        assert!(open().is_err());
        assert!(failure().unwrap().contains("another descriptor of the kind"));
        drop(taken);
        open().unwrap();
        assert_eq!(failure(), None);
        crate::watch::attempt().unwrap();
        assert!(sockets().contains(&own), "it stays");
    }
}

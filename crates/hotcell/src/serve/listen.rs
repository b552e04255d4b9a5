//! A server that clients find by a path.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use hotcell_shm::lock::Mutex;
use rustix::fs::{FlockOperation, Mode, flock};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, Shutdown, SocketAddrUnix, SocketFlags, SocketType, acceptfrom_with, bind, connect, listen,
    socket_with,
};
use rustix::process::umask;

use super::Server;

/// Clients that are attended at a time.
const MOST: usize = 64;

/// Clients that may wait for that.
const QUEUE: i32 = 64;

/// After how long a client is accepted again where there was no descriptor for it.
const AGAIN: Duration = Duration::from_millis(50);

/// A socket with a path. The file goes with it.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    path: PathBuf,
    /// Device and number of the file.
    file: (u64, u64),
}

impl Listener {
    /// Listens at this path, where no other server does: a file that one has left behind is taken over. Only this user may
    /// connect. To be called while this process has one thread, for the mask of new files is changed for a moment.
    ///
    /// # Errors
    ///
    /// Another server listens there, or something else has the path.
    pub fn bind(path: &Path) -> io::Result<Listener> {
        let path = std::path::absolute(path)?;
        // Of two servers that find the same file left behind, one is first.
        let folder = locked(&path)?;
        let address = SocketAddrUnix::new(&path)?;
        make_way(&path, &address)?;
        let socket = of_packets()?;
        let before = umask(Mode::from_raw_mode(0o177));
        let bound = bind(&socket, &address);
        umask(before);
        bound?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        listen(&socket, QUEUE)?;
        let file = of_file(&path)?;
        drop(folder);
        Ok(Listener { socket, path, file })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Attends clients, each on a thread of its own, until [`Listener::end`]; comes back when nothing is left of them.
    ///
    /// # Errors
    ///
    /// No client can be accepted any more.
    pub fn run(&self, server: &Arc<Server>) -> io::Result<()> {
        let clients = Mutex::new(0_usize);
        thread::scope(|scope| {
            loop {
                let socket = match acceptfrom_with(&self.socket, SocketFlags::CLOEXEC) {
                    Ok((socket, _)) => socket,
                    // It was ended.
                    Err(Errno::INVAL) => return Ok(()),
                    Err(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS) => {
                        thread::sleep(AGAIN);
                        continue;
                    }
                    Err(Errno::INTR | Errno::CONNABORTED | Errno::AGAIN) => continue,
                    Err(errno) => return Err(errno.into()),
                };
                let mut count = clients.lock();
                if *count >= MOST {
                    continue; // It hears of it by the end of its socket.
                }
                *count += 1;
                drop(count);
                let (server, clients) = (Arc::clone(server), &clients);
                let attend = move || {
                    // Another user's hears of it by the end of its socket.
                    let _ = server.attend(socket);
                    *clients.lock() -= 1;
                };
                let thread = thread::Builder::new().name("hotcell-client".into());
                if thread.spawn_scoped(scope, attend).is_err() {
                    *clients.lock() -= 1;
                }
            }
        })
    }

    /// Accepts no client any more.
    pub fn end(&self) {
        let _ = rustix::net::shutdown(&self.socket, Shutdown::Both);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let Ok(_folder) = locked(&self.path) else { return };
        // Another server's is left alone.
        if of_file(&self.path).is_ok_and(|file| file == self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Locks the directory of a path for those who make or remove sockets there.
fn locked(path: &Path) -> io::Result<File> {
    let none = || io::Error::new(io::ErrorKind::InvalidInput, "the path has no directory");
    let folder = File::open(path.parent().ok_or_else(none)?)?;
    flock(&folder, FlockOperation::LockExclusive)?;
    Ok(folder)
}

/// Removes a socket that nobody listens at any more.
fn make_way(path: &Path, address: &SocketAddrUnix) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let in_use = |what| Err(io::Error::new(io::ErrorKind::AddrInUse, what));
    if !found.file_type().is_socket() {
        return in_use("something that is no socket is there");
    }
    match connect(of_packets()?, address) {
        Err(Errno::CONNREFUSED) => fs::remove_file(path),
        Ok(()) | Err(Errno::AGAIN) => in_use("a server listens there"),
        Err(Errno::PROTOTYPE) => in_use("a socket of another kind is there"),
        Err(errno) => Err(errno.into()),
    }
}

fn of_packets() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    // Who asks whether somebody listens does not wait in a full queue.
    rustix::net::sockopt::set_socket_timeout(
        &socket,
        rustix::net::sockopt::Timeout::Send,
        Some(Duration::from_secs(1)),
    )?;
    Ok(socket)
}

fn of_file(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|data| (data.dev(), data.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_server_and_what_one_left_behind_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hotcell.sock");
        let first = Listener::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let second = Listener::bind(&path).unwrap_err();
        assert_eq!(second.to_string(), "a server listens there");
        drop(first);
        assert!(!path.exists(), "its own file goes with it");
        // As of one that was killed: the file stays, and nobody listens.
        let stale = of_packets().unwrap();
        bind(&stale, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        drop(stale);
        assert!(path.exists());
        let third = Listener::bind(&path).unwrap();
        let left_alone = Listener { socket: of_packets().unwrap(), path: path.clone(), file: (0, 0) };
        drop(left_alone);
        assert!(path.exists(), "another server's file is left alone");
        drop(third);
        assert!(!path.exists());
        fs::write(&path, "").unwrap();
        assert_eq!(Listener::bind(&path).unwrap_err().to_string(), "something that is no socket is there");
        assert!(path.exists());
    }

    #[test]
    fn it_ends_when_it_is_told_to() {
        let folder = tempfile::tempdir().unwrap();
        let listener = Listener::bind(&folder.path().join("s")).unwrap();
        thread::scope(|scope| {
            let running = scope.spawn(|| listener.run(&Server::new()));
            listener.end();
            running.join().unwrap().unwrap();
        });
    }
}

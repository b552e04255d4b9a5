//! A process as it is when one of its threads waits for an answer: what its arguments point to.
//!
//! Another thread can change that before the call is executed. It would spoil what is noted, and no wall: nothing is decided by it.

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::FileType;
use rustix::net::{AddressFamily, SocketType, sockopt};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

/// Where a path really leads: what of it is there, links followed, and behind that what is not.
pub(super) fn real(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut there = path;
    loop {
        if let Ok(real) = there.canonicalize() {
            return missing.iter().rev().fold(real, |real, part| real.join(part));
        }
        match (there.parent(), there.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name);
                there = parent;
            }
            _ => return path.to_owned(),
        }
    }
}

/// A thread, by its number.
pub(super) struct Process(pub(super) u32);

/// Bytes of the longest path that the kernel takes.
const LONGEST: usize = 4096;

/// Bytes that are read together: never beyond a page.
const CHUNK: u64 = 256;

impl Process {
    fn folder(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.0))
    }

    /// The bytes up to a NUL; none where they cannot be read.
    pub(super) fn text(&self, address: u64) -> Option<Vec<u8>> {
        let memory = File::open(self.folder().join("mem")).ok()?;
        let mut text = Vec::new();
        while text.len() < LONGEST {
            let at = address.checked_add(text.len() as u64)?;
            let mut chunk = vec![0; (CHUNK - at % CHUNK) as usize];
            memory.read_exact_at(&mut chunk, at).ok()?;
            match chunk.iter().position(|&byte| byte == 0) {
                Some(end) => {
                    text.extend(&chunk[..end]);
                    return Some(text);
                }
                None => text.extend(chunk),
            }
        }
        None
    }

    /// The port in a socket's address of IPv4 or IPv6.
    pub(super) fn port(&self, address: u64) -> Option<u16> {
        let memory = File::open(self.folder().join("mem")).ok()?;
        let mut start = [0; 4];
        memory.read_exact_at(&mut start, address).ok()?;
        let family = u16::from_ne_bytes([start[0], start[1]]);
        let internet =
            [AddressFamily::INET, AddressFamily::INET6].map(AddressFamily::as_raw).contains(&family);
        internet.then(|| u16::from_be_bytes([start[2], start[3]]))
    }

    /// Whether its memory cannot be looked at at all: an address that is none of its own is another thing.
    pub(super) fn is_hidden(&self) -> bool {
        File::open(self.folder().join("mem")).is_err()
    }

    /// A path that it gives, below the directory of that descriptor, as an absolute one without `..`. Its last part, which may be
    /// a link, is as it was given; what the process has open has one name.
    pub(super) fn absolute(&self, directory: Option<u64>, path: Vec<u8>) -> Option<PathBuf> {
        let path = PathBuf::from(std::ffi::OsString::from_vec(path));
        let path = match directory.map(|number| number as i32) {
            _ if path.is_absolute() => path,
            None | Some(libc::AT_FDCWD) => fs::read_link(self.folder().join("cwd")).ok()?.join(path),
            Some(number) => fs::read_link(self.folder().join(format!("fd/{number}"))).ok()?.join(path),
        };
        let climbs = path.components().any(|part| part == Component::ParentDir);
        let path = match path.file_name() {
            _ if !climbs => path.components().collect(),
            // Behind links `..` is elsewhere.
            Some(name) => path.parent()?.canonicalize().ok()?.join(name),
            None => path.canonicalize().ok()?,
        };
        Some(self.of_own(&path).unwrap_or(path))
    }

    /// The name below `/proc/self` that a path has which is another name for what that tells; none where it is no such path.
    fn of_own(&self, path: &Path) -> Option<PathBuf> {
        const OPEN: [(&str, &str); 5] = [
            ("/dev/fd", "fd"),
            ("/dev/stdin", "fd/0"),
            ("/dev/stdout", "fd/1"),
            ("/dev/stderr", "fd/2"),
            ("/proc/thread-self/fd", "fd"),
        ];
        let own = Path::new("/proc/self");
        for (name, place) in OPEN {
            match path.strip_prefix(name) {
                Ok(below) if below.as_os_str().is_empty() => return Some(own.join(place)),
                Ok(below) => return Some(own.join(place).join(below)),
                Err(_) => {}
            }
        }
        let below = path.strip_prefix("/proc").ok()?;
        let number: u32 = below.components().next()?.as_os_str().to_str()?.parse().ok()?;
        let is_own = number == self.0 || self.group() == Some(number);
        is_own.then(|| own.join(below.components().skip(1).collect::<PathBuf>()))
    }

    /// The number of the process whose thread this is.
    fn group(&self) -> Option<u32> {
        let status = fs::read_to_string(self.folder().join("status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()
    }

    /// The file behind a descriptor of it; none where that has no name.
    pub(super) fn target(&self, number: &Path) -> Option<PathBuf> {
        let path = fs::read_link(self.folder().join("fd").join(number)).ok()?;
        path.exists().then_some(path)
    }

    /// Whether there is a file of this name, which may be in its own folder of `/proc`.
    pub(super) fn has(&self, path: &Path) -> bool {
        match path.strip_prefix("/proc/self").or_else(|_| path.strip_prefix("/proc/thread-self")) {
            Ok(below) => self.folder().join(below).exists(),
            Err(_) => path.exists(),
        }
    }

    /// Whether there is this name, wherever it leads.
    pub(super) fn has_name(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok()
    }

    /// Where a file comes to be that is made by this name, which may be that of a link to nothing.
    pub(super) fn made(&self, path: &Path) -> Option<PathBuf> {
        let led = fs::read_link(path).ok().and_then(|link| Some(path.parent()?.join(link)));
        match led {
            Some(led) => led.parent()?.canonicalize().ok(),
            None => path.parent().map(Path::to_owned),
        }
    }

    /// Whether a descriptor of it is a socket of TCP. What cannot be looked at is taken for one.
    pub(super) fn is_tcp(&self, descriptor: u64) -> bool {
        let Some(socket) = self.descriptor(descriptor as i32) else { return true };
        let internet = |family| family == AddressFamily::INET || family == AddressFamily::INET6;
        sockopt::socket_type(&socket).is_ok_and(|kind| kind == SocketType::STREAM)
            && sockopt::socket_domain(&socket).is_ok_and(internet)
    }

    /// A copy of a descriptor of it that is a socket. Of nothing else: who closes a copy of a file gives up this process's own
    /// locks of that file.
    fn descriptor(&self, number: i32) -> Option<OwnedFd> {
        let kind = fs::read_link(self.folder().join(format!("fd/{number}"))).ok()?;
        if !kind.as_os_str().as_encoded_bytes().starts_with(b"socket:") {
            return None;
        }
        let group = i32::try_from(self.group()?).ok()?;
        let process = pidfd_open(Pid::from_raw(group)?, PidfdFlags::empty()).ok()?;
        let copy = pidfd_getfd(process, number, PidfdGetfdFlags::empty()).ok()?;
        let kind = rustix::fs::fstat(&copy).map(|stat| FileType::from_raw_mode(stat.st_mode));
        if kind == Ok(FileType::Socket) {
            return Some(copy);
        }
        // Another thread has put it in the socket's place meanwhile. It stays open: see above.
        std::mem::forget(copy);
        None
    }
}

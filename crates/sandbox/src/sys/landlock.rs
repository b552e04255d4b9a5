//! Rules of paths and ports, which the kernel judges itself: Landlock, by its three system calls.

use std::ffi::{CString, c_int};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};
use std::ptr;

use rustix::fs::{FileType, Mode, OFlags};

use crate::sys::probe;
use crate::view::{Access, Sight};

const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const REMOVE_DIR: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_CHAR: u64 = 1 << 6;
const MAKE_DIR: u64 = 1 << 7;
const MAKE_REG: u64 = 1 << 8;
const MAKE_BLOCK: u64 = 1 << 11;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;
const IOCTL_DEV: u64 = 1 << 15;

/// Of these alone a rule of a file can consist.
const OF_FILES: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV;

const BIND_TCP: u64 = 1;
const CONNECT_TCP: u64 = 1 << 1;

/// Abstract Unix sockets and signals: both only within the domain.
const SCOPES: u64 = 1 | 1 << 1;

const RULE_PATH: c_int = 1;
const RULE_PORT: c_int = 2;

/// `struct landlock_ruleset_attr`.
#[repr(C)]
struct Ruleset {
    files: u64,
    ports: u64,
    scopes: u64,
}

/// `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct PathRule {
    access: u64,
    parent: c_int,
}

/// `struct landlock_net_port_attr`.
#[repr(C)]
struct PortRule {
    access: u64,
    port: u64,
}

/// The version of its interface; 0 where there is none.
pub(crate) fn version() -> u32 {
    probe::landlock().unwrap_or(0)
}

/// Makes a domain in which nothing but this is allowed.
pub(crate) fn domain(
    version: u32,
    view: &[Sight],
    connect: &[u16],
    bind: &[u16],
    libraries: &[OwnedFd],
) -> io::Result<OwnedFd> {
    let known = known_rights(version);
    let ports = if version >= 4 { BIND_TCP | CONNECT_TCP } else { 0 };
    let ruleset = ruleset(version, known, ports)?;
    for sight in view {
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", sight.path.display()));
        let file = match open(sight) {
            Err(_) if sight.optional => continue,
            opened => opened.map_err(named)?,
        };
        let is_directory = rustix::fs::fstat(&file).map(|stat| FileType::from_raw_mode(stat.st_mode));
        let of_kind = if is_directory == Ok(FileType::Directory) { u64::MAX } else { OF_FILES };
        allow_path(&ruleset, &file, rights(sight.access) & known & of_kind).map_err(named)?;
    }
    for library in libraries {
        match allow_path(&ruleset, library, READ_FILE | EXECUTE) {
            // A memory file has no path, and so no rule holds it.
            Err(error) if error.raw_os_error() == Some(libc::EBADFD) => {}
            done => done?,
        }
    }
    if version >= 4 {
        for (ports, access) in [(connect, CONNECT_TCP), (bind, BIND_TCP)] {
            ports.iter().try_for_each(|&port| allow_port(&ruleset, port, access))?;
        }
    }
    Ok(ruleset)
}

/// Rules that handle these rights, and allow none of them yet.
fn ruleset(version: u32, files: u64, ports: u64) -> io::Result<OwnedFd> {
    let attributes = Ruleset { files, ports, scopes: if version >= 6 { SCOPES } else { 0 } };
    // A kernel refuses fields it does not know.
    let size: usize = match version {
        ..4 => 8,
        4..6 => 16,
        _ => size_of::<Ruleset>(),
    };
    // SAFETY: the kernel reads `size` bytes of the structure, which has at least as many.
    let ruleset =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, ptr::from_ref(&attributes), size, 0u32) };
    if ruleset < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel made this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(ruleset as c_int) })
}

/// Enters a domain for the sake of its border: from within, no memory, environment or descriptor of a program outside of it is to
/// be had, by `/proc` neither. Of files it forbids no more than making devices.
pub(crate) fn enter_of_trace(version: u32) -> io::Result<()> {
    if version == 0 {
        return Ok(());
    }
    // In a domain no file is moved to another directory but where that is allowed.
    let moves = if version >= 2 { REFER } else { 0 };
    let domain = ruleset(version, MAKE_CHAR | MAKE_BLOCK | moves, 0)?;
    if moves != 0 {
        let root = rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        allow_path(&domain, &root, moves)?;
    }
    enter(&domain)
}

/// Enters a domain with this thread and all that it will start. It cannot be left.
pub(crate) fn enter(domain: &OwnedFd) -> io::Result<()> {
    // SAFETY: no memory is involved.
    done(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, domain.as_raw_fd(), 0u32) })
}

/// All rights that a version knows: what is not handled is allowed.
fn known_rights(version: u32) -> u64 {
    let count = match version {
        ..2 => 13,
        2 => 14,
        3..5 => 15,
        _ => 16,
    };
    (1 << count) - 1
}

fn rights(access: Access) -> u64 {
    let read = READ_FILE | READ_DIR;
    match access {
        Access::Read => read,
        Access::Write => {
            read | WRITE_FILE | TRUNCATE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER
        }
    }
}

fn open(sight: &Sight) -> io::Result<OwnedFd> {
    let path = CString::new(sight.path.as_os_str().as_bytes())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a NUL in a path"))?;
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    if sight.is_resolved {
        open_resolved(&sight.path, flags)
    } else {
        rustix::fs::open(path, flags, Mode::empty())
    }
    .map_err(Into::into)
}

/// Opens a path that has no links: step by step, for not every kernel and container offers `openat2`.
fn open_resolved(path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let mut at = rustix::fs::open("/", flags, Mode::empty())?;
    for part in path.components().filter(|part| *part != Component::RootDir) {
        at = rustix::fs::openat(&at, part.as_os_str(), flags | OFlags::NOFOLLOW, Mode::empty())?;
        if FileType::from_raw_mode(rustix::fs::fstat(&at)?.st_mode) == FileType::Symlink {
            return Err(rustix::io::Errno::LOOP);
        }
    }
    Ok(at)
}

fn allow_path(ruleset: &OwnedFd, file: &OwnedFd, access: u64) -> io::Result<()> {
    let rule = PathRule { access, parent: file.as_raw_fd() };
    // SAFETY: the kernel reads a structure of the kind that the number says.
    done(unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            ruleset.as_raw_fd(),
            RULE_PATH,
            ptr::from_ref(&rule).cast::<u8>(),
            0u32,
        )
    })
}

fn allow_port(ruleset: &OwnedFd, port: u16, access: u64) -> io::Result<()> {
    let rule = PortRule { access, port: port.into() };
    // SAFETY: as above.
    done(unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            ruleset.as_raw_fd(),
            RULE_PORT,
            ptr::from_ref(&rule).cast::<u8>(),
            0u32,
        )
    })
}

fn done(answer: libc::c_long) -> io::Result<()> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

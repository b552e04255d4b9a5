//! Removing a directory that a library has filled, however deep, with a handful of descriptors and no stack.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

/// Removes a directory with all that is in it. What lies deeper than one directory is moved up first, so that nothing hangs on
/// the depth. No link is followed. Nobody may use the directory meanwhile.
///
/// # Errors
///
/// What could not be removed stays.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    let name = named(path)?;
    let root = open(CWD, &name)?;
    empty_all(&root, None)?;
    rustix::fs::unlinkat(CWD, &name, AtFlags::REMOVEDIR).map_err(Into::into)
}

/// Removes what is in a directory, which stays. Others may use it meanwhile: it is tried again, and given up at this time.
///
/// # Errors
///
/// What could not be removed stays.
pub fn empty_tree(path: &Path, until: Instant) -> io::Result<()> {
    /// Somebody else may remove something at the same moment.
    const TRIES: u32 = 8;
    let root = open(CWD, &named(path)?)?;
    let mut emptied = empty_all(&root, Some(until));
    for _ in 1..TRIES {
        if emptied.is_ok() || Instant::now() >= until {
            break;
        }
        emptied = empty_all(&root, Some(until));
    }
    emptied.map_err(Into::into)
}

fn named(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a NUL in a path"))
}

fn empty_all(root: &OwnedFd, until: Option<Instant>) -> Result<(), Errno> {
    let mut moved = 0;
    // Directories that were moved up meanwhile may be missed by one round, and are found by the next.
    while empty(root.as_fd(), until, |directory, inner| {
        if rustix::fs::unlinkat(directory, inner, AtFlags::REMOVEDIR).is_ok() {
            return Ok(());
        }
        // It cannot be entered, nor moved, without the rights to it.
        let _ = own(directory, inner);
        let below = open(directory, inner)?;
        empty(below.as_fd(), until, |directory, inner| {
            let _ = own(directory, inner);
            move_up(directory, inner, root.as_fd(), &mut moved)
        })?;
        rustix::fs::unlinkat(directory, inner, AtFlags::REMOVEDIR)
    })? {}
    Ok(())
}

/// Gives the owner of a directory all rights to it. What is in its place by now, a link for instance, is left as it is.
pub(super) fn own(at: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = rustix::fs::openat(at, name, flags, Mode::empty())?;
    rustix::fs::chmod(format!("/proc/self/fd/{}", directory.as_raw_fd()), Mode::RWXU)?;
    Ok(directory)
}

fn open(at: BorrowedFd<'_>, name: &CString) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(at, name, flags, Mode::empty())
}

/// Unlinks what is in a directory, and has `inner` see to directories. Whether there was anything.
fn empty(
    directory: BorrowedFd<'_>,
    until: Option<Instant>,
    mut inner: impl FnMut(BorrowedFd<'_>, &CString) -> Result<(), Errno>,
) -> Result<bool, Errno> {
    let mut found = false;
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_owned();
        if matches!(name.as_bytes(), b"." | b"..") {
            continue;
        }
        found = true;
        if until.is_some_and(|until| Instant::now() >= until) {
            return Err(Errno::TIMEDOUT);
        }
        let kind = match entry.file_type() {
            FileType::Unknown => {
                let stat = rustix::fs::statat(directory, &name, AtFlags::SYMLINK_NOFOLLOW)?;
                FileType::from_raw_mode(stat.st_mode)
            }
            kind => kind,
        };
        match kind {
            FileType::Directory => inner(directory, &name)?,
            _ => rustix::fs::unlinkat(directory, &name, AtFlags::empty())?,
        }
    }
    Ok(found)
}

/// Moves a directory into another one, under a name that nothing there has.
fn move_up(from: BorrowedFd<'_>, name: &CString, to: BorrowedFd<'_>, moved: &mut u64) -> Result<(), Errno> {
    loop {
        *moved += 1;
        let free = format!("{moved}");
        // Nobody else makes names there.
        match rustix::fs::statat(to, &*free, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => {}
            Err(Errno::NOENT) => return rustix::fs::renameat(from, name, to, &*free),
            Err(errno) => return Err(errno),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn whatever_is_there_is_removed_and_no_link_is_followed() {
        let base = std::env::temp_dir().join(format!("hotcell-removal-{}", std::process::id()));
        let (tree, beside) = (base.join("tree"), base.join("beside"));
        fs::create_dir_all(tree.join("1/2/3/4/5")).unwrap();
        fs::create_dir_all(tree.join("2/1/1/1")).unwrap();
        fs::create_dir_all(&beside).unwrap();
        fs::write(beside.join("kept"), "kept").unwrap();
        for at in ["file", "1/file", "1/2/3/4/5/file", "2/1/1/file"] {
            fs::write(tree.join(at), "gone").unwrap();
        }
        symlink(&beside, tree.join("1/2/link")).unwrap();
        symlink("/no/such/file", tree.join("dangling")).unwrap();
        for shut in ["2/1/1", "1/2/3"] {
            fs::set_permissions(tree.join(shut), fs::Permissions::from_mode(0o000)).unwrap();
        }
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
        assert_eq!(fs::read(beside.join("kept")).unwrap(), b"kept");
        assert_eq!(remove_tree(&tree).unwrap_err().kind(), io::ErrorKind::NotFound);
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn a_directory_that_is_emptied_stays_and_one_that_fills_again_is_given_up() {
        let tree = std::env::temp_dir().join(format!("hotcell-emptied-{}", std::process::id()));
        fs::create_dir_all(tree.join("1/2/3")).unwrap();
        fs::write(tree.join("1/2/file"), "gone").unwrap();
        let soon = || Instant::now() + std::time::Duration::from_secs(20);
        empty_tree(&tree, soon()).unwrap();
        assert_eq!(fs::read_dir(&tree).unwrap().count(), 0);
        fs::write(tree.join("file"), "stays").unwrap();
        assert_eq!(empty_tree(&tree, Instant::now()).unwrap_err().kind(), io::ErrorKind::TimedOut);
        // A link in a directory's place is left as it is, and what it leads to.
        let beside = tree.join("beside");
        fs::create_dir(&beside).unwrap();
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o500)).unwrap();
        symlink(&beside, tree.join("link")).unwrap();
        let root = open(CWD, &named(&tree).unwrap()).unwrap();
        assert!(own(root.as_fd(), c"link").is_err());
        assert_eq!(fs::metadata(&beside).unwrap().permissions().mode() & 0o777, 0o500);
        own(root.as_fd(), c"beside").unwrap();
        assert_eq!(fs::metadata(&beside).unwrap().permissions().mode() & 0o777, 0o700);
        remove_tree(&tree).unwrap();
    }

    #[test]
    fn depth_costs_neither_stack_nor_descriptors() {
        let tree = std::env::temp_dir().join(format!("hotcell-depth-{}", std::process::id()));
        fs::create_dir(&tree).unwrap();
        let mut at = open(CWD, &CString::new(tree.as_os_str().as_bytes()).unwrap()).unwrap();
        for _ in 0..5_000 {
            rustix::fs::mkdirat(&at, "d", Mode::RWXU).unwrap();
            at = open(at.as_fd(), &c"d".to_owned()).unwrap();
        }
        drop(at);
        let small = std::thread::Builder::new().stack_size(64 * 1024);
        small
            .spawn({
                let tree = tree.clone();
                move || remove_tree(&tree).unwrap()
            })
            .unwrap()
            .join()
            .unwrap();
        assert!(!tree.exists());
    }
}

//! How much a library has in a directory: whoever puts something there or takes it away meanwhile, and however deep.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::removal::own;

/// Bytes that each name counts for at least: a file system keeps something of every one.
const LEAST: u64 = 1024;

/// Bytes of a block, as the kernel counts those of files.
const BLOCK: u64 = 512;

/// Directories on the way down that are kept open. Of those below, it is looked whether the way up leads where it came from.
const HELD: usize = 32;

/// Bytes of the longest list of a process's maps that is read.
const MOST_MAPS: u64 = 8 << 20;

const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// What the kernel lists behind the path of a file that has no name any more.
const DELETED: &[u8] = b" (deleted)";

/// Bytes on the disk of all that is in a directory, and of files on the same disk that have no name any more and that one of these
/// processes has open, or mapped from there. It stops counting beyond `most`. No link is followed.
///
/// # Errors
///
/// When the directory itself cannot be looked at.
pub fn occupied(path: &Path, processes: &[u32], most: u64) -> io::Result<u64> {
    let root = rustix::fs::openat(CWD, path, DIRECTORY | OFlags::RDONLY, Mode::empty())?;
    let device = rustix::fs::fstat(&root)?.st_dev;
    let mut count = Count { bytes: 0, most, seen: BTreeSet::new() };
    count.walk(root)?;
    // As the kernel lists it: it stays where it is for as long as the session lives.
    let path = path.canonicalize()?;
    for &process in processes {
        count.open(process, device);
        count.mapped(process, device, path.as_os_str().as_bytes());
    }
    Ok(count.bytes)
}

/// A file system and a file there.
type Identity = (u64, u64);

fn identity(stat: &Stat) -> Identity {
    (stat.st_dev, stat.st_ino)
}

/// A directory on the way down.
struct Level {
    which: Identity,
    directory: Option<OwnedFd>,
    /// What in it is still to be entered.
    inner: Vec<std::ffi::CString>,
}

struct Count {
    bytes: u64,
    most: u64,
    /// Files that may be met again: those with several names, or none.
    seen: BTreeSet<Identity>,
}

impl Count {
    fn is_full(&self) -> bool {
        self.bytes > self.most
    }

    fn add(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes.max(LEAST));
    }

    fn add_file(&mut self, stat: &Stat) {
        self.add(u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(BLOCK));
    }

    fn walk(&mut self, root: OwnedFd) -> Result<(), Errno> {
        let mut levels = vec![self.list(root)?];
        while !self.is_full() {
            let depth = levels.len();
            let Some(level) = levels.last_mut() else { break };
            match level.inner.pop() {
                Some(name) => {
                    let Some(directory) = &level.directory else { break };
                    let below = enter(directory, &name).and_then(|below| self.list(below));
                    // It has gone, or is none any more.
                    let Ok(below) = below else { continue };
                    if depth > HELD {
                        level.directory = None;
                    }
                    levels.push(below);
                }
                None => climb(&mut levels),
            }
        }
        Ok(())
    }

    /// Counts what is in a directory.
    fn list(&mut self, directory: OwnedFd) -> Result<Level, Errno> {
        let which = identity(&rustix::fs::fstat(&directory)?);
        let mut inner = Vec::new();
        for entry in Dir::read_from(&directory)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            // It may have gone.
            let Ok(stat) = rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                self.add_file(&stat);
                inner.push(name.to_owned());
            } else if stat.st_nlink <= 1 || self.seen.insert(identity(&stat)) {
                self.add_file(&stat);
            }
            if self.is_full() {
                break;
            }
        }
        Ok(Level { which, directory: Some(directory), inner })
    }

    /// Counts what a process has open on this disk that has no name any more.
    fn open(&mut self, process: u32, device: u64) {
        let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        for entry in open {
            let Ok(stat) = rustix::fs::stat(entry.path()) else { continue };
            if stat.st_nlink == 0 && stat.st_dev == device && self.seen.insert(identity(&stat)) {
                self.add_file(&stat);
            }
        }
    }

    /// Counts what a process has mapped of files that have no name in the directory any more, nor are open: as far as the last
    /// byte that is mapped, for the kernel tells no more.
    fn mapped(&mut self, process: u32, device: u64, directory: &[u8]) {
        let mut maps = Vec::new();
        if let Ok(list) = File::open(format!("/proc/{process}/maps")) {
            // What was read before an error counts.
            let _ = list.take(MOST_MAPS).read_to_end(&mut maps);
        }
        let mut ends: BTreeMap<u64, u64> = BTreeMap::new();
        for (inode, end) in maps.split(|&byte| byte == b'\n').filter_map(|line| deleted(line, directory)) {
            let last = ends.entry(inode).or_default();
            *last = end.max(*last);
        }
        for (inode, end) in ends {
            if self.seen.insert((device, inode)) {
                self.add(end);
            }
        }
    }
}

/// Goes back to the directory around. What was moved meanwhile, the next look finds where it is then.
fn climb(levels: &mut Vec<Level>) {
    let left = levels.pop().and_then(|level| level.directory);
    if let (Some(around), Some(left)) = (levels.last_mut(), left)
        && around.directory.is_none()
    {
        let above = rustix::fs::openat(&left, c"..", DIRECTORY | OFlags::RDONLY, Mode::empty());
        let is_around =
            |above: &OwnedFd| rustix::fs::fstat(above).is_ok_and(|stat| identity(&stat) == around.which);
        around.directory = above.ok().filter(is_around);
    }
    while levels.last().is_some_and(|level| level.directory.is_none()) {
        levels.pop();
    }
}

/// Opens a directory in another one. Where its owner has no right to list it, he gives himself that.
fn enter(at: &OwnedFd, name: &std::ffi::CStr) -> Result<OwnedFd, Errno> {
    match rustix::fs::openat(at, name, DIRECTORY | OFlags::RDONLY, Mode::empty()) {
        Err(Errno::ACCESS) => {
            let shut = own(at.as_fd(), name)?;
            rustix::fs::openat(&shut, c".", DIRECTORY | OFlags::RDONLY, Mode::empty())
        }
        entered => entered,
    }
}

/// The file of a map, by its number, and where in it the map ends; none but of files that had a name below this directory.
fn deleted(line: &[u8], directory: &[u8]) -> Option<(u64, u64)> {
    let line = line.strip_suffix(DELETED)?;
    let (fields, path) = line.split_at(line.iter().position(|&byte| byte == b'/')?);
    path.strip_prefix(directory)?.strip_prefix(b"/")?;
    let mut fields = std::str::from_utf8(fields).ok()?.split_whitespace();
    let hexadecimal = |text: &str| u64::from_str_radix(text, 16).ok();
    let (from, to) = fields.next()?.split_once('-')?;
    let offset = hexadecimal(fields.nth(1)?)?;
    let inode = fields.nth(1)?.parse().ok()?;
    let length = hexadecimal(to)?.checked_sub(hexadecimal(from)?)?;
    Some((inode, offset.checked_add(length)?))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    use std::path::PathBuf;

    use super::*;

    const PAGE: u64 = 4096;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = std::env::temp_dir().join(format!("hotcell-occupied-{name}-{}", std::process::id()));
            fs::create_dir(&folder).unwrap();
            Folder(folder.canonicalize().unwrap())
        }

        fn count(&self) -> u64 {
            occupied(&self.0, &[std::process::id()], u64::MAX).unwrap()
        }

        fn at(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            super::super::removal::remove_tree(&self.0).unwrap();
        }
    }

    #[test]
    fn files_count_for_what_they_take_and_once() {
        let folder = Folder::new("files");
        assert_eq!(folder.count(), 0);
        let written = vec![7; 1 << 20];
        fs::write(folder.at("big"), &written).unwrap();
        let big = folder.count();
        assert!((1 << 20..(1 << 20) + 16 * PAGE).contains(&big), "{big}");
        // A second name of it, a hole, and a link to something big elsewhere take next to nothing.
        fs::hard_link(folder.at("big"), folder.at("same")).unwrap();
        File::create(folder.at("hole")).unwrap().set_len(1 << 40).unwrap();
        std::os::unix::fs::symlink("/usr", folder.at("link")).unwrap();
        let more = folder.count() - big;
        assert!((2 * LEAST..16 * PAGE).contains(&more), "{more}");
        // Names take something.
        let before = folder.count();
        (0..100).for_each(|at| fs::write(folder.at(&format!("empty-{at}")), "").unwrap());
        assert!(folder.count() >= before + 100 * LEAST);
        // It is not counted on when it is too much already.
        assert!(occupied(&folder.0, &[], 1000).unwrap() > 1000);
        assert_eq!(occupied(&folder.at("nowhere"), &[], 1).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    /// A library hides a file from a look by taking its name away.
    #[test]
    fn files_without_a_name_count_while_they_are_open_or_mapped() {
        let folder = Folder::new("nameless");
        let path = folder.at("file");
        fs::write(&path, vec![7; 1 << 20]).unwrap();
        let file = File::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(folder.count() >= 1 << 20, "it is open");
        let second = file.try_clone().unwrap();
        assert!(folder.count() < 2 << 20, "once");
        drop(second);
        // SAFETY: a new mapping, at no given place, of a file that is open.
        let mapped = unsafe {
            libc::mmap(std::ptr::null_mut(), 1 << 20, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), 0)
        };
        assert_ne!(mapped, libc::MAP_FAILED);
        assert!(folder.count() < 2 << 20, "once");
        drop(file);
        assert!(folder.count() >= 1 << 20, "it is mapped");
        // SAFETY: it was mapped above, and nothing points there.
        unsafe { libc::munmap(mapped, 1 << 20) };
        assert_eq!(folder.count(), 0);
    }

    #[test]
    fn what_is_deep_or_shut_counts_and_costs_no_descriptors() {
        let folder = Folder::new("deep");
        let root = rustix::fs::open(&folder.0, DIRECTORY | OFlags::RDONLY, Mode::empty()).unwrap();
        let mut at = root.try_clone().unwrap();
        for _ in 0..2_000 {
            rustix::fs::mkdirat(&at, "d", Mode::RWXU).unwrap();
            at = enter(&at, c"d").unwrap();
        }
        let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&at, "file", flags, Mode::RUSR).unwrap();
        rustix::io::write(&file, &vec![7; 1 << 20]).unwrap();
        fs::DirBuilder::new().mode(0o300).create(folder.at("shut")).unwrap();
        fs::write(folder.at("shut/file"), vec![7; 1 << 20]).unwrap();
        drop((root, at, file));
        let small = std::thread::Builder::new().stack_size(64 * 1024);
        let path = folder.0.clone();
        let counted = small.spawn(move || occupied(&path, &[], u64::MAX).unwrap()).unwrap().join().unwrap();
        assert!(counted >= (2 << 20) + 2_000 * LEAST, "{counted}");
        let mode = fs::metadata(folder.at("shut")).unwrap().permissions().mode() & 0o777;
        assert!(mode == 0o300 || mode == 0o700, "{mode:o}");
    }

    /// Directories that are moved while they are looked at lead nowhere else.
    #[test]
    fn a_way_up_that_leads_elsewhere_is_not_gone() {
        let folder = Folder::new("moved");
        let deep: PathBuf = std::iter::repeat_n("d", HELD + 3).collect();
        fs::create_dir_all(folder.at("a").join(&deep)).unwrap();
        fs::create_dir_all(folder.at("b")).unwrap();
        let mut count = Count { bytes: 0, most: u64::MAX, seen: BTreeSet::new() };
        let open = |path: &Path| rustix::fs::open(path, DIRECTORY | OFlags::RDONLY, Mode::empty()).unwrap();
        let around = Level { directory: None, ..count.list(open(&folder.at("a"))).unwrap() };
        let inside = count.list(open(&folder.at("a/d"))).unwrap();
        fs::rename(folder.at("a/d"), folder.at("b/d")).unwrap();
        let held = count.list(open(&folder.0)).unwrap();
        let mut levels = vec![held, around, inside];
        climb(&mut levels);
        assert_eq!(levels.len(), 1, "back to what was kept open");
    }

    #[test]
    fn maps_are_those_of_files_of_the_directory_that_have_no_name() {
        let line = b"7f00-9f00 rw-s 00001000 00:1f 4711                       /own/x/a b (deleted)";
        assert_eq!(deleted(line, b"/own/x"), Some((4711, 0x3000)));
        for (line, directory) in [
            (&b"7f00-9f00 rw-s 00001000 00:1f 4711 /own/x/a"[..], &b"/own/x"[..]),
            (line, b"/own/y"),
            (line, b"/own/x/a"),
            (b"7f00 rw-s 1 00:1f 4711 /own/x/a (deleted)", b"/own/x"),
            (b" (deleted)", b"/own/x"),
            (b"", b"/own/x"),
        ] {
            assert_eq!(deleted(line, directory), None);
        }
    }
}

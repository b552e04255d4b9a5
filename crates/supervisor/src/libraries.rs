//! The library files of a session: opened and checked once, loaded from those descriptors by all of its workers, and compared
//! before and behind each start.
//!
//! What a library needs besides is found by the loader in the worker. It is read from the kernel's list of the worker's maps,
//! and from then on compared like the library itself: by what the file system says of the file, and by its content only when
//! that has changed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hotcell_elf::{Facts, Layout, differing, without_needs};
use hotcell_sandbox::{Level, with_signals_blocked};
use hotcell_shm::lock::Mutex;
use object::read::ReadCache;
use rustix::fs::{Mode, OFlags};

use content::Content;

pub(crate) mod content;

/// Files of workers that are followed, at most: more than any library needs. A hostile one can map as many as it likes.
const MOST_FILES: usize = 512;

/// Bytes of them together that are read, at most.
const MOST_BYTES: u64 = 4 << 30;

/// Bytes that are read of the kernel's list of maps, at most.
const MOST_MAPS: u64 = 4 << 20;

/// With as many files, those that have gone are forgotten.
const MANY_FILES: usize = 128;

/// How long a start reads files to compare them, at most.
const LONGEST_COMPARISON: Duration = Duration::from_secs(2);

/// The library files of a session.
#[derive(Debug, Default)]
pub struct Libraries {
    /// Those that workers load from their descriptors.
    own: Vec<Arc<Known>>,
    /// What else workers were seen to have loaded, by the kernel's path.
    known: Mutex<BTreeMap<PathBuf, Arc<Known>>>,
    /// Threads that read them.
    readers: Mutex<Vec<JoinHandle<()>>>,
}

/// A file as it was when it was seen first.
#[derive(Debug)]
struct Known {
    path: PathBuf,
    /// The file itself, where workers load it from its descriptor.
    file: Option<File>,
    /// Hexadecimal digits of its build's identity. Nothing is parsed of files that a worker chose.
    build_id: Option<String>,
    /// What of it needs memory that is both written and executed.
    writes_code: Option<&'static str>,
    /// Whether the loader knows no name of it.
    is_nameless: bool,
    identity: Mutex<Identity>,
    /// Empty until it was read.
    content: Mutex<Option<Option<Content>>>,
}

/// What the file system says of a file, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// A file that a worker of the session has loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Hexadecimal digits of its build's identity, where it is one of the session's libraries and has one.
    pub build_id: Option<String>,
    /// Hexadecimal digits of the SHA-256 of its content. None when it could not be read, changed meanwhile, or has more than
    /// 1 GiB.
    pub sha256: Option<String>,
    /// Whether it is one of the session's libraries. Others are what those need.
    pub is_own: bool,
}

/// A file is not the one that the session began with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// Where it lies.
    pub path: PathBuf,
    /// What is known of the one that is there now.
    why: String,
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        write!(f, "{path} is not the file that the session began with: {}. Reload the session", self.why)
    }
}

/// Why files that can be loaded are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// One needs memory that is both written and executed, where there is to be none.
    WritesCode(String),
    /// A structure is another in one than in the header.
    OtherLayout(String),
}

/// What to do about code that is written.
const WITHOUT: &str = ". Use a build of the library that does without, or a sandbox without that line";

impl Libraries {
    /// Opens the files that workers are to load, and looks whether they can be loaded here.
    ///
    /// # Errors
    ///
    /// What is wrong with one of them.
    pub fn open(paths: &[PathBuf]) -> io::Result<Libraries> {
        let own = paths.iter().map(|path| Known::open(path)).collect::<io::Result<Vec<_>>>()?;
        Ok(Libraries { own, ..Libraries::default() })
    }

    /// Whether they can be loaded where all this is in force, and are what this shim was compiled for, as far as the files
    /// say. What they need besides is the loader's to tell.
    ///
    /// # Errors
    ///
    /// Which are not, and why.
    pub fn fit(self, required: Level, shim: &[u8]) -> Result<Libraries, Unfit> {
        let layouts = Layout::of_shim(shim);
        for known in &self.own {
            let path = known.path.display();
            if let Some(why) = known.writes_code.filter(|_| required.contains(Level::NO_NEW_CODE)) {
                return Err(Unfit::WritesCode(format!(
                    "{path}: {why}, and the sandbox has `write_xor_execute`{WITHOUT}"
                )));
            }
            let differs = known.file.as_ref().and_then(|file| differing(&ReadCache::new(file), &layouts));
            if let Some(differs) = differs {
                return Err(Unfit::OtherLayout(format!("{path}: {differs}")));
            }
        }
        Ok(self)
    }

    /// Where they lie, in the order in which they are loaded.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.own.iter().map(|known| known.path.clone()).collect()
    }

    /// The descriptors, in the order in which they are loaded.
    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.own.iter().filter_map(|known| known.file.as_ref())
    }

    /// A shim as workers load it behind these files: the loader would not find those again that have no name.
    pub(crate) fn shim<'s>(&self, shim: &'s [u8]) -> Cow<'s, [u8]> {
        let nameless = self.own.iter().filter(|known| known.is_nameless);
        let names: Vec<&OsStr> = nameless.filter_map(|known| known.path.file_name()).collect();
        match names.is_empty() {
            true => Cow::Borrowed(shim),
            false => without_needs(shim, &names).map_or(Cow::Borrowed(shim), Cow::Owned),
        }
    }

    /// Whether all files are still the ones that earlier workers have loaded.
    pub(crate) fn are_unchanged(&self) -> Result<(), Replaced> {
        self.are_unchanged_until(Instant::now() + LONGEST_COMPARISON)
    }

    fn are_unchanged_until(&self, until: Instant) -> Result<(), Replaced> {
        self.own.iter().try_for_each(|known| known.is_unchanged(until))?;
        let known: Vec<_> = self.known.lock().values().cloned().collect();
        // What has gone is not another: the next worker may do without it, as without what a library unpacked for itself.
        known.iter().filter(|known| known.path.exists()).try_for_each(|known| known.is_unchanged(until))
    }

    /// Takes in what a worker has loaded, as the kernel lists it. Files that earlier workers had must be the same.
    pub(crate) fn take_in(&self, loaded: Vec<PathBuf>) -> Result<(), Replaced> {
        let until = Instant::now() + LONGEST_COMPARISON;
        self.are_unchanged_until(until)?;
        let own: Vec<_> = self.own.iter().flat_map(|own| own.kernel_paths()).collect();
        let is_loaded: BTreeSet<_> = loaded.iter().cloned().collect();
        let mut known = self.known.lock();
        if known.len() >= MANY_FILES {
            known.retain(|path, _| path.exists());
        }
        let is_unread = |it: &Known| matches!(*it.content.lock(), Some(None));
        let read = known.values().filter(|it| !is_unread(it));
        let mut bytes: u64 = read.map(|it| it.identity.lock().size).sum();
        let mut new = Vec::new();
        for path in loaded {
            if own.contains(&path) || known.contains_key(&path) {
                continue;
            }
            let Some(file) = Known::look(&path)? else { continue };
            let size = file.identity.lock().size;
            if self.is_own(&file) {
                continue;
            }
            let is_read = size <= content::MOST_BYTES && bytes + size <= MOST_BYTES;
            if !is_read {
                // What the file system says of it is compared all the same.
                *file.content.lock() = Some(None);
            }
            // Those of its name that this worker has not: it may have been found in the place of one of them.
            let before = known
                .values()
                .filter(|it| it.path.file_name() == file.path.file_name() && !is_loaded.contains(&it.path));
            let followed: Vec<_> = before.map(|before| before.is_followed_by(&file, until)).collect();
            if !followed.iter().any(Result::is_ok) {
                followed.into_iter().collect::<Result<(), _>>()?;
            }
            if known.len() < MOST_FILES {
                bytes += if is_read { size } else { 0 };
                let file = Arc::new(file);
                new.push(Arc::clone(&file));
                known.insert(path, file);
            }
        }
        drop(known);
        if !new.is_empty() {
            new.extend(self.own.iter().cloned());
            // Nobody waits for it. Where there is no thread, who asks for a content reads the file.
            let read = move || {
                for known in new {
                    known.content(None);
                }
            };
            let thread = std::thread::Builder::new().name("hotcell-digests".into());
            let mut readers = self.readers.lock();
            readers.retain(|reader| !reader.is_finished());
            // Signals of the host are for its own threads.
            readers.extend(with_signals_blocked(|| thread.spawn(read)));
        }
        Ok(())
    }

    /// Whether it is one of the files that workers load from their descriptors, by its other name.
    fn is_own(&self, file: &Known) -> bool {
        self.own.iter().any(|own| *own.identity.lock() == *file.identity.lock())
    }

    /// All files that workers of the session were seen to have loaded, its own libraries first.
    pub fn loaded(&self) -> Vec<LoadedFile> {
        let readers = std::mem::take(&mut *self.readers.lock());
        readers.into_iter().for_each(|reader| drop(reader.join()));
        let others: Vec<_> = self.known.lock().values().cloned().collect();
        let of = |known: &Arc<Known>, is_own| LoadedFile {
            path: known.path.clone(),
            build_id: known.build_id.clone(),
            sha256: known.content(None).map(|content| content.hexadecimal()),
            is_own,
        };
        let own = self.own.iter().map(|known| of(known, true));
        own.chain(others.iter().map(|known| of(known, false))).collect()
    }
}

impl Known {
    fn open(path: &Path) -> io::Result<Arc<Known>> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let file = open(path).map_err(named)?;
        let metadata = file.metadata().map_err(named)?;
        if !metadata.is_file() {
            return Err(named(io::Error::new(io::ErrorKind::InvalidInput, "this is not a file")));
        }
        let Facts { build_id, writes_code, .. } = check(path, &file)?;
        let is_nameless = hotcell_elf::is_nameless(&ReadCache::new(&file));
        // It is looked at again when the program may have gone to another directory.
        let path = std::path::absolute(path).map_err(named)?;
        let identity = Mutex::new(Identity::of(&metadata));
        let content = Mutex::new(None);
        let file = Some(file);
        Ok(Arc::new(Known { path, file, build_id, writes_code, is_nameless, identity, content }))
    }

    /// A file of the kernel's list; none when it is not a regular one, such as a device.
    fn look(path: &Path) -> Result<Option<Known>, Replaced> {
        if let Some(path) = without_mark(path) {
            return Err(Replaced { path, why: "it was replaced or removed while a worker loaded it".into() });
        }
        let metadata =
            fs::metadata(path).map_err(|error| Replaced { path: path.to_owned(), why: error.to_string() })?;
        let identity = Mutex::new(Identity::of(&metadata));
        let path = path.to_owned();
        Ok(metadata.is_file().then_some(Known {
            path,
            file: None,
            build_id: None,
            writes_code: None,
            is_nameless: false,
            identity,
            content: Mutex::new(None),
        }))
    }

    /// The paths that the kernel may list for the open file, also when another has taken its name.
    fn kernel_paths(&self) -> Vec<PathBuf> {
        let link = |file: &File| fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok();
        let now = self.file.as_ref().and_then(link);
        let before = now.as_deref().and_then(without_mark);
        now.into_iter().chain(before).chain([self.path.clone()]).collect()
    }

    /// What is in it; none when it cannot be read, not until then, or is no longer what it was. Never waits for others that
    /// read it.
    fn content(&self, until: Option<Instant>) -> Option<Content> {
        if let Some(read) = &*self.content.lock() {
            return read.clone();
        }
        let identity = *self.identity.lock();
        let content = Content::of(&self.path, self.file.as_ref(), identity, until);
        if content.is_some() || until.is_none() {
            self.content.lock().get_or_insert_with(|| content.clone());
        }
        content
    }

    /// Whether another file, which was found in the place of this one, is the same.
    fn is_followed_by(&self, other: &Known, until: Instant) -> Result<(), Replaced> {
        let size = |known: &Known| known.identity.lock().size;
        let digest = |known: &Known| known.content(Some(until)).map(|content| content.sha256);
        let is_same =
            size(self) == size(other) && digest(self).is_some_and(|before| digest(other) == Some(before));
        if is_same {
            return Ok(());
        }
        let why = format!("it was found in the place of {}", self.path.display());
        Err(Replaced { path: other.path.clone(), why })
    }

    fn is_unchanged(&self, until: Instant) -> Result<(), Replaced> {
        let replaced = |why: String| Replaced { path: self.path.clone(), why };
        let metadata = fs::metadata(&self.path).map_err(|error| replaced(error.to_string()))?;
        if !metadata.is_file() {
            return Err(replaced("it is not a file any more".into()));
        }
        let (was, now) = (*self.identity.lock(), Identity::of(&metadata));
        if now == was {
            return Ok(());
        }
        if now.size == was.size {
            // Where nobody has read it in time, nobody knows what it was.
            let before = self.content(Some(until)).ok_or_else(|| replaced("it was changed".into()))?;
            let content = Content::of(&self.path, None, now, Some(until));
            let content = content.ok_or_else(|| replaced("it changes, or takes too long to read".into()))?;
            if content.sha256 == before.sha256 {
                *self.identity.lock() = now;
                return Ok(());
            }
        }
        let name = |id: &Option<String>| id.clone().unwrap_or_else(|| "none".into());
        let build_id = if self.file.is_some() { build_id(&self.path) } else { None };
        let (was, is) = (name(&self.build_id), name(&build_id));
        Err(replaced(match was == is {
            true => "it has another content".into(),
            false => format!("its build-id was {was}, and is {is}"),
        }))
    }
}

/// Opens what may be anything, without waiting for another end or somebody's lease.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file: OwnedFd = rustix::fs::open(path, flags, Mode::empty())?;
    Ok(file.into())
}

/// The build's identity of the file that is in a library's place.
fn build_id(path: &Path) -> Option<String> {
    let file = open(path).ok()?;
    file.metadata().ok().filter(fs::Metadata::is_file)?;
    check(path, &file).ok()?.build_id
}

/// Whether a file can be loaded here.
pub(crate) fn check(path: &Path, file: &File) -> io::Result<Facts> {
    hotcell_elf::check(path, &ReadCache::new(file))
        .map_err(|wrong| io::Error::new(io::ErrorKind::InvalidData, wrong.to_string()))
}

impl Identity {
    fn of(file: &fs::Metadata) -> Identity {
        Identity {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }
}

/// What the kernel lists behind the path of a file that has no name any more.
const DELETED: &[u8] = b" (deleted)";

/// The kernel's list of a process's maps; nothing when the kernel does not tell.
pub(crate) fn maps(pid: u32) -> Vec<u8> {
    maps_in(&format!("/proc/{pid}"))
}

/// The same, by its folder in `/proc`. A process can have a list as long as it likes, so the end of one may be missing.
pub(crate) fn maps_in(folder: &str) -> Vec<u8> {
    let mut maps = Vec::new();
    if let Ok(list) = File::open(format!("{folder}/maps")) {
        // What was read before an error counts.
        let _ = list.take(MOST_MAPS).read_to_end(&mut maps);
    }
    maps
}

/// The files of which a process with these maps has code in memory, its own program left out.
pub(crate) fn of_process(pid: u32, maps: &[u8]) -> Vec<PathBuf> {
    let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    of_maps(maps, &program)
}

/// Address, rights, offset, device, inode and path: files that have one, and are executed, but for the program.
fn of_maps(maps: &[u8], program: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::from([program.as_os_str().as_bytes()]);
    // A line that is not whole has no whole path.
    for line in maps.split_inclusive(|&byte| byte == b'\n').filter_map(|line| line.strip_suffix(b"\n")) {
        let Some(start) = line.iter().position(|&byte| byte == b'/') else { continue };
        let (fields, path) = line.split_at(start);
        let executed = fields.split(|&byte| byte == b' ').nth(1).is_some_and(|rights| rights.contains(&b'x'));
        if executed && !is_memory(path) && seen.insert(path) {
            // The kernel writes a line's end so.
            let text = str::from_utf8(path).map(|path| path.replace("\\012", "\n").into());
            found.push(text.unwrap_or_else(|_| OsStr::from_bytes(path).into()));
            if found.len() == MOST_FILES {
                break;
            }
        }
    }
    found
}

/// The path of a file that has no name any more.
fn without_mark(path: &Path) -> Option<PathBuf> {
    Some(OsStr::from_bytes(path.as_os_str().as_bytes().strip_suffix(DELETED)?).into())
}

/// Whether it is the kernel's name for memory, and no path.
fn is_memory(path: &[u8]) -> bool {
    let names: [&[u8]; 4] = [b"/memfd:", b"/SYSV", b"/anon_hugepage", b"/dev/zero"];
    path.ends_with(DELETED) && names.iter().any(|name| path.starts_with(name))
}

#[cfg(test)]
mod tests;

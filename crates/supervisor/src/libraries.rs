//! The library files of a session: opened and checked once, loaded from those descriptors by all of its workers, and compared
//! before and behind each start.
//!
//! What a library needs besides is found by the loader in the worker. It is read from the kernel's list of the worker's maps,
//! and from then on compared like the library itself: by what the file system says of the file, and by its content only when
//! that has changed.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use hotcell_elf::Facts;
use hotcell_sandbox::with_signals_blocked;
use object::read::ReadCache;
use parking_lot::Mutex;
use rustix::fs::{Mode, OFlags};

use content::Content;

mod content;

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
    identity: Mutex<Identity>,
    content: OnceLock<Option<Content>>,
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
    /// Hexadecimal digits of its build's identity, where it has one.
    pub build_id: Option<String>,
    /// Hexadecimal digits of the SHA-256 of its content. None when it could not be read, or changed meanwhile.
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
        write!(f, "{path} is not the file that the session began with: {}. Open the session anew", self.why)
    }
}

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

    /// The descriptors, in the order in which they are loaded.
    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.own.iter().filter_map(|known| known.file.as_ref())
    }

    /// Whether all files are still the ones that earlier workers have loaded.
    pub(crate) fn are_unchanged(&self) -> Result<(), Replaced> {
        self.own.iter().try_for_each(|known| known.is_unchanged())?;
        let known: Vec<_> = self.known.lock().values().cloned().collect();
        // What has gone is not another: the next worker may do without it, as without what a library unpacked for itself.
        known.iter().filter(|known| known.path.exists()).try_for_each(|known| known.is_unchanged())
    }

    /// Takes in what a worker has loaded, as the kernel lists it. Files that earlier workers had must be the same.
    pub(crate) fn take_in(&self, loaded: Vec<PathBuf>) -> Result<(), Replaced> {
        self.are_unchanged()?;
        let mut known = self.known.lock();
        let mut new = Vec::new();
        for path in loaded {
            if !known.contains_key(&path)
                && let Ok(file) = Known::look(path.clone())
                && !self.is_own(&file)
            {
                let before =
                    known.values().find(|it| it.path.file_name() == path.file_name() && !it.path.exists());
                before.map_or(Ok(()), |before| before.is_followed_by(&file))?;
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
                    known.content();
                }
            };
            let thread = std::thread::Builder::new().name("hotcell-digests".into());
            // Signals of the host are for its own threads.
            self.readers.lock().extend(with_signals_blocked(|| thread.spawn(read)));
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
        let of = |known: &Arc<Known>, is_own| {
            let content = known.content();
            LoadedFile {
                path: known.path.clone(),
                build_id: content.and_then(|content| content.build_id.clone()),
                sha256: content.map(Content::hexadecimal),
                is_own,
            }
        };
        let own = self.own.iter().map(|known| of(known, true));
        own.chain(others.iter().map(|known| of(known, false))).collect()
    }
}

impl Known {
    fn open(path: &Path) -> io::Result<Arc<Known>> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        // A pipe would wait for its other end.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file: OwnedFd =
            rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| named(errno.into()))?;
        let file = File::from(file);
        let metadata = file.metadata().map_err(named)?;
        if !metadata.is_file() {
            return Err(named(io::Error::new(io::ErrorKind::InvalidInput, "this is not a file")));
        }
        check(path, &file)?;
        let identity = Mutex::new(Identity::of(&metadata));
        let known = Known { path: path.to_owned(), file: Some(file), identity, content: OnceLock::new() };
        Ok(Arc::new(known))
    }

    fn look(path: PathBuf) -> io::Result<Known> {
        let identity = Mutex::new(Identity::of(&fs::metadata(&path)?));
        Ok(Known { path, file: None, identity, content: OnceLock::new() })
    }

    /// What is in it; none when it cannot be read, or is no longer what it was.
    fn content(&self) -> Option<&Content> {
        let identity = *self.identity.lock();
        self.content.get_or_init(|| Content::of(&self.path, self.file.as_ref(), identity)).as_ref()
    }

    /// Whether another file, which was found in the place of this one, is the same.
    fn is_followed_by(&self, other: &Known) -> Result<(), Replaced> {
        let digest = |known: &Known| known.content().map(|content| content.sha256);
        match (digest(self), digest(other)) {
            (Some(before), Some(now)) if before == now => Ok(()),
            _ => {
                let why = format!("it was found in the place of {}", self.path.display());
                Err(Replaced { path: other.path.clone(), why })
            }
        }
    }

    fn is_unchanged(&self) -> Result<(), Replaced> {
        let replaced = |why: String| Replaced { path: self.path.clone(), why };
        let now = fs::metadata(&self.path).map_err(|error| replaced(error.to_string()))?;
        let now = Identity::of(&now);
        if now == *self.identity.lock() {
            return Ok(());
        }
        // Where nobody has read it in time, nobody knows what it was.
        let before = self.content().ok_or_else(|| replaced("it was changed".into()))?;
        match Content::of(&self.path, None, now) {
            Some(content) if content.sha256 == before.sha256 => {
                *self.identity.lock() = now;
                Ok(())
            }
            Some(Content { build_id, .. }) => {
                let name = |id: &Option<String>| id.clone().unwrap_or_else(|| "none".into());
                let (was, is) = (name(&before.build_id), name(&build_id));
                Err(replaced(match was == is {
                    true => "it has another content".into(),
                    false => format!("its build-id was {was}, and is {is}"),
                }))
            }
            None => Err(replaced("it changes".into())),
        }
    }
}

/// Whether a file can be loaded here.
fn check(path: &Path, file: &File) -> io::Result<Facts> {
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

/// The files of which a process has code in memory, its own program left out; none when the kernel does not tell.
pub(crate) fn of_process(pid: u32) -> Vec<PathBuf> {
    let maps = fs::read(format!("/proc/{pid}/maps")).unwrap_or_default();
    let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    let mut found = of_maps(&String::from_utf8_lossy(&maps));
    found.retain(|path| *path != program);
    found
}

/// Address, rights, offset, device, inode and path: files that have one, and are executed.
fn of_maps(maps: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for line in maps.lines() {
        let Some(start) = line.find('/') else { continue };
        let (fields, path) = line.split_at(start);
        let executed = fields.split_whitespace().nth(1).is_some_and(|rights| rights.contains('x'));
        // Memory files have a name that is no path.
        let is_file = !path.starts_with("/memfd:") && !path.ends_with(" (deleted)");
        if executed && is_file && !found.iter().any(|known| known == Path::new(path)) {
            found.push(path.into());
        }
    }
    found
}

#[cfg(test)]
mod tests;

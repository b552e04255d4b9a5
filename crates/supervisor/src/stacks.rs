//! Where the threads of a worker are, looked at from outside: nothing of it is stopped, and nothing is asked of the worker.
//!
//! The kernel tells of a thread that sleeps where it does so, and lets its parent read its memory. From there a stack is walked by the tables that compilers
//! leave for exceptions, as the worker has them in memory: so files that have gone, or never had a name, are read as well. A thread
//! that runs is not told of, as its registers are on a CPU.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::libraries;
use crate::output::escape;
use crate::usage;
use crate::worker::Worker;
pub(crate) use left::Loaded;
pub use left::StackLeft;
pub use located::locate;
use modules::{Image, Module};
use walk::{Start, Walker};

mod aside;
mod left;
mod located;
mod modules;
mod rows;
mod walk;

/// Threads that are looked at, and bytes of the stack of each.
const MOST_THREADS: usize = 256;
const MOST_STACK: usize = 64 * 1024;

/// Threads of a worker that are at the same place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackSeen {
    /// Their name. The library's word, escaped.
    pub name: String,
    /// Their state, as the kernel's letter.
    pub state: char,
    /// How many they are.
    pub threads: u64,
    /// Where they are, the innermost first; empty of threads that run, or that nobody may look at.
    pub frames: Vec<FrameSeen>,
}

/// Where a function returns to, or a thread is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FrameSeen {
    /// The file that the code is from, escaped; empty where it is from none.
    pub module: String,
    /// Where in the module, from its first byte on.
    pub offset: u64,
    /// Whether a thread is there, and not to come back there.
    pub is_first: bool,
}

impl Worker {
    /// Where its threads are now, those together that are at the same place; empty when it has ended.
    pub fn stacks(&self) -> Vec<StackSeen> {
        usage::look(&self.shared, aside::stacks).unwrap_or_default()
    }
}

/// A process that is looked at, by its folder in `/proc`.
struct Process {
    folder: String,
    /// What it has in memory, where this process may read it.
    memory: Option<File>,
    modules: Vec<Module>,
}

impl Process {
    fn open(folder: &str) -> Process {
        let maps = libraries::maps_in(folder);
        let modules = modules::of_maps(&String::from_utf8_lossy(&maps));
        let memory = File::open(format!("{folder}/mem")).ok();
        Process { folder: folder.to_owned(), memory, modules }
    }

    /// Walks its stacks.
    fn walker(&self) -> Walker<'_> {
        Walker::new(&self.modules, |module, most| {
            modules::tables(&Image::Loaded(self.memory.as_ref()?, module.range.start), most)
        })
    }

    /// Its stack from there on; nothing where this process may not look.
    fn stack(&self, sp: u64) -> Vec<u8> {
        self.memory.as_ref().map(|memory| up_to(memory, sp, MOST_STACK)).unwrap_or_default()
    }

    fn stacks(&self) -> Vec<StackSeen> {
        let (mut walker, mut alike) = (self.walker(), BTreeMap::new());
        for Task { folder, name, state } in tasks(&self.folder) {
            let at = walker.has_time().then(|| fs::read_to_string(folder.join("syscall")).ok()).flatten();
            let frames = at.and_then(|at| of_syscall(&at)).map(|(sp, pc)| {
                let stack = self.stack(sp);
                walker.walk(&Start::asleep(pc, sp), sp, &stack)
            });
            *alike.entry((name, state, frames.unwrap_or_default())).or_insert(0) += 1;
        }
        let seen = |((name, state, frames), threads)| StackSeen { name, state, threads, frames };
        let mut stacks: Vec<_> = alike.into_iter().map(seen).collect();
        // What there is most of is what a worker has too much of.
        stacks.sort_by_key(|stack| std::cmp::Reverse(stack.threads));
        stacks
    }
}

/// A thread of a process, by its folder in `/proc`.
struct Task {
    folder: PathBuf,
    name: String,
    state: char,
}

/// The threads of a process, for which nothing of its memory is touched.
fn tasks(folder: &str) -> impl Iterator<Item = Task> {
    let tasks = fs::read_dir(format!("{folder}/task")).into_iter().flatten().flatten();
    tasks.take(MOST_THREADS).filter_map(|task| {
        let stat = fs::read(task.path().join("stat")).ok()?;
        let (name, state) = usage::of_stat(&String::from_utf8_lossy(&stat))?;
        Some(Task { folder: task.path(), name, state })
    })
}

/// Stack pointer and place of a thread that sleeps, of a text of `/proc/PID/task/TID/syscall`: the number of the call and its arguments, if
/// it is in one, and these two.
fn of_syscall(text: &str) -> Option<(u64, u64)> {
    let mut words = text.split_whitespace().rev();
    let mut number = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
    let (pc, sp) = (number()?, number()?);
    Some((sp, pc))
}

/// The frames of a stack in memory that is a file, for [`crate::seam`].
pub(crate) fn walk(memory: File, maps: &str, sp: u64, pc: u64) -> Vec<FrameSeen> {
    let process = Process { folder: String::new(), memory: Some(memory), modules: modules::of_maps(maps) };
    process.walker().walk(&Start::asleep(pc, sp), sp, &process.stack(sp))
}

/// Bytes of a process from an address on, as many as there are.
fn up_to(memory: &File, address: u64, most: usize) -> Vec<u8> {
    let (mut bytes, mut length) = (vec![0; most], 0);
    while let Ok(read @ 1..) = memory.read_at(&mut bytes[length..], address.saturating_add(length as u64)) {
        length += read;
        if length == most {
            break;
        }
    }
    bytes.truncate(length);
    bytes
}

/// Opens a file that a library has named: neither a device nor what nobody writes to, and no link.
fn open_plain(name: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(name)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file")),
    }
}

#[cfg(test)]
mod tests;

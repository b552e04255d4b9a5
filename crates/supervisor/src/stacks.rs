//! Where the threads of a worker are, looked at from outside: nothing of it is stopped, and nothing is asked of the worker.
//!
//! The kernel tells of a thread that sleeps where it does so, and lets its parent read its memory. From there a stack is walked by the tables that compilers
//! leave for exceptions, as the worker has them in memory: so files that have gone, or never had a name, are read as well. A thread
//! that runs is not told of, as its registers are on a CPU.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

#[cfg(target_arch = "aarch64")]
use framehop::aarch64::{CacheAarch64 as Cache, UnwindRegsAarch64 as Registers, UnwinderAarch64 as Unwinder};
#[cfg(target_arch = "x86_64")]
use framehop::x86_64::{CacheX86_64 as Cache, UnwindRegsX86_64 as Registers, UnwinderX86_64 as Unwinder};
use framehop::{FrameAddress, Unwinder as _};

use hotcell_elf::Place;

use crate::output::escape;
use crate::usage;
use crate::worker::Worker;
use modules::Module;

mod modules;

/// Threads that are looked at, frames of each, and bytes of its stack.
const MOST_THREADS: usize = 256;
const MOST_FRAMES: usize = 64;
const MOST_STACK: usize = 64 * 1024;

/// Bytes of tables that are read of all modules.
const MOST_TABLES: usize = 64 << 20;

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
    /// Where in the module, as its own headers count.
    pub offset: u64,
}

impl Worker {
    /// Where its threads are now, those together that are at the same place; empty when it has ended.
    pub fn stacks(&self) -> Vec<StackSeen> {
        usage::look(&self.shared, |folder| Process::open(folder).stacks()).unwrap_or_default()
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
        let maps = fs::read(format!("{folder}/maps")).unwrap_or_default();
        let modules = modules::of_maps(&String::from_utf8_lossy(&maps));
        let memory = File::open(format!("{folder}/mem")).ok();
        Process { folder: folder.to_owned(), memory, modules }
    }

    fn stacks(&self) -> Vec<StackSeen> {
        let (mut walker, mut alike) = (Walker::new(self), BTreeMap::new());
        let tasks = fs::read_dir(format!("{}/task", self.folder)).into_iter().flatten().flatten();
        for task in tasks.take(MOST_THREADS) {
            let stat = fs::read(task.path().join("stat")).unwrap_or_default();
            let Some((name, state)) = usage::of_stat(&String::from_utf8_lossy(&stat)) else { continue };
            let at = fs::read_to_string(task.path().join("syscall")).ok();
            let frames = at.and_then(|at| of_syscall(&at)).map(|(sp, pc)| walker.walk(sp, pc));
            *alike.entry((name, state, frames.unwrap_or_default())).or_insert(0) += 1;
        }
        let seen = |((name, state, frames), threads)| StackSeen { name, state, threads, frames };
        let mut stacks: Vec<_> = alike.into_iter().map(seen).collect();
        // What there is most of is what a worker has too much of.
        stacks.sort_by_key(|stack| std::cmp::Reverse(stack.threads));
        stacks
    }
}

/// Stack pointer and place of a thread that sleeps, of a text of `/proc/PID/task/TID/syscall`: the number of the call and its arguments, if
/// it is in one, and these two.
fn of_syscall(text: &str) -> Option<(u64, u64)> {
    let mut words = text.split_whitespace().rev();
    let mut number = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
    let (pc, sp) = (number()?, number()?);
    Some((sp, pc))
}

/// Walks stacks of one process. Tables of a module are read when the first stack comes to it.
struct Walker<'a> {
    process: &'a Process,
    unwinder: Unwinder<Vec<u8>>,
    cache: Cache,
    /// Modules whose tables were read, and how many bytes they had.
    read: Vec<bool>,
    bytes: usize,
}

impl Walker<'_> {
    fn new(process: &Process) -> Walker<'_> {
        let read = vec![false; process.modules.len()];
        Walker { process, unwinder: Unwinder::new(), cache: Cache::new(), read, bytes: 0 }
    }

    fn walk(&mut self, sp: u64, pc: u64) -> Vec<FrameSeen> {
        let Some(memory) = &self.process.memory else { return Vec::new() };
        let stack = up_to(memory, sp, MOST_STACK);
        let words = stack.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default()));
        // Each address of code that is there may be a frame's.
        words.clone().chain([pc]).for_each(|word| self.read_tables(memory, word));
        let words: Vec<u64> = words.collect();
        let mut read = |address: u64| {
            let at = address.checked_sub(sp).filter(|at| at % 8 == 0).ok_or(())?;
            words.get(usize::try_from(at / 8).map_err(|_| ())?).copied().ok_or(())
        };
        let (mut frames, modules) = (Vec::new(), &self.process.modules);
        let (mut registers, mut address) =
            (registers(pc, sp, UNKNOWN), FrameAddress::from_instruction_pointer(pc));
        while frames.len() < MOST_FRAMES {
            frames.push(modules::place(modules, address.address()));
            let before = registers;
            let unwound = self.unwinder.unwind_frame(address, &mut registers, &mut self.cache, &mut read);
            let back = match unwound {
                Ok(back) => back,
                Err(_) if linked(&before) == UNKNOWN => {
                    let link = link(&words, sp, before.sp(), |address| modules::is_code(modules, address));
                    link.map(|link| {
                        registers = self::registers(link.back, link.above, link.next);
                        link.back
                    })
                }
                Err(_) => None,
            };
            let Some(back) = back.and_then(FrameAddress::from_return_address) else { break };
            address = back;
        }
        frames
    }

    fn read_tables(&mut self, memory: &File, address: u64) {
        let found = modules::index(&self.process.modules, address);
        let Some(index) = found.filter(|&index| !self.read[index]) else { return };
        self.read[index] = true;
        let module = &self.process.modules[index];
        let tables = modules::tables(memory, module.range.start, MOST_TABLES - self.bytes);
        if let Some((tables, bytes)) = tables {
            self.bytes += bytes;
            let (name, start) = (module.name.clone(), module.range.start);
            self.unwinder.add_module(framehop::Module::new(name, module.range.clone(), start, tables));
        }
    }
}

/// What the register that links frames has where nobody knows: no stack is there.
const UNKNOWN: u64 = 1;

#[cfg(target_arch = "x86_64")]
fn registers(pc: u64, sp: u64, link: u64) -> Registers {
    Registers::new(pc, sp, link)
}

/// Where a function returns to that has called nobody is in a register, and not known: its caller is not seen.
#[cfg(target_arch = "aarch64")]
fn registers(_: u64, sp: u64, link: u64) -> Registers {
    Registers::new(0, sp, link)
}

/// What links the frame of these registers to the one above.
fn linked(registers: &Registers) -> u64 {
    #[cfg(target_arch = "x86_64")]
    let link = registers.bp();
    #[cfg(target_arch = "aarch64")]
    let link = registers.fp();
    link
}

/// Two words that link a frame to the one above: where that one's are, and where the function returns to.
#[derive(Debug, PartialEq, Eq)]
struct Link {
    next: u64,
    back: u64,
    /// The stack above them.
    above: u64,
}

/// The first link at or above an address of a stack that begins at `from`. Some code finds its frame by a register that links them, which the kernel does not tell: what is a link
/// looks like one.
fn link(words: &[u64], from: u64, at: u64, is_code: impl Fn(u64) -> bool) -> Option<Link> {
    let end = from.checked_add(8 * words.len() as u64)?;
    let first = usize::try_from(at.checked_sub(from)?.div_ceil(8)).ok()?;
    words.windows(2).enumerate().skip(first).find_map(|(index, pair)| {
        let place = from + 8 * index as u64;
        let is_link = (place + 16..end).contains(&pair[0]) && pair[0] % 8 == 0 && is_code(pair[1]);
        is_link.then_some(Link { next: pair[0], back: pair[1], above: place + 16 })
    })
}

/// The frames of a stack in memory that is a file, for [`crate::seam`].
pub(crate) fn walk(memory: File, maps: &str, sp: u64, pc: u64) -> Vec<FrameSeen> {
    let process = Process { folder: String::new(), memory: Some(memory), modules: modules::of_maps(maps) };
    Walker::new(&process).walk(sp, pc)
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

/// What the file of a module, as it lies there now, says of a place in it.
///
/// # Errors
///
/// When it cannot be read.
pub fn locate(module: &Path, offset: u64) -> io::Result<Option<Place>> {
    const MOST: u64 = 2 << 30;
    let mut bytes = Vec::new();
    File::open(module)?.take(MOST).read_to_end(&mut bytes)?;
    // The instruction that calls, and not the one to return to.
    Ok(hotcell_elf::place(&bytes, offset.saturating_sub(1)))
}

#[cfg(test)]
mod tests;

//! Walking a stack, from where a thread was to where it began.

#[cfg(target_arch = "aarch64")]
use framehop::aarch64::{CacheAarch64 as Cache, UnwindRegsAarch64 as Registers, UnwinderAarch64 as Unwinder};
#[cfg(target_arch = "x86_64")]
use framehop::x86_64::{CacheX86_64 as Cache, UnwindRegsX86_64 as Registers, UnwinderX86_64 as Unwinder};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use framehop::{ExplicitModuleSectionInfo, FrameAddress, Unwinder as _};
use rustix::time::{ClockId, clock_gettime};

use super::FrameSeen;
use super::modules::{self, Module};
use super::rows::{Bytes, Rows};

/// Frames of a stack.
const MOST_FRAMES: usize = 64;

/// Bytes of tables that are read of a module, and of all of them.
pub(super) const MOST_TABLES: usize = 8 << 20;
const MOST_ALL_TABLES: usize = 64 << 20;

/// How long stacks of a process are walked, all together, in time that the walking thread has on a CPU: a busy machine is no reason for fewer frames. What
/// is not walked by then has no further ones.
const WALKS: Duration = Duration::from_millis(100);

/// What the register that links frames has where nobody knows: no stack is there.
const UNKNOWN: u64 = 1;

/// The registers by which a stack is walked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) pc: u64,
    pub(super) sp: u64,
    /// What links frames.
    pub(super) link: u64,
    /// Where the function returns to that has called nobody, on machines on which a register has it.
    pub(super) back: u64,
}

impl Start {
    /// Of a thread that sleeps, of which the kernel tells no more.
    pub(super) fn asleep(pc: u64, sp: u64) -> Start {
        Start { pc, sp, link: UNKNOWN, back: 0 }
    }

    fn registers(&self) -> Registers {
        #[cfg(target_arch = "x86_64")]
        let registers = Registers::new(self.pc, self.sp, self.link);
        #[cfg(target_arch = "aarch64")]
        let registers = Registers::new(self.back, self.sp, self.link);
        registers
    }
}

/// Reads the tables of a module, if they have no more bytes than that.
type ReadTables<'a> = Box<dyn FnMut(&Module, usize) -> Option<Rows> + 'a>;

/// Walks stacks of one process. Tables of a module are read when the first stack comes to it.
pub(super) struct Walker<'a> {
    modules: &'a [Module],
    tables: ReadTables<'a>,
    unwinder: Unwinder<Bytes>,
    cache: Cache,
    /// Of modules whose tables were read, these; and how many bytes they had.
    read: Vec<Option<Option<Rows>>>,
    bytes: usize,
    /// When it is over, by the clock of this thread.
    until: Duration,
}

impl<'a> Walker<'a> {
    pub(super) fn new(
        modules: &'a [Module],
        tables: impl FnMut(&Module, usize) -> Option<Rows> + 'a,
    ) -> Walker<'a> {
        let read = modules.iter().map(|_| None).collect();
        Walker {
            modules,
            tables: Box::new(tables),
            unwinder: Unwinder::new(),
            cache: Cache::new(),
            read,
            bytes: 0,
            until: ran() + WALKS,
        }
    }

    /// Whether there is time for more.
    pub(super) fn has_time(&self) -> bool {
        ran() < self.until
    }

    /// The frames of a stack of which these bytes are there, from that address on.
    pub(super) fn walk(&mut self, start: &Start, from: u64, stack: &[u8]) -> Vec<FrameSeen> {
        let words = stack.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default()));
        let words: Vec<u64> = words.collect();
        let modules = self.modules;
        let is_code = |address| modules::is_code(modules, address);
        let mut read = |address: u64| {
            let at = address.checked_sub(from).filter(|at| at % 8 == 0).ok_or(())?;
            words.get(usize::try_from(at / 8).map_err(|_| ())?).copied().ok_or(())
        };
        let (mut frames, mut registers) = (Vec::new(), start.registers());
        let mut address = FrameAddress::from_instruction_pointer(start.pc);
        while frames.len() < MOST_FRAMES && self.has_time() {
            frames.push(modules::place(modules, address.address(), frames.is_empty()));
            let before = registers;
            // What was called is no function: its caller has left where it goes on.
            let called =
                (frames.len() == 1 && !is_code(start.pc)).then(|| returns(start, &mut read)).flatten();
            let back = match called.filter(|caller| is_code(caller.pc)) {
                Some(caller) => {
                    registers = caller.registers();
                    Some(caller.pc)
                }
                None => match self.unwind(address, &mut registers, &mut read) {
                    None if linked(&before) == UNKNOWN => {
                        link(&words, from, before.sp(), is_code).map(|link| {
                            registers =
                                Start { pc: link.back, sp: link.above, link: link.next, back: 0 }.registers();
                            link.back
                        })
                    }
                    unwound => unwound.flatten(),
                },
            };
            let Some(back) = back.and_then(FrameAddress::from_return_address) else { break };
            address = back;
        }
        frames
    }

    /// One frame further, by tables: where that goes on, or that there is none; `None` where they do not say it.
    fn unwind(
        &mut self,
        address: FrameAddress,
        registers: &mut Registers,
        read: &mut impl FnMut(u64) -> Result<u64, ()>,
    ) -> Option<Option<u64>> {
        let at = address.address_for_lookup();
        if let Some(index) = modules::index(self.modules, at) {
            self.read_tables(index);
            let offset = at - self.modules[index].range.start;
            if self.read[index].iter().flatten().any(|rows| !rows.are_short(offset)) {
                return None;
            }
        }
        let before = *registers;
        // It computes with what a library's tables say, which are the library's, and a build that looks for overflows ends there.
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            self.unwinder.unwind_frame(address, registers, &mut self.cache, read)
        }));
        unwound.inspect_err(|_| *registers = before).ok()?.ok()
    }

    /// Reads the tables of a module, once.
    fn read_tables(&mut self, index: usize) {
        if self.read[index].is_some() {
            return;
        }
        let module = &self.modules[index];
        let rows = (self.tables)(module, MOST_TABLES.min(MOST_ALL_TABLES - self.bytes));
        if let Some(Rows { frames, frames_at, index, index_at, base }) = &rows {
            self.bytes += frames.len() + index.len();
            let tables = ExplicitModuleSectionInfo {
                base_svma: *base,
                eh_frame_svma: Some(frames_at.clone()),
                eh_frame: Some(Bytes::clone(frames)),
                eh_frame_hdr_svma: Some(index_at.clone()),
                eh_frame_hdr: Some(Bytes::clone(index)),
                ..Default::default()
            };
            let (name, start) = (module.name.clone(), module.range.start);
            self.unwinder.add_module(framehop::Module::new(name, module.range.clone(), start, tables));
        }
        self.read[index] = Some(rows);
    }
}

/// The time that this thread has had on CPUs.
fn ran() -> Duration {
    let ran = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(ran.tv_sec.unsigned_abs(), u32::try_from(ran.tv_nsec).unwrap_or_default())
}

/// The registers behind a return from what has only just been called.
fn returns(start: &Start, read: &mut impl FnMut(u64) -> Result<u64, ()>) -> Option<Start> {
    if cfg!(target_arch = "aarch64") {
        return Some(Start { pc: start.back, ..*start });
    }
    Some(Start { pc: read(start.sp).ok()?, sp: start.sp.checked_add(8)?, ..*start })
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
pub(super) struct Link {
    pub(super) next: u64,
    pub(super) back: u64,
    /// The stack above them.
    pub(super) above: u64,
}

/// The first link at or above an address of a stack that begins at `from`. Some code finds its frame by a register that links them, which the kernel does not tell: what is a link
/// looks like one.
pub(super) fn link(words: &[u64], from: u64, at: u64, is_code: impl Fn(u64) -> bool) -> Option<Link> {
    let end = from.checked_add(8 * words.len() as u64)?;
    let first = usize::try_from(at.checked_sub(from)?.div_ceil(8)).ok()?;
    words.windows(2).enumerate().skip(first).find_map(|(index, pair)| {
        let place = from + 8 * index as u64;
        let is_link = (place + 16..end).contains(&pair[0]) && pair[0] % 8 == 0 && is_code(pair[1]);
        is_link.then_some(Link { next: pair[0], back: pair[1], above: place + 16 })
    })
}

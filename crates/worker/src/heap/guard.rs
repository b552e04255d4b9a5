//! Guarded blocks: each on pages of its own between pages that nobody may touch, which it becomes itself when it is freed.
//!
//! There are three kinds of *slots*, for small, middling and big blocks. A block lies at the end of its slot, so that what is
//! behind cannot be touched; each fourth lies at the start, for what is before. What is left of its pages is filled, and looked
//! at when the block is freed. Slots that were freed wait until all others have been used: so long is a use after the free
//! found.
//!
//! | what | who writes |
//! |---|---|
//! | the ring of free slots | who has the lock |
//! | a [`Note`] | who took its slot out of the ring, and then who won the exchange of its state when the block was freed |

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicUsize, Ordering};

use hotcell_protocol::wire::{Guard, HeapFault};

use super::stack::Stack;
use super::{Thread, Wanted, fault, ledger};

/// What the bytes of a block's pages have that are not its own.
const FILL: u8 = 0xDB;

/// Alignment of what `malloc` returns.
const ALIGN: usize = 16;

/// Pages of a slot, and how many slots there are, sampled and otherwise. Each block that lives splits the process's maps in two
/// more, of which the system allows 65 530 to begin with.
const KINDS: [(usize, [u32; 2]); 3] = [(1, [256, 12_000]), (15, [64, 2_000]), (4095, [8, 128])];

/// Where the guarded blocks lie, and how many bytes that is; none until there are some. In one place: every `free` looks there.
static RANGE: Range = Range { base: AtomicUsize::new(0), length: AtomicUsize::new(0) };

/// One block in so many; 0 none, 1 all.
static PERIOD: AtomicU32 = AtomicU32::new(0);

static POOL: OnceLock<Pool> = OnceLock::new();

static LOCKED: AtomicBool = AtomicBool::new(false);

struct Range {
    base: AtomicUsize,
    length: AtomicUsize,
}

struct Pool {
    page: usize,
    kinds: [Kind; KINDS.len()],
}

/// Slots of one size.
struct Kind {
    /// The page before the first.
    start: usize,
    /// Pages of a slot, less the one behind it.
    pages: usize,
    slots: u32,
    notes: *mut Note,
    ring: UnsafeCell<Ring>,
}

/// Free slots: the one that was freed first comes first.
struct Ring {
    slots: *mut u32,
    first: u32,
    length: u32,
    /// How many were ever taken.
    taken: u32,
}

/// What is known of a slot. Zeroed memory is one that was never used. Who frees what is not theirs, and the handler of a signal,
/// read it while another may write: so there is no plain word.
pub(super) struct Note {
    state: AtomicU8,
    /// Whether its pages may have other bytes than 0: the system would not close them.
    dirty: AtomicBool,
    entry: AtomicU16,
    block: AtomicUsize,
    size: AtomicUsize,
    allocated: UnsafeCell<Stack>,
    freed: UnsafeCell<Stack>,
}

const UNUSED: u8 = 0;
const LIVE: u8 = 1;
const FREED: u8 = 2;

// SAFETY: rings are touched under the lock only, and notes as the table above says.
unsafe impl Sync for Pool {}
// SAFETY: the memory is the process's for its life, whichever thread made it.
unsafe impl Send for Pool {}

/// Makes the slots.
pub(super) fn prepare(guard: Guard) -> io::Result<()> {
    // SAFETY: has no conditions.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    let share = slots_that_fit();
    let counts =
        KINDS.map(
            |(_, [sampled, all])| {
                if guard == Guard::All { (u64::from(all) * share / 100).max(1) as u32 } else { sampled }
            },
        );
    let lengths: [usize; KINDS.len()] =
        std::array::from_fn(|kind| ((KINDS[kind].0 + 1) * counts[kind] as usize + 1) * page);
    let length = lengths.iter().sum();
    let base = reserve(length, libc::PROT_NONE)?;
    let mut start = base;
    let mut kinds = Vec::with_capacity(KINDS.len());
    for (index, (pages, _)) in KINDS.iter().enumerate() {
        kinds.push(Kind::new(start, *pages, counts[index])?);
        start += lengths[index];
    }
    let kinds = kinds.try_into().unwrap_or_else(|_| unreachable!("there is one of each kind"));
    if POOL.set(Pool { page, kinds }).is_err() {
        return Err(io::Error::other("there are guarded blocks already"));
    }
    RANGE.base.store(base, Ordering::Relaxed);
    // Partner: the load in `holds`; who frees a guarded block has got it from who saw the pool.
    RANGE.length.store(length, Ordering::Release);
    Ok(())
}

/// Has blocks guarded from now on.
pub(super) fn choose(guard: Guard, sample: u32) {
    let period = match guard {
        Guard::None => 0,
        Guard::Sampled => sample.clamp(2, 1 << 30),
        Guard::All => 1,
    };
    PERIOD.store(period, Ordering::Relaxed);
}

/// One block in so many is to be guarded; 0 for none.
pub(super) fn period() -> u32 {
    PERIOD.load(Ordering::Relaxed)
}

/// Whether all are to be guarded.
pub(super) fn all() -> bool {
    period() == 1
}

/// Whether there are slots for so many bytes, free or not.
pub(super) fn may_hold(size: usize) -> bool {
    let holds = |pool: &Pool| pool.kinds.iter().any(|kind| size <= kind.pages * pool.page);
    POOL.get().is_some_and(holds)
}

/// Whether it is an address of a guarded block, or beside one.
#[inline]
pub(super) fn holds(address: *const c_void) -> bool {
    let range = &RANGE;
    address.addr().wrapping_sub(range.base.load(Ordering::Relaxed)) < range.length.load(Ordering::Relaxed)
}

/// A guarded block, if there is room for one.
#[cold]
pub(super) fn allocate(thread: &Thread, wanted: Wanted) -> Option<*mut c_void> {
    // In the middle of this already: the unwinder allocates.
    if thread.busy.replace(true) {
        return None;
    }
    let block = POOL.get().and_then(|pool| pool.allocate(thread, wanted));
    thread.busy.set(false);
    ledger::note_choice(block.is_some());
    block
}

/// Frees a guarded block, or ends the process for what is none, or was written around.
#[cold]
pub(super) fn release(thread: &Thread, address: *mut c_void) {
    if let Some(pool) = POOL.get() {
        let outer = thread.busy.replace(true);
        pool.release(thread, address.addr());
        thread.busy.set(outer);
    }
}

/// Bytes of a guarded block; none where it is not one.
pub(super) fn bytes_of(block: *mut c_void) -> Option<usize> {
    let (kind, slot) = if holds(block) { POOL.get()?.find(block.addr())? } else { return None };
    // SAFETY: the slot is one of the kind's; a block is known to nobody but who asks.
    Some(unsafe { (*kind.notes.add(slot as usize)).size() })
}

/// What was done at an address among guarded blocks, and to which. For signal handlers.
pub(super) fn explain(address: usize) -> Option<(HeapFault, &'static Note)> {
    let pool = POOL.get()?;
    let kind = pool.kinds.iter().find(|kind| kind.range(pool.page).contains(&address))?;
    let stride = (kind.pages + 1) * pool.page;
    let (before, within) = ((address - kind.start) / stride, (address - kind.start) % stride);
    // Slot n lies behind its guard page, so that page is n's too.
    let inside = (within >= pool.page).then_some(before);
    let behind = (before < kind.slots as usize).then_some(before);
    let order = match inside {
        Some(slot) => [Some(slot), None],
        None if within < pool.page / 2 => [before.checked_sub(1), behind],
        None => [behind, before.checked_sub(1)],
    };
    let mut notes = order.into_iter().flatten().map(|slot| {
        // SAFETY: the slot is one of the kind's. Another thread may write the note at this moment: what is told then is wrong
        // in parts, as all may be that a broken process tells.
        unsafe { &*kind.notes.add(slot) }
    });
    let note = notes.find(|note| note.state.load(Ordering::Acquire) != UNUSED)?;
    let fault = match note.state.load(Ordering::Acquire) {
        FREED => HeapFault::UseAfterFree,
        _ if address < note.block() => HeapFault::BufferUnderflow,
        _ => HeapFault::BufferOverflow,
    };
    Some((fault, note))
}

/// Takes the lock. It is held for moments, in which nothing is allocated.
pub(super) fn lock() {
    // Partner: the store in `unlock`.
    while LOCKED.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
        std::thread::yield_now();
    }
}

pub(super) fn unlock() {
    LOCKED.store(false, Ordering::Release);
}

impl Pool {
    fn allocate(&self, thread: &Thread, wanted: Wanted) -> Option<*mut c_void> {
        let (size, align) = (wanted.size.max(1), wanted.align.max(ALIGN));
        if !align.is_power_of_two() || align > self.page {
            return None;
        }
        let kind = self.kinds.iter().find(|kind| size <= kind.pages * self.page)?;
        let (slot, number) = kind.take()?;
        let (start, end) = kind.slot(slot, self.page);
        let block = if number % 4 == 3 { start } else { (end - size) & !(align - 1) };
        let pages = (block & !(self.page - 1))..(block + size).next_multiple_of(self.page);
        // SAFETY: the pages are the slot's, which is this thread's now.
        let opened = unsafe {
            libc::mprotect(pages.start as *mut c_void, pages.len(), libc::PROT_READ | libc::PROT_WRITE) == 0
        };
        // SAFETY: the slot is one of the kind's, and this thread's now.
        let note = unsafe { &*kind.notes.add(slot as usize) };
        if !opened {
            // Some of them may be open now, for anybody to write to.
            note.dirty.store(true, Ordering::Relaxed);
            kind.put(slot);
            return None;
        }
        let entry = thread.inside.get().entry;
        // SAFETY: as above; the note's stacks are written by nobody else meanwhile. Pages that were just made are zero.
        unsafe {
            if wanted.zeroed && note.dirty.load(Ordering::Relaxed) {
                std::ptr::write_bytes(block as *mut u8, 0, wanted.size);
            }
            for (from, to) in [(pages.start, block), (block + wanted.size, pages.end)] {
                std::ptr::write_bytes(from as *mut u8, FILL, to - from);
            }
            note.allocated.get().write(Stack::here());
            note.freed.get().write(Stack::NONE);
        }
        note.entry.store(entry, Ordering::Relaxed);
        note.block.store(block, Ordering::Relaxed);
        note.size.store(wanted.size, Ordering::Relaxed);
        note.state.store(LIVE, Ordering::Release);
        thread.count(entry, wanted.size as u64, 1);
        thread.credit.set(thread.credit.get() - wanted.size as i64);
        Some(block as *mut c_void)
    }

    fn release(&self, thread: &Thread, address: usize) {
        let Some((kind, slot)) = self.find(address) else {
            if let Some((_, note)) = explain(address) {
                fault::end(HeapFault::InvalidFree, address, note);
            }
            std::process::abort();
        };
        // SAFETY: the slot is one of the kind's. Nothing is written before the exchange below is won.
        let note = unsafe { &*kind.notes.add(slot as usize) };
        let state = note.state.load(Ordering::Acquire);
        if state == UNUSED || address != note.block() {
            fault::end(HeapFault::InvalidFree, address, note);
        }
        if note.state.compare_exchange(LIVE, FREED, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            fault::end(HeapFault::DoubleFree, address, note);
        }
        let size = note.size();
        let mut pages = (address & !(self.page - 1))..(address + size.max(1)).next_multiple_of(self.page);
        let changed = |mut range: std::ops::Range<usize>| {
            // SAFETY: the pages are the block's, readable until they are closed below.
            range.find(|at| unsafe { (*at as *const u8).read() } != FILL)
        };
        if let Some(at) = changed(address + size..pages.end) {
            fault::end(HeapFault::BufferOverflow, at, note);
        }
        if let Some(at) = changed(pages.start..address) {
            fault::end(HeapFault::BufferUnderflow, at, note);
        }
        // SAFETY: who won the exchange writes it.
        unsafe { note.freed.get().write(Stack::here()) };
        if note.dirty.load(Ordering::Relaxed) {
            // Others of its pages are open, too.
            let (start, end) = kind.slot(slot, self.page);
            pages = start..end;
        }
        // SAFETY: the pages are the slot's, and what is in them is of no use any more.
        note.dirty.store(!unsafe { close(pages) }, Ordering::Relaxed);
        let entry = note.entry.load(Ordering::Relaxed);
        kind.put(slot);
        thread.gone(entry, size);
    }

    /// The slot whose pages have this address.
    fn find(&self, address: usize) -> Option<(&Kind, u32)> {
        let kind = self.kinds.iter().find(|kind| kind.range(self.page).contains(&address))?;
        let stride = (kind.pages + 1) * self.page;
        let (slot, within) = ((address - kind.start) / stride, (address - kind.start) % stride);
        (within >= self.page).then_some((kind, slot as u32))
    }
}

impl Note {
    pub(super) fn block(&self) -> usize {
        self.block.load(Ordering::Relaxed)
    }

    pub(super) fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    /// Where the block was allocated, and where it was freed. For who ends the process.
    pub(super) fn stacks(&self) -> (Stack, Stack) {
        // SAFETY: both are valid for reads. Where another thread writes at this moment, parts of what is read are old: numbers
        // all, of which every one is valid.
        unsafe { (self.allocated.get().read_volatile(), self.freed.get().read_volatile()) }
    }
}

impl Kind {
    fn new(start: usize, pages: usize, slots: u32) -> io::Result<Kind> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let notes = reserve(slots as usize * size_of::<Note>(), access)? as *mut Note;
        let ring = reserve(slots as usize * size_of::<u32>(), access)? as *mut u32;
        for slot in 0..slots {
            // SAFETY: there is room for so many.
            unsafe { ring.add(slot as usize).write(slot) };
        }
        let ring = UnsafeCell::new(Ring { slots: ring, first: 0, length: slots, taken: 0 });
        Ok(Kind { start, pages, slots, notes, ring })
    }

    fn range(&self, page: usize) -> std::ops::Range<usize> {
        self.start..self.start + ((self.pages + 1) * self.slots as usize + 1) * page
    }

    /// Start and end of a slot.
    fn slot(&self, slot: u32, page: usize) -> (usize, usize) {
        let start = self.start + (self.pages + 1) * slot as usize * page + page;
        (start, start + self.pages * page)
    }

    /// The slot that was free for the longest, and how many were taken before.
    fn take(&self) -> Option<(u32, u32)> {
        lock();
        // SAFETY: this thread has the lock; there is room for all slots.
        let taken = unsafe {
            let ring = &mut *self.ring.get();
            (ring.length > 0).then(|| {
                let slot = ring.slots.add(ring.first as usize).read();
                ring.first = (ring.first + 1) % self.slots;
                ring.length -= 1;
                ring.taken = ring.taken.wrapping_add(1);
                (slot, ring.taken.wrapping_sub(1))
            })
        };
        unlock();
        taken
    }

    fn put(&self, slot: u32) {
        lock();
        // SAFETY: this thread has the lock; there is room for all slots, and a slot is free once.
        unsafe {
            let ring = &mut *self.ring.get();
            ring.slots.add(((ring.first + ring.length) % self.slots) as usize).write(slot);
            ring.length += 1;
        }
        unlock();
    }
}

/// Takes pages and what is in them away. False if they may have other bytes than 0 when they are opened again; they may even be
/// open still: then a use of the block is not noticed.
///
/// # Safety
///
/// They must be a slot's, of use to nobody.
unsafe fn close(pages: std::ops::Range<usize>) -> bool {
    let (start, length) = (pages.start as *mut c_void, pages.len());
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
    // SAFETY: the caller's promise. A process that has as many maps as it may gets no new one, even in place of another: but then
    // it may change those that it has.
    unsafe {
        libc::mmap(start, length, libc::PROT_NONE, flags, -1, 0) != libc::MAP_FAILED
            || (libc::mprotect(start, length, libc::PROT_NONE) == 0
                && libc::madvise(start, length, libc::MADV_DONTNEED) == 0)
    }
}

/// Fresh memory of the process's own, zeroed.
fn reserve(length: usize, access: libc::c_int) -> io::Result<usize> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh map at an address of the kernel's choice overlaps nothing.
    let base = unsafe { libc::mmap(std::ptr::null_mut(), length, access, flags, -1, 0) };
    if base == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(base.addr()) }
}

/// How much there may be of what [`KINDS`] says, in hundredths: half of the maps that the system allows are the library's.
fn slots_that_fit() -> u64 {
    const USUAL: u64 = 65_530;
    let text = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
    let most = text.trim().parse().unwrap_or(USUAL);
    (most * 100 / USUAL).min(100)
}

//! The library's memory: counted for each function, limited, and guarded where that is asked for.
//!
//! The worker program exports `malloc` and its kin (`symbols.rs` of the program), so that the library, whatever it is linked
//! with and the C library itself come here; what is behind is the C library's own allocator. The worker's own allocations go
//! there directly and are not counted ([ADR 31](../../../docs/adr/0031-the-worker-program-is-the-allocator.md)).
//!
//! A block has a *label* in its last 8 bytes, behind what was asked for: which function allocated it, and how many bytes it
//! has. So nothing moves, the C library's own checks see what they always see, and a block that came from elsewhere is known
//! by having none.
//!
//! | what | who writes | who reads |
//! |---|---|---|
//! | a thread's `Thread` | that thread | that thread |
//! | a thread's shard of counts | that thread; of the shared one all that have it, with atomic additions | the host |
//! | the rest of the limit | threads, in steps of `ledger::STEP` | the same |

use std::cell::Cell;
use std::ffi::c_void;
use std::io;

use hotcell_protocol::wire::Guard;

mod fault;
mod guard;
mod label;
mod ledger;
mod plain;
mod stack;

pub(crate) use fault::{name_files, note_fault};
pub(crate) use ledger::Settings;

/// More bytes than any block has: beyond it sums would run over.
const MOST: usize = isize::MAX as usize - (1 << 32);

/// Which function of the library this thread is in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inside {
    /// 0: none; else its index and 1.
    entry: u16,
    /// Whether it was refused memory.
    short: bool,
}

/// What a thread knows of the heap. Plain words: there is nothing to be made or dropped.
struct Thread {
    /// Its counts; null until it needs them.
    shard: Cell<*const ledger::Count>,
    /// Counts that it has: one more than there are functions.
    entries: Cell<u32>,
    /// Whether other threads count there too.
    shared: Cell<bool>,
    /// It has ended, but for what is done then.
    over: Cell<bool>,
    /// Bytes that it may still hand out before it asks for more. Below 0 until it has a shard.
    credit: Cell<i64>,
    /// Blocks until one is to be guarded.
    countdown: Cell<u32>,
    inside: Cell<Inside>,
    /// It is at work on a guarded block: what is allocated meanwhile is not guarded.
    busy: Cell<bool>,
    seed: Cell<u32>,
}

/// What is asked for.
#[derive(Clone, Copy)]
struct Wanted {
    size: usize,
    /// 0: as the C library aligns.
    align: usize,
    zeroed: bool,
}

thread_local! {
    static THREAD: Thread = const {
        Thread {
            shard: Cell::new(std::ptr::null()),
            entries: Cell::new(0),
            shared: Cell::new(false),
            over: Cell::new(false),
            credit: Cell::new(-1),
            countdown: Cell::new(0),
            inside: Cell::new(Inside { entry: 0, short: false }),
            busy: Cell::new(false),
            seed: Cell::new(0),
        }
    };
}

/// Counts, limits and guards from now on. What was allocated before is not counted.
pub(crate) fn install(settings: Settings) -> io::Result<()> {
    if settings.guard != Guard::None {
        guard::prepare(settings.guard)?;
    }
    ledger::install(settings)
}

/// This thread goes into a function of the library. Comes with where it was before.
#[inline]
pub(crate) fn enter(function: u16) -> Inside {
    THREAD.with(|thread| thread.inside.replace(Inside { entry: function.wrapping_add(1), short: false }))
}

/// The function has returned.
#[inline]
pub(crate) fn leave(before: Inside) {
    THREAD.with(|thread| thread.inside.set(before));
}

/// Notes that the thread that ends the process was refused memory, if it was. For signal handlers.
pub(crate) fn note_end() {
    if THREAD.with(|thread| thread.inside.get().short) {
        ledger::note_short();
    }
}

/// Notes that the worker itself was refused memory, by the system.
#[cold]
pub fn note_refusal(size: usize) {
    THREAD.with(|thread| thread.refused(size, false));
}

/// `malloc`.
#[inline]
pub fn allocate(size: usize) -> *mut c_void {
    THREAD.with(|thread| {
        let credit = thread.credit.get().wrapping_sub(size as i64);
        let countdown = thread.countdown.get();
        if size > MOST || credit < 0 || countdown == 0 {
            return thread.allocate(Wanted { size, align: 0, zeroed: false });
        }
        thread.countdown.set(countdown - 1);
        // SAFETY: has no conditions.
        let block = unsafe { plain::malloc(size + label::SIZE) };
        if block.is_null() {
            return thread.refused(size, false);
        }
        thread.credit.set(credit);
        // SAFETY: the block is new, and has room for the label.
        unsafe { thread.add(block, size) };
        block
    })
}

/// `calloc`, of so many bytes.
#[inline]
pub fn allocate_zeroed(size: usize) -> *mut c_void {
    THREAD.with(|thread| thread.allocate(Wanted { size, align: 0, zeroed: true }))
}

/// `memalign`.
pub fn allocate_aligned(align: usize, size: usize) -> *mut c_void {
    THREAD.with(|thread| thread.allocate(Wanted { size, align, zeroed: false }))
}

/// `free`.
///
/// # Safety
///
/// As for `free`. A library that breaks them is why there is this process.
#[inline]
pub unsafe fn release(block: *mut c_void) {
    if guard::holds(block) {
        return THREAD.with(|thread| guard::release(thread, block));
    }
    if !block.is_null() {
        // SAFETY: the caller's promise: then there is a block, and its label if it has one.
        unsafe {
            if let Some((entry, size)) = label::take(block) {
                THREAD.with(|thread| thread.gone(entry, size));
            }
            plain::free(block);
        }
    }
}

/// `realloc`.
///
/// # Safety
///
/// As for `realloc`.
pub unsafe fn reallocate(block: *mut c_void, size: usize) -> *mut c_void {
    if block.is_null() {
        return allocate(size);
    }
    // SAFETY: the caller's promise.
    unsafe {
        if size == 0 {
            release(block);
            return std::ptr::null_mut();
        }
        if size > MOST {
            return too_much();
        }
        THREAD.with(|thread| {
            let counts = thread.has_shard();
            let to_guard = || thread.is_moved_to_guard(size) && label::bytes_of(block).is_some();
            if guard::holds(block) || (counts && to_guard()) {
                return thread.move_to_new(block, size);
            }
            let Some((entry, old)) = label::take(block) else { return plain::realloc(block, size) };
            if !counts {
                return plain::realloc(block, size);
            }
            if !thread.may_have(size.saturating_sub(old)) {
                label::put(block, entry, old);
                return thread.refused(size, true);
            }
            let moved = plain::realloc(block, size + label::SIZE);
            if moved.is_null() {
                label::put(block, entry, old);
                thread.settle(0);
                return thread.refused(size, false);
            }
            thread.count(entry, (old as u64).wrapping_neg(), u64::MAX);
            thread.settle(old as i64 - size as i64);
            thread.add(moved, size);
            moved
        })
    }
}

/// `malloc_usable_size`: as many bytes as were asked for.
///
/// # Safety
///
/// As for `malloc_usable_size`.
pub unsafe fn size_of_block(block: *mut c_void) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        guard::bytes_of(block).or_else(|| label::bytes_of(block)).unwrap_or_else(|| plain::usable(block))
    }
}

/// NULL for more than there can be: that is a mistake of who asks, and no shortage.
#[cold]
fn too_much() -> *mut c_void {
    // SAFETY: errno's address is always valid.
    unsafe { *libc::__errno_location() = libc::ENOMEM };
    std::ptr::null_mut()
}

impl Thread {
    /// `realloc` by a new block, a copy, and `free`. Of the limit it needs what the new block has more than the old.
    ///
    /// # Safety
    ///
    /// As for `realloc`; neither is `block` NULL nor `size` 0, and it is guarded or has a label.
    unsafe fn move_to_new(&self, block: *mut c_void, size: usize) -> *mut c_void {
        // SAFETY: the caller's promise; the new block is another, and both have so many bytes.
        unsafe {
            let Some(old) = guard::bytes_of(block).or_else(|| label::bytes_of(block)) else {
                // Beside guarded blocks: that ends the process.
                release(block);
                return std::ptr::null_mut();
            };
            let back = if self.has_shard() { old } else { 0 };
            if back > 0 && !self.may_have(size.saturating_sub(back)) {
                return self.refused(size, true);
            }
            // What comes back when the old block is freed goes into the new one.
            self.credit.set(self.credit.get() + back as i64);
            let moved = allocate(size);
            self.credit.set(self.credit.get() - back as i64);
            if !moved.is_null() {
                std::ptr::copy_nonoverlapping(block.cast::<u8>(), moved.cast::<u8>(), old.min(size));
                release(block);
            }
            moved
        }
    }

    /// Whether a block that gets so many bytes is to be guarded: it counts as one that is allocated.
    fn is_moved_to_guard(&self, size: usize) -> bool {
        match self.countdown.get() {
            0 => guard::may_hold(size),
            left => {
                self.countdown.set(left - 1);
                false
            }
        }
    }

    /// Whether so many bytes are within the limit. They are not taken yet. The thread must have a shard.
    fn may_have(&self, size: usize) -> bool {
        let missing = (size as i64).saturating_sub(self.credit.get());
        missing <= 0 || ledger::lend(self, missing)
    }

    /// Every way of allocating.
    #[inline(never)]
    fn allocate(&self, wanted: Wanted) -> *mut c_void {
        let size = wanted.size;
        if size > MOST {
            return too_much();
        }
        if !self.has_shard() {
            // SAFETY: has no conditions.
            return unsafe { wanted.plainly(0) };
        }
        if !self.may_have(size) {
            return self.refused(size, true);
        }
        if self.is_to_be_guarded()
            && let Some(block) = guard::allocate(self, wanted)
        {
            return block;
        }
        // SAFETY: has no conditions.
        let block = unsafe { wanted.plainly(label::SIZE) };
        if block.is_null() {
            self.settle(0);
            return self.refused(size, false);
        }
        self.credit.set(self.credit.get() - size as i64);
        // SAFETY: the block is new, and has room for the label.
        unsafe { self.add(block, size) };
        block
    }

    /// Whether it is the next block's turn.
    fn is_to_be_guarded(&self) -> bool {
        match self.countdown.get() {
            0 if guard::all() => true,
            0 => {
                self.start_countdown();
                guard::period() != 0
            }
            left => {
                self.countdown.set(left - 1);
                false
            }
        }
    }

    fn start_countdown(&self) {
        let period = guard::period();
        if guard::all() || period == 0 {
            self.countdown.set(if period == 0 { u32::MAX } else { 0 });
            return;
        }
        // Xorshift: any number but 0 to begin with.
        let mut seed = self.seed.get() | 1;
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        self.seed.set(seed);
        self.countdown.set(seed % period.saturating_mul(2) + 1);
    }

    /// Counts a new block, and labels it.
    ///
    /// # Safety
    ///
    /// It must have room for the label behind so many bytes.
    #[inline]
    unsafe fn add(&self, block: *mut c_void, size: usize) {
        let entry = self.inside.get().entry;
        // SAFETY: the caller's promise.
        if unsafe { label::put(block, entry, size) } {
            self.count(entry, size as u64, 1);
        } else {
            self.settle(size as i64);
        }
    }

    /// Counts a block no longer.
    #[inline]
    fn gone(&self, entry: u16, size: usize) {
        if self.has_shard() {
            self.count(entry, (size as u64).wrapping_neg(), u64::MAX);
            self.settle(size as i64);
        }
    }

    /// So many bytes are free again.
    #[inline]
    fn settle(&self, bytes: i64) {
        let credit = self.credit.get() + bytes;
        self.credit.set(credit);
        let kept = if self.over.get() { 0 } else { ledger::STEP };
        if credit > 2 * kept {
            ledger::give_back(self, credit - kept);
        }
    }

    /// The library gets NULL.
    #[cold]
    fn refused(&self, size: usize, by_limit: bool) -> *mut c_void {
        self.inside.set(Inside { short: true, ..self.inside.get() });
        ledger::note_refusal(size as u64, by_limit);
        // SAFETY: errno's address is always valid.
        unsafe { *libc::__errno_location() = libc::ENOMEM };
        std::ptr::null_mut()
    }
}

impl Wanted {
    /// From the C library, with so many bytes more.
    ///
    /// # Safety
    ///
    /// None but that the block is released as it should be.
    unsafe fn plainly(self, more: usize) -> *mut c_void {
        let Wanted { size, align, zeroed } = self;
        // SAFETY: none of them has conditions; the sizes are below `MOST`.
        unsafe {
            match (align, zeroed) {
                (0, false) => plain::malloc(size + more),
                (0, true) => plain::calloc(1, size + more),
                (align, _) => plain::memalign(align, size + more),
            }
        }
    }
}

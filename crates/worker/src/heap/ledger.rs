//! The counts, in memory that the host reads, and the limit.

use std::collections::hash_map::RandomState;
use std::ffi::c_void;
use std::hash::BuildHasher;
use std::io;
use std::sync::atomic::{AtomicI64, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use hotcell_protocol::wire::{self, Guard, heap_count, heap_head};
use hotcell_shm::{Mapping, heap_shard};

use super::{Inside, Thread, guard, plain};
use crate::crash::is_forked;

/// Bytes by which threads take from the limit, and give back to it.
pub(super) const STEP: i64 = 64 << 10;

/// What there is of the limit where there is none.
const ENDLESS: i64 = i64::MAX / 2;

/// What the hello says of the heap.
pub(crate) struct Settings {
    /// The heap segment.
    pub(crate) segment: Mapping,
    /// Functions that it counts for.
    pub(crate) functions: u32,
    /// Bytes that the library may have; 0 for no limit.
    pub(crate) limit: u64,
    /// Which blocks are guarded.
    pub(crate) guard: Guard,
    /// One in so many, where they are sampled.
    pub(crate) sample: u32,
}

/// `heap_count`.
#[repr(C)]
pub(super) struct Count {
    bytes: AtomicU64,
    blocks: AtomicU64,
}

/// The segment; null until there is one, and in children that the library forks.
static SEGMENT: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());

/// Bytes of a shard.
static SHARD: AtomicUsize = AtomicUsize::new(0);

/// Counts of a shard that are in use: one more than there are functions.
static ENTRIES: AtomicU32 = AtomicU32::new(0);

/// Shards that threads have, a bit for each; the last is never one thread's.
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// What is left of the limit, and what there was of it.
static REST: AtomicI64 = AtomicI64::new(ENDLESS);
static LIMIT: AtomicI64 = AtomicI64::new(ENDLESS);

/// From which threads have the numbers that they begin with.
static SEED: AtomicU32 = AtomicU32::new(0);

/// Blocks until one is to be guarded, as a thread that ended left it to the next; 0 if none did.
static COUNTDOWN: AtomicU32 = AtomicU32::new(0);

/// By which a thread gives back at its end what it has.
static KEY: AtomicU32 = AtomicU32::new(0);

/// Shards that one thread has each.
const OWN_SHARDS: u32 = wire::HEAP_SHARDS as u32 - 1;

const _: () = assert!(size_of::<Count>() == heap_count::SIZE && OWN_SHARDS < u32::BITS);

pub(super) fn install(settings: Settings) -> io::Result<()> {
    let Settings { segment, functions, limit, guard, sample } = settings;
    if !plain::prepare() {
        return Err(io::Error::other("the C library has no malloc_usable_size"));
    }
    let (base, length) = (segment.base(), segment.length());
    // A child that the library forks without telling the C library counts there, too: better than that it dies of it.
    // SAFETY: the range is a map of this process, which is never unmapped; its contents stay.
    if unsafe { libc::madvise(base.cast(), length, libc::MADV_DOFORK) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut key = 0;
    // SAFETY: the key is valid for writes, and the functions are there for ever.
    let failed = unsafe {
        match libc::pthread_key_create(&mut key, Some(at_thread_end)) {
            0 => libc::pthread_atfork(Some(before_fork), Some(after_fork), Some(in_child)),
            error => error,
        }
    };
    if failed != 0 {
        return Err(io::Error::from_raw_os_error(failed));
    }
    KEY.store(key, Ordering::Relaxed);
    if let Some(limit) = i64::try_from(limit).ok().filter(|limit| (1..ENDLESS).contains(limit)) {
        LIMIT.store(limit, Ordering::Relaxed);
        REST.store(limit, Ordering::Relaxed);
    }
    guard::choose(guard, sample);
    SEED.store(RandomState::new().hash_one(0) as u32, Ordering::Relaxed);
    SHARD.store(heap_shard(functions), Ordering::Relaxed);
    ENTRIES.store(functions + 1, Ordering::Relaxed);
    // Last: who sees the segment sees the rest. Partner: the loads with Acquire.
    SEGMENT.store(base, Ordering::Release);
    // It stays for the life of the process.
    std::mem::forget(segment);
    Ok(())
}

impl Thread {
    /// Whether this thread counts. The first time it is given where to.
    #[inline]
    pub(super) fn has_shard(&self) -> bool {
        !self.shard.get().is_null() || self.take_shard()
    }

    #[cold]
    fn take_shard(&self) -> bool {
        let segment = SEGMENT.load(Ordering::Acquire);
        if segment.is_null() {
            return false;
        }
        let free = |taken: u32| {
            let first = (!taken).trailing_zeros();
            (first < OWN_SHARDS).then(|| taken | 1 << first)
        };
        // Partner: the release in `at_thread_end`, behind which what the last owner has counted is there.
        let taken = TAKEN.fetch_update(Ordering::Acquire, Ordering::Relaxed, free);
        let index = taken.map_or(OWN_SHARDS, |before| (!before).trailing_zeros());
        self.count_in(segment, index);
        // Far apart, so that what follows from them differs.
        self.seed.set(SEED.fetch_add(0x9E37_79B9, Ordering::Relaxed));
        match COUNTDOWN.swap(0, Ordering::Relaxed) {
            0 => self.start_countdown(),
            left => self.countdown.set(left),
        }
        // SAFETY: the key was made. A thread for which this fails keeps its shard for ever.
        unsafe { libc::pthread_setspecific(KEY.load(Ordering::Relaxed), self.shard.get().cast()) };
        true
    }

    fn count_in(&self, segment: *mut u8, index: u32) {
        let offset = wire::HEAP_COUNTS + index as usize * SHARD.load(Ordering::Relaxed);
        self.shard.set(segment.wrapping_add(offset).cast());
        self.entries.set(ENTRIES.load(Ordering::Relaxed));
        self.shared.set(index == OWN_SHARDS);
        self.credit.set(0);
    }

    /// Adds to the counts of a function; they wrap.
    #[inline]
    pub(super) fn count(&self, entry: u16, bytes: u64, blocks: u64) {
        // A label may have been written over.
        if u32::from(entry) >= self.entries.get() {
            return;
        }
        // SAFETY: the thread has a shard, which stays mapped and has so many entries.
        let count = unsafe { &*self.shard.get().add(usize::from(entry)) };
        if self.shared.get() {
            count.bytes.fetch_add(bytes, Ordering::Relaxed);
            count.blocks.fetch_add(blocks, Ordering::Relaxed);
        } else {
            // Nobody else writes here.
            count.bytes.store(count.bytes.load(Ordering::Relaxed).wrapping_add(bytes), Ordering::Relaxed);
            count.blocks.store(count.blocks.load(Ordering::Relaxed).wrapping_add(blocks), Ordering::Relaxed);
        }
    }
}

/// Adds to a thread's credit, at least so many bytes. False where they are beyond the limit.
#[cold]
pub(super) fn lend(thread: &Thread, missing: i64) -> bool {
    let lent = |wanted: i64| {
        let taken = REST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |rest| {
            (rest >= wanted).then(|| rest - wanted)
        });
        taken.is_ok().then_some(wanted)
    };
    let more = if thread.over.get() { 0 } else { STEP };
    match lent(missing.saturating_add(more)).or_else(|| lent(missing)) {
        Some(bytes) => {
            thread.credit.set(thread.credit.get() + bytes);
            true
        }
        None => false,
    }
}

/// Takes so many bytes off a thread's credit.
#[cold]
pub(super) fn give_back(thread: &Thread, bytes: i64) {
    thread.credit.set(thread.credit.get() - bytes);
    REST.fetch_add(bytes, Ordering::Relaxed);
}

/// Notes for the host that the library got NULL.
pub(super) fn note_refusal(wanted: u64, by_limit: bool) {
    // What a child of the library's is refused is not the parent's business.
    if is_forked() {
        return;
    }
    let live = LIMIT.load(Ordering::Relaxed).saturating_sub(REST.load(Ordering::Relaxed));
    if let Some(word) = word(heap_head::WANTED) {
        word.store(wanted, Ordering::Relaxed);
    }
    if let Some(word) = word(heap_head::LIVE) {
        word.store(live as u64, Ordering::Relaxed);
    }
    if let Some(flag) = half(heap_head::BY_LIMIT) {
        flag.store(by_limit.into(), Ordering::Relaxed);
    }
    if let Some(word) = word(heap_head::REFUSED) {
        word.fetch_add(1, Ordering::Release);
    }
}

/// Notes for the host that the thread that ends the process was refused memory.
pub(super) fn note_short() {
    if let Some(flag) = half(heap_head::SHORT) {
        flag.store(1, Ordering::Relaxed);
    }
}

/// Notes for the host that a block was to be guarded, and whether it was.
pub(super) fn note_choice(guarded: bool) {
    for (field, counts) in [(heap_head::CHOSEN, true), (heap_head::GUARDED, guarded)] {
        if let Some(word) = word(field).filter(|_| counts) {
            word.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Where the segment is, if there is one.
pub(super) fn segment() -> Option<*mut u8> {
    Some(SEGMENT.load(Ordering::Acquire)).filter(|segment| !segment.is_null())
}

fn word(offset: usize) -> Option<&'static AtomicU64> {
    // SAFETY: the segment stays mapped, the offset is that of a field of 8 bytes of its head, and it is aligned.
    segment().map(|segment| unsafe { &*segment.add(offset).cast::<AtomicU64>() })
}

fn half(offset: usize) -> Option<&'static AtomicU32> {
    // SAFETY: as in `word`, of 4 bytes.
    segment().map(|segment| unsafe { &*segment.add(offset).cast::<AtomicU32>() })
}

/// A thread ends: others may have what it had. The C library and the library's own destructors free and allocate even after this,
/// and nobody tells when they are done: from now on the thread counts where all do, and keeps nothing of the limit.
unsafe extern "C" fn at_thread_end(shard: *mut c_void) {
    super::THREAD.with(|thread| {
        if thread.shard.get().cast_mut().cast() != shard {
            return;
        }
        let Some(segment) = segment() else { return };
        give_back(thread, thread.credit.get());
        let shared = thread.shared.get();
        thread.over.set(true);
        thread.count_in(segment, OWN_SHARDS);
        if !guard::all() && guard::period() != 0 {
            COUNTDOWN.store(thread.countdown.replace(u32::MAX).max(1), Ordering::Relaxed);
        }
        if shared {
            return;
        }
        let offset = shard.addr() - segment.addr() - wire::HEAP_COUNTS;
        let index = offset / SHARD.load(Ordering::Relaxed);
        // Partner: the acquire in `take_shard`.
        TAKEN.fetch_and(!(1 << index), Ordering::Release);
    });
}

extern "C" fn before_fork() {
    guard::lock();
}

extern "C" fn after_fork() {
    guard::unlock();
}

/// The child does not count: what it has is nobody's business, and its parent's counts are not its own.
extern "C" fn in_child() {
    guard::unlock();
    SEGMENT.store(std::ptr::null_mut(), Ordering::Release);
    super::THREAD.with(|thread| {
        thread.shard.set(std::ptr::null());
        thread.credit.set(-1);
        thread.inside.set(Inside { entry: 0, short: false });
    });
}

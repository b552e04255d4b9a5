//! What a model knows of a segment: its words are loom's, all else is watched for accesses that nothing puts in order.
//!
//! The bytes themselves are where they always are, for the threads of a model take turns on one. Two accesses of a line,
//! one of which writes, must be ordered by words; else loom ends the model. Only hints may be read at any time.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::os::fd::BorrowedFd;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use hotcell_protocol::wire;
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicU32, AtomicU64};
use rustix::fs::fstat;

use super::Mapping;
use crate::geometry;

/// What one map knows.
#[derive(Debug)]
pub(crate) struct View {
    memory: Arc<Memory>,
    /// Accesses that are left to whoever has this map.
    life: Option<Arc<AtomicUsize>>,
}

/// What all maps of a file know.
#[derive(Debug)]
struct Memory {
    words: BTreeMap<usize, AtomicU32>,
    active: AtomicU64,
    lines: Vec<UnsafeCell<()>>,
}

/// Unwinds a thread whose life is over.
#[derive(Debug)]
pub(crate) struct Died;

const _: () = {
    assert!(wire::channel_worker::PARK == wire::channel_host::DOORBELL);
    assert!(wire::lane_host::PARK == wire::lane_worker::BELL);
    assert!(wire::resume_line::COMMIT == wire::reply_head::COMMIT);
};

thread_local! {
    /// By the number of their file.
    static MEMORIES: RefCell<HashMap<u64, Weak<Memory>>> = RefCell::default();
}

impl View {
    #[expect(
        clippy::arc_with_non_send_sync,
        reason = "the threads of a model take turns on one of the machine"
    )]
    /// What is known of this file. The first who maps it makes it known, before other threads come to it.
    pub(super) fn of(file: BorrowedFd<'_>, length: usize) -> View {
        let number = fstat(file).expect("a memory file is open").st_ino;
        MEMORIES.with_borrow_mut(|memories| {
            let known = memories.get(&number).and_then(Weak::upgrade);
            let memory = known.unwrap_or_else(|| {
                let memory = Arc::new(Memory::new(length));
                memories.insert(number, Arc::downgrade(&memory));
                memory
            });
            View { memory, life: None }
        })
    }

    /// Has whoever uses this map die when so many accesses are left.
    pub(crate) fn end_after(&mut self, life: &Arc<AtomicUsize>) {
        self.life = Some(Arc::clone(life));
    }

    /// Notes that bytes are looked at, for which one must live.
    pub(super) fn touch(&self, offset: usize, length: usize) {
        self.step();
        self.note(offset, length, false);
    }

    /// Notes an access, if it is more than one of a hint.
    pub(super) fn note(&self, offset: usize, length: usize, writes: bool) {
        if length == 0 || is_hint(offset) {
            return;
        }
        for line in &self.memory.lines[offset / wire::LINE..=(offset + length - 1) / wire::LINE] {
            match writes {
                true => line.with_mut(|_| ()),
                false => line.with(|_| ()),
            }
        }
    }

    fn step(&self) {
        let Some(life) = self.life.as_ref().filter(|_| !std::thread::panicking()) else { return };
        match life.load(Ordering::Relaxed) {
            0 => resume_unwind(Box::new(Died)),
            left => life.store(left - 1, Ordering::Relaxed),
        }
    }
}

/// Whether a hint lies there, which is read whenever somebody likes: where a side is, and what it says of itself.
fn is_hint(offset: usize) -> bool {
    const CONTROL: [usize; 2] = [wire::channel_worker::CPU, wire::channel_worker::STATE];
    match offset.checked_sub(wire::LANES_OFFSET) {
        Some(in_lanes) => {
            let hints = [wire::lane_host::CPU, wire::lane_worker::CPU];
            hints.contains(&(in_lanes % geometry::LANE_STRIDE))
        }
        None => CONTROL.iter().any(|field| offset == geometry::CONTROL + field),
    }
}

impl Memory {
    fn new(length: usize) -> Memory {
        let mut words = vec![geometry::CONTROL + wire::channel_host::DOORBELL];
        for lane in 0..(length.saturating_sub(wire::LANES_OFFSET) / geometry::LANE_STRIDE) as u32 {
            let doors = [wire::lane_host::PARK, wire::lane_host::DOORBELL, wire::lane_worker::PARK];
            words.extend(doors.map(|word| geometry::lane(lane) + word));
            for slot in (0..geometry::SLOTS).map(|slot| geometry::slot(lane, slot)) {
                words.extend([
                    slot + wire::reply_head::COMMIT,
                    slot + wire::CALL_OFFSET + wire::call_head::COMMIT,
                ]);
            }
        }
        Memory {
            words: words.into_iter().map(|at| (at, AtomicU32::new(0))).collect(),
            active: AtomicU64::new(0),
            lines: (0..length.div_ceil(wire::LINE)).map(|_| UnsafeCell::new(())).collect(),
        }
    }
}

impl Mapping {
    pub(crate) fn peer_word(&self, offset: usize) -> &AtomicU32 {
        self.watched.step();
        self.watched.memory.words.get(&offset).expect("a word that the model knows")
    }

    pub(crate) fn peer_word64(&self, offset: usize) -> &AtomicU64 {
        assert_eq!(offset, geometry::CONTROL + wire::channel_host::ACTIVE, "the only word of its size");
        self.watched.step();
        &self.watched.memory.active
    }
}

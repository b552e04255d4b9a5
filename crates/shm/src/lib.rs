//! Segments, lanes and waiting: all memory that is shared with a worker.
//!
//! The two sides are not equals. The host does not trust a byte the worker can write: it copies each field
//! once into private memory and judges the copy. What the host writes, the worker can only read: the
//! kernel refuses it a writable map. `docs/internals/protocol.md` tells the whole protocol.

mod ahead;
mod arena;
mod atomics;
pub mod batch;
mod bell;
#[cfg(feature = "buffers")]
mod buffers;
pub mod clock;
pub mod control;
mod doors;
mod eventfd;
mod fork;
mod geometry;
mod heap;
mod host;
mod latency;
mod line;
pub mod lock;
mod mapping;
mod memfd;
#[cfg(all(test, loom))]
mod model;
mod roost;
mod segment;
mod shared;
mod slot;
mod standstill;
mod worker;

pub use ahead::{Ahead, claim};
pub use arena::{Arena, Grant, Granted, Outer, Window};
#[cfg(feature = "buffers")]
pub use buffers::{Buffers, Found, InBuf, Lent};
pub use eventfd::EventFd;
pub use fork::{ForkGuard, OfProcess};
pub use heap::{
    HEAP_FAULT, HeapCount, HeapFaultRecord, HeapRefusal, HeapSegment, StackRecord, heap_length, heap_shard,
    heap_stack,
};
pub use host::{
    CallHead, CrashRecord, DenialRecord, HostChannel, HostLane, Located, NEAR_RESULT, ReplyHead, STATE_PARTS,
    Sent, StateRecord, Waited,
};
pub use latency::{usable_cpus, wake_latency};
pub use mapping::{Access, Mapping, Plain, Solid, bytes_of};
pub use memfd::{Seals, SegmentFile, sealed_copy};
pub use roost::{Roost, rise};
pub use shared::{SharedBuf, SharedView};
pub use slot::Slot;
pub use worker::{Answer, EntryMark, Request, Resumed, SegmentTable, WorkerChannel, WorkerLane};

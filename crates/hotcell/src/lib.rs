//! Call any C library; a crash, a hang or a lie on the C side is an error value, and the next call works.
//!
//! A generated package holds the functions of one library as methods:
//!
//! ```no_run
//! # fn main() -> hotcell::Result<()> {
//! let zlib = zlib_hotcell::Zlib::open()?;
//! match zlib.crc32(0, b"hello") {
//!     Ok(checksum) => println!("{checksum:08x}"),
//!     Err(error) if error.is_fault() => eprintln!("contained: {error}"),
//!     Err(error) => return Err(error),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The library itself runs in a worker process behind a [`Session`]. When it crashes, the call that met the
//! crash returns an [`Error`] and the session's next call runs on a new worker. What a package is made of is
//! in [`rt`]; applications need only what is re-exported here.
#![forbid(unsafe_code)]

mod atomics;
mod denied;
#[cfg(feature = "dynamic")]
pub mod dynamic;
mod error;
mod fault;
mod latency;
mod memory;
mod options;
mod quarantine;
mod recycle;
#[doc(hidden)]
pub mod remedy;
mod restart;
mod retries;
pub mod rt;
#[doc(hidden)]
pub mod seam;
#[cfg(feature = "serve")]
pub mod serve;
mod session;
mod signals;
mod stack;
mod state;
pub mod watch;

pub use denied::{Denied, Refused};
pub use error::{Answer, Cause, Error, LeftBy, Output, Result};
pub use hotcell_protocol::wire::Guard;
pub use hotcell_protocol::{ErrorKind, Executed, LimitExceededReason, Retry, UnavailableReason};
pub use hotcell_sandbox::{Level, Limits, Profile, Remedy, Require, Sandbox};
pub use hotcell_shm::{InBuf, SharedBuf, SharedView};
pub use hotcell_supervisor::{LoadedFile, Place, ThreadSeen};
pub use latency::Latency;
pub use memory::{Coverage, Frame, Heap, HeapCount, HeapFault, HeapFaultKind, Shortage};
pub use options::{Options, Waiting};
pub use quarantine::{InputId, Quarantine, QuarantineRule, Quarantined};
pub use recycle::{Recycle, Snapshot, Wear, Worn};
pub use restart::{Breaker, Restart};
pub use retries::Retries;
pub use rt::{Batch, Done, Pipeline, Restores, Ticket};
pub use session::{
    Cancel, FunctionStats, Lease, Library, Pool, PoolOptions, PoolStats, Pools, Reload, Reloaded, Session,
    SessionState, Stats, WhyEnded, WorkerEnd,
};
pub use stack::{LastStack, Stack};
pub use state::{StateChanges, StatePart};

//! Spawn, watch, limit, kill and report workers.
//!
//! One thread per process, the *monitor*, starts and reaps every worker and reads what they say. Callers
//! never wait for it on the way of a call: they meet the worker in shared memory, and the monitor only when
//! the worker dies or memory is added.
#![forbid(unsafe_code)]

mod aborted;
mod awaited;
mod cancel;
mod changed;
mod client;
mod end;
mod heard;
mod hearing;
mod keeper;
mod libraries;
mod monitor;
mod output;
mod outside;
mod program;
mod quota;
#[doc(hidden)]
pub mod seam;
mod spec;
mod stacks;
mod start;
mod turn;
mod unheard;
mod usage;
mod worker;

pub use awaited::Ending;
pub use cancel::{Asking, CancelOutcome};
pub use client::Client;
pub use end::{End, Ended, Hears, HowEnded, Report, Sent};
pub use hotcell_elf::Place;
pub use keeper::Keeper;
pub use libraries::{Libraries, LoadedFile, Replaced, Unfit};
pub use output::escape;
pub use program::find_worker;
pub use spec::Spec;
pub use stacks::{FrameSeen, StackLeft, StackSeen, locate};
pub use start::{StartError, passes};
pub use usage::{ThreadSeen, Usage};
pub use worker::{LaneError, SegmentError, Worker, WorkerRef};

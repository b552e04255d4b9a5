//! Batches: calls that are collected, sent with one wake, and executed in order.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hotcell_protocol::{ErrorKind, LimitExceededReason, wire};
use hotcell_shm::batch::{Packed, reply_size};

use super::passed::PassedObject;
use super::reading::numbers;
use super::{Element, Function, Reply};
use crate::error::{Cause, Error, Result};
use crate::session::{Context, Session};

mod done;
mod entry;
mod run;

pub use done::Done;
pub use entry::Entry;

/// Room for the entries of a batch of usual size: so many, and so many bytes.
const USUAL: (usize, usize) = (64, 4096);

/// Calls of one session that are sent together: one wake, one deadline. They are executed in order, and each fails for
/// itself. Nothing is sent before [`Batch::run`]; dropping a batch sends nothing.
pub struct Batch {
    session: Session,
    /// Told by tickets; no two batches of a process have the same.
    number: u64,
    packed: Packed,
    pending: Vec<Pending>,
    /// Bytes of data passed so far.
    input: u64,
    /// What entries are passed besides bytes. What an entry put that was given up is behind the last that was not.
    objects: Vec<PassedObject>,
    /// Where in the argument block of an entry data went that a failed call may give a place in, and their bytes.
    lengths: Vec<(u16, u64)>,
    /// Bytes of the replies.
    replies: usize,
    /// The longest deadline that an entry would have by itself.
    time: Duration,
}

/// An entry that waits to be sent.
struct Pending {
    function: &'static Function,
    call_site: &'static Location<'static>,
    /// Where it starts.
    start: usize,
    /// Where its objects and its lengths end, and those of the next entry begin.
    ends: (u32, u32),
    read: Read,
}

/// How an entry's results are read.
enum Read {
    /// They are numbers in its result block: by who takes them.
    Values,
    /// While the worker's memory is there.
    Now(Box<Reader>),
}

type Reader = dyn FnOnce(&mut Reply<'_>) -> Result<Box<dyn Any + Send>> + Send;

/// Stands for the result of an entry: what [`Done::take`] gives for it.
#[must_use = "whether the entry failed is known only to who takes its result"]
pub struct Ticket<T> {
    batch: u64,
    entry: u32,
    /// Of an entry that is read when it is taken.
    read: Option<fn(&Values<'_>) -> T>,
    result: PhantomData<fn() -> T>,
}

/// The result block of an entry whose results are numbers.
#[derive(Debug)]
pub struct Values<'a> {
    block: &'a [u8],
}

impl Values<'_> {
    numbers!();

    #[inline]
    fn bytes(&self, offset: usize, length: usize) -> &[u8] {
        &self.block[offset..offset + length]
    }
}

impl Batch {
    pub(crate) fn new(session: Session) -> Batch {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Batch {
            session,
            number,
            packed: Packed::with_capacity(USUAL.1),
            pending: Vec::with_capacity(USUAL.0),
            input: 0,
            objects: Vec::new(),
            lengths: Vec::new(),
            replies: 0,
            time: Duration::ZERO,
        }
    }

    /// Begins an entry: a call of a function by its index in the package.
    #[track_caller]
    #[inline]
    pub fn entry(&mut self, function: u16) -> Result<Entry<'_>> {
        let call_site = Location::caller();
        let Some(definition) = self.session.function(function) else {
            let message = format!("the package has no function {function}");
            let context = self.session.context("", Some(call_site));
            return Err(context.not_executed(ErrorKind::InvalidArgument, Cause::None, message));
        };
        if self.pending.len() >= wire::MAX_BATCH as usize {
            return Err(self.full(definition, call_site));
        }
        self.give_up();
        if self.packed.open(function, usize::from(definition.args_size)).is_err() {
            let context = self.session.context(definition.name, Some(call_site));
            return Err(no_memory(&context));
        }
        Ok(Entry::new(self, definition, call_site))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Forgets what an entry put that was not added.
    #[inline]
    fn give_up(&mut self) {
        let (objects, lengths) = self.added();
        if self.objects.len() > objects as usize || self.lengths.len() > lengths as usize {
            self.objects.truncate(objects as usize);
            self.lengths.truncate(lengths as usize);
        }
    }

    /// How many objects and lengths are those of entries that were added.
    #[inline]
    fn added(&self) -> (u32, u32) {
        self.pending.last().map_or((0, 0), |last| last.ends)
    }

    /// Adds the open entry.
    #[inline]
    fn add<T>(
        &mut self,
        function: &'static Function,
        call_site: &'static Location<'static>,
        read: Read,
        values: Option<fn(&Values<'_>) -> T>,
    ) -> Ticket<T> {
        let entry = self.pending.len() as u32;
        self.replies += reply_size(usize::from(function.result_size));
        self.time = self.time.max(self.session.deadline_of(function));
        self.pending.push(Pending {
            function,
            call_site,
            start: self.packed.close(),
            ends: (self.objects.len() as u32, self.lengths.len() as u32),
            read,
        });
        Ticket { batch: self.number, entry, read: values, result: PhantomData }
    }

    #[cold]
    fn full(&self, function: &'static Function, call_site: &'static Location<'static>) -> Error {
        let value = u64::from(wire::MAX_BATCH);
        let cause = Cause::Limit { what: LimitExceededReason::Entries, value };
        let message = format!("a batch has {value} entries at most: run this one, and begin another");
        let context = self.session.context(function.name, Some(call_site));
        context.not_executed(ErrorKind::LimitExceeded, cause, message)
    }
}

/// An error that says that this process has no memory for an entry.
#[cold]
fn no_memory(context: &Context) -> Error {
    let cause = Cause::Limit { what: LimitExceededReason::Memory, value: u64::from(u32::MAX) };
    let message = "there is no memory for the entry, or it has more than 4 GiB".into();
    context.not_executed(ErrorKind::LimitExceeded, cause, message)
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let functions = self.pending.iter().map(|entry| entry.function.name);
        f.debug_list().entries(functions).finish()
    }
}

impl<T> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("entry", &self.entry).finish_non_exhaustive()
    }
}

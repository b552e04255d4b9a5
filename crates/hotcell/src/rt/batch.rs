//! Batches: calls that are collected, sent with one wake, and executed in order.

use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hotcell_protocol::{ErrorKind, LimitExceededReason, wire};
use hotcell_shm::batch::{Packed, TooLong, reply_size};

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
    /// The entry being written: its function, and where the application called.
    open: Option<(&'static Function, &'static Location<'static>)>,
    pending: Vec<Pending>,
    /// Where the reply of each entry starts, and behind the last, where the next will.
    replies: Vec<u32>,
    /// Bytes of data passed so far.
    input: u64,
    /// What entries are passed besides bytes. What an entry put that was given up is behind the last that was not.
    objects: Vec<PassedObject>,
    /// Where in the argument block of an entry data went that a failed call may give a place in, and their bytes.
    lengths: Vec<(u16, u64)>,
    /// How many objects and lengths are those of entries that were added, and how many bytes of data.
    added: (u32, u32),
    added_input: u64,
    /// Whether an entry has no deadline of its own, and the longest of the others, in milliseconds.
    deadlines: (bool, u64),
}

/// An entry that waits to be sent.
struct Pending {
    function: &'static Function,
    call_site: &'static Location<'static>,
    /// Where it starts.
    start: usize,
    /// Where its objects and its lengths end, and those of the next entry begin.
    ends: (u32, u32),
    /// Whether there is nothing to read or to release when it returned.
    plain: bool,
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
    /// The batch's number, and the entry's in the low bits: the whole is small enough to be returned in registers.
    id: u64,
    /// Of an entry that is read when it is taken.
    read: fn(&Values<'_>) -> T,
}

/// Bits of an entry's number.
const ENTRY_BITS: u32 = wire::MAX_BATCH.ilog2();

impl<T> Ticket<T> {
    fn batch(&self) -> u64 {
        self.id >> ENTRY_BITS
    }

    fn entry(&self) -> usize {
        (self.id & ((1 << ENTRY_BITS) - 1)) as usize
    }
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
            open: None,
            pending: Vec::with_capacity(USUAL.0),
            replies: Vec::with_capacity(USUAL.0 + 1),
            input: 0,
            objects: Vec::new(),
            lengths: Vec::new(),
            added: (0, 0),
            added_input: 0,
            deadlines: (false, 0),
        }
    }

    /// Begins an entry: a call of a function by its index in the package.
    #[track_caller]
    #[inline]
    pub fn entry(&mut self, function: u16) -> Result<Entry<'_>> {
        let call_site = Location::caller();
        match self.session.function(function).filter(|_| self.pending.len() < wire::MAX_BATCH as usize) {
            Some(definition) => {
                self.give_up();
                match self.packed.open(function, usize::from(definition.args_size)) {
                    Ok(()) => {
                        self.open = Some((definition, call_site));
                        Ok(Entry::new(self))
                    }
                    Err(TooLong) => Err(no_memory(&self.session.context(definition.name, Some(call_site)))),
                }
            }
            None => Err(self.refuse(function, call_site)),
        }
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
        let (objects, lengths) = (self.added.0 as usize, self.added.1 as usize);
        if self.objects.len() > objects || self.lengths.len() > lengths {
            self.objects.truncate(objects);
            self.lengths.truncate(lengths);
        }
        self.input = self.added_input;
    }

    /// Adds the open entry.
    #[inline]
    fn add<T>(&mut self, read: Read, values: fn(&Values<'_>) -> T) -> Ticket<T> {
        let (function, call_site) = self.open.expect("an entry is made by opening one");
        let entry = self.pending.len() as u64;
        if self.replies.is_empty() {
            self.replies.push(0);
        }
        let start = self.replies[self.replies.len() - 1];
        // At most 65,536 entries of at most 1,072 bytes.
        self.replies.push(start + reply_size(usize::from(function.result_size)) as u32);
        let (plain, longest) = self.deadlines;
        self.deadlines = (plain | (function.deadline_ms == 0), longest.max(function.deadline_ms));
        let (objects, lengths) = (self.objects.len() as u32, self.lengths.len() as u32);
        self.pending.push(Pending {
            function,
            call_site,
            start: self.packed.close(),
            ends: (objects, lengths),
            plain: matches!(read, Read::Values) && function.owned.is_empty(),
            read,
        });
        (self.added, self.added_input) = ((objects, lengths), self.input);
        Ticket { id: self.number << ENTRY_BITS | entry, read: values }
    }

    /// The longest time that an entry has by itself.
    fn time(&self) -> Duration {
        let (plain, longest) = self.deadlines;
        let longest = Duration::from_millis(longest);
        if plain { longest.max(self.session.options().deadline) } else { longest }
    }

    /// Why there can be no entry for this function.
    #[cold]
    fn refuse(&self, function: u16, call_site: &'static Location<'static>) -> Error {
        let Some(function) = self.session.function(function) else {
            let message = format!("the package has no function {function}");
            let context = self.session.context("", Some(call_site));
            return context.not_executed(ErrorKind::InvalidArgument, Cause::None, message);
        };
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
        f.debug_struct("Ticket").field("entry", &self.entry()).finish_non_exhaustive()
    }
}

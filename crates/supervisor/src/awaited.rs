//! A worker as tasks see it, which must not hold a thread: nothing here waits. Who sees that something is not yet so watches
//! the worker, and looks again.

use std::task::Waker;
use std::time::{Duration, Instant};

use hotcell_shm::{Mapping, Seals, SegmentFile};
use rustix::process::Signal;

use crate::unheard::{self, UNHEARD};
use crate::worker::{KILL_GRACE, SegmentError, Worker};

/// Ways to end a worker, each with the time that it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending<'a> {
    /// It ends with a record of where it was, unless the library is in the way.
    Abort,
    /// It ends as soon as the kernel can do it.
    Kill,
    /// The same, for breaking this rule of the shared memory.
    Violation(&'a str),
    /// The same, because it does not read what it is told.
    Unheard,
    /// The same, where it [is dying](Worker::is_dying): that is not why it ends.
    Dying,
}

impl Worker {
    /// Has a task woken when something about the worker changes: it is up, has mapped a segment, has ended. The task looks
    /// after it has called this. `who` tells it from others that watch; it is woken once.
    pub fn watch(&self, who: u64, task: &Waker) {
        self.shared.changed.watch(who, task);
    }

    /// Ends what [`Worker::watch`] began.
    pub fn unwatch(&self, who: u64) {
        self.shared.changed.forget(who);
    }

    /// Adds a segment of `length` bytes. The host may write to it at once; the worker is told of it, and has it when
    /// [`Worker::has_mapped`] says so. False when it cannot be told: then it is dying, or to be [ended](Worker::end_unheard).
    pub fn offer_segment(&self, length: usize, seals: Seals) -> Result<(u16, Mapping, bool), SegmentError> {
        self.shared.state.lock().next_segment()?;
        let (file, mapping) = SegmentFile::create(length, seals).map_err(SegmentError::of_system)?;
        let (id, heard) = self.shared.offer_segment(&file, seals)?;
        Ok((id, mapping, heard))
    }

    /// Waits, on a thread, until the worker has mapped a segment that it was offered.
    pub fn wait_mapped(&self, id: u16, deadline: Instant) -> Result<(), SegmentError> {
        self.shared.wait_mapped(id, deadline)
    }

    /// Waits, on a thread, for the end of a worker that could not be told something, and sees to it.
    pub fn end_unheard(&self) {
        self.shared.end_unheard();
    }

    /// Whether the worker has mapped a segment that it was offered.
    ///
    /// # Errors
    ///
    /// When it has ended and never will.
    pub fn has_mapped(&self, id: u16) -> Result<bool, SegmentError> {
        self.shared.state.lock().has_mapped(id)
    }

    /// Whether its process is on its way out, though nobody has told of its end yet.
    pub fn is_dying(&self) -> bool {
        self.shared.is_dying()
    }

    /// How long a worker that could not be told something may take to be found dead.
    pub const UNHEARD: Duration = unheard::PATIENCE;

    /// Begins to end it. Comes with how long that may take: then it is to be tried harder, or nothing more can be hoped for.
    pub fn begin_to_end(&self, ending: Ending<'_>) -> Duration {
        match ending {
            Ending::Abort => return self.shared.abort(),
            Ending::Kill => self.shared.signal(Signal::KILL),
            Ending::Violation(rule) => self.shared.condemn(rule),
            Ending::Unheard => self.shared.condemn(UNHEARD),
            Ending::Dying => self.shared.finish_off(),
        }
        KILL_GRACE
    }
}

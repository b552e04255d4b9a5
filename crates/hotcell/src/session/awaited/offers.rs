//! What a worker was offered by calls of tasks, and need not have yet.

use std::time::Instant;

use hotcell_supervisor::{SegmentError, Worker};

use crate::rt::Space;

/// The offers of one seat. They are the seat's, and not the task's: that may go at any time, and the worker has them all the
/// same.
#[derive(Debug, Default)]
pub(crate) struct Offers {
    /// Segments that it need not have mapped.
    unmapped: Vec<u16>,
    /// It could not be told of one: it is dying, or does not read.
    unheard: bool,
    /// The space for which the library waits in its call, until all is mapped.
    space: Option<Space>,
}

impl Offers {
    /// A segment was offered; whether the worker could be told.
    pub(crate) fn add(&mut self, id: u16, heard: bool) {
        self.unmapped.push(id);
        self.unheard |= !heard;
    }

    /// From now on this is owed.
    pub(crate) fn owe(&mut self, space: Option<Space>) {
        self.space = space;
    }

    /// What is owed is to be given now.
    pub(crate) fn owed(&mut self) -> Option<Space> {
        self.space.take()
    }

    /// Whether the worker has mapped everything, as far as anybody has looked.
    pub(crate) fn are_settled(&self) -> bool {
        self.unmapped.is_empty()
    }

    /// Whether it could not be told of something.
    pub(crate) fn are_unheard(&self) -> bool {
        self.unheard
    }

    /// Looks whether the worker has mapped everything.
    ///
    /// # Errors
    ///
    /// When it has ended and never will.
    pub(crate) fn settle(&mut self, worker: &Worker) -> Result<bool, SegmentError> {
        while let Some(&id) = self.unmapped.last() {
            if !worker.has_mapped(id)? {
                return Ok(false);
            }
            self.unmapped.pop();
        }
        Ok(true)
    }

    /// Waits, on a thread, until the worker has mapped everything.
    ///
    /// # Errors
    ///
    /// When it has ended, or the time has.
    pub(crate) fn wait(&mut self, worker: &Worker, until: Instant) -> Result<(), SegmentError> {
        if self.unheard {
            worker.end_unheard();
        }
        while let Some(&id) = self.unmapped.last() {
            worker.wait_mapped(id, until)?;
            self.unmapped.pop();
        }
        Ok(())
    }
}

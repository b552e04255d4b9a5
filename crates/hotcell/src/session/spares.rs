//! Workers that are kept ready to take over when the one that serves ends.
//!
//! A spare has loaded the library and run its init calls, and sleeps. It is begun when the worker before it takes over, and
//! comes up by itself meanwhile.

use std::collections::VecDeque;

use hotcell_supervisor::{Spec, StartError, Worker};

/// The spares of one session, and the numbers of its workers.
#[derive(Debug, Default)]
pub(super) struct Spares {
    workers: VecDeque<Worker>,
    /// Workers that were ever begun.
    begun: u64,
}

impl Spares {
    /// The worker that takes over: a spare that lives, or a new one that begins to come up.
    pub(super) fn next(&mut self, spec: &Spec) -> Result<Worker, StartError> {
        while let Some(spare) = self.workers.pop_front() {
            if spare.end().is_none() {
                return Ok(spare);
            }
        }
        self.begin(spec)
    }

    /// Begins workers until there are so many spares. When one cannot be begun there are fewer: why, says the next call
    /// that needs one.
    pub(super) fn fill(&mut self, spec: &Spec, count: usize) {
        while self.workers.len() < count {
            match self.begin(spec) {
                Ok(worker) => self.workers.push_back(worker),
                Err(_) => return,
            }
        }
    }

    /// The number of the worker that was begun last.
    pub(super) fn last(&self) -> u64 {
        self.begun
    }

    fn begin(&mut self, spec: &Spec) -> Result<Worker, StartError> {
        self.begun += 1;
        Worker::begin(spec, self.begun)
    }
}

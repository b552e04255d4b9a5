//! Workers that are kept ready to take over when the one that serves ends.
//!
//! A spare has loaded the library and run its init calls, and sleeps. It is begun behind the call that the worker before it
//! took over with, and comes up by itself meanwhile. What it has loaded is read there and then, by a thread that ends with that: a
//! call that needs it does not wait for it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use hotcell_sandbox::with_signals_blocked;
#[cfg(feature = "serve")]
use hotcell_supervisor::Ending;
use hotcell_supervisor::{Spec, StartError, Worker, WorkerRef};

/// The spares of one session.
#[derive(Debug, Default)]
pub(super) struct Spares {
    workers: VecDeque<Worker>,
}

/// How many workers a session has begun: the number of the last.
#[derive(Debug, Default)]
pub(super) struct Begun(AtomicU64);

impl Begun {
    /// Begins another worker. A failure comes with the number that it would have.
    pub(super) fn another(&self, spec: &Spec) -> Result<Worker, (u64, StartError)> {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Worker::begin(spec, number).map_err(|error| (number, error))
    }
}

/// Has workers examined on a thread of its own, as they come up. Where there is none, whoever needs one examines it.
fn examine_apart(coming: Vec<WorkerRef>, spec: Arc<Spec>) {
    let thread = thread::Builder::new().name("hotcell-spares".into());
    let examine = move || coming.iter().for_each(|worker| worker.examine(&spec));
    // Signals of the application are for its own threads.
    let _ = with_signals_blocked(|| thread.spawn(examine));
}

impl Spares {
    /// A spare that is up, or may come up yet.
    pub(super) fn take(&mut self) -> Option<Worker> {
        self.drop_useless();
        self.workers.pop_front()
    }

    /// Begins workers until there are so many spares. When one cannot be begun there are fewer, and the call that needs one
    /// begins its own.
    pub(super) fn fill(&mut self, spec: &Arc<Spec>, count: usize, begun: &Begun) {
        self.drop_useless();
        let before = self.workers.len();
        while self.workers.len() < count {
            match begun.another(spec) {
                Ok(worker) => self.workers.push_back(worker),
                Err(_) => break,
            }
        }
        let coming: Vec<WorkerRef> = self.workers.iter().skip(before).map(Worker::to_ref).collect();
        if !coming.is_empty() {
            examine_apart(coming, Arc::clone(spec));
        }
    }

    /// Asks them whether they are alive, unless there is no time to wait for that, and lets go of those that have owed the answer
    /// for longer. Comes with how many there are.
    pub(super) fn probe(&mut self, most: Option<Duration>) -> usize {
        self.drop_useless();
        if let Some(most) = most {
            self.workers.retain(|worker| worker.probe() < most);
        }
        self.workers.len()
    }

    /// Stops all of them, and waits until they are gone.
    pub(super) fn stop(&mut self) {
        self.workers.drain(..).for_each(Worker::stop);
    }

    /// Has all of them end at once. Who wants to wait for that stops them.
    #[cfg(feature = "serve")]
    pub(super) fn kill(&self) {
        self.workers.iter().for_each(|worker| _ = worker.begin_to_end(Ending::Kill));
    }

    fn drop_useless(&mut self) {
        self.workers.retain(Worker::is_of_use);
    }
}

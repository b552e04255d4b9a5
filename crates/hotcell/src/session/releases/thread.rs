//! The thread of a session that sends what waits to be released when there is more than others have time for.
//!
//! It is started when notes pile up and ends with the last of them. It holds the session only while it sends or waits for a seat, and
//! lets whoever waits have the turn in between.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread::{self, Thread};

use hotcell_sandbox::with_signals_blocked;
use hotcell_shm::clock;

use super::super::{Session, Shared, Turn};
use super::ruled::Standing;
use super::{MOMENT, Releases, Swept};

impl Session {
    /// Leaves the notes to the thread. False when there are none, no thread can be started, or this is the thread (what
    /// goes with an object may call the session): then they stay for who comes next.
    pub(in crate::session) fn hand_over(&self) -> bool {
        let releases = &self.shared.releases;
        let mut waiting = releases.waiting.lock();
        if waiting.has_thread || waiting.notes.is_empty() {
            let is_this = |known: &Thread| known.id() == thread::current().id();
            let is_others = waiting.has_thread && !waiting.thread.as_ref().is_some_and(is_this);
            // Under a rule it may be asleep, with notes that have to wait.
            let asleep =
                waiting.thread.as_ref().filter(|_| is_others && self.shared.ruled.is_some()).cloned();
            drop(waiting);
            asleep.iter().for_each(Thread::unpark);
            return is_others;
        }
        let shared = Arc::downgrade(&self.shared);
        let thread = thread::Builder::new().name("hotcell-releases".into());
        // Signals of the application are for its own threads.
        let started = with_signals_blocked(|| thread.spawn(move || send(&shared)));
        (waiting.has_thread, waiting.thread) = (started.is_ok(), None);
        waiting.has_thread
    }
}

fn send(shared: &Weak<Shared>) {
    if let Some(shared) = shared.upgrade() {
        shared.releases.waiting.lock().thread = Some(thread::current());
    }
    let mut standing = Standing::default();
    // When the session goes, so does its worker, with all its objects.
    while let Some(shared) = shared.upgrade() {
        let session = Session::of(shared);
        // What the application had kept goes with the objects, and may panic. There is nobody to hear it.
        let swept = catch_unwind(AssertUnwindSafe(|| match &session.shared.ruled {
            Some(ruled) => session.sweep_by_rules(ruled, &mut standing),
            None => session.sweep_in_turn(),
        }));
        let swept = swept.map_err(std::mem::forget);
        if swept == Ok(Swept::Waits) {
            drop(session);
            thread::park_timeout(standing.sleeps());
            continue;
        }
        let stuck = swept == Ok(Swept::Stuck);
        if standing.is_empty() && session.shared.releases.thread_ends(stuck) {
            return;
        }
    }
}

impl Session {
    /// Waits for the turn, sends notes for a moment, and lets others have it.
    fn sweep_in_turn(&self) -> Swept {
        let seat = self.shared.seats.take().or_else(|| self.shared.seats.wait(None, || self.reclaim()));
        let turn = Turn::new(self, seat.expect("who waits without a time gets it"), None);
        let (turn, swept) = self.sweep(turn, clock::now() + MOMENT, None);
        turn.pass_on();
        swept
    }
}

impl Releases {
    /// Whether the thread ends: it does when there are no more notes, or they cannot be sent.
    fn thread_ends(&self, stuck: bool) -> bool {
        let mut waiting = self.waiting.lock();
        waiting.has_thread = !stuck && !waiting.notes.is_empty();
        let ends = !waiting.has_thread;
        self.tell(waiting);
        ends
    }
}

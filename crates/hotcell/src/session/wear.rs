//! Replaces a session's worker before it is worn out, and one that does not answer, between calls.
//!
//! A worker that serves is given up when nobody has a seat, and so no call is under way that could make an object, and nobody
//! holds one that the worker has, or waits for one to be released. What is seen then stays true until the seats are back,
//! for objects come with calls. Where a package has no objects, it is given up at once: calls that are under way end on it.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use hotcell_shm::lock::Mutex;

use super::ends::Because;
use super::rounds::{self, Looked};
use super::service::Serving;
use super::{Seat, Session, Shared};
use crate::memory::Heap;
use crate::recycle::{History, Recycle, Seen, Snapshot, Wear, Worn};
use crate::stack::Stack;

/// What is known of worn workers of a session.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Facts>);

#[derive(Debug, Default)]
struct Facts {
    /// How many were replaced.
    replaced: u64,
    /// The worker that is worn and serves yet.
    waits: Option<u64>,
    last: Option<Snapshot>,
}

/// A session as it is looked at.
struct OfSession {
    shared: Weak<Shared>,
    generation: u64,
    history: History,
    /// Looks since the worker owes an answer.
    owed: u32,
    /// Since when it is worn, and after how long it was tried last to replace it.
    worn: Option<(Instant, Duration)>,
    /// When all of it is looked at next.
    due: Instant,
}

/// How soon after a try to replace a worker the next one comes, at first and at last.
const TRIES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// How long a look stands in line for the only seat: nobody is held up by that.
const STANDS: Duration = Duration::from_millis(20);

/// How long a look keeps seats while calls have others. Those who wait for one are held up by that.
const KEEPS: Duration = Duration::from_millis(2);

/// The least time from look to look.
const LEAST: Duration = Duration::from_millis(10);

/// How soon what a worker could not put back of its state is seen, between looks at all the rest: that is one word.
const GLANCE: Duration = Duration::from_secs(1);

/// Looks at which a worker must have owed an answer: a host that was stopped itself has not read it either.
const OWED: u32 = 3;

/// Seats that a look has, by number.
#[expect(clippy::vec_box, reason = "they come from the turnstile in boxes, and go back there")]
struct Seats<'a>(&'a Session, Vec<Box<Seat>>);

impl Drop for Seats<'_> {
    fn drop(&mut self) {
        for mut seat in self.1.drain(..) {
            if !seat.serves() {
                seat.leave();
            }
            self.0.shared.seats.put(seat.number as usize, seat);
        }
        // Who has left something to be released meanwhile may have gone.
        if self.0.shared.releases.any() {
            self.0.hand_over();
        }
    }
}

impl Looked for OfSession {
    fn look(&mut self) -> Option<Duration> {
        let session = Session::of(self.shared.upgrade()?);
        let (recycle, now) = (session.recycle(), Instant::now());
        let serving = session.shared.service.serving();
        let lost = |worker: &Arc<Serving>| worker.channel().state_record().lost != 0;
        if self.worn.is_none() && now < self.due && !serving.as_ref().is_some_and(lost) {
            return Some((self.due - now).min(GLANCE));
        }
        let every = recycle.every.max(LEAST).min(GLANCE);
        session.shared.service.probe_spares(recycle.probe);
        if let Some(worker) = serving.as_ref().filter(|worker| worker.generation() != self.generation) {
            *self = OfSession::new(Weak::clone(&self.shared), Duration::ZERO);
            self.generation = worker.generation();
        }
        self.due = due(recycle.every);
        let Some(worker) = serving else {
            session.shared.known.0.lock().waits = None;
            return Some(every);
        };
        if let Some((since, after)) = self.worn {
            let patience = recycle.patience.is_some_and(|patience| since.elapsed() >= patience);
            return Some(self.replace(&session, &worker, patience, (after * 2).min(TRIES.1)));
        }
        if self.is_mute(&session, &worker, recycle) {
            return Some(every);
        }
        let Some(usage) = worker.usage() else { return Some(every) };
        let live = Heap::of(worker.heap(), session.functions(), session.shared.spec().guard).total.bytes;
        let lost = u64::from(worker.channel().state_record().lost.count_ones());
        let seen = Seen { calls: worker.channel().published(), age: worker.age(), usage, live, lost };
        match self.history.look(&seen, recycle, Instant::now()) {
            Some(worn) => {
                let snapshot = session.snapshot(&worker, worn);
                session.keep_snapshot(&worker, snapshot);
                session.shared.known.0.lock().waits = Some(self.generation);
                Some(self.replace(&session, &worker, false, TRIES.0))
            }
            None => Some(every),
        }
    }
}

impl OfSession {
    /// Looked at as a whole after that time.
    fn new(shared: Weak<Shared>, first: Duration) -> OfSession {
        let due = due(first);
        OfSession { shared, generation: 0, history: History::default(), owed: 0, worn: None, due }
    }

    /// Tries to replace a worn worker. Comes with when to look again.
    fn replace(
        &mut self,
        session: &Session,
        worker: &Serving,
        at_any_rate: bool,
        after: Duration,
    ) -> Duration {
        if session.give_up_between_calls(worker, at_any_rate) {
            self.worn = None;
            let mut known = session.shared.known.0.lock();
            // Who looks has a part of it yet: it has not been told to stop.
            known.last.iter().for_each(|last| worker.ends_because(Because::worn(last.worn)));
            (known.replaced, known.waits) = (known.replaced + 1, None);
            return session.recycle().every.max(LEAST).min(GLANCE);
        }
        let since = self.worn.map_or_else(Instant::now, |(since, _)| since);
        self.worn = Some((since, after));
        let left = session.recycle().patience.map(|patience| patience.saturating_sub(since.elapsed()));
        left.map_or(after, |left| after.min(left.max(LEAST)))
    }

    /// Whether a worker that nobody calls does not answer. Then it is replaced.
    fn is_mute(&mut self, session: &Session, worker: &Arc<Serving>, recycle: &Recycle) -> bool {
        let Some(most) = recycle.probe else { return false };
        let owed = worker.probe();
        // Asked at this very look, or not at all.
        self.owed = if owed < LEAST { 0 } else { self.owed + 1 };
        if owed < most || self.owed < OWED {
            return false;
        }
        if session.is_served_now(worker) {
            return false;
        }
        // One with a call that hangs meets its end by the deadline of that.
        let Some(seats) = session.all_seats() else { return false };
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let worn = Worn { by: Wear::Silence, value: milliseconds(owed), limit: milliseconds(most) };
        let snapshot = session.snapshot(worker, worn);
        worker.ends_because(Because::worn(worn));
        session.give_up(worker.generation());
        drop(seats);
        session.shared.known.0.lock().replaced += 1;
        // Nobody waits for that.
        session.keep_snapshot(worker, snapshot);
        _ = worker.kill();
        true
    }
}

/// That time from now. One that is as good as never is far away.
fn due(after: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(365 * 24 * 3600);
    Instant::now() + after.clamp(LEAST, FAR)
}

impl Session {
    /// Has the worker looked at from now on.
    pub(super) fn begin_rounds(&self) -> std::io::Result<()> {
        let every = self.recycle().every.max(LEAST);
        rounds::look_at(Box::new(OfSession::new(Arc::downgrade(&self.shared), every)), every.min(GLANCE))
    }

    pub(super) fn recycle(&self) -> &Recycle {
        &self.shared.recycle
    }

    /// What was seen of the last worker that was worn, or did not answer, before it was replaced; or is seen of one that is still
    /// to be. `None`: there was none.
    pub fn worn(&self) -> Option<Snapshot> {
        if self.is_forked() { None } else { self.shared.known.0.lock().last.clone() }
    }

    /// How many worn workers were replaced, and which one waits for that.
    pub(super) fn replaced(&self) -> (u64, Option<u64>) {
        let known = self.shared.known.0.lock();
        (known.replaced, known.waits)
    }

    /// Notes that callers in another process have let go of a worker: of a worn one, if it was that, which ends for it.
    #[cfg(feature = "serve")]
    pub(super) fn note_replaced(&self, worker: &Serving) {
        let mut known = self.shared.known.0.lock();
        if known.waits.take_if(|waits| *waits == worker.generation()).is_some() {
            known.replaced += 1;
            known.last.iter().for_each(|last| worker.ends_because(Because::worn(last.worn)));
        }
    }

    /// All seats, if no call is under way, or is over in a moment.
    fn all_seats(&self) -> Option<Seats<'_>> {
        let places = &self.shared.seats;
        if let 1 = places.count() {
            let seat = places.wait(Some(Instant::now() + STANDS), || {})?;
            return Some(Seats(self, vec![seat]));
        }
        let mut seats = Seats(self, Vec::with_capacity(places.count()));
        let mut missing: Vec<usize> = (0..places.count()).collect();
        let until = Instant::now() + KEEPS;
        loop {
            missing.retain(|&number| match places.borrow(number) {
                Some(seat) => {
                    seats.1.push(seat);
                    false
                }
                None => true,
            });
            if missing.is_empty() {
                return Some(seats);
            }
            if Instant::now() >= until {
                return None;
            }
            thread::yield_now();
        }
    }

    /// Gives a worn worker up, if nobody has anything of it; else only if that is to be `at_any_rate`.
    fn give_up_between_calls(&self, worker: &Serving, at_any_rate: bool) -> bool {
        let generation = worker.generation();
        if let Some(served) = self.shared.served.as_ref().filter(|_| self.has_handles() && !at_any_rate) {
            // What objects there are its callers know: they let go of it when there are none.
            served.worn(generation);
            return false;
        }
        if !self.has_handles() {
            self.give_up(generation);
            self.clear_seats();
            return true;
        }
        let Some(seats) = self.all_seats() else {
            if at_any_rate {
                // Calls that are under way end on it.
                self.give_up(generation);
            }
            return at_any_rate;
        };
        let is_held = self.living_objects(generation) > 0
            || self.kept().any(generation)
            || self.shared.releases.any_at_all();
        if is_held && !at_any_rate {
            return false;
        }
        self.give_up(generation);
        drop(seats);
        true
    }

    /// What is seen of a worker at once: no stacks yet.
    fn snapshot(&self, worker: &Serving, worn: Worn) -> Snapshot {
        let channel = worker.channel();
        let (calls, usage) = (channel.published(), worker.usage().unwrap_or_default());
        let executing = (0..self.shared.seats.count() as u32).filter_map(|lane| {
            let index = channel.function_of(lane, channel.executing(lane).0)?;
            Some(self.functions().get(usize::from(index))?.name)
        });
        Snapshot {
            worn,
            time: SystemTime::now(),
            pid: worker.pid(),
            generation: worker.generation(),
            calls,
            resident: usage.resident,
            descriptors: usage.descriptors,
            threads: worker.threads(),
            stacks: Vec::new(),
            executing: executing.collect(),
            objects: self.living_objects(worker.generation()),
            heap: Heap::of(worker.heap(), self.functions(), self.shared.spec().guard),
            output: worker.output(),
        }
    }

    /// Keeps what was seen, with the stacks that are seen now. They may take a while.
    fn keep_snapshot(&self, worker: &Serving, mut snapshot: Snapshot) {
        snapshot.stacks = worker.stacks().into_iter().map(Stack::of).collect();
        self.shared.known.0.lock().last = Some(snapshot);
    }
}

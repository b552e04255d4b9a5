//! The thread of a session that sees to what tasks leave undone.
//!
//! Nobody need poll a future, nor drive its runtime. So what a task was to do and does not is found out by a thread, which
//! sleeps until there may be something: a call whose time is over, or a task that was called from a line and does not come. It
//! is started by the first call that is awaited, and ends when nothing is afloat any more at the time that it woke for.
//!
//! No time is missed. Who leaves something to be looked at does so, and then looks when the thread wakes; the thread says that
//! it wakes never, and then looks for what there is. Each of these is done under the lock of what is left, or in the one order
//! of all sequentially consistent operations, so one of the two sees the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread;
use std::time::Instant;

use hotcell_sandbox::with_signals_blocked;
use hotcell_shm::clock;
use hotcell_shm::lock::{Condvar, Mutex};

use crate::session::{Session, Shared, instant_of};

/// When the thread looks, and the thread.
#[derive(Debug)]
pub(in crate::session) struct Watch {
    session: OnceLock<Weak<Shared>>,
    /// When it wakes, in monotonic nanoseconds. Earlier times are written with the lock of `there`.
    wakes: AtomicU64,
    /// Whether there is a thread.
    there: Mutex<bool>,
    earlier: Condvar,
}

const NEVER: u64 = u64::MAX;

impl Default for Watch {
    fn default() -> Watch {
        let (session, wakes) = (OnceLock::new(), AtomicU64::new(NEVER));
        Watch { session, wakes, there: Mutex::default(), earlier: Condvar::new() }
    }
}

impl Watch {
    /// Whose tasks these are. Said once.
    pub(in crate::session) fn looks_after(&self, session: &Arc<Shared>) {
        let _ = self.session.set(Arc::downgrade(session));
    }

    /// Has the thread look at this time, in monotonic nanoseconds, or before.
    #[inline]
    pub(in crate::session) fn look_at(self: &Arc<Self>, time: u64) {
        if self.wakes.load(Ordering::SeqCst) > time {
            self.look_earlier(time);
        }
    }

    /// The same, at this instant.
    pub(in crate::session) fn look_at_instant(self: &Arc<Self>, at: Instant) {
        let left = at.saturating_duration_since(Instant::now());
        self.look_at(clock::now().saturating_add(u64::try_from(left.as_nanos()).unwrap_or(NEVER)));
    }

    #[cold]
    fn look_earlier(self: &Arc<Self>, time: u64) {
        // A pool's line is nobody's: who waits there looks himself.
        if self.session.get().is_none() {
            return;
        }
        let mut there = self.there.lock();
        if self.wakes.load(Ordering::SeqCst) <= time {
            return;
        }
        self.wakes.store(time, Ordering::SeqCst);
        if *there {
            self.earlier.notify_one();
            return;
        }
        let own = Arc::clone(self);
        let thread = thread::Builder::new().name("hotcell-watch".into());
        // Signals of the application are for its own threads.
        let started = with_signals_blocked(|| thread.spawn(move || own.run()));
        *there = started.is_ok();
        if !*there {
            // Who waits for a seat looks, too.
            self.wakes.store(NEVER, Ordering::SeqCst);
        }
    }

    /// The session goes.
    pub(in crate::session) fn end(&self) {
        let _there = self.there.lock();
        self.wakes.store(0, Ordering::SeqCst);
        self.earlier.notify_one();
    }

    fn run(&self) {
        let mut there = self.there.lock();
        loop {
            // First, not last: most calls are over long before, and the thread would be started for each.
            while clock::now() < self.wakes.load(Ordering::SeqCst) {
                let next = instant_of(self.wakes.load(Ordering::SeqCst));
                let _ = self.earlier.wait_until(&mut there, next);
            }
            self.wakes.store(NEVER, Ordering::SeqCst);
            drop(there);
            let Some(shared) = self.session.get().and_then(Weak::upgrade) else { return };
            let session = Session::of(shared);
            // What the application had kept may go with a call, and panic. There is nobody to hear it.
            let looked = catch_unwind(AssertUnwindSafe(|| session.look_after_tasks()));
            let next = looked.unwrap_or_else(|panic| {
                std::mem::forget(panic);
                clock::now()
            });
            drop(session);
            there = self.there.lock();
            let next = next.min(self.wakes.load(Ordering::SeqCst));
            self.wakes.store(next, Ordering::SeqCst);
            if next == NEVER {
                *there = false;
                return;
            }
        }
    }
}

impl Session {
    /// Sees to what tasks have left undone. Comes with when to do so again, in monotonic nanoseconds.
    fn look_after_tasks(&self) -> u64 {
        let (seats, families) = (&self.shared.seats, self.shared.ruled.as_ref().map(|ruled| &ruled.families));
        let late = [seats.let_go_of_late(), families.and_then(|families| families.take_back_late())];
        let next = late.into_iter().flatten().min().map_or(NEVER, |late| {
            let left = late.saturating_duration_since(Instant::now());
            clock::now().saturating_add(u64::try_from(left.as_nanos()).unwrap_or(NEVER))
        });
        self.reclaim_from_tasks().min(next)
    }
}

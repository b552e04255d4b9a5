//! Waiting on a thread for what comes when it is one's turn: who waits is woken then, and looks now and then all the same.

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::atomics::now;

/// When who waits looks again, called or not.
#[derive(Debug, Default)]
pub(super) struct Looks(Option<(Instant, Duration)>);

/// After how long that is: the first time, and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

impl Looks {
    pub(super) fn next(&mut self, now: Instant) -> Instant {
        let (at, after) = self.0.unwrap_or((now + AGAIN.0, AGAIN.0));
        let next = if now < at { (at, after) } else { (now + after * 2, (after * 2).min(AGAIN.1)) };
        self.0 = Some(next);
        next.0
    }
}

/// Waits until there is something to take; without a time, for ever. `take` sees to it that who waits is woken when there is.
/// `meanwhile` is called now and then.
pub(super) fn wait<R>(
    until: Option<Instant>,
    mut take: impl FnMut(&Waker) -> Option<R>,
    meanwhile: impl Fn(),
) -> Option<R> {
    let (waker, mut looks) = (waker_of_this_thread(), Looks::default());
    loop {
        let (taken, now) = (take(&waker), now());
        if taken.is_some() || until.is_some_and(|until| now >= until) {
            return taken;
        }
        let again = looks.next(now);
        let next = until.map_or(again, |until| until.min(again));
        thread::park_timeout(next.saturating_duration_since(now));
        if self::now() >= again {
            meanwhile();
        }
    }
}

/// Unparks a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

pub(super) fn waker_of_this_thread() -> Waker {
    thread_local!(static OWN: Waker = Waker::from(Arc::new(Unpark(thread::current()))));
    // While the thread ends it makes do without.
    OWN.try_with(Waker::clone).unwrap_or_else(|_| Waker::from(Arc::new(Unpark(thread::current()))))
}

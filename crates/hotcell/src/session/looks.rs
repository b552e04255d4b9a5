//! Waiting on a thread for what comes when it is one's turn: who waits is woken then, and looks now and then all the same.

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::Cancel;
use super::cancel::LOOKS;
use crate::atomics::now;

/// How long who waits does so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Until<'a> {
    /// Without one, for ever.
    time: Option<Instant>,
    /// What may give up what is waited for.
    cancel: Option<&'a Cancel>,
}

impl<'a> Until<'a> {
    /// Until then, or until it is given up.
    pub(super) fn given_up(time: Instant, cancel: Option<&'a Cancel>) -> Until<'a> {
        Until { time: Some(time), cancel }
    }

    /// Whether who waits does what he is asked meanwhile, for as long as that takes: others need not wait for him then.
    pub(super) fn asks(&self) -> bool {
        self.cancel.is_some_and(Cancel::asks)
    }

    /// The time.
    pub(super) fn time(&self) -> Option<Instant> {
        self.time
    }

    fn is_over(&self, now: Instant) -> bool {
        self.time.is_some_and(|time| now >= time) || self.cancel.is_some_and(Cancel::is_cancelled)
    }

    /// When is looked again at the latest.
    fn next(&self, now: Instant, again: Instant) -> Instant {
        let look = self.cancel.map(|_| now + Duration::from_nanos(LOOKS));
        [self.time, look].into_iter().flatten().fold(again, Instant::min)
    }
}

impl From<Option<Instant>> for Until<'_> {
    fn from(time: Option<Instant>) -> Self {
        Until { time, cancel: None }
    }
}

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

/// Waits until there is something to take. `take` sees to it that who waits is woken when there is.
/// `meanwhile` is called now and then.
pub(super) fn wait<'a, R>(
    until: impl Into<Until<'a>>,
    mut take: impl FnMut(&Waker) -> Option<R>,
    meanwhile: impl Fn(),
) -> Option<R> {
    let (waker, mut looks, until) = (waker_of_this_thread(), Looks::default(), until.into());
    loop {
        let (taken, now) = (take(&waker), now());
        if taken.is_some() || until.is_over(now) {
            return taken;
        }
        let again = looks.next(now);
        thread::park_timeout(until.next(now, again).saturating_duration_since(now));
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

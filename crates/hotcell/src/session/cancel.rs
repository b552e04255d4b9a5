//! Calls that somebody gives up while their thread waits for them.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Context, Session};
use crate::error::Error;

/// Nanoseconds that a call which may be given up waits for before it looks whether it was.
pub(crate) const LOOKS: u64 = 5_000_000;

/// Gives up calls that are under way on other threads, and those to come. Clones are the same.
///
/// ```no_run
/// # fn main() -> hotcell::Result<()> {
/// # let zlib = zlib_hotcell::Zlib::open()?;
/// let cancel = hotcell::Cancel::new();
/// let theirs = cancel.clone();
/// std::thread::spawn(move || {
///     std::thread::sleep(std::time::Duration::from_secs(1));
///     theirs.cancel();
/// });
/// match zlib.cancelled_by(&cancel).crc32(0, b"hello") {
///     Err(error) if error.kind() == hotcell::ErrorKind::Cancelled => println!("given up"),
///     checksum => println!("{:08x}", checksum?),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<State>);

#[derive(Default)]
struct State {
    cancelled: AtomicBool,
    /// Who is asked, too.
    asks: Option<Box<dyn Fn() -> bool + Send + Sync>>,
    /// What that panicked with.
    panicked: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Cancel {
    /// One that has cancelled nothing.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// One that is cancelled, too, as soon as `asks` says so: for what is known only to who asks for it, such as the signals of an
    /// interpreter. The thread of a call asks, some hundred times a second while it waits, for its turn or with the worker in its
    /// hands: it is to be over soon.
    ///
    /// It may make calls of the same session. They wait for their turn as others do, and the call that stands in line lets them, and
    /// other threads, go first; but they are refused at once, as `Unavailable`, where the call that asks has the worker, or where
    /// both wait for objects under a [rule for threads](crate::rt::ThreadRules). When it panics, the call is given up, and the panic
    /// comes out of that when it has ended.
    pub fn asking(asks: impl Fn() -> bool + Send + Sync + 'static) -> Cancel {
        Cancel(Arc::new(State { asks: Some(Box::new(asks)), ..State::default() }))
    }

    /// Gives the calls up, for good.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Release);
    }

    /// Whether that was done.
    pub fn is_cancelled(&self) -> bool {
        // Partner: the store in `cancel`: what came before that is seen by who finds its call given up.
        if self.0.cancelled.load(Ordering::Acquire) {
            return true;
        }
        let Some(asks) = &self.0.asks else { return false };
        // A call is under way, and has to end as such before anything else is done.
        let says_so = catch_unwind(AssertUnwindSafe(asks)).unwrap_or_else(|panic| {
            *self.0.panicked.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
            true
        });
        if says_so {
            self.cancel();
        }
        says_so
    }

    /// Whether somebody is asked.
    pub(crate) fn asks(&self) -> bool {
        self.0.asks.is_some()
    }

    /// Goes on with the panic of what was asked, if there was one.
    fn resume(&self) {
        let panic = self.0.panicked.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancel").field(&self.cancelled).finish()
    }
}

impl Session {
    /// The same session, for calls that `cancel` gives up. A call that the library executes then is
    /// [`Cancelled`](crate::ErrorKind::Cancelled) within some milliseconds, and its worker is ended, for the library would go
    /// on, unless the contract says how the library stops it; one that is not sent yet is not executed, and leaves the line for its turn. A worker that it waits for goes on
    /// starting, for the next call. A call that runs a callback hears of it behind that. Futures are given up by dropping them.
    #[must_use]
    pub fn cancelled_by(&self, cancel: &Cancel) -> Session {
        Session { cancel: Some(cancel.clone()), ..self.clone() }
    }

    /// The same session, with this deadline for every call made through the returned value.
    pub fn within(&self, deadline: Duration) -> Session {
        Session { deadline: Some(deadline), ..self.clone() }
    }

    /// The same session, with these.
    pub(crate) fn with(&self, deadline: Option<Duration>, cancel: Option<&Cancel>) -> Session {
        Session {
            shared: Arc::clone(&self.shared),
            deadline: deadline.or(self.deadline),
            cancel: cancel.or(self.cancel.as_ref()).cloned(),
        }
    }

    /// Whether calls through this value are given up.
    pub(crate) fn can_be_cancelled(&self) -> bool {
        self.cancel.is_some()
    }

    /// Whether they are.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(Cancel::is_cancelled)
    }

    /// A call through this value has ended because it was given up: goes on with the panic, if that was why.
    pub(crate) fn resume_panic(&self) {
        if let Some(cancel) = &self.cancel {
            cancel.resume();
        }
    }

    /// The error of a call that was given up before it was sent.
    pub(crate) fn given_up(&self, context: &Context) -> Error {
        self.resume_panic();
        context.given_up()
    }

    /// Until when a call waits that has to end by this time, both in monotonic nanoseconds.
    #[inline]
    pub(crate) fn waits_until(&self, now: u64, deadline: u64) -> u64 {
        match self.cancel {
            None => deadline,
            Some(_) => deadline.min(now.saturating_add(LOOKS)),
        }
    }
}

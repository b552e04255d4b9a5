//! Calls that somebody gives up while their thread waits for them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Session;

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
}

impl Cancel {
    /// One that has cancelled nothing.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// One that is cancelled, too, as soon as `asks` says so: for what is known only to who asks for it, such as the signals of an
    /// interpreter. The thread of a call asks, some hundred times a second while it waits, and with the worker in its hands: it is to
    /// be over soon.
    pub fn asking(asks: impl Fn() -> bool + Send + Sync + 'static) -> Cancel {
        Cancel(Arc::new(State { cancelled: AtomicBool::new(false), asks: Some(Box::new(asks)) }))
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
        let says_so = self.0.asks.as_ref().is_some_and(|asks| asks());
        if says_so {
            self.cancel();
        }
        says_so
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
    /// on, unless the contract says how the library stops it; one that is not sent yet is not executed, and leaves the line for its turn. A call that waits for a worker to
    /// start, or runs a callback, hears of it behind that. Futures are given up by dropping them.
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
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(Cancel::is_cancelled)
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

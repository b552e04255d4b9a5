//! Signals for which Python raises something, such as `KeyboardInterrupt`, heard wherever the runtime waits for a call: it asks what
//! may give the call up.

use std::cell::OnceCell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hotcell::{Cancel, Session};
use pyo3::prelude::*;

use crate::call::interrupted;

/// How often Python is asked: it takes its lock.
const ASKS: Duration = Duration::from_millis(50);

/// Who hears signals for the calls of a session.
pub(crate) struct Hears {
    cancel: Cancel,
    raised: Arc<Mutex<Option<PyErr>>>,
}

impl Hears {
    pub(crate) fn new() -> Hears {
        let raised = Arc::new(Mutex::new(None));
        let (noted, last) = (Arc::clone(&raised), Mutex::new(Instant::now()));
        let asks = move || {
            let now = Instant::now();
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            if now.saturating_duration_since(*last) < ASKS {
                return false;
            }
            *last = now;
            // What a handler of a signal does may ask again.
            drop(last);
            let mut interrupt = None;
            let any = interrupted(&mut interrupt);
            if let Some(interrupt) = interrupt {
                *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(interrupt);
            }
            any
        };
        Hears { cancel: Cancel::asking(asks), raised }
    }

    /// The session, for calls that are given up when something is raised.
    pub(crate) fn session(&self, session: &Session) -> Session {
        session.cancelled_by(&self.cancel)
    }

    /// Who may give up what is begun.
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// What was raised, once.
    pub(crate) fn raised(&self) -> Option<PyErr> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A session for a call that cannot begin at once: it is made when it is asked for.
#[derive(Default)]
pub(crate) struct Waits(OnceCell<(Hears, Session)>);

impl Waits {
    pub(crate) fn session(&self, session: &Session) -> &Session {
        let made = self.0.get_or_init(|| {
            let hears = Hears::new();
            let session = hears.session(session);
            (hears, session)
        });
        &made.1
    }

    /// Notes what was raised while the call waited.
    pub(crate) fn note(&self, interrupt: &mut Option<PyErr>) {
        if let Some(raised) = self.0.get().and_then(|(hears, _)| hears.raised()) {
            *interrupt = Some(raised);
        }
    }
}

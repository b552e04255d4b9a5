//! An eventfd of a model, with the event loop that watches it: what was written stays until it is heard.

use loom::sync::{Arc, Condvar, Mutex};
use rustix::io::Result;

/// Both ends of one.
#[derive(Debug, Clone)]
pub struct EventFd(Arc<(Mutex<bool>, Condvar)>);

impl EventFd {
    pub(crate) fn new() -> Result<EventFd> {
        Ok(EventFd(Arc::new((Mutex::new(false), Condvar::new()))))
    }

    pub(crate) fn ring(&self) {
        let (written, changed) = &*self.0;
        *written.lock().expect("no thread of the model panics") = true;
        changed.notify_all();
    }

    /// Waits until something was written, and has heard it then.
    pub(crate) fn hear(&self) {
        let (written, changed) = &*self.0;
        let mut written = written.lock().expect("no thread of the model panics");
        while !*written {
            written = changed.wait(written).expect("no thread of the model panics");
        }
        *written = false;
    }
}

//! Objects that are made anew when their worker has ended, as their contract says how.
//!
//! The application's object stays what it is: its *front*. What stands for it in the next worker is another object, with a
//! handle of its own, which the front holds: nothing of the old one is ever passed to the new worker, and each of the two is
//! released once. A front is made anew by the first call that waits for it; others that come meanwhile wait for that.

use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::handle::Object;
use super::record::{MOST, Record};
use super::{Call, Repeated, Restore};
use crate::session::{instant_of, this_thread};

/// What an object has to do with being made anew.
#[derive(Debug)]
pub(super) enum Anew {
    /// It is the application's, and can be, or could have been.
    Front(Restorable),
    /// It stands for this one in a later worker.
    StandIn(Weak<Object>),
}

/// What is kept of an object so that it can be made anew.
pub(super) struct Restorable {
    pub(super) restore: &'static Restore,
    kept: Mutex<Kept>,
    /// Notified when a thread has made it anew, or has failed to.
    ended: Condvar,
}

#[derive(Default)]
struct Kept {
    /// The call that made it.
    made: Option<Arc<Record>>,
    /// The last calls that configured it, in their order, by ascending numbers.
    settings: Vec<(u64, Arc<Record>)>,
    last: u64,
    /// Bytes of all of them.
    bytes: usize,
    /// Why it is not made anew any more.
    lost: Option<String>,
    /// What stands for it.
    stand_in: Option<Arc<Object>>,
    /// The thread that makes it anew.
    restoring: Option<u64>,
    /// How often that was tried, but for tries that failed and have ended no worker.
    tried: u32,
    restored: u32,
}

/// Why an object is not made anew now.
#[derive(Debug)]
pub(super) enum Refused {
    /// It never is.
    Lost(String),
    /// This thread is at it.
    Here,
    /// Another thread is at it, and it was not waited for, or not for longer.
    Elsewhere,
}

/// What a call comes to that wants an object made anew.
pub(super) enum Begun<'a> {
    /// Another one was at it, and has ended: look again.
    Ended,
    Restoring(Restoring<'a>),
}

/// The right to make an object anew.
pub(super) struct Restoring<'a> {
    of: &'a Restorable,
    pub(super) made: Arc<Record>,
    /// The number of the last setting that was made again.
    applied: u64,
}

impl Restorable {
    /// Of an object that was made by this call; or why that cannot be made again.
    pub(super) fn new(restore: &'static Restore, made: Result<Record, String>) -> Restorable {
        let mut kept = Kept::default();
        match made {
            Ok(made) => {
                kept.bytes = made.size();
                kept.made = Some(Arc::new(made));
            }
            Err(why) => kept.lost = Some(why),
        }
        Restorable { restore, kept: Mutex::new(kept), ended: Condvar::new() }
    }

    /// What stands for it in this worker.
    pub(super) fn stand_in(&self, generation: u64) -> Option<Arc<Object>> {
        let kept = self.kept.lock();
        kept.stand_in.as_ref().filter(|object| object.generation == generation).cloned()
    }

    /// Whether it can be made anew.
    pub(super) fn is_kept(&self) -> bool {
        let kept = self.kept.lock();
        kept.lost.is_none() && !kept.is_released()
    }

    /// Whether it is to be made anew for this worker, which is not the one that made it.
    pub(super) fn is_due(&self, generation: u64) -> bool {
        let kept = self.kept.lock();
        let stands = kept.stand_in.as_ref().is_some_and(|object| object.generation == generation);
        kept.lost.is_none() && !stands && !kept.is_released()
    }

    /// Why it is not made anew by a call that does not wait for it.
    pub(super) fn why_not(&self) -> String {
        let kept = self.kept.lock();
        match &kept.lost {
            Some(why) => format!("it is not made anew: {why}"),
            None if kept.is_released() => "what stood for it was released".into(),
            None => "`restore` makes it anew, and so does a call that waits for it and does not take it over"
                .into(),
        }
    }

    /// How often it was made anew.
    pub(super) fn restored(&self) -> u32 {
        self.kept.lock().restored
    }

    /// A try that has ended no worker does not count.
    pub(super) fn spare(&self) {
        let mut kept = self.kept.lock();
        kept.tried = kept.tried.saturating_sub(1);
    }

    /// It is never made anew from now on.
    pub(super) fn lose(&self, why: String) {
        let mut kept = self.kept.lock();
        kept.lost.get_or_insert(why);
        // Nothing of them is needed any more.
        let unneeded = (kept.made.take(), std::mem::take(&mut kept.settings));
        drop(kept);
        drop(unneeded);
    }

    /// The function that configures it, if this one does.
    pub(super) fn configured_by(&self, function: u16) -> Option<&'static Repeated> {
        self.restore.configure.iter().find(|repeated| repeated.function == function)
    }

    /// A call in this worker has configured it.
    pub(super) fn configured(&self, record: Result<Record, String>, generation: u64) {
        let record = match record {
            Ok(record) => record,
            Err(why) => return self.lose(why),
        };
        let mut kept = self.kept.lock();
        if kept.lost.is_some() {
            return;
        }
        let before = kept.settings.iter().position(|(_, other)| other.sets_the_same(&record));
        let before = before.map(|at| kept.settings.remove(at).1);
        let bytes = kept.bytes - before.as_ref().map_or(0, |before| before.size()) + record.size();
        kept.bytes = bytes;
        kept.last += 1;
        let number = kept.last;
        kept.settings.push((number, Arc::new(record)));
        // It was made anew without that, which has come too late.
        let without = kept.stand_in.take_if(|object| object.generation != generation);
        drop(kept);
        drop((before, without));
        if bytes > MOST {
            self.lose(format!("what it was configured with is more than the {MOST} bytes that are kept"));
        }
    }

    /// Begins to make it anew for this worker; waits until then for a thread that is at it.
    pub(super) fn begin(&self, generation: u64, until: u64, waits: bool) -> Result<Begun<'_>, Refused> {
        let mut kept = self.kept.lock();
        if let Some(thread) = kept.restoring {
            if thread == this_thread() {
                return Err(Refused::Here);
            }
            let ended = waits && !self.ended.wait_until(&mut kept, instant_of(until)).timed_out();
            return if ended { Ok(Begun::Ended) } else { Err(Refused::Elsewhere) };
        }
        if kept.stand_in.as_ref().is_some_and(|object| object.generation == generation) {
            return Ok(Begun::Ended);
        }
        let made = match (&kept.lost, kept.made.clone()) {
            (Some(why), _) => return Err(Refused::Lost(why.clone())),
            (None, Some(made)) if !kept.is_released() => made,
            _ => return Err(Refused::Lost("what stood for it was released".into())),
        };
        if kept.tried >= self.restore.times {
            let why = format!("that was tried {} times", kept.tried);
            kept.lost = Some(why.clone());
            return Err(Refused::Lost(why));
        }
        kept.tried += 1;
        kept.restoring = Some(this_thread());
        Ok(Begun::Restoring(Restoring { of: self, made, applied: 0 }))
    }
}

impl Kept {
    /// Whether a call has taken over what stood for it.
    fn is_released(&self) -> bool {
        self.stand_in.as_ref().is_some_and(|object| object.is_released())
    }
}

impl Restoring<'_> {
    /// The settings that are to be made again, in order.
    pub(super) fn settings(&self) -> Vec<(u64, Arc<Record>)> {
        self.pending(&self.of.kept.lock())
    }

    /// This setting was made again.
    pub(super) fn applied(&mut self, number: u64) {
        self.applied = number;
    }

    fn pending(&self, kept: &MutexGuard<'_, Kept>) -> Vec<(u64, Arc<Record>)> {
        kept.settings.iter().filter(|(number, _)| *number > self.applied).cloned().collect()
    }

    /// From now on this object stands for the other; false where there are new settings.
    pub(super) fn stands(&self, object: &Arc<Object>) -> bool {
        let mut kept = self.of.kept.lock();
        if !self.pending(&kept).is_empty() {
            return false;
        }
        let before = kept.stand_in.replace(Arc::clone(object));
        kept.restored += 1;
        drop(kept);
        drop(before);
        true
    }
}

impl Drop for Restoring<'_> {
    fn drop(&mut self) {
        self.of.kept.lock().restoring = None;
        self.of.ended.notify_all();
    }
}

impl Call<'_> {
    /// Where the call configures an object that can be made anew, keeps what it was given: it has come back, or has failed.
    #[cold]
    pub(super) fn end_setting(&mut self, returned: bool) {
        let Some((front, repeated)) = self.setting.take() else { return };
        let Some(object) = front.upgrade().filter(|_| returned) else { return };
        let Some(front) = object.front() else { return };
        let record = Record::of(self, repeated).map_err(|why| why.says(self.function.name));
        front.configured(record, self.context.generation);
    }
}

impl fmt::Debug for Restorable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.kept.lock();
        f.debug_struct("Restorable")
            .field("settings", &kept.settings.len())
            .field("lost", &kept.lost)
            .field("restored", &kept.restored)
            .finish_non_exhaustive()
    }
}

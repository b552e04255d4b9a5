//! Objects that are made anew when their worker has ended, as their contract says how.
//!
//! The application's object stays what it is: its *front*. What stands for it in the next worker is another object, with a
//! handle of its own, which the front holds: nothing of the old one is ever passed to the new worker, and each of the two is
//! released once. A front is made anew by the first call that waits for it; others that come meanwhile wait for that.
//!
//! Workers follow each other, and calls may be under way on one that another has replaced. So what stands for a front is only ever
//! replaced by what was made in a later worker, and not at all once a call has taken it over.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use hotcell_shm::lock::{Condvar, Mutex, MutexGuard};

use super::record::{MOST, Record};
use crate::rt::handle::Object;
use crate::rt::{Call, Repeated, Restore};
use crate::session::{instant_of, left_until, this_thread};

/// What an object has to do with being made anew.
#[derive(Debug)]
pub(in crate::rt) enum Anew {
    /// It is the application's, and can be, or could have been.
    Front(Restorable),
    /// It stands for this one in a later worker.
    StandIn(Weak<Object>),
}

/// What is kept of an object so that it can be made anew.
pub(in crate::rt) struct Restorable {
    pub(in crate::rt) restore: &'static Restore,
    kept: Mutex<Kept>,
    /// How often it was made anew: behind no lock, which a child of this process may have inherited locked.
    restored: AtomicU32,
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
    /// The first setting that this lacks: a call in the worker before has come back with it when that stood already.
    late: Option<u64>,
    /// How long the last try took that was given up, and has cost a worker.
    given_up: Option<Duration>,
    /// The thread that makes it anew.
    restoring: Option<u64>,
    /// How often that was tried, but for tries that failed and have ended no worker.
    tried: u32,
}

/// Why an object is not made anew now.
#[derive(Debug)]
pub(in crate::rt) enum Refused {
    /// It never is.
    Lost(String),
    /// This thread is at it.
    Here,
    /// Another thread is at it, and it was not waited for, or not for longer.
    Elsewhere,
    /// A try that took so long has cost a worker, and the call does not have twice the time.
    Short(Duration),
}

/// Who wants an object made anew.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// By when, in monotonic nanoseconds.
    pub(crate) until: u64,
    /// The application has asked for it: not a call that is passed it.
    pub(crate) asked: bool,
}

/// What became of one that was made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rt) enum Stood {
    /// There are new settings, which it lacks.
    Lacks,
    /// It stands for the other from now on.
    Anew,
    /// What stood before does: it has all settings by now, or was taken over meanwhile.
    AsBefore,
}

/// What a call comes to that wants an object made anew.
pub(in crate::rt) enum Begun<'a> {
    /// Another one was at it, and has ended: look again.
    Ended,
    Restoring(Restoring<'a>),
}

/// The right to make an object anew.
pub(in crate::rt) struct Restoring<'a> {
    of: &'a Restorable,
    pub(in crate::rt) made: Arc<Record>,
    /// What stands in this worker, and lacks settings.
    pub(in crate::rt) lacking: Option<Arc<Object>>,
    /// The number of the last setting that was made again.
    applied: u64,
}

impl Restorable {
    /// Of an object that was made by this call; or why that cannot be made again.
    pub(in crate::rt) fn new(restore: &'static Restore, made: Result<Record, String>) -> Restorable {
        let mut kept = Kept::default();
        match made {
            Ok(made) => {
                kept.bytes = made.size();
                kept.made = Some(Arc::new(made));
            }
            Err(why) => kept.lost = Some(why),
        }
        Restorable { restore, kept: Mutex::new(kept), restored: AtomicU32::new(0), ended: Condvar::new() }
    }

    /// What stands for it in this worker.
    pub(in crate::rt) fn stand_in(&self, generation: u64) -> Option<Arc<Object>> {
        let kept = self.kept.lock();
        let stand_in = kept.stand_in.as_ref().filter(|_| kept.late.is_none());
        stand_in.filter(|object| object.generation == generation).cloned()
    }

    /// Whether it can be made anew.
    pub(in crate::rt) fn is_kept(&self) -> bool {
        let kept = self.kept.lock();
        kept.lost.is_none() && !kept.is_released()
    }

    /// Whether it is to be made anew for this worker, which is not the one that made it.
    pub(in crate::rt) fn is_due(&self, generation: u64) -> bool {
        let kept = self.kept.lock();
        kept.lost.is_none() && !kept.stands(generation) && !kept.is_released()
    }

    /// What happens while a thread has the lock.
    #[cfg(test)]
    pub(super) fn while_locked(&self, then: impl FnOnce()) {
        let _kept = self.kept.lock();
        then();
    }

    /// Why it is not made anew by a call that does not wait for it.
    pub(in crate::rt) fn why_not(&self, generation: u64) -> String {
        let kept = self.kept.lock();
        match (&kept.lost, &kept.stand_in) {
            (Some(why), _) => format!("it is not made anew: {why}"),
            (None, Some(stand_in)) if stand_in.is_released() => "what stood for it was released".into(),
            (None, Some(stand_in)) if stand_in.generation > generation => {
                format!("it was made anew in worker {}, which follows this one", stand_in.generation)
            }
            (None, _) => {
                "`restore` makes it anew, and so does a call that waits for it and does not take it over"
                    .into()
            }
        }
    }

    /// How often it was made anew.
    pub(in crate::rt) fn restored(&self) -> u32 {
        self.restored.load(Ordering::Relaxed)
    }

    /// A try that has ended no worker does not count.
    pub(in crate::rt) fn spare(&self) {
        let mut kept = self.kept.lock();
        kept.tried = kept.tried.saturating_sub(1);
    }

    /// A try that took so long was given up, and has cost a worker.
    pub(in crate::rt) fn took_too_long(&self, took: Duration) {
        self.kept.lock().given_up = Some(took);
    }

    /// It is never made anew from now on.
    pub(in crate::rt) fn lose(&self, why: String) {
        let mut kept = self.kept.lock();
        kept.lost.get_or_insert(why);
        // Nothing of them is needed any more.
        let unneeded = (kept.made.take(), std::mem::take(&mut kept.settings));
        drop(kept);
        drop(unneeded);
    }

    /// The function that configures it, if this one does.
    pub(in crate::rt) fn configured_by(&self, function: u16) -> Option<&'static Repeated> {
        self.restore.configure.iter().find(|repeated| repeated.function == function)
    }

    /// A call in this worker has configured it.
    pub(in crate::rt) fn configured(&self, record: Result<Record, String>, generation: u64) {
        let mut kept = self.kept.lock();
        let number = kept.last + 1;
        if kept.stand_in.as_ref().is_some_and(|object| object.generation > generation) {
            kept.late.get_or_insert(number);
        }
        let record = match record {
            Ok(record) if kept.lost.is_none() => record,
            Ok(_) => return,
            Err(why) => {
                drop(kept);
                return self.lose(why);
            }
        };
        let before = kept.settings.iter().position(|(_, other)| other.sets_the_same(&record));
        let before = before.map(|at| kept.settings.remove(at).1);
        let bytes = kept.bytes - before.as_ref().map_or(0, |before| before.size()) + record.size();
        kept.bytes = bytes;
        kept.last = number;
        kept.settings.push((number, Arc::new(record)));
        drop(kept);
        drop(before);
        if bytes > MOST {
            self.lose(format!("what it was configured with is more than the {MOST} bytes that are kept"));
        }
    }

    /// Begins to make it anew for this worker; waits until then for a thread that is at it, if at all.
    pub(in crate::rt) fn begin(
        &self,
        generation: u64,
        wanted: Wanted,
        waits: Option<u64>,
    ) -> Result<Begun<'_>, Refused> {
        let mut kept = self.kept.lock();
        if let Some(thread) = kept.restoring {
            if thread == this_thread() {
                return Err(Refused::Here);
            }
            let Some(until) = waits.map(instant_of) else { return Err(Refused::Elsewhere) };
            // A wait may end without a reason.
            while kept.restoring == Some(thread) {
                if self.ended.wait_until(&mut kept, until).timed_out() {
                    return Err(Refused::Elsewhere);
                }
            }
            return Ok(Begun::Ended);
        }
        if kept.stands(generation) {
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
        if let Some(took) = kept.given_up.filter(|took| !wanted.asked && left_until(wanted.until) < *took * 2)
        {
            return Err(Refused::Short(took));
        }
        kept.tried += 1;
        kept.restoring = Some(this_thread());
        let lacking = kept.stand_in.clone().filter(|object| object.generation == generation);
        let applied = lacking.as_ref().and(kept.late).map_or(0, |late| late - 1);
        Ok(Begun::Restoring(Restoring { of: self, made, lacking, applied }))
    }
}

impl Kept {
    /// Whether nothing is to be done for this worker.
    fn stands(&self, generation: u64) -> bool {
        self.stand_in.as_ref().is_some_and(|object| {
            object.generation > generation || object.generation == generation && self.late.is_none()
        })
    }

    /// Whether a call has taken over what stood for it.
    fn is_released(&self) -> bool {
        self.stand_in.as_ref().is_some_and(|object| object.is_released())
    }
}

impl Restoring<'_> {
    /// The settings that are to be made again, in order.
    pub(in crate::rt) fn settings(&self) -> Vec<(u64, Arc<Record>)> {
        self.pending(&self.of.kept.lock())
    }

    /// This setting was made again.
    pub(in crate::rt) fn applied(&mut self, number: u64) {
        self.applied = number;
    }

    fn pending(&self, kept: &MutexGuard<'_, Kept>) -> Vec<(u64, Arc<Record>)> {
        kept.settings.iter().filter(|(number, _)| *number > self.applied).cloned().collect()
    }

    /// From now on this object stands for the other, unless there are new settings.
    pub(in crate::rt) fn stands(&self, object: &Arc<Object>) -> Stood {
        let mut kept = self.of.kept.lock();
        if !self.pending(&kept).is_empty() {
            return Stood::Lacks;
        }
        let stays = |before: &Arc<Object>| before.is_released() || before.generation >= object.generation;
        let as_before = kept.stand_in.as_ref().is_some_and(stays);
        if !as_before || kept.stand_in.as_ref().is_some_and(|before| Arc::ptr_eq(before, object)) {
            (kept.late, kept.given_up) = (None, None);
        }
        if as_before {
            return Stood::AsBefore;
        }
        let before = kept.stand_in.replace(Arc::clone(object));
        self.of.restored.fetch_add(1, Ordering::Relaxed);
        drop(kept);
        drop(before);
        Stood::Anew
    }
}

impl Drop for Restoring<'_> {
    fn drop(&mut self) {
        self.of.kept.lock().restoring = None;
        self.of.ended.notify_all();
    }
}

impl Call<'_> {
    /// Where the call has configured an object that can be made anew, keeps what it was given.
    #[cold]
    pub(in crate::rt) fn end_setting(&mut self) {
        let Some((front, repeated)) = self.setting.take() else { return };
        // Of its parent's call a child knows nothing.
        let Some(object) = front.upgrade().filter(|_| !self.session().is_forked()) else { return };
        let Some(front) = object.front() else { return };
        let record = Record::of(self, repeated).map_err(|why| why.says(self.function.name));
        front.configured(record, self.context.generation);
    }
}

impl fmt::Debug for Restorable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restorable")
            .field("lost", &self.kept.try_lock().map(|kept| kept.lost.clone()))
            .field("restored", &self.restored())
            .finish_non_exhaustive()
    }
}

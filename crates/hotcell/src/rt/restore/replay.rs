//! Making an object anew: the calls, and what becomes of it when one fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hotcell_protocol::{ErrorKind, Executed, RawHandle};
use hotcell_shm::clock;

use super::front::{Begun, Refused, Restorable, Restoring, Stood, Wanted};
use crate::error::{Cause, Error, Result};
use crate::rt::handle::{Object, Unfit};
use crate::rt::{Handle, Repeated, Reply};
use crate::session::{Context, Session};

impl Handle {
    /// How often the object was made anew in another worker, because the one that had it had ended: what calls had done with it
    /// since it was made, other than to configure it as its contract says, was lost each time.
    pub fn restored(&self) -> u32 {
        self.object().front().map_or(0, Restorable::restored)
    }

    /// Sees to it that the object is there in the worker that serves: makes it anew if its own has ended, where its contract says
    /// how. Calls that wait do that by themselves; those that are awaited, and those of batches and pipelines, do not.
    #[track_caller]
    pub fn restore(&self) -> Result<()> {
        self.session().restore(self, std::panic::Location::caller())
    }

    /// Whether the object is to be made anew before a call in this worker.
    pub(crate) fn is_due(&self, session: &Session, generation: u64) -> bool {
        let object = &**self.object();
        object.generation < generation
            && !object.is_released()
            && object.is_of(session)
            && object.front().is_some_and(|front| front.is_due(generation))
    }

    /// Whether it is there in the worker that a call found.
    pub(crate) fn is_there(&self, context: &Context) -> Result<()> {
        let (front, stand_in) = (self.object(), self.stand_in(context.generation));
        let fit = stand_in.as_ref().unwrap_or(front).serves(context.generation);
        fit.map_err(|unfit| unfit.error(context, front.type_name(), front, front.type_name()))
    }

    /// Makes the object anew in the worker that serves by then, unless another thread has.
    pub(crate) fn make_anew(&self, session: &Session, context: &Context, wanted: Wanted) -> Result<()> {
        let object = self.object();
        let Some(front) = object.front() else { return Ok(()) };
        let begun = loop {
            if session.is_cancelled() {
                return Err(session.given_up(context));
            }
            let now = clock::now();
            let waits = session.may_wait_for_others().then(|| session.waits_until(now, wanted.until));
            match front.begin(context.generation, wanted, waits) {
                // Not for longer without a look at whether the call was given up.
                Err(Refused::Elsewhere) if waits.is_some() && now < wanted.until => {}
                begun => break begun,
            }
        };
        let mut restoring = match begun {
            Ok(Begun::Ended) => return Ok(()),
            Ok(Begun::Restoring(restoring)) => restoring,
            Err(Refused::Elsewhere) => return Err(context.being_made_anew(object.type_name())),
            Err(Refused::Here) => {
                return Err(object.not_anew(context, "this thread is making it anew"));
            }
            Err(Refused::Lost(why)) => return Err(object.not_anew(context, &why)),
            Err(Refused::Short(took)) => {
                let took = Duration::from_millis(took.as_millis() as u64);
                let why = format!(
                    "that was given up after {took:?}, which cost a worker; a call with twice that time tries it again, and `restore` does"
                );
                return Err(object.not_anew(context, &why));
            }
        };
        let begun = Instant::now();
        let made = restoring.run(object, session, wanted.until);
        drop(restoring);
        let Err(error) = made else { return Ok(()) };
        let why = format!("{error}");
        match Cost::of(&error, session) {
            Cost::Nothing => front.spare(),
            Cost::Other => {}
            Cost::Time => front.took_too_long(begun.elapsed()),
            // No second worker for it.
            Cost::Worker => front.lose(why.clone()),
        }
        Err(match error.kind() {
            ErrorKind::Cancelled => context.given_up(),
            ErrorKind::Unavailable | ErrorKind::LoadFailed | ErrorKind::ForkedClient => {
                match context.call_site {
                    Some(site) => error.of_function(context.function, site),
                    None => error,
                }
            }
            _ => object.not_anew(context, &why),
        })
    }
}

/// What a try has cost that has failed.
enum Cost {
    /// The worker is there.
    Nothing,
    /// The worker, which was ended because the library had not come back in time.
    Time,
    /// The worker, and not by what the library did in this try.
    Other,
    /// The worker.
    Worker,
}

impl Cost {
    /// Not by its kind alone: many limits end the worker, and some only the call.
    fn of(error: &Error, session: &Session) -> Cost {
        let sent = error.executed() != Executed::No;
        let ended = error.is_fault() || sent && !session.has_worker(error.generation());
        match error.kind() {
            _ if !ended => Cost::Nothing,
            // The library has come back with it: another call has ended the worker.
            ErrorKind::LibraryError => Cost::Nothing,
            ErrorKind::Hung | ErrorKind::Cancelled | ErrorKind::DeadlineExceeded => Cost::Time,
            ErrorKind::WorkerLost => Cost::Other,
            _ if !sent || matches!(error.cause(), Cause::Signal { external: true, .. }) => Cost::Other,
            _ => Cost::Worker,
        }
    }
}

impl Restoring<'_> {
    /// Makes the calls again, in one worker: where another has taken over meanwhile, nothing has come of it, and the caller looks
    /// again.
    fn run(&mut self, front: &Arc<Object>, session: &Session, until: u64) -> Result<()> {
        let kind = front.raw.kind();
        let handle = match self.lacking.take() {
            Some(object) => Handle::of(object),
            None => self.make(front, session, until)?,
        };
        loop {
            for (number, setting) in self.settings() {
                let session = session.until(until);
                let again = setting.repeat(&session, Some((&handle, kind)));
                match again {
                    Ok(_) => self.applied(number),
                    // Another worker has taken over.
                    Err(error)
                        if error.kind() == ErrorKind::StaleHandle
                            && error.generation() != handle.object().generation =>
                    {
                        return Ok(());
                    }
                    Err(error) => return Err(error),
                }
            }
            match self.stands(handle.object()) {
                Stood::Lacks => {}
                Stood::AsBefore => return Ok(()),
                Stood::Anew => {
                    session.count_restored();
                    return Ok(());
                }
            }
        }
    }

    /// Makes the call again that made it.
    fn make(&self, front: &Arc<Object>, session: &Session, until: u64) -> Result<Handle> {
        let (made, session) = (&*self.made, session.until(until));
        let mut reply = made.repeat(&session, None)?;
        let handle = reply.made_anew(made.repeated, front.raw.kind(), made.parent())?;
        // Before anybody is lent it.
        handle.object().stands_for(front);
        Ok(handle)
    }
}

impl Reply<'_> {
    /// The object that a call has made which was made again.
    fn made_anew(&mut self, repeated: &Repeated, kind: u16, parent: Option<&Handle>) -> Result<Handle> {
        let offset = usize::from(repeated.object);
        let raw = RawHandle::from_raw(self.get_u64(offset));
        if raw.is_none() {
            let message = "the library returned NULL".to_owned();
            return Err(self.call.context.not_executed(ErrorKind::StaleHandle, Cause::None, message));
        }
        self.adopt(offset, raw, kind, true, parent)
    }
}

impl Object {
    /// The error of a call whose object is not made anew. Nothing of the call was sent.
    fn not_anew(&self, context: &Context, why: &str) -> Error {
        let name = self.type_name();
        let error = Unfit::OtherWorker.error_without(context, name, self, name);
        error.with_more(&format!("; it was not made anew: {why}"))
    }
}

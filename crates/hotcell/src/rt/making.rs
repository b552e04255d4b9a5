//! Making an object anew: the calls, and what becomes of it when one fails.

use std::sync::Arc;

use hotcell_protocol::{ErrorKind, RawHandle};

use super::anew::{Begun, Refused, Restorable, Restoring};
use super::handle::{Object, Unfit};
use super::{Handle, Repeated, Reply};
use crate::error::{Cause, Error, Result};
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
        object.generation != generation
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
    pub(crate) fn make_anew(&self, session: &Session, context: &Context, until: u64) -> Result<()> {
        let object = self.object();
        let Some(front) = object.front() else { return Ok(()) };
        let begun = front.begin(context.generation, until, session.may_wait_for_others());
        let mut restoring = match begun {
            Ok(Begun::Ended) => return Ok(()),
            Ok(Begun::Restoring(restoring)) => restoring,
            Err(Refused::Elsewhere) => return Err(context.being_made_anew(object.type_name())),
            Err(Refused::Here) => {
                return Err(object.not_anew(context, "this thread is making it anew"));
            }
            Err(Refused::Lost(why)) => return Err(object.not_anew(context, &why)),
        };
        let made = restoring.run(object, session, until);
        drop(restoring);
        let Err(error) = made else { return Ok(()) };
        let why = format!("{error}");
        match error.kind() {
            _ if !error.is_fault() => front.spare(),
            ErrorKind::Hung | ErrorKind::WorkerLost => {}
            // No second worker for it.
            _ => front.lose(why.clone()),
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

impl Restoring<'_> {
    /// Makes the calls again, in one worker: where another has taken over meanwhile, nothing has come of it, and the caller looks
    /// again.
    fn run(&mut self, front: &Arc<Object>, session: &Session, until: u64) -> Result<()> {
        let kind = front.raw.kind();
        let made = Arc::clone(&self.made);
        let handle = {
            let session = session.until(until);
            let mut reply = made.repeat(&session, None)?;
            reply.made_anew(made.repeated, kind, made.parent())?
        };
        loop {
            for (number, setting) in self.settings() {
                let session = session.until(until);
                let again = setting.repeat(&session, Some((&handle, kind)));
                match again {
                    Ok(_) => self.applied(number),
                    Err(error) if error.kind() == ErrorKind::StaleHandle => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
            handle.object().stands_for(front);
            if self.stands(handle.object()) {
                session.count_restored();
                return Ok(());
            }
        }
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

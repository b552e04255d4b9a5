//! What a call must have before it has a seat: the families of its objects, and the seat that they are bound to.

use std::sync::Arc;

use hotcell_protocol::ErrorKind;

use super::super::families::{Family, of_seat};
use super::super::turn::Around;
use super::super::{Context, Session, Turn};
use super::Ruled;
use crate::error::{Cause, Error, Result};
use crate::rt::Object;

/// What a call must have before it has a seat.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    /// Families, and the seat if it must be a certain one; in order.
    pub(in super::super) set: Arc<[Family]>,
    pub(in super::super) seat: Option<u32>,
}

/// What a claim is made of.
#[derive(Debug, Default)]
struct Wanted {
    set: Vec<Family>,
    /// The seat, and the type of the object that is bound to it.
    seat: Option<(u32, &'static str)>,
}

/// Two types of objects of one call that are bound to different threads.
struct TwoThreads(&'static str, &'static str);

impl Claim {
    /// Whether a call with this claim waits for nothing.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.set.is_empty()
    }
}

impl Wanted {
    fn add(
        &mut self,
        session: &Session,
        ruled: &Ruled,
        object: &Object,
    ) -> std::result::Result<(), TwoThreads> {
        // What is of another session is refused when it is passed.
        if !object.is_of(session) {
            return Ok(());
        }
        if let Some(seat) = object.bound_to() {
            let name = object.type_name();
            let (known, before) = *self.seat.get_or_insert((seat, name));
            if known != seat {
                return Err(TwoThreads(before, name));
            }
        }
        if ruled.rules.per_handle {
            self.set.extend(object.kin());
            object.heads(|head| {
                // All that belongs to it is used on one thread.
                if head.bound_to().is_none() {
                    let (generation, handle) = head.name();
                    self.set.push((generation, handle.raw()));
                }
            });
        }
        Ok(())
    }

    fn claim(mut self) -> Claim {
        let seat = self.seat.map(|(seat, _)| seat);
        self.set.extend(seat.map(of_seat));
        self.set.sort_unstable();
        self.set.dedup();
        Claim { set: self.set.into(), seat }
    }
}

impl Session {
    /// What a call must have that is passed these objects; `None` where there are no rules.
    pub(crate) fn claim<'o>(
        &self,
        context: Context,
        mut objects: impl Iterator<Item = &'o Object>,
    ) -> Result<Option<Claim>> {
        // In a forked child, what is looked at here may be locked for ever.
        let Some(ruled) = self.shared.ruled.as_ref().filter(|_| !self.is_forked()) else { return Ok(None) };
        let mut wanted = Wanted::default();
        // What is of another worker than the call will go to is refused when it is passed, too.
        let generation = self.around().map_or_else(|| self.generation(), |around| around.generation);
        let added = objects.try_for_each(|object| match object.name().0 == generation {
            true => wanted.add(self, ruled, object),
            false => Ok(()),
        });
        added.map_err(|two| two.error(&context))?;
        Ok(Some(wanted.claim()))
    }

    /// What the release of an object must have that nobody holds any more.
    pub(crate) fn claim_of_dropped(&self, object: &Object) -> Option<Claim> {
        let ruled = self.shared.ruled.as_ref().filter(|_| !self.is_forked())?;
        let mut wanted = Wanted::default();
        // One object is on one thread.
        let _ = wanted.add(self, ruled, object);
        Some(wanted.claim())
    }

    /// The thread of the library that what is made on this seat is bound to, if its type is.
    pub(crate) fn binds(&self, kind: u16, seat: u32) -> Option<u32> {
        let ruled = self.shared.ruled.as_ref()?;
        ruled.rules.bound.contains(&kind).then_some(seat)
    }

    /// What an object of this type belongs to that is lent to the callback which runs on this thread: the thread of the library
    /// that it is bound to, and families.
    pub(crate) fn kin_of_lent(&self, kind: u16) -> (Option<u32>, Option<Arc<[Family]>>) {
        let around = self.shared.ruled.as_ref().and_then(|_| self.around());
        let Some(Around { seat, families, .. }) = around else { return (None, None) };
        let (seats, kin): (Vec<Family>, Vec<Family>) =
            families.unwrap_or_default().into_iter().partition(|family| *family == of_seat(seat));
        let bound_to = if seats.is_empty() { self.binds(kind, seat) } else { Some(seat) };
        (bound_to, Some(kin.into()))
    }
}

impl Turn<'_> {
    /// Whether the call may use this object: it was begun with it, or with what that belongs to. What is of another session or
    /// worker is refused for that.
    pub(crate) fn covers(&self, object: &Object) -> bool {
        let Some(ruled) = &self.session.shared.ruled else { return true };
        if object.name().0 != self.generation || !object.is_of(self.session) || self.session.is_forked() {
            return true;
        }
        let mut covered = object.bound_to().is_none_or(|seat| seat == self.number);
        if covered && ruled.rules.per_handle {
            covered = object.kin().iter().all(|family| self.has(*family));
            object.heads(|head| {
                let (generation, handle) = head.name();
                covered &= head.bound_to().is_some() || self.has((generation, handle.raw()));
            });
        }
        covered
    }

    fn has(&self, family: Family) -> bool {
        self.held.iter().any(|held| held.set().binary_search(&family).is_ok())
    }

    /// What the release of an object of this type must have that this call has made.
    pub(crate) fn claim(&self, kind: u16) -> Option<Claim> {
        self.session.shared.ruled.as_ref()?;
        let mut set: Vec<Family> = self.held.iter().flat_map(|held| held.set().iter().copied()).collect();
        // What is made of what is bound is bound, too.
        let own = of_seat(self.number);
        let seat =
            set.contains(&own).then_some(self.number).or_else(|| self.session.binds(kind, self.number));
        set.extend(seat.map(of_seat));
        set.sort_unstable();
        set.dedup();
        Some(Claim { set: set.into(), seat })
    }
}

impl TwoThreads {
    fn error(self, context: &Context) -> Error {
        let TwoThreads(a, b) = self;
        let message = format!(
            "the call is passed a `{a}` and a `{b}` that are bound to different threads of the library"
        );
        context.not_executed(ErrorKind::InvalidArgument, Cause::None, message)
    }
}

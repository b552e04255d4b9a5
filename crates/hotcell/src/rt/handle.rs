//! Handles: objects of the library as the host knows them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hotcell_protocol::{ErrorKind, RawHandle};

use super::restore::{Anew, Record, Restorable};
use super::{Release, Restore};
use crate::error::{Cause, Error};
use crate::session::{Cancel, Context, Family, Session};

/// An object of the library. Clones stand for the same object.
///
/// It keeps its session, and what it belongs to, alive. When the last clone of an object that the application owns
/// is dropped, the library releases the object: at once if the worker is free, else as soon as it is. That
/// never fails and never waits for another call. An object whose worker has ended went with it.
#[derive(Clone)]
pub struct Handle {
    object: Arc<Object>,
    deadline: Option<Duration>,
    cancel: Option<Cancel>,
}

pub(crate) struct Object {
    session: Session,
    /// The worker that has it.
    pub(super) generation: u64,
    pub(super) raw: RawHandle,
    pub(super) owned: bool,
    /// How it is released, when somebody owns it and it can be.
    release: Option<Release>,
    /// Set when a call that takes the object over was published.
    pub(super) released: AtomicBool,
    /// What must outlive it: the nearest owned object above it.
    parent: Option<Arc<Object>>,
    /// What that stands for, if it does: the application's object can be lent anew, and made anew, as long as this one is held.
    front: Option<Arc<Object>>,
    /// What it was lent by, or the first above that, where nobody owned that when it was.
    lender: Option<RawHandle>,
    /// The seat whose serving thread alone uses it.
    bound_to: Option<u32>,
    /// What it may belong to, whoever owns it: the families of the call that lent it to a callback, or what it was made by.
    kin: Option<Arc<[Family]>>,
    /// Set where its type is one whose objects are made anew.
    anew: OnceLock<Box<Anew>>,
}

/// Why a handle cannot be passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    OtherSession,
    OtherType,
    OtherWorker,
    Released,
    ParentReleased,
    /// The call takes it over, and it is not the application's.
    OnlyLent,
    /// The call takes over what it is passed elsewhere.
    Twice,
    /// The call was begun without it, and there is a rule for threads.
    Unclaimed,
    /// A call that this one is nested in uses it, and this one would take it over or write it.
    InUse,
}

/// What is wrong with an object that a call uses in which this one is nested.
pub(super) const IN_USE: &str = "is in use by a call around this one, or on another thread: do this when that has returned (what is dropped is released then)";

impl Handle {
    /// An object that nobody held when its handle came out, of a worker by a seat. From now on that stands for it, or for the one that was made of it
    /// on another thread meanwhile.
    pub(crate) fn new(
        session: &Session,
        (generation, seat): (u64, u32),
        raw: RawHandle,
        owned: bool,
        release: Option<Release>,
        parent: Option<&Handle>,
    ) -> Handle {
        let bound_to = session.binds(raw.kind(), seat);
        let place = (generation, bound_to, None);
        let handle = Handle::apart(session, place, raw, owned, release, parent);
        match session.add_object(&handle.object) {
            Some(object) => Handle::held(object),
            None => handle,
        }
    }

    /// An object that is lent for a while, which ends with [`Object::end`].
    pub(super) fn for_now(session: &Session, generation: u64, raw: RawHandle) -> Handle {
        let (bound_to, kin) = session.kin_of_lent(raw.kind());
        Handle::apart(session, (generation, bound_to, kin), raw, false, None, None)
    }

    /// The object of a handle, if somebody holds it already: what comes out as lent may be the application's own.
    pub(super) fn known(session: &Session, generation: u64, raw: RawHandle) -> Option<Handle> {
        let object = session.known_object(generation, raw)?;
        Some(Handle::held(object))
    }

    fn apart(
        session: &Session,
        (generation, bound_to, kin): (u64, Option<u32>, Option<Arc<[Family]>>),
        raw: RawHandle,
        owned: bool,
        release: Option<Release>,
        parent: Option<&Handle>,
    ) -> Handle {
        let (session, _) = session.apart();
        // What is lent lives as long as the object that lends it; between them only owned ones can be dropped.
        let stand_in = parent.and_then(|parent| parent.stand_in(generation));
        let front = stand_in.as_ref().and(parent).map(|parent| Arc::clone(&parent.object));
        let above = stand_in.or_else(|| parent.map(|parent| Arc::clone(&parent.object)));
        let bound_to = above.as_ref().and_then(|above| above.bound_to).or(bound_to);
        let kin = above.as_ref().and_then(|above| above.kin.clone()).or(kin);
        let lender = above.as_ref().and_then(|above| {
            let unowned = !above.owned && above.parent.is_none();
            above.lender.or(unowned.then_some(above.raw))
        });
        let (parent, front) = match above {
            Some(above) if !above.owned => (above.parent.clone(), above.front.clone()),
            above => (above, front),
        };
        let released = AtomicBool::new(false);
        let object = Arc::new(Object {
            session,
            generation,
            raw,
            owned,
            release,
            released,
            parent,
            front,
            lender,
            bound_to,
            kin,
            anew: OnceLock::new(),
        });
        Handle::of(object)
    }

    /// Stands for this object.
    pub(super) fn of(object: Arc<Object>) -> Handle {
        Handle { object, deadline: None, cancel: None }
    }

    /// The application's object, where this one stands for it, or else this one.
    pub(super) fn held(object: Arc<Object>) -> Handle {
        Handle::of(object.stood_for().unwrap_or(object))
    }

    /// What stands for it in this worker, where it was made in another.
    #[inline]
    pub(super) fn stand_in(&self, generation: u64) -> Option<Arc<Object>> {
        if self.object.generation == generation || self.object.is_released() {
            return None;
        }
        self.object.front()?.stand_in(generation)
    }

    /// It was made by such a call; or why that cannot be made again.
    pub(super) fn made_by(&self, restore: &'static Restore, made: Result<Record, String>) {
        let front = Anew::Front(Restorable::new(restore, made));
        // One that was made before is not made again.
        let _ = self.object.anew.set(Box::new(front));
    }

    /// The session it belongs to, with this value's deadline, and what gives its calls up.
    pub fn session(&self) -> Session {
        self.object.session.with(self.deadline, self.cancel.as_ref())
    }

    /// The same object, with this deadline for every call made through [`Handle::session`] of the returned value.
    /// What such calls make has no deadline of its own.
    #[must_use]
    pub fn within(&self, deadline: Duration) -> Handle {
        Handle { deadline: Some(deadline), ..self.clone() }
    }

    /// The same object, for calls made through [`Handle::session`] of the returned value that `cancel` gives up.
    #[must_use]
    pub fn cancelled_by(&self, cancel: &Cancel) -> Handle {
        Handle { cancel: Some(cancel.clone()), ..self.clone() }
    }

    /// The name of its type.
    pub fn type_name(&self) -> &'static str {
        self.object.type_name()
    }

    /// Whether the application owns it. What is lent belongs to the library, or to another object.
    pub fn is_owned(&self) -> bool {
        self.object.owned
    }

    /// Whether it is the only one that stands for the object, and no other needs that: nobody notices when it is dropped. Another thread
    /// may change that at any time.
    pub fn is_alone(&self) -> bool {
        Arc::strong_count(&self.object) == 1
    }

    pub(crate) fn object(&self) -> &Arc<Object> {
        &self.object
    }
}

impl Object {
    /// Whether it can be passed as this type in a call of this session, when this worker serves.
    pub(super) fn check(&self, session: &Session, generation: u64, kind: u16) -> Result<(), Unfit> {
        if !self.session.is(session) {
            return Err(Unfit::OtherSession);
        }
        if self.raw.kind() != kind {
            return Err(Unfit::OtherType);
        }
        self.serves(generation)
    }

    /// What is kept of it so that it can be made anew, if its type is one of those that are.
    #[inline]
    pub(super) fn front(&self) -> Option<&Restorable> {
        match &**self.anew.get()? {
            Anew::Front(front) => Some(front),
            Anew::StandIn(_) => None,
        }
    }

    /// The application's object, where this one stands for it.
    pub(super) fn stood_for(&self) -> Option<Arc<Object>> {
        match &**self.anew.get()? {
            Anew::StandIn(front) => front.upgrade(),
            Anew::Front(_) => None,
        }
    }

    /// Whether it can be made anew in another worker.
    pub(crate) fn is_kept(&self) -> bool {
        !self.is_released() && self.front().is_some_and(Restorable::is_kept)
    }

    /// The library keeps a function of the application for it, by a call of this one: that cannot be given to another.
    pub(super) fn keeps_a_callback(&self, function: &str) {
        if let Some(front) = self.front() {
            front.lose(format!("`{function}` gave it a function of the application to keep"));
        }
    }

    /// It stands for the application's object from now on.
    pub(super) fn stands_for(&self, front: &Arc<Object>) {
        let _ = self.anew.set(Box::new(Anew::StandIn(Arc::downgrade(front))));
    }

    /// Whether it is one of this session.
    pub(crate) fn is_of(&self, session: &Session) -> bool {
        self.session.is(session)
    }

    /// The seat whose serving thread alone uses it.
    pub(crate) fn bound_to(&self) -> Option<u32> {
        self.bound_to
    }

    /// Families that it may belong to beside those of its [heads](Object::heads).
    pub(crate) fn kin(&self) -> &[Family] {
        self.kin.as_deref().unwrap_or_default()
    }

    /// The owned objects that it belongs to at last: what is at the top of the objects above it; and what that was lent by, if
    /// somebody owns that by now.
    pub(crate) fn heads(&self, mut each: impl FnMut(&Object)) {
        let top = self.top();
        if top.owned {
            each(top);
        }
        let lent = top.lender.or((!top.owned).then_some(top.raw));
        let owned = lent.and_then(|raw| self.session.known_object(self.generation, raw));
        if let Some(owned) = owned.filter(|known| known.owned) {
            each(owned.top());
        }
    }

    fn top(&self) -> &Object {
        let mut top = self;
        while let Some(parent) = &top.parent {
            top = parent;
        }
        top
    }

    pub(crate) fn type_name(&self) -> &'static str {
        self.session.handle_type(self.raw.kind()).map_or("", |it| it.name)
    }

    /// Whether this worker has it, and nobody has released it, or what it belongs to.
    pub(super) fn serves(&self, generation: u64) -> Result<(), Unfit> {
        if self.generation != generation {
            return Err(Unfit::OtherWorker);
        }
        if self.is_released() {
            return Err(Unfit::Released);
        }
        let mut above = &self.parent;
        while let Some(parent) = above {
            if parent.is_released() {
                return Err(Unfit::ParentReleased);
            }
            above = &parent.parent;
        }
        Ok(())
    }

    /// Whether it is this object, or what that belongs to.
    pub(super) fn is_or_holds(&self, other: &Object) -> bool {
        let mut at = Some(other);
        while let Some(object) = at {
            if object.name() == self.name() {
                return true;
            }
            at = object.parent.as_deref();
        }
        false
    }

    /// What this one goes with: itself, or the nearest above it that the application owns. A callback may be passed under
    /// its own handle what the application owned.
    pub(super) fn goes_with(&self) -> [RawHandle; 2] {
        let owner = match (self.owned, &self.parent) {
            (false, Some(parent)) => parent.raw,
            _ => self.raw,
        };
        [self.raw, owner]
    }

    /// It was lent for a while, which is over.
    pub(super) fn end(&self) {
        self.released.store(true, Ordering::Relaxed);
    }

    /// A call takes it over, or gives it back. What stands for the application's object takes that with it, whatever stands for it by
    /// then in a later worker. Whether it was so before.
    pub(super) fn set_released(&self, released: bool) -> bool {
        if let Some(front) = self.stood_for() {
            front.released.store(released, Ordering::Relaxed);
        }
        self.released.swap(released, Ordering::Relaxed)
    }

    /// What its worker calls it, and which worker that is.
    pub(crate) fn name(&self) -> (u64, RawHandle) {
        (self.generation, self.raw)
    }

    pub(crate) fn is_owned(&self) -> bool {
        self.owned
    }

    pub(crate) fn is_released(&self) -> bool {
        // Of a call on another thread the worker knows, and refuses.
        self.released.load(Ordering::Relaxed)
    }
}

impl PartialEq for Handle {
    /// Whether both stand for the same object. Two handles that the library gave out for one address under two
    /// parents are different.
    fn eq(&self, other: &Handle) -> bool {
        let (a, b) = (&*self.object, &*other.object);
        a.session.is(&b.session) && (a.generation, a.raw) == (b.generation, b.raw)
    }
}

impl Eq for Handle {}

impl Hash for Handle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let object = &*self.object;
        (object.session.number(), object.generation, object.raw).hash(state);
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("type", &self.type_name())
            .field("handle", &format_args!("{:#x}", self.object.raw.raw()))
            .field("generation", &self.object.generation)
            .field("owned", &self.object.owned)
            .finish()
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({:#x})", self.raw.raw())
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if !self.session.is_forked() {
            self.session.forget_object(self);
        }
        if self.owned && !self.is_released() {
            let claim = self.session.claim_of_dropped(self);
            self.session.release(self.generation, self.raw, self.release, claim);
        }
        // One after the other instead of each within the other: chains may be long.
        let mut above = self.parent.take();
        while let Some(parent) = above {
            above = match Arc::into_inner(parent) {
                Some(mut parent) => parent.parent.take(),
                None => None,
            };
        }
    }
}

impl Unfit {
    /// The error for a handle that cannot be passed. Nothing was published.
    pub(super) fn error(self, context: &Context, name: &str, object: &Object, wanted: &'static str) -> Error {
        let error = self.error_without(context, name, object, wanted);
        match object.front().filter(|_| self == Unfit::OtherWorker) {
            Some(_) if object.is_released() => error.with_more("; what stood for it was released"),
            Some(front) => error.with_more(&format!("; {}", front.why_not(context.generation))),
            None => error,
        }
    }

    /// As [`Unfit::error`], without a word on being made anew.
    pub(super) fn error_without(
        self,
        context: &Context,
        name: &str,
        object: &Object,
        wanted: &'static str,
    ) -> Error {
        let (given, made, serving) = (object.type_name(), object.generation, context.generation);
        let (kind, message) = match self {
            Unfit::OtherSession => (ErrorKind::UnknownHandle, format!("`{name}` belongs to another session")),
            Unfit::OtherType => {
                (ErrorKind::WrongHandleType, format!("`{name}` takes a {wanted}, not a {given}"))
            }
            Unfit::OtherWorker => {
                let text =
                    format!("`{name}` was made by worker {made}, which is gone; now worker {serving} serves");
                (ErrorKind::StaleHandle, text)
            }
            Unfit::Released => (ErrorKind::StaleHandle, format!("`{name}` was released")),
            Unfit::ParentReleased => {
                (ErrorKind::StaleHandle, format!("what `{name}` belongs to was released"))
            }
            Unfit::OnlyLent => (
                ErrorKind::InvalidArgument,
                format!("the call takes `{name}` over, which is only lent: it belongs to the library"),
            ),
            Unfit::Unclaimed => (
                ErrorKind::InvalidArgument,
                format!("`{name}` is under a rule for threads, and the call was begun without it"),
            ),
            Unfit::InUse => (ErrorKind::InvalidArgument, format!("`{name}` {IN_USE}")),
            Unfit::Twice => (
                ErrorKind::InvalidArgument,
                format!(
                    "the call takes an object over that it is passed twice: `{name}` is or belongs to it"
                ),
            ),
        };
        let (given, wanted, argument) = (Some(given), Some(wanted), name.to_owned());
        let cause = Cause::Handle { argument, given, wanted, made, serving };
        context.not_executed(kind, cause, message)
    }
}

//! What went into a call besides bytes: objects and callbacks.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use hotcell_protocol::RawHandle;
use hotcell_protocol::wire::ReplyState;

use super::KeptCallback;
use super::handle::{Object, Unfit};
use crate::session::{Entry, Kept, Session};

/// The objects and callbacks of the call in progress, and before them those of the calls that it is nested in. The
/// memory is kept from call to call.
#[derive(Default)]
pub(crate) struct Passed {
    objects: Vec<PassedObject>,
    /// Callbacks: number, and bytes of the argument block.
    callbacks: Vec<(i32, u32)>,
    /// How many of them are of the calls around.
    around: (usize, usize),
    /// Callbacks that the library is to keep, by number, and for which objects, until the call is published.
    kept: Vec<(i32, Entry, Weak<Object>)>,
    /// Objects that the call configures, as one of several, and by which function, until it is published.
    settings: Vec<(Weak<Object>, &'static str)>,
    /// Kept callbacks that have gone meanwhile.
    gone: Vec<Box<KeptCallback>>,
    /// Objects that were kept may be free to go now.
    lets_go: bool,
}

/// What a nested call must leave as it found it.
#[derive(Default)]
pub(crate) struct Outer {
    around: (usize, usize),
    gone: Vec<Box<KeptCallback>>,
    lets_go: bool,
}

/// An object that went in.
#[derive(Debug)]
pub(super) struct PassedObject {
    pub(super) object: Arc<Object>,
    pub(super) usage: Usage,
    /// This call has taken it over: not another one before it.
    took: AtomicBool,
}

impl PassedObject {
    pub(super) fn new(object: &Arc<Object>, usage: Usage) -> PassedObject {
        PassedObject { object: Arc::clone(object), usage, took: AtomicBool::new(false) }
    }
}

/// What a call does with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    /// It is there afterwards.
    Kept,
    /// The same, and no call that is nested in another that uses it may do this.
    Alone,
    /// The call takes it over.
    Consumed,
    /// The call takes it over, unless it fails.
    ConsumedOnSuccess,
}

impl Usage {
    fn takes_over(self) -> bool {
        matches!(self, Usage::Consumed | Usage::ConsumedOnSuccess)
    }

    /// Whether an object can be used like this in a call that is passed these: the call must not take over what it is
    /// passed elsewhere, nor what that belongs to.
    pub(super) fn beside(self, object: &Object, others: &[PassedObject]) -> Result<(), Unfit> {
        let twice = others.iter().any(|other| {
            self.takes_over() && object.is_or_holds(&other.object)
                || other.usage.takes_over() && other.object.is_or_holds(object)
        });
        if twice { Err(Unfit::Twice) } else { Ok(()) }
    }

    /// Whether an object can be used like this in a call that is nested in those that are passed these.
    fn inside(self, object: &Object, around: &[PassedObject]) -> Result<(), Unfit> {
        let in_use = around.iter().any(|other| match self {
            Usage::Kept => false,
            Usage::Alone => object.raw == other.object.raw,
            Usage::Consumed | Usage::ConsumedOnSuccess => object.is_or_holds(&other.object),
        });
        if in_use { Err(Unfit::InUse) } else { Ok(()) }
    }
}

impl Passed {
    /// Begins a call inside of this one.
    pub(crate) fn descend(&mut self) -> Outer {
        let around = std::mem::replace(&mut self.around, (self.objects.len(), self.callbacks.len()));
        let (gone, lets_go) = (std::mem::take(&mut self.gone), std::mem::take(&mut self.lets_go));
        Outer { around, gone, lets_go }
    }

    /// Goes back to the call around, when the one inside has ended.
    pub(crate) fn ascend(&mut self, outer: Outer) {
        // The seat may be another one than that of the call around, which has lost its own.
        let (objects, callbacks) = outer.around;
        self.around = (objects.min(self.objects.len()), callbacks.min(self.callbacks.len()));
        self.gone = outer.gone;
        self.lets_go = outer.lets_go;
    }

    /// What a call in flight was passed, if anything, until its reply is judged.
    #[inline]
    pub(super) fn set_aside(&mut self) -> Option<Passed> {
        let plain = self.objects.is_empty() && self.gone.is_empty() && !self.lets_go;
        if plain { None } else { Some(std::mem::take(self)) }
    }

    /// Whether nothing was passed, and nothing has gone: there is nothing to forget.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.objects.is_empty() && self.callbacks.is_empty() && self.kept.is_empty() && self.gone.is_empty()
    }

    /// Forgets the call. Comes with the callbacks that went with what it took over, and those it never published.
    pub(crate) fn end(&mut self, session: &Session) -> Vec<Box<KeptCallback>> {
        if self.is_plain() {
            return Vec::new();
        }
        for PassedObject { object, usage, .. } in &self.objects[self.around.0..] {
            if usage.takes_over() && object.is_released() {
                self.gone.extend(session.went(object.generation, object.raw));
            }
        }
        if std::mem::take(&mut self.lets_go) {
            session.let_go();
        }
        self.objects.truncate(self.around.0);
        self.callbacks.truncate(self.around.1);
        self.settings.clear();
        self.gone.extend(self.kept.drain(..).filter_map(|(_, entry, _)| entry.run));
        std::mem::take(&mut self.gone)
    }

    /// Behind this call objects may be free to go that another one kept. Such a call is passed that one.
    pub(super) fn may_let_go(&mut self) {
        self.lets_go = true;
    }

    /// Has callbacks dropped when the turn is over.
    pub(crate) fn drop_later(&mut self, callbacks: impl IntoIterator<Item = Box<KeptCallback>>) {
        self.gone.extend(callbacks);
    }

    /// Notes an object, unless the call would take over what it is passed elsewhere, or what that belongs to, or what a
    /// call around uses.
    pub(super) fn add_object(&mut self, object: &Arc<Object>, usage: Usage) -> Result<(), Unfit> {
        let (around, own) = self.objects.split_at(self.around.0);
        usage.inside(object, around)?;
        usage.beside(object, own)?;
        self.objects.push(PassedObject::new(object, usage));
        Ok(())
    }

    /// Notes an object of an entry of a batch, which was found fit when it was put, unless that has changed. What entries
    /// before this one take over, the worker knows.
    pub(super) fn add_of_batch(
        &mut self,
        passed: PassedObject,
        generation: u64,
    ) -> Result<(), (Unfit, Arc<Object>)> {
        let around = &self.objects[..self.around.0];
        let fit = passed.object.serves(generation);
        match fit.and_then(|()| passed.usage.inside(&passed.object, around)) {
            Ok(()) => {
                self.objects.push(passed);
                Ok(())
            }
            Err(unfit) => Err((unfit, passed.object)),
        }
    }

    /// Forgets the objects that were noted last.
    pub(super) fn drop_last(&mut self, count: usize) {
        self.objects.truncate(self.objects.len().saturating_sub(count).max(self.around.0));
    }

    /// The batch was executed: what an entry took over is gone, and everything else is not, whatever entries before that one
    /// or behind it came to. Of each entry the objects it was passed, and the state of its reply.
    pub(super) fn taken_over(&self, entries: impl Iterator<Item = (Range<u32>, Option<ReplyState>)>) {
        self.give_back(Usage::Consumed);
        self.give_back(Usage::ConsumedOnSuccess);
        let own = &self.objects[self.around.0..];
        for (range, state) in entries {
            let objects = own.get(range.start as usize..range.end as usize).unwrap_or_default();
            for PassedObject { object, usage, .. } in objects {
                let taken = match state {
                    Some(ReplyState::Returned) => usage.takes_over(),
                    Some(ReplyState::LibraryError) => *usage == Usage::Consumed,
                    _ => false,
                };
                if taken {
                    object.set_released(true);
                }
            }
        }
    }

    pub(super) fn add_callback(&mut self, number: u16, args_size: u16) {
        self.callbacks.push((i32::from(number), u32::from(args_size)));
    }

    pub(super) fn add_kept(&mut self, number: i32, entry: Entry, until: &Arc<Object>) {
        self.kept.push((number, entry, Arc::downgrade(until)));
    }

    /// A function was passed the last objects, in a batch or in a pipeline: what it configures is not kept, so an object of which that
    /// would have to be cannot be made anew as it was.
    pub(super) fn note_settings(&mut self, objects: usize, function: u16, name: &'static str) {
        let first = self.objects.len().saturating_sub(objects);
        for PassedObject { object, .. } in &self.objects[first..] {
            let front = object.stood_for().unwrap_or_else(|| Arc::clone(object));
            if front.front().is_some_and(|it| it.configured_by(function).is_some()) {
                self.settings.push((Arc::downgrade(&front), name));
            }
        }
    }

    /// The call is published: from now on the library may call what it was to keep, and objects are as it configures them.
    #[inline]
    pub(super) fn keep(&mut self, kept: &Kept) {
        if !(self.kept.is_empty() && self.settings.is_empty()) {
            self.keep_passed(kept);
        }
    }

    #[cold]
    fn keep_passed(&mut self, kept: &Kept) {
        for (_, entry, until) in &self.kept {
            if let Some(until) = until.upgrade() {
                until.keeps_a_callback(entry.function);
            }
        }
        kept.add(self.kept.drain(..).map(|(number, entry, _)| (number, entry)));
        for (front, function) in self.settings.drain(..) {
            if let Some(object) = front.upgrade()
                && let Some(front) = object.front()
            {
                front.lose(format!("`{function}` configured it in a batch or in a pipeline"));
            }
        }
    }

    /// Whether any object went in.
    pub(super) fn has_objects(&self) -> bool {
        self.own().next().is_some()
    }

    /// The object of this handle that went in.
    pub(super) fn object(&self, handle: u64) -> Option<Arc<Object>> {
        self.own().find(|passed| passed.object.raw.raw() == handle).map(|passed| Arc::clone(&passed.object))
    }

    /// Whether this object went in.
    pub(super) fn has(&self, handle: RawHandle) -> bool {
        self.own().any(|passed| passed.object.raw == handle)
    }

    /// Bytes of the argument block of a callback that was passed.
    pub(super) fn callback_size(&self, number: i32) -> Option<u32> {
        self.callbacks[self.around.1..]
            .iter()
            .find(|callback| callback.0 == number)
            .map(|callback| callback.1)
    }

    /// The call is published: what it takes over is gone.
    #[inline]
    pub(super) fn take_over(&self) {
        for PassedObject { object, took, .. } in self.own().filter(|passed| passed.usage.takes_over()) {
            took.store(!object.set_released(true), Ordering::Relaxed);
        }
    }

    /// The call did not come to taking over what it uses like this.
    pub(super) fn give_back(&self, usage: Usage) {
        for PassedObject { object, took, .. } in self.own().filter(|passed| passed.usage == usage) {
            if took.swap(false, Ordering::Relaxed) {
                object.set_released(false);
            }
        }
    }

    /// The objects of the call in progress.
    fn own(&self) -> impl Iterator<Item = &PassedObject> {
        self.objects[self.around.0..].iter()
    }
}

impl fmt::Debug for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passed").field("objects", &self.objects).field("callbacks", &self.callbacks).finish()
    }
}

impl fmt::Debug for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outer").field("around", &self.around).finish_non_exhaustive()
    }
}

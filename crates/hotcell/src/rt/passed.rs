//! What went into a call besides bytes: objects and callbacks.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hotcell_protocol::RawHandle;

use super::KeptCallback;
use super::handle::Object;
use crate::session::{Entry, Kept};

/// The objects and callbacks of the call in progress. The memory is kept from call to call.
#[derive(Default)]
pub(crate) struct Passed {
    objects: Vec<PassedObject>,
    /// Callbacks: number, and bytes of the argument block.
    callbacks: Vec<(i32, u32)>,
    /// Callbacks that the library is to keep, by number, until the call is published.
    kept: Vec<(i32, Entry)>,
    /// Kept callbacks that have gone meanwhile.
    gone: Vec<Box<KeptCallback>>,
}

/// An object that went in.
#[derive(Debug)]
pub(super) struct PassedObject {
    pub(super) object: Arc<Object>,
    pub(super) usage: Usage,
}

/// What a call does with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    /// It is there afterwards.
    Kept,
    /// The call takes it over.
    Consumed,
    /// The call takes it over, unless it fails.
    ConsumedOnSuccess,
}

impl Passed {
    /// Forgets the call. Comes with the callbacks that went with what it took over, and those it never published.
    #[inline]
    pub(crate) fn end(&mut self, kept: &Kept) -> Vec<Box<KeptCallback>> {
        for PassedObject { object, usage } in &self.objects {
            if *usage != Usage::Kept && object.is_released() {
                self.gone.extend(kept.end(object.generation, object.raw));
            }
        }
        self.objects.clear();
        self.callbacks.clear();
        self.gone.extend(self.kept.drain(..).filter_map(|(_, entry)| entry.run));
        std::mem::take(&mut self.gone)
    }

    /// Has callbacks dropped when the turn is over.
    pub(crate) fn drop_later(&mut self, callbacks: impl IntoIterator<Item = Box<KeptCallback>>) {
        self.gone.extend(callbacks);
    }

    /// Notes an object. False when the call would take over what it is passed elsewhere, or what that belongs to.
    pub(super) fn add_object(&mut self, object: &Arc<Object>, usage: Usage) -> bool {
        let clashes = self.objects.iter().any(|other| {
            usage != Usage::Kept && object.is_or_holds(&other.object)
                || other.usage != Usage::Kept && other.object.is_or_holds(object)
        });
        if !clashes {
            self.objects.push(PassedObject { object: Arc::clone(object), usage });
        }
        !clashes
    }

    pub(super) fn add_callback(&mut self, number: u16, args_size: u16) {
        self.callbacks.push((i32::from(number), u32::from(args_size)));
    }

    pub(super) fn add_kept(&mut self, number: i32, entry: Entry) {
        self.kept.push((number, entry));
    }

    /// The call is published: from now on the library may call what it was to keep.
    #[inline]
    pub(super) fn keep(&mut self, kept: &Kept) {
        if !self.kept.is_empty() {
            kept.add(self.kept.drain(..));
        }
    }

    /// Whether any object went in.
    pub(super) fn has_objects(&self) -> bool {
        !self.objects.is_empty()
    }

    /// Whether this object went in.
    pub(super) fn has(&self, handle: RawHandle) -> bool {
        self.objects.iter().any(|passed| passed.object.raw == handle)
    }

    /// Bytes of the argument block of a callback that was passed.
    pub(super) fn callback_size(&self, number: i32) -> Option<u32> {
        self.callbacks.iter().find(|callback| callback.0 == number).map(|callback| callback.1)
    }

    /// The call is published: what it takes over is gone.
    #[inline]
    pub(super) fn take_over(&self) {
        for PassedObject { object, .. } in self.objects.iter().filter(|passed| passed.usage != Usage::Kept) {
            object.released.store(true, Ordering::Relaxed);
        }
    }

    /// The call did not come to taking over what it uses like this.
    pub(super) fn give_back(&self, usage: Usage) {
        for PassedObject { object, .. } in self.objects.iter().filter(|passed| passed.usage == usage) {
            object.released.store(false, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passed").field("objects", &self.objects).field("callbacks", &self.callbacks).finish()
    }
}

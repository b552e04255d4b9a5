//! The objects of a session that somebody holds, by their handles: so that one handle is one object here, as it is in
//! the worker.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};

use hotcell_protocol::RawHandle;
use parking_lot::Mutex;

use super::Session;
use crate::rt::Object;

/// What a worker calls an object, with the worker's generation.
type Name = (u64, RawHandle);

/// The objects of one session. Who has a turn looks and adds; whoever drops the last of an object takes it out.
#[derive(Default)]
pub(super) struct Objects(Mutex<HashMap<Name, Weak<Object>>>);

impl Session {
    /// The object of a handle, if somebody holds it and no call has taken it over.
    pub(crate) fn known_object(&self, generation: u64, handle: RawHandle) -> Option<Arc<Object>> {
        let found = self.shared.objects.0.lock().get(&(generation, handle)).and_then(Weak::upgrade);
        // Behind the lock: this may be the last of it.
        found.filter(|object| !object.is_released())
    }

    /// From now on this is the object of its handle. For one that is lent it comes with another that is that already, by a call
    /// on another thread: then that is it, for one handle is one object. What is lent gives way to the application's own; and
    /// what a call under way takes over stays, for it may come back.
    pub(crate) fn add_object(&self, object: &Arc<Object>) -> Option<Arc<Object>> {
        let mut list = self.shared.objects.0.lock();
        let place = list.entry(object.name()).or_default();
        let known = place.upgrade();
        let is_there = known.as_ref().is_some_and(|known| !known.is_released());
        let is_lent = known.as_ref().is_some_and(|known| !known.is_owned());
        if known.is_none() || object.is_owned() && is_there && is_lent {
            *place = Arc::downgrade(object);
        }
        drop(list);
        // Behind the lock: this may be the last of it.
        known.filter(|_| is_there && !object.is_owned())
    }

    /// Nobody holds this object any more.
    pub(crate) fn forget_object(&self, object: &Object) {
        let mut list = self.shared.objects.0.lock();
        let name = object.name();
        if list.get(&name).is_some_and(|known| std::ptr::eq(known.as_ptr(), object)) {
            list.remove(&name);
        }
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").field("count", &self.0.lock().len()).finish()
    }
}

//! The objects of a session that somebody holds, by their handles: so that one handle is one object here, as it is in
//! the worker.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Arc, Weak};

use hotcell_protocol::RawHandle;
use hotcell_shm::lock::Mutex;

use super::Session;
use crate::rt::Object;

/// What a worker calls an object, with the worker's generation.
type Name = (u64, RawHandle);

/// The objects of one session. Who has a turn looks and adds; whoever drops the last of an object takes it out.
#[derive(Default)]
pub(super) struct Objects(Mutex<List>);

#[derive(Default)]
struct List {
    known: HashMap<Name, Weak<Object>>,
    /// How many of them there are of each generation.
    counts: HashMap<u64, usize>,
    /// What is done when nobody holds any more.
    then: Option<Box<dyn FnOnce() + Send>>,
}

impl List {
    /// The place of an object, which has one from now on.
    fn place(&mut self, name: Name) -> &mut Weak<Object> {
        self.known.entry(name).or_insert_with(|| {
            *self.counts.entry(name.0).or_default() += 1;
            Weak::new()
        })
    }

    fn remove(&mut self, name: Name) {
        if self.known.remove(&name).is_none() {
            return;
        }
        if let Entry::Occupied(mut count) = self.counts.entry(name.0) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

impl Session {
    /// The object of a handle, if somebody holds it and no call has taken it over.
    pub(crate) fn known_object(&self, generation: u64, handle: RawHandle) -> Option<Arc<Object>> {
        let found = self.shared.objects.0.lock().known.get(&(generation, handle)).and_then(Weak::upgrade);
        // Behind the lock: this may be the last of it.
        found.filter(|object| !object.is_released())
    }

    /// From now on this is the object of its handle. For one that is lent it comes with another that is that already, by a call
    /// on another thread: then that is it, for one handle is one object. What is lent gives way to the application's own; and
    /// what a call under way takes over stays, for it may come back.
    pub(crate) fn add_object(&self, object: &Arc<Object>) -> Option<Arc<Object>> {
        let mut list = self.shared.objects.0.lock();
        let place = list.place(object.name());
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
        // Another may have its name by now. This one may have been moved: it is not known by its address.
        if list.known.get(&name).is_some_and(|known| known.strong_count() == 0) {
            list.remove(name);
        }
        let then = if list.known.is_empty() { list.then.take() } else { None };
        drop(list);
        then.into_iter().for_each(|then| then());
    }

    /// How many objects of this worker somebody holds, released or not. It looks at none of them: calls wait for the lock, and who looks
    /// last at an object would be the one to release it.
    pub(super) fn held_objects(&self, generation: u64) -> usize {
        self.shared.objects.0.lock().counts.get(&generation).copied().unwrap_or(0)
    }

    /// How many objects of this worker somebody holds that were not released.
    pub(super) fn living_objects(&self, generation: u64) -> usize {
        let list = self.shared.objects.0.lock();
        let of_worker = list.known.iter().filter(|((of, _), _)| *of == generation);
        let known: Vec<_> = of_worker.filter_map(|(_, known)| known.upgrade()).collect();
        // Behind the lock: these may be the last of them.
        drop(list);
        known.iter().filter(|object| !object.is_released()).count()
    }

    /// How many objects somebody holds that can be made anew.
    fn kept_objects(&self) -> usize {
        if self.restores().is_empty() {
            return 0;
        }
        let known: Vec<_> = self.shared.objects.0.lock().known.values().filter_map(Weak::upgrade).collect();
        known.iter().filter(|object| object.is_kept()).count()
    }

    /// Whether somebody holds any object, be it one of a worker that has gone.
    pub(super) fn has_objects(&self) -> bool {
        self.has_handles() && !self.shared.objects.0.lock().known.is_empty()
    }

    /// Has this done when nobody holds an object of the session any more. It comes back where nobody does now.
    pub(super) fn when_free(&self, then: Box<dyn FnOnce() + Send>) -> Option<Box<dyn FnOnce() + Send>> {
        let mut list = self.shared.objects.0.lock();
        if list.known.is_empty() {
            return Some(then);
        }
        let before = list.then.replace(then);
        drop(list);
        drop(before);
        None
    }

    /// What was to be done when nobody holds an object any more, if the objects that are held are none of the worker that serves.
    pub(super) fn free_of_living(&self) -> Option<Box<dyn FnOnce() + Send>> {
        let serving = self.shared.service.serving();
        // Those that can be made anew are made in this session.
        match serving.map_or(0, |worker| self.living_objects(worker.generation())) + self.kept_objects() {
            0 => self.shared.objects.0.lock().then.take(),
            _ => None,
        }
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").field("count", &self.0.lock().known.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_counted_by_generation() {
        let name = |generation, handle| (generation, RawHandle::new(1, 1, handle));
        let mut list = List::default();
        for name in [name(1, 1), name(1, 1), name(1, 2), name(2, 1)] {
            list.place(name);
        }
        assert_eq!(list.counts, HashMap::from([(1, 2), (2, 1)]));
        for name in [name(1, 1), name(1, 1), name(2, 1), name(3, 1)] {
            list.remove(name);
        }
        assert_eq!(list.counts, HashMap::from([(1, 1)]));
        assert_eq!(list.known.len(), 1);
    }
}

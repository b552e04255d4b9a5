//! A place for one value, which threads take out and put back.

use std::fmt;
use std::marker::PhantomData;
use std::ptr;
#[cfg(not(loom))]
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering;

#[cfg(loom)]
use loom::sync::atomic::AtomicPtr;

/// One boxed value, or nothing: whoever takes it has it alone until it is put back.
///
/// Taking and putting are steps of the one order of all sequentially consistent operations, so that who puts a value back and
/// then looks for those who want it, and who says that he wants it and then tries to take it, cannot miss each other.
pub struct Slot<T> {
    value: AtomicPtr<T>,
    /// It owns the value, and threads hand it on to each other.
    owns: PhantomData<Box<T>>,
}

impl<T> Slot<T> {
    /// A place with a value.
    pub fn new(value: Box<T>) -> Slot<T> {
        Slot { value: AtomicPtr::new(Box::into_raw(value)), owns: PhantomData }
    }

    /// A place without one.
    pub fn empty() -> Slot<T> {
        Slot { value: AtomicPtr::new(ptr::null_mut()), owns: PhantomData }
    }

    /// Takes the value, if it is there.
    #[inline]
    pub fn take(&self) -> Option<Box<T>> {
        Self::owned(self.value.swap(ptr::null_mut(), Ordering::SeqCst))
    }

    /// Puts a value. Comes with the one that was there.
    #[inline]
    pub fn put(&self, value: Box<T>) -> Option<Box<T>> {
        Self::owned(self.value.swap(Box::into_raw(value), Ordering::SeqCst))
    }

    /// Whether the value is there now.
    #[inline]
    pub fn is_there(&self) -> bool {
        !self.value.load(Ordering::SeqCst).is_null()
    }

    /// Takes the value.
    pub fn take_mut(&mut self) -> Option<Box<T>> {
        #[cfg(not(loom))]
        let value = std::mem::replace(self.value.get_mut(), ptr::null_mut());
        #[cfg(loom)]
        let value = self.value.with_mut(|value| std::mem::replace(value, ptr::null_mut()));
        Self::owned(value)
    }

    #[inline]
    fn owned(value: *mut T) -> Option<Box<T>> {
        // SAFETY: what is not null was made by `Box::into_raw` in `new` or `put`, and the swap that it comes from has taken
        // it out of the place, so nobody else has it.
        (!value.is_null()).then(|| unsafe { Box::from_raw(value) })
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        self.take_mut();
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let there = !self.value.load(Ordering::Relaxed).is_null();
        f.write_str(if there { "Slot(there)" } else { "Slot(taken)" })
    }
}

// SAFETY: a value is handed from thread to thread, but never seen by two at a time.
unsafe impl<T: Send> Send for Slot<T> {}
// SAFETY: as above; nothing but whole values comes out of a shared place.
unsafe impl<T: Send> Sync for Slot<T> {}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::sync::atomic::AtomicU32;
    use std::thread;

    use super::*;

    #[test]
    fn a_value_is_taken_once() {
        let slot = Slot::new(Box::new(7));
        assert!(slot.is_there());
        assert_eq!(slot.take(), Some(Box::new(7)));
        assert!(!slot.is_there());
        assert_eq!(slot.take(), None);
        assert_eq!(slot.put(Box::new(8)), None);
        assert_eq!(slot.put(Box::new(9)), Some(Box::new(8)));
        assert_eq!(format!("{slot:?}"), "Slot(there)");
    }

    #[test]
    fn what_is_left_is_dropped_with_its_place() {
        let value = Rc::new(());
        let slot = Slot::new(Box::new(Rc::clone(&value)));
        drop(slot);
        assert_eq!(Rc::strong_count(&value), 1);
    }

    #[test]
    fn threads_hand_it_on() {
        const TIMES: u32 = 10_000;
        let slot = Slot::new(Box::new(0));
        let inside = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut times = 0;
                    while times < TIMES {
                        let Some(mut value) = slot.take() else {
                            thread::yield_now();
                            continue;
                        };
                        assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                        *value += 1;
                        inside.fetch_sub(1, Ordering::Relaxed);
                        assert_eq!(slot.put(value), None);
                        times += 1;
                    }
                });
            }
        });
        assert_eq!(slot.take(), Some(Box::new(3 * TIMES)));
    }
}

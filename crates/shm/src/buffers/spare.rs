//! A place for something that waits to be used again.

use std::fmt;
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// One boxed value, or nothing. Threads put values there and take them, without a lock; once it is closed, nothing is put there
/// any more.
pub(super) struct Spare<T> {
    /// Null where there is nothing, [`closed`] where nothing can be.
    value: AtomicPtr<T>,
    /// It owns the value, and threads hand it on to each other.
    owns: PhantomData<Box<T>>,
}

/// No address of a box, for it is one byte into one.
fn closed<T>() -> *mut T {
    const { assert!(align_of::<T>() > 1, "the address of a box may be odd") };
    ptr::without_provenance_mut(1)
}

impl<T> Spare<T> {
    /// Takes the value, if there is one. The place must not be closed yet.
    #[inline]
    pub(super) fn take(&self) -> Option<Box<T>> {
        // Partner: the release in `offer`.
        Self::owned(self.value.swap(ptr::null_mut(), Ordering::Acquire))
    }

    /// Puts a value into a place that belongs to it, or comes back with the value: something is there, or the place is closed.
    ///
    /// Who takes the value may drop it, and the place with it, before this returns: it is not touched any more then.
    #[inline]
    pub(super) fn offer(value: Box<T>, place: impl FnOnce(&T) -> &Spare<T>) -> Result<(), Box<T>> {
        let value = Box::into_raw(value);
        // SAFETY: it comes out of a box, which nobody else has until it is in the place.
        let place: *const Spare<T> = place(unsafe { &*value });
        // SAFETY: the place lives for as long as the value does, which this thread has until the exchange has been made.
        let exchanged = unsafe {
            (*place).value.compare_exchange(ptr::null_mut(), value, Ordering::Release, Ordering::Relaxed)
        };
        // SAFETY: it was not put there, so this thread still has it.
        exchanged.map(|_| ()).map_err(|_| unsafe { Box::from_raw(value) })
    }

    /// Has nothing be put there from now on. Comes with the value that was there.
    pub(super) fn close(&self) -> Option<Box<T>> {
        Self::owned(self.value.swap(closed(), Ordering::Acquire))
    }

    fn owned(value: *mut T) -> Option<Box<T>> {
        let there = !value.is_null() && value != closed();
        // SAFETY: it was made by `Box::into_raw` in `offer`, and the swap that it comes from has taken it out of the place, so
        // nobody else has it.
        there.then(|| unsafe { Box::from_raw(value) })
    }
}

impl<T> Default for Spare<T> {
    fn default() -> Spare<T> {
        Spare { value: AtomicPtr::new(ptr::null_mut()), owns: PhantomData }
    }
}

impl<T> Drop for Spare<T> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<T> fmt::Debug for Spare<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spare")
    }
}

// SAFETY: a value is handed from thread to thread, but never seen by two at a time.
unsafe impl<T: Send> Send for Spare<T> {}
// SAFETY: as above; nothing but whole values comes out of a shared place.
unsafe impl<T: Send> Sync for Spare<T> {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    /// A value that knows its place, as blocks of buffers do.
    struct Known {
        place: Arc<Spare<Known>>,
        number: u32,
    }

    fn offer(place: &Arc<Spare<Known>>, number: u32) -> Result<(), u32> {
        let value = Box::new(Known { place: Arc::clone(place), number });
        Spare::offer(value, |value| &value.place).map_err(|value| value.number)
    }

    #[test]
    fn what_is_there_stays_until_it_is_taken() {
        let place = Arc::default();
        assert_eq!((offer(&place, 1), offer(&place, 2)), (Ok(()), Err(2)));
        assert_eq!(place.take().unwrap().number, 1);
        assert!(place.take().is_none());
        assert_eq!(offer(&place, 3), Ok(()));
        place.close();
    }

    #[test]
    fn nothing_is_put_into_a_closed_place() {
        let place = Arc::default();
        assert_eq!(offer(&place, 1), Ok(()));
        assert_eq!(place.close().unwrap().number, 1);
        assert_eq!(offer(&place, 2), Err(2));
        assert!(place.close().is_none());
        assert_eq!(Arc::strong_count(&place), 1, "a value was lost");
    }

    #[test]
    fn of_all_that_is_offered_nothing_is_lost_when_it_closes() {
        for _ in 0..200 {
            let place = Arc::default();
            thread::scope(|scope| {
                for number in 0..2 {
                    let place = &place;
                    scope.spawn(move || (0..50).for_each(|_| _ = offer(place, number)));
                }
                scope.spawn(|| place.close());
            });
            assert_eq!(Arc::strong_count(&place), 1, "a value was lost");
        }
    }
}

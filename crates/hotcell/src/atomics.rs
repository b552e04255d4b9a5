//! What threads of this process meet at: the atomics and locks of the machine, or in a model those of loom, which tries every
//! order.

#[cfg(not(all(test, loom)))]
pub(crate) use hotcell_shm::lock::{Condvar, Mutex, MutexGuard};
#[cfg(all(test, loom))]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU32};
#[cfg(not(all(test, loom)))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32};

#[cfg(all(test, loom))]
pub(crate) use model::{Condvar, Mutex, MutexGuard};

use std::time::Instant;

/// The time. In a model it stands still.
pub(crate) fn now() -> Instant {
    #[cfg(all(test, loom))]
    {
        static BEGAN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        *BEGAN.get_or_init(Instant::now)
    }
    #[cfg(not(all(test, loom)))]
    Instant::now()
}

/// The locks of loom, with the methods that those of the machine have here.
#[cfg(all(test, loom))]
mod model {
    use std::ops::{Deref, DerefMut};
    use std::time::Instant;

    use loom::sync as of_loom;

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(of_loom::Mutex<T>);

    /// There but while it is waited with.
    pub(crate) struct MutexGuard<'a, T>(Option<of_loom::MutexGuard<'a, T>>);

    #[derive(Debug, Default)]
    pub(crate) struct Condvar(of_loom::Condvar);

    pub(crate) struct Waited;

    impl<T> Mutex<T> {
        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            MutexGuard(Some(self.0.lock().expect("no thread of a model panics")))
        }
    }

    impl Condvar {
        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }

        /// No time comes.
        pub(crate) fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, _: Instant) -> Waited {
            let held = guard.0.take().expect("it is held");
            guard.0 = Some(self.0.wait(held).expect("no thread of a model panics"));
            Waited
        }
    }

    impl Waited {
        pub(crate) fn timed_out(&self) -> bool {
            false
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.0.as_ref().expect("it is held")
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.0.as_mut().expect("it is held")
        }
    }
}

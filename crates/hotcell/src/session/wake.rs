//! Waking tasks: a waker is the application's, and may do anything.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Wakes a task. Whoever wakes goes on, for others wait as well; what a waker panics with may itself panic when it is dropped.
pub(crate) fn wake(task: Waker) {
    catch_unwind(AssertUnwindSafe(|| task.wake())).unwrap_or_else(mem::forget);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    struct Panics;

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("a waker of the application's");
        }
    }

    #[test]
    fn who_wakes_goes_on_whatever_the_waker_does() {
        wake(Waker::from(Arc::new(Panics)));
    }
}

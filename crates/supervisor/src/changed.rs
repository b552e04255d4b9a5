//! Tells those who wait for a worker that something about it has changed: threads, and tasks.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;
use std::time::Instant;

use hotcell_shm::lock::{Condvar, Mutex, MutexGuard, Waited};

/// Notified with every change of the state that callers and the monitor share.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    threads: Condvar,
    /// Each by who waits: nobody waits twice.
    tasks: Mutex<Vec<(u64, Waker)>>,
}

impl Changed {
    /// Wakes everybody. What has changed must be there to be seen already, and its lock not held: a task may be run by its
    /// waker, which is the application's.
    pub(crate) fn notify_all(&self) {
        self.threads.notify_all();
        let tasks = mem::take(&mut *self.tasks.lock());
        for (_, task) in tasks {
            // Who wakes goes on, for others wait as well. What it panics with may itself panic when it is dropped.
            let woken = catch_unwind(AssertUnwindSafe(|| task.wake()));
            woken.unwrap_or_else(mem::forget);
        }
    }

    /// Waits for a change of what this guards.
    pub(crate) fn wait_until<T>(&self, state: &mut MutexGuard<'_, T>, until: Instant) -> Waited {
        self.threads.wait_until(state, until)
    }

    /// Has a task woken by the next change. It looks at the state after this, not before.
    pub(crate) fn watch(&self, who: u64, task: &Waker) {
        let known = |tasks: &[(u64, Waker)]| tasks.iter().position(|(of, _)| *of == who);
        {
            let tasks = self.tasks.lock();
            if known(&tasks).is_some_and(|at| tasks[at].1.will_wake(task)) {
                return;
            }
        }
        // Wakers are made and dropped without the lock: that is code of the application, too.
        let task = task.clone();
        let before = {
            let mut tasks = self.tasks.lock();
            match known(&tasks) {
                Some(at) => Some(mem::replace(&mut tasks[at].1, task)),
                None => {
                    tasks.push((who, task));
                    None
                }
            }
        };
        drop(before);
    }

    /// Nobody waits here by this number any more.
    pub(crate) fn forget(&self, who: u64) {
        let gone = {
            let mut tasks = self.tasks.lock();
            tasks.iter().position(|(of, _)| *of == who).map(|at| tasks.swap_remove(at))
        };
        drop(gone);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Looks at who waits when it is woken, and when it is dropped.
    struct Looks(Arc<Changed>, mpsc::Sender<&'static str>);

    impl Wake for Looks {
        fn wake(self: Arc<Self>) {
            self.0.forget(7);
            let _ = self.1.send("woken");
        }
    }

    impl Drop for Looks {
        fn drop(&mut self) {
            self.0.forget(7);
            let _ = self.1.send("dropped");
        }
    }

    #[test]
    fn what_wakes_a_task_may_come_back_when_it_is_woken_and_when_it_is_dropped() {
        let changed = Arc::new(Changed::default());
        let (told, tells) = mpsc::channel();
        let looks = || Waker::from(Arc::new(Looks(Arc::clone(&changed), told.clone())));
        let (first, second) = (looks(), looks());
        let changes = Arc::clone(&changed);
        std::thread::spawn(move || {
            changes.watch(1, &first);
            drop(first);
            changes.watch(1, &second);
            drop(second);
            changes.notify_all();
        });
        for expected in ["dropped", "woken", "dropped"] {
            // A watchdog: it would wait for itself.
            assert_eq!(tells.recv_timeout(std::time::Duration::from_secs(20)), Ok(expected));
        }
    }

    struct Panics;

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("this task cannot be woken");
        }
    }

    #[test]
    fn a_waker_that_panics_keeps_nobody_else_asleep() {
        let changed = Changed::default();
        let count = Arc::new(Count::default());
        changed.watch(1, &Waker::from(Arc::new(Panics)));
        changed.watch(2, &Waker::from(Arc::clone(&count)));
        changed.notify_all();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_task_is_woken_once_for_each_time_it_watches() {
        let changed = Changed::default();
        let counts = [Arc::new(Count::default()), Arc::new(Count::default())];
        let woken = || counts.each_ref().map(|count| count.0.load(Ordering::Relaxed));
        let tasks = counts.each_ref().map(|count| Waker::from(Arc::clone(count)));
        changed.notify_all();
        changed.watch(1, &tasks[0]);
        changed.watch(1, &tasks[0]);
        changed.watch(2, &tasks[1]);
        changed.notify_all();
        changed.notify_all();
        assert_eq!(woken(), [1, 1]);
        changed.watch(1, &tasks[0]);
        changed.watch(2, &tasks[1]);
        changed.forget(1);
        changed.notify_all();
        assert_eq!(woken(), [1, 2]);
    }
}

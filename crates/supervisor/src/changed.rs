//! Tells those who wait for a worker that something about it has changed: threads, and tasks.

use std::task::Waker;
use std::time::Instant;

use parking_lot::{Condvar, Mutex, MutexGuard, WaitTimeoutResult};

/// Notified with every change of the state that callers and the monitor share.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    threads: Condvar,
    /// Each by who waits: nobody waits twice.
    tasks: Mutex<Vec<(u64, Waker)>>,
}

impl Changed {
    /// Wakes everybody. What has changed must be there to be seen already.
    pub(crate) fn notify_all(&self) {
        self.threads.notify_all();
        let tasks = std::mem::take(&mut *self.tasks.lock());
        // Behind the lock: a task may be run by its waker.
        tasks.into_iter().for_each(|(_, task)| task.wake());
    }

    /// Waits for a change of what this guards.
    pub(crate) fn wait_until<T>(&self, state: &mut MutexGuard<'_, T>, until: Instant) -> WaitTimeoutResult {
        self.threads.wait_until(state, until)
    }

    /// Has a task woken by the next change. It looks at the state after this, not before.
    pub(crate) fn watch(&self, who: u64, task: &Waker) {
        let mut tasks = self.tasks.lock();
        match tasks.iter_mut().find(|(of, _)| *of == who) {
            Some((_, known)) => known.clone_from(task),
            None => tasks.push((who, task.clone())),
        }
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
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
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

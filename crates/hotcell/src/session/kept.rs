//! Callbacks that the library keeps: from the call that passes one until the object goes that it was registered with.
//!
//! The library may call them in any later call of the session; they run on the thread that waits for that call. Those that
//! it may also call on threads of its own run on the session's dispatcher thread then. One that runs on one of the two is
//! waited for by the other; so is one that runs in a call of another thread. A task waits as tasks do: it is woken.

use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Waker;

use hotcell_protocol::{RawHandle, wire};
use hotcell_shm::lock::{Condvar, Mutex};

use super::wake::wake;
use super::{instant_of, this_thread};
use crate::rt::KeptCallback;

/// The kept callbacks of one session, by number.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// How many numbers were given out. None is given twice: a library may hold on to old ones.
    numbers: AtomicU32,
    list: Mutex<List>,
    /// Notified when one has run that another thread may wait for, or has gone; so are the tasks of the list.
    back: Condvar,
}

/// What is kept, and who waits.
#[derive(Debug, Default)]
struct List {
    entries: HashMap<i32, Entry>,
    /// Tasks that wait until one has run.
    tasks: Vec<Waker>,
}

/// A callback of the application, and how long it is kept.
pub(crate) struct Entry {
    /// The function that it was passed to.
    pub(crate) function: &'static str,
    /// Bytes of its argument block.
    pub(crate) args_size: u32,
    /// The worker whose library has it.
    pub(crate) generation: u64,
    /// The objects that it goes with, whichever goes first.
    pub(crate) until: [RawHandle; 2],
    /// Whether threads of the library may call it.
    pub(crate) by_threads: bool,
    /// There unless it runs.
    pub(crate) run: Option<Box<KeptCallback>>,
    /// The number of the thread that it runs on.
    pub(crate) runs_on: Option<u64>,
}

/// Who looks for a callback.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asks<'a> {
    /// A call, which waits until then, in monotonic nanoseconds, for one that runs on another thread.
    Call(u64),
    /// A call of a task, which is woken when one that runs on another thread has run.
    #[cfg_attr(not(feature = "tokio"), expect(dead_code, reason = "nothing else has tasks"))]
    Task(&'a Waker),
    /// The dispatcher thread, which waits for one that runs in a call.
    Dispatcher,
}

/// What is behind a number.
pub(crate) enum Found {
    /// A callback, to be given back with [`Kept::ran`].
    Ready(Ready),
    /// One that runs already, further out on this thread.
    Running,
    /// One that ran on another thread for too long.
    Late,
    /// One that runs on another thread: the task is woken when it has run.
    Busy,
    /// One that threads of the library may not call.
    NotByThreads,
    /// Nothing any more: its object or its worker has gone.
    Gone,
}

/// A callback to be run.
pub(crate) struct Ready {
    pub(crate) run: Box<KeptCallback>,
    /// Bytes of its argument block.
    pub(crate) args_size: u32,
    /// The function that it was passed to.
    pub(crate) function: &'static str,
}

impl Kept {
    /// A number for a callback; `None` when all were given out.
    pub(crate) fn number(&self) -> Option<i32> {
        let first = wire::KEPT_CALLBACKS;
        let count = self.numbers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
            (count <= i32::MAX as u32 - first).then_some(count + 1)
        });
        i32::try_from(first + count.ok()?).ok()
    }

    /// Keeps callbacks from now on.
    pub(crate) fn add(&self, callbacks: impl Iterator<Item = (i32, Entry)>) {
        self.list.lock().entries.extend(callbacks);
    }

    /// The callback of a number, to be run.
    pub(crate) fn find(&self, number: i32, generation: u64, asks: Asks<'_>) -> Found {
        let mut list = self.list.lock();
        loop {
            let of_worker = |entry: &&mut Entry| entry.generation == generation;
            let Some(entry) = list.entries.get_mut(&number).filter(of_worker) else {
                return Found::Gone;
            };
            if matches!(asks, Asks::Dispatcher) && !entry.by_threads {
                return Found::NotByThreads;
            }
            if let Some(run) = entry.run.take() {
                entry.runs_on = Some(this_thread());
                return Found::Ready(Ready { run, args_size: entry.args_size, function: entry.function });
            }
            if entry.runs_on.is_none_or(|thread| thread == this_thread()) {
                return Found::Running;
            }
            match asks {
                Asks::Dispatcher => self.back.wait(&mut list),
                Asks::Task(waker) => {
                    if !list.tasks.iter().any(|task| task.will_wake(waker)) {
                        list.tasks.push(waker.clone());
                    }
                    return Found::Busy;
                }
                Asks::Call(deadline) => {
                    if self.back.wait_until(&mut list, instant_of(deadline)).timed_out() {
                        return Found::Late;
                    }
                }
            }
        }
    }

    /// Whether one runs on this thread.
    pub(super) fn run_here(&self) -> bool {
        let here = Some(this_thread());
        self.list.lock().entries.values().any(|entry| entry.runs_on == here)
    }

    /// Takes a callback back that has run. It comes out again when it went meanwhile.
    #[must_use]
    pub(crate) fn ran(&self, number: i32, run: Box<KeptCallback>) -> Option<Box<KeptCallback>> {
        let mut list = self.list.lock();
        let Some(entry) = list.entries.get_mut(&number) else { return Some(run) };
        let was_run = entry.runs_on.take().is_some();
        let before = entry.run.replace(run);
        let tasks = if was_run { self.wake(&mut list) } else { Vec::new() };
        drop(list);
        tasks.into_iter().for_each(wake);
        before
    }

    /// Wakes the threads that wait until one has run, and comes with the tasks that do: those are woken without the lock.
    fn wake(&self, list: &mut List) -> Vec<Waker> {
        self.back.notify_all();
        mem::take(&mut list.tasks)
    }

    /// Whether the library of this worker has any.
    pub(super) fn any(&self, generation: u64) -> bool {
        self.list.lock().entries.values().any(|entry| entry.generation == generation)
    }

    /// Takes out what goes with this object.
    pub(crate) fn end(&self, generation: u64, object: RawHandle) -> Vec<Box<KeptCallback>> {
        self.take_out(|entry| entry.generation == generation && entry.until.contains(&object))
    }

    /// Takes out what the library of this worker had.
    pub(super) fn end_worker(&self, generation: u64) -> Vec<Box<KeptCallback>> {
        self.take_out(|entry| entry.generation == generation)
    }

    /// Takes out everything: the workers have gone.
    pub(super) fn end_all(&self) -> Vec<Box<KeptCallback>> {
        self.end_all_but(&[])
    }

    /// Takes out everything but what the libraries of these workers have.
    pub(super) fn end_all_but(&self, generations: &[u64]) -> Vec<Box<KeptCallback>> {
        self.take_out(|entry| !generations.contains(&entry.generation))
    }

    /// What is taken out is dropped by the caller, later: it is the application's, and may do anything.
    fn take_out(&self, goes: impl Fn(&Entry) -> bool) -> Vec<Box<KeptCallback>> {
        let mut list = self.list.lock();
        if list.entries.is_empty() {
            return Vec::new();
        }
        let gone: Vec<_> = list.entries.extract_if(|_, entry| goes(entry)).collect();
        let one_runs = gone.iter().any(|(_, entry)| entry.runs_on.is_some());
        let tasks = if one_runs { self.wake(&mut list) } else { Vec::new() };
        drop(list);
        tasks.into_iter().for_each(wake);
        gone.into_iter().filter_map(|(_, entry)| entry.run).collect()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("args_size", &self.args_size).field("until", &self.until).finish()
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").field("function", &self.function).finish_non_exhaustive()
    }
}

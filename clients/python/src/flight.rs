//! What a thread has in flight: calls of its pipelines, which nobody else may use, and what they come to, which anybody may have.
//!
//! The calls are kept by their thread. The object of Python has but their number: it may be used, and be dropped, anywhere. Where it
//! is dropped on another thread while calls are in flight, theirs lets go of them: when it begins something that may wait, or ends.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, ThreadId};

use hotcell::dynamic::Outcome;
use hotcell::{Pipeline as Calls, Session, Ticket};
use pyo3::exceptions::{PyBaseException, PyRuntimeError};
use pyo3::prelude::*;

use crate::ffi;
use crate::hears::Hears;
use crate::results::Taken;

/// A call that was sent.
pub(crate) enum Sent {
    Plain(Ticket<Taken>),
    /// One that goes by values.
    ByValue(Ticket<Outcome>),
}

/// What one gave.
pub(crate) enum Gave {
    Plain(Taken),
    ByValue(Outcome),
}

impl Sent {
    /// Waits for it.
    pub(crate) fn take(self, calls: &mut Calls) -> hotcell::Result<Gave> {
        match self {
            Sent::Plain(ticket) => calls.take(ticket).map(Gave::Plain),
            Sent::ByValue(ticket) => calls.take(ticket).map(Gave::ByValue),
        }
    }
}

/// What has become of a call.
pub(crate) enum State {
    InFlight(Sent),
    /// It has ended, and no object of Python is made of that yet.
    Came(hotcell::Result<Gave>),
    Done(Py<PyAny>),
    Failed(Py<PyBaseException>),
}

/// Where that is; empty while somebody takes it.
pub(crate) struct Slot(Mutex<Option<State>>);

impl Slot {
    pub(crate) fn of(state: State) -> Arc<Slot> {
        Arc::new(Slot(Mutex::new(Some(state))))
    }

    /// No code of Python runs while it is locked.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, unless somebody has it.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, Option<State>>> {
        self.0.try_lock().ok()
    }

    fn is_in_flight(&self) -> bool {
        matches!(*self.lock(), Some(State::InFlight(_)))
    }
}

/// Calls of one pipeline, while some are in flight.
pub(crate) struct Going {
    pub(crate) calls: Calls,
    pub(crate) hears: Hears,
    /// Those that somebody is going to ask for.
    slots: VecDeque<Weak<Slot>>,
    /// Slots at which it is looked which of them nobody asks for any more.
    most: usize,
    any: Arc<AtomicBool>,
}

/// So many slots are not worth a look.
const FEW: usize = 64;

impl Going {
    fn new(session: &Session, any: &Arc<AtomicBool>) -> Going {
        let hears = Hears::new();
        let calls = hears.session(session).pipeline();
        any.store(true, Ordering::Release);
        Going { calls, hears, slots: VecDeque::new(), most: FEW, any: Arc::clone(any) }
    }

    pub(crate) fn add(&mut self, slot: &Arc<Slot>) {
        if self.slots.len() >= self.most {
            self.slots.retain(|slot| slot.upgrade().is_some_and(|slot| slot.is_in_flight()));
            self.most = FEW.max(2 * self.slots.len());
        }
        self.slots.push_back(Arc::downgrade(slot));
    }

    /// Waits for all of them.
    pub(crate) fn settle(&mut self) {
        self.calls.settle();
        while let Some(slot) = self.slots.pop_front() {
            let Some(slot) = slot.upgrade() else { continue };
            let mut state = slot.lock();
            *state = match state.take() {
                Some(State::InFlight(sent)) => Some(State::Came(sent.take(&mut self.calls))),
                other => other,
            };
        }
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        // What panics in a call is that call's own, and nobody asks for it.
        let _ = catch_unwind(AssertUnwindSafe(|| self.settle()));
        self.any.store(false, Ordering::Release);
        if let Some(raised) = self.hears.raised() {
            ffi::raise_later(raised);
        }
    }
}

/// Calls of a thread, by the numbers of their pipelines.
type Here = RefCell<HashMap<u64, Rc<RefCell<Going>>>>;

thread_local! {
    static HERE: ManuallyDrop<Here> = ManuallyDrop::new(RefCell::default());
    static END: End = const { End };
}

/// Ends what its thread has in flight, with the thread. What a thread has of its own is dropped in the opposite order of its making:
/// this is made when the runtime has made what it needs.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        let _ = HERE.try_with(|here| drop(here.take()));
        drop(taken_of_this_thread());
    }
}

/// Pipelines that were dropped on other threads than theirs, with calls in flight.
static LEFT: Mutex<Vec<(ThreadId, u64)>> = Mutex::new(Vec::new());
/// How many those are.
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn taken_of_this_thread() -> Vec<u64> {
    if COUNT.load(Ordering::Acquire) == 0 {
        return Vec::new();
    }
    let own = thread::current().id();
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = left.extract_if(.., |(thread, _)| *thread == own).map(|(_, number)| number).collect();
    COUNT.store(left.len(), Ordering::Release);
    taken
}

/// Lets go of calls in flight of this thread whose pipelines other threads have dropped: before it waits for something that they have.
pub(crate) fn let_go_of_left(py: Python<'_>) {
    for number in taken_of_this_thread() {
        if let Some(going) = taken(number) {
            ffi::aside(py, || drop(going));
        }
    }
}

fn taken(number: u64) -> Option<Rc<RefCell<Going>>> {
    HERE.try_with(|here| here.borrow_mut().remove(&number)).ok().flatten()
}

/// What was done, and what a signal raised meanwhile.
pub(crate) struct Ran<R> {
    pub(crate) done: R,
    pub(crate) raised: Option<PyErr>,
}

impl<R> Ran<R> {
    /// What was done, unless something was raised.
    pub(crate) fn unless_raised(self) -> PyResult<R> {
        self.raised.map_or(Ok(self.done), Err)
    }
}

/// The calls of one pipeline, from wherever.
pub(crate) struct Flights {
    thread: ThreadId,
    number: u64,
    /// Whether there are any.
    any: Arc<AtomicBool>,
}

impl Flights {
    /// Those of a pipeline of this thread.
    pub(crate) fn new() -> Flights {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        Flights { thread: thread::current().id(), number, any: Arc::default() }
    }

    /// Whether some are in flight, or were and nobody has looked at their replies.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Does something with them, in which it may let go of Python's lock; `None` where there are none. When none is in flight any
    /// more, they are gone behind this, and the session is free of them.
    pub(crate) fn with<R>(
        &self,
        py: Python<'_>,
        run: impl FnOnce(&mut Going) -> R,
    ) -> PyResult<Option<Ran<R>>> {
        self.look()?;
        let going = HERE.with(|here| here.borrow().get(&self.number).cloned());
        going.map(|going| self.run(py, going, run)).transpose()
    }

    /// The same; where there are none, some of this session are begun.
    pub(crate) fn begin<R>(
        &self,
        py: Python<'_>,
        session: &Session,
        run: impl FnOnce(&mut Going) -> R,
    ) -> PyResult<Ran<R>> {
        self.look()?;
        let begun = || Rc::new(RefCell::new(Going::new(session, &self.any)));
        let going = HERE.with(|here| Rc::clone(here.borrow_mut().entry(self.number).or_insert_with(begun)));
        let ran = self.run(py, going, run);
        let _ = END.try_with(|_| ());
        ran
    }

    fn look(&self) -> PyResult<()> {
        if thread::current().id() == self.thread {
            return Ok(());
        }
        Err(PyRuntimeError::new_err("it belongs to the thread that made it: make another one here"))
    }

    fn run<R>(
        &self,
        py: Python<'_>,
        going: Rc<RefCell<Going>>,
        run: impl FnOnce(&mut Going) -> R,
    ) -> PyResult<Ran<R>> {
        const WAITS: &str = "it waits for a call, and this comes from a function which that calls";
        let mut own = going.try_borrow_mut().map_err(|_| PyRuntimeError::new_err(WAITS))?;
        let done = run(&mut own);
        let raised = own.hears.raised();
        if raised.is_some() {
            // All of them are given up, for good: what is sent from now on is not of them.
            ffi::aside(py, || own.settle());
        }
        if own.calls.in_flight() == 0 {
            own.settle();
            drop(own);
            let last = taken(self.number);
            ffi::aside(py, || drop((last, going)));
        }
        Ok(Ran { done, raised })
    }
}

impl Drop for Flights {
    fn drop(&mut self) {
        if !self.any.load(Ordering::Acquire) {
            return;
        }
        if thread::current().id() == self.thread {
            if let Some(going) = taken(self.number) {
                ffi::let_go(going);
            }
            return;
        }
        let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
        left.push((self.thread, self.number));
        COUNT.store(left.len(), Ordering::Release);
    }
}

//! Calls that nobody ends any more. The library leaves one and does not come back from it, by a jump over the frames that were to
//! answer it, or by the end of its thread; or the host does not answer a callback. What the library left behind is not known: so the
//! worker ends at once, and says why.

use std::ffi::c_void;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use hotcell_protocol::wire::{Event, capabilities};

use crate::report::{Failure, REPORTED};
use crate::serve::Worker;
use crate::{control, crash};

thread_local! {
    /// Its address tells threads apart.
    static HERE: u8 = const { 0 };
}

/// Who waits for the answer to a callback: a thread, and where on its stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiter {
    thread: usize,
    frame: usize,
}

impl Waiter {
    /// The calling thread, in the frame of the caller or one that it calls.
    #[inline(never)]
    pub(crate) fn here() -> Waiter {
        let frame = 0u8;
        Waiter { thread: HERE.with(|here| std::ptr::from_ref(here).addr()), frame: (&raw const frame).addr() }
    }

    /// Whether the frame that waits is gone, as this thread must know that is in another now: stacks grow downwards. One on a stack
    /// that the library made itself is taken to be there.
    fn is_left(self) -> bool {
        let here = Waiter::here();
        here.thread == self.thread
            && here.frame > self.frame
            && [here, self].iter().all(|it| crash::is_on_stack(it.frame as u64))
    }
}

/// What runs when a thread ends that has this key's value: none where the system has no key left.
static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();

/// Has it noticed when this thread, which serves, is ended by the library.
pub(crate) fn attend(worker: &'static Worker) {
    let key = KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: the key is a valid place to write to, and the function has the type that is asked for.
        let made = unsafe { libc::pthread_key_create(&mut key, Some(thread_ends)) };
        (made == 0).then_some(key)
    });
    if let Some(key) = key {
        // SAFETY: the key was made, and is never deleted. Without memory for it the end is noticed at the deadline.
        let _ = unsafe { libc::pthread_setspecific(*key, std::ptr::from_ref(worker).cast()) };
    }
}

/// Runs on a serving thread that ends: when the worker stops, or because the library has it end.
unsafe extern "C" fn thread_ends(worker: *mut c_void) {
    // SAFETY: the value of the key is a worker, which is there for the life of the process.
    let worker = unsafe { &*worker.cast::<Worker>() };
    if worker.stopping.load(Ordering::SeqCst) || crash::is_forked() {
        return;
    }
    let text = "the library ended the thread that executed the call, with pthread_exit or by cancelling it";
    end(worker, Event::ThreadEnded, text)
}

/// The function of a call has returned while that call waits for a callback: the library has jumped there from inside of it, or
/// another of its threads has called back.
#[cold]
pub(crate) fn returned(worker: &Worker, waiter: Waiter) -> ! {
    if waiter.thread == Waiter::here().thread {
        jumped_out(worker)
    }
    let text = "a thread of the library called a callback back whose call has returned meanwhile";
    end(worker, Event::HostViolation, text)
}

/// Ends the process when a call asks the host for something while a callback of it runs: what it asks now would be an answer to
/// nothing.
#[cold]
pub(crate) fn asked_inside(worker: Option<&Worker>, waiter: Waiter) -> ! {
    if let Some(worker) = worker.filter(|_| waiter.is_left()) {
        jumped_out(worker)
    }
    eprintln!("hotcell: a call asks the host for something while another runs inside of it");
    std::process::abort()
}

fn jumped_out(worker: &Worker) -> ! {
    let text =
        "the library jumped (longjmp) out of a call that a callback had made, back into the call around it";
    end(worker, Event::JumpedOut, text)
}

/// The host does not answer a callback, though the time of the call and more is over.
#[cold]
pub(crate) fn unanswered(worker: &Worker) -> ! {
    end(worker, Event::Unanswered, "the host has not answered a callback by the deadline of its call")
}

/// Ends the process for what became of the call of this thread.
fn end(worker: &Worker, event: Event, text: &str) -> ! {
    if worker.capabilities & capabilities::ABANDONED == 0 && event != Event::HostViolation {
        eprintln!("hotcell: {text}");
        std::process::abort();
    }
    crash::note_thread();
    Failure::new(event, text).send(&worker.socket);
    control::exit(REPORTED)
}

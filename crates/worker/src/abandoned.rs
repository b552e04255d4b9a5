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

/// The function of a call has returned while that call waits for a callback: the library has jumped there from inside of it.
#[cold]
pub(crate) fn jumped_out(worker: &Worker) -> ! {
    let text =
        "the library jumped (longjmp) out of a call that a callback had made, back into the call around it";
    end(worker, Event::JumpedOut, text)
}

/// The host does not answer a callback, though the time of the call and more is over.
#[cold]
pub(crate) fn unanswered(worker: &Worker) -> ! {
    worker.report("the host has not answered a callback by the deadline of its call");
    control::exit(REPORTED)
}

/// Ends the process for what became of the call of this thread.
fn end(worker: &Worker, event: Event, text: &str) -> ! {
    if worker.capabilities & capabilities::ABANDONED == 0 {
        eprintln!("hotcell: {text}");
        std::process::abort();
    }
    crash::note_thread();
    Failure::new(event, text).send(&worker.socket);
    control::exit(REPORTED)
}

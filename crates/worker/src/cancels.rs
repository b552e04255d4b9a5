//! Calls that the host wants stopped: the library's own function for that is called on a thread that is made for it, while the
//! serving thread is in the call.
//!
//! | field | written by | read by |
//! |---|---|---|
//! | `call_id` | the entry of the call, on its serving thread: last before the call of the library, and 0 right behind it (release) | the control thread (acquire) |
//! | `stop`, `objects` | the same, before `call_id` | the control thread, behind a `call_id` that the host has named |
//!
//! The host names a call only while it waits for it, and makes no other one on that lane before it has the answer. So what
//! was noted of a call is not written again while it is read, and its objects are there.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Builder;

use hotcell_protocol::wire::{self, Cancel, Packet};

use crate::crash;
use crate::library::Attend;
use crate::serve::Worker;
use crate::threads::MOST_STACK;

/// What a shim has called to stop a call, with the objects that it has noted.
type StopEntry = unsafe extern "C" fn(*const *mut c_void);

/// What such a function is passed.
type Objects = [*mut c_void; wire::CANCEL_OBJECTS];

/// Calls that may be in progress on a thread: one, and those that are nested in it.
const DEPTHS: usize = wire::STACK_SLOTS as usize + 1;

/// `hotcell_under_way` of the shim ABI.
#[repr(C)]
pub(crate) struct UnderWay {
    call_id: AtomicU64,
    stop: UnsafeCell<Option<StopEntry>>,
    objects: UnsafeCell<Objects>,
}

/// Those of one thread, apart from what others write.
#[repr(C, align(128))]
struct Ways([UnderWay; DEPTHS]);

// SAFETY: see the table above: who writes and who reads what is not atomic is ordered by `call_id` and by the host.
unsafe impl Sync for Ways {}
// SAFETY: as for Sync; nothing here belongs to a thread.
unsafe impl Send for Ways {}

/// Where the calls of the serving threads note that they are under way, by lane; none where no call can be stopped.
pub(crate) struct Cancels {
    attend: Option<Attend>,
    lanes: Box<[Ways]>,
}

/// What is to be called.
struct Stop {
    entry: StopEntry,
    objects: Objects,
}

// SAFETY: addresses of objects of the library, and of its code. That they can be used on another thread is what the contract says.
unsafe impl Send for Stop {}

impl UnderWay {
    fn none() -> UnderWay {
        let objects = UnsafeCell::new([ptr::null_mut(); wire::CANCEL_OBJECTS]);
        UnderWay { call_id: AtomicU64::new(0), stop: UnsafeCell::new(None), objects }
    }

    fn stop(&self, call_id: u64) -> Option<Stop> {
        // Partner: the store behind both of these, in the shim.
        if self.call_id.load(Ordering::Acquire) != call_id {
            return None;
        }
        // SAFETY: the call was seen under way, and the entry writes neither of them before the host makes another one.
        let (entry, objects) = unsafe { (*self.stop.get(), *self.objects.get()) };
        Some(Stop { entry: entry?, objects })
    }
}

impl Cancels {
    pub(crate) fn new(attend: Option<Attend>, lanes: usize) -> Cancels {
        let lanes = if attend.is_some() { lanes } else { 0 };
        Cancels {
            attend,
            lanes: (0..lanes).map(|_| Ways(std::array::from_fn(|_| UnderWay::none()))).collect(),
        }
    }

    /// Has the shim note the calls of this thread, which serves that lane.
    pub(crate) fn attend(&self, lane: usize) {
        if let (Some(attend), Some(ways)) = (self.attend, self.lanes.get(lane)) {
            // SAFETY: the shim ABI defines the signature. The place is there for the life of the process, and this thread's alone.
            unsafe { attend(ptr::from_ref(&ways.0).cast_mut().cast()) };
        }
    }

    fn find(&self, lane: u32, call_id: u64) -> Option<Stop> {
        let ways = self.lanes.get(lane as usize).filter(|_| call_id != 0)?;
        ways.0.iter().find_map(|way| way.stop(call_id))
    }
}

impl Stop {
    fn call(&self) {
        // SAFETY: the shim has noted both for this call. What the library does is the very risk this process exists to take.
        unsafe { (self.entry)(self.objects.as_ptr()) };
    }
}

/// Has the library stop a call, if that is under way, and tells the host when it was told.
pub(crate) fn stop(worker: &'static Worker, cancel: Cancel) {
    let tell = move |errno: i32| {
        let done = Cancel { errno, ..cancel };
        // Without it the host ends this process.
        let _ = worker.socket.send(Packet::CancelDone, &done.encode(), &[]);
    };
    let Some(stop) = worker.cancels.find(cancel.lane, cancel.call_id) else {
        return tell(libc::ESRCH);
    };
    let stack = crash::stack_limit().min(MOST_STACK);
    let thread = Builder::new().name("hotcell-cancel".into()).stack_size(stack);
    let called = move || {
        crash::attend_beside();
        stop.call();
        tell(0);
    };
    if let Err(error) = thread.spawn(called) {
        tell(error.raw_os_error().unwrap_or(libc::EAGAIN));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" fn note(objects: *const *mut c_void) {
        // SAFETY: the test passes the address of a counter that lives for ever.
        unsafe { (*objects).cast::<AtomicU64>().as_ref() }.unwrap().fetch_add(1, Ordering::Relaxed);
    }

    unsafe extern "C" fn attend(ways: *mut UnderWay) {
        HERE.with(|here| here.set(ways));
    }

    thread_local!(static HERE: std::cell::Cell<*mut UnderWay> = const { std::cell::Cell::new(ptr::null_mut()) });

    #[test]
    fn a_call_is_stopped_while_it_is_under_way_and_not_else() {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let cancels = Cancels::new(Some(attend), 2);
        cancels.attend(1);
        let second = HERE.with(std::cell::Cell::get).wrapping_add(1);
        // SAFETY: it is the second of the places of lane 1, and this thread does all.
        let way = unsafe { &*second };
        // SAFETY: as above.
        unsafe {
            (*way.objects.get())[0] = (&raw const COUNTER).cast_mut().cast();
            *way.stop.get() = Some(note);
        }
        way.call_id.store(7, Ordering::Release);
        for (lane, call_id) in [(1, 8), (0, 7), (2, 7), (1, 0)] {
            assert!(cancels.find(lane, call_id).is_none(), "{lane} {call_id}");
        }
        cancels.find(1, 7).unwrap().call();
        assert_eq!(COUNTER.load(Ordering::Relaxed), 1);
        way.call_id.store(0, Ordering::Release);
        assert!(cancels.find(1, 7).is_none());
    }

    #[test]
    fn where_nothing_can_be_stopped_nothing_is_found() {
        let cancels = Cancels::new(None, 64);
        cancels.attend(0);
        assert!(cancels.lanes.is_empty() && cancels.find(0, 1).is_none());
    }
}

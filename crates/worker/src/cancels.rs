//! Calls that the host wants stopped: the library's own function for that is called on a thread that is made for it, while the
//! serving thread is in the call.
//!
//! | field | written by | read by |
//! |---|---|---|
//! | `call_id` | the entry of the call, on its serving thread: last before the call of the library (release), and right behind it for 0, if it is as it was; the control thread, which claims the call so (`STOPPING`, acquire), if it is the one that the host has named; who has claimed it, when the function has returned: 0 (release) | the same |
//! | `stop`, `objects` | the entry, before `call_id` | who has claimed the call |
//! | `stopped` | here, once | the entry |
//!
//! An entry whose call is claimed waits until the function has returned. So this meets no other call, what was noted is not
//! written meanwhile, and the objects are in use by a call that has not ended.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread::Builder;

use hotcell_protocol::wire::{self, Cancel, Packet};
use rustix::thread::futex;

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

/// With the id of a call that is being stopped: no host counts so far.
const STOPPING: u64 = 1 << 63;

/// How many functions that stop calls have returned: for those that wait for one of them.
static RETURNED: AtomicU32 = AtomicU32::new(0);

/// `hotcell_under_way` of the shim ABI.
#[repr(C)]
pub(crate) struct UnderWay {
    call_id: AtomicU64,
    stop: UnsafeCell<Option<StopEntry>>,
    objects: UnsafeCell<Objects>,
    stopped: unsafe extern "C" fn(*const UnderWay),
}

/// Those of one thread, apart from what others write.
#[repr(C, align(128))]
struct Ways([UnderWay; DEPTHS]);

// SAFETY: see the table above: who writes and who reads what is not atomic is ordered by `call_id`.
unsafe impl Sync for UnderWay {}
// SAFETY: as for Sync; nothing here belongs to a thread.
unsafe impl Send for UnderWay {}

/// Where the calls of the serving threads note that they are under way, by lane; none where no call can be stopped.
pub(crate) struct Cancels {
    attend: Option<Attend>,
    lanes: Box<[Ways]>,
}

/// A call that is being stopped, until this is dropped.
struct Claim {
    way: &'static UnderWay,
    entry: StopEntry,
    objects: Objects,
}

// SAFETY: addresses of objects of the library, and of its code. That they can be used on another thread is what the contract says.
// The place is Sync.
unsafe impl Send for Claim {}

impl UnderWay {
    fn none() -> UnderWay {
        let objects = UnsafeCell::new([ptr::null_mut(); wire::CANCEL_OBJECTS]);
        UnderWay { call_id: AtomicU64::new(0), stop: UnsafeCell::new(None), objects, stopped }
    }

    /// Claims the call, if it is under way and nobody has claimed it before.
    fn claim(&'static self, call_id: u64) -> Option<Claim> {
        // Partner: the store behind both of those below, in the shim.
        self.call_id
            .compare_exchange(call_id, call_id | STOPPING, Ordering::Acquire, Ordering::Relaxed)
            .ok()?;
        // SAFETY: the entry has written both before, and writes neither before it finds the call given back.
        let (entry, objects) = unsafe { (*self.stop.get(), *self.objects.get()) };
        let Some(entry) = entry else {
            self.give_back();
            return None;
        };
        Some(Claim { way: self, entry, objects })
    }

    /// Lets the entry go on, which waits or will.
    fn give_back(&self) {
        // Partner: the load in `stopped`, or the entry's own exchange, which fails.
        self.call_id.store(0, Ordering::Release);
        RETURNED.fetch_add(1, Ordering::Release);
        let _ = futex::wake(&RETURNED, futex::Flags::PRIVATE, u32::MAX >> 1);
    }
}

/// `hotcell_under_way.stopped`: waits until the function that stops the call of this thread has returned.
unsafe extern "C" fn stopped(way: *const UnderWay) {
    // SAFETY: the shim passes the place that it was told, which is there for the life of the process.
    let call_id = unsafe { &(*way).call_id };
    loop {
        // Before the look: who finds the call claimed sees this change when it is given back.
        let returned = RETURNED.load(Ordering::Acquire);
        if call_id.load(Ordering::Acquire) & STOPPING == 0 {
            return;
        }
        // Woken, interrupted or changed meanwhile: all the same.
        let _ = futex::wait(&RETURNED, futex::Flags::PRIVATE, returned, None);
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

    fn claim(&'static self, lane: u32, call_id: u64) -> Option<Claim> {
        let ways = self.lanes.get(lane as usize).filter(|_| call_id != 0 && call_id & STOPPING == 0)?;
        ways.0.iter().find_map(|way| way.claim(call_id))
    }
}

impl Claim {
    fn call(&self) {
        // SAFETY: the shim has noted both for this call. What the library does is the very risk this process exists to take.
        unsafe { (self.entry)(self.objects.as_ptr()) };
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.way.give_back();
    }
}

/// Has the library stop a call, if that is under way, and tells the host when it was told.
pub(crate) fn stop(worker: &'static Worker, cancel: Cancel) {
    let tell = move |errno: i32| {
        let done = Cancel { errno, ..cancel };
        // Without it the host ends this process.
        let _ = worker.socket.send(Packet::CancelDone, &done.encode(), &[]);
    };
    let Some(claim) = worker.cancels.claim(cancel.lane, cancel.call_id) else {
        return tell(libc::ESRCH);
    };
    let stack = crash::stack_limit().min(MOST_STACK);
    let thread = Builder::new().name("hotcell-cancel".into()).stack_size(stack);
    let called = move || {
        let _stack = crash::attend_stopping(cancel.lane);
        claim.call();
        // Before the call can end: the host has the answer when it has the reply.
        tell(0);
        drop(claim);
    };
    if let Err(error) = thread.spawn(called) {
        tell(error.raw_os_error().unwrap_or(libc::EAGAIN));
    }
}

#[cfg(test)]
mod tests;

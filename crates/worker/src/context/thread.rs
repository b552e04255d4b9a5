//! The table that a thread of the library gets for a callback: its functions go by the dispatcher lane.
//!
//! Objects are not for such threads: the handle table belongs to the one that executes calls. No generated shim asks for
//! them there.

use std::ffi::{c_char, c_int, c_void};

use hotcell_protocol::Place;
use hotcell_protocol::wire::{self, Refusal};
use hotcell_shm::Request;

use super::{Call, Context, Reply, refuse};
use crate::dispatcher::Dispatcher;

impl Context {
    /// The table for one callback of a thread whose turn it is. `request` is the standing call, which stays where it is;
    /// `block` is the result block, `window` the reply window in force.
    pub(crate) fn of_thread(
        dispatcher: &'static Dispatcher,
        reply: *mut Reply,
        request: *const Request,
        (block, block_place): (*mut u8, Place),
        window: (Place, u64),
    ) -> Context {
        let call = Call {
            server: std::ptr::null(),
            dispatcher: Some(dispatcher),
            table: dispatcher.segments,
            lane: std::ptr::null_mut(),
            request,
            block,
            block_place,
            block_used: 0,
            block_end: wire::MAX_RESULT,
            window,
            window_used: 0,
            ahead: None,
            may_call_back: true,
            waiter: None,
            refused: None,
        };
        Context {
            space,
            callback,
            own: lends,
            lend: lends,
            get: finds,
            take: finds,
            owned: finds,
            idle: finds,
            idle_below: finds,
            invalidate: ends,
            forget: ends,
            lend_for_now: lends_for_now,
            keep: keeps,
            keep_until: keeps_until,
            may_keep: keeps_object,
            keep_object: keeps_object_until,
            keep_walled: keeps,
            let_go: lets_go,
            ..Context::new(reply, call)
        }
    }
}

/// `hotcell_ctx.space`.
unsafe extern "C" fn space(context: *mut Context, length: u64, align: u64, place: *mut u64) -> *mut c_void {
    // SAFETY: a shim passes the context it was given for its turn, and a valid place for the place.
    unsafe {
        let call = &mut (*context).call;
        let found = call.at_hand(length, align).or_else(|| {
            let needed = length.checked_add(align)?;
            call.window = call.dispatcher?.need_space(needed)?;
            call.window_used = 0;
            call.at_hand(length, align)
        });
        match found {
            Some((address, at)) => {
                *place = at.raw();
                address.cast()
            }
            None => {
                refuse(context, Refusal::NoSpace.raw(), c"the arguments".as_ptr());
                std::ptr::null_mut()
            }
        }
    }
}

/// `hotcell_ctx.callback`.
unsafe extern "C" fn callback(
    context: *mut Context,
    number: u64,
    args_place: u64,
    args_length: u32,
    value: *mut u64,
) -> c_int {
    // SAFETY: a shim passes the context it was given for its turn, and a valid place for the value.
    unsafe {
        let call = &(*context).call;
        let returned = match (i32::try_from(number), call.dispatcher) {
            (Ok(number), Some(dispatcher)) if call.refused.is_none() => {
                dispatcher.callback(number, (Place::from_raw(args_place), args_length), call.block_used)
            }
            _ => None,
        };
        match returned {
            Some(returned) => {
                *value = returned;
                1
            }
            None => 0,
        }
    }
}

/// `hotcell_ctx.end_turn`.
pub(super) unsafe extern "C" fn end_turn(context: *mut Context) {
    // SAFETY: a shim passes the context it was given for its turn, which ends in here.
    let call = unsafe { &(*context).call };
    let refused = call.refused;
    if let Some(dispatcher) = call.dispatcher {
        dispatcher.end_turn(refused.as_ref().map(super::Refused::said));
    }
}

/// A shim that asks for objects here would touch the table of another thread.
fn no_objects() -> ! {
    eprintln!("hotcell: a thread of the library's own asks for objects, which only calls may do");
    std::process::abort()
}

unsafe extern "C" fn lends(_: *mut Context, _: u16, _: *mut c_void, _: u64) -> u64 {
    no_objects()
}

unsafe extern "C" fn finds(_: *mut Context, _: u64, _: u16, _: *const c_char) -> *mut c_void {
    no_objects()
}

unsafe extern "C" fn ends(_: *mut Context, _: u64) {
    no_objects()
}

unsafe extern "C" fn lends_for_now(_: *mut Context, _: u16, _: *mut c_void) -> u64 {
    no_objects()
}

unsafe extern "C" fn keeps(_: *mut Context, _: *const c_void, _: u64, _: *const c_char) -> *mut c_void {
    no_objects()
}

unsafe extern "C" fn keeps_until(_: *mut Context, _: *mut c_void, _: u64) {
    no_objects()
}

unsafe extern "C" fn keeps_object(_: *mut Context, _: u64, _: u64, _: *const c_char) -> c_int {
    no_objects()
}

unsafe extern "C" fn keeps_object_until(_: *mut Context, _: u64, _: u64, _: u32) {
    no_objects()
}

unsafe extern "C" fn lets_go(_: *mut Context, _: u64, _: u32) {
    no_objects()
}

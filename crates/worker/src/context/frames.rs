//! What shims are given for the calls of a serving thread, made once for each depth that calls may have: of a table of some three dozen
//! words, which is the same from call to call but for a few, those few are all that a call stores.

use std::cell::UnsafeCell;
use std::ptr;

use hotcell_protocol::{Place, wire};
use hotcell_shm::{Request, SegmentTable, WorkerLane};

use super::{Call, Context, Reply};
use crate::serve::Server;

/// By depth, from the outermost call on.
pub(crate) struct Frames(Box<[UnsafeCell<Context>]>);

impl Frames {
    pub(crate) fn new(table: &'static SegmentTable, may_call_back: bool) -> Frames {
        let frame = |_| UnsafeCell::new(Context::new(ptr::null_mut(), Call::none(table, may_call_back)));
        Frames((0..=wire::STACK_SLOTS).map(frame).collect())
    }

    /// That of calls of this depth.
    #[inline]
    pub(crate) fn at(&self, depth: u8) -> *mut Context {
        self.0[usize::from(depth)].get()
    }
}

impl Context {
    /// A call begins: all that is another than for the last one.
    #[inline(always)]
    pub(crate) fn begin(
        &mut self,
        (server, lane, request): (*const Server, *mut WorkerLane, *const Request),
        reply: *mut Reply,
        ((block, block_place), fixed): ((*mut u8, Place), usize),
        window: (Place, u64),
    ) {
        self.reply = reply;
        let call = &mut self.call;
        (call.server, call.lane, call.request) = (server, lane, request);
        (call.block, call.block_place) = (block, block_place);
        (call.block_used, call.block_end) = (fixed, wire::MAX_RESULT);
        (call.window, call.window_used) = (window, 0);
        (call.ahead, call.waiter, call.refused) = (None, None, None);
    }
}

impl Call {
    /// No call of a serving thread yet.
    fn none(table: &'static SegmentTable, may_call_back: bool) -> Call {
        Call {
            server: ptr::null(),
            dispatcher: None,
            table,
            lane: ptr::null_mut(),
            request: ptr::null(),
            block: ptr::null_mut(),
            block_place: Place::NULL,
            block_used: 0,
            block_end: 0,
            window: (Place::NULL, 0),
            window_used: 0,
            ahead: None,
            may_call_back,
            waiter: None,
            refused: None,
        }
    }
}

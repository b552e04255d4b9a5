//! The serving loop: take a call, run its entry, publish the reply.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hotcell_protocol::wire::{self, Event, Refusal, ReplyState, WorkerState, capabilities};
use hotcell_shm::control::ControlSocket;
use hotcell_shm::{ReplyHead, Request, Roost, SegmentTable, WorkerChannel, WorkerLane};

use crate::context::{Call, Context, Reply, ShimRequest};
use crate::control;
use crate::handles::Handles;
use crate::library::{Function, Library};
use crate::report::{Failure, REPORTED};

/// A worker that is ready to serve.
pub(crate) struct Worker {
    pub(crate) channel: Arc<WorkerChannel>,
    pub(crate) library: Library,
    pub(crate) segments: &'static SegmentTable,
    pub(crate) socket: Arc<ControlSocket>,
    pub(crate) stopping: Arc<AtomicBool>,
    /// How the serving thread waits. Borrowed only while it does.
    pub(crate) roost: RefCell<Roost>,
    /// What host and worker agreed on.
    pub(crate) capabilities: u64,
}

impl Worker {
    /// Serves until the host says stop, or breaks the protocol. Returns the exit status.
    pub(crate) fn serve(self) -> i32 {
        let mut lanes = self.channel.lanes();
        let mut handles = Handles::new();
        let stop = || self.stopping.load(Ordering::SeqCst);
        let next = |lanes: &mut [_]| self.channel.next_call(lanes, &mut self.roost.borrow_mut(), stop);
        while let Some(request) = next(&mut lanes) {
            let lane = &mut lanes[request.lane as usize];
            if let Err(text) = self.execute(lane, &mut handles, &request, 0) {
                self.report(text);
                return REPORTED;
            }
        }
        self.channel.set_state(WorkerState::Stopping);
        self.library.shut_down();
        0
    }

    /// Executes a call that the host makes while it runs a callback of the call in progress.
    pub(crate) fn execute_nested(
        &self,
        lane: &mut WorkerLane,
        handles: &mut Handles,
        request: &Request,
        outer: &Request,
    ) {
        handles.hold();
        if let Err(text) = self.execute(lane, handles, request, outer.depth + 1) {
            self.report(text);
            // The library is in the middle of a call.
            control::exit(REPORTED);
        }
        handles.let_go();
        self.channel.begin(outer);
    }

    fn report(&self, text: &str) {
        Failure::new(Event::HostViolation, text).send(&self.socket);
    }

    #[inline]
    fn execute(
        &self,
        lane: &mut WorkerLane,
        handles: &mut Handles,
        request: &Request,
        depth: u8,
    ) -> Result<(), &'static str> {
        if request.epoch != self.channel.epoch() {
            return Err("a call of another interface epoch");
        }
        if request.flags != 0 {
            return Err("a call uses a capability that was not agreed on");
        }
        if request.depth != depth {
            return Err("a call of another depth than its slot is for");
        }
        let (head, used) = if request.function == wire::BATCH_FUNCTION {
            self.channel.begin(request);
            self.run_batch(lane, handles, request)?
        } else {
            let function = self.library.function(request.function).ok_or("a call of an unknown function")?;
            self.channel.begin(request);
            self.run(lane, handles, request, function)
        };
        self.channel.reply(lane, request, head, used);
        Ok(())
    }

    #[inline]
    fn run(
        &self,
        lane: &mut WorkerLane,
        handles: &mut Handles,
        request: &Request,
        function: &Function,
    ) -> (ReplyHead, usize) {
        if u32::from(request.args_length) < function.args_size {
            let value = u64::from(Refusal::BadArguments.raw());
            return (ReplyHead { state: ReplyState::Refused, errno: 0, result_length: 0, value }, 0);
        }
        let (block, _) = self.channel.result(lane, request);
        let result_size = function.result_size as usize;
        // SAFETY: the result block is writable, aligned to words and has MAX_RESULT bytes, a multiple of theirs;
        // `Library::load` checked that no function wants more.
        unsafe { zero_words(block.cast(), result_size.div_ceil(size_of::<u64>())) };
        let mut reply = Reply::new(block);
        let before = handles.enter();
        let handles: *mut Handles = handles;
        let call = self.call(lane, handles, request, result_size);
        let mut context = Context::new(&raw mut reply, call);
        let shim_request = ShimRequest {
            args: self.channel.args(request),
            args_length: u32::from(request.args_length),
            depth: u32::from(request.depth),
            call_id: request.call_id,
            time: request.time,
        };
        // SAFETY: the shim ABI defines the signature. All three tables live until the entry returns, and the
        // argument block has the bytes the function asks for. What the library does is the very risk this
        // process exists to take.
        unsafe { (function.entry)(&raw mut context, &raw const shim_request, &raw mut reply) };
        // SAFETY: the caller lends the table for the whole call, and the entry, which used it, has returned.
        unsafe { (*handles).leave(before) };
        context.head(&reply)
    }

    /// What a call has to begin with: its result block, of which `fixed` bytes are no data, and the window in force.
    #[inline(always)]
    pub(crate) fn call(
        &self,
        lane: *mut WorkerLane,
        handles: *mut Handles,
        request: &Request,
        fixed: usize,
    ) -> Call {
        // SAFETY: `serve` keeps the lane for the whole call, and nothing else refers to it now.
        let (block, block_place) = self.channel.result(unsafe { &*lane }, request);
        Call {
            worker: self,
            dispatcher: None,
            table: self.segments,
            lane,
            handles,
            request,
            block,
            block_place,
            block_used: fixed,
            block_end: wire::MAX_RESULT,
            window: self.channel.window(request),
            window_used: 0,
            may_call_back: self.capabilities & capabilities::CALLBACKS != 0,
            waits: false,
            refused: None,
        }
    }
}

/// Zeroes words, most often one or two: so it calls no function for it.
///
/// # Safety
///
/// So many words must be there, and writable.
#[inline]
unsafe fn zero_words(words: *mut u64, count: usize) {
    for index in 0..count {
        // SAFETY: the caller's promise.
        unsafe { words.add(index).write_volatile(0) };
    }
}

//! Serving: take a call, run its entry, publish the reply.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hotcell_protocol::wire::{self, Event, Refusal, ReplyState, WorkerState, capabilities};
use hotcell_shm::control::ControlSocket;
use hotcell_shm::{ReplyHead, Request, Roost, SegmentTable, WorkerChannel, WorkerLane};

use crate::cancels::Cancels;
use crate::context::{Context, Frames, Reply, ShimRequest};
use crate::handles::{Handles, SharedHandles, ThreadHandles};
use crate::library::{Function, Library};
use crate::report::{Failure, REPORTED};
use crate::threads::Threads;
use crate::{abandoned, control, heap, outermost, state};

/// A worker that is ready to serve: what its serving threads share, for the life of the process.
pub(crate) struct Worker {
    pub(crate) channel: Arc<WorkerChannel>,
    pub(crate) library: Library,
    pub(crate) segments: &'static SegmentTable,
    pub(crate) socket: Arc<ControlSocket>,
    pub(crate) stopping: Arc<AtomicBool>,
    /// What host and worker agreed on.
    pub(crate) capabilities: u64,
    /// Nanoseconds a serving thread polls for.
    pub(crate) spin: u64,
    pub(crate) handles: &'static SharedHandles,
    pub(crate) threads: Threads,
    pub(crate) cancels: Cancels,
}

/// What a serving thread has for itself.
pub(crate) struct Server {
    pub(crate) worker: &'static Worker,
    pub(crate) segments: &'static SegmentTable,
    pub(crate) handles: ThreadHandles,
    /// How it waits. Borrowed only while it does.
    pub(crate) roost: RefCell<Roost>,
    /// What shims are given, by the depth of the call.
    pub(crate) frames: Frames,
}

impl Worker {
    /// Serves on this thread until the host says stop, or breaks the protocol. Returns the exit status.
    pub(crate) fn serve(&'static self) -> i32 {
        let mut lane = [self.channel.lane(0).expect("a channel has a lane for callers")];
        // SAFETY: this is the first serving thread, and comes here once.
        let handles = unsafe { self.handles.of_thread(0) };
        abandoned::attend(self);
        self.cancels.attend(0);
        state::attend();
        let server = Server::new(self, self.segments, handles, Roost::new(self.spin));
        let stop = || self.stopping.load(Ordering::SeqCst);
        let next = |lane: &mut [_]| self.channel.next_call(lane, &mut server.roost.borrow_mut(), stop);
        while let Some(request) = next(&mut lane) {
            if let Err(text) = server.execute(&mut lane[0], &request, 0) {
                self.report(text);
                return REPORTED;
            }
            state::look_behind(self, &request);
        }
        self.threads.join();
        self.channel.set_state(WorkerState::Stopping);
        self.library.shut_down();
        0
    }

    pub(crate) fn report(&self, text: &str) {
        Failure::new(Event::HostViolation, text).send(&self.socket);
    }
}

impl Server {
    /// What a thread has that serves with this table of segments, and waits like this.
    pub(crate) fn new(
        worker: &'static Worker,
        segments: &'static SegmentTable,
        handles: ThreadHandles,
        roost: Roost,
    ) -> Server {
        let frames = Frames::new(segments, worker.capabilities & capabilities::CALLBACKS != 0);
        Server { worker, segments, handles, roost: RefCell::new(roost), frames }
    }

    /// Executes a call that the host makes while it runs a callback of the call in progress.
    pub(crate) fn execute_nested(&self, lane: &mut WorkerLane, request: &Request, outer: &Request) {
        self.handles.with(Handles::hold);
        if let Err(text) = self.execute(lane, request, outer.depth + 1) {
            self.worker.report(text);
            // The library is in the middle of a call.
            control::exit(REPORTED);
        }
        self.handles.with(Handles::let_go);
        self.worker.channel.begin(lane, outer);
    }

    /// Executes a call of this depth, and publishes its reply.
    #[inline]
    pub(crate) fn execute(
        &self,
        lane: &mut WorkerLane,
        request: &Request,
        depth: u8,
    ) -> Result<(), &'static str> {
        let Worker { channel, library, .. } = self.worker;
        if request.epoch != channel.epoch() {
            return Err("a call of another interface epoch");
        }
        if request.flags != 0 {
            return Err("a call uses a capability that was not agreed on");
        }
        if request.depth != depth {
            return Err("a call of another depth than its slot is for");
        }
        let (head, used) = if request.function == wire::BATCH_FUNCTION {
            channel.begin(lane, request);
            self.run_batch(lane, request)?
        } else {
            let function = library.function(request.function).ok_or("a call of an unknown function")?;
            channel.begin(lane, request);
            let before = heap::enter(request.function);
            let ran = self.run(lane, request, function);
            heap::leave(before);
            ran
        };
        channel.reply(lane, request, head, used);
        Ok(())
    }

    #[inline]
    fn run(&self, lane: &mut WorkerLane, request: &Request, function: &Function) -> (ReplyHead, usize) {
        if u32::from(request.args_length) < function.args_size {
            let value = u64::from(Refusal::BadArguments.raw());
            return (ReplyHead { state: ReplyState::Refused, errno: 0, result_length: 0, value }, 0);
        }
        let channel = &self.worker.channel;
        let (block, _) = channel.result(lane, request);
        let result_size = function.result_size as usize;
        // SAFETY: the result block is writable, aligned to words and has MAX_RESULT bytes, a multiple of theirs;
        // `Library::load` checked that no function wants more.
        unsafe { zero_words(block.cast(), result_size.div_ceil(size_of::<u64>())) };
        let mut reply = Reply::new(block);
        let before = self.handles.enter(request.depth);
        let context = self.begin(lane, request, &raw mut reply, result_size);
        let shim_request = ShimRequest {
            args: channel.args(request),
            args_length: u32::from(request.args_length),
            depth: u32::from(request.depth),
            call_id: request.call_id,
            time: request.time,
        };
        // SAFETY: the shim ABI defines the signature. All three tables live until the entry returns, and the
        // argument block has the bytes the function asks for. What the library does is the very risk this
        // process exists to take.
        unsafe {
            outermost::call(function.entry, context, &raw const shim_request, &raw mut reply);
        }
        // SAFETY: the call is over, and none of this depth has begun behind it: nothing else refers to its table.
        let context = unsafe { &mut *context };
        if let Some(waiter) = context.call().waiter {
            abandoned::returned(self.worker, waiter);
        }
        self.handles.leave(before);
        context.head(&reply)
    }

    /// What the shim is given for a call: it begins with its result block, of which `fixed` bytes are no data, and the window in force.
    #[inline(always)]
    pub(crate) fn begin(
        &self,
        lane: *mut WorkerLane,
        request: &Request,
        reply: *mut Reply,
        fixed: usize,
    ) -> *mut Context {
        let channel = &self.worker.channel;
        // SAFETY: who serves keeps the lane for the whole call, and nothing else refers to it now.
        let block = channel.result(unsafe { &*lane }, request);
        let context = self.frames.at(request.depth);
        // SAFETY: calls of a thread have one depth each, so none that is under way has this one.
        unsafe { (*context).begin((self, lane, request), reply, (block, fixed), channel.window(request)) };
        context
    }
}

/// Zeroes words, most often one or two: so it calls no function for it.
///
/// # Safety
///
/// So many words must be there, and writable.
#[inline]
pub(crate) unsafe fn zero_words(words: *mut u64, count: usize) {
    for index in 0..count {
        // SAFETY: the caller's promise.
        unsafe { words.add(index).write_volatile(0) };
    }
}

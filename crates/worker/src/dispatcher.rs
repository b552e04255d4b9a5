//! The dispatcher lane: what threads that the library made call back, one at a time.
//!
//! The host has a standing call on the lane. It is answered with messages only, and never with a result: a thread whose
//! turn it is asks for space, has a callback run, or says that one could not be passed, and each time waits for the
//! host's answer.

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use hotcell_protocol::Place;
use hotcell_protocol::wire::{self, Event, ReplyState};
use hotcell_shm::control::ControlSocket;
use hotcell_shm::{ReplyHead, Request, Resumed, SegmentTable, WorkerChannel, WorkerLane};

use crate::context::{Context, Reply};
use crate::control;
use crate::report::{Failure, REPORTED};
use crate::turns::Turns;

/// The lane of this process, if host and worker agreed on it.
static LANE: OnceLock<Dispatcher> = OnceLock::new();

/// The dispatcher lane, and whose turn it is there.
pub(crate) struct Dispatcher {
    channel: Arc<WorkerChannel>,
    pub(crate) segments: &'static SegmentTable,
    socket: Arc<ControlSocket>,
    stopping: Arc<AtomicBool>,
    index: u32,
    turns: Turns,
    seat: UnsafeCell<Seat>,
}

/// What belongs to the thread whose turn it is. Its parts are used by themselves, never as a whole: the table refers to the
/// reply, and is used while the lane is.
struct Seat {
    lane: WorkerLane,
    /// The standing call, once it was seen.
    call: Option<Request>,
    reply: Reply,
    context: Option<Context>,
}

// SAFETY: `seat` is touched only by the thread whose turn it is (`Turns`), and each turn comes after the one before;
// the pointers in it are to this structure, which is never moved or dropped, and to memory that is there for ever.
unsafe impl Sync for Dispatcher {}
// SAFETY: as for Sync; nothing in it belongs to the thread that made it.
unsafe impl Send for Dispatcher {}

/// Makes the lane known, before the library can be passed a callback.
pub(crate) fn open(
    channel: &Arc<WorkerChannel>,
    segments: &'static SegmentTable,
    socket: &Arc<ControlSocket>,
    stopping: &Arc<AtomicBool>,
) {
    let Some((index, lane)) = channel.dispatcher_lane() else { return };
    let reply = Reply::new(std::ptr::null_mut());
    LANE.get_or_init(|| Dispatcher {
        channel: Arc::clone(channel),
        segments,
        socket: Arc::clone(socket),
        stopping: Arc::clone(stopping),
        index,
        turns: Turns::new(),
        seat: UnsafeCell::new(Seat { lane, call: None, reply, context: None }),
    });
}

/// `hotcell_ctx.take_turn`.
pub(crate) unsafe extern "C" fn take_turn() -> *mut Context {
    LANE.get().map_or(std::ptr::null_mut(), Dispatcher::take_turn)
}

impl Dispatcher {
    /// Waits for the turn of this thread. NULL when the worker stops, or nobody listens: then it has none.
    fn take_turn(&'static self) -> *mut Context {
        self.turns.take();
        let context = if self.stops() { None } else { self.begin() };
        context.unwrap_or_else(|| {
            self.turns.pass_on();
            std::ptr::null_mut()
        })
    }

    /// The table for one callback of this thread.
    fn begin(&'static self) -> Option<*mut Context> {
        let seat = self.seat.get();
        // SAFETY: it is this thread's turn, and no earlier one has a reference to any of it.
        unsafe {
            if (*seat).call.is_none() {
                (*seat).call = self.standing_call(&mut (*seat).lane);
            }
            let call = (*seat).call.as_ref()?;
            let block = self.channel.result(&(*seat).lane, call);
            (*seat).reply = Reply::new(block.0);
            let reply = &raw mut (*seat).reply;
            let context = Context::of_thread(self, reply, call, block, self.channel.window(call));
            (*seat).context = Some(context);
            (*seat).context.as_mut().map(|context| &raw mut *context)
        }
    }

    /// The host's standing call, which it makes before it passes anything that threads may call.
    fn standing_call(&self, lane: &mut WorkerLane) -> Option<Request> {
        let call = self.channel.standing_call(self.index, lane)?;
        let fits = call.function == wire::LISTEN_FUNCTION
            && call.epoch == self.channel.epoch()
            && (call.flags, call.depth) == (0, 0);
        if !fits {
            Failure::new(Event::HostViolation, "a call on the dispatcher lane that is not its own")
                .send(&self.socket);
            control::exit(REPORTED);
        }
        Some(call)
    }

    /// Ends the turn of this thread; first it tells the host that a callback could not be passed, if so.
    pub(crate) fn end_turn(&self, refused: Option<(u32, &[u8])>) {
        if let Some((refusal, text)) = refused {
            // SAFETY: it is this thread's turn, and the block has MAX_RESULT bytes, which are more than a text has.
            unsafe {
                let block = (*self.seat.get()).reply.result;
                std::ptr::copy_nonoverlapping(text.as_ptr(), block, text.len());
            }
            let (state, result_length) = (ReplyState::Refused, text.len() as u32);
            let head = ReplyHead { state, errno: 0, result_length, value: u64::from(refusal) };
            self.exchange(head, text.len());
        }
        self.turns.pass_on();
    }

    /// Asks for reply space; the new window.
    pub(crate) fn need_space(&self, bytes: u64) -> Option<(Place, u64)> {
        let state = ReplyState::NeedSpace;
        match self.exchange(ReplyHead { state, errno: 0, result_length: 0, value: bytes }, 0) {
            Some(Resumed::Granted(place, length)) => Some((place, length)),
            _ => None,
        }
    }

    /// Has the host run a callback whose arguments lie there, with so much of the result block in use. What it returned.
    pub(crate) fn callback(&self, number: i32, args: (Place, u32), used: usize) -> Option<u64> {
        let (place, result_length) = args;
        let state = ReplyState::Callback;
        let head = ReplyHead { state, errno: number, result_length, value: place.raw() };
        match self.exchange(head, used) {
            Some(Resumed::Returned(value)) => Some(value),
            _ => None,
        }
    }

    /// Sends a message and waits for its answer; none when the worker stops. Then nothing is sent any more.
    fn exchange(&self, head: ReplyHead, used: usize) -> Option<Resumed> {
        let seat = self.seat.get();
        // SAFETY: it is this thread's turn: a shim asks between `take_turn` and `end_turn` only.
        let (lane, call) = unsafe { (&mut (*seat).lane, (*seat).call) };
        let call = call.filter(|_| !self.stops())?;
        self.channel.reply(lane, &call, head, used);
        self.channel.answered(lane, &call, || self.stops())
    }

    fn stops(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}

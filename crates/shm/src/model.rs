//! Both sides of a channel in every interleaving, by loom (`cargo dev loom`): the code that host and worker run, over
//! segments whose words are loom's and whose other bytes are watched ([`crate::mapping`]).
//!
//! Neither side polls, so that each hand-over may go through park and wake. A caller that sleeps for ever is a deadlock,
//! which loom reports; a message that is read before it is whole is an access that nothing orders.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use hotcell_protocol::wire::{self, ReplyState};

use crate::mapping::watched::Died;
use crate::{
    Answer, CallHead, HostChannel, HostLane, ReplyHead, Request, Resumed, Roost, SegmentTable, Waited,
    WorkerChannel, WorkerLane, geometry,
};

mod apart;
mod callback;
mod death;
mod dispatcher;
mod dozing;
mod flight;
mod hand_over;

/// A host's end of a channel of so many lanes, and its worker.
fn channel(lanes: u32) -> (Arc<HostChannel>, Worker) {
    let host = HostChannel::create(lanes, 7, 1).expect("a model has memory");
    host.add_eventfds(lanes).expect("a model has descriptors");
    let (request, reply) = host.files();
    let channel =
        WorkerChannel::open(request, reply, &SegmentTable::new()).expect("the geometry is the same");
    let channel = channel.with_eventfds(host.eventfds().to_vec());
    let lanes = channel.lanes();
    (host, Worker { channel, lanes, roost: Roost::new(0) })
}

/// A worker that executes by itself what others have libraries for.
struct Worker {
    channel: WorkerChannel,
    lanes: Vec<WorkerLane>,
    roost: Roost,
}

/// Bytes of the result block that the worker fills: more than lie in the line of a reply.
const RESULT: usize = 48;

/// Where an argument lies that is not in the line of its call.
const FAR: usize = 64;

impl Worker {
    /// Waits for the next call.
    fn next(&mut self) -> Request {
        self.channel.next_call(&mut self.lanes, &mut self.roost, || false).expect("nothing stops it")
    }

    /// Replies with what came in.
    fn reply(&mut self, request: &Request) {
        reply(&self.channel, &mut self.lanes[request.lane as usize], request);
    }
}

/// Replies with what came in, in the line and behind it.
fn reply(channel: &WorkerChannel, lane: &mut WorkerLane, request: &Request) {
    let (near, far) = arguments(channel, request);
    let (block, _) = channel.result(lane, request);
    // SAFETY: the block has `MAX_RESULT` bytes, and nobody else has it now.
    unsafe {
        block.cast::<u64>().write(near);
        block.add(RESULT - 8).cast::<u64>().write(far);
    }
    channel.reply(lane, request, returned(near + far), RESULT);
}

fn arguments(channel: &WorkerChannel, request: &Request) -> (u64, u64) {
    let args = geometry::slot(request.lane, request.slot) + wire::ARGS_OFFSET;
    assert_eq!((request.function, request.epoch, request.args_length), (3, 7, FAR as u16 + 8));
    (channel.request_word(args), channel.request_word(args + FAR))
}

impl WorkerChannel {
    fn request_word(&self, offset: usize) -> u64 {
        self.request().load(offset)
    }
}

fn returned(value: u64) -> ReplyHead {
    ReplyHead { state: ReplyState::Returned, errno: 0, result_length: RESULT as u32, value }
}

/// Publishes a call of this number.
fn publish(lane: &mut HostLane, number: u64) {
    lane.open_call();
    lane.put(0, number);
    lane.put(FAR, 10 * number);
    lane.publish(CallHead { function: 3, args_length: FAR as u16 + 8, call_id: number, time: 0 });
}

/// Publishes a call of this number behind so many that are in flight.
fn publish_behind(lane: &mut HostLane, number: u64, in_flight: u32) {
    lane.open_call();
    lane.put(0, number);
    lane.put(FAR, 10 * number);
    let head = CallHead { function: 3, args_length: FAR as u16 + 8, call_id: number, time: 0 };
    lane.publish_behind(head, in_flight);
}

/// Turns to the call of this number, which has the place of its number among all of a lane.
fn turn_to(lane: &mut HostLane, number: u64) {
    lane.turn_to(number as u32 - 1);
}

/// Waits for what comes next in a call, in an event loop.
fn doze(lane: &mut HostLane, number: u64) -> Waited {
    let eventfd = lane.channel().eventfds()[lane.index() as usize].clone();
    loop {
        if let Some(waited) = lane.glance(number, 1, 0).or_else(|| lane.doze(number)) {
            lane.rise();
            return waited;
        }
        eventfd.hear();
    }
}

/// Waits for what comes next in a call.
fn wait(lane: &mut HostLane, number: u64) -> Waited {
    lane.wait(number, 1, 0, 0)
}

/// Looks at the reply to a call.
fn check(lane: &HostLane, number: u64, waited: Waited) {
    assert_eq!(waited, Waited::Reply(returned(11 * number)));
    let mut result = [0; RESULT];
    lane.copy_result(&mut result);
    assert_eq!(result[..8], number.to_ne_bytes());
    assert_eq!(result[RESULT - 8..], (10 * number).to_ne_bytes());
}

/// Explores a model with at most so many switches away from a thread that could go on.
fn explore(switches: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(switches);
    builder.max_branches = 10_000;
    builder.check(model);
}

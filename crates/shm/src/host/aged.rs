//! The counters of a lane wrap: no message is lost then, and none is there that nobody sent.

use std::sync::atomic::Ordering;

use hotcell_protocol::Place;
use hotcell_protocol::wire::{self, ReplyState};
use proptest::prelude::*;

use super::{CallHead, HostChannel, HostLane, ReplyHead, Waited};
use crate::{Answer, Request, Resumed, Roost, SegmentTable, WorkerChannel, WorkerLane, geometry};

impl HostLane {
    /// The lane after calls without number, in both segments: the last commit word of each slot, and how many calls
    /// there were.
    fn age(&mut self, commit: u32, calls: u32) {
        let all = [commit; geometry::SLOTS];
        (self.next, self.calls, self.resumes, self.replies) = (calls, all, all, all);
        for slot in (0..geometry::SLOTS).map(|slot| geometry::slot(self.index, slot)) {
            self.channel.request.store(slot + wire::CALL_OFFSET + wire::call_head::COMMIT, commit);
            self.channel.request.store(slot + wire::resume_line::COMMIT, commit);
            self.channel.reply.store(slot + wire::reply_head::COMMIT, commit);
        }
    }

    /// What is there for a call now.
    fn now(&mut self, call_id: u64) -> Waited {
        self.wait(call_id, 1, 0, 1)
    }
}

/// Both ends of a lane that has this age.
fn aged(commit: u32, calls: u32) -> (HostLane, WorkerChannel, Vec<WorkerLane>) {
    let host = HostChannel::create(1, 7, 1).unwrap();
    let (request, reply) = host.files();
    let worker = WorkerChannel::open(request, reply, &SegmentTable::new()).unwrap();
    let (mut lane, mut lanes) = (host.lane(0), worker.lanes());
    lane.age(commit, calls);
    lanes[0].age(commit, calls);
    (lane, worker, lanes)
}

fn publish(lane: &mut HostLane, call_id: u64) {
    lane.open_call();
    lane.publish(CallHead { function: 3, args_length: 0, call_id, time: 0 });
}

/// Takes the one call that is there.
fn take(worker: &WorkerChannel, lanes: &mut [WorkerLane], call_id: u64) -> Request {
    let mut next = || worker.next_call(lanes, &mut Roost::new(1), || true);
    let request = next().expect("it was published");
    assert!(next().is_none(), "it is taken once");
    assert_eq!(request.call_id, call_id);
    request
}

fn head(state: ReplyState, value: u64) -> ReplyHead {
    ReplyHead { state, errno: 1, result_length: 0, value }
}

#[test]
fn what_stood_while_one_call_was_waited_for_is_no_time_of_the_next() {
    let (mut host, worker, mut lanes) = aged(0, 0);
    publish(&mut host, 1);
    let request = take(&worker, &mut lanes, 1);
    // The machine is paused for an hour, and then the reply is there.
    host.stood = 3_600_000_000_000;
    worker.reply(&mut lanes[0], &request, head(ReplyState::Returned, 5), 0);
    assert_eq!(host.now(1), Waited::Reply(head(ReplyState::Returned, 5)));
    // The second hangs.
    publish(&mut host, 2);
    assert_eq!(host.now(2), Waited::DeadlinePassed);
    assert_eq!(host.take_standstill(), 0);
}

/// However the slots go round.
#[test]
fn one_message_of_64_says_where_its_caller_is() {
    let (mut lane, worker, mut lanes) = aged(0, 0);
    let mut said = 0;
    for call_id in 1..=640 {
        lane.cpu = wire::CPU_UNKNOWN;
        publish(&mut lane, call_id);
        said += u32::from(lane.cpu != wire::CPU_UNKNOWN);
        let request = take(&worker, &mut lanes, call_id);
        worker.reply(&mut lanes[0], &request, head(ReplyState::Returned, 5), 0);
        assert_eq!(lane.now(call_id), Waited::Reply(head(ReplyState::Returned, 5)));
    }
    assert_eq!(said, 10);
}

/// A call that calls back twice, with a call nested in each, and asks for space.
fn call(lane: &mut HostLane, worker: &WorkerChannel, lanes: &mut [WorkerLane], call_id: u64) {
    assert_eq!(lane.now(call_id), Waited::DeadlinePassed, "nobody has replied");
    publish(lane, call_id);
    let request = take(worker, lanes, call_id);
    for turn in 1..=2 {
        worker.callback(&mut lanes[0], &request, 1, (Place::NULL, 0), 0);
        assert_eq!(lane.now(call_id), Waited::Reply(head(ReplyState::Callback, wire::PLACE_NULL)));
        assert_eq!(lane.now(call_id), Waited::DeadlinePassed, "it calls back once");
        assert!(lane.descend());
        publish(lane, call_id + turn);
        let Answer::Call(nested) = worker.answer(&mut lanes[0], &request, &mut Roost::new(1)) else {
            panic!("the nested call comes first")
        };
        assert_eq!((nested.call_id, nested.depth), (call_id + turn, 1));
        assert!(!worker.has_call(&mut lanes[0], 0));
        worker.reply(&mut lanes[0], &nested, head(ReplyState::Returned, turn), 0);
        assert_eq!(lane.now(call_id + turn), Waited::Reply(head(ReplyState::Returned, turn)));
        lane.ascend();
        lane.resume_callback(Some(turn));
        let Answer::Resumed(resumed) = worker.answer(&mut lanes[0], &request, &mut Roost::new(1)) else {
            panic!("nobody calls")
        };
        assert_eq!(resumed, Resumed::Returned(turn));
    }
    worker.reply(&mut lanes[0], &request, head(ReplyState::Returned, call_id), 0);
    assert_eq!(lane.now(call_id), Waited::Reply(head(ReplyState::Returned, call_id)));
    assert_eq!(lane.now(call_id), Waited::DeadlinePassed, "it returns once");
}

#[test]
fn counters_wrap_without_a_message_lost_or_invented() {
    for (commit, calls) in [(u32::MAX - 3, 5), (u32::MAX, u32::MAX), (0, u32::MAX - 7), (u32::MAX - 1, 0)] {
        let (mut lane, worker, mut lanes) = aged(commit, calls);
        // Over several turns of the ring.
        for number in 1..=8 * u64::from(wire::RING_SLOTS) {
            call(&mut lane, &worker, &mut lanes, number * 10);
        }
    }
}

#[test]
fn calls_are_counted_on_when_the_words_of_their_slots_wrap() {
    let (mut lane, worker, mut lanes) = aged(u32::MAX - 1, 0);
    let before = lane.channel.published();
    assert_eq!(before, u64::from(wire::RING_SLOTS) * u64::from(u32::MAX - 1));
    for number in 1..=3 * u64::from(wire::RING_SLOTS) {
        // Each has calls nested in it, which are none of these.
        call(&mut lane, &worker, &mut lanes, number * 10);
        assert_eq!(lane.channel.published(), before + number);
    }
}

proptest! {
    #[test]
    fn a_commit_word_is_the_last_or_the_next_or_a_violation(
        before: u32,
        seen in prop_oneof![any::<u32>(), (0..4u32).prop_map(|by| by.wrapping_sub(2))],
        relative: bool,
    ) {
        let seen = if relative { before.wrapping_add(seen) } else { seen };
        let (mut lane, ..) = aged(before, 0);
        publish(&mut lane, 1);
        let line = geometry::slot(0, 0);
        lane.channel.reply.store(line + wire::reply_head::STATE, ReplyState::Returned.raw());
        lane.channel.reply.store(line + wire::reply_head::CALL_ID, 1u64);
        lane.channel.reply.word(line + wire::reply_head::COMMIT).store(seen, Ordering::Release);
        match (lane.now(1), u64::from(seen.wrapping_sub(before))) {
            (Waited::DeadlinePassed, 0) | (Waited::Reply(_), 1) => {}
            (Waited::Violation(_), 2..) => {}
            (other, by) => prop_assert!(false, "{other:?} where the word was {by} ahead"),
        }
    }

    #[test]
    fn a_call_is_taken_whatever_the_age_of_its_lane(commit: u32, calls: u32) {
        let (mut lane, worker, mut lanes) = aged(commit, calls);
        call(&mut lane, &worker, &mut lanes, 10);
        call(&mut lane, &worker, &mut lanes, 20);
    }
}

/// A step of either side while calls are in flight.
#[derive(Debug, Clone, Copy)]
enum Step {
    Send,
    Serve,
    Take,
}

proptest! {
    /// Whatever the order of steps, and wherever the counters are: each call is executed once, in its turn, and its reply is
    /// taken once, whole, and by nobody else.
    #[test]
    fn calls_in_flight_keep_their_order_wherever_counters_wrap(
        before in 0..40u32,
        calls in prop_oneof![0..40u32, (0..40u32).prop_map(|left| u32::MAX - left)],
        steps in proptest::collection::vec(
            prop_oneof![4 => Just(Step::Send), 3 => Just(Step::Serve), 3 => Just(Step::Take)],
            0..400,
        ),
    ) {
        let (mut lane, worker, mut lanes) = aged(u32::MAX - before, calls);
        let (mut sent, mut served, mut taken) = (0u64, 0u64, 0u64);
        for step in steps {
            let in_flight = (sent - taken) as u32;
            match step {
                Step::Send if in_flight < wire::RING_SLOTS => {
                    sent += 1;
                    prop_assert_eq!(lane.next_number(), calls.wrapping_add(sent as u32 - 1));
                    lane.open_call();
                    lane.put(0, sent);
                    let head = CallHead { function: 3, args_length: 8, call_id: sent, time: 0 };
                    lane.publish_behind(head, in_flight);
                }
                Step::Serve => {
                    let request = worker.next_call(&mut lanes, &mut Roost::new(1), || true);
                    prop_assert_eq!(request.is_some(), served < sent, "each is there once");
                    let Some(request) = request else { continue };
                    served += 1;
                    prop_assert_eq!(request.call_id, served);
                    worker.reply(&mut lanes[0], &request, head(ReplyState::Returned, served), 0);
                }
                Step::Take if in_flight > 0 => {
                    let next = taken + 1;
                    lane.turn_to(calls.wrapping_add(taken as u32));
                    let expect = (served > taken).then(|| Waited::Reply(head(ReplyState::Returned, next)));
                    prop_assert_eq!(lane.peek(next, false), expect);
                    taken += u64::from(expect.is_some());
                    if expect.is_some() {
                        prop_assert_eq!(lane.peek(next, false), None, "a reply is taken once");
                    }
                }
                Step::Send | Step::Take => {}
            }
        }
    }
}

//! A host and a worker over one channel, as two threads: hand-over, continuation, death, lies.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hotcell_protocol::Place;
use hotcell_protocol::wire::{self, ReplyState};
use hotcell_shm::{
    Access, Answer, Arena, CallHead, ForkGuard, HostChannel, HostLane, Mapping, ReplyHead, Request, Resumed,
    Roost, Seals, SegmentFile, SegmentTable, Waited, Window, WorkerChannel, WorkerLane, clock,
};

const SPIN: u64 = 20_000;

/// Both ends of one channel.
struct Pair {
    host: Arc<HostChannel>,
    lane: HostLane,
    worker: WorkerChannel,
    lanes: Vec<WorkerLane>,
}

fn pair() -> Pair {
    let host = HostChannel::create(1, 7, 1).unwrap();
    let lane = host.lane(0);
    let (request, reply) = host.files();
    let worker = WorkerChannel::open(request, reply, &SegmentTable::new()).unwrap();
    let lanes = worker.lanes();
    Pair { host, lane, worker, lanes }
}

fn head(call_id: u64) -> CallHead {
    CallHead { function: 3, args_length: 16, call_id, time: 0 }
}

fn returned(value: u64) -> ReplyHead {
    ReplyHead { state: ReplyState::Returned, errno: 0, result_length: 8, value }
}

fn soon() -> u64 {
    clock::now() + 5_000_000_000
}

fn wait(lane: &mut HostLane, call_id: u64) -> Waited {
    lane.wait(call_id, clock::now(), SPIN, soon())
}

/// The number a call carries in its first argument.
fn argument(worker: &WorkerChannel, request: &Request) -> u64 {
    // SAFETY: the argument block has at least 16 bytes and is aligned to 32.
    unsafe { worker.args(request).cast::<u64>().read_volatile() }
}

/// Serves until told to stop: every reply's value is the argument plus one.
fn serve(worker: &WorkerChannel, lanes: &mut [WorkerLane], stop: &AtomicBool) -> u64 {
    let (mut served, mut roost) = (0, Roost::new(SPIN));
    while let Some(request) = worker.next_call(lanes, &mut roost, || stop.load(Ordering::SeqCst)) {
        let value = argument(worker, &request) + 1;
        worker.reply(&mut lanes[0], &request, returned(value), 0);
        served += 1;
    }
    served
}

#[test]
fn every_call_gets_its_own_reply() {
    let Pair { host, mut lane, worker, mut lanes } = pair();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let served = scope.spawn(|| serve(&worker, &mut lanes, &stop));
        assert_eq!(host.published(), 0);
        for call_id in 1..=20_000u64 {
            lane.open_call();
            lane.put(0, call_id * 3);
            lane.publish(head(call_id));
            // Now and then both sides have gone to sleep.
            if call_id % 2_000 == 0 {
                std::thread::sleep(Duration::from_millis(2));
            }
            assert_eq!(wait(&mut lane, call_id), Waited::Reply(returned(call_id * 3 + 1)));
            if call_id % 2_000 == 1 {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        stop.store(true, Ordering::SeqCst);
        while !served.is_finished() {
            worker.nudge();
            std::thread::yield_now();
        }
        assert_eq!((served.join().unwrap(), host.published()), (20_000, 20_000));
    });
}

#[test]
fn sleeping_sides_lose_no_wake_up() {
    let Pair { host: _host, mut lane, worker, mut lanes } = pair();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Without polling every single hand-over goes through park and wake.
        let serving = scope.spawn(|| {
            while let Some(request) =
                worker.next_call(&mut lanes, &mut Roost::new(0), || stop.load(Ordering::SeqCst))
            {
                worker.reply(&mut lanes[0], &request, returned(1), 0);
            }
        });
        for call_id in 1..=3_000 {
            lane.open_call();
            lane.publish(head(call_id));
            assert_eq!(lane.wait(call_id, clock::now(), 0, soon()), Waited::Reply(returned(1)));
        }
        stop.store(true, Ordering::SeqCst);
        while !serving.is_finished() {
            worker.nudge();
            std::thread::yield_now();
        }
    });
}

#[test]
fn a_call_that_is_not_published_leaves_no_trace() {
    let Pair { host: _host, mut lane, worker, mut lanes } = pair();
    for call_id in 1..=20 {
        lane.open_call();
        lane.put(0, 0xdead_u64);
        lane.open_call();
        lane.put(0, call_id);
        lane.publish(head(call_id));
        let request =
            worker.next_call(&mut lanes, &mut Roost::new(SPIN), || true).expect("the published call");
        assert_eq!((request.call_id, argument(&worker, &request)), (call_id, call_id));
        worker.reply(&mut lanes[0], &request, returned(0), 0);
        assert_eq!(wait(&mut lane, call_id), Waited::Reply(returned(0)));
    }
}

#[test]
fn a_call_continues_when_space_is_granted() {
    let Pair { host: _host, mut lane, worker, mut lanes } = pair();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for expected in [Resumed::Granted(Place::new(5, 64), 4096), Resumed::NotGranted] {
                let request = worker.next_call(&mut lanes, &mut Roost::new(SPIN), || false).unwrap();
                assert_eq!(worker.need_space(&mut lanes[0], &request, 100, &mut Roost::new(SPIN)), expected);
                worker.reply(&mut lanes[0], &request, returned(9), 0);
            }
        });
        for (call_id, window) in [(1, Some((Place::new(5, 64), 4096))), (2, None)] {
            lane.open_call();
            lane.publish(head(call_id));
            let need = ReplyHead { state: ReplyState::NeedSpace, errno: 0, result_length: 0, value: 100 };
            assert_eq!(wait(&mut lane, call_id), Waited::Reply(need));
            lane.resume(window);
            assert_eq!(wait(&mut lane, call_id), Waited::Reply(returned(9)));
        }
    });
}

#[test]
fn a_call_continues_when_a_callback_has_returned() {
    let Pair { host: _host, mut lane, worker, mut lanes } = pair();
    let args = (Place::new(1, 4096), 24);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Polling and sleeping in turn, over more calls than the ring has slots.
            for call in 0..20 {
                let spin = SPIN * (call % 2);
                let request = worker.next_call(&mut lanes, &mut Roost::new(spin), || false).unwrap();
                for turn in 0..50 {
                    let expected =
                        if turn % 5 == 4 { Resumed::Failed } else { Resumed::Returned(turn * call) };
                    let number = turn as i32 + 1;
                    worker.callback(&mut lanes[0], &request, number, args, 0);
                    assert_eq!(resumed(&worker, &mut lanes[0], &request, spin), expected);
                }
                assert_eq!(
                    worker.need_space(&mut lanes[0], &request, 1, &mut Roost::new(spin)),
                    Resumed::NotGranted
                );
                worker.reply(&mut lanes[0], &request, returned(call), 0);
            }
        });
        for call in 0..20 {
            let (call_id, spin) = (call + 1, SPIN * (call / 2 % 2));
            lane.open_call();
            lane.publish(head(call_id));
            let wait = |lane: &mut HostLane| lane.wait(call_id, clock::now(), spin, soon());
            for turn in 0..50 {
                let (place, result_length) = (args.0.raw(), args.1);
                let errno = turn as i32 + 1;
                let asked = ReplyHead { state: ReplyState::Callback, errno, result_length, value: place };
                assert_eq!(wait(&mut lane), Waited::Reply(asked));
                lane.resume_callback((turn % 5 != 4).then_some(turn * call));
            }
            let need = ReplyHead { state: ReplyState::NeedSpace, errno: 0, result_length: 0, value: 1 };
            assert_eq!(wait(&mut lane), Waited::Reply(need));
            lane.resume(None);
            assert_eq!(wait(&mut lane), Waited::Reply(returned(call)));
        }
    });
}

/// The answer to a callback in which nothing is called.
fn resumed(worker: &WorkerChannel, lane: &mut WorkerLane, request: &Request, spin: u64) -> Resumed {
    match worker.answer(lane, request, &mut Roost::new(spin)) {
        Answer::Resumed(resumed) => resumed,
        other => panic!("nobody called: {other:?}"),
    }
}

const ARGS: (Place, u32) = (Place::NULL, 8);

/// Executes a call: as many callbacks as its argument says in its low digit, which make calls of the remaining digits.
fn execute(worker: &WorkerChannel, lane: &mut WorkerLane, request: &Request, spin: u64) {
    let number = argument(worker, request);
    for turn in 0..number % 10 {
        worker.callback(lane, request, turn as i32 + 1, ARGS, 0);
        loop {
            match worker.answer(lane, request, &mut Roost::new(spin)) {
                Answer::Call(nested) => {
                    assert_eq!(nested.depth, request.depth + 1);
                    assert_eq!(worker.window(&nested), (Place::NULL, 0));
                    execute(worker, lane, &nested, spin);
                }
                Answer::Resumed(resumed) => {
                    assert_eq!(resumed, Resumed::Returned(number + turn));
                    break;
                }
                Answer::Late => panic!("the call has time"),
            }
        }
    }
    worker.reply(lane, request, returned(number), 0);
}

/// The host's part of [`execute`]: calls, and in each callback calls with the remaining digits, twice.
fn call(lane: &mut HostLane, ids: &mut u64, number: u64, spin: u64) {
    *ids += 1;
    let id = *ids;
    lane.open_call();
    lane.put(0, number);
    lane.publish(head(id));
    for turn in 0..number % 10 {
        let asked = ReplyHead {
            state: ReplyState::Callback,
            errno: turn as i32 + 1,
            result_length: ARGS.1,
            value: ARGS.0.raw(),
        };
        assert_eq!(lane.wait(id, clock::now(), spin, soon()), Waited::Reply(asked));
        assert!(lane.descend());
        for _ in 0..2 {
            // A call that is given up before it is published leaves no trace here either.
            lane.open_call();
            lane.put(0, 0xdead_u64);
            call(lane, ids, number / 10, spin);
        }
        lane.ascend();
        lane.resume_callback(Some(number + turn));
    }
    assert_eq!(lane.wait(id, clock::now(), spin, soon()), Waited::Reply(returned(number)));
}

#[test]
fn an_answer_that_does_not_come_is_waited_for_as_long_as_the_call_has() {
    let Pair { host: _host, mut lane, worker, mut lanes } = pair();
    for spin in [SPIN, 0] {
        lane.open_call();
        lane.publish(CallHead { time: 1_000_000, ..head(1 + spin) });
        let request = worker.next_call(&mut lanes, &mut Roost::new(SPIN), || false).unwrap();
        let before = std::time::Instant::now();
        worker.callback(&mut lanes[0], &request, 1, ARGS, 0);
        let answer = worker.answer(&mut lanes[0], &request, &mut Roost::new(spin));
        assert!(matches!(answer, Answer::Late), "{answer:?}");
        assert!(before.elapsed() >= std::time::Duration::from_secs(1), "the host has time to end it itself");
        worker.reply(&mut lanes[0], &request, returned(0), 0);
    }
}

#[test]
fn calls_nest_in_callbacks() {
    // Of every shape, over more calls than the ring has slots; polling, and sleeping.
    for (spin, calls) in [(SPIN, vec![0, 1, 2, 10, 11, 12, 111, 21, 1011, 3, 1111_1111]), (0, vec![11, 112])]
    {
        let Pair { host: _host, mut lane, worker, mut lanes } = pair();
        let (worker, stop) = (Arc::new(worker), Arc::new(AtomicBool::new(false)));
        let (serving, stopping) = (Arc::clone(&worker), Arc::clone(&stop));
        // Not scoped: a failure here must not wait for a worker that waits for an answer.
        let served = std::thread::spawn(move || {
            while let Some(request) =
                serving.next_call(&mut lanes, &mut Roost::new(spin), || stopping.load(Ordering::SeqCst))
            {
                assert_eq!(request.depth, 0);
                execute(&serving, &mut lanes[0], &request, spin);
            }
        });
        let mut ids = 0;
        for number in calls.iter().cycle().take(2 * calls.len()) {
            call(&mut lane, &mut ids, *number, spin);
        }
        stop.store(true, Ordering::SeqCst);
        while !served.is_finished() {
            worker.nudge();
            std::thread::yield_now();
        }
        served.join().unwrap();
    }
}

#[test]
fn calls_nest_eight_deep() {
    let Pair { host: _host, mut lane, .. } = pair();
    assert_eq!((0..9).filter(|_| lane.descend()).count(), 8);
    assert_eq!(lane.depth(), 8);
}

/// A call that waits in its callback for the nested call 2; the liar writes into the slots of both.
fn nested() -> (Pair, Liar, Liar) {
    let mut pair = pair();
    let (outer, inner) = (Liar::new(&pair.host), Liar::at(&pair.host, wire::RING_SLOTS));
    pair.lane.open_call();
    pair.lane.publish(head(1));
    outer.lie(ReplyState::Callback.raw(), 1, 8, 1);
    assert!(matches!(wait(&mut pair.lane, 1), Waited::Reply(_)));
    assert!(pair.lane.descend());
    pair.lane.open_call();
    pair.lane.publish(head(2));
    (pair, outer, inner)
}

#[test]
fn lies_about_nested_calls_are_met() {
    let returned = ReplyState::Returned.raw();
    let violates = |lane: &mut HostLane, id, expect: &str| match wait(lane, id) {
        Waited::Violation(rule) => assert!(rule.contains(expect), "{rule}"),
        other => panic!("{other:?}"),
    };
    // The outer call's id in the nested call's slot.
    let (Pair { mut lane, .. }, _, inner) = nested();
    inner.lie(returned, 1, 8, 1);
    violates(&mut lane, 2, "another call");
    // A commit word that jumps.
    let (Pair { mut lane, .. }, _, inner) = nested();
    inner.lie(returned, 2, 8, 2);
    violates(&mut lane, 2, "neither the last nor the next");
    // A reply at the wrong depth is none: the nested call waits on, and the outer one finds the lie.
    let (Pair { mut lane, .. }, outer, _) = nested();
    outer.lie(returned, 2, 8, 2);
    assert_eq!(lane.wait(2, clock::now(), 0, clock::now() + 5_000_000), Waited::DeadlinePassed);
    lane.ascend();
    violates(&mut lane, 1, "another call");
    let (Pair { host, mut lane, .. }, ..) = nested();
    Liar::at(&host, wire::RING_SLOTS + 1).lie(returned, 2, 8, 1);
    assert_eq!(lane.wait(2, clock::now(), 0, clock::now() + 5_000_000), Waited::DeadlinePassed);
}

#[test]
fn death_ends_nested_calls_and_the_outer_one() {
    let (Pair { host, mut lane, .. }, _, inner) = nested();
    host.bury();
    assert_eq!(wait(&mut lane, 2), Waited::Dead);
    lane.ascend();
    lane.resume_callback(None);
    assert_eq!(wait(&mut lane, 1), Waited::Dead);
    // A reply that was there before is delivered; the outer call is lost all the same.
    let (Pair { host, mut lane, .. }, _, before) = nested();
    before.lie(ReplyState::Returned.raw(), 2, 8, 1);
    host.bury();
    assert!(matches!(wait(&mut lane, 2), Waited::Reply(_)));
    lane.ascend();
    assert_eq!(wait(&mut lane, 1), Waited::Dead);
    drop(inner);
}

#[test]
fn a_worker_that_dies_in_a_callback_is_noticed() {
    let Pair { host, mut lane, .. } = pair();
    let liar = Liar::new(&host);
    lane.open_call();
    lane.publish(head(1));
    liar.lie(ReplyState::Callback.raw(), 1, 8, 1);
    assert!(matches!(wait(&mut lane, 1), Waited::Reply(ReplyHead { state: ReplyState::Callback, .. })));
    host.bury();
    lane.resume_callback(Some(1));
    assert_eq!(wait(&mut lane, 1), Waited::Dead);
}

#[test]
fn death_wakes_the_caller() {
    let Pair { host, mut lane, .. } = pair();
    lane.open_call();
    lane.publish(head(1));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(20));
            host.bury();
        });
        assert_eq!(wait(&mut lane, 1), Waited::Dead);
    });
}

#[test]
fn a_reply_before_death_is_delivered() {
    let Pair { host, mut lane, worker, mut lanes } = pair();
    lane.open_call();
    lane.publish(head(1));
    let request = worker.next_call(&mut lanes, &mut Roost::new(SPIN), || false).unwrap();
    worker.reply(&mut lanes[0], &request, returned(4), 0);
    host.bury();
    assert_eq!(wait(&mut lane, 1), Waited::Reply(returned(4)));
}

#[test]
fn the_deadline_passes_in_time() {
    let Pair { host: _host, mut lane, .. } = pair();
    lane.open_call();
    lane.publish(head(1));
    for spin in [0, 1_000_000_000] {
        let started = clock::now();
        let deadline = started + 20_000_000;
        assert_eq!(lane.wait(1, started, spin, deadline), Waited::DeadlinePassed);
        assert!(clock::now() >= deadline);
    }
}

/// A worker that writes what it likes into its segment.
struct Liar {
    reply: Mapping,
    slot: usize,
}

impl Liar {
    fn new(host: &HostChannel) -> Liar {
        Liar::at(host, 0)
    }

    fn at(host: &HostChannel, slot: u32) -> Liar {
        let (_, reply) = host.files();
        let slot = wire::LANES_OFFSET + wire::LANE_HEAD + slot as usize * wire::SLOT_STRIDE;
        Liar { reply: reply.map(Access::ReadWrite).unwrap(), slot }
    }

    fn lie(&self, state: u16, call_id: u64, result_length: u32, commit: u32) {
        use wire::reply_head as at;
        self.reply.store(self.slot + at::STATE, state);
        self.reply.store(self.slot + at::CALL_ID, call_id);
        self.reply.store(self.slot + at::RESULT_LENGTH, result_length);
        self.reply.word(self.slot + at::COMMIT).store(commit, Ordering::Release);
    }
}

#[test]
fn lies_are_violations() {
    let returned = ReplyState::Returned.raw();
    let check = |state, call_id, result_length, commit, expect: &str| {
        let Pair { host, mut lane, .. } = pair();
        lane.open_call();
        lane.publish(head(1));
        Liar::new(&host).lie(state, call_id, result_length, commit);
        match wait(&mut lane, 1) {
            Waited::Violation(rule) => assert!(rule.contains(expect), "{rule}"),
            other => panic!("{other:?}"),
        }
    };
    check(0, 1, 8, 1, "no such state");
    check(99, 1, 8, 1, "no such state");
    check(returned, 2, 8, 1, "another call");
    check(returned, 0, 8, 1, "another call");
    check(returned, 1, 1057, 1, "longer than its slot");
    check(returned, 1, u32::MAX, 1, "longer than its slot");
    check(ReplyState::Callback.raw(), 1, 1057, 1, "longer than its slot");
    check(ReplyState::Callback.raw(), 2, 8, 1, "another call");
    check(returned, 1, 8, 2, "neither the last nor the next");
    check(returned, 1, 8, u32::MAX, "neither the last nor the next");
}

#[test]
fn a_scribbler_is_met_with_typed_outcomes_only() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut outcomes = [0u32; 2];
    for round in 0..2_000 {
        let Pair { host, mut lane, .. } = pair();
        let liar = Liar::new(&host);
        lane.open_call();
        lane.publish(head(1));
        for _ in 0..64 {
            let offset = (random() % (wire::SLOT_STRIDE as u64 / 4)) as usize * 4;
            let value = if round % 2 == 0 { random() as u32 } else { (random() % 4) as u32 };
            liar.reply.store(liar.slot + offset, value);
        }
        let deadline = clock::now() + 100_000;
        match lane.wait(1, clock::now(), 0, deadline) {
            Waited::Violation(_) => outcomes[0] += 1,
            Waited::DeadlinePassed => outcomes[1] += 1,
            Waited::Reply(head) => {
                assert!(head.result_length as usize <= wire::MAX_RESULT);
                lane.copy_result(&mut vec![0; head.result_length as usize]);
            }
            Waited::Dead => panic!("nobody died"),
        }
    }
    assert!(outcomes[0] > 0 && outcomes[1] > 0, "{outcomes:?}");
}

#[test]
fn references_outside_of_the_grant_are_refused() {
    let Pair { host: _host, mut lane, .. } = pair();
    lane.open_call();
    let (_, window) = SegmentFile::create(4096, Seals::Reply).unwrap();
    let mut arena = Arena::default();
    let fork = Arc::new(ForkGuard::new().unwrap());
    arena.add_window(Window::new(4, window, &fork), false);
    let block = (wire::LANES_OFFSET + wire::LANE_HEAD + wire::RESULT_OFFSET) as u64;
    let end = (wire::LANES_OFFSET + wire::LANE_HEAD + wire::SLOT_STRIDE) as u64;
    let check = |segment: u16, offset: u64, length: u64, expect: bool| {
        let place = Place::from_raw(u64::from(segment) << wire::PLACE_SEGMENT_SHIFT | offset);
        let mut data = Vec::new();
        let got = lane.locate(&arena, 16, place, length);
        assert!(got.as_ref().is_none_or(|found| found.append_to(&mut data)));
        assert_eq!(got.is_some(), expect, "{segment}:{offset}+{length}");
        assert_eq!(data.len() as u64, if expect { length } else { 0 });
    };
    check(1, block + 16, 10, true);
    check(1, end - 10, 10, true);
    check(1, block, 10, false);
    check(1, end - 9, 10, false);
    check(1, end, 0, true);
    check(1, end + 1, 0, false);
    check(4, 0, 4096, true);
    check(4, 4096, 0, true);
    for length in [4097, 1 << 31, (1 << 32) - 1, 1 << 63, u64::MAX] {
        check(4, 0, length, false);
        check(1, block + 16, length, false);
    }
    check(4, 1, 4096, false);
    check(4, (1 << 48) - 1, 1, false);
    check(0, block + 16, 10, false);
    check(2, 0, 1, false);
    check(0xffff, 0, 1, false);
}

//! The dispatcher lane: a standing call that is answered with messages, beside the calls of the other lane.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hotcell_protocol::Place;
use hotcell_protocol::wire::{self, ReplyState};
use hotcell_shm::{
    CallHead, HostChannel, HostLane, ReplyHead, Request, Resumed, Roost, SegmentTable, Waited, WorkerChannel,
    WorkerLane, clock,
};

const LISTENS: u64 = 99;

/// Both ends of the dispatcher lane, with its standing call.
struct Pair {
    host: Arc<HostChannel>,
    lane: HostLane,
    worker: WorkerChannel,
    theirs: WorkerLane,
    call: Request,
}

fn pair() -> Pair {
    let host = HostChannel::create(2, 7, 1).unwrap();
    let mut lane = host.dispatcher_lane();
    let (request, reply) = host.files();
    let worker = WorkerChannel::open(request, reply, &SegmentTable::new()).unwrap();
    let (index, mut theirs) = worker.dispatcher_lane().unwrap();
    assert!(worker.standing_call(index, &mut theirs).is_none(), "nobody listens yet");
    lane.open_call();
    lane.publish(CallHead { function: wire::LISTEN_FUNCTION, args_length: 0, call_id: LISTENS, time: 0 });
    let call = worker.standing_call(index, &mut theirs).unwrap();
    assert_eq!((call.function, call.call_id, call.depth), (wire::LISTEN_FUNCTION, LISTENS, 0));
    assert!(worker.standing_call(index, &mut theirs).is_none(), "it is found once");
    Pair { host, lane, worker, theirs, call }
}

/// Has a callback run, and waits for what it returns.
fn call_back(
    worker: &WorkerChannel,
    lane: &mut WorkerLane,
    call: &Request,
    number: i32,
    stop: &AtomicBool,
) -> Option<Resumed> {
    worker.callback(lane, call, number, (Place::from_raw(number as u64), 0), 0);
    worker.answered(lane, call, || stop.load(Ordering::SeqCst))
}

/// Runs callbacks until the worker is dead: each returns its number and one more.
fn listen(lane: &mut HostLane, spin: u64) -> u64 {
    let mut ran = 0;
    loop {
        match lane.wait(LISTENS, clock::now(), spin, 0) {
            Waited::Reply(ReplyHead { state: ReplyState::Callback, errno, .. }) => {
                lane.resume_callback(Some(errno as u64 + 1));
                ran += 1;
            }
            Waited::Dead => return ran,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn threads_are_answered_one_by_one_beside_calls() {
    const EACH: i32 = 5_000;
    let Pair { host, mut lane, worker, theirs, call } = pair();
    let mut caller = host.lane(0);
    let stop = AtomicBool::new(false);
    let theirs = std::sync::Mutex::new(theirs);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // A wake-up that is lost is a failure, not a wait for ever.
        scope.spawn(|| {
            let until = clock::now() + 30_000_000_000;
            while clock::now() < until {
                std::thread::sleep(Duration::from_millis(5));
                if done.load(Ordering::SeqCst) {
                    return;
                }
            }
            stop.store(true, Ordering::SeqCst);
            host.bury();
            for _ in 0..200 {
                worker.nudge();
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let listens = scope.spawn(|| listen(&mut lane, 0));
        let serves = scope.spawn(|| {
            let (mut lanes, mut roost) = (worker.lanes(), Roost::new(0));
            while let Some(request) = worker.next_call(&mut lanes, &mut roost, || stop.load(Ordering::SeqCst))
            {
                assert_eq!(request.lane, 0, "the dispatcher's is not for the serving thread");
                let head = ReplyHead {
                    state: ReplyState::Returned,
                    errno: 0,
                    result_length: 0,
                    value: request.call_id,
                };
                worker.reply(&mut lanes[0], &request, head, 0);
            }
        });
        let threads: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    for number in 0..EACH {
                        let mut lane = theirs.lock().unwrap();
                        let resumed = call_back(&worker, &mut lane, &call, number, &stop);
                        assert_eq!(resumed, Some(Resumed::Returned(number as u64 + 1)));
                    }
                })
            })
            .collect();
        for call_id in 1..=5_000u64 {
            caller.open_call();
            caller.publish(CallHead { function: 1, args_length: 0, call_id, time: 0 });
            let waited = caller.wait(call_id, clock::now(), 0, clock::now() + 20_000_000_000);
            assert!(
                matches!(waited, Waited::Reply(ReplyHead { value, .. }) if value == call_id),
                "{waited:?}"
            );
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        host.bury();
        assert_eq!(listens.join().unwrap(), 3 * EACH as u64);
        done.store(true, Ordering::SeqCst);
        stop.store(true, Ordering::SeqCst);
        while !serves.is_finished() {
            worker.nudge();
            std::thread::yield_now();
        }
    });
}

#[test]
fn who_waits_for_an_answer_hears_that_the_worker_stops() {
    let Pair { host: _host, lane: _lane, worker, mut theirs, call } = pair();
    let (stop, waits) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            worker.callback(&mut theirs, &call, 1, (Place::NULL, 0), 0);
            let stops = || {
                waits.store(true, Ordering::SeqCst);
                stop.load(Ordering::SeqCst)
            };
            worker.answered(&mut theirs, &call, stops)
        });
        while !waits.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        assert!(!waiting.is_finished());
        stop.store(true, Ordering::SeqCst);
        while !waiting.is_finished() {
            worker.nudge();
            std::thread::yield_now();
        }
        assert_eq!(waiting.join().unwrap(), None);
    });
}

#[test]
fn an_answer_that_is_there_is_taken_though_the_worker_is_dead() {
    let Pair { host, mut lane, worker, mut theirs, call } = pair();
    worker.callback(&mut theirs, &call, 5, (Place::NULL, 0), 0);
    host.bury();
    // A message that was sent before the death is heard.
    let waited = lane.wait(LISTENS, clock::now(), 0, 0);
    assert!(matches!(waited, Waited::Reply(ReplyHead { errno: 5, .. })), "{waited:?}");
    lane.resume_callback(None);
    assert_eq!(worker.answered(&mut theirs, &call, || false), Some(Resumed::Failed));
    assert_eq!(lane.wait(LISTENS, clock::now(), 0, 0), Waited::Dead);
}

#[test]
fn a_channel_with_one_lane_has_no_dispatcher() {
    let host = HostChannel::create(1, 7, 1).unwrap();
    let (request, reply) = host.files();
    let worker = WorkerChannel::open(request, reply, &SegmentTable::new()).unwrap();
    assert!(worker.dispatcher_lane().is_none());
    assert!(std::panic::catch_unwind(|| host.dispatcher_lane()).is_err());
}

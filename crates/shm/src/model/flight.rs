//! Several calls in flight: each is executed once, in order, and its reply is found in its slot, whoever slept meanwhile.

use hotcell_protocol::Place;

use super::*;

/// What the worker does with so many calls.
pub(super) fn serve(worker: &mut Worker, calls: u64) {
    for number in 1..=calls {
        let request = worker.next();
        assert_eq!((request.call_id, request.depth), (number, 0), "they come in order");
        worker.channel.begin(&worker.lanes[0], &request);
        worker.reply(&request);
    }
}

/// Takes the reply to the call of this number. False when the worker was dead before.
pub(super) fn take(lane: &mut HostLane, number: u64) -> bool {
    turn_to(lane, number);
    let waited = lane.peek(number, false).unwrap_or_else(|| wait(lane, number));
    if waited == Waited::Dead {
        return false;
    }
    check(lane, number, waited);
    true
}

/// A worker that sleeps is woken for the first only; one that has replied to that, and sleeps again, is woken for the second.
#[test]
fn no_call_behind_another_is_slept_through() {
    explore(3, || {
        let (host, mut worker) = channel(1);
        let mut lane = host.lane(0);
        let served = loom::thread::spawn(move || serve(&mut worker, 2));
        publish_behind(&mut lane, 1, 0);
        publish_behind(&mut lane, 2, 1);
        assert!(take(&mut lane, 1) && take(&mut lane, 2));
        served.join().expect("no thread of the model panics");
    });
}

/// The first reply is taken between the second call and the third.
#[test]
fn calls_are_sent_while_replies_come() {
    explore(2, || {
        let (host, mut worker) = channel(1);
        let mut lane = host.lane(0);
        let served = loom::thread::spawn(move || serve(&mut worker, 3));
        publish_behind(&mut lane, 1, 0);
        publish_behind(&mut lane, 2, 1);
        assert!(take(&mut lane, 1));
        publish_behind(&mut lane, 3, 1);
        assert!(take(&mut lane, 2) && take(&mut lane, 3));
        served.join().expect("no thread of the model panics");
    });
}

/// The worker sleeps in the first call until it is granted space: the second one does not disturb it, and comes behind.
#[test]
fn a_call_that_asks_is_answered_while_another_waits_behind_it() {
    explore(2, || {
        let (host, mut worker) = channel(1);
        let mut lane = host.lane(0);
        let served = loom::thread::spawn(move || {
            let request = worker.next();
            assert_eq!(worker.channel.window(&request).1, 0, "none is announced");
            let resumed = worker.channel.need_space(&mut worker.lanes[0], &request, 4096, &mut worker.roost);
            assert_eq!(resumed, Resumed::Granted(Place::new(2, 64), 8192));
            worker.reply(&request);
            let request = worker.next();
            assert_eq!((request.call_id, worker.channel.window(&request).1), (2, 0));
            worker.reply(&request);
        });
        publish_behind(&mut lane, 1, 0);
        publish_behind(&mut lane, 2, 1);
        turn_to(&mut lane, 1);
        let asked = ReplyHead { state: ReplyState::NeedSpace, errno: 0, result_length: 0, value: 4096 };
        assert_eq!(wait(&mut lane, 1), Waited::Reply(asked));
        lane.resume(Some((Place::new(2, 64), 8192)));
        assert!(take(&mut lane, 1) && take(&mut lane, 2));
        served.join().expect("no thread of the model panics");
    });
}

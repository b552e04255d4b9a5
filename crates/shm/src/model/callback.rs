//! Calls that go on: with a callback and a call nested in it, with a batch that asks for space.

use hotcell_protocol::Place;
use hotcell_protocol::wire::batch_head;

use super::*;

/// A callback of the outer call, whose arguments are nowhere.
const ARGS: (Place, u32) = (Place::NULL, 0);

/// What the worker does with a call that calls back, and with the one nested in it.
pub(super) fn serve_with_callback(worker: &mut Worker) {
    let outer = worker.next();
    assert_eq!((outer.call_id, outer.depth), (1, 0));
    worker.channel.callback(&mut worker.lanes[0], &outer, 5, ARGS, 0);
    let mut nested = 0;
    loop {
        match worker.channel.answer(&mut worker.lanes[0], &outer, &mut worker.roost) {
            Answer::Call(request) => {
                nested += 1;
                assert_eq!((request.call_id, request.depth), (2, 1));
                worker.reply(&request);
            }
            Answer::Resumed(resumed) => {
                assert_eq!((resumed, nested), (Resumed::Returned(9), 1));
                break;
            }
            Answer::Late => panic!("no time passes in a model"),
        }
    }
    worker.reply(&outer);
}

/// The host's side of it. False when the worker was dead before the end.
pub(super) fn call_with_callback(lane: &mut HostLane) -> bool {
    publish(lane, 1);
    match wait(lane, 1) {
        Waited::Dead => return false,
        waited => {
            let asked = ReplyHead {
                state: ReplyState::Callback,
                errno: 5,
                result_length: ARGS.1,
                value: ARGS.0.raw(),
            };
            assert_eq!(waited, Waited::Reply(asked));
        }
    }
    assert!(lane.descend());
    publish(lane, 2);
    let waited = wait(lane, 2);
    let lives = waited != Waited::Dead;
    if lives {
        check(lane, 2, waited);
    }
    lane.ascend();
    lane.resume_callback(Some(9));
    finish(lane, lives)
}

/// What the worker does with a batch of three entries: it asks for space before it executes the second.
pub(super) fn serve_batch(worker: &mut Worker) {
    let batch = worker.next();
    worker.channel.begin(&worker.lanes[0], &batch);
    let head = worker.channel.batch(&batch).expect("the block is long enough");
    assert_eq!((head.count, head.replies_length, head.length), (3, 48, 72));
    for number in 0..head.count {
        worker.channel.begin_entry(&batch, number);
        if number == 1 {
            let resumed = worker.channel.need_space(&mut worker.lanes[0], &batch, 4096, &mut worker.roost);
            assert_eq!(resumed, Resumed::Granted(Place::new(2, 64), 8192));
        }
    }
    worker.channel.begin_entry(&batch, u32::MAX);
    worker.channel.reply(&mut worker.lanes[0], &batch, returned(0), RESULT);
}

/// The host's side of it.
pub(super) fn call_batch(lane: &mut HostLane) -> bool {
    lane.open_call();
    lane.put(batch_head::COUNT, 3u32);
    lane.put(batch_head::REPLIES_LENGTH, 48u32);
    lane.put(batch_head::PLACE, lane.args_place(batch_head::SIZE).raw());
    lane.put(batch_head::LENGTH, 72u64);
    let args_length = batch_head::SIZE as u16;
    lane.publish(CallHead { function: wire::BATCH_FUNCTION, args_length, call_id: 1, time: 0 });
    match wait(lane, 1) {
        Waited::Dead => return false,
        waited => {
            let asked = ReplyHead { state: ReplyState::NeedSpace, errno: 0, result_length: 0, value: 4096 };
            assert_eq!(waited, Waited::Reply(asked));
        }
    }
    assert_eq!(lane.channel().executing(0), (1, 1), "who asks has said for which entry");
    lane.resume(Some((Place::new(2, 64), 8192)));
    match wait(lane, 1) {
        Waited::Dead => false,
        waited => {
            assert_eq!(waited, Waited::Reply(returned(0)));
            true
        }
    }
}

/// The end of the outer call.
fn finish(lane: &mut HostLane, lives: bool) -> bool {
    match wait(lane, 1) {
        Waited::Dead => false,
        waited => {
            assert!(lives, "who is dead stays so");
            check(lane, 1, waited);
            true
        }
    }
}

#[test]
fn a_call_nested_in_a_callback_goes_before_the_answer() {
    explore(2, || {
        let (host, mut worker) = channel(1);
        let mut lane = host.lane(0);
        let served = loom::thread::spawn(move || serve_with_callback(&mut worker));
        assert!(call_with_callback(&mut lane));
        served.join().expect("no thread of the model panics");
    });
}

#[test]
fn a_batch_that_asks_for_space_says_for_which_entry() {
    explore(2, || {
        let (host, mut worker) = channel(1);
        let mut lane = host.lane(0);
        let served = loom::thread::spawn(move || serve_batch(&mut worker));
        assert!(call_batch(&mut lane));
        served.join().expect("no thread of the model panics");
    });
}

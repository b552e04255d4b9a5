//! The dispatcher lane: a standing call that threads of the library answer with messages, beside the calls of others.

use hotcell_protocol::Place;
use loom::sync::Mutex;

use super::*;

/// What the standing call is called.
pub(super) const LISTENS: u64 = 99;

/// Makes the standing call.
pub(super) fn listen(lane: &mut HostLane) {
    lane.open_call();
    lane.publish(CallHead { function: wire::LISTEN_FUNCTION, args_length: 0, call_id: LISTENS, time: 0 });
}

/// What a thread of the library has to call back by.
pub(super) struct Seat {
    lane: WorkerLane,
    call: Request,
}

/// Finds the standing call, which the host has made before anything else.
pub(super) fn sit_down(channel: &WorkerChannel) -> Seat {
    let (index, mut lane) = channel.dispatcher_lane().expect("callers have another");
    let call = channel.standing_call(index, &mut lane).expect("it was made before");
    assert_eq!((call.function, call.call_id, call.depth), (wire::LISTEN_FUNCTION, LISTENS, 0));
    Seat { lane, call }
}

/// Has a callback run that returns a number more than its own.
pub(super) fn call_back(channel: &WorkerChannel, seat: &mut Seat, number: i32) {
    channel.callback(&mut seat.lane, &seat.call, number, (Place::NULL, 0), 0);
    let resumed = channel.answered(&mut seat.lane, &seat.call, || false);
    assert_eq!(resumed, Some(Resumed::Returned(number as u64 + 1)));
}

/// Runs so many callbacks. How many it has run when the worker is dead.
pub(super) fn run(lane: &mut HostLane, callbacks: usize) -> usize {
    for ran in 0..callbacks {
        match wait(lane, LISTENS) {
            Waited::Reply(ReplyHead { state: ReplyState::Callback, errno, .. }) => {
                lane.resume_callback(Some(errno as u64 + 1));
            }
            waited => {
                assert_eq!(waited, Waited::Dead);
                return ran;
            }
        }
    }
    callbacks
}

/// A call begins a thread that calls back twice, and has its own reply meanwhile. Behind that the listener hears of the worker's end.
#[test]
fn a_thread_calls_back_beside_a_call() {
    explore(1, || {
        // The last one is the dispatcher's.
        let (host, worker) = channel(2);
        let (mut lane, mut listener) = (host.lane(0), host.dispatcher_lane());
        listen(&mut listener);
        let served = loom::thread::spawn(move || {
            let Worker { channel, mut lanes, mut roost } = worker;
            let channel = Arc::new(channel);
            let request = channel.next_call(&mut lanes, &mut roost, || false).expect("nothing stops it");
            assert_eq!((request.lane, request.call_id), (0, 1), "the dispatcher's is not for this thread");
            let shared = Arc::clone(&channel);
            let thread = loom::thread::spawn(move || {
                let mut seat = sit_down(&shared);
                call_back(&shared, &mut seat, 5);
                call_back(&shared, &mut seat, 6);
            });
            reply(&channel, &mut lanes[0], &request);
            thread.join().expect("no thread of the model panics");
            host.bury();
        });
        let caller = loom::thread::spawn(move || {
            publish(&mut lane, 1);
            let waited = wait(&mut lane, 1);
            check(&lane, 1, waited);
        });
        assert_eq!(run(&mut listener, 3), 2);
        for thread in [served, caller] {
            thread.join().expect("no thread of the model panics");
        }
    });
}

/// Two threads of the library, of which each waits for its turn: each has its own answer.
#[test]
fn threads_take_turns_on_the_lane() {
    explore(2, || {
        let (host, worker) = channel(2);
        let mut listener = host.dispatcher_lane();
        listen(&mut listener);
        let channel = Arc::new(worker.channel);
        let seat = Arc::new(Mutex::new(sit_down(&channel)));
        let threads = [5, 7].map(|number| {
            let (channel, seat) = (Arc::clone(&channel), Arc::clone(&seat));
            loom::thread::spawn(move || {
                let mut seat = seat.lock().expect("no thread of the model panics");
                call_back(&channel, &mut seat, number);
            })
        });
        assert_eq!(run(&mut listener, 2), 2);
        for thread in threads {
            thread.join().expect("no thread of the model panics");
        }
    });
}

//! Lanes that are served by a thread each.

use super::*;

/// Two callers, each with a lane whose thread sleeps at its own door: both are answered, each by its own.
#[test]
fn lanes_with_threads_of_their_own_do_not_meet() {
    explore(1, || {
        // The last one is the dispatcher's.
        let (host, worker) = channel(3);
        let Worker { channel, mut lanes, mut roost } = worker;
        let (channel, mut own) = (Arc::new(channel), lanes.remove(1));
        let (of_first, of_second) = (Arc::clone(&channel), channel);
        let first = loom::thread::spawn(move || {
            let request = of_first.next_call(&mut lanes, &mut roost, || false).expect("nothing stops it");
            assert_eq!((request.lane, request.call_id), (0, 1));
            reply(&of_first, &mut lanes[0], &request);
        });
        let second = loom::thread::spawn(move || {
            let mut roost = Roost::of_lane(0, 1);
            let request = of_second.next_call_on(&mut own, &mut roost, || false).expect("nothing stops it");
            assert_eq!((request.lane, request.call_id), (1, 2));
            reply(&of_second, &mut own, &request);
        });
        let (mut here, mut there) = (host.lane(0), host.lane_apart(1));
        let caller = loom::thread::spawn(move || {
            publish(&mut there, 2);
            let waited = wait(&mut there, 2);
            check(&there, 2, waited);
        });
        publish(&mut here, 1);
        let waited = wait(&mut here, 1);
        check(&here, 1, waited);
        for thread in [first, second, caller] {
            thread.join().expect("no thread of the model panics");
        }
    });
}

//! Calls and their replies.

use super::*;

/// Each call is taken once and whole, and each reply is its own.
#[test]
fn calls_and_replies_are_handed_over_whole() {
    explore(3, || {
        let (host, mut worker) = channel(1);
        let mut lane = host.lane(0);
        let served = loom::thread::spawn(move || {
            for number in 1..=2 {
                let request = worker.next();
                assert_eq!((request.call_id, request.depth), (number, 0));
                worker.reply(&request);
            }
            let Worker { channel, mut lanes, mut roost } = worker;
            assert!(channel.next_call(&mut lanes, &mut roost, || true).is_none(), "there were two");
        });
        for number in 1..=2 {
            publish(&mut lane, number);
            let waited = wait(&mut lane, number);
            check(&lane, number, waited);
        }
        served.join().expect("no thread of the model panics");
    });
}

/// Callers on two lanes ring one doorbell.
#[test]
fn two_callers_are_both_answered() {
    explore(2, || {
        let (host, mut worker) = channel(2);
        let callers: Vec<_> = (0..2).map(|index| host.lane(index)).collect();
        let callers = callers.into_iter().map(|mut lane| {
            loom::thread::spawn(move || {
                let number = 1 + u64::from(lane.index());
                publish(&mut lane, number);
                let waited = wait(&mut lane, number);
                check(&lane, number, waited);
            })
        });
        let callers: Vec<_> = callers.collect();
        for _ in 0..2 {
            let request = worker.next();
            assert_eq!(request.call_id, 1 + u64::from(request.lane));
            worker.reply(&request);
        }
        callers.into_iter().for_each(|caller| caller.join().expect("no thread of the model panics"));
    });
}

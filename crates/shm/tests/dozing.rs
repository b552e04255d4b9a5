//! Callers that sleep on an eventfd: it is written to for them, and for nobody else.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::fd::AsFd;
use std::sync::Arc;

use hotcell_protocol::wire::ReplyState;
use hotcell_shm::{
    CallHead, EventFd, HostChannel, HostLane, ReplyHead, Roost, SegmentTable, Waited, WorkerChannel,
    WorkerLane, clock,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Both ends of one channel, whose lanes have eventfds.
struct Pair {
    host: Arc<HostChannel>,
    lane: HostLane,
    worker: WorkerChannel,
    lanes: Vec<WorkerLane>,
}

fn pair() -> Pair {
    let host = HostChannel::create(1, 7, 1).unwrap();
    host.add_eventfds(1).unwrap();
    let lane = host.lane(0);
    let (request, reply) = host.files();
    let worker = WorkerChannel::open(request, reply, &SegmentTable::new()).unwrap();
    let given = host.eventfds()[0].as_fd().try_clone_to_owned().unwrap();
    let worker = worker.with_eventfds(vec![EventFd::adopt(given, 100).unwrap()]);
    let lanes = worker.lanes();
    Pair { host, lane, worker, lanes }
}

fn publish(lane: &mut HostLane, call_id: u64) {
    lane.open_call();
    lane.publish(CallHead { function: 3, args_length: 0, call_id, time: 0 });
}

fn answer(worker: &WorkerChannel, lanes: &mut [WorkerLane]) -> ReplyHead {
    let request = worker.next_call(lanes, &mut Roost::new(0), || false).unwrap();
    let head = ReplyHead { state: ReplyState::Returned, errno: 0, result_length: 0, value: request.call_id };
    worker.reply(&mut lanes[0], &request, head, 0);
    head
}

fn is_written(host: &HostChannel, patience: i64) -> bool {
    let mut fds = [PollFd::new(&host.eventfds()[0], PollFlags::IN)];
    poll(&mut fds, Some(&Timespec { tv_sec: patience, tv_nsec: 0 })).unwrap() == 1
}

#[test]
fn a_reply_wakes_who_sleeps_on_the_eventfd() {
    let Pair { host, mut lane, worker, mut lanes } = pair();
    publish(&mut lane, 1);
    assert_eq!(lane.glance(1, clock::now(), 0), None);
    assert_eq!(lane.doze(1), None);
    let served = std::thread::spawn(move || answer(&worker, &mut lanes));
    assert!(is_written(&host, 10), "nothing was written");
    lane.rise();
    assert_eq!(lane.glance(1, clock::now(), 0), Some(Waited::Reply(served.join().unwrap())));
}

#[test]
fn nothing_is_written_for_who_looks_or_does_not_sleep_there() {
    let Pair { host, mut lane, worker, mut lanes } = pair();
    publish(&mut lane, 1);
    let head = answer(&worker, &mut lanes);
    assert_eq!(lane.doze(1), Some(Waited::Reply(head)), "it is there, and is found before the sleep");
    publish(&mut lane, 2);
    let head = answer(&worker, &mut lanes);
    assert_eq!(lane.wait(2, clock::now(), 0, 0), Waited::Reply(head));
    publish(&mut lane, 3);
    let head = answer(&worker, &mut lanes);
    assert_eq!(lane.glance(3, clock::now(), 1_000_000_000), Some(Waited::Reply(head)));
    assert!(!is_written(&host, 0));
}

#[test]
fn who_goes_to_sleep_by_a_grave_hears_of_it() {
    let Pair { host, mut lane, .. } = pair();
    publish(&mut lane, 1);
    assert_eq!(lane.doze(1), None);
    host.bury();
    assert_eq!(lane.doze(1), Some(Waited::Dead));
    assert!(!is_written(&host, 0), "the host does not write to what a worker has made its own");
}

#[test]
fn a_lie_is_seen_by_who_only_looks() {
    let Pair { host, mut lane, worker, mut lanes } = pair();
    publish(&mut lane, 1);
    assert_eq!(lane.doze(1), None);
    let request = worker.next_call(&mut lanes, &mut Roost::new(0), || false).unwrap();
    // The bell rings, but the reply is another call's.
    let head = ReplyHead { state: ReplyState::Returned, errno: 0, result_length: 0, value: 0 };
    let other = hotcell_shm::Request { call_id: 7, ..request };
    worker.reply(&mut lanes[0], &other, head, 0);
    assert!(is_written(&host, 10));
    assert!(matches!(lane.glance(1, clock::now(), 0), Some(Waited::Violation(_))));
}

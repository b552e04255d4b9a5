//! The breaker, at given times.

use super::*;

const RULE: Restart = Restart {
    faults: 3,
    within: Duration::from_secs(10),
    pause: Duration::from_secs(1),
    longest_pause: Duration::from_secs(4),
};

fn fault(calls: u64) -> Ended {
    Ended { by_library: true, calls, callers: 1 }
}

/// A breaker that faults have opened, and when it is open no longer.
fn opened(now: Instant) -> (Restarts, Instant) {
    let restarts = Restarts::new(RULE);
    (0..3).for_each(|_| restarts.note(fault(1), now));
    let left = restarts.admit(now).expect_err("three faults of three calls open it");
    (restarts, now + left)
}

#[test]
fn it_opens_when_calls_do_little_but_end_workers() {
    let now = Instant::now();
    let restarts = Restarts::new(RULE);
    restarts.note(fault(1), now);
    restarts.note(fault(1), now);
    assert_eq!(restarts.admit(now), Ok(()), "two are too few");
    restarts.note(fault(2), now);
    let left = restarts.admit(now).expect_err("three faults of four calls open it");
    assert!((RULE.pause..=RULE.pause * 2).contains(&left), "{left:?}");
    assert_eq!(restarts.state(now, None), Breaker::Open(left));
    assert_eq!(restarts.admit(now + left), Ok(()), "then there is another try");
}

#[test]
fn it_stays_closed_when_as_many_calls_come_back() {
    let now = Instant::now();
    let restarts = Restarts::new(RULE);
    (0..100).for_each(|_| restarts.note(fault(2), now));
    assert_eq!(restarts.admit(now), Ok(()));
}

#[test]
fn faults_of_long_ago_do_not_count() {
    let now = Instant::now();
    let restarts = Restarts::new(RULE);
    for seconds in 0..100 {
        restarts.note(fault(1), now + Duration::from_secs(seconds * 6));
        assert_eq!(restarts.admit(now + Duration::from_secs(seconds * 6)), Ok(()), "after {seconds} of them");
    }
}

#[test]
fn what_the_library_did_not_end_does_not_count() {
    let now = Instant::now();
    let restarts = Restarts::new(RULE);
    (0..100).for_each(|_| restarts.note(Ended { by_library: false, ..fault(1) }, now));
    assert_eq!(restarts.admit(now), Ok(()));
}

#[test]
fn it_is_open_longer_each_time_and_no_longer_than_said() {
    let (restarts, mut now) = opened(Instant::now());
    for least in [2, 4, 4, 4] {
        assert_eq!(restarts.admit(now), Ok(()));
        assert_eq!(restarts.state(now, None), Breaker::HalfOpen);
        restarts.note(fault(1), now);
        let left = restarts.admit(now).expect_err("one fault opens it again");
        let least = Duration::from_secs(least);
        assert!((least..=least * 2).contains(&left), "{left:?} where {least:?} is the least");
        now += left;
    }
}

#[test]
fn a_call_that_comes_back_closes_it() {
    let (restarts, now) = opened(Instant::now());
    assert_eq!(restarts.admit(now), Ok(()));
    assert_eq!(restarts.state(now, Some(fault(1))), Breaker::HalfOpen, "that one may be under way");
    assert_eq!(restarts.state(now, Some(fault(2))), Breaker::Closed);
    restarts.note(fault(2), now);
    restarts.note(fault(1), now);
    assert_eq!(restarts.admit(now), Ok(()), "all that was before is forgotten");
    restarts.note(fault(1), now);
    let left = restarts.admit(now).expect_err("three faults of four calls");
    assert!(left <= RULE.pause * 2, "as long as the first time: {left:?}");
}

#[test]
fn it_can_be_left_out() {
    let now = Instant::now();
    let restarts = Restarts::new(Restart::ALWAYS);
    (0..100).for_each(|_| restarts.note(fault(1), now));
    assert_eq!(restarts.admit(now), Ok(()));
}

#[test]
fn another_library_begins_anew() {
    let (restarts, _) = opened(Instant::now());
    restarts.reset();
    let now = Instant::now();
    assert_eq!((restarts.admit(now), restarts.state(now, None)), (Ok(()), Breaker::Closed));
    restarts.note(fault(1), now);
    assert_eq!(restarts.admit(now), Ok(()), "its faults are counted from the first");
}

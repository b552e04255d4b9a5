//! When inputs are refused, and when no longer.

use super::*;
use crate::rt::{Guard, SandboxLines};

static PACKAGE: Package = Package {
    runtime: 1,
    library: "moon",
    fingerprint: [7; 32],
    reentrant: false,
    functions: &[],
    handles: &[],
    sandbox: SandboxLines::DEFAULT,
    guard: Guard::None,
    shim: &[],
};

const BAD: Culprit = Culprit { package: &PACKAGE, index: 3, function: "rise" };

/// A list of so many inputs, and what its session sees.
fn list(most: usize) -> (Quarantine, Arc<Notices>) {
    let hour = Duration::from_secs(3600);
    let rule = QuarantineRule { crashes: 2, within: hour, lasts: hour * 2, most };
    let (quarantine, notices) = (Quarantine::new(rule), Arc::new(Notices::default()));
    quarantine.tells(&notices);
    (quarantine, notices)
}

fn number(of: u64) -> InputId {
    InputId::of(of)
}

#[test]
fn an_input_is_refused_when_it_has_ended_two_workers_and_nobody_looks_before() {
    let (quarantine, notices) = list(10);
    quarantine.note(number(1), BAD);
    quarantine.note(number(2), BAD);
    assert!(!notices.has(QUARANTINE) && !quarantine.has_of(&PACKAGE, 3) && quarantine.count() == 0);
    quarantine.note(number(1), BAD);
    assert!(notices.has(QUARANTINE) && quarantine.has_of(&PACKAGE, 3) && !quarantine.has_of(&PACKAGE, 4));
    assert!(quarantine.refuses(number(1)).is_some() && quarantine.refuses(number(2)).is_none());
    let [one] = &quarantine.inputs()[..] else { panic!("{:?}", quarantine.inputs()) };
    assert_eq!((one.input, one.library, one.function), (number(1), "moon", "rise"));
    assert_eq!((one.crashes, one.refused), (2, 1));
    assert_eq!(one.to_json()["input"], "0000000000000001");
    assert_eq!("0000000000000001".parse(), Ok(number(1)));
}

#[test]
fn sessions_that_come_later_look_too() {
    let (quarantine, _) = list(10);
    quarantine.note(number(1), BAD);
    quarantine.note(number(1), BAD);
    let later = Arc::new(Notices::default());
    quarantine.clone().tells(&later);
    assert!(later.has(QUARANTINE));
    quarantine.release_all();
    assert!(!later.has(QUARANTINE) && quarantine.count() == 0);
}

#[test]
fn what_is_released_may_fail_twice_again() {
    let (quarantine, notices) = list(10);
    quarantine.note(number(1), BAD);
    assert!(!quarantine.release(number(1)), "it is not refused yet");
    quarantine.note(number(1), BAD);
    assert!(quarantine.release(number(1)) && !quarantine.release(number(1)));
    assert!(!notices.has(QUARANTINE));
    quarantine.note(number(1), BAD);
    assert_eq!(quarantine.count(), 0);
}

#[test]
fn time_forgives() {
    let (quarantine, notices) = list(10);
    let (begin, hour) = (Instant::now(), Duration::from_secs(3600));
    quarantine.note_at(number(1), BAD, begin);
    quarantine.note_at(number(1), BAD, begin + hour * 3 / 2);
    assert!(!notices.has(QUARANTINE), "they are too far apart");
    quarantine.note_at(number(1), BAD, begin + hour * 2);
    assert!(notices.has(QUARANTINE));
    // By then its two hours are over.
    quarantine.note_at(number(2), BAD, begin + hour * 4);
    assert!(!notices.has(QUARANTINE) && !quarantine.release(number(1)));
}

#[test]
fn a_list_has_an_end_and_those_stay_that_are_refused() {
    let (quarantine, notices) = list(3);
    let begin = Instant::now();
    quarantine.note_at(number(1), BAD, begin);
    quarantine.note_at(number(1), BAD, begin);
    for other in 2..100 {
        quarantine.note_at(number(other), BAD, begin + Duration::from_secs(other));
    }
    assert!(quarantine.0.list.lock().inputs.len() == 1 + 3 && quarantine.count() == 1);
    for other in 100..103 {
        quarantine.note_at(number(other), BAD, begin + Duration::from_secs(other));
        quarantine.note_at(number(other), BAD, begin + Duration::from_secs(other));
    }
    let mut there: Vec<InputId> = quarantine.inputs().iter().map(|it| it.input).collect();
    there.sort();
    assert_eq!(there, [100, 101, 102].map(number), "the first goes soonest");
    assert!(notices.has(QUARANTINE));
}

#[test]
fn a_full_list_goes_on_learning() {
    let (quarantine, _) = list(3);
    let begin = Instant::now();
    let at = |seconds| begin + Duration::from_secs(seconds);
    for bad in 1..=3 {
        quarantine.note_at(number(bad), BAD, at(bad));
        quarantine.note_at(number(bad), BAD, at(bad));
    }
    // Two others in turn: what has ended one worker pushes nobody out, and is not pushed out.
    quarantine.note_at(number(4), BAD, at(10));
    quarantine.note_at(number(5), BAD, at(11));
    assert_eq!(quarantine.count(), 3);
    quarantine.note_at(number(4), BAD, at(12));
    quarantine.note_at(number(5), BAD, at(13));
    let mut there: Vec<InputId> = quarantine.inputs().iter().map(|it| it.input).collect();
    there.sort();
    assert_eq!(there, [3, 4, 5].map(number));
}

#[test]
fn who_looks_finds_that_time_is_over() {
    let rule = QuarantineRule { lasts: Duration::from_millis(20), ..QuarantineRule::default() };
    let (quarantine, notices) = (Quarantine::new(rule), Arc::new(Notices::default()));
    quarantine.tells(&notices);
    quarantine.note(number(1), BAD);
    quarantine.note(number(1), BAD);
    assert!(notices.has(QUARANTINE));
    std::thread::sleep(Duration::from_millis(40));
    // Nobody asks for the list; a call of any function looks.
    assert!(!quarantine.has_of(&PACKAGE, 4) && !notices.has(QUARANTINE));
}

#[test]
fn a_list_that_is_off_knows_nothing() {
    assert!(!Quarantine::off().is_on() && Quarantine::default().is_on());
}

#[test]
fn the_same_input_has_another_number_in_another_list() {
    use std::hash::Hasher;
    let of = |quarantine: &Quarantine| {
        let mut hasher = quarantine.hasher();
        hasher.write(b"input");
        hasher.finish()
    };
    let (first, second) = (Quarantine::default(), Quarantine::default());
    assert_eq!(of(&first), of(&first.clone()));
    assert_ne!(of(&first), of(&second));
}

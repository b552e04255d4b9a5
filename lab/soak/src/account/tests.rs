//! What a soak has to have done and seen to be well.

use std::time::Instant;

use hotcell::{Cause, WhyEnded};

use super::*;
use crate::setting::SETTINGS;

/// A soak of so many seconds that was to kill one worker, and did.
fn well(seconds: u64) -> Account {
    let time = Duration::from_secs(seconds);
    let plan = Plan { time, kills: 1, clients: 1, seed: 1, pause: time, measures: false, forgets: false };
    let (late, wrong, failures) = Default::default();
    let right = SETTINGS.iter().map(|setting| (setting.name, 1)).collect();
    let (half, most) = (Duration::ZERO, Duration::ZERO);
    let closed = Closed { began: Instant::now(), right, late, wrong, failures, half, most };
    let explained =
        Explained { ends: EXPECTED.iter().map(|reason| (*reason, 1)).collect(), ..Explained::default() };
    let (faults, bars, left) = Default::default();
    let gone = vec![killed()];
    let found =
        Found { time, closed, faults, gone, missed: 0, explained, bars, left, memory: (0, 0), panics: 0 };
    Account::new(&plan, found)
}

fn killed() -> Gone {
    let (name, address, pc, stack_overflow, heap) = ("SIGKILL", None, None, false, None);
    let cause =
        Cause::Signal { number: ends::SIGKILL, name, address, pc, stack_overflow, external: true, heap };
    let (at, text) = (Instant::now(), String::new());
    let (generation, pid, served, why) = (1, 1, true, WhyEnded::Signalled);
    let end = ends::End { generation, pid, at, served, why, cause, text };
    Gone { subject: 1, setting: &SETTINGS[0], end }
}

/// That it is well no longer, and says so.
#[track_caller]
fn check(seconds: u64, spoil: impl FnOnce(&mut Found), words: &str) {
    let mut account = well(seconds);
    assert!(account.is_well(), "{}", account.to_text());
    spoil(&mut account.found);
    let text = account.to_text();
    assert!(!account.is_well(), "{text}");
    assert!(text.contains(words) && text.ends_with("the soak FAILED\n"), "{text}");
    assert_eq!(account.to_json()["ok"], false);
}

#[test]
fn so_many_workers_as_were_to_be_killed_have_to_be() {
    let words = "MISSING  0 workers that served were killed, not 1";
    check(6, |found| found.gone.clear(), words);
    check(6, |found| found.gone[0].end.served = false, words);
    check(6, |found| found.gone[0].end.why = WhyEnded::Stopped, words);
}

#[test]
fn each_setting_has_to_have_calls_that_are_right() {
    for setting in &SETTINGS {
        let silence = |found: &mut Found| _ = found.closed.right.insert(setting.name, 0);
        check(6, silence, &format!("MISSING  no call was right ({})", setting.name));
    }
}

#[test]
fn a_long_soak_sees_what_each_setting_is_for() {
    for reason in EXPECTED {
        let forget = |found: &mut Found| _ = found.explained.ends.remove(reason);
        check(60, forget, &format!("MISSING  it did not come about: {reason}"));
        let mut short = well(59);
        forget(&mut short.found);
        assert!(short.is_well());
    }
}

#[test]
fn what_is_wrong_is_a_failure() {
    check(6, |found| found.closed.wrong.push("43".into()), "WRONG  43");
    check(6, |found| found.explained.unexplained.push("a crash".into()), "UNEXPLAINED  a crash");
    check(6, |found| found.panics = 2, "MISSING  2 panics");
    check(6, |found| found.missed = 3, "MISSING  3 workers ended, and it is forgotten how");
    check(6, |found| found.memory.1 = GROWTH + 1, "64 MiB at the end");
    check(6, |found| found.left.counts.processes = 1, "left behind: {");
}

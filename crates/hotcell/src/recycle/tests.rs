//! The arithmetic of wear.

use super::*;

const NOTHING: Recycle = Recycle {
    every: Duration::from_secs(10),
    calls: None,
    age: None,
    memory: None,
    memory_for: Duration::ZERO,
    descriptors: None,
    threads: None,
    leaked: None,
    patience: None,
    probe: None,
};

fn seen(resident: u64, threads: u64, descriptors: u64) -> Seen {
    let usage = Usage { resident, threads, serving: 0, descriptors: Some(descriptors) };
    Seen { usage, ..Seen::default() }
}

/// What comes of looks, one a second.
fn looks(recycle: &Recycle, looks: impl IntoIterator<Item = Seen>) -> Vec<Option<(Wear, u64)>> {
    let (mut history, begin) = (History::default(), Instant::now());
    let at = |second: usize| begin + Duration::from_secs(second as u64);
    let worn = |(second, seen): (usize, Seen)| history.look(&seen, recycle, at(second));
    looks.into_iter().enumerate().map(worn).map(|worn| worn.map(|worn| (worn.by, worn.value))).collect()
}

#[test]
fn memory_counts_when_it_was_too_much_for_long_without_a_break() {
    let recycle = Recycle { memory: Some(100), memory_for: Duration::from_secs(3), ..NOTHING };
    let resident = [101, 101, 101, 100, 101, 900, 101, 102, 99];
    let found = looks(&recycle, resident.map(|bytes| seen(bytes, 1, 1)));
    let mut expected = vec![None; 9];
    expected[7] = Some((Wear::Memory, 102));
    assert_eq!(found, expected);
}

#[test]
fn threads_and_descriptors_count_above_the_fewest_there_were() {
    let recycle = Recycle { threads: Some(3), ..NOTHING };
    let found = looks(&recycle, [9, 7, 10, 11, 7].map(|threads| seen(0, threads, 0)));
    assert_eq!(found, [None, None, None, Some((Wear::Threads, 4)), None]);
    let recycle = Recycle { descriptors: Some(2), ..NOTHING };
    let found = looks(&recycle, [4, 7, 6].map(|open| seen(0, 0, open)));
    assert_eq!(found, [None, Some((Wear::Descriptors, 3)), None]);
}

#[test]
fn threads_that_serve_calls_are_no_wear() {
    let recycle = Recycle { threads: Some(3), ..NOTHING };
    let serving = |serving| {
        let usage = Usage { serving, ..seen(0, 5 + serving, 0).usage };
        Seen { usage, ..Seen::default() }
    };
    assert_eq!(looks(&recycle, [0, 63].map(serving)), [None, None]);
}

#[test]
fn calls_and_age_count_as_they_are() {
    let recycle = Recycle { calls: Some(5), age: Some(Duration::from_secs(2)), ..NOTHING };
    let of = |calls, age| Seen { calls, age: Duration::from_millis(age), ..Seen::default() };
    let found = looks(&recycle, [of(4, 2000), of(5, 0), of(6, 9000), of(0, 2001)]);
    assert_eq!(found[..2], [None, Some((Wear::Calls, 5))]);
    assert_eq!(found[2..], [Some((Wear::Calls, 6)), Some((Wear::Age, 2001))]);
}

fn leaks(live: impl IntoIterator<Item = u64>) -> Vec<Option<(Wear, u64)>> {
    let recycle = Recycle { leaked: Some(100), ..NOTHING };
    looks(&recycle, live.into_iter().map(|live| Seen { live, ..Seen::default() }))
}

#[test]
fn a_leak_is_what_rises_and_never_falls() {
    // Every look 20 more, with a call under way at every second.
    let found = leaks((0..18).map(|look| look * 20 + (look % 2) * 5_000));
    assert_eq!(found[..11], [None; 11]);
    assert_eq!(found[11], Some((Wear::Leaked, 120)));
    assert_eq!(found[17], Some((Wear::Leaked, 240)));
}

#[test]
fn what_is_filled_and_emptied_is_no_leak() {
    let wave = (0..60).map(|look| if look % 20 < 10 { 5_000 } else { 10 });
    assert!(
        leaks(wave).iter().skip(30).any(Option::is_some),
        "it may be one for as long as it does not fall"
    );
    let falling = (0..60).map(|look| 60_000 - look * 10);
    assert_eq!(leaks(falling), [None; 60]);
    let steady = std::iter::repeat_n(1 << 30, 60);
    assert_eq!(leaks(steady), [None; 60], "what was there from the beginning");
}

#[test]
fn without_limits_nothing_is_worn() {
    let much = Seen { calls: u64::MAX, age: Duration::MAX, live: u64::MAX, ..seen(u64::MAX, u64::MAX, 0) };
    assert_eq!(looks(&NOTHING, [Seen::default(), much, much]), [None; 3]);
}

#[test]
fn one_that_cannot_be_counted_is_not_worn_by_it() {
    let recycle = Recycle { descriptors: Some(2), ..NOTHING };
    let usage = Usage { descriptors: None, ..seen(0, 0, 0).usage };
    let unknown = Seen { usage, ..Seen::default() };
    assert_eq!(looks(&recycle, [seen(0, 0, 9), unknown, seen(0, 0, 11)]), [None; 3]);
}

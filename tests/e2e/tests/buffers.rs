//! Data in buffers of the session: the library reads them where they lie, and every fault is as with copied data.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;

use hotcell::{Cause, ErrorKind, Executed, LimitExceededReason, Options};
use hotcell_e2e::basin::Basin;

const BIG: usize = 1 << 20;

fn open() -> Basin {
    Basin::open(Options::default()).unwrap()
}

fn pattern(data: &mut [u8]) -> u64 {
    data.iter_mut().enumerate().for_each(|(index, byte)| *byte = (index * 7) as u8);
    data.iter().map(|&byte| u64::from(byte)).sum()
}

#[test]
fn the_library_reads_a_buffer_where_it_lies() {
    let basin = open();
    let mut data = basin.session.buffer(BIG).unwrap();
    let sum = pattern(&mut data);
    assert_eq!(basin.sum(&data).unwrap(), sum);
    let start = basin.place(&data).unwrap();
    for offset in [1, 4096, 5000, BIG - 2000] {
        // Copied data would all begin where the lane's segment begins.
        assert_eq!(basin.place(&data[offset..]).unwrap() - start, offset as u64);
    }
    let other = basin.session.buffer(BIG).unwrap();
    assert_ne!(basin.place(&other).unwrap(), start);
    let copy = data.to_vec();
    let copied: HashSet<_> = [0, 4096, 5000].map(|offset| basin.place(&copy[offset..]).unwrap()).into();
    assert_eq!(copied.len(), 1);
    assert!(!copied.contains(&start));
    assert_eq!(basin.both(&data, &copy).unwrap(), 2 * sum);
    assert_eq!(basin.both(&data[10..], &data[20..]).unwrap(), basin.both(&copy[10..], &copy[20..]).unwrap());
    assert_eq!(basin.session.generation(), 1);
}

#[test]
fn what_is_changed_between_calls_is_what_the_library_reads() {
    let basin = open();
    let mut data = basin.session.buffer(10_000).unwrap();
    for fill in 0..200 {
        data.fill(fill);
        assert_eq!(basin.sum(&data).unwrap(), 10_000 * u64::from(fill));
    }
}

#[test]
fn numbers_are_read_where_they_lie() {
    let basin = open();
    let mut data = basin.session.buffer(40_000).unwrap();
    data.elements_mut::<f32>().iter_mut().enumerate().for_each(|(index, value)| *value = index as f32 / 2.0);
    assert_eq!(
        basin.total(data.elements()).unwrap(),
        (0..10_000).map(|index| f64::from(index) / 2.0).sum::<f64>()
    );
}

#[test]
fn small_data_goes_with_the_call() {
    let basin = open();
    let mut data = basin.session.buffer(500).unwrap();
    data.fill(3);
    assert_eq!(basin.sum(&data).unwrap(), 1500);
    let places = [basin.place(&data), basin.place(&data[8..])].map(|place| place.unwrap());
    assert_ne!(places[1].wrapping_sub(places[0]), 8);
}

#[test]
fn a_library_that_writes_into_a_buffer_dies_of_it() {
    let basin = open();
    let mut data = basin.session.buffer(BIG).unwrap();
    let sum = pattern(&mut data);
    let error = basin.spoil(&data).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Crashed, "{error}");
    assert_eq!(data.iter().map(|&byte| u64::from(byte)).sum::<u64>(), sum, "nothing was written");
}

#[test]
fn a_buffer_serves_the_next_worker_and_other_sessions() {
    let (basin, other) = (open(), open());
    let mut data = basin.session.buffer(BIG).unwrap();
    let sum = pattern(&mut data);
    assert_eq!(basin.sum(&data).unwrap(), sum);
    for generation in 1..4 {
        assert_eq!(basin.crash().unwrap_err().kind(), ErrorKind::Crashed);
        assert_eq!(basin.sum(&data).unwrap(), sum);
        assert_eq!(basin.session.generation(), generation + 1);
        // Copied: it is the dead worker's.
        assert_eq!(basin.place(&data).unwrap(), basin.place(&data[5000..]).unwrap());
        let fresh = basin.session.buffer(BIG).unwrap();
        assert_eq!(basin.place(&fresh[5000..]).unwrap() - basin.place(&fresh).unwrap(), 5000);
    }
    assert_eq!(other.sum(&data).unwrap(), sum);
    assert_eq!(other.place(&data).unwrap(), other.place(&data[5000..]).unwrap());
    drop(basin);
    assert_eq!(other.sum(&data).unwrap(), sum);
    assert_eq!(other.session.generation(), 1);
}

#[test]
fn a_buffer_that_was_made_without_a_worker_is_shared_with_the_next() {
    let basin = open();
    assert_eq!(basin.crash().unwrap_err().kind(), ErrorKind::Crashed);
    let data = basin.session.buffer(BIG).unwrap();
    assert_eq!(basin.place(&data[5000..]).unwrap() - basin.place(&data).unwrap(), 5000);
    assert_eq!(basin.session.generation(), 2);
}

#[test]
fn buffers_go_into_nested_calls() {
    let basin = open();
    let (mut outer, mut inner) = (basin.session.buffer(BIG).unwrap(), basin.session.buffer(BIG).unwrap());
    let sum = pattern(&mut outer);
    inner.fill(1);
    let mut heard = 0;
    let seen = basin.after(&outer, || {
        heard = basin.both(&inner, &outer)?;
        Ok(())
    });
    assert_eq!((seen.unwrap(), heard), (sum, sum + BIG as u64));
}

#[test]
fn a_buffer_that_is_changed_by_the_library_is_a_copy() {
    let basin = open();
    let mut data = basin.session.buffer(BIG).unwrap();
    pattern(&mut data);
    let turned = basin.invert(&data).unwrap();
    assert!(turned.iter().zip(&*data).all(|(turned, byte)| *turned == !byte));
}

#[test]
fn what_the_library_leaves_out_shows_no_earlier_call() {
    let basin = open();
    for capacity in [100, 4096, 5000, 32_768, BIG] {
        // What was there before has no zero in it.
        assert_eq!(basin.invert(&vec![0x9e; capacity]).unwrap(), vec![0x61; capacity]);
        assert_eq!(basin.omit(capacity).unwrap(), vec![0; capacity]);
        assert_eq!(basin.invert(&vec![0x9e; capacity]).unwrap(), vec![0x61; capacity]);
        let error = basin.mute(capacity).unwrap_err();
        assert!(
            matches!(error.cause(), Cause::Library { code: -1, message, .. } if message.as_deref().unwrap_or("").is_empty()),
            "{error:.200}"
        );
    }
}

#[test]
fn limits_hold_for_buffers() {
    let basin = Basin::open(Options { max_input: 3 << 20, ..Options::default() }).unwrap();
    let error = basin.session.buffer((3 << 20) + 1).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::LimitExceeded, Executed::No));
    let cause = Cause::Limit { what: LimitExceededReason::Memory, value: (3 << 20) + 1 };
    assert_eq!(*error.cause(), cause);
    let data = basin.session.buffer(2 << 20).unwrap();
    let error = basin.both(&data, &data).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::LimitExceeded, Executed::No), "{error}");
    assert_eq!(basin.both(&data, &data[1 << 20..]).unwrap(), 0);
}

#[test]
fn buffers_are_made_and_used_by_many_threads() {
    let basin = open();
    std::thread::scope(|scope| {
        for number in 1..5u8 {
            let basin = &basin;
            scope.spawn(move || {
                for round in 1..60 {
                    let length = 1000 * round;
                    let mut data = basin.session.buffer(length).unwrap();
                    data.fill(number);
                    assert_eq!(basin.sum(&data).unwrap(), length as u64 * u64::from(number));
                }
            });
        }
    });
    assert_eq!(basin.session.generation(), 1);
}

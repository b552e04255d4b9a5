//! The library's memory where it is hard: on threads and at their ends, in children, without maps, at the edge of the limit.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::{Cause, ErrorKind, Guard, HeapFaultKind, Options, Profile, Sandbox};
use hotcell_faulty::Faulty;

fn faulty(change: impl FnOnce(&mut Options)) -> Faulty {
    let mut options = Options::default();
    change(&mut options);
    Faulty::open(options).unwrap()
}

fn limited(mebibytes: u64, guard: Guard) -> Faulty {
    faulty(|options| {
        options.limits.memory = Some(mebibytes << 20);
        options.guard = Some(guard);
    })
}

#[test]
fn what_is_done_to_guarded_blocks_on_threads_is_told() {
    let faulty = faulty(|options| options.guard = Some(Guard::All));
    let error = faulty.int("use_after_free_in_thread", &[24]).unwrap_err();
    let Cause::Signal { heap: Some(heap), .. } = error.cause() else { panic!("{error:?}") };
    assert_eq!((heap.kind, heap.size), (HeapFaultKind::UseAfterFree, 24));
    for stack in [&heap.allocated, &heap.freed, &heap.used] {
        assert!(stack.iter().any(|frame| frame.module == "libfaulty.so"), "{error:#}");
        assert!(stack.iter().all(|frame| frame.offset != 0), "{error:#}");
    }
}

#[test]
fn what_a_child_does_to_a_block_is_not_told_of_its_parent() {
    let faulty = faulty(|options| {
        options.guard = Some(Guard::All);
        options.sandbox = Some(Sandbox::of(Profile::Basic));
    });
    const SIGABRT: i128 = 6;
    assert_eq!(faulty.int("double_free_in_child", &[0]).unwrap(), SIGABRT);
    let error = faulty.int("double_free_in_child", &[1]).unwrap_err();
    assert!(matches!(error.cause(), Cause::Signal { heap: None, .. }), "{error:?}");
}

#[test]
fn zeroed_blocks_are_zero_even_where_the_system_has_no_more_maps() {
    let faulty = faulty(|options| options.guard = Some(Guard::All));
    assert_eq!(faulty.int("dirty_blocks", &[]).unwrap(), 0);
}

#[test]
fn what_is_freed_when_a_thread_is_over_counts_as_free() {
    for guard in [Guard::None, Guard::All] {
        let faulty = limited(4, guard);
        assert_eq!(faulty.int("end_threads", &[3_000]).unwrap(), 1, "{guard:?}");
        let heap = faulty.session().heap().unwrap();
        assert_eq!(heap.refused, 0, "{heap}");
        // All of the limit but what is counted, and what threads that live have lent.
        let most = (4 << 20) - heap.total.bytes as i128 - (1 << 19);
        assert_eq!(faulty.int("resize", &[most, 1]).unwrap(), 1, "{guard:?}: {heap}");
    }
}

#[test]
fn a_block_that_changes_its_size_needs_the_difference() {
    for guard in [Guard::None, Guard::All] {
        let faulty = limited(64, guard);
        const MIB: i128 = 1 << 20;
        for (from, to) in [
            (60 * MIB, 59 * MIB),
            (50 * MIB, 60 * MIB),
            (60 * MIB, MIB),
            (12 * MIB, 60 * MIB),
            (10, 60 * MIB),
        ] {
            assert_eq!(faulty.int("resize", &[from, to]).unwrap(), 1, "{from} to {to}, {guard:?}");
        }
        assert_eq!(faulty.session().heap().unwrap().refused, 0);
        assert_eq!(faulty.int("resize", &[60 * MIB, 65 * MIB]).unwrap(), 0, "{guard:?}");
        assert_eq!(faulty.session().heap().unwrap().refused, 1);
    }
    // Less than twice what is guarded.
    let faulty = limited(16, Guard::All);
    for (from, to) in [(10 << 20, 9 << 20), (9 << 20, 10 << 20)] {
        assert_eq!(faulty.int("resize", &[from, to]).unwrap(), 1, "{from} to {to}");
    }
    assert_eq!(faulty.int("resize", &[10 << 20, 17 << 20]).unwrap(), 0);
}

#[test]
fn more_than_there_can_be_is_no_shortage() {
    let faulty = limited(64, Guard::None);
    assert_eq!(faulty.int("ask_for_all", &[0]).unwrap(), 1);
    assert_eq!(faulty.session().heap().unwrap().refused, 0);
    assert_eq!(faulty.int("ask_for_all", &[1]).unwrap_err().kind(), ErrorKind::Crashed);
}

#[test]
fn a_limit_leaves_room_for_the_stacks_of_threads() {
    let faulty = faulty(|options| {
        options.limits.memory = Some(4 << 20);
        // 64 of them are more than stands behind the limit for the rest.
        options.limits.stack = 16 << 20;
    });
    for _ in 0..3 {
        assert_eq!(faulty.int("leak_in_threads", &[64, 100]).unwrap(), 64);
    }
}

#[test]
fn samples_are_of_short_threads_and_of_blocks_that_grow_too() {
    let chosen = |faulty: &Faulty| faulty.session().heap().unwrap().coverage.unwrap().chosen;
    let faulty = faulty(|options| options.guard = Some(Guard::Sampled));
    // Forty blocks are less than any period: what one thread counted down, the next must go on with.
    assert_eq!(faulty.int("short_threads", &[3_000, 40]).unwrap(), 3_000);
    let by_threads = chosen(&faulty);
    assert!((5..100).contains(&by_threads), "{by_threads} of 120 000 blocks");
    assert_eq!(faulty.int("regrow", &[200_000]).unwrap(), 1);
    let by_growth = chosen(&faulty) - by_threads;
    assert!((8..200).contains(&by_growth), "{by_growth} of 200 000 blocks");
}

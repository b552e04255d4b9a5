//! A call that calls back a hundred thousand times needs the memory of one that does so once, and so do calls that are
//! nested in it.
//!
//! The only test of its program: it looks at the memory of the whole process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use hotcell::Options;
use hotcell_e2e::objects::Objects;
use hotcell_e2e::process::{resident, segments};

#[test]
fn callbacks_need_no_more_memory_however_often() {
    let options = Options { deadline: Duration::from_secs(300), ..Options::default() };
    let objects = Objects::open(options).unwrap();
    let pid = objects.session.worker_pid().unwrap();
    let run = |times| {
        let mut last = 0;
        let counted = objects.each(times, 2_000, &mut |invocation| {
            last = invocation.get_i64(0);
            invocation.buffer(40).map(|data| data.len() as u64)
        });
        assert_eq!(counted.unwrap(), (times * 2_000, 0));
        assert_eq!(last, times - 1);
    };
    run(1_000);
    let before = (segments(), resident(std::process::id()), resident(pid));
    run(100_000);
    assert_eq!(segments(), before.0);
    // Two mebibytes for what allocators and counters do; lost arguments would be two hundred.
    assert!(resident(std::process::id()) < before.1 + 2048, "this process has grown since {before:?}");
    assert!(resident(pid) < before.2 + 2048, "the worker has grown since {before:?}");
    assert_eq!(objects.session.generation(), 1);

    let data = vec![b'x'; 1_500_000];
    let nest = |times| {
        let counted = objects.each(times, 2_000, &mut |invocation| {
            let length = if invocation.get_i64(0) % 100 == 0 { data.len() } else { 5_000 };
            let turned = objects.turn_round(1, "hello", &data[..length], [1, 2, 3])?;
            Ok(u64::from(turned.3.len() == length))
        });
        assert_eq!(counted.unwrap(), (times, 0));
    };
    nest(500);
    let before = (segments(), resident(std::process::id()), resident(pid));
    nest(5_000);
    assert_eq!(segments(), before.0);
    // Lost arguments and results would be some fifty mebibytes each, and as much again for those that are long.
    assert!(resident(std::process::id()) < before.1 + 8192, "this process has grown since {before:?}");
    assert!(resident(pid) < before.2 + 8192, "the worker has grown since {before:?}");
    assert_eq!(objects.session.generation(), 1);
}

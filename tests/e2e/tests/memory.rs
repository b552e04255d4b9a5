//! The library's memory: counted for each function, limited, and guarded.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::dynamic::Value;
use hotcell::{
    Cause, Error, ErrorKind, Frame, Guard, HeapCount, HeapFault, HeapFaultKind, Options, Profile, Sandbox,
    Shortage,
};
use hotcell_faulty::Faulty;

fn faulty(change: impl FnOnce(&mut Options)) -> Faulty {
    let mut options = Options::default();
    change(&mut options);
    let faulty = Faulty::open(options).unwrap();
    // The first call on a thread has the C library make its thread-local variables, those of the shim too.
    assert_eq!(faulty.int("add", &[1, 1]).unwrap(), 2);
    // So has the start of the control thread, which maps the memory for these data before they are sent.
    let text = Value::Text("x".repeat(100_000));
    assert_eq!(faulty.call("total", &[Value::List(vec![text])]).unwrap().returned, Some(Value::Int(100_000)));
    faulty
}

fn limited(mebibytes: u64) -> Faulty {
    faulty(|options| options.limits.memory = Some(mebibytes << 20))
}

fn guarded(guard: Guard) -> Faulty {
    faulty(|options| options.guard = Some(guard))
}

/// Calls what must fail; then checks that the session serves on.
fn fault(faulty: &Faulty, name: &str, args: &[i128]) -> Error {
    let before = faulty.session().generation();
    let error = faulty.int(name, args).expect_err(name);
    assert_eq!(error.generation(), before, "{error}");
    assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5, "the call after {name}");
    let replaced = u64::from(error.is_fault());
    assert_eq!(faulty.session().generation(), before + replaced, "{error}");
    error
}

fn count(faulty: &Faulty, function: &str) -> (u64, u64) {
    let HeapCount { bytes, blocks } =
        faulty.session().heap().unwrap().of_function(&format!("faulty_{function}"));
    (bytes, blocks)
}

#[test]
fn what_a_function_leaks_is_known() {
    for guard in [Guard::None, Guard::Sampled, Guard::All] {
        let faulty = guarded(guard);
        let before = faulty.session().heap().unwrap();
        assert_eq!(before.of_function("faulty_leak"), HeapCount::default());
        for _ in 0..10 {
            assert_eq!(faulty.int("leak", &[3, 1000]).unwrap(), 3);
        }
        assert_eq!(count(&faulty, "leak"), (30_000, 30), "{guard:?}");
        assert_eq!(faulty.int("allocators", &[100]).unwrap(), 1);
        assert_eq!(count(&faulty, "allocators"), (0, 0), "{guard:?}");
        let after = faulty.session().heap().unwrap();
        assert_eq!(after.total.bytes - before.total.bytes, 30_000, "{before:?} {after:?}");
        let names: Vec<&str> = after.functions.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["faulty_add", "faulty_leak"], "{after:?}");
        // Of the worker that serves, and no other.
        faulty.int("abort", &[]).unwrap_err();
        assert_eq!(faulty.session().heap(), None);
        assert_eq!(faulty.int("add", &[1, 1]).unwrap(), 2);
        assert_eq!(count(&faulty, "leak"), (0, 0));
    }
}

#[test]
fn a_block_is_its_allocators_until_anybody_frees_it() {
    let faulty = faulty(|_| ());
    assert_eq!(faulty.int("keep_block", &[5_000]).unwrap(), 1);
    assert_eq!(count(&faulty, "keep_block"), (5_000, 1));
    // Bigger than what the C library has in stock, and smaller.
    for bytes in [1_000_000, 10, 300_000_000] {
        assert_eq!(faulty.int("keep_block", &[bytes]).unwrap(), 1);
        assert_eq!(count(&faulty, "keep_block"), (bytes as u64, 1));
    }
    faulty.call("drop_block", &[]).unwrap();
    assert_eq!((count(&faulty, "keep_block"), count(&faulty, "drop_block")), ((0, 0), (0, 0)));
}

#[test]
fn threads_of_the_library_count_outside_of_calls() {
    for guard in [Guard::None, Guard::All] {
        let faulty = guarded(guard);
        // The worker's own second thread is up when it has mapped memory for a result, and has what the C library gives threads.
        faulty.call("long_text", &[Value::Int(1 << 20)]).unwrap();
        let outside = || faulty.session().heap().unwrap().outside;
        let before = outside();
        // Fewer than have counts of their own, and more; then others have what those had that ended.
        for (threads, blocks) in [(8, 8), (40, 48), (40, 88), (8, 96)] {
            assert_eq!(faulty.int("leak_in_threads", &[threads, 7_000]).unwrap(), threads);
            let after = outside();
            let more = (after.bytes - before.bytes, after.blocks - before.blocks);
            assert_eq!(more, (7_000 * blocks, blocks), "{guard:?}");
        }
    }
}

#[test]
fn every_way_of_allocating_works_with_every_guard() {
    for guard in [Guard::None, Guard::Sampled, Guard::All] {
        let faulty = guarded(guard);
        for size in [0, 1, 7, 8, 24, 100, 4_000, 5_000, 70_000, 200_000, 20_000_000] {
            assert_eq!(faulty.int("allocators", &[size]).unwrap(), 1, "{size} bytes, {guard:?}");
        }
        assert_eq!(faulty.session().generation(), 1);
        assert_eq!(count(&faulty, "allocators"), (0, 0));
    }
}

#[test]
fn children_of_the_library_may_allocate() {
    for guard in [Guard::None, Guard::All] {
        let faulty = faulty(|options| {
            options.guard = Some(guard);
            options.sandbox = Some(Sandbox::of(Profile::Basic));
        });
        for raw in [0, 1] {
            assert_eq!(faulty.int("allocate_in_child", &[raw]).unwrap(), 42, "raw {raw}, {guard:?}");
        }
        assert_eq!(faulty.session().generation(), 1);
        assert_eq!(count(&faulty, "allocate_in_child"), (0, 0), "{guard:?}");
    }
}

#[test]
fn out_of_memory_is_told_from_other_deaths() {
    let faulty = limited(64);
    let limit = Some(64 << 20);
    assert_eq!(faulty.int("fill", &[32]).unwrap(), 1);
    for (name, args, ended) in [
        ("fill", &[65][..], "SIGSEGV at address 0x0: a null pointer was used"),
        ("need", &[65, 1], "SIGABRT"),
        ("need", &[65, 2], "the library ended its process with exit(3)"),
    ] {
        let error = fault(&faulty, name, args);
        assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{error}");
        let Cause::Memory { shortage, ended: how } = error.cause() else { panic!("{error:?}") };
        assert_eq!((shortage.limit, shortage.wanted, &**how), (limit, 65 << 20, ended));
        assert!(shortage.live < 1 << 20, "{shortage:?}");
        assert_eq!(error.to_json()["cause"]["limit"], 64 << 20);
    }
    // Its own failure is its own, with the reason.
    let error = fault(&faulty, "need", &[65, 0]);
    assert_eq!(error.kind(), ErrorKind::LibraryError, "{error}");
    assert!(matches!(error.shortage(), Some(Shortage { wanted, .. }) if *wanted == 65 << 20), "{error:?}");
    assert!(format!("{error:#}").contains("the library was refused 68157440 bytes"), "{error:#}");
    assert_eq!(faulty.session().heap().unwrap().refused, 1);
    // What was refused in another call is no excuse.
    assert_eq!(fault(&faulty, "null_dereference", &[]).kind(), ErrorKind::Crashed);
    assert_eq!(fault(&faulty, "exit", &[3]).kind(), ErrorKind::Exited);
}

#[test]
fn the_limit_is_on_all_that_lives_at_a_time() {
    let faulty = limited(64);
    for _ in 0..10 {
        assert_eq!(faulty.int("fill", &[60]).unwrap(), 1, "what was freed counts no longer");
    }
    let got = faulty.int("allocate", &[256]).unwrap();
    assert!((60..64).contains(&got), "{got} MiB");
    let heap = faulty.session().heap().unwrap();
    assert_eq!((heap.refused, heap.of_function("faulty_allocate").blocks), (1, got as u64), "{heap:?}");
    assert!(heap.total.bytes <= 64 << 20, "{heap:?}");
    // Blocks that grow are under it, too, and stay what they were.
    assert_eq!(faulty.int("keep_block", &[1000]).unwrap(), 1);
    assert_eq!(faulty.int("keep_block", &[5 << 20]).unwrap(), 0);
    let small = limited(1);
    assert_eq!(small.int("leak", &[64, 64]).unwrap(), 64);
    assert_eq!(fault(&small, "fill", &[1]).kind(), ErrorKind::OutOfMemory);
}

#[test]
fn what_the_system_refuses_is_out_of_memory_too() {
    let faulty = faulty(|options| options.limits.data = Some(64 << 20));
    let error = fault(&faulty, "fill", &[100]);
    assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{error}");
    assert!(
        matches!(error.cause(), Cause::Memory { shortage: Shortage { limit: None, .. }, .. }),
        "{error:?}"
    );
}

#[test]
fn a_limit_too_small_for_loading_is_a_load_error() {
    let mut options = Options::default();
    options.limits.memory = Some(1);
    let error = Faulty::open(options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LoadFailed, "{error}");
}

#[test]
fn a_guard_that_cannot_be_had_is_a_load_error() {
    let mut options = Options { guard: Some(Guard::All), ..Options::default() };
    // Less than what is to be known of so many blocks.
    options.limits.data = Some(3 << 20);
    let error = Faulty::open(options.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LoadFailed, "{error}");
    assert!(error.message().contains("guarded memory"), "{error}");
    options.guard = None;
    assert_eq!(Faulty::open(options).unwrap().int("add", &[1, 2]).unwrap(), 3);
}

/// Calls what breaks a guarded block, and comes with what is known of it.
fn broken(faulty: &Faulty, name: &str, args: &[i128]) -> (Error, HeapFault) {
    let error = fault(faulty, name, args);
    assert_eq!(error.kind(), ErrorKind::Crashed, "{error}");
    let Cause::Signal { heap: Some(heap), .. } = error.cause() else { panic!("{error:?}") };
    let heap = (**heap).clone();
    (error, heap)
}

fn is_of(frame: &Frame, function: &str) -> bool {
    frame.module == "libfaulty.so" && frame.offset > 0 && frame.symbol.as_deref() == Some(function)
}

#[test]
fn what_is_done_to_guarded_blocks_is_told() {
    use HeapFaultKind::{BufferOverflow, BufferUnderflow, DoubleFree, InvalidFree, UseAfterFree};
    // Without a wall, and behind the one that holds by default.
    for profile in [Profile::Basic, Profile::Compute] {
        let faulty = faulty(|options| {
            options.guard = Some(Guard::All);
            options.sandbox = Some(Sandbox::of(profile));
        });
        for (name, args, kind) in [
            ("write_block", &[24, 24][..], BufferOverflow),
            ("write_block", &[24, 31], BufferOverflow),
            ("write_block", &[24, 40], BufferOverflow),
            ("write_block", &[5000, 5000], BufferOverflow),
            ("write_block", &[100_000, 100_000], BufferOverflow),
            ("write_block", &[24, -1], BufferUnderflow),
            ("write_block", &[24, -5000], BufferUnderflow),
            ("write_block", &[4096, -1], BufferUnderflow),
            ("read_block", &[64, 64], BufferOverflow),
            ("read_block", &[4096, -1], BufferUnderflow),
            ("use_after_free", &[24], UseAfterFree),
            ("use_after_free", &[70_000], UseAfterFree),
            ("double_free", &[], DoubleFree),
            ("free_inside", &[64], InvalidFree),
        ] {
            let (error, heap) = broken(&faulty, name, args);
            assert_eq!(heap.kind, kind, "{name} {args:?}: {error:#}");
            assert!(error.message().contains(kind.name()), "{error}");
            let size = if name == "double_free" { 64 } else { args[0] as u64 };
            assert_eq!(heap.size, size, "{error}");
            let function = format!("faulty_{name}");
            assert!(heap.allocated.iter().any(|frame| is_of(frame, &function)), "{error:#}");
            assert!(heap.used.iter().any(|frame| is_of(frame, &function)), "{error:#}");
            let freed = heap.freed.iter().any(|frame| is_of(frame, &function));
            assert_eq!(freed, matches!(kind, UseAfterFree | DoubleFree), "{error:#}");
            assert!(!heap.allocated.iter().any(|frame| frame.module.contains("hotcell-worker")), "{error:#}");
            assert!(format!("{error:#}").contains("\n  allocated at:\n    libfaulty.so+0x"), "{error:#}");
            assert_eq!(error.to_json()["cause"]["heap"]["kind"], kind.name());
        }
        // What has nothing to do with guarded blocks is told as ever.
        let error = fault(&faulty, "null_dereference", &[]);
        assert!(matches!(error.cause(), Cause::Signal { address: Some(0), heap: None, .. }), "{error:?}");
        let error = fault(&faulty, "abort", &[]);
        assert!(matches!(error.cause(), Cause::Signal { heap: None, .. }), "{error:?}");
    }
}

#[test]
fn samples_find_it_sooner_or_later() {
    let faulty = guarded(Guard::Sampled);
    for (name, args, kind) in [
        ("write_block", &[24, 25][..], HeapFaultKind::BufferOverflow),
        ("use_after_free", &[24], HeapFaultKind::UseAfterFree),
    ] {
        // One in 5 000 is guarded, on average. What is written into blocks that are not stays in their slack.
        let error = (0..200_000).find_map(|_| faulty.int(name, args).err()).expect("a sample");
        let Cause::Signal { heap: Some(heap), .. } = error.cause() else { panic!("{error:?}") };
        assert_eq!(heap.kind, kind, "{error:#}");
        assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5);
    }
}

#[test]
fn coverage_is_told() {
    assert_eq!(faulty(|_| ()).session().heap().unwrap().coverage, None);
    let faulty = guarded(Guard::All);
    let before = faulty.session().heap().unwrap().coverage.unwrap();
    assert_eq!(faulty.int("leak", &[100, 100]).unwrap(), 100);
    let after = faulty.session().heap().unwrap().coverage.unwrap();
    assert_eq!((after.guarded - before.guarded, after.chosen - before.chosen), (100, 100));
    assert_eq!(count(&faulty, "leak"), (10_000, 100));
    // More than there is room for live on without.
    assert_eq!(faulty.int("leak", &[30_000, 10]).unwrap(), 30_000);
    let full = faulty.session().heap().unwrap();
    let coverage = full.coverage.unwrap();
    assert!(coverage.chosen >= 30_100 && coverage.guarded < 15_000, "{coverage:?}");
    assert_eq!(full.of_function("faulty_leak"), HeapCount { bytes: 310_000, blocks: 30_100 });
    assert_eq!(faulty.int("fill", &[64]).unwrap(), 1);
    assert!(full.to_string().contains(&format!("guarded: {} of", coverage.guarded)), "{full}");
}

#[test]
fn a_limit_holds_for_guarded_blocks() {
    let faulty = faulty(|options| {
        options.guard = Some(Guard::All);
        options.limits.memory = Some(8 << 20);
    });
    assert_eq!(fault(&faulty, "fill", &[9]).kind(), ErrorKind::OutOfMemory);
    for _ in 0..100 {
        assert_eq!(faulty.int("fill", &[6]).unwrap(), 1);
    }
}

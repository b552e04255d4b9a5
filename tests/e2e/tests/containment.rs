//! Every fault of the faulty library is a typed error on the very call, and the next call works.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use hotcell::dynamic::Value;
use hotcell::{Cause, Error, ErrorKind, Executed, LeftBy, Options, Profile, Sandbox};
use hotcell_faulty::Faulty;

/// The library, fresh; a test that asserts a generation must not share a session.
fn faulty() -> Faulty {
    Faulty::open(Options::default()).unwrap()
}

/// Calls a function that must fail; then checks that the session serves on, with a new worker.
fn fault(faulty: &Faulty, name: &str, args: &[i128]) -> Error {
    let before = faulty.session().generation();
    let error = faulty.int(name, args).expect_err(name);
    assert!(error.is_fault(), "{error}");
    assert_eq!(error.executed(), Executed::Maybe, "{error}");
    assert_eq!(error.function(), format!("faulty_{name}"));
    assert_eq!(error.generation(), before);
    assert_ne!(error.call_id(), 0);
    assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5, "the call after {name}");
    assert_eq!(faulty.session().generation(), before + 1);
    assert_eq!(faulty.int("count", &[]).unwrap(), 1, "the library is loaded afresh after {name}");
    error
}

fn check_signal(name: &str, args: &[i128], expect: &str) -> Error {
    let error = fault(&faulty(), name, args);
    assert_eq!(error.kind(), ErrorKind::Crashed, "{error}");
    match error.cause() {
        Cause::Signal { name, .. } => assert_eq!(*name, expect, "{error}"),
        other => panic!("{other:?}"),
    }
    error
}

#[test]
fn null_dereference() {
    let error = check_signal("null_dereference", &[], "SIGSEGV");
    assert!(matches!(error.cause(), Cause::Signal { address: Some(0), pc: Some(1..), .. }), "{error:?}");
}

#[test]
fn wild_pointer() {
    let error = check_signal("wild_pointer", &[], "SIGSEGV");
    // Where the kernel does not say the address, nobody makes one up.
    let known = matches!(error.cause(), Cause::Signal { address: Some(4096..), .. });
    let unknown = matches!(error.cause(), Cause::Signal { address: None, pc: Some(1..), .. });
    assert!(if cfg!(target_arch = "x86_64") { unknown } else { known || unknown }, "{error:?}");
    assert!(!error.message().contains("null pointer"), "{error}");
}

#[test]
fn stack_overflow() {
    let error = check_signal("stack_overflow", &[0], "SIGSEGV");
    assert!(matches!(error.cause(), Cause::Signal { stack_overflow: true, .. }), "{error:?}");
}

#[test]
fn stack_overflow_without_an_alternate_stack() {
    check_signal("overflow_without_altstack", &[], "SIGSEGV");
}

#[test]
fn abort() {
    check_signal("abort", &[], "SIGABRT");
}

#[test]
fn double_free() {
    let error = check_signal("double_free", &[], "SIGABRT");
    assert!(error.output().contains("double free"), "{:?}", error.output());
}

#[test]
fn smashed_stack() {
    let error = check_signal("smash_stack", &[64], "SIGABRT");
    assert!(error.output().contains("stack smashing"), "{:?}", error.output());
}

#[test]
fn failed_assertion() {
    let error = check_signal("assert", &[1], "SIGABRT");
    assert!(error.output().contains("the value must be 42"), "{:?}", error.output());
}

#[test]
fn division_by_zero() {
    assert_eq!(faulty().int("divide", &[7, 2]).unwrap(), 3);
    check_signal("divide", &[7, 0], "SIGFPE");
}

#[test]
fn illegal_instruction() {
    check_signal("illegal_instruction", &[], "SIGILL");
}

#[test]
fn breakpoint() {
    let error = check_signal("breakpoint", &[], "SIGTRAP");
    assert_eq!(error.message(), "SIGTRAP");
}

#[test]
fn any_signal() {
    for (number, name) in [(1, "SIGHUP"), (9, "SIGKILL"), (10, "SIGUSR1"), (14, "SIGALRM"), (15, "SIGTERM")] {
        check_signal("raise", &[number], name);
    }
}

#[test]
fn exit_is_an_error_whatever_its_status() {
    for status in [0, 1, 3, 255] {
        for name in ["exit", "exit_in_thread"] {
            let error = fault(&faulty(), name, &[status]);
            assert_eq!(error.kind(), ErrorKind::Exited, "{error}");
            assert_eq!(error.cause(), &Cause::Exit { status: status as i32 });
        }
    }
}

fn check_hang(name: &str, args: &[i128]) {
    let faulty = faulty();
    let deadline = Duration::from_millis(150);
    let started = Instant::now();
    let values: Vec<Value> = args.iter().copied().map(Value::Int).collect();
    let error = faulty.within(deadline).call(name, &values).expect_err(name);
    assert!(started.elapsed() >= deadline, "{name} ended before its deadline");
    assert_eq!(error.kind(), ErrorKind::Hung, "{error}");
    assert_eq!(error.cause(), &Cause::Deadline { after: deadline });
    assert_eq!(error.executed(), Executed::Maybe);
    assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5);
    assert_eq!(faulty.session().generation(), 2);
}

#[test]
fn endless_loop() {
    check_hang("loop", &[]);
}

#[test]
fn long_sleep() {
    check_hang("sleep", &[60_000]);
}

#[test]
fn deadlock() {
    check_hang("deadlock", &[]);
}

#[test]
fn stopped_process() {
    check_hang("raise", &[19]);
}

#[test]
fn ignored_signals() {
    check_hang("ignore_signals", &[]);
}

/// An exception of C++ that nobody catches: what it is, and what it says of itself.
#[test]
fn uncaught_exception() {
    let error = check_signal("throw", &[], "SIGABRT");
    assert!(error.output().contains("std::runtime_error"), "{error:#}");
    assert!(error.output().contains("what():  the answer is not 42"), "{error:#}");
    // In a batch and in a nested call, too.
    let faulty = faulty();
    let mut batch = faulty.batch();
    let thrown = faulty.put(&mut batch, "throw", &[]).unwrap();
    let error = batch.run().unwrap().take(thrown).unwrap_err();
    assert!(error.output().contains("the answer is not 42"), "{error:#}");
    let mut inner = None;
    let outer = faulty.call_with("outer", &[Value::Callback], &mut |_, _| {
        inner = Some(faulty.int("throw", &[]));
        Err("the inner call failed".to_owned())
    });
    for error in [inner.unwrap().unwrap_err(), outer.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Crashed, "{error}");
        assert!(error.output().contains("the answer is not 42"), "{error:#}");
    }
}

#[test]
fn ended_thread() {
    // Long before the deadline, which would be another error.
    let error = fault(&faulty(), "exit_thread", &[]);
    assert_eq!(error.kind(), ErrorKind::Exited, "{error}");
    assert_eq!(error.cause(), &Cause::Left { how: LeftBy::EndOfThread });
    assert_eq!(error.to_json()["cause"]["left_by"], "end-of-thread");
    assert!(error.message().contains("pthread_exit"), "{error}");
}

/// The inner call jumps over its own frames and the callback's: both calls have failed, for that reason.
#[test]
fn jump_out_of_a_nested_call() {
    let faulty = faulty();
    let mut inner = None;
    let outer = faulty.call_with("outer", &[Value::Callback], &mut |_, _| {
        inner = Some(faulty.int("inner", &[1]));
        Err("the inner call failed".to_owned())
    });
    for error in [inner.unwrap().unwrap_err(), outer.unwrap_err()] {
        assert_eq!(
            (error.kind(), error.executed()),
            (ErrorKind::ProtocolViolation, Executed::Maybe),
            "{error}"
        );
        assert_eq!(error.cause(), &Cause::Left { how: LeftBy::Jump });
    }
    assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5);
    // Without a jump it works.
    let mut inner = |_: &str, _: &[(String, Value)]| match faulty.int("inner", &[2]) {
        Ok(number) => Ok(Value::Int(number)),
        Err(error) => Err(error.to_string()),
    };
    let outcome = faulty.call_with("outer", &[Value::Callback], &mut inner).unwrap();
    assert_eq!(outcome.returned, Some(Value::Int(4)));
    assert_eq!(faulty.session().generation(), 2);
}

/// The library writes over all that is shared, what would wake its caller included, and never returns.
#[test]
fn scribble_over_the_reply() {
    let faulty =
        Faulty::open(Options { sandbox: Some(Sandbox::of(Profile::Basic)), ..Options::default() }).unwrap();
    let error = fault(&faulty, "scribble", &[]);
    assert_eq!(error.kind(), ErrorKind::ProtocolViolation, "{error}");
    assert!(error.message().contains("commit word"), "{error}");
}

#[test]
fn a_late_crash_does_not_hit_the_next_caller() {
    let faulty = faulty();
    assert_eq!(faulty.int("crash_later", &[]).unwrap(), 1);
    let first = faulty.session().worker_pid().unwrap();
    let patience = Instant::now() + Duration::from_secs(10);
    while std::path::Path::new(&format!("/proc/{first}")).exists() {
        assert!(Instant::now() < patience, "the crash never came");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5);
    assert_eq!(faulty.session().generation(), 2);
}

#[test]
fn forked_children_die_with_their_worker() {
    // Without a wall: behind one nothing is forked.
    let sandbox = Some(Sandbox::of(Profile::Basic));
    let faulty = Faulty::open(Options { sandbox, ..Options::default() }).unwrap();
    let group = faulty.session().worker_pid().unwrap();
    let error = fault(&faulty, "fork_and_abort", &[]);
    assert_eq!(error.kind(), ErrorKind::Crashed, "{error}");
    let patience = Instant::now() + Duration::from_secs(10);
    while group_exists(group) {
        assert!(Instant::now() < patience, "a child of the worker is left");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether any process (that is more than a corpse) belongs to the group.
fn group_exists(group: u32) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
        fields.len() > 2 && fields[0] != "Z" && fields[2] == group.to_string()
    })
}

#[test]
fn closed_descriptors_do_not_confuse_anybody() {
    let faulty = faulty();
    // The call may return (its channel is memory, not a descriptor) or die. A worker without its control socket ends, and a call
    // that is under way then is told so; the next one works.
    let _ = faulty.int("close_descriptors", &[]);
    match faulty.int("add", &[2, 3]) {
        Ok(sum) => assert_eq!(sum, 5),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Exited, "{error:?}"),
    }
    assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5);
    let long = "x".repeat(100_000);
    assert_eq!(
        faulty
            .call("print", &[Value::Text(long), Value::Int(0)])
            .unwrap_or_else(|_| {
                // The worker could take no more memory; its replacement can.
                faulty.call("print", &[Value::Text("x".repeat(100_000)), Value::Int(0)]).unwrap()
            })
            .returned,
        Some(Value::Int(0))
    );
}

#[test]
fn input_is_read_only_for_the_library() {
    let faulty = faulty();
    for length in [8, 100_000] {
        let before = faulty.session().generation();
        let error = faulty.call("write_input", &[Value::Bytes(vec![b'a'; length])]).expect_err("write_input");
        assert!(
            matches!(error.cause(), Cause::Signal { name: "SIGSEGV", address: Some(1..), .. }),
            "{error:?}"
        );
        assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5);
        assert_eq!(faulty.session().generation(), before + 1);
    }
}

#[test]
fn writing_around_a_result_harms_only_the_worker() {
    let faulty = faulty();
    for length in [64, 1_000, 100_000] {
        // It may crash, break the protocol, or scribble where nobody looks: never a host fault or a hang.
        let outcome = faulty.within(Duration::from_secs(2)).int("write_around", &[length]);
        if let Err(error) = &outcome {
            assert!(error.is_fault(), "{error}");
        }
        assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5, "after {length}");
    }
}

#[test]
fn a_claim_beyond_the_capacity_is_an_invalid_reply() {
    let faulty = faulty();
    let honest = faulty.call("claim", &[Value::Int(16)]).unwrap();
    assert_eq!(honest.outs, [("out".to_owned(), Value::Bytes(vec![b'x'; 16]))]);
    for claim in [17, 4096, 1 << 32, i128::from(u64::MAX)] {
        let error = faulty.call("claim", &[Value::Int(claim)]).expect_err("claim");
        assert_eq!(error.kind(), ErrorKind::InvalidReply, "{error}");
        assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5);
    }
}

#[test]
fn texts_of_the_library() {
    let faulty = faulty();
    assert_eq!(faulty.call("bad_text", &[]).expect_err("bad_text").kind(), ErrorKind::BadEncoding);
    assert_eq!(faulty.call("no_text", &[]).unwrap().returned, Some(Value::Null));
    for length in [0, 10, 5_000, 3_000_000, 10] {
        let text = faulty.int_text("long_text", length);
        assert_eq!(text.len(), length as usize);
        assert!(text.bytes().all(|byte| byte == b'x'));
    }
    assert_eq!(faulty.session().generation(), 1, "none of these costs a worker its life");
}

#[test]
fn results_beyond_the_limit_are_refused() {
    let faulty = Faulty::open(Options { max_output: 1 << 20, ..Options::default() }).unwrap();
    let error = faulty.int("long_text", &[2 << 20]).expect_err("long_text");
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    assert_eq!(faulty.int_text("long_text", 1 << 19).len(), 1 << 19);
    assert_eq!(faulty.session().generation(), 1);
}

#[test]
fn calls_of_one_shape_need_no_more_memory_however_often() {
    // The window that a limit cuts short must not be asked for again and again: segments are few.
    let faulty = Faulty::open(Options { max_output: 3 << 20, ..Options::default() }).unwrap();
    for _ in 0..100 {
        for length in [1_500_000, 2_900_000, 10] {
            assert_eq!(faulty.int_text("long_text", length).len(), length as usize);
        }
    }
    assert_eq!(faulty.session().generation(), 1);
}

#[test]
fn a_call_within_a_call_of_the_same_thread_is_refused_at_once() {
    let faulty = faulty();
    let call = faulty.session().call(0).unwrap();
    let error = faulty.int("add", &[1, 1]).expect_err("the session is held by this thread");
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Unavailable, Executed::No), "{error}");
    assert!(error.message().starts_with("this thread has a call"), "it waited for itself: {error}");
    assert!(faulty.session().worker_pid().is_some(), "what is no call goes on");
    drop(call);
    assert_eq!(faulty.int("add", &[1, 1]).unwrap(), 2);
}

#[test]
fn a_slow_call_is_not_sent_after_its_deadline() {
    let faulty = faulty();
    let session = faulty.session().within(Duration::from_millis(30));
    let call = session.call(0).unwrap();
    std::thread::sleep(Duration::from_millis(60));
    let error = call.finish().map(drop).expect_err("its time is over");
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Unavailable, Executed::No), "{error}");
    assert_eq!(faulty.int("add", &[1, 1]).unwrap(), 2);
    assert_eq!(faulty.session().generation(), 1, "the worker was not to blame");
}

#[test]
fn nothing_of_the_host_is_inherited() {
    assert!(std::env::var_os("PATH").is_some() && std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let options = Options { environment: vec![("GIVEN".into(), "yes".into())], ..Options::default() };
    let faulty = Faulty::open(options).unwrap();
    let variable = |name: &str| faulty.call("environment", &[Value::Text(name.into())]).unwrap().returned;
    assert_eq!(variable("CARGO_MANIFEST_DIR"), Some(Value::Null));
    assert_eq!(variable("HOME"), Some(Value::Null));
    assert_eq!(variable("GIVEN"), Some(Value::Text("yes".into())));
    assert_eq!(variable("LANG"), Some(Value::Text("C.UTF-8".into())));
}

#[test]
fn a_deadline_shorter_than_a_start_does_not_cost_the_new_worker() {
    let faulty = faulty();
    faulty.int("abort", &[]).expect_err("abort");
    let error = faulty.within(Duration::from_nanos(1)).int("add", &[1, 1]).expect_err("no time at all");
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Unavailable, Executed::No), "{error}");
    assert_eq!(faulty.within(Duration::from_secs(5)).int("add", &[1, 1]).unwrap(), 2);
    assert_eq!(faulty.session().generation(), 2);
}

#[test]
fn a_library_error_is_no_fault() {
    let faulty = faulty();
    let error = faulty.int("errno", &[2]).expect_err("errno");
    assert_eq!(error.kind(), ErrorKind::LibraryError);
    assert!(!error.is_fault());
    assert_eq!(error.executed(), Executed::Yes);
    assert_eq!(error.cause(), &Cause::Library { code: -1, symbol: None, message: None, errno: 2 });
    assert_eq!(faulty.session().generation(), 1);
}

#[test]
fn output_is_kept_up_to_a_bound_and_never_blocks() {
    let faulty = faulty();
    let line = "x".repeat(1023) + "\n";
    let printed = faulty.call("print", &[Value::Text(line), Value::Int(20_000)]).unwrap();
    assert_eq!(printed.returned, Some(Value::Int(20_000)));
    faulty.call("print", &[Value::Text("\x1b[31mlast words\n".into()), Value::Int(1)]).unwrap();
    let error = faulty.int("abort", &[]).expect_err("abort");
    assert!(error.output().ends_with("\\u{1b}[31mlast words\n"), "{:?}", error.output());
    assert!(error.output().len() < 20_000);
}

#[test]
fn arguments_are_checked_before_anything_is_sent() {
    let faulty = faulty();
    let check = |name: &str, args: &[Value]| {
        let error = faulty.call(name, args).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert_eq!(error.executed(), Executed::No, "{error}");
    };
    check("add", &[Value::Int(1)]);
    check("add", &[Value::Int(1), Value::Int(1 << 31)]);
    check("add", &[Value::Int(1), Value::Float(1.5)]);
    check("add", &[Value::Int(1), Value::Null]);
    check("print", &[Value::Text("a\0b".into()), Value::Int(1)]);
    check("print", &[Value::Null, Value::Int(1)]);
    assert_eq!(faulty.session().generation(), 1);
}

#[test]
fn memory_can_be_limited() {
    let mut options = Options::default();
    options.limits.data = Some(64 << 20);
    let faulty = Faulty::open(options).unwrap();
    let got = faulty.int("allocate", &[256]).unwrap();
    assert!((1..64).contains(&got), "{got} MiB");
}

#[test]
fn callers_of_several_threads_take_turns() {
    let faulty = faulty();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let faulty = faulty.clone();
            scope.spawn(move || {
                for i in 0..500 {
                    assert_eq!(faulty.int("add", &[thread, i]).unwrap(), thread + i);
                }
            });
        }
    });
    assert_eq!(faulty.session().generation(), 1);
}

#[test]
fn a_caller_that_never_gets_its_turn_is_told_so() {
    let faulty = faulty();
    let other = faulty.clone();
    let holder = std::thread::spawn(move || other.within(Duration::from_secs(5)).int("sleep", &[1_000]));
    let patience = Instant::now() + Duration::from_secs(10);
    let error = loop {
        assert!(Instant::now() < patience);
        match faulty.within(Duration::from_millis(50)).int("add", &[1, 1]) {
            Ok(_) => std::thread::yield_now(),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert_eq!(error.executed(), Executed::No);
    assert_eq!(holder.join().unwrap().unwrap(), 1_000);
}

/// A function that returns a text of a given length.
trait LongText {
    fn int_text(&self, name: &str, length: i128) -> String;
}

impl LongText for Faulty {
    fn int_text(&self, name: &str, length: i128) -> String {
        match self.call(name, &[Value::Int(length)]).unwrap().returned {
            Some(Value::Text(text)) => text,
            other => panic!("{other:?}"),
        }
    }
}

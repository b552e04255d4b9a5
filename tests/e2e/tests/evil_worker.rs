//! Workers that lie: a typed error for the call, an unharmed host, and no worker left.
//!
//! The only test of its program: it counts the descriptors of the whole process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::time::Duration;

use hotcell::dynamic::Value;
use hotcell::rt::{Collects, Puts};
use hotcell::{
    Cause, Done, Error, ErrorKind, Executed, Guard, Options, Pipeline, Recycle, Require, Sandbox, Ticket,
    Wear,
};
use hotcell_e2e::process::{alive, descriptors, segments, wait_until};
use hotcell_faulty::Faulty;

fn options(lie: &str) -> Options {
    Options {
        worker: Some(PathBuf::from(env!("CARGO_BIN_EXE_hotcell-evil-worker"))),
        environment: vec![("HOTCELL_EVIL".into(), lie.into())],
        start_deadline: Duration::from_secs(2),
        deadline: Duration::from_secs(2),
        ..Options::default()
    }
}

/// Lies before the first call: the session does not open.
fn check_start(lie: &str) {
    let error = Faulty::open(options(lie)).map(drop).expect_err(lie);
    assert_eq!(error.kind(), ErrorKind::LoadFailed, "{lie}: {error}");
    assert_eq!(error.executed(), Executed::No);
}

/// Lies about a reply.
fn check_reply(lie: &str, expect: ErrorKind) {
    let faulty = Faulty::open(options(lie)).unwrap();
    let pid = faulty.session().worker_pid().unwrap();
    let error = faulty.call("long_text", &[Value::Int(1)]).expect_err(lie);
    assert_eq!(error.kind(), expect, "{lie}: {error}");
    assert_eq!(error.executed(), Executed::Maybe, "{lie}: {error}");
    wait_until("the liar lives", || !alive(pid));
}

/// Lies to a task that waits.
fn check_awaited(lie: &str, expect: ErrorKind) {
    let faulty = Faulty::open(options(lie)).unwrap();
    let pid = faulty.session().worker_pid().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(faulty.awaited("long_text", &[Value::Int(1)])).expect_err(lie);
    assert_eq!(error.kind(), expect, "{lie}: {error}");
    assert_eq!(error.executed(), Executed::Maybe, "{lie}: {error}");
    drop(runtime);
    wait_until("the liar lives", || !alive(pid));
}

#[test]
fn every_lie_is_a_typed_error() {
    // What stays in the process (the monitor, the bound library) is there before we count.
    let first = Faulty::open(Options::default()).unwrap();
    // Its libraries are read by a thread, which has ended then.
    first.session().loaded();
    drop(first);
    wait_until("the first worker stays", || segments() == 0);
    let before = descriptors();
    for lie in
        ["silent", "gone", "garbage", "short", "long", "host-packet", "cut-off", "event-text", "descriptors"]
    {
        check_start(lie);
    }
    let not_in_force = |options: Options| match Faulty::open(options).map(drop).expect_err("no wall").cause()
    {
        Cause::NotInForce { missing } => missing.clone(),
        cause => panic!("{cause:?}"),
    };
    assert!(not_in_force(options("no-wall")).contains(&"system-call-filter"));
    // It does not count, let alone guard.
    for guard in [Some(Guard::Sampled), Some(Guard::All)] {
        let seen = not_in_force(Options { guard, ..options("other-call") });
        assert_eq!(seen, ["guarded-memory"]);
    }
    let mut limited = options("other-call");
    limited.limits.memory = Some(1 << 30);
    assert_eq!(not_in_force(limited), ["guarded-memory"]);
    // What it claims is believed, but where the kernel is asked.
    let strict = Sandbox { require: Require::Strict, ..Sandbox::default() };
    let seen = not_in_force(Options { sandbox: Some(strict), ..options("other-call") });
    assert!(seen.contains(&"system-call-filter (seen from outside)"), "{seen:?}");
    let error = Faulty::open(options("no-handles")).map(drop).expect_err("no handles");
    assert_eq!(error.kind(), ErrorKind::AbiMismatch, "{error}");
    for (lie, expect) in [
        ("other-call", ErrorKind::ProtocolViolation),
        ("no-call", ErrorKind::ProtocolViolation),
        ("unknown-state", ErrorKind::ProtocolViolation),
        ("callback", ErrorKind::ProtocolViolation),
        ("kept-callback", ErrorKind::ProtocolViolation),
        ("unpassed-callback", ErrorKind::ProtocolViolation),
        ("long-result", ErrorKind::ProtocolViolation),
        ("short-result", ErrorKind::ProtocolViolation),
        ("skipped-commit", ErrorKind::ProtocolViolation),
        ("wild-reference", ErrorKind::ProtocolViolation),
        ("unknown-refusal", ErrorKind::ProtocolViolation),
        ("refusal-of-no-argument", ErrorKind::ProtocolViolation),
        ("endless-space", ErrorKind::Hung),
        ("never-answers", ErrorKind::Hung),
    ] {
        check_reply(lie, expect);
    }
    for (lie, expect) in [
        ("rings-without-end", ErrorKind::ProtocolViolation),
        ("rings-for-nothing", ErrorKind::Hung),
        // It has not agreed to wake tasks.
        ("never-answers", ErrorKind::AbiMismatch),
    ] {
        check_awaited(lie, expect);
    }
    for lie in BATCH_LIES {
        check_batch(lie);
    }
    for lie in PIPELINE_LIES {
        check_pipeline(lie);
    }
    check_order();
    for seed in 0..40 {
        check_noise(seed);
    }
    // Not a lie: a library may call what it was to keep for ever. It hears that it failed, and then ends.
    let faulty = Faulty::open(options("unknown-kept")).unwrap();
    let error = faulty.call("long_text", &[Value::Int(1)]).unwrap_err();
    assert_eq!(error.cause(), &Cause::Exit { status: 1 }, "{error}");
    drop(faulty);
    check_lost_state();
    for lie in ["two-welcomes", "segments", "unasked-answer"] {
        check_control(lie);
    }
    wait_until("a descriptor is left", || descriptors() == before);
    // Through all of this the host is well.
    let honest = Faulty::open(Options::default()).unwrap();
    assert_eq!(honest.int("add", &[2, 3]).unwrap(), 5);
}

/// Lies about a batch: what was wrong, or else the second entry is to blame, which should be a text.
const BATCH_LIES: [(&str, ErrorKind); 19] = [
    ("batch-place", ErrorKind::ProtocolViolation),
    ("batch-place-of-requests", ErrorKind::ProtocolViolation),
    ("batch-place-of-entries", ErrorKind::ProtocolViolation),
    ("batch-place-before", ErrorKind::ProtocolViolation),
    ("batch-no-place", ErrorKind::ProtocolViolation),
    ("batch-few-replies", ErrorKind::ProtocolViolation),
    ("batch-long-replies", ErrorKind::ProtocolViolation),
    ("batch-endless-replies", ErrorKind::ProtocolViolation),
    ("batch-short-result", ErrorKind::ProtocolViolation),
    ("batch-library-error", ErrorKind::ProtocolViolation),
    ("batch-no-state", ErrorKind::ProtocolViolation),
    ("batch-need-space", ErrorKind::ProtocolViolation),
    ("batch-text", ErrorKind::ProtocolViolation),
    ("batch-text-of-requests", ErrorKind::ProtocolViolation),
    ("batch-text-elsewhere", ErrorKind::ProtocolViolation),
    ("batch-impossible-text", ErrorKind::InvalidReply),
    ("batch-refusal", ErrorKind::ProtocolViolation),
    ("batch-refusal-of-no-argument", ErrorKind::ProtocolViolation),
    ("batch-refusal-name", ErrorKind::ProtocolViolation),
];

/// The results of a batch of a number and texts.
fn run_batch(lie: &str, texts: usize) -> (Done, Ticket<i32>, Vec<Ticket<String>>, u32) {
    let faulty = Faulty::open(options(lie)).unwrap();
    let pid = faulty.session().worker_pid().unwrap();
    let mut batch = faulty.session().batch();
    let mut call = batch.entry(faulty.function("add").0).unwrap();
    call.put_i32(0, 2);
    call.put_i32(4, 3);
    let number = call.values(|reply| reply.get_i32(0));
    let long_text = faulty.function("long_text").0;
    let texts = (0..texts).map(|_| {
        let mut call = batch.entry(long_text).unwrap();
        call.put_i32(0, 1);
        call.read(|reply| reply.text(0))
    });
    let texts = texts.collect();
    (batch.run().unwrap(), number, texts, pid)
}

fn check_batch((lie, expect): (&str, ErrorKind)) {
    let (mut done, number, texts, pid) = run_batch(lie, 2);
    assert_eq!(done.fault().map(Error::kind), Some(expect), "{lie}: {done:?}");
    let judged = done.take(number);
    let of_the_whole = judged.is_err();
    for (at, text) in texts.into_iter().enumerate() {
        let error = done.take(text).expect_err(lie);
        let first = at == 0 && !of_the_whole;
        assert_eq!(error.kind(), if first { expect } else { ErrorKind::WorkerLost }, "{lie}: {error}");
        assert!(first || error.message().contains(expect.name()), "{lie}: {error}");
    }
    wait_until("the liar lives", || !alive(pid));
}

/// Lies to a pipeline of so many additions, and the one that meets them; the calls before it have their results, and those behind it
/// are lost.
const PIPELINE_LIES: [(&str, usize, usize, ErrorKind); 9] = [
    ("pipe-swapped", 3, 0, ErrorKind::ProtocolViolation),
    ("pipe-second-for-first", 3, 1, ErrorKind::ProtocolViolation),
    ("pipe-skips", 3, 1, ErrorKind::ProtocolViolation),
    ("pipe-not-sent", 4, 3, ErrorKind::ProtocolViolation),
    ("pipe-twice", 9, 8, ErrorKind::ProtocolViolation),
    ("pipe-short", 3, 1, ErrorKind::ProtocolViolation),
    ("pipe-endless-space", 3, 1, ErrorKind::ProtocolViolation),
    ("pipe-callback", 3, 1, ErrorKind::ProtocolViolation),
    ("pipe-silent", 3, 1, ErrorKind::Hung),
];

/// Sends additions, one behind the other.
fn additions(faulty: &Faulty, pipeline: &mut Pipeline, count: usize) -> Vec<Ticket<i32>> {
    let add = faulty.function("add").0;
    let sent = (0..count).map(|_| {
        let mut call = pipeline.entry(add).unwrap();
        call.put_i32(0, 2);
        call.put_i32(4, 3);
        call.values(|reply| reply.get_i32(0))
    });
    sent.collect()
}

fn check_pipeline((lie, count, met, expect): (&str, usize, usize, ErrorKind)) {
    let faulty = Faulty::open(options(lie)).unwrap();
    let pid = faulty.session().worker_pid().unwrap();
    let mut pipeline = faulty.session().pipeline();
    let sent = additions(&faulty, &mut pipeline, count);
    for (at, ticket) in sent.into_iter().enumerate() {
        let result = pipeline.take(ticket);
        if at < met {
            assert_eq!(result.unwrap(), at as i32 + 1, "{lie}");
            continue;
        }
        let error = result.expect_err(lie);
        let kind = if at == met { expect } else { ErrorKind::WorkerLost };
        assert_eq!((error.kind(), error.executed()), (kind, Executed::Maybe), "{lie} at {at}: {error}");
        assert!(at == met || error.message().contains(expect.name()), "{lie}: {error}");
    }
    wait_until("the liar lives", || !alive(pid));
}

/// Replies that come in another order are each their call's.
fn check_order() {
    let faulty = Faulty::open(options("pipe-backwards")).unwrap();
    let mut pipeline = faulty.session().pipeline();
    let sent = additions(&faulty, &mut pipeline, 3);
    let results: Vec<i32> = sent.into_iter().map(|ticket| pipeline.take(ticket).unwrap()).collect();
    assert_eq!(results, [1, 2, 3]);
}

/// A reply that is noise gives typed errors and texts that are some.
fn check_noise(seed: u64) {
    let lie = format!("batch-noise-{seed}");
    let (mut done, number, texts, _) = run_batch(&lie, 20);
    let mut kinds: Vec<ErrorKind> = Vec::new();
    kinds.extend(done.take(number).err().map(|error| error.kind()));
    kinds.extend(texts.into_iter().filter_map(|text| done.take(text).err()).map(|error| error.kind()));
    let known = [
        ErrorKind::ProtocolViolation,
        ErrorKind::InvalidReply,
        ErrorKind::InvalidArgument,
        ErrorKind::LimitExceeded,
        ErrorKind::BadEncoding,
        ErrorKind::LibraryError,
        ErrorKind::WorkerLost,
    ];
    assert!(kinds.iter().all(|kind| known.contains(kind)), "{seed}: {kinds:?}");
}

/// Breaks the control protocol around its welcome: it is killed, before or after the session is open.
/// Says that everything is lost, of a function that is not there: it is told so, and the worker is replaced.
fn check_lost_state() {
    let recycle = Recycle { every: Duration::from_millis(10), ..Recycle::default() };
    let faulty = Faulty::open(Options { recycle: Some(recycle), ..options("lost-state") }).unwrap();
    wait_until("the worker with lost state is replaced", || faulty.session().stats().recycled == 1);
    let worn = faulty.session().worn().unwrap();
    assert_eq!((worn.worn.by, worn.worn.value), (Wear::State, 8));
    wait_until("it lives", || !alive(worn.pid));
}

fn check_control(lie: &str) {
    let faulty = match Faulty::open(options(lie)) {
        Ok(faulty) => faulty,
        Err(error) => return assert_eq!(error.kind(), ErrorKind::LoadFailed, "{lie}: {error}"),
    };
    let error = faulty.int("add", &[1, 2]).expect_err(lie);
    let kinds = [ErrorKind::ProtocolViolation, ErrorKind::LoadFailed];
    assert!(kinds.contains(&error.kind()), "{lie}: {error}");
}

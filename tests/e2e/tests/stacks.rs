//! Where threads of a worker are when it is found worn, or when it ends: seen from outside, to the line, and nothing of it is disturbed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hotcell::{Error, ErrorKind, Frame, Options, Place, Recycle, Stack, Wear};
use hotcell_e2e::edition::{Edition, Editions};
use hotcell_e2e::process::wait_until;
use hotcell_e2e::wall::as_every_user;
use hotcell_faulty::Faulty;
use rustix::process::{Pid, setpriority_process};
use rustix::thread::{CpuSet, sched_getcpu, sched_setaffinity};

/// A look at every moment.
fn often(recycle: Recycle) -> Options {
    let recycle = Recycle { every: Duration::from_millis(10), ..recycle };
    Options { recycle: Some(recycle), ..Options::default() }
}

fn is_in(frame: &Frame, function: &str) -> bool {
    frame.locate().is_some_and(|place| place.function.as_deref() == Some(function))
}

/// The stack that leads through a function.
fn through<'a>(stacks: &'a [Stack], function: &str) -> Option<&'a Stack> {
    stacks.iter().find(|stack| stack.frames.iter().any(|frame| is_in(frame, function)))
}

/// Where a library that was compiled with these words is in a call that sleeps, when its worker has its age.
fn sleeps(words: &[&str]) {
    let editions = Editions::new();
    let file = editions.compile("edition.so", words);
    let edition =
        Edition::open(&file, often(Recycle { age: Some(Duration::from_millis(300)), ..Recycle::default() }));
    let edition = edition.unwrap();
    // It is not disturbed, and its worker stays until it is back.
    assert_eq!(edition.int("slowly", &[7, 1500]).unwrap(), 71);
    wait_until("the worker is worn", || edition.session.worn().is_some());
    let seen = edition.session.worn().unwrap();
    assert_eq!((seen.worn.by, seen.executing.as_slice()), (Wear::Age, &["edition_slowly"][..]));
    let stack = through(&seen.stacks, "edition_slowly").unwrap_or_else(|| panic!("{:#?}", seen.stacks));
    assert_eq!((stack.state, stack.threads), ('S', 1));
    let at = stack.frames.iter().position(|frame| is_in(frame, "edition_slowly")).unwrap();
    let (code, Place { file: source, line, .. }) =
        (include_str!("../src/edition/edition.c"), stack.frames[at].locate().unwrap());
    let lines = || code.lines().zip(1_u32..);
    let mut function = lines().skip_while(|(line, _)| !line.contains("edition_slowly("));
    let expected = function.find(|(line, _)| line.contains("usleep(")).unwrap().1;
    assert_eq!(line, Some(expected), "the line that calls, and not the next one");
    assert!(source.unwrap().ends_with("edition.c"));
    assert_eq!(stack.frames[at].module, file.display().to_string());
    // Within: the C library. Outside: the shim, which has no file, and the worker.
    assert!(at > 0 && stack.frames[0].module.contains("/libc.so"), "{stack:#?}");
    assert!(stack.frames[at + 1].module.starts_with("/memfd:hotcell"), "{stack:#?}");
    assert!(stack.frames[at + 1].locate().is_none());
    assert!(stack.frames.iter().any(|frame| frame.module.ends_with("/hotcell-worker")), "{stack:#?}");
    let told = seen.to_json();
    let told =
        told["stacks"].as_array().unwrap().iter().flat_map(|stack| stack["frames"].as_array().unwrap());
    let offset = format!("{:#x}", stack.frames[at].offset);
    assert!(told.clone().any(|frame| frame["offset"] == offset.as_str()), "{offset}");
}

#[test]
fn a_thread_in_a_call_is_found_to_the_line() {
    as_every_user("a_thread_in_a_call_is_found_to_the_line", || sleeps(&["-g"]));
}

/// There the kernel does not tell the register by which frames are found.
#[test]
fn so_it_is_where_frames_are_linked() {
    sleeps(&["-g", "-fno-omit-frame-pointer", "-mno-omit-leaf-frame-pointer"]);
}

#[test]
fn threads_that_are_too_many_are_found_where_they_stay() {
    let faulty = Faulty::open(often(Recycle { threads: Some(14), ..Recycle::default() })).unwrap();
    let pid = faulty.session().worker_pid().unwrap();
    // More than there were when it was looked at first. A thread that was made has fallen asleep before there is another, so that where it was made is not where it is seen.
    wait_until("the worker is worn", || {
        let worn = faulty.session().worn().is_some();
        worn || faulty.int("keep_threads", &[2]).unwrap() != 2 || !are_asleep(pid)
    });
    let seen = faulty.session().worn().unwrap();
    assert_eq!(seen.worn.by, Wear::Threads);
    // The most are told first. The last ones may have been about to fall asleep.
    let stays = &seen.stacks[0];
    assert!(stays.threads > 10, "{:#?}", seen.stacks);
    assert!(through(&seen.stacks[..1], "stay").is_some(), "{stays:#?}");
}

/// Waits until all threads of a process sleep, or it has gone.
fn are_asleep(pid: u32) -> bool {
    let is_asleep = |task: fs::DirEntry| {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        stat.rsplit(')').next().is_none_or(|rest| !rest.trim_start().starts_with('R'))
    };
    let tasks = || fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    wait_until("its threads sleep", || tasks().all(is_asleep));
    true
}

/// Functions of a library in the frames of an error.
fn functions(error: &Error, module: &str) -> Vec<String> {
    let frames = error.frames();
    let own = frames.iter().filter(|frame| frame.module.ends_with(module));
    own.filter_map(|frame| frame.locate()?.function).collect()
}

#[test]
fn a_crash_is_found_to_the_line() {
    as_every_user("a_crash_is_found_to_the_line", || {
        for words in [&["-g"][..], &["-g", "-fno-omit-frame-pointer"]] {
            let editions = Editions::new();
            let file = editions.compile("edition.so", words);
            let edition = Edition::open(&file, Options::default()).unwrap();
            let error = edition.int("abort", &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Crashed);
            let frames = error.frames();
            let at = frames.iter().position(|frame| is_in(frame, "edition_abort")).unwrap();
            let code = include_str!("../src/edition/edition.c");
            let lines: Vec<_> = code.lines().collect();
            let function = lines.iter().position(|line| line.starts_with("void edition_abort")).unwrap();
            // Behind it a line with the bracket, and then the call.
            assert_eq!(frames[at].locate().unwrap().line, Some(function as u32 + 3));
            let (trace, place) = (error.trace(), format!("edition.c:{}", function + 3));
            let line = trace.lines().nth(at).unwrap();
            assert!(line.contains(" edition_abort at ") && line.contains(&place), "{trace}");
            assert!(frames[0].module.contains("/libc.so"), "{frames:#?}");
            assert!(frames[at + 1].module.starts_with("/memfd:hotcell"), "the shim: {frames:#?}");
            let last = frames.last().unwrap();
            assert!(
                last.module.contains("/libc.so") || last.module.ends_with("/hotcell-worker"),
                "{frames:#?}"
            );
            assert!(edition.int("mark", &[4]).unwrap() == 41 && edition.session.generation() == 2);
        }
    });
}

#[test]
fn whatever_ends_a_worker_its_stack_is_there() {
    // Each in a session of its own, which no breaker stops.
    let open = || Faulty::open(Options::default()).unwrap();
    let crash = |name: &str, args: &[i128]| open().int(name, args).unwrap_err();
    // By its end the worker has come to the library, also where it has others before it.
    let hang = |name: &str| open().within(Duration::from_secs(1)).int(name, &[]).unwrap_err();
    let error = crash("null_dereference", &[]);
    assert_eq!(functions(&error, "/libfaulty.so")[0], "faulty_null_dereference");
    // As many frames as are looked at, all the same.
    let error = crash("stack_overflow", &[1]);
    let seen = functions(&error, "/libfaulty.so");
    assert!(seen.len() > 20 && seen.iter().all(|it| it == "faulty_stack_overflow"), "{:#?}", error.frames());
    let error = crash("divide", &[1, 0]);
    assert_eq!(functions(&error, "/libfaulty.so")[0], "faulty_divide");
    // What hangs is told to abort.
    let error = hang("loop");
    assert_eq!(error.kind(), ErrorKind::Hung);
    assert_eq!(functions(&error, "/libfaulty.so")[0], "faulty_loop");
    let error = hang("deadlock");
    assert!(functions(&error, "/libfaulty.so").contains(&"faulty_deadlock".into()), "{:#?}", error.frames());
    // Nothing is left of one that was killed, or ended itself.
    let error = hang("ignore_signals");
    assert!(error.kind() == ErrorKind::Hung && error.frames().is_empty());
    assert!(crash("exit", &[3]).frames().is_empty());
}

/// The worker runs behind all others, on the CPU of one of them, and so does not hear of its end in time. It is killed no sooner for that: its stack is there.
#[test]
fn a_worker_that_waits_for_its_turn_is_let_tell_where_it_was() {
    let deadline = Duration::from_millis(100);
    let over = AtomicBool::new(false);
    let (cpu, mut waited) = (one_cpu(), Vec::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            sched_setaffinity(None, &cpu).unwrap();
            while !over.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
        // Ended where the test fails, too.
        let _over = Over(&over);
        // How long it waits is the kernel's affair: nobody waits for ever for it.
        for _ in 0..20 {
            let faulty = Faulty::open(Options::default()).unwrap();
            let worker = Pid::from_raw(faulty.session().worker_pid().unwrap().cast_signed()).unwrap();
            let (began, error) = thread::scope(|scope| {
                let call =
                    scope.spawn(|| (Instant::now(), faulty.within(deadline).int("loop", &[]).unwrap_err()));
                // It loops, and then it is behind.
                thread::sleep(deadline / 2);
                sched_setaffinity(Some(worker), &cpu).unwrap();
                setpriority_process(Some(worker), 19).unwrap();
                call.join().unwrap()
            });
            let (took, functions) = (began.elapsed(), functions(&error, "/libfaulty.so"));
            assert_eq!(error.kind(), ErrorKind::Hung);
            waited.push((took, functions.first().cloned()));
            // Longer than it is given when it is not let run.
            let tells = functions.first().is_some_and(|it| it == "faulty_loop");
            if tells && took > deadline + Duration::from_millis(60) {
                return;
            }
        }
        panic!("it never waited for its turn and then told: {waited:?}");
    });
}

/// The CPU of this thread.
fn one_cpu() -> CpuSet {
    let mut cpu = CpuSet::new();
    cpu.set(sched_getcpu());
    cpu
}

/// Tells a thread that it is over.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

//! Callbacks from threads that the library makes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use hotcell::rt::Handle;
use hotcell::{Error, ErrorKind, Executed, Options, Profile, Sandbox};
use hotcell_e2e::process::{alive, stays_asleep, wait_until};
use hotcell_e2e::ticker::{Said, Ticker};

fn ticker() -> (Ticker, Handle) {
    with(Options::default())
}

fn with(options: Options) -> (Ticker, Handle) {
    let library = Ticker::open(options).unwrap();
    let ticker = library.ticker().unwrap();
    (library, ticker)
}

/// A callback that says when it begins, and goes on when it is told to.
fn gate() -> (impl FnMut(i128, i128) -> Said + Send + 'static, Receiver<i128>, Sender<Said>) {
    let (begun, begins) = channel();
    let (tell, told) = channel::<Said>();
    let run = move |number, _| {
        begun.send(number).unwrap();
        told.recv().unwrap()
    };
    (run, begins, tell)
}

/// What comes next, with patience.
fn heard<T>(from: &Receiver<T>) -> T {
    from.recv_timeout(Duration::from_secs(20)).unwrap()
}

/// Something that is seen to be dropped.
fn token() -> (Arc<()>, Weak<()>) {
    let token = Arc::new(());
    let weak = Arc::downgrade(&token);
    (token, weak)
}

fn said(error: &Error) -> (ErrorKind, Executed, &str) {
    (error.kind(), error.executed(), error.message())
}

#[test]
fn threads_of_the_library_call_back_on_one_thread_of_the_session() {
    const THREADS: i128 = 4;
    const EACH: i128 = 500;
    let (library, ticker) = ticker();
    let (sender, ticks) = channel();
    let tick = move |number, thread| {
        let here = thread::current();
        sender.send((thread, number, here.id(), here.name().map(str::to_owned))).unwrap();
        Ok(number + thread)
    };
    library.on_tick(&ticker, tick).unwrap();
    library.start(&ticker, THREADS, EACH, 0).unwrap();
    let mut next = [0; THREADS as usize];
    let mut here = None;
    for _ in 0..THREADS * EACH {
        let (thread, number, id, name) = heard(&ticks);
        assert_eq!(number, next[thread as usize], "each once and in order");
        next[thread as usize] += 1;
        assert_eq!(*here.get_or_insert(id), id);
        assert_eq!(name.as_deref(), Some("hotcell-callbacks"));
    }
    assert_ne!(here, Some(thread::current().id()));
    library.number("ticker_wait", &ticker, &[]).unwrap();
    assert_eq!(library.number("ticker_ticks", &ticker, &[]).unwrap(), THREADS * EACH);
    let each = (0..EACH).sum::<i128>();
    let threads = (0..THREADS).sum::<i128>();
    assert_eq!(library.number("ticker_sum", &ticker, &[]).unwrap(), THREADS * each + EACH * threads);
    // Inside of a call it runs where that waits.
    assert_eq!(library.number("ticker_tick_here", &ticker, &[8]).unwrap(), 7);
    assert_eq!(heard(&ticks).2, thread::current().id());
    assert!(ticks.try_recv().is_err() && library.session.take_callback_failure().is_none());
    assert_eq!(library.session.generation(), 1);
}

#[test]
fn a_thousand_a_second_come_once_each_though_a_timer_interrupts_their_thread() {
    const TICKS: i128 = 3000;
    let (library, ticker) = ticker();
    let (sender, ticks) = channel();
    let tick = move |number, _| {
        sender.send(number).unwrap();
        Ok(number)
    };
    library.on_tick(&ticker, tick).unwrap();
    // A prime, so that it meets every step of a callback.
    library.start_with_signals(&ticker, (1, TICKS, 1000), 3989).unwrap();
    for number in 0..TICKS {
        assert_eq!(heard(&ticks), number);
    }
    library.number("ticker_wait", &ticker, &[]).unwrap();
    assert!(ticks.try_recv().is_err(), "none comes twice");
    assert_eq!(library.number("ticker_sum", &ticker, &[]).unwrap(), (0..TICKS).sum());
    let interruptions = library.call("ticker_interruptions", &[]).unwrap();
    assert!(matches!(interruptions, hotcell::dynamic::Value::Int(1000..)), "{interruptions:?}");
}

#[test]
fn data_of_any_size_come_with_them_while_a_call_waits_for_the_thread() {
    let (library, ticker) = ticker();
    let (sender, sizes) = channel();
    let got = move |text: &str, data: &[u8]| {
        sender.send(data.len()).unwrap();
        let turn = usize::from(text == "odd");
        let fits = data.iter().enumerate().all(|(index, byte)| *byte == (index + turn) as u8);
        if fits { Ok(data.len() as i128 % 1000 + 1) } else { Err("other data".into()) }
    };
    library.on_data(&ticker, got).unwrap();
    for size in [0, 1, 900, 1100, 70_000, 3_000_001, 5, 9_000_000, 2_999_999] {
        let sum = library.number("ticker_send", &ticker, &[size, 2]).unwrap();
        assert_eq!(sum, 2 * (size % 1000 + 1), "{size}");
        assert_eq!(sizes.try_iter().collect::<Vec<_>>(), [size as usize; 2]);
    }
}

#[test]
fn a_failure_comes_out_of_the_next_call_or_is_asked_for() {
    let (library, ticker) = ticker();
    let tick = |number, _| match number {
        1 => Err("no second tick".into()),
        3 => panic!("a fourth tick"),
        4 => std::panic::panic_any(4),
        number => Ok(number * 100),
    };
    library.on_tick(&ticker, tick).unwrap();
    let ticks = |count| library.number("ticker_run", &ticker, &[1, count]);
    let sum = || library.number("ticker_sum", &ticker, &[]);
    ticks(2).unwrap();
    let error = sum().unwrap_err();
    assert_eq!(said(&error), (ErrorKind::CallbackFailed, Executed::No, "no second tick"));
    assert_eq!(error.function(), "ticker_on_tick", "it was passed there");
    assert_eq!(sum().unwrap(), -1, "the library got the contract's default, and the call was not sent");
    // What comes after the first is counted, and the others run.
    ticks(6).unwrap();
    let error = library.session.take_callback_failure().unwrap();
    let expected = "no second tick (and 2 more after it)";
    assert_eq!(said(&error), (ErrorKind::CallbackFailed, Executed::No, expected));
    assert!(library.session.take_callback_failure().is_none());
    assert_eq!(sum().unwrap(), -1 + (200 + 500 - 3));
    assert_eq!(library.session.generation(), 1);
}

#[test]
fn a_panic_is_told_by_its_text() {
    let (library, ticker) = ticker();
    let tick = |number, _| match number {
        0 => panic!("tick {number}"),
        _ => std::panic::panic_any(number),
    };
    library.on_tick(&ticker, tick).unwrap();
    for (count, text) in
        [(1, "the callback panicked: tick 0"), (2, "the callback panicked: tick 0 (and 1 more after it)")]
    {
        library.number("ticker_run", &ticker, &[1, count]).unwrap();
        let error = library.number("ticker_ticks", &ticker, &[]).unwrap_err();
        assert_eq!(said(&error), (ErrorKind::CallbackFailed, Executed::No, text));
    }
    assert_eq!(library.number("ticker_ticks", &ticker, &[]).unwrap(), 3);
}

#[test]
fn a_worker_that_dies_while_one_runs_costs_the_call_that_killed_it_and_no_other() {
    let (library, ticker) = ticker();
    let (mut run, begins, tell) = gate();
    let (token, seen) = token();
    library.on_tick(&ticker, move |number, thread| (run(number, thread), &token).0).unwrap();
    library.start(&ticker, 3, 1, 0).unwrap();
    assert_eq!(heard(&begins), 0);
    let error = library.call("ticker_crash", &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Crashed);
    assert!(seen.upgrade().is_some(), "it runs");
    tell.send(Ok(1)).unwrap();
    // Without a call: who waits for more hears that there is none.
    wait_until("the callback goes with its worker", || seen.upgrade().is_none());
    assert!(begins.recv().is_err(), "the other two never came");
    let ticker = library.ticker().unwrap();
    assert_eq!(library.session.generation(), 2);
    let (sender, ticks) = channel();
    library
        .on_tick(&ticker, move |number, _| sender.send(number).map(|()| 1).map_err(|it| it.to_string()))
        .unwrap();
    library.start(&ticker, 1, 3, 0).unwrap();
    library.number("ticker_wait", &ticker, &[]).unwrap();
    assert_eq!(ticks.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(library.number("ticker_sum", &ticker, &[]).unwrap(), 3);
}

#[test]
fn a_session_ends_while_one_runs() {
    let folder = tempfile::tempdir().unwrap();
    let end = folder.path().join("end");
    let environment = vec![("TICKER_END".into(), end.display().to_string())];
    let write = vec![folder.path().to_owned()];
    let sandbox = Some(Sandbox { write, ..Sandbox::of(Profile::Files) });
    let (library, ticker) = with(Options { environment, sandbox, ..Options::default() });
    let (mut run, begins, tell) = gate();
    let (token, seen) = token();
    library.on_tick(&ticker, move |number, thread| (run(number, thread), &token).0).unwrap();
    // One is answered, one runs, and others wait.
    library.start(&ticker, 3, 5, 0).unwrap();
    heard(&begins);
    tell.send(Ok(1)).unwrap();
    heard(&begins);
    let pid = library.session.worker_pid().unwrap();
    library.number("ticker_leave", &ticker, &[]).unwrap();
    drop(ticker);
    drop(library);
    wait_until("the worker ends with its session", || !alive(pid));
    let said = std::fs::read_to_string(end).unwrap_or_default();
    assert_eq!(said, "finished", "the library's threads were let go, and it could wait for them");
    assert!(seen.upgrade().is_some(), "it runs on");
    tell.send(Ok(1)).unwrap();
    wait_until("it goes when it has run", || seen.upgrade().is_none());
    assert!(begins.recv().is_err());
}

#[test]
fn a_callback_goes_with_its_object_while_threads_call_it() {
    let (library, ticker) = ticker();
    for drops in [false, true] {
        let ticker = if drops { library.ticker().unwrap() } else { ticker.clone() };
        let (token, seen) = token();
        let ran = Arc::new(AtomicUsize::new(0));
        let runs = Arc::clone(&ran);
        let tick = move |_, _| {
            runs.fetch_add(Arc::strong_count(&token), Ordering::SeqCst);
            Ok(1)
        };
        library.on_tick(&ticker, tick).unwrap();
        library.start(&ticker, 2, 300, 0).unwrap();
        if drops {
            // The library waits for its threads when the object is released.
            drop(ticker);
        } else {
            library.number("ticker_free", &ticker, &[]).unwrap();
        }
        wait_until("it has gone", || seen.upgrade().is_none());
        assert_eq!(ran.load(Ordering::SeqCst), 600, "none is lost on the way");
    }
    assert_eq!(library.session.generation(), 1);
}

#[test]
fn a_callback_that_is_not_for_threads_ends_the_worker_there_and_says_why() {
    let (library, ticker) = ticker();
    library.on_poke(&ticker, |number| Ok(number + 1)).unwrap();
    assert_eq!(library.number("ticker_poke", &ticker, &[4]).unwrap(), 5);
    let error = library.number("ticker_stray", &ticker, &[4]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Crashed, "{error}");
    let text = "hotcell: the library called `poke` of ticker_on_poke on a thread of its own. A callback that comes \
                from there needs threads = \"any\" in the contract.";
    assert!(error.output().contains(text), "{}", error.output());
    library.ticker().unwrap();
    assert_eq!(library.session.generation(), 2);
}

#[test]
fn who_wants_a_callback_that_runs_elsewhere_waits_for_it() {
    let (library, ticker) = ticker();
    let (mut run, begins, tell) = gate();
    let (inner, object) = (library.clone(), ticker.clone());
    let tick = move |number, thread| {
        if number == 8 {
            inner.start(&object, 1, 1, 0).unwrap();
        }
        run(number, thread)
    };
    library.on_tick(&ticker, tick).unwrap();
    let tick_here = |number| {
        let (library, ticker) = (library.clone(), ticker.clone());
        let call = move || library.number("ticker_tick_here", &ticker, &[number]).unwrap();
        thread::Builder::new().name("calls-here".into()).spawn(call).unwrap()
    };
    // A call waits for the thread's.
    library.start(&ticker, 1, 1, 0).unwrap();
    assert_eq!(heard(&begins), 0);
    let call = tick_here(7);
    wait_until("it sleeps", || stays_asleep("self", "calls-here"));
    tell.send(Ok(10)).unwrap();
    assert_eq!(heard(&begins), 7);
    tell.send(Ok(20)).unwrap();
    assert_eq!(call.join().unwrap(), 20);
    library.number("ticker_wait", &ticker, &[]).unwrap();
    // The thread's waits for the call's, in which it was started.
    let call = tick_here(8);
    assert_eq!(heard(&begins), 8);
    let pid = library.session.worker_pid().unwrap().to_string();
    wait_until("the thread waits", || stays_asleep(&pid, "hotcell-worker"));
    tell.send(Ok(40)).unwrap();
    assert_eq!(heard(&begins), 0);
    tell.send(Ok(50)).unwrap();
    assert_eq!(call.join().unwrap(), 40);
    library.number("ticker_wait", &ticker, &[]).unwrap();
    assert_eq!(library.number("ticker_sum", &ticker, &[]).unwrap(), 10 + 50);
}

#[test]
fn the_deadline_ends_a_call_that_waits_for_a_callback_which_waits_for_it() {
    let (library, ticker) = ticker();
    let (inner, object) = (library.clone(), ticker.clone());
    let (sender, outcomes) = channel();
    let tick = move |number, _| {
        // In the turn that the call has which waits for the thread that waits for this.
        let outcome = inner.number("ticker_ticks", &object, &[]);
        sender.send(outcome.map_err(|error| error.kind())).unwrap();
        Ok(number)
    };
    library.on_tick(&ticker, tick).unwrap();
    // On its own it may call, as any thread.
    library.start(&ticker, 1, 1, 0).unwrap();
    assert_eq!(heard(&outcomes), Ok(0));
    library.number("ticker_wait", &ticker, &[]).unwrap();
    library.start(&ticker, 1, 1, 0).unwrap();
    assert_eq!(heard(&outcomes), Ok(1));
    library.number("ticker_wait", &ticker, &[]).unwrap();
    // A hundred in a row: some come while the call waits.
    library.start(&ticker, 1, 100_000, 0).unwrap();
    let within = library.within(Duration::from_millis(300));
    let error = within.number("ticker_wait", &ticker, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Hung);
    let stale = outcomes.iter().find(|outcome| outcome.is_err());
    assert_eq!(stale, Some(Err(ErrorKind::StaleHandle)), "the callback's call goes on, with the next worker");
    library.ticker().unwrap();
}

#[test]
fn a_call_that_waits_for_a_running_callback_ends_at_its_deadline() {
    let (library, ticker) = ticker();
    let (run, begins, tell) = gate();
    library.on_tick(&ticker, run).unwrap();
    library.start(&ticker, 1, 1, 0).unwrap();
    assert_eq!(heard(&begins), 0);
    let within = library.within(Duration::from_millis(200));
    let error = within.number("ticker_tick_here", &ticker, &[1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Hung);
    tell.send(Ok(0)).unwrap();
    assert!(begins.recv().is_err(), "it goes with its worker");
}

#[test]
fn what_has_no_room_is_told_and_costs_nothing_else() {
    let (library, ticker) = with(Options { max_output: 5 << 20, ..Options::default() });
    library.on_data(&ticker, |_, data| Ok(data.len() as i128)).unwrap();
    let send = |size: i128| library.number("ticker_send", &ticker, &[size, 1]).unwrap();
    // The limit is for each by itself: together these ask for more.
    for size in [900 << 10, 1500 << 10, 3 << 20] {
        assert_eq!(send(size), size);
    }
    for _ in 0..70 {
        assert_eq!(send(6 << 20), -1);
        let error = library.session.take_callback_failure().unwrap();
        let text = "a callback of a thread of the library could not be run: the data need more than the 5242880 bytes they \
                    may have";
        assert_eq!(said(&error), (ErrorKind::CallbackFailed, Executed::No, text));
        assert_eq!(send(4 << 20), 4 << 20);
    }
    assert_eq!(library.session.generation(), 1);
}

#[test]
fn callbacks_that_come_too_fast_wait() {
    const TICKS: i128 = 100;
    let (library, ticker) = with(Options { max_callback_rate: 500, ..Options::default() });
    library.on_tick(&ticker, |number, _| Ok(number)).unwrap();
    let before = Instant::now();
    library.start(&ticker, 2, TICKS / 2, 0).unwrap();
    library.number("ticker_wait", &ticker, &[]).unwrap();
    // Five at once in each of the first and the last ten milliseconds.
    assert!(before.elapsed() >= Duration::from_millis(180), "{:?}", before.elapsed());
    assert_eq!(library.number("ticker_ticks", &ticker, &[]).unwrap(), TICKS);
}

fn lied_to(lie: &str) -> (Ticker, std::sync::mpsc::Receiver<(i128, i128)>) {
    let library = Ticker::open(Options {
        worker: Some(env!("CARGO_BIN_EXE_hotcell-evil-worker").into()),
        environment: vec![("HOTCELL_EVIL".into(), lie.into())],
        ..Options::default()
    });
    let library = library.unwrap();
    let ticker = library.ticker().unwrap();
    // Its worker knows nothing of releases.
    std::mem::forget(ticker.clone());
    library.on_poke(&ticker, Ok).unwrap();
    let (sender, ticks) = channel();
    let tick = move |number, thread| {
        sender.send((number, thread)).unwrap();
        Ok(number + thread)
    };
    library.on_tick(&ticker, tick).unwrap();
    (library, ticks)
}

#[test]
fn a_worker_that_lies_to_the_dispatcher_thread_is_ended() {
    let (not_for_threads, outside) = (
        "a thread of the library called a callback that is not for threads",
        "the arguments of a callback lie outside of the memory granted to its call",
    );
    let refusal = "a refusal that a callback cannot have caused";
    for (lie, rule) in [
        ("listen-returned", "the standing call was answered with a result"),
        ("listen-other-call", "a reply names another call"),
        ("listen-unpassed", not_for_threads),
        ("listen-negative", not_for_threads),
        ("listen-not-for-threads", not_for_threads),
        ("listen-size", "the arguments of a callback have another size than was agreed on"),
        ("listen-place", outside),
        ("listen-place-of-lane-0", outside),
        ("listen-refusal", refusal),
        ("listen-no-refusal", refusal),
        ("listen-commit", "the commit word of a reply was neither the last nor the next"),
        ("listen-state", "a reply has no such state"),
    ] {
        let (library, ticks) = lied_to(lie);
        let pid = library.session.worker_pid();
        assert!(ticks.recv().is_err(), "{lie}: the callback goes with its worker, and was not run");
        wait_until("the liar lives", || pid.is_none_or(|pid| !alive(pid)));
        let error = library.session.take_callback_failure().unwrap();
        assert_eq!(said(&error), (ErrorKind::ProtocolViolation, Executed::No, rule), "{lie}");
    }
    for lie in ["listen-gone", "listen-endless-space"] {
        let (library, ticks) = lied_to(lie);
        assert_eq!([heard(&ticks), heard(&ticks)], [(7, 3); 2], "{lie}");
        assert!(library.session.take_callback_failure().is_none(), "{lie}");
    }
}

#[test]
fn a_worker_without_the_lane_is_passed_no_such_callback() {
    let library = Ticker::open(Options {
        worker: Some(env!("CARGO_BIN_EXE_hotcell-evil-worker").into()),
        environment: vec![("HOTCELL_EVIL".into(), "listen-without-lane".into())],
        ..Options::default()
    });
    let library = library.unwrap();
    let ticker = library.ticker().unwrap();
    std::mem::forget(ticker.clone());
    library.on_poke(&ticker, Ok).unwrap();
    let error = library.on_tick(&ticker, |_, _| Ok(1)).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::AbiMismatch, Executed::No), "{error}");
}

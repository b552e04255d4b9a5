//! Hosts that do what hosts do: fork, ignore SIGCHLD, reap every child. Prints what became of their calls.

use hotcell::rt::{Collects, Invocation, Puts};
use hotcell::{Error, Options, seam};
use hotcell_e2e::basin::Basin;
use hotcell_e2e::objects::{Objects, STORE};
use hotcell_e2e::ticker::Ticker;
use hotcell_faulty::Faulty;
use hotcell_shm::lock::{Condvar, Mutex};

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("fork") => fork(),
        Some("fork-in-callback") => fork_in_callback(),
        Some("fork-in-flight") => fork_in_flight(),
        Some("fork-with-buffers") => fork_with_buffers(),
        Some("fork-beside-waiters") => fork_beside_waiters(),
        Some("fork-beside-openers") => fork_beside_openers(),
        Some("descriptors") => descriptors(),
        Some("fork-in-between") => fork_in_between(),
        Some("fork-on-the-dispatcher") => fork_on_the_dispatcher(),
        Some("fork-beside-the-dispatcher") => fork_beside_the_dispatcher(),
        Some("no-descriptors") => no_descriptors(),
        Some("ignore-sigchld") => {
            // Binding runs a compiler, and std waits for it.
            let faulty = open(Options::default());
            // SAFETY: no handler is installed; nothing else in this program changes signals.
            unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
            crash(&faulty);
        }
        Some("reap-everything") => {
            let faulty = open(Options::default());
            std::thread::spawn(|| {
                loop {
                    // SAFETY: the status is not asked for.
                    unsafe { libc::waitpid(-1, std::ptr::null_mut(), 0) };
                }
            });
            crash(&faulty);
        }
        Some("reused-numbers") => reused_numbers(),
        Some("moved-clock") => moved_clock(),
        other => panic!("no such host: {other:?}"),
    }
}

/// The child must be refused and must not harm the parent's session by dropping its copy.
fn fork() {
    let faulty = open(Options::default());
    say("parent before", faulty.int("add", &[1, 2]));
    // SAFETY: the other threads (the monitor) are not in the child, which uses nothing that they may have
    // locked: it asks for one call, drops the session and leaves.
    match unsafe { libc::fork() } {
        0 => {
            say("child", faulty.int("add", &[1, 2]));
            drop(faulty);
            // SAFETY: ends the child without the exit handlers of a test program.
            unsafe { libc::_exit(0) };
        }
        child => {
            wait_for(child);
            say("parent after", faulty.int("add", &[1, 2]));
            println!("generation {}", faulty.session().generation());
        }
    }
}

/// The child has the memory of threads that waited in its parent, and gives it to threads of its own: its sessions must not find them there.
fn fork_beside_waiters() {
    const WAITERS: usize = 64;
    let faulty = open(Options::default());
    say("parent before", faulty.int("add", &[1, 2]));
    let arrived = std::sync::atomic::AtomicUsize::new(0);
    let places: Vec<(Mutex<bool>, Condvar)> = (0..WAITERS).map(|_| Default::default()).collect();
    let places = &places;
    std::thread::scope(|scope| {
        for (is_over, over) in places {
            let arrived = &arrived;
            scope.spawn(move || {
                let mut is_over = is_over.lock();
                arrived.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                while !*is_over {
                    over.wait(&mut is_over);
                }
            });
        }
        // Each holds its lock until it waits.
        while arrived.load(std::sync::atomic::Ordering::SeqCst) < WAITERS {
            std::thread::yield_now();
        }
        places.iter().for_each(|(is_over, _)| drop(is_over.lock()));
        // SAFETY: what the child locks of its parent's, no other thread has locked at this moment: they wait, or sleep.
        match unsafe { libc::fork() } {
            0 => {
                for _ in 0..3 {
                    let threads = (0..WAITERS).map(|_| std::thread::spawn(|| overwritten(16)));
                    threads.collect::<Vec<_>>().into_iter().for_each(|thread| assert!(thread.join().is_ok()));
                    places.iter().for_each(|(_, over)| over.notify_all());
                    say("child", open(Options::default()).int("add", &[1, 2]));
                }
                // SAFETY: ends the child without the exit handlers of a test program.
                unsafe { libc::_exit(0) };
            }
            child => {
                wait_for(child);
            }
        }
        for (is_over, over) in places {
            *is_over.lock() = true;
            over.notify_all();
        }
    });
    say("parent after", faulty.int("add", &[1, 2]));
}

/// A thread of the parent holds each of what a process has once, as while it opens its first session: the child has its own.
fn fork_beside_openers() {
    type Held = Box<dyn FnOnce() + Send>;
    type Holding = (&'static str, fn(Held));
    let holding: [Holding; 3] = [
        ("monitor", seam::holding_the_monitor::<()>),
        ("what was read", seam::holding_what_was_read::<()>),
        ("rounds", seam::holding_the_rounds::<()>),
    ];
    // What they are is made, or not yet.
    for is_first in [true, false] {
        for (what, holding) in holding {
            let (is_held, held) = std::sync::mpsc::channel();
            let (forked, is_forked) = std::sync::mpsc::channel::<()>();
            let holder = std::thread::spawn(move || {
                holding(Box::new(move || {
                    assert!(is_held.send(()).is_ok());
                    // It ends when the other end has gone.
                    let _ = is_forked.recv();
                }));
            });
            assert!(held.recv().is_ok());
            // SAFETY: what other threads hold at this moment is what the test is about: they sleep otherwise.
            match unsafe { libc::fork() } {
                0 => {
                    // SAFETY: ends a child that waits for ever.
                    unsafe { libc::alarm(240) };
                    let faulty = open(Options::default());
                    say(what, faulty.int("add", &[1, 2]));
                    let loaded = faulty.session().loaded();
                    let read = !loaded.is_empty() && loaded.iter().all(|it| it.sha256.is_some());
                    println!("files are read: {read}");
                    drop(faulty);
                    // SAFETY: ends the child without the exit handlers of a test program.
                    unsafe { libc::_exit(0) };
                }
                child => {
                    wait_for(child);
                }
            }
            drop(forked);
            assert!(holder.join().is_ok());
        }
        if is_first {
            say("parent", open(Options::default()).int("add", &[1, 2]));
        }
    }
}

/// Waits for a child, and says how it ended.
fn wait_for(child: libc::pid_t) {
    let mut status = 0;
    // SAFETY: `status` is valid for writes.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    println!("child ended with {status}");
}

/// Fills this thread's stack, that many times 16 KiB of it.
fn overwritten(times: usize) -> u8 {
    let filled = std::hint::black_box([0x61_u8; 16 << 10]);
    if times == 0 { filled[0] } else { filled[times] ^ overwritten(times - 1) }
}

/// The child must not reach the buffers of its parent, nor harm them by dropping its copies.
fn fork_with_buffers() {
    let basin = Basin::open(Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let make = || basin.session.buffer(100_000).unwrap_or_else(|error| panic!("{error}"));
    let (mut data, unused) = (make(), make());
    data.fill(2);
    println!("parent before: {:?}", basin.sum(&data).ok());
    // SAFETY: as in `fork`; what the child locks here, other threads of this program do not.
    match unsafe { libc::fork() } {
        0 => {
            std::panic::set_hook(Box::new(|_| ()));
            for buffer in [&data, &unused] {
                let read = std::panic::catch_unwind(|| buffer[0]);
                println!("child: {}", if read.is_err() { "refused" } else { "read" });
            }
            println!("child: {:?}", basin.session.buffer(1).map(drop).map_err(|error| error.kind()));
            drop((data, basin, unused));
            // SAFETY: ends the child without the exit handlers of a test program.
            unsafe { libc::_exit(0) };
        }
        child => {
            wait_for(child);
            drop(unused);
            println!("parent after: {:?}, {:?}", basin.sum(&data).ok(), basin.sum(&make()).ok());
            println!("generation {}", basin.session.generation());
        }
    }
}

/// Descriptors that are open when a worker is started must not reach it.
fn descriptors() {
    let file = std::fs::File::open("/dev/null").expect("/dev/null is there");
    for _ in 0..50 {
        // SAFETY: a duplicate of an open descriptor; it stays open, without close-on-exec, on purpose.
        assert!(unsafe { libc::dup(std::os::fd::AsRawFd::as_raw_fd(&file)) } >= 0);
    }
    say("descriptors", open(Options::default()).int("descriptors", &[]));
}

/// A host that has no descriptor left for a while must keep its worker, with all its objects.
fn no_descriptors() {
    let objects = Objects::open(Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let say = |what: &str, outcome: Result<(), Error>| match outcome {
        Ok(()) => println!("{what}: well"),
        Err(error) => println!("{what}: {}: {}: {:?}", error.kind(), error.message(), error.cause()),
    };
    let item =
        objects.store(0).and_then(|store| objects.item(&store)).unwrap_or_else(|error| panic!("{error}"));
    let data = [0; 5000];
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for reads and writes.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }, 0);
    let none = libc::rlimit { rlim_cur: 3, ..limit };
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const none) }, 0);
    for _ in 0..70 {
        say("in", objects.turn_round(1, "hello", &data, [1, 2, 3]).map(drop));
        say("out", objects.each(1, 5000, &mut |_| Ok(1)).map(drop));
    }
    // Each entry of a batch has its own reason: the first asks for more than a call may return.
    let mut batch = objects.session.batch();
    let tickets = [8 << 30, 5000].map(|bytes| {
        let mut call = batch.entry(26).unwrap_or_else(|error| panic!("{error}"));
        call.put_i64(0, bytes);
        call.read(|reply| reply.buffer(0))
    });
    let mut done = batch.run().unwrap_or_else(|error| panic!("{error}"));
    for ticket in tickets {
        say("entry", done.take(ticket).map(drop));
    }
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
    say("again", objects.turn_round(1, "hello", &data, [1, 2, 3]).map(drop));
    say("item", objects.free(&item));
    println!("generation {}", objects.session.generation());
}

/// The child of a fork in a callback must be refused, too: what the callback reads, what it calls, and the call it is in.
fn fork_in_callback() {
    let objects = Objects::open(Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let kind = |error: &Error| error.kind().to_string();
    for nested in [false, true] {
        let mut child = -1;
        let mut said = Vec::new();
        let mut fork = |invocation: &mut Invocation<'_>| {
            // SAFETY: as in `fork`.
            child = unsafe { libc::fork() };
            if child == 0 {
                said.push(invocation.text(8).map_or_else(|error| kind(&error), |_| "read".into()));
                said.push(objects.living().map_or_else(|error| kind(&error), |_| "called".into()));
            }
            Ok(1)
        };
        let ended = match nested {
            false => objects.each(1, 5, &mut fork),
            true => objects.each(1, 5, &mut |_| objects.each(1, 5, &mut fork).map(|_| 1)),
        };
        if child == 0 {
            said.push(ended.map_or_else(|error| kind(&error), |_| "returned".into()));
            drop(objects);
            println!("child: {said:?}");
            // SAFETY: as in `fork`.
            unsafe { libc::_exit(0) };
        }
        let mut status = 0;
        // SAFETY: `status` is valid for writes.
        unsafe { libc::waitpid(child, &raw mut status, 0) };
        println!("child ended with {status}, parent: {:?}", ended.map_err(|error| error.to_string()));
    }
    println!("generation {}", objects.session.generation());
}

/// The same in a callback that the library keeps, while calls of a pipeline are in flight.
fn fork_in_flight() {
    let objects = Objects::open(Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let store = objects.store(0).unwrap_or_else(|error| panic!("{error}"));
    let (fork, forked) = std::sync::mpsc::channel();
    let run = move |_: &mut Invocation<'_>| {
        // SAFETY: as in `fork`.
        let child = unsafe { libc::fork() };
        fork.send(child).expect("it is there");
        Ok(10)
    };
    objects.keep(&store, 0, Some(Box::new(run))).unwrap_or_else(|error| panic!("{error}"));
    let mut pipe = objects.session.pipeline();
    let poked = {
        let mut call = pipe.entry(22).unwrap_or_else(|error| panic!("{error}"));
        call.put_opt_handle(0, "store", Some(&store), STORE).unwrap_or_else(|error| panic!("{error}"));
        call.put_i64(8, 1);
        call.put_i64(16, 2);
        call.values(|reply| reply.get_i64(0))
    };
    let behind = pipe.entry(20).unwrap_or_else(|error| panic!("{error}")).values(|reply| reply.get_i64(0));
    let kind = |outcome: Result<i64, Error>| outcome.map_err(|error| error.kind());
    let said = [kind(pipe.take(poked)), kind(pipe.take(behind))];
    let child = forked.recv().expect("it was called");
    if child == 0 {
        println!("child: {said:?}");
        drop((pipe, store, objects));
        // SAFETY: as in `fork`.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: `status` is valid for writes.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    println!("child ended with {status}, parent: {said:?}");
    println!("generation {}", objects.session.generation());
}

/// The child of a fork in a callback of a thread of the library has no call to come out of: when the callback returns, it
/// ends, and leaves the worker alone.
fn fork_on_the_dispatcher() {
    let library = Ticker::open(Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let ticker = library.ticker().unwrap_or_else(|error| panic!("{error}"));
    let (inner, object) = (library.clone(), ticker.clone());
    let tick = move |number, _| {
        // SAFETY: as in `fork`.
        let child = unsafe { libc::fork() };
        if child == 0 {
            say("child", inner.number("ticker_ticks", &object, &[]));
            println!("child: {:?}", inner.session.take_callback_failure().map(|error| error.kind()));
            return Ok(number);
        }
        let mut status = 0;
        // SAFETY: `status` is valid for writes.
        unsafe { libc::waitpid(child, &raw mut status, 0) };
        println!("child ended with {status}");
        Ok(number + 10)
    };
    library.on_tick(&ticker, tick).unwrap_or_else(|error| panic!("{error}"));
    say("parent", library.number("ticker_run", &ticker, &[1, 2]));
    say("parent", library.number("ticker_sum", &ticker, &[]));
    println!("generation {}", library.session.generation());
}

/// The child of a fork while a callback runs on the dispatcher thread, which is not in the child.
fn fork_beside_the_dispatcher() {
    let library = Ticker::open(Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let ticker = library.ticker().unwrap_or_else(|error| panic!("{error}"));
    let (begun, begins) = std::sync::mpsc::channel();
    let (tell, told) = std::sync::mpsc::channel();
    let tick = move |_, _| {
        begun.send(()).map_err(|error| error.to_string())?;
        told.recv().map_err(|error| error.to_string())
    };
    library.on_tick(&ticker, tick).unwrap_or_else(|error| panic!("{error}"));
    library.start(&ticker, 2, 1, 0).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(begins.recv(), Ok(()));
    // SAFETY: as in `fork`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        say("child", library.number("ticker_ticks", &ticker, &[]));
        drop((ticker, library));
        // SAFETY: as in `fork`.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: `status` is valid for writes.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    println!("child ended with {status}");
    assert_eq!((tell.send(4), tell.send(5)), (Ok(()), Ok(())));
    say("parent", library.number("ticker_wait", &ticker, &[]));
    say("parent", library.number("ticker_sum", &ticker, &[]));
    println!("generation {}", library.session.generation());
}

/// The child of a fork that happens while results are there to be read, and while objects are being released.
fn fork_in_between() {
    let objects = Objects::open(Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let hurried = Objects { session: objects.session.within(std::time::Duration::from_secs(8)) };
    let store = objects.store(0).unwrap_or_else(|error| panic!("{error}"));
    let items: Result<Vec<_>, Error> = (0..5_000).map(|_| objects.item(&store)).collect();
    let mut items = items.ok();
    // The call has too little time for releases: the session's thread sends them.
    let ended = hurried.each(1, 5, &mut |_| Ok(u64::from(items.take().is_some())));
    let held = objects.session.call(8).and_then(hotcell::rt::Call::finish);
    // SAFETY: as in `fork`.
    let child = unsafe { libc::fork() };
    let mut held = held.unwrap_or_else(|error| panic!("{error}"));
    let read = held.text(0).map_or_else(|error| error.kind().to_string(), |_| "read".into());
    drop(held);
    if child == 0 {
        drop((store, hurried, objects));
        println!("child: {read}");
        // SAFETY: as in `fork`.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: `status` is valid for writes.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    println!("child ended with {status}, parent: {read}, {:?}", ended.map_err(|error| error.to_string()));
    println!("living {:?}", objects.living().map_err(|error| error.to_string()));
    println!("generation {}", objects.session.generation());
}

fn crash(faulty: &Faulty) {
    for fault in ["null_dereference", "abort", "exit"] {
        let args: &[i128] = if fault == "exit" { &[3] } else { &[] };
        say(fault, faulty.int(fault, args));
        say("next", faulty.int("add", &[1, 2]));
    }
}

/// Each time a worker has gone, somebody else gets its number as soon as it is free: whoever kills what is left of the worker
/// by its number kills him.
fn reused_numbers() {
    const ROUNDS: usize = 200;
    let faulty = open(Options::default());
    if !can_choose_numbers() {
        println!("no number can be chosen here");
        return;
    }
    // Collects workers, and whoever else should die.
    std::thread::spawn(|| {
        loop {
            // SAFETY: the status is not asked for.
            if unsafe { libc::waitpid(-1, std::ptr::null_mut(), 0) } < 0 {
                std::thread::yield_now();
            }
        }
    });
    for _ in 0..ROUNDS {
        let worker = faulty.session().worker_pid().unwrap_or_else(|| panic!("there is a worker"));
        let taker = std::thread::spawn(move || {
            while let Err(errno) = take_number(worker) {
                assert_eq!(
                    errno,
                    Some(libc::EEXIST),
                    "the number is the worker's, and nothing else is wrong"
                );
            }
        });
        assert!(faulty.int("abort", &[]).is_err_and(|error| error.is_fault()));
        taker.join().unwrap_or_else(|_| panic!("somebody has the number"));
        // The next worker is there when the last has been seen to.
        assert_eq!(faulty.int("add", &[1, 2]).ok(), Some(3));
        // SAFETY: signal 0 only asks.
        assert_eq!(unsafe { libc::kill(worker as i32, 0) }, 0, "who had the number was killed");
        // SAFETY: a process of this function's own.
        unsafe { libc::kill(worker as i32, libc::SIGKILL) };
    }
    println!("took {ROUNDS} numbers, all live");
    println!("generation {}", faulty.session().generation());
}

fn can_choose_numbers() -> bool {
    // One that nobody has: this process's own is taken, which is found out last.
    take_number(std::process::id()) == Err(Some(libc::EEXIST))
}

/// Starts a process of this number, which leads a group of its own and waits; or gives the reason why not.
fn take_number(number: u32) -> Result<(), Option<i32>> {
    /// `struct clone_args` as far as this.
    #[repr(C)]
    #[derive(Default)]
    struct Arguments {
        flags: u64,
        pidfd: u64,
        child_tid: u64,
        parent_tid: u64,
        exit_signal: u64,
        stack: u64,
        stack_size: u64,
        tls: u64,
        set_tid: u64,
        set_tid_size: u64,
    }
    let numbers = [number as libc::pid_t];
    let arguments = Arguments {
        exit_signal: libc::SIGCHLD as u64,
        set_tid: numbers.as_ptr().addr() as u64,
        set_tid_size: 1,
        ..Arguments::default()
    };
    // SAFETY: a child as of fork, which runs on with a copy of this memory and makes nothing but system calls.
    match unsafe { libc::syscall(libc::SYS_clone3, &raw const arguments, size_of::<Arguments>()) } {
        0 => {
            // SAFETY: no memory is involved. It goes by itself, should this test not come to its end.
            unsafe {
                libc::setpgid(0, 0);
                libc::alarm(120);
                loop {
                    libc::pause();
                }
            }
        }
        ..0 => Err(std::io::Error::last_os_error().raw_os_error()),
        _ => Ok(()),
    }
}

/// The clock of the day jumps by days each time somebody looks.
fn moved_clock() {
    let now = std::time::SystemTime::now;
    let (one, two) = (now(), now());
    let apart = one.duration_since(two).or_else(|_| two.duration_since(one)).unwrap_or_default();
    assert!(apart.as_secs() > 80_000, "it does not");
    println!("the clock moves");
    let faulty = open(Options::default());
    let calls = (0..100).filter(|_| faulty.int("add", &[1, 2]).is_ok_and(|sum| sum == 3));
    println!("long: {} calls", calls.count());
    let kind = |outcome: Result<i128, Error>| {
        outcome.map_or_else(|error| error.kind().to_string(), |_| "returned".into())
    };
    let short = Options { deadline: std::time::Duration::from_millis(300), ..Options::default() };
    let hasty = open(short);
    println!("loop: {}", kind(hasty.int("loop", &[])));
    println!("sleep: {}", kind(hasty.int("sleep", &[600_000])));
    say("next", hasty.int("add", &[1, 2]));
}

fn open(options: Options) -> Faulty {
    Faulty::open(options).unwrap_or_else(|error| panic!("{error}"))
}

fn say(what: &str, outcome: Result<i128, Error>) {
    match outcome {
        Ok(number) => println!("{what}: {number}"),
        Err(error) => println!("{what}: {}: {}", error.kind(), error.message()),
    }
}

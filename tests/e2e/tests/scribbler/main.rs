//! A worker that scribbles over all memory it shares: the host gets typed errors or results, never a fault of its own, and
//! what a clean worker says afterwards is right.
//!
//! `HOTCELL_SCRIBBLE_SECONDS` says for how long (10), `HOTCELL_SCRIBBLE_SEED` where to begin (1). The only test of its
//! program: it looks at the memory and the descriptors of the whole process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hotcell::{ErrorKind, Options, Quarantine, QuarantineRule, Restart, Result, Waiting};
use hotcell_e2e::process::{descriptors, segments, wait_until};
use hotcell_e2e::scribbler::{Mode, Orders, Scribbler};
use rustix::process::{Pid, Signal, kill_process};

mod crowd;
mod data;
mod names;
mod things;

use crowd::Crowd;
use data::Data;
use names::Names;
use things::Things;

/// A library behind a session, and calls of every kind to it.
trait Driven: Sync {
    /// One of its calls, or a few that belong together.
    fn call(&self, random: &mut Random) -> Result<()>;
    /// Calls whose results are known, on the next worker. They are given time for its start, and leave nothing to be released:
    /// a release has little time, and on a busy machine it may cost the worker.
    fn check(&self);
    fn session(&self) -> &hotcell::Session;
}

/// More than enough for a call and for the start of a worker.
const PATIENCE: Duration = Duration::from_secs(20);

/// Numbers that are the same for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// What came of all calls.
#[derive(Debug, Default)]
struct Seen {
    made: AtomicU64,
    succeeded: AtomicU64,
    failed: Mutex<BTreeMap<&'static str, u64>>,
}

impl Seen {
    fn note(&self, outcome: Result<()>, what: &str) {
        self.made.fetch_add(1, Ordering::Relaxed);
        let Err(error) = outcome else {
            self.succeeded.fetch_add(1, Ordering::Relaxed);
            return;
        };
        assert!(KINDS.contains(&error.kind()), "{what}: {error}");
        *self.failed.lock().unwrap().entry(error.kind().name()).or_default() += 1;
    }

    fn count(&self, kind: ErrorKind) -> u64 {
        self.failed.lock().unwrap().get(kind.name()).copied().unwrap_or(0)
    }
}

/// What a worker can do to a call, and to the calls of other threads that wait for it. Everything else is the host's or the
/// application's to say.
const KINDS: [ErrorKind; 18] = [
    ErrorKind::ProtocolViolation,
    ErrorKind::InvalidReply,
    ErrorKind::BadEncoding,
    ErrorKind::Hung,
    ErrorKind::Crashed,
    ErrorKind::Exited,
    ErrorKind::OutOfMemory,
    ErrorKind::WorkerLost,
    ErrorKind::LimitExceeded,
    ErrorKind::LibraryError,
    ErrorKind::InvalidArgument,
    ErrorKind::StaleHandle,
    ErrorKind::UnknownHandle,
    ErrorKind::WrongHandleType,
    ErrorKind::Unsupported,
    ErrorKind::CallbackFailed,
    ErrorKind::Unavailable,
    ErrorKind::Quarantined,
];

#[test]
fn a_scribbling_worker_harms_no_host() {
    let number = |name, otherwise| std::env::var(name).map_or(otherwise, |text| text.parse().unwrap());
    let end = Instant::now() + Duration::from_secs(number("HOTCELL_SCRIBBLE_SECONDS", 10));
    let first: u64 = number("HOTCELL_SCRIBBLE_SEED", 1);
    // What stays in the process is there before we count, and what is compiled is compiled once.
    let libraries = (0..4).map(|seed| open(&Scribbler::new(), seed, PATIENCE)).collect::<Vec<_>>();
    libraries.iter().for_each(|driven| calm(&**driven));
    // Their files are read by a thread, which has ended then.
    assert!(libraries.iter().all(|driven| !driven.session().loaded().is_empty()));
    let (segments_before, before) = (segments(), descriptors());
    let (seen, mut totals) = (Arc::new(Seen::default()), [0; 2]);
    watch(Arc::clone(&seen));
    let mut seed = first;
    // On a busy machine it takes longer until enough has happened.
    let enough = |[words, replies]: [u64; 2]| {
        let succeeded = seen.succeeded.load(Ordering::Relaxed);
        words > 10_000 && replies > 50 && succeeded > 100 && seen.count(ErrorKind::ProtocolViolation) > 10
    };
    while seed < first + 24 || Instant::now() < end || (!enough(totals) && seed < first + 500) {
        let said = round(seed, &seen);
        totals = [totals[0] + said[0], totals[1] + said[1]];
        seed += 1;
    }
    println!("seeds {first} to {}: {totals:?} words and replies, {seen:?}", seed - 1);
    wait_until("a segment is left", || segments() == segments_before);
    wait_until("a descriptor is left", || descriptors() == before);
    assert!(enough(totals), "{totals:?} words and replies, {seen:?}");
    assert!(most_memory() < 1 << 20, "{} KiB", most_memory());
}

/// Where nobody scribbles, calls fail only by what the libraries are asked for.
fn calm(driven: &dyn Driven) {
    let mut random = Random(7);
    for _ in 0..200 {
        let Err(error) = driven.call(&mut random) else { continue };
        let meant = [
            ErrorKind::LibraryError,
            ErrorKind::BadEncoding,
            ErrorKind::CallbackFailed,
            ErrorKind::InvalidArgument,
            ErrorKind::StaleHandle,
        ];
        assert!(meant.contains(&error.kind()), "{error}");
    }
}

/// Ends the program when no call comes back: each has a deadline of a quarter of a second, and starts are bounded too.
fn watch(seen: Arc<Seen>) {
    std::thread::spawn(move || {
        let mut made = u64::MAX;
        while std::mem::replace(&mut made, seen.made.load(Ordering::Relaxed)) != made {
            std::thread::sleep(Duration::from_secs(60));
        }
        eprintln!("no call has come back for a minute: {seen:?}");
        std::process::abort();
    });
}

fn open(scribbler: &Scribbler, seed: u64, deadline: Duration) -> Box<dyn Driven> {
    let waiting = [Waiting::Balanced, Waiting::Economy, Waiting::Latency][(seed / 4 % 3) as usize];
    let options = scribbler.options(Options {
        // Every call may end its worker here, whatever it is given: nothing stays refused for that.
        restart: Restart::ALWAYS,
        quarantine: Quarantine::new(QuarantineRule {
            lasts: Duration::from_micros(1),
            ..QuarantineRule::default()
        }),
        deadline,
        max_input: 8 << 20,
        max_output: 8 << 20,
        max_callbacks: 1000,
        waiting,
        ..Options::default()
    });
    match seed % 4 {
        0 => Box::new(Things::open(options)),
        1 => Box::new(Data::open(options)),
        2 => Box::new(Crowd::open(options)),
        _ => Box::new(Names::open(options)),
    }
}

/// One session, scribbled on until some workers have gone or many calls were made, and then left in peace. How many words
/// and replies were written.
fn round(seed: u64, seen: &Seen) -> [u64; 2] {
    let scribbler = Scribbler::new();
    let driven = open(&scribbler, seed, Duration::from_millis(250));
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mode = [Mode::Random, Mode::Aimed, Mode::Forging, Mode::All][(seed / 4 % 4) as usize];
    // From now and then a word to as many as there can be.
    let (burst, pause) = (1 + random.below(8), 1 << random.below(20));
    scribbler.run(&Orders { seed, mode, burst, pause });
    println!("seed {seed}: {mode:?}, {burst} words, pause {pause}");
    let threads = if seed % 4 == 2 { 3 } else { 1 + random.below(8) / 7 };
    let end = Instant::now() + Duration::from_millis(300);
    let (what, session) = (format!("seed {seed}"), driven.session());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (mut random, driven, what) = (Random(random.next() | 1), &*driven, &what);
            scope.spawn(move || {
                for _ in 0..400 {
                    seen.note(driven.call(&mut random), what);
                    // Whatever it says of its memory can be shown.
                    let heap = session.heap().map(|heap| (heap.to_string(), heap.to_json()));
                    assert!(heap.is_none_or(|(text, _)| text.starts_with("allocated and not freed: ")));
                    if session.generation() > 6 || Instant::now() > end {
                        break;
                    }
                }
            });
        }
    });
    scribbler.rest();
    if let Some(pid) = session.worker_pid() {
        let _ = kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::KILL);
        // Reaped, not only dead: then the session knows.
        wait_until("the scribbler is there", || !Path::new(&format!("/proc/{pid}")).exists());
    }
    let worker = session.generation();
    driven.check();
    assert!(session.generation() == worker + 1, "{what}: {} workers", session.generation());
    [scribbler.written(), scribbler.forged()]
}

/// KiB of this process that were ever in memory at once.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().split(' ').next().unwrap().parse().unwrap()
}

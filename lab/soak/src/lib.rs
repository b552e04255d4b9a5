//! A soak: clients of every isolation setting call under load while workers are killed, stopped and replaced at random, and
//! calls crash, hang and scribble. At the end there is an account: every result compared, and every error explained by
//! something that was done, or the soak has failed.
#![forbid(unsafe_code)]

mod account;
mod bars;
mod book;
mod chaos;
mod client;
mod ends;
mod explain;
mod faults;
mod panics;
mod random;
mod remains;
mod setting;
mod subject;
mod subjects;
mod watchdog;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hotcell::dynamic::Value;
use hotcell::{Pool, PoolOptions};

pub use account::Account;

use account::Found;
use book::Book;
use chaos::Chaos;
use client::{Client, Run, Target, awaits};
use explain::{Story, explain};
use faults::{Faults, Kind, To};
use random::Random;
use remains::Remains;
use setting::{Role, SETTINGS, Setting};
use subject::Subject;
use subjects::Subjects;
use watchdog::Watchdog;

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// For how long.
    pub time: Duration,
    /// And until so many workers were killed that served.
    pub kills: usize,
    /// How many threads call; tasks come besides.
    pub clients: u32,
    /// Where the random choices of each client begin.
    pub seed: u64,
    /// Longest time between two faults from outside.
    pub pause: Duration,
    /// Whether single faults are measured before.
    pub measures: bool,
    /// Whether what was done from outside is forgotten: then its errors are without a reason, and the soak fails.
    pub forgets: bool,
}

/// How far a soak has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Since it began.
    pub time: Duration,
    /// Calls that were right.
    pub right: u64,
    /// Results that were wrong.
    pub wrong: usize,
    /// Calls that failed.
    pub failed: usize,
    /// Workers that served, and were killed.
    pub kills: usize,
}

/// How long a soak goes on behind its time for the sake of kills.
const MOST: u32 = 20;

/// How long ends of workers are waited for that were killed last.
const LAST: Duration = Duration::from_secs(5);

/// Tasks for each setting whose calls are awaited.
const TASKS: usize = 2;

/// Soaks, and gives the account. `tell` hears of it all the while.
///
/// # Errors
///
/// Where there is nothing to be called, or nothing to be counted.
pub fn soak(plan: &Plan, tell: &mut dyn FnMut(Progress)) -> Result<Account, String> {
    subject::bind()?;
    panics::count();
    let pooled = SETTINGS.iter().find(|setting| setting.pooled > 0).unwrap_or(&SETTINGS[0]);
    let run = Arc::new(Run {
        book: Book::open(),
        faults: Faults::default(),
        subjects: Subjects::new(pooled),
        done: AtomicBool::new(false),
    });
    let watchdog = {
        let (plan, run) = (plan.clone(), Arc::clone(&run));
        Watchdog::of(Arc::clone(&run), move || account(&plan, &run, &Measured::until_now(&run)))
    };
    // What stays until the end of the process, such as the thread that watches workers, is there before.
    warm_up()?;
    let before = Remains::settled();
    let bars = if plan.measures { bars::measure().map_err(|error| error.to_string())? } else { Vec::new() };
    let began = Instant::now();
    watchdog.begins();
    let watched = work(plan, &run, tell)?;
    let time = began.elapsed();
    let left = Remains::more_than(&before);
    watchdog.ends();
    Ok(account(plan, &run, &Measured { time, bars, left, watched }))
}

/// What was measured of a soak, besides its books.
struct Measured {
    time: Duration,
    bars: Vec<bars::Bar>,
    left: Remains,
    watched: Watched,
}

impl Measured {
    /// Of one that does not come to its end.
    fn until_now(run: &Run) -> Measured {
        let (left, watched) = (Remains::default(), Watched::default());
        Measured { time: run.book.began.elapsed(), bars: Vec::new(), left, watched }
    }
}

fn account(plan: &Plan, run: &Run, measured: &Measured) -> Account {
    let Measured { time, bars, left, watched } = measured;
    let (closed, faults) = (run.book.close(), run.faults.all());
    let (gone, missed) = run.subjects.ends.all();
    let known = if plan.forgets { &[] } else { &faults[..] };
    let lanes = run.subjects.lanes();
    let story = Story { closed: &closed, faults: known, gone: &gone, held_up: watched.held_up };
    let mut explained = explain(&story, |subject| lanes.get(&subject).copied().unwrap_or(1));
    explained.unexplained.extend(run.without_an_end());
    let (time, bars, left, memory) = (*time, bars.clone(), left.clone(), watched.memory);
    let panics = panics::so_far();
    Account::new(plan, Found { time, closed, faults, gone, missed, explained, bars, left, memory, panics })
}

impl Run {
    /// Workers that were killed as they served, and of whose end no session has told.
    fn without_an_end(&self) -> Vec<String> {
        let killed = self.faults.all().into_iter().filter(|fault| fault.kind == Kind::Killed);
        let untold = killed.filter_map(|fault| match fault.to {
            To::Process(process, Some(session)) if !self.subjects.was_discarded(session) => {
                (!self.subjects.ends.has(process)).then_some((process, session))
            }
            _ => None,
        });
        untold
            .map(|(process, session)| {
                format!("session {session}: nobody told of the end of process {process}")
            })
            .collect()
    }

    /// Takes down the ends of workers that were killed last.
    fn take_down_the_last(&self) {
        let patience = Instant::now() + LAST;
        loop {
            self.subjects.look();
            if self.without_an_end().is_empty() || Instant::now() > patience {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A session of each setting, and a call that is awaited in it.
fn warm_up() -> Result<(), String> {
    let runtime = runtime()?;
    for setting in &SETTINGS {
        let subject = Subject::open(setting).map_err(|error| error.to_string())?;
        let called = runtime.block_on(subject.clone().awaited("sleep", vec![Value::Int(1)]));
        called.map(drop).map_err(|error| error.to_string())?;
        // Its libraries are read by a thread.
        subject.session.loaded();
    }
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().map_err(|error| error.to_string())
}

/// What was seen of a soak while it went on.
#[derive(Default)]
struct Watched {
    /// Memory of this process at half the time, and at the end.
    memory: (u64, u64),
    /// For how long this process was held up at most when it wanted to run.
    held_up: Duration,
}

/// Calls and does harm for the time of the plan.
fn work(plan: &Plan, run: &Arc<Run>, tell: &mut dyn FnMut(Progress)) -> Result<Watched, String> {
    let runtime = runtime()?;
    let mut targets = Vec::new();
    for setting in &SETTINGS {
        targets.push((target(setting, &run.subjects)?, setting));
    }
    let client = |name: String, setting| Client {
        run: Arc::clone(run),
        setting,
        random: Random::new(plan.seed, &name),
    };
    let mut tasks = Vec::new();
    let watched = thread::scope(|scope| {
        for number in 0..plan.clients {
            let (target, setting) = &targets[number as usize % targets.len()];
            let client = client(format!("client {number}"), *setting);
            scope.spawn(move || client.work(target));
        }
        for (target, setting) in &targets {
            let Target::Session(subject) = target else { continue };
            // Tasks call to be right: its breaker would never open.
            if setting.role == Role::Broken {
                continue;
            }
            for number in 0..TASKS {
                let client = client(format!("task {number} of {}", setting.name), *setting);
                tasks.push(runtime.spawn(awaits(client, subject.clone())));
            }
        }
        for number in 0..2 {
            let random = Random::new(plan.seed, &format!("chaos {number}"));
            let chaos = Chaos { run: Arc::clone(run), random, pause: plan.pause };
            scope.spawn(|| chaos.work());
        }
        let watched = watch(plan, run, tell);
        run.done.store(true, Ordering::Relaxed);
        watched
    });
    // Tasks end at their next look, and are waited for: none of them is to be a leak, or to have panicked.
    for task in tasks {
        runtime.block_on(task).map_err(|error| format!("a task that calls: {error}"))?;
    }
    drop(runtime);
    run.take_down_the_last();
    drop(targets);
    run.subjects.clear();
    Ok(watched)
}

fn target(setting: &'static Setting, subjects: &Subjects) -> Result<Target, String> {
    let failed = |error: hotcell::Error| format!("{}: {error}", setting.name);
    if setting.pooled == 0 {
        let subject = Subject::open(setting).map_err(failed)?;
        subjects.add(subject.clone(), setting);
        return Ok(Target::Session(subject));
    }
    let options = PoolOptions { max: setting.pooled, options: setting.options(), ..PoolOptions::default() };
    Ok(Target::Pool(Pool::open(options).map_err(failed)?))
}

/// Waits until the soak is over, and takes down meanwhile how workers end.
fn watch(plan: &Plan, run: &Run, tell: &mut dyn FnMut(Progress)) -> Watched {
    const LOOKS: Duration = Duration::from_millis(50);
    let (began, mut half, mut held_up) = (Instant::now(), None, Duration::ZERO);
    loop {
        let slept = Instant::now();
        thread::sleep(LOOKS);
        held_up = held_up.max(slept.elapsed() - LOOKS);
        run.subjects.look();
        let (time, kills) = (began.elapsed(), run.subjects.ends.killed());
        let (right, wrong, failed) = run.book.counts();
        tell(Progress { time, right, wrong, failed, kills });
        let now = remains::resident();
        if time >= plan.time / 2 {
            half.get_or_insert(now);
        }
        if time >= plan.time && (kills >= plan.kills || time >= plan.time * MOST) {
            return Watched { memory: (half.unwrap_or(now), now), held_up };
        }
    }
}

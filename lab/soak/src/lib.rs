//! A soak: clients of every isolation setting call under load while workers are killed, stopped and replaced at random, and
//! calls crash, hang and scribble. At the end there is an account: every result compared, and every error explained by
//! something that was done, or the soak has failed.
#![forbid(unsafe_code)]

mod account;
mod bars;
mod book;
mod chaos;
mod client;
mod explain;
mod faults;
mod random;
mod remains;
mod setting;
mod subject;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hotcell::dynamic::Value;
use hotcell::{Pool, PoolOptions};

pub use account::Account;

use account::Found;
use book::Book;
use chaos::{Chaos, Subjects};
use client::{Client, Run, Target, awaits};
use faults::Faults;
use random::Random;
use remains::Remains;
use setting::{SETTINGS, Setting};
use subject::Subject;

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

/// Tasks for each setting whose calls are awaited.
const TASKS: usize = 2;

/// Soaks, and gives the account. `tell` hears of it all the while.
///
/// # Errors
///
/// Where there is nothing to be called, or nothing to be counted.
pub fn soak(plan: &Plan, tell: &mut dyn FnMut(Progress)) -> Result<Account, String> {
    subject::bind()?;
    // What stays until the end of the process, such as the thread that watches workers, is there before.
    warm_up()?;
    let before = Remains::settled();
    let bars = if plan.measures { bars::measure().map_err(|error| error.to_string())? } else { Vec::new() };
    let run = Arc::new(Run { book: Book::open(), faults: Faults::default(), done: AtomicBool::new(false) });
    let subjects = Arc::new(Subjects::default());
    let began = Instant::now();
    let Worked { memory, lanes } = work(plan, &run, &subjects, tell)?;
    let time = began.elapsed();
    let left = Remains::more_than(&before);
    let (closed, faults) = (run.book.close(), run.faults.close());
    let known = if plan.forgets { &[] } else { &faults[..] };
    let explained = explain::explain(&closed, known, |subject| lanes.get(&subject).copied().unwrap_or(1));
    Ok(Account::new(plan, Found { time, closed, faults, explained, bars, left, memory }))
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

/// What is known of a soak besides its books.
struct Worked {
    /// Memory of this process at half the time, and at the end.
    memory: (u64, u64),
    /// Calls at a time of each session.
    lanes: BTreeMap<usize, u32>,
}

/// Calls and does harm for the time of the plan.
fn work(
    plan: &Plan,
    run: &Arc<Run>,
    subjects: &Arc<Subjects>,
    tell: &mut dyn FnMut(Progress),
) -> Result<Worked, String> {
    let runtime = runtime()?;
    let mut targets = Vec::new();
    for setting in &SETTINGS {
        targets.push((target(setting, subjects)?, setting));
    }
    let client = |name: String, setting| Client {
        run: Arc::clone(run),
        setting,
        random: Random::new(plan.seed, &name),
    };
    let mut tasks = Vec::new();
    let memory = thread::scope(|scope| {
        for number in 0..plan.clients {
            let (target, setting) = &targets[number as usize % targets.len()];
            let client = client(format!("client {number}"), *setting);
            scope.spawn(move || client.work(target));
        }
        for (target, setting) in &targets {
            let Target::Session(subject) = target else { continue };
            for number in 0..TASKS {
                let client = client(format!("task {number} of {}", setting.name), *setting);
                tasks.push(runtime.spawn(awaits(client, subject.clone())));
            }
        }
        for number in 0..2 {
            let random = Random::new(plan.seed, &format!("chaos {number}"));
            let (run, subjects) = (Arc::clone(run), Arc::clone(subjects));
            let pooled = SETTINGS.iter().find(|setting| setting.pooled > 0).unwrap_or(&SETTINGS[0]);
            let chaos = Chaos { run, random, subjects, pooled, pause: plan.pause };
            scope.spawn(|| chaos.work());
        }
        let memory = watch(plan, run, tell);
        run.done.store(true, Ordering::Relaxed);
        memory
    });
    // Tasks end at their next look, and are waited for: none of them is to be a leak, or to have panicked.
    for task in tasks {
        runtime.block_on(task).map_err(|error| format!("a task that calls: {error}"))?;
    }
    drop(runtime);
    let lanes = subjects.lanes();
    drop(targets);
    subjects.clear();
    Ok(Worked { memory, lanes })
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

/// Waits until the soak is over; the memory of this process at half its time, and then.
fn watch(plan: &Plan, run: &Run, tell: &mut dyn FnMut(Progress)) -> (u64, u64) {
    let (began, mut half) = (Instant::now(), None);
    loop {
        thread::sleep(Duration::from_millis(100));
        let (time, kills) = (began.elapsed(), run.faults.kills());
        let (right, wrong, failed) = run.book.counts();
        tell(Progress { time, right, wrong, failed, kills });
        let now = remains::resident();
        if time >= plan.time / 2 {
            half.get_or_insert(now);
        }
        if time >= plan.time && (kills >= plan.kills || time >= plan.time * MOST) {
            return (half.unwrap_or(now), now);
        }
    }
}

//! What is done to workers from outside: killed, stopped, replaced, at random, while clients call.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hotcell::Reload;
use parking_lot::Mutex;
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::book::{Book, Failure};
use crate::client::Run;
use crate::faults::Kind;
use crate::random::Random;
use crate::setting::{DEADLINE, Role, Setting};
use crate::subject::{Subject, opened_by_pools};

/// For how long the process id and the generation of a session must be the same to belong together.
const STILL: Duration = Duration::from_millis(1);

/// Sessions with their settings, those of pools too as they are opened.
#[derive(Debug, Default)]
pub(crate) struct Subjects(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    all: Vec<(Subject, &'static Setting)>,
    /// Which worker each process was seen to be first.
    seen: BTreeMap<(usize, u32), u64>,
}

/// A worker that serves.
struct Serving {
    subject: Subject,
    generation: u64,
    process: OwnedFd,
}

pub(crate) struct Chaos {
    pub(crate) run: Arc<Run>,
    pub(crate) random: Random,
    pub(crate) subjects: Arc<Subjects>,
    /// The setting of sessions that pools open.
    pub(crate) pooled: &'static Setting,
    /// Longest time between two faults.
    pub(crate) pause: Duration,
}

impl Subjects {
    pub(crate) fn add(&self, subject: Subject, setting: &'static Setting) {
        self.0.lock().all.push((subject, setting));
    }

    fn look_for_more(&self, setting: &'static Setting) {
        let more = opened_by_pools();
        self.0.lock().all.extend(more.into_iter().map(|subject| (subject, setting)));
    }

    /// Calls at a time of each.
    pub(crate) fn lanes(&self) -> BTreeMap<usize, u32> {
        self.0.lock().all.iter().map(|(subject, setting)| (subject.number, setting.lanes)).collect()
    }

    /// Lets go of them.
    pub(crate) fn clear(&self) {
        *self.0.lock() = Known::default();
        drop(opened_by_pools());
    }

    /// The process and the generation of the worker that serves now; `None` where they cannot be told to belong together.
    fn worker(&self, subject: &Subject) -> Option<(u32, u64)> {
        let now = || Some((subject.session.worker_pid()?, subject.session.generation()));
        let first = now()?;
        thread::sleep(STILL);
        let (process, generation) = now().filter(|second| *second == first)?;
        let mut known = self.0.lock();
        let seen = *known.seen.entry((subject.number, process)).or_insert(generation);
        (seen == generation).then_some(first)
    }
}

impl Chaos {
    /// Does harm until the run is over.
    pub(crate) fn work(mut self) {
        while !self.run.is_done() {
            self.subjects.look_for_more(self.pooled);
            match self.random.below(40) {
                0..4 => self.kill_apart(),
                4 => self.pause(),
                5 | 6 => self.stop(),
                7 => self.reload(),
                _ => self.kill(),
            }
            thread::sleep(self.pause.mul_f64(self.random.below(1000) as f64 / 1000.0));
        }
    }

    fn kill(&mut self) {
        let Some(worker) = self.any(|_| true) else { return };
        let from = Instant::now();
        if pidfd_send_signal(&worker.process, Signal::KILL).is_ok() {
            self.note(Kind::Killed, &worker, from);
        }
    }

    /// Stops a worker for a while, in which no call may fail.
    fn pause(&mut self) {
        let Some(worker) = self.any(|setting| setting.role != Role::Stopped) else { return };
        let from = Instant::now();
        if pidfd_send_signal(&worker.process, Signal::STOP).is_ok() {
            thread::sleep(Duration::from_millis(20 + self.random.below(100)));
            let _ = pidfd_send_signal(&worker.process, Signal::CONT);
            self.note(Kind::Paused, &worker, from);
        }
    }

    /// Stops one that never goes on.
    fn stop(&mut self) {
        let Some(worker) = self.any(|setting| setting.role == Role::Stopped) else { return };
        let from = Instant::now();
        if pidfd_send_signal(&worker.process, Signal::STOP).is_ok() {
            self.note(Kind::Stopped, &worker, from);
        }
    }

    /// Kills a worker that does not serve, if there is one.
    fn kill_apart(&mut self) {
        let all = self.subjects.0.lock().all.clone();
        let before: Vec<_> = all.iter().map(|(subject, _)| subject.session.generation()).collect();
        let serve: Vec<u32> = all.iter().filter_map(|(subject, _)| subject.session.worker_pid()).collect();
        let apart: Vec<u32> = workers().into_iter().filter(|process| !serve.contains(process)).collect();
        if apart.is_empty() {
            return;
        }
        let (from, process) = (Instant::now(), *self.random.one_of(&apart));
        let killed = open_worker(process).map(|process| pidfd_send_signal(process, Signal::KILL));
        if !matches!(killed, Some(Ok(()))) {
            return;
        }
        self.run.faults.note(Kind::KilledApart, None, from);
        // It may have come into service meanwhile: then it is one of these.
        for ((subject, _), before) in all.iter().zip(before) {
            let now = subject.session.generation();
            let came =
                if subject.session.worker_pid() == Some(process) { now..=now } else { before + 1..=now };
            for generation in came {
                self.run.faults.note(Kind::KilledApart, Some((subject.number, generation)), from);
            }
        }
    }

    /// Loads a library anew: no call may fail for it, but objects are stale then.
    fn reload(&mut self) {
        let all = self.subjects.0.lock().all.clone();
        let reloaded: Vec<_> = all.iter().filter(|(_, setting)| setting.role == Role::Reloaded).collect();
        if reloaded.is_empty() {
            return;
        }
        let (subject, setting) = self.random.one_of(&reloaded);
        let from = Instant::now();
        match subject.session.reload(&Reload { drain: DEADLINE, ..Reload::default() }) {
            Ok(done) => {
                let before = done.before.map(|generation| (subject.number, generation));
                self.run.faults.note(Kind::Reloaded, before, from);
            }
            Err(error) => self.run.book.failed(Failure {
                subject: subject.number,
                setting: setting.name,
                sent: Book::sends(),
                began: from,
                ended: Instant::now(),
                error: error.into(),
                meant: None,
            }),
        }
    }

    fn note(&self, kind: Kind, worker: &Serving, from: Instant) {
        self.run.faults.note(kind, Some((worker.subject.number, worker.generation)), from);
    }

    /// A worker that serves in one of these settings.
    fn any(&mut self, which: impl Fn(&Setting) -> bool) -> Option<Serving> {
        let all = self.subjects.0.lock().all.clone();
        let all: Vec<_> = all.into_iter().filter(|(_, setting)| which(setting)).collect();
        if all.is_empty() {
            return None;
        }
        let (subject, _) = self.random.one_of(&all).clone();
        let (number, _) = self.subjects.worker(&subject)?;
        let process = open_worker(number)?;
        // Still that one: then the descriptor is of the worker that serves.
        let (same, generation) = self.subjects.worker(&subject)?;
        (same == number).then_some(Serving { subject, generation, process })
    }
}

/// A worker of this process, whose number may be another's by now.
fn open_worker(number: u32) -> Option<OwnedFd> {
    let process = pidfd_open(Pid::from_raw(number.cast_signed())?, PidfdFlags::empty()).ok()?;
    is_worker(number).then_some(process)
}

fn workers() -> Vec<u32> {
    hotcell_lab::descendants().into_iter().filter(|&process| is_worker(process)).collect()
}

/// Whether it is a worker program that this process has started.
fn is_worker(number: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
    let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
    let keeps =
        fs::read(format!("/proc/{number}/cmdline")).is_ok_and(|it| it.starts_with(b"hotcell-keeper\0"));
    stat.contains("(hotcell-worker) ") && !keeps && parent == Some(std::process::id().to_string().as_str())
}

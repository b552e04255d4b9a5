//! What is done to workers from outside: killed, stopped, replaced, at random, while clients call.

use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hotcell::Reload;
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::book::{Book, Failure};
use crate::client::Run;
use crate::faults::{Kind, To};
use crate::random::Random;
use crate::setting::{DEADLINE, Role, Setting};

/// A worker.
struct Worker {
    number: u32,
    process: OwnedFd,
    /// The session that it serves; not known of one that does not.
    session: Option<usize>,
}

pub(crate) struct Chaos {
    pub(crate) run: Arc<Run>,
    pub(crate) random: Random,
    /// Longest time between two faults.
    pub(crate) pause: Duration,
}

impl Chaos {
    /// Does harm until the run is over.
    pub(crate) fn work(mut self) {
        while !self.run.is_done() {
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
        // One that is stopped is to be found at a deadline, as a rule.
        let all = self.random.once_in(10);
        if let Some(worker) = self.any(|setting| all || setting.role != Role::Stopped) {
            self.kill_once(worker, Kind::Killed);
        }
    }

    fn kill_once(&self, worker: Worker, kind: Kind) {
        if !self.run.faults.may_kill(worker.number) {
            return;
        }
        let from = Instant::now();
        if pidfd_send_signal(&worker.process, Signal::KILL).is_ok() {
            self.note(kind, &worker, from);
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

    /// Kills a worker that does not serve, if there is one. It may come into service meanwhile: what its session says of its
    /// end tells.
    fn kill_apart(&mut self) {
        let serve: Vec<u32> =
            self.run.subjects.all().iter().filter_map(|(subject, _)| subject.session.worker_pid()).collect();
        let apart: Vec<u32> = workers().into_iter().filter(|process| !serve.contains(process)).collect();
        if apart.is_empty() {
            return;
        }
        let number = *self.random.one_of(&apart);
        if let Some(process) = open_worker(number) {
            self.kill_once(Worker { number, process, session: None }, Kind::KilledApart);
        }
    }

    /// Loads a library anew: no call may fail for it, but objects are stale then.
    fn reload(&mut self) {
        let all = self.run.subjects.all();
        let reloaded: Vec<_> = all.iter().filter(|(_, setting)| setting.role == Role::Reloaded).collect();
        if reloaded.is_empty() {
            return;
        }
        let (subject, setting) = self.random.one_of(&reloaded);
        let from = Instant::now();
        match subject.session.reload(&Reload { drain: DEADLINE, ..Reload::default() }) {
            Ok(done) => {
                self.run.faults.note(Kind::Reloaded, To::Session(subject.number, done.before), from);
            }
            Err(error) => self.run.book.failed(Failure {
                subject: subject.number,
                setting: setting.name,
                sent: Book::sends(),
                began: from,
                ended: Instant::now(),
                time: DEADLINE * 2,
                error: error.into(),
                meant: None,
            }),
        }
    }

    fn note(&self, kind: Kind, worker: &Worker, from: Instant) {
        self.run.faults.note(kind, To::Process(worker.number, worker.session), from);
    }

    /// A worker that serves in one of these settings.
    fn any(&mut self, which: impl Fn(&Setting) -> bool) -> Option<Worker> {
        let all: Vec<_> = self.run.subjects.all().into_iter().filter(|(_, setting)| which(setting)).collect();
        if all.is_empty() {
            return None;
        }
        let (subject, _) = self.random.one_of(&all);
        let number = subject.session.worker_pid()?;
        let process = open_worker(number)?;
        // Still that one: then the descriptor is of the worker that serves.
        let session = Some(subject.number);
        (subject.session.worker_pid() == Some(number)).then_some(Worker { number, process, session })
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

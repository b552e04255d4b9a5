//! Those who call: each compares every result with what it must be, and notes every error.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hotcell::dynamic::{Outcome, Value};
use hotcell::{Error, Pool, Result};

use crate::book::{Book, Failure, Meant};
use crate::faults::Faults;
use crate::random::Random;
use crate::setting::{DEADLINE, Role, Setting};
use crate::subject::{NOT_OPENED, Subject};
use crate::subjects::Subjects;

mod awaited;
mod objects;
mod single;
mod together;

pub(crate) use awaited::awaits;

/// What all share.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) book: Book,
    pub(crate) faults: Faults,
    pub(crate) subjects: Subjects,
    pub(crate) done: AtomicBool,
}

impl Run {
    pub(crate) fn is_done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }
}

/// What a client calls.
#[derive(Clone)]
pub(crate) enum Target {
    Session(Subject),
    Pool(Pool<Subject>),
}

/// One who calls.
pub(crate) struct Client {
    pub(crate) run: Arc<Run>,
    pub(crate) setting: &'static Setting,
    pub(crate) random: Random,
}

/// What is sent together.
#[derive(Debug, Clone, Copy)]
struct Sent {
    number: u64,
    began: Instant,
    time: Duration,
}

impl Client {
    /// Calls until the run is over.
    pub(crate) fn work(mut self, target: &Target) {
        while !self.run.is_done() {
            match target {
                Target::Session(subject) => self.turn(subject),
                Target::Pool(pool) => {
                    let sent = self.sends();
                    match pool.get_within(DEADLINE) {
                        Ok(lease) => {
                            (0..self.random.below(20)).for_each(|_| self.single(&lease));
                            if self.random.once_in(20) {
                                let number = lease.number;
                                lease.discard();
                                self.run.subjects.discard(number);
                            }
                        }
                        Err(error) => self.fails(NOT_OPENED, sent, error, None),
                    }
                }
            }
            // What a breaker refuses takes no time.
            if self.random.once_in(50) || self.setting.role == Role::Broken {
                std::thread::sleep(Duration::from_micros(self.random.below(3000)));
            }
        }
    }

    /// Begins to send something.
    fn sends(&self) -> Sent {
        Sent { number: Book::sends(), began: Instant::now(), time: self.setting.time() }
    }

    /// What came of it is right.
    fn right(&self, sent: Sent) {
        self.run.book.right(self.setting, sent.time, sent.began.elapsed());
    }

    fn turn(&mut self, subject: &Subject) {
        // A breaker is to see faults and little else.
        let kinds = if self.setting.role == Role::Broken { 1 } else { 10 };
        match self.random.below(kinds) {
            0..6 => self.single(subject),
            6 | 7 => self.batch(subject),
            8 => self.pipeline(subject),
            // Who holds objects keeps a worn worker, which is to be seen replaced.
            _ if self.setting.role == Role::Worn => self.single(subject),
            _ => self.objects(subject),
        }
    }

    /// Notes what came of a call that has to be right.
    fn ends(
        &self,
        subject: &Subject,
        sent: Sent,
        made: Result<Outcome>,
        right: impl FnOnce(&Outcome) -> bool,
    ) {
        match made {
            Ok(outcome) if right(&outcome) => self.right(sent),
            Ok(outcome) => self
                .run
                .book
                .wrong(format!("session {} ({}): {outcome:?}", subject.number, self.setting.name)),
            Err(error) => self.fails(subject.number, sent, error, None),
        }
    }

    /// As [`Client::ends`], of what a call returns.
    fn returns(&self, subject: &Subject, sent: Sent, made: Result<Outcome>, number: i128) {
        self.ends(subject, sent, made, |outcome| outcome.returned == Some(Value::Int(number)));
    }

    fn fails(&self, subject: usize, sent: Sent, error: Error, meant: Option<Meant>) {
        let ended = Instant::now();
        let Sent { number: sent, began, time } = sent;
        let time = meant.as_ref().and_then(|meant: &Meant| meant.time).unwrap_or(time);
        let (setting, error) = (self.setting.name, error.into());
        self.run.book.failed(Failure { subject, setting, sent, time, began, ended, error, meant });
    }
}

/// Numbers as arguments.
fn ints<const N: usize>(numbers: [i32; N]) -> [Value; N] {
    numbers.map(|number| Value::Int(number.into()))
}

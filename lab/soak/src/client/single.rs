//! Calls by themselves: right ones, and those that are made to do harm.

use std::thread;
use std::time::Duration;

use hotcell::dynamic::Value;
use hotcell::{Cancel, ErrorKind};

use super::{Client, ints};
use crate::book::Meant;
use crate::setting::Role;
use crate::subject::Subject;

/// A call that ends its worker, or hangs, and what it fails with.
struct Harm {
    what: &'static str,
    function: &'static str,
    args: &'static [i32],
    kinds: &'static [ErrorKind],
    /// The signal that ends its worker, where one does.
    signal: Option<i32>,
    /// Milliseconds that it gets, if it would not end.
    time: Option<u64>,
    /// Not behind a wall: it asks for more than it may have there.
    unwalled: bool,
}

const fn harm(
    what: &'static str,
    function: &'static str,
    args: &'static [i32],
    kinds: &'static [ErrorKind],
) -> Harm {
    Harm { what, function, args, kinds, signal: None, time: None, unwalled: false }
}

/// As above, by this signal.
const fn crash(what: &'static str, function: &'static str, args: &'static [i32], signal: i32) -> Harm {
    Harm { signal: Some(signal), ..harm(what, function, args, &[Crashed]) }
}

const SIGABRT: i32 = 6;
const SIGFPE: i32 = 8;
const SIGSEGV: i32 = 11;

use ErrorKind::{Crashed, Exited, Hung, OutOfMemory, ProtocolViolation};

const HARMS: [Harm; 15] = [
    crash("a null dereference", "null_dereference", &[], SIGSEGV),
    crash("a wild pointer", "wild_pointer", &[], SIGSEGV),
    crash("a stack overflow", "stack_overflow", &[0], SIGSEGV),
    crash("abort()", "abort", &[], SIGABRT),
    crash("a double free", "double_free", &[], SIGABRT),
    crash("a division by zero", "divide", &[1, 0], SIGFPE),
    crash("a smashed stack", "smash_stack", &[200], SIGABRT),
    harm("exit(0)", "exit", &[0], &[Exited]),
    harm("_exit(3) in a thread", "exit_in_thread", &[3], &[Exited]),
    harm("the end of its thread", "exit_thread", &[], &[Exited]),
    harm("too much memory, and abort()", "need", &[512, 1], &[OutOfMemory]),
    harm("too much memory, and exit()", "need", &[512, 2], &[OutOfMemory]),
    Harm { time: Some(100), ..harm("an endless loop", "loop", &[], &[Hung]) },
    Harm { time: Some(150), ..harm("a deadlock", "deadlock", &[], &[Hung]) },
    Harm { unwalled: true, ..harm("scribbling over shared memory", "scribble", &[], &[ProtocolViolation]) },
];

/// What those are given to that end workers.
const POISONED: &str = "attack_abort_with";

/// Inputs that end workers: a few, so that they come again.
const INPUTS: u64 = 12;

impl Client {
    /// A call by itself.
    pub(super) fn single(&mut self, subject: &Subject) {
        // A breaker opens where more than two of three calls end a worker.
        let harms = match self.setting.role {
            Role::Broken => !self.random.once_in(4),
            _ => self.random.once_in(150),
        };
        if harms {
            return self.harm(subject);
        }
        match self.random.below(100) {
            0..4 => self.wait(subject),
            4..20 => self.squares(subject),
            20..32 => self.total(subject),
            32..44 => self.word(subject),
            44 if self.setting.role == Role::Worn => self.wear(subject),
            45 if self.setting.role != Role::Broken => self.cancel(subject),
            _ => self.add(subject),
        }
    }

    fn add(&mut self, subject: &Subject) {
        let numbers = [0; 2].map(|_| self.random.below(1 << 30) as i32);
        let sum = i128::from(numbers[0] + numbers[1]);
        let sent = self.sends();
        self.returns(subject, sent, subject.call("add", &ints(numbers)), sum);
    }

    fn wait(&mut self, subject: &Subject) {
        let milliseconds = self.random.below(20) as i32;
        let sent = self.sends();
        self.returns(subject, sent, subject.call("sleep", &ints([milliseconds])), milliseconds.into());
    }

    fn squares(&mut self, subject: &Subject) {
        let count = self.random.below(3000) as i32;
        let sent = self.sends();
        let made = subject.call("squares", &ints([count]));
        self.ends(subject, sent, made, |outcome| {
            let squares = (0..i128::from(count)).map(|number| Value::Int(number * number));
            match outcome.outs.first() {
                Some((_, Value::List(found))) => found.iter().cloned().eq(squares),
                Some((_, Value::Null)) => count == 0,
                _ => false,
            }
        });
    }

    /// An idempotent function: it is made again where its worker ends.
    fn total(&mut self, subject: &Subject) {
        let texts: Vec<String> = (0..self.random.below(9)).map(|at| "x".repeat(at as usize * 31)).collect();
        let length = texts.iter().map(String::len).sum::<usize>() as i128;
        let texts = texts.into_iter().map(Value::Text).collect();
        let sent = self.sends();
        self.returns(subject, sent, subject.call("total", &[Value::List(texts)]), length);
    }

    fn word(&mut self, subject: &Subject) {
        let word = format!("word{}", self.random.below(1_000_000));
        let sent = self.sends();
        let made = subject.call("word", &[Value::Text(format!("{word} behind"))]);
        self.ends(subject, sent, made, |outcome| {
            let at = Value::Int(word.len() as i128);
            outcome.outs.iter().any(|(_, value)| *value == Value::Text(word.clone()))
                && outcome.outs.iter().any(|(_, value)| *value == at)
        });
    }

    /// Leaves something behind in its worker.
    fn wear(&mut self, subject: &Subject) {
        let function = *self.random.one_of(&["keep_threads", "keep_descriptors"]);
        let sent = self.sends();
        self.returns(subject, sent, subject.call(function, &ints([3])), 3);
    }

    /// Gives a call up while the library executes it.
    fn cancel(&mut self, subject: &Subject) {
        let cancel = Cancel::new();
        let given_up = subject.through(subject.session.cancelled_by(&cancel));
        let after = Duration::from_millis(self.random.below(10));
        let sent = self.sends();
        let made = thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(after);
                cancel.cancel();
            });
            given_up.call("sleep", &ints([15]))
        });
        let function = subject.function("sleep").1.name.as_str();
        let what = "a call that is given up";
        let meant =
            Meant { what, function, kinds: &[ErrorKind::Cancelled], signal: None, time: None, input: None };
        match made {
            Err(error) => self.fails(subject.number, sent, error, Some(meant)),
            made => self.returns(subject, sent, made, 15),
        }
    }

    /// A call that is to fail.
    fn harm(&mut self, subject: &Subject) {
        if self.random.once_in(8) {
            return self.poison(subject);
        }
        let Harm { what, function, args, kinds, signal, time, unwalled } = self.random.one_of(&HARMS);
        if *unwalled && self.setting.name != "basic" {
            return;
        }
        let time = time.map(Duration::from_millis);
        let within = time.map(|time| subject.session.within(time));
        let through = within.map_or_else(|| subject.clone(), |session| subject.through(session));
        let args: Vec<Value> = args.iter().map(|&number| Value::Int(number.into())).collect();
        let sent = self.sends();
        match through.call(function, &args) {
            Ok(outcome) => self.run.book.wrong(format!("{what} was survived: {outcome:?}")),
            Err(error) => {
                let function = subject.function(function).1.name.as_str();
                let meant = Meant { what, function, kinds, signal: *signal, time, input: None };
                self.fails(subject.number, sent, error, Some(meant));
            }
        }
    }

    /// An input that ends its worker, and is refused when it has ended two.
    fn poison(&mut self, subject: &Subject) {
        let input = format!("poison {}", self.random.below(INPUTS));
        let sent = self.sends();
        let made = subject.call(POISONED, &[Value::Text(input.clone())]);
        let (what, function) = ("an input that ends workers", subject.function(POISONED).1.name.as_str());
        let (signal, input) = (Some(SIGABRT), Some(input));
        let meant = Meant { what, function, kinds: &[Crashed], signal, time: None, input };
        match made {
            Ok(outcome) => self.run.book.wrong(format!("{} was survived: {outcome:?}", meant.what)),
            Err(error) => self.fails(subject.number, sent, error, Some(meant)),
        }
    }
}

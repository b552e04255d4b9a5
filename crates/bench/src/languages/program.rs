//! A program that measures: it is asked in lines of JSON, and answers in such.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::plan::Stop;

/// How long an answer may take: what a sample takes is less than a second, and what a program compiles first, some.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long its end is waited for, when it has nobody to answer any more.
const END: Duration = Duration::from_secs(10);

/// A program that runs; it ends when this is dropped.
pub(super) struct Program {
    process: Child,
    /// `None` only while it is dropped.
    asks: Option<ChildStdin>,
    answers: Receiver<io::Result<String>>,
    patience: Duration,
    about: String,
}

/// Who takes part in a sample: what asks to be pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Threads {
    /// The thread that calls.
    pub(super) caller: u32,
    /// The process that answers, where there is one.
    pub(super) worker: Option<u32>,
}

impl Threads {
    fn of(said: &Value) -> Option<Threads> {
        let number = |key: &str| u32::try_from(said[key].as_u64()?).ok().filter(|number| *number > 0);
        Some(Threads { caller: number("thread")?, worker: number("worker") })
    }
}

impl Program {
    /// Starts a program, and waits until it says what it is, or why it cannot be had.
    pub(super) fn start(command: &mut Command) -> Result<Program, Stop> {
        let name = command.get_program().display().to_string();
        let mut process = match command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Stop::LeftOut(format!("there is no `{name}`")));
            }
            Err(error) => return Err(Stop::LeftOut(format!("`{name}` cannot be started: {error}"))),
            Ok(process) => process,
        };
        let asks = process.stdin.take();
        let lines = BufReader::new(process.stdout.take().expect("its output was asked to be a pipe")).lines();
        let (sender, answers) = channel();
        // It ends with the program, whose last answer nobody may wait for.
        std::thread::spawn(move || {
            for line in lines {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut program = Program { process, asks, answers, patience: PATIENCE, about: String::new() };
        let mut said = program.heard()?;
        match (said["about"].take(), said["left_out"].take()) {
            (Value::String(about), _) => program.about = about,
            (_, Value::String(reason)) => return Err(Stop::LeftOut(reason)),
            _ => return Err(Stop::Program(format!("it began with `{said}`"))),
        }
        Ok(program)
    }

    /// What it says of itself.
    pub(super) fn about(&self) -> &str {
        &self.about
    }

    /// Nanoseconds of a call. `pin` puts its threads where they belong, when the program asks for it.
    pub(super) fn ask(
        &mut self,
        question: &Value,
        pin: impl FnOnce(Threads) -> Result<(), Stop>,
    ) -> Result<f64, Stop> {
        self.tell(question);
        let mut said = self.heard()?;
        if let Some(threads) = Threads::of(&said) {
            let pinned = pin(threads);
            self.tell(&json!({ "pinned": pinned.is_ok() }));
            said = self.heard()?;
            pinned?;
        }
        if let Some(value) = said["nanoseconds"].as_f64().filter(|value| *value > 0.0) {
            return Ok(value);
        }
        match said["failed"].take() {
            Value::String(failed) => Err(Stop::Program(failed)),
            _ => Err(Stop::Program(format!("it answered `{said}`"))),
        }
    }

    fn tell(&mut self, line: &Value) {
        // Where it has ended, that it does not answer is the better message.
        let _ = self.asks.as_mut().map(|it| writeln!(it, "{line}"));
    }

    /// The next line.
    fn heard(&mut self) -> Result<Value, Stop> {
        let line = match self.answers.recv_timeout(self.patience) {
            Ok(Ok(line)) => line,
            Ok(Err(error)) => return Err(Stop::Program(format!("it answered no text: {error}"))),
            Err(RecvTimeoutError::Timeout) => {
                let _ = self.process.kill();
                return Err(Stop::Program(format!("it did not answer within {:?}", self.patience)));
            }
            Err(RecvTimeoutError::Disconnected) => {
                let how = self.process.wait().map_or_else(|error| error.to_string(), |it| it.to_string());
                return Err(Stop::Program(format!("it ended without an answer: {how}")));
            }
        };
        let value = serde_json::from_str(&line).ok().filter(Value::is_object);
        value.ok_or_else(|| Stop::Program(format!("it answered `{line}`")))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The end of its standard input is its end.
        drop(self.asks.take());
        let started = Instant::now();
        while matches!(self.process.try_wait(), Ok(None)) {
            if started.elapsed() > END {
                let _ = self.process.kill();
                let _ = self.process.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    /// What stopped it, as `Kind: text`.
    fn stop<T>(result: Result<T, Stop>) -> String {
        match result {
            Ok(_) => "nothing".into(),
            Err(Stop::LeftOut(reason)) => format!("left out: {reason}"),
            Err(Stop::Program(said)) => format!("program: {said}"),
            Err(Stop::Failed(error)) => format!("call: {error}"),
        }
    }

    fn none(_: Threads) -> Result<(), Stop> {
        Ok(())
    }

    /// One that says hello, and goes on with this script.
    fn program(script: &str) -> Program {
        let script = format!(r#"echo '{{"about": "a shell"}}'; {script}"#);
        Program::start(&mut shell(&script)).ok().unwrap()
    }

    #[test]
    fn a_program_is_asked_and_answers() {
        let mut program = program(r#"while read a; do echo '{"nanoseconds": '$a'}'; done"#);
        assert_eq!(program.about(), "a shell");
        assert_eq!(program.ask(&json!(12.5), none).ok(), Some(12.5));
        assert_eq!(program.ask(&json!(7), none).ok(), Some(7.0));
    }

    #[test]
    fn a_program_waits_until_it_is_pinned() {
        let script = r#"read a; echo '{"thread": 7, "worker": 0}'
            read b; case $b in *true*) echo '{"nanoseconds": 5}';; *) echo '{"failed": "refused"}';; esac"#;
        let mut seen = None;
        let pinned = program(script).ask(&json!({}), |threads| {
            seen = Some(threads);
            Ok(())
        });
        assert_eq!(pinned.ok(), Some(5.0));
        assert_eq!(seen, Some(Threads { caller: 7, worker: None }));
        let refused = program(script).ask(&json!({}), |_| Err(Stop::LeftOut("not here".into())));
        assert_eq!(stop(refused), "left out: not here");
    }

    #[test]
    fn what_cannot_be_had_is_left_out_with_the_reason() {
        let missing = Program::start(&mut Command::new("there-is-no-such-program"));
        assert_eq!(stop(missing), "left out: there is no `there-is-no-such-program`");
        let refused = Program::start(&mut shell(r#"echo '{"left_out": "no module"}'"#));
        assert_eq!(stop(refused), "left out: no module");
    }

    #[test]
    fn a_program_that_fails_is_told_and_never_a_figure() {
        let check = |script: &str, expect: &str| {
            let said = stop(program(&format!("read a; {script}")).ask(&json!({}), none));
            assert!(said.starts_with(expect), "{said:?} is not {expect:?}");
        };
        check(r#"echo '{"failed": "a call gave 4"}'"#, "program: a call gave 4");
        check("exit 3", "program: it ended without an answer: exit status: 3");
        check("kill -9 $$", "program: it ended without an answer: signal: 9");
        check("echo 12.5", "program: it answered `12.5`");
        check("echo words", "program: it answered `words`");
        check(r#"echo '{"nanoseconds": 0}'"#, "program: it answered `{");
        let silent = Program::start(&mut shell("exit 1"));
        assert_eq!(stop(silent), "program: it ended without an answer: exit status: 1");
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let mut program = program("exec sleep 1000");
        program.patience = Duration::from_millis(50);
        assert_eq!(stop(program.ask(&json!({}), none)), "program: it did not answer within 50ms");
        assert!(program.process.wait().is_ok_and(|status| !status.success()));
    }
}

//! A program in another language that makes the calls of the lab's rows, and is told which: a line of JSON each way.
//!
//! via/README.md has what both say.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};

use crate::failure::{Failure, Why};
use crate::session::Timed;
use crate::sys::ends_with_this;
use crate::value::{Callback, Outcome, Value};

/// Longer than any call may take; no measure of anything.
const PATIENCE: Duration = Duration::from_secs(120);

/// Bytes of what it prints on standard error that are told.
const TOLD: usize = 2000;

/// A driver that runs.
#[derive(Debug)]
pub(crate) struct Driver {
    process: Mutex<Child>,
    pid: u32,
    input: Mutex<Option<ChildStdin>>,
    waiting: Arc<Mutex<HashMap<u64, Sender<Json>>>>,
    last: AtomicU64,
    /// What it prints on standard error.
    errors: PathBuf,
}

thread_local! {
    /// The callback that this thread runs, of a call that a driver makes: calls from in there are nested.
    static INSIDE: Cell<u64> = const { Cell::new(0) };
}

impl Driver {
    /// Starts it. What it prints on standard error goes to a file in this folder.
    pub(crate) fn start(mut command: Command, folder: &Path) -> std::io::Result<Arc<Driver>> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let errors = folder.join(format!("errors-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(&errors)?);
        let mut process = ends_with_this(&mut command).spawn()?;
        let (pid, input) = (process.id(), process.stdin.take());
        let waiting: Arc<Mutex<HashMap<u64, Sender<Json>>>> = Arc::default();
        if let Some(output) = process.stdout.take() {
            let theirs = Arc::clone(&waiting);
            thread::spawn(move || hear(BufReader::new(output), &theirs));
        }
        let (process, input) = (Mutex::new(process), Mutex::new(input));
        Ok(Arc::new(Driver { process, pid, input, waiting, last: AtomicU64::new(0), errors }))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Has it do something, and waits for the answer.
    pub(crate) fn ask(&self, order: Json) -> Result<Json, Failure> {
        let (_, answers) = self.send(order)?;
        self.next(&answers)
    }

    /// Sends an order: its number, and what comes for it.
    fn send(&self, mut order: Json) -> Result<(u64, Receiver<Json>), Failure> {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        order["id"] = id.into();
        let (says, hears) = mpsc::channel();
        lock(&self.waiting).insert(id, says);
        self.say(&order).map(|()| (id, hears))
    }

    fn say(&self, order: &Json) -> Result<(), Failure> {
        let said = match lock(&self.input).as_mut() {
            Some(input) => writeln!(input, "{order}").and_then(|()| input.flush()),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        };
        said.map_err(|error| self.lost(&error.to_string()))
    }

    fn next(&self, answers: &Receiver<Json>) -> Result<Json, Failure> {
        let said = answers.recv_timeout(PATIENCE).map_err(|error| self.lost(&error.to_string()))?;
        match said.get("failed") {
            Some(failed) => Err(Failure::said(failed)),
            None => Ok(said),
        }
    }

    /// What is told of a driver that does not answer.
    fn lost(&self, why: &str) -> Failure {
        let errors = fs::read(&self.errors).unwrap_or_default();
        let last = String::from_utf8_lossy(&errors[errors.len().saturating_sub(TOLD)..]).into_owned();
        Failure::new(Why::Lost, format!("the driver does not answer ({why}): {}", last.trim()))
    }

    /// Makes a call, and the callbacks that come of it.
    fn call(self: &Arc<Self>, order: Json, mut callback: Option<&mut Callback<'_>>, told: Told<'_>) -> Timed {
        let mut took = Duration::ZERO;
        let ran = || -> Result<Outcome, Failure> {
            let (id, answers) = self.send(order)?;
            if let Some(told) = told {
                let _ = told.send(id);
            }
            loop {
                let said = answers.recv_timeout(PATIENCE).map_err(|error| self.lost(&error.to_string()))?;
                if let Some(number) = said["callback"].as_u64() {
                    self.called_back(number, &said["args"], &mut callback)?;
                    continue;
                }
                took = Duration::from_nanos(said["ns"].as_u64().unwrap_or(0));
                return match said.get("failed") {
                    Some(failed) => Err(Failure::said(failed)),
                    None => self.values(&said["values"]).map(Outcome),
                };
            }
        };
        (ran(), took)
    }

    fn called_back(
        self: &Arc<Self>,
        number: u64,
        args: &Json,
        callback: &mut Option<&mut Callback<'_>>,
    ) -> Result<(), Failure> {
        let args = self.values(args)?;
        let around = INSIDE.replace(number);
        let answer = match callback {
            Some(callback) => callback(&args),
            None => Err("no callback was given".to_owned()),
        };
        INSIDE.set(around);
        self.say(&match answer {
            Ok(value) => json!({ "do": "answer", "callback": number, "value": value.json() }),
            Err(text) => json!({ "do": "answer", "callback": number, "fail": text }),
        })
    }

    fn values(self: &Arc<Self>, said: &Json) -> Result<Vec<Value>, Failure> {
        let values = said.as_array().and_then(|all| all.iter().map(|it| Value::said(self, it)).collect());
        values.ok_or_else(|| Failure::new(Why::Lost, format!("the driver says {said}")))
    }

    /// Sends the driver's process a signal.
    pub(crate) fn signal(&self, signal: Signal) -> rustix::io::Result<()> {
        // It is this process's child, and not waited for yet: the number is its.
        kill_process(Pid::from_child(&lock(&self.process)), signal)
    }

    /// Waits for its end, behind a signal or with nothing more to hear.
    pub(crate) fn end(&self) -> std::io::Result<std::process::ExitStatus> {
        drop(lock(&self.input).take());
        lock(&self.process).wait()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // One that hears nothing more ends; one that cannot is ended.
        drop(lock(&self.input).take());
        let mut process = lock(&self.process);
        for _ in 0..500 {
            if !matches!(process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = process.kill();
        let _ = process.wait();
    }
}

/// Who is told the number of a call, to give it up.
type Told<'a> = Option<&'a Sender<u64>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives what the driver says to whom it is for. A line that is none is of nobody: then somebody waits in vain, and says so.
fn hear(output: impl BufRead, waiting: &Mutex<HashMap<u64, Sender<Json>>>) {
    for line in output.lines() {
        let Ok(said) = line.map_err(drop).and_then(|line| serde_json::from_str::<Json>(&line).map_err(drop))
        else {
            break;
        };
        let Some(id) = said["id"].as_u64() else { continue };
        let is_last = said.get("callback").is_none();
        let mut waiting = lock(waiting);
        let known = if is_last { waiting.remove(&id) } else { waiting.get(&id).cloned() };
        drop(waiting);
        if let Some(known) = known {
            // Who waits no more has an error of its own.
            let _ = known.send(said);
        }
    }
    lock(waiting).clear();
}

/// A session in a driver.
#[derive(Debug, Clone)]
pub(crate) struct There {
    open: Arc<Open>,
    within: Option<Duration>,
    told: Option<Sender<u64>>,
}

#[derive(Debug)]
struct Open {
    driver: Arc<Driver>,
    number: u64,
}

impl Drop for Open {
    fn drop(&mut self) {
        // Where the driver is gone, so is its session.
        let _ = self.driver.ask(json!({ "do": "close", "session": self.number }));
    }
}

impl There {
    /// Opens a session with these options, as `hotcell serve` takes them.
    pub(crate) fn open(driver: &Arc<Driver>, options: &Json) -> Result<There, Failure> {
        let opened = driver.ask(json!({ "do": "open", "options": options }))?;
        let number = opened["session"].as_u64();
        let number = number.ok_or_else(|| Failure::new(Why::Lost, format!("the driver says {opened}")))?;
        Ok(There { open: Arc::new(Open { driver: Arc::clone(driver), number }), within: None, told: None })
    }

    pub(crate) fn within(&self, deadline: Duration) -> There {
        There { within: Some(deadline), ..self.clone() }
    }

    pub(crate) fn number(&self) -> u64 {
        self.open.number
    }

    /// The same session, of whose calls the numbers are told.
    pub(crate) fn told(&self, told: Sender<u64>) -> There {
        There { told: Some(told), ..self.clone() }
    }

    /// Calls a function by its name in C.
    pub(crate) fn call(&self, name: &str, args: &[Value], callback: Option<&mut Callback<'_>>) -> Timed {
        let order = json!({
            "do": "call", "session": self.open.number, "function": name,
            "args": args.iter().map(Value::json).collect::<Vec<_>>(),
            "within_ms": self.within.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            "inside": Some(INSIDE.get()).filter(|&inside| inside != 0),
        });
        self.open.driver.call(order, callback, self.told.as_ref())
    }

    /// Has the driver give up a call of this number.
    pub(crate) fn give_up(&self, call: u64) {
        // What comes of it the call says.
        let _ = self.open.driver.ask(json!({ "do": "cancel", "call": call }));
    }

    /// The JSON of `hotcell stats`; null where it is not to be had.
    pub(crate) fn stats(&self) -> Json {
        let stats = self.open.driver.ask(json!({ "do": "stats", "session": self.open.number }));
        stats.map_or(Json::Null, |mut stats| stats["stats"].take())
    }
}

/// An object that a driver has.
#[derive(Debug)]
pub(crate) struct Lent {
    driver: Arc<Driver>,
    id: u64,
}

impl Lent {
    pub(crate) fn of(driver: &Arc<Driver>, id: u64) -> Lent {
        Lent { driver: Arc::clone(driver), id }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let _ = self.driver.ask(json!({ "do": "release", "object": self.id }));
    }
}

//! A host that something happens to: this program once more, which says who its worker is and is in a call when it is killed.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

use crate::leaks::Counts;
use crate::row::{Ran, Stop};
use crate::stage::{Caller, Library, Stage};
use crate::sys;
use crate::value::Value;
use crate::via::host::Driven;

/// A call of a host ends with its host, and not by itself.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(600);

/// The deadline of a call that stands still for longer, and is at work for most of it.
pub(crate) const ASLEEP: Duration = Duration::from_millis(2000);

/// Plays this role.
///
/// # Errors
///
/// When there is no such role, or the library cannot be opened.
pub fn serve(role: &str) -> io::Result<()> {
    let library = Library::new()?;
    let mut stage = Stage::new(&library, Caller::Here(&[]));
    if role == "no-descriptors" {
        return no_descriptors(&mut stage);
    }
    // What it stays in a callback for is longer.
    let deadline = match role {
        "in-a-callback" => Duration::from_millis(300),
        "asleep" => ASLEEP,
        _ => FOR_EVER,
    };
    let session = stage.open(|options| options.deadline = deadline);
    let session = session.map_err(|stop| io::Error::other(format!("{stop:?}")))?;
    let worker = session.worker_pid().unwrap_or(0);
    println!("worker {worker}");
    io::stdout().flush()?;
    match role {
        "idle" => io::stdin().read_line(&mut String::new()).map(drop),
        "in-a-call" => {
            let ended = session.call("sleep", &[Value::Int(600_000)]);
            ended.map(drop).map_err(|error| io::Error::other(error.to_string()))
        }
        "in-a-callback" => in_a_callback(&mut stage),
        "forks" => forks(&mut stage),
        "asleep" => asleep(&mut stage),
        other => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("there is no role `{other}`"))),
    }
}

/// Stays in a callback until it is told to go on, and says what became of its call.
fn in_a_callback(stage: &mut Stage<'_>) -> io::Result<()> {
    let called = stage.call_with("outer", &[Value::Callback], &mut |_| {
        println!("called back");
        let waited = io::stdout().flush().and_then(|()| io::stdin().read_line(&mut String::new()));
        waited.map(|_| Value::Int(1)).map_err(|error| error.to_string())
    });
    match called {
        Err(Stop::Failed(error)) => println!("{error}"),
        other => println!("{other:?}"),
    }
    Ok(())
}

/// Makes a call, and says what came of it and whether it was over by its deadline.
fn asleep(stage: &mut Stage<'_>) -> io::Result<()> {
    let begun = Instant::now();
    let came = told(stage.int("sleep", &[1500]));
    println!("{came}, {} its deadline", if begun.elapsed() < ASLEEP { "before" } else { "after" });
    Ok(())
}

/// Forks with a session open. The child asks for a call, lets its copy of the session go, and opens one of its own; the parent asks
/// for a call behind that.
fn forks(stage: &mut Stage<'_>) -> io::Result<()> {
    let before = told(stage.int("add", &[2, 3]));
    let worker = stage.session().ok().and_then(|session| session.worker_pid());
    let ended = sys::in_a_child(|| {
        let inherited = told(stage.int("add", &[2, 3]));
        stage.close();
        let own = told(stage.int("add", &[2, 3]));
        println!("the child: {inherited}, and {own} in a session of its own");
        stage.close();
        let _ = io::stdout().flush();
    })?;
    let after = told(stage.int("add", &[2, 3]));
    let is_same = stage.session().is_ok_and(|session| session.worker_pid() == worker);
    let well = ended.is_some_and(|status| status.exit_status() == Some(0)) && is_same;
    println!(
        "the parent: {before} before and {after} after, {}",
        if well { "as if nothing was" } else { "not well" }
    );
    Ok(())
}

/// What came of a call, in a word.
fn told(ran: Ran) -> String {
    match ran {
        Ok(told) => told,
        Err(Stop::Failed(error)) => error.name(),
        Err(stop) => format!("{stop:?}"),
    }
}

/// Opens a session with as many descriptors as there are already, and one with more: what came of both.
fn no_descriptors(stage: &mut Stage<'_>) -> io::Result<()> {
    // What opens it for good is open.
    let mut first = stage.next_is_right();
    stage.close();
    let before = getrlimit(Resource::Nofile);
    let open = Counts::settled().descriptors as u64;
    setrlimit(Resource::Nofile, Rlimit { current: Some(open), maximum: before.maximum })?;
    let refused = match stage.session() {
        Err(Stop::Failed(error)) => error.name(),
        other => format!("{other:?}"),
    };
    setrlimit(Resource::Nofile, before)?;
    first &= stage.next_is_right();
    println!("worker 0\n{refused}, and then {}", if first { "a right call" } else { "none" });
    Ok(())
}

/// A host that runs.
#[derive(Debug)]
pub(crate) enum Host {
    Own(Own),
    /// A program in another language, which makes calls as it is told.
    Driven(Driven),
}

impl Host {
    pub(crate) fn start(caller: Caller<'_>, role: &str, variables: &[(&str, &Path)]) -> Result<Host, Stop> {
        match caller {
            Caller::Here(words) => Own::start(words, role, variables).map(Host::Own),
            Caller::There(there) => Driven::start(there, role, variables).map(Host::Driven),
        }
    }

    /// Its worker.
    pub(crate) fn worker(&self) -> u32 {
        match self {
            Host::Own(own) => own.worker,
            Host::Driven(driven) => driven.worker(),
        }
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        match self {
            Host::Own(own) => own.process.id(),
            Host::Driven(driven) => driven.pid(),
        }
    }

    /// The next line that it says.
    pub(crate) fn line(&mut self) -> Result<String, Stop> {
        match self {
            Host::Own(own) => own.line(),
            Host::Driven(driven) => driven.line(),
        }
    }

    /// The line that it says when it has nothing more to hear; then it ends.
    pub(crate) fn said(self) -> Result<String, Stop> {
        match self {
            Host::Own(own) => own.said(),
            Host::Driven(driven) => driven.said(),
        }
    }

    /// Sends it a signal.
    pub(crate) fn send(&self, signal: Signal) -> Result<(), Stop> {
        match self {
            Host::Own(own) => own.send(signal),
            Host::Driven(driven) => driven.send(signal),
        }
    }

    /// Kills it, as `kill -9` does, and waits for it.
    pub(crate) fn kill(self) -> Result<(), Stop> {
        match self {
            Host::Own(own) => own.kill(),
            Host::Driven(driven) => driven.kill(),
        }
    }

    /// Kills what supervises its worker: that is a part of the program, or a process of its own.
    pub(crate) fn kill_supervisor(self) -> Result<(), Stop> {
        match self {
            Host::Own(own) => own.kill(),
            Host::Driven(driven) => driven.kill_supervisor(),
        }
    }
}

/// A host that is this program once more.
#[derive(Debug)]
pub(crate) struct Own {
    process: Child,
    output: Option<BufReader<ChildStdout>>,
    /// Its worker.
    worker: u32,
}

impl Own {
    fn start(words: &[&str], role: &str, variables: &[(&str, &Path)]) -> Result<Own, Stop> {
        let mut command = Command::new("/proc/self/exe");
        command
            .args(words)
            .envs(variables.iter().copied())
            .arg(role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process =
            sys::ends_with_this(&mut command).spawn().map_err(Stop::lacks("this program once more"))?;
        let mut line = String::new();
        let mut output = process.stdout.take().map(BufReader::new);
        let said = output.as_mut().map(|output| output.read_line(&mut line));
        let worker = line.trim().strip_prefix("worker ").and_then(|pid| pid.parse().ok());
        match worker {
            Some(worker) => Ok(Own { process, output, worker }),
            None => {
                let _ = process.kill();
                let _ = process.wait();
                Err(Stop::Wrong(format!("the host did not come up: {said:?} {line:?}")))
            }
        }
    }

    /// The next line that it says.
    fn line(&mut self) -> Result<String, Stop> {
        let mut line = String::new();
        match self.output.as_mut().map(|output| output.read_line(&mut line)) {
            Some(Ok(1..)) => Ok(line.trim_end().to_owned()),
            other => Err(Stop::Wrong(format!("the host says nothing: {other:?}"))),
        }
    }

    /// The line that it says when it has nothing more to hear; then it ends.
    fn said(mut self) -> Result<String, Stop> {
        drop(self.process.stdin.take());
        let said = self.line()?;
        let ended = self.process.wait().map_err(Stop::lacks("to wait for a child"))?;
        match ended.success() {
            true => Ok(said),
            false => Err(Stop::Wrong(format!("the host: {ended}"))),
        }
    }

    /// Sends it a signal.
    fn send(&self, signal: Signal) -> Result<(), Stop> {
        // It is this process's child, and not waited for yet: the number is its.
        kill_process(Pid::from_child(&self.process), signal).map_err(Stop::lacks("to send a child a signal"))
    }

    /// Kills it, as `kill -9` does, and waits for it.
    fn kill(mut self) -> Result<(), Stop> {
        self.process.kill().map_err(Stop::lacks("to kill a child"))?;
        self.process.wait().map(drop).map_err(Stop::lacks("to wait for a child"))
    }
}

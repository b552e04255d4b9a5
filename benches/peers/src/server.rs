//! The second process of a peer: this program once more.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};

use crate::place::Place;
use crate::work::Operation;

/// What it says when it can be called.
const READY: &str = "ready";

/// How the second process is started.
pub(crate) struct Start<'a> {
    pub(crate) peer: &'a str,
    pub(crate) operation: Operation,
    pub(crate) place: &'a Place,
}

/// The second process; it ends when this is dropped.
pub(crate) struct Server(Child);

impl Start<'_> {
    /// Starts it, and waits until it can be called at this address.
    pub(crate) fn at(&self, address: &str) -> Result<Server> {
        let mut command = Command::new("/proc/self/exe");
        command.args(["serve", self.peer, self.operation.name(), address]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = self.place.far(|| command.spawn().context("starting the server"))?;
        let mut server = Server(child);
        let stdout = server.0.stdout.take().context("its output was asked to be a pipe")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).context("waiting for the server")?;
        ensure!(line.trim_end() == READY, "the server did not come up");
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its standard input is its end.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// In the second process: tells that it can be called. It ends with the process that started it, or when that is done
/// with it.
pub(crate) fn ready() -> Result<()> {
    tell(|| std::process::exit(0))
}

/// The same for who has something to put away: it is to end when this becomes true.
pub(crate) fn ready_until_told() -> Result<Arc<AtomicBool>> {
    let told = Arc::new(AtomicBool::new(false));
    let other = Arc::clone(&told);
    tell(move || other.store(true, Ordering::Relaxed))?;
    Ok(told)
}

fn tell(end: impl FnOnce() + Send + 'static) -> Result<()> {
    let watch = || {
        // An error is an end too.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        end();
    };
    std::thread::Builder::new().name("watch".into()).spawn(watch).context("starting a thread")?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{READY}").and_then(|()| stdout.flush()).context("telling that the server is up")
}

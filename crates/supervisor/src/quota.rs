//! The quota of a session's directory for temporary files. The kernel has none for a process: a thread of the host looks at the
//! directory, the sooner the less is left of it.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use hotcell_sandbox::{empty_tree, occupied, with_signals_blocked};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use crate::worker::Shared;

/// The least and the longest time from look to look.
const OFTEN: Duration = Duration::from_millis(20);
const SELDOM: Duration = Duration::from_millis(500);

/// Bytes a nanosecond: a library that writes no faster than that is not far beyond its quota when that is seen.
const FAST: u64 = 2;

/// How much longer a look is waited for than it takes: a library that makes it long has it seldom, and costs a tenth of a CPU.
const REST: u32 = 9;

/// How long the end of a worker that was killed is waited for.
const DYING: i64 = 5;

/// How long a directory is emptied at most.
const EMPTYING: Duration = Duration::from_secs(5);

/// Has directories looked at, by a thread that begins with the first of them.
#[derive(Debug, Default)]
pub(crate) struct Quotas(Option<Sender<Kept>>);

/// A directory with its quota, and a worker that may write there.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) directory: PathBuf,
    pub(crate) most: u64,
    pub(crate) worker: Weak<Shared>,
}

impl Quotas {
    /// Begins to look at a directory. The monitor's bell is rung when there is something for it to do.
    pub(crate) fn keep(&mut self, kept: Kept, bell: &Arc<OwnedFd>) -> io::Result<()> {
        if self.0.is_none() {
            let (sender, inbox) = mpsc::channel();
            let bell = Arc::clone(bell);
            let thread = std::thread::Builder::new().name("hotcell-quotas".into());
            // Signals of the host are for its own threads.
            with_signals_blocked(|| thread.spawn(move || run(&inbox, &bell)))?;
            self.0 = Some(sender);
        }
        let sent = self.0.as_ref().map(|sender| sender.send(kept));
        match sent {
            Some(Ok(())) => Ok(()),
            _ => Err(io::Error::other("the thread that looks at temporary files has ended")),
        }
    }
}

/// A directory that is looked at.
struct Directory {
    path: PathBuf,
    most: u64,
    /// Those that may write there: the one that serves, and those that are kept ready.
    workers: Vec<Weak<Shared>>,
    at: Instant,
}

fn run(inbox: &Receiver<Kept>, bell: &OwnedFd) {
    let mut directories: Vec<Directory> = Vec::new();
    loop {
        let next = directories.iter().map(|directory| directory.at).min();
        let heard = match next {
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => inbox.recv_timeout(at.saturating_duration_since(Instant::now())),
        };
        match heard {
            Ok(Kept { directory, most, worker }) => {
                match directories.iter_mut().find(|known| known.path == directory) {
                    Some(known) => known.workers.push(worker),
                    None => {
                        let at = Instant::now() + OFTEN;
                        directories.push(Directory { path: directory, most, workers: vec![worker], at });
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = Instant::now();
        directories.retain_mut(|directory| directory.at > now || directory.look(bell));
    }
}

impl Directory {
    /// Looks at it; false when nobody is there any more who could write.
    fn look(&mut self, bell: &OwnedFd) -> bool {
        self.workers.retain(|worker| worker.upgrade().is_some_and(|worker| !worker.has_ended()));
        if self.workers.is_empty() {
            return false;
        }
        // Nobody's memory is kept for as long as this takes.
        let number = |worker: &Weak<Shared>| Some((Weak::clone(worker), worker.upgrade()?.process.get()?.0));
        let (counted, processes): (Vec<_>, Vec<_>) = self.workers.iter().filter_map(number).unzip();
        let begun = Instant::now();
        // What cannot be looked at now, for there is no descriptor left, is looked at later.
        let taken = occupied(&self.path, &processes, self.most).unwrap_or(0);
        let living = counted.iter().filter_map(Weak::upgrade).filter(|worker| !worker.has_ended());
        let living: Vec<_> = living.collect();
        // Where one has ended meanwhile, somebody else may have its number, and what he has open was counted.
        if taken > self.most && living.len() == counted.len() {
            self.end(&living, bell);
        }
        self.at = Instant::now() + after(self.most.saturating_sub(taken), begun.elapsed());
        true
    }

    /// Ends all that may write there, and empties it: nobody can say whose files they are. Before that is done the end of none of
    /// them is told, so that the next worker finds it empty.
    fn end(&self, workers: &[Arc<Shared>], bell: &OwnedFd) {
        let ended: Vec<_> = workers.iter().filter(|worker| worker.exceeds(self.most)).collect();
        for worker in &ended {
            worker.signal(Signal::KILL);
        }
        for worker in &ended {
            let Some((_, process)) = worker.process.get() else { continue };
            let patience = Timespec { tv_sec: DYING, tv_nsec: 0 };
            let _ = poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&patience));
        }
        // What stays is found by the next look.
        let _ = empty_tree(&self.path, Instant::now() + EMPTYING);
        for worker in ended {
            worker.state.lock().is_emptied = false;
        }
        let _ = rustix::io::write(bell, &1_u64.to_ne_bytes());
    }
}

/// How long it is until the next look, where so much is left and this look took so long.
fn after(left: u64, took: Duration) -> Duration {
    Duration::from_nanos(left / FAST).clamp(OFTEN, SELDOM).max(took.saturating_mul(REST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_less_is_left_the_sooner_is_the_next_look() {
        let milliseconds = |left| after(left, Duration::ZERO).as_millis();
        assert_eq!([0, 1 << 20, 100_000_000, 1 << 30, u64::MAX].map(milliseconds), [20, 20, 50, 500, 500]);
        // One that took long is not made again at once.
        assert_eq!(after(0, Duration::from_millis(100)), Duration::from_millis(900));
    }
}

//! Ends a soak in which nothing moves any more, with the account of what there is.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::client::Run;
use crate::setting::DEADLINE;

/// How long no call may come to its end: longer than any has time.
const STILL: Duration = DEADLINE.saturating_mul(3);

const LOOKS: Duration = Duration::from_secs(1);

pub(crate) struct Watchdog {
    tells: Sender<Tells>,
    thread: JoinHandle<()>,
}

/// What a watchdog is told.
enum Tells {
    /// From now on something is to move.
    Begun,
    /// Nothing has to, from now on.
    Over,
}

/// What moves, and since when it has not.
#[derive(Debug)]
struct Moves<T> {
    last: T,
    since: Instant,
}

impl Watchdog {
    /// Makes one that watches a run when it begins. `account` gives what there is.
    pub(crate) fn of(run: Arc<Run>, account: impl Fn() -> Account + Send + 'static) -> Watchdog {
        let (tells, told) = mpsc::channel();
        let watch = move || {
            if !matches!(told.recv(), Ok(Tells::Begun)) {
                return;
            }
            let mut moves = Moves { last: run.book.counts(), since: Instant::now() };
            while let Err(RecvTimeoutError::Timeout) = told.recv_timeout(LOOKS) {
                if moves.stand_still(run.book.counts(), Instant::now()) {
                    give_up(&run, &account());
                }
            }
        };
        Watchdog { tells, thread: thread::spawn(watch) }
    }

    /// The run begins.
    pub(crate) fn begins(&self) {
        let _ = self.tells.send(Tells::Begun);
    }

    /// The run is over.
    pub(crate) fn ends(self) {
        let _ = self.tells.send(Tells::Over);
        let _ = self.thread.join();
    }
}

impl<T: PartialEq> Moves<T> {
    /// Whether it has not moved for too long.
    fn stand_still(&mut self, now: T, at: Instant) -> bool {
        if now != self.last {
            *self = Moves { last: now, since: at };
        }
        at.duration_since(self.since) >= STILL
    }
}

/// Tells what there is, and ends the process where it stands, so that its threads can be looked at.
fn give_up(run: &Run, account: &Account) -> ! {
    println!("{}NOTHING MOVES for {STILL:?}", account.to_text());
    for (subject, setting) in run.subjects.all() {
        let stats = subject.session.stats();
        let (state, calls, waiting) = (stats.state.name(), stats.in_flight, stats.waiting);
        println!(
            "  session {} ({}): {state}, {calls} under way, {waiting} in line",
            subject.number, setting.name
        );
    }
    let _ = std::io::stdout().flush();
    std::process::abort()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_does_not_stand_still_and_what_does_not_move_does() {
        let began = Instant::now();
        let mut moves = Moves { last: 1, since: began };
        assert!(!moves.stand_still(1, began + STILL - LOOKS));
        assert!(!moves.stand_still(2, began + STILL));
        assert!(!moves.stand_still(2, began + STILL * 2 - LOOKS));
        assert!(moves.stand_still(2, began + STILL * 2));
    }
}

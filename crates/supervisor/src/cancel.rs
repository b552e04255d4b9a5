//! Calls that a worker is asked to stop by a function of its library.
//!
//! Whoever asks waits for the call, makes no other one on its lane before there is an answer, and ends the worker if none comes.

use std::time::Instant;

use hotcell_protocol::wire::{Cancel, Packet, capabilities};
use rustix::io::Errno;

use crate::worker::{State, Worker};

/// What became of the function that was to stop a call, by the worker's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    /// It was called, and has returned.
    Called,
    /// There was nothing to stop: the call has ended or not come so far, or its function has none that stops it.
    NotUnderWay,
    /// There was no thread to call it on.
    NoThread,
}

impl CancelOutcome {
    /// Its name, as clients in other processes are told it.
    pub fn name(self) -> &'static str {
        match self {
            CancelOutcome::Called => "called",
            CancelOutcome::NotUnderWay => "not-under-way",
            CancelOutcome::NoThread => "no-thread",
        }
    }
}

/// What became of asking a worker to stop a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// It is asked, or was already and owes the answer.
    Asked,
    /// It cannot be asked: the library can stop no calls, or nobody there listens.
    Impossible,
    /// It owes the answer for another call of this lane, and is asked nothing.
    OwesAnother,
}

/// A call that was to be stopped, and what became of that, once it is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    call_id: u64,
    outcome: Option<CancelOutcome>,
}

impl Worker {
    /// Asks for a call to be stopped, unless it was asked already and owes the answer. Waits for nothing.
    pub fn begin_cancel(&self, lane: u32, call_id: u64) -> Asking {
        let mut state = self.shared.state.lock();
        let agreed = state.welcome.map_or(0, |welcome| welcome.capabilities);
        if agreed & capabilities::CANCEL == 0 || state.end.is_some() {
            return Asking::Impossible;
        }
        // Before it is sent: the answer may be there at once.
        if let Some(already) = state.is_asked(lane, call_id) {
            return already;
        }
        let packet = Cancel { lane, errno: 0, call_id };
        let sent = self.shared.control.send(Packet::Cancel, &packet.encode(), &[]).is_ok();
        if !sent {
            state.cancels.remove(&lane);
            return Asking::Impossible;
        }
        Asking::Asked
    }

    /// Whether it was asked to stop this call.
    pub fn was_asked(&self, lane: u32, call_id: u64) -> bool {
        self.shared.state.lock().cancels.get(&lane).is_some_and(|asked| asked.call_id == call_id)
    }

    /// The lanes of calls that it was asked to stop, of which nobody knows what became of that.
    pub fn owed_cancels(&self) -> Vec<u32> {
        let state = self.shared.state.lock();
        let owed = state.cancels.iter().filter(|(_, asked)| asked.outcome.is_none());
        owed.map(|(lane, _)| *lane).collect()
    }

    /// What became of the call of this lane that it was asked to stop last. `None` while that is not known.
    pub fn cancelled(&self, lane: u32) -> Option<CancelOutcome> {
        self.shared.state.lock().cancels.get(&lane)?.outcome
    }

    /// As [`Worker::cancelled`], waiting for it.
    pub fn wait_cancelled(&self, lane: u32, until: Instant) -> Option<CancelOutcome> {
        let mut state = self.shared.state.lock();
        loop {
            let outcome = state.cancels.get(&lane)?.outcome;
            if outcome.is_some() || state.end.is_some() {
                return outcome;
            }
            if self.shared.changed.wait_until(&mut state, until).timed_out() {
                return state.cancels.get(&lane)?.outcome;
            }
        }
    }
}

impl State {
    /// Notes that a call is to be stopped; where an answer is owed already, nothing new is asked, and what that means comes back.
    fn is_asked(&mut self, lane: u32, call_id: u64) -> Option<Asking> {
        match self.cancels.get(&lane).filter(|asked| asked.outcome.is_none()) {
            Some(owed) if owed.call_id == call_id => return Some(Asking::Asked),
            Some(_) => return Some(Asking::OwesAnother),
            None => {}
        }
        self.cancels.insert(lane, Asked { call_id, outcome: None });
        None
    }

    /// Takes in what became of a call that was to be stopped.
    pub(crate) fn hear_cancelled(&mut self, done: Cancel) -> Result<(), &'static str> {
        const NOTHING: i32 = Errno::SRCH.raw_os_error();
        let outcome = match done.errno {
            0 => CancelOutcome::Called,
            NOTHING => CancelOutcome::NotUnderWay,
            _ => CancelOutcome::NoThread,
        };
        let asked = self.cancels.get_mut(&done.lane);
        let asked = asked.filter(|asked| asked.call_id == done.call_id && asked.outcome.is_none());
        asked.ok_or("a report of a call that was not to be stopped")?.outcome = Some(outcome);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_an_answer_is_owed_no_other_call_of_the_lane_is_asked_for() {
        let mut state = State::default();
        assert_eq!(state.is_asked(2, 7), None);
        assert_eq!(state.is_asked(2, 7), Some(Asking::Asked));
        assert_eq!(state.is_asked(2, 8), Some(Asking::OwesAnother));
        assert_eq!(state.is_asked(1, 8), None, "another lane");
        // What it owes is the answer for the first one yet.
        state.hear_cancelled(Cancel { lane: 2, errno: 0, call_id: 7 }).unwrap();
        assert_eq!(state.is_asked(2, 8), None);
    }

    #[test]
    fn a_worker_answers_once_and_for_the_call_that_was_named() {
        let done = |lane, errno, call_id| Cancel { lane, errno, call_id };
        let mut state = State::default();
        assert!(state.hear_cancelled(done(0, 0, 7)).is_err(), "it was not asked");
        for (errno, outcome) in [
            (0, CancelOutcome::Called),
            (Errno::SRCH.raw_os_error(), CancelOutcome::NotUnderWay),
            (Errno::AGAIN.raw_os_error(), CancelOutcome::NoThread),
        ] {
            state.cancels.insert(2, Asked { call_id: 7, outcome: None });
            for wrong in [done(0, 0, 7), done(2, 0, 8)] {
                assert!(state.hear_cancelled(wrong).is_err(), "{wrong:?}");
            }
            assert!(state.hear_cancelled(done(2, errno, 7)).is_ok());
            assert_eq!(state.cancels[&2].outcome, Some(outcome));
            assert!(state.hear_cancelled(done(2, errno, 7)).is_err(), "twice");
        }
    }
}

//! Calls of a thread that holds what others wait for, such as the lock of an interpreter: it waits a moment with it, and longer
//! without.

use std::panic::Location;
use std::time::Duration;

use hotcell_protocol::wire::ReplyState;
use hotcell_shm::Waited;

use super::finish::Callbacks;
use super::{Call, Callback, Reply};
use crate::error::Result;
use crate::session::{Allowed, Session};

/// Nanoseconds after which a call is asked about that may be given up.
const LOOKS: u64 = 50_000_000;

impl Callbacks<'_, '_> {
    /// Whether the call is given up.
    pub(super) fn give_up(&mut self) -> bool {
        self.gives_up.as_mut().is_some_and(|ask| ask())
    }

    /// Until when the call waits that would wait until then: no longer than until it is asked about.
    pub(super) fn look_at(&self, now: u64, until: u64) -> u64 {
        match self.gives_up {
            None => until,
            Some(_) => until.min(now.saturating_add(LOOKS)),
        }
    }
}

impl Session {
    /// As [`Session::call`], where that waits for nothing; `None` where it would, or may: for its turn, for a worker, for what is to
    /// be released before, or because the contract has rules for threads, or for objects that are made anew and `objects` says that the
    /// call is passed any.
    #[track_caller]
    #[inline]
    pub fn call_at_once(&self, function: u16, objects: bool) -> Option<Call<'_>> {
        if self.has_rules() || objects && !self.restores().is_empty() {
            return None;
        }
        let (context, definition) = self.function_of(function, Location::caller()).ok()?;
        let turn = self.turn_at_once(Allowed::of_call(self.time_of(definition)))?;
        Some(Call::open(turn, context, function, definition))
    }
}

impl Session {
    /// Whether objects wait to be released: whoever ends a call does that, and it may take its time.
    #[inline]
    pub fn owes_releases(&self) -> bool {
        self.has_left()
    }
}

impl<'s> Call<'s> {
    /// As [`Call::settle_with`]. The thread waits for `patience`, and for the rest of the time inside of what `aside` is given: that
    /// lets go of what others wait for, and has it again behind that. Callbacks run inside. `gives_up` is asked there, several times
    /// a second, whether the call is [given up](crate::Cancel).
    ///
    /// Where nobody polls, it waits inside at once.
    pub fn settle_aside<'b>(
        mut self,
        patience: Duration,
        aside: impl FnOnce(&mut dyn FnMut()),
        gives_up: &mut dyn FnMut() -> bool,
        callbacks: &mut [&'b mut Callback<'b>],
    ) -> Result<Reply<'s>> {
        let patience = match self.session().spin() {
            0 => 0,
            _ => u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX),
        };
        let (waited, since) = self.first(patience)?;
        match waited {
            // As most calls go.
            Waited::Reply(head) if head.state == ReplyState::Returned => return Reply::take(self, head),
            _ => {}
        }
        let mut callbacks = Callbacks::of(callbacks);
        callbacks.gives_up = Some(gives_up);
        let came = matches!(waited, Waited::Reply(_));
        let (mut waited, mut head) = (Some(waited), None);
        aside(&mut || {
            if let Some(waited) = waited.take() {
                head = Some(self.go_on(waited, &mut callbacks));
            }
        });
        let head = head.expect("what is given to be run is run");
        if let (false, Some(since), Ok(head)) = (came, since, &head) {
            self.time(&Waited::Reply(*head), since);
        }
        match callbacks.raised {
            None => self.conclude(head?),
            Some(raised) => self.raise(raised, head),
        }
    }
}

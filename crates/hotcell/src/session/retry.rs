//! Calls that are made again, and workers that are started again for a call.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use backon::ExponentialBackoff;
use hotcell_protocol::{ErrorKind, Executed, Retry, UnavailableReason};
use hotcell_shm::clock;

use super::cancel::LOOKS;
use super::{Allowed, Context, Session, Turn, left_until};
use crate::error::{Cause, Error, Result};
use crate::restart::Breaker;
use crate::rt::Function;

/// How long a call that waits for a worker sleeps until it looks whether one serves: the library may have been loaded anew.
const SERVES: Duration = Duration::from_millis(50);

/// What was made again.
#[derive(Debug, Default)]
pub(super) struct Again {
    /// Calls: tries behind the first.
    retries: AtomicU64,
    /// Calls that came back from one of those.
    recovered: AtomicU64,
    /// Starts of workers.
    starts: AtomicU64,
    /// Calls that were refused, for their input is in quarantine.
    refused: AtomicU64,
    /// Objects.
    objects: AtomicU64,
}

impl Again {
    /// An object was made anew.
    pub(super) fn restored(&self) {
        self.objects.fetch_add(1, Ordering::Relaxed);
    }

    /// Objects that were made anew.
    pub(super) fn objects(&self) -> u64 {
        self.objects.load(Ordering::Relaxed)
    }

    /// Tries behind the first, calls that came back from one, starts behind the first, and calls that were refused.
    pub(super) fn counts(&self) -> (u64, u64, u64, u64) {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        (count(&self.retries), count(&self.recovered), count(&self.starts), count(&self.refused))
    }
}

/// The tries of one call.
struct Tries<'s> {
    session: &'s Session,
    function: &'static Function,
    made: u32,
    /// What it failed with in the last try that may have been executed.
    error: Error,
    /// When it must have ended, in monotonic nanoseconds.
    until: u64,
}

/// The pauses of a call for which no worker could be had.
#[derive(Default)]
pub(super) struct Pauses {
    of_starts: Option<ExponentialBackoff>,
    made: u32,
}

impl Session {
    /// What became of a call of an idempotent function, made again by `again` where a worker ended in it: in another session
    /// value, which gives it the time that is left.
    #[track_caller]
    #[inline]
    pub fn retried<T>(
        &self,
        function: u16,
        first: Result<T>,
        again: impl FnMut(Session) -> Result<T>,
    ) -> Result<T> {
        match first {
            Err(error) if error.may_be_tried_again() => {
                self.retry(function, error, Location::caller(), again)
            }
            made => made,
        }
    }

    #[cold]
    fn retry<T>(
        &self,
        function: u16,
        error: Error,
        call_site: &'static Location<'static>,
        mut again: impl FnMut(Session) -> Result<T>,
    ) -> Result<T> {
        let mut tries = Tries::of(self, function, error)?;
        while let Some(session) = tries.next() {
            if let Some(made) = tries.made(again(session)) {
                return Ok(made);
            }
        }
        Err(tries.failed(call_site))
    }

    /// As [`Session::retried`], for a task.
    #[cfg(feature = "tokio")]
    pub async fn retried_awaited<T, F: Future<Output = Result<T>>>(
        &self,
        function: u16,
        first: Result<T>,
        call_site: &'static Location<'static>,
        mut again: impl FnMut(Session) -> F,
    ) -> Result<T> {
        let error = match first {
            Err(error) if error.may_be_tried_again() => error,
            made => return made,
        };
        let mut tries = Tries::of(self, function, error)?;
        while let Some(session) = tries.next() {
            if let Some(made) = tries.made(again(session).await) {
                return Ok(made);
            }
        }
        Err(tries.failed(call_site))
    }

    /// Gives the turn of a call a worker: where none can be had just then, it is looked for again. Others have the seat
    /// meanwhile, unless the call has families: who waits for those waits for it.
    pub(super) fn turn_with_worker<'s>(
        &'s self,
        mut turn: Turn<'s>,
        context: Context,
        allowed: &mut Allowed,
    ) -> Result<Turn<'s>> {
        let mut pauses = Pauses::default();
        while !turn.serves() {
            let Err(error) = self.seat_worker(&mut turn, context, allowed) else { break };
            let until = Instant::now() + self.pause(error, &mut pauses, allowed)?;
            let kept = if turn.has_families() {
                Some(turn)
            } else {
                turn.pass_on();
                None
            };
            while let Some(next) = self.next_look(context, until)? {
                thread::sleep(next.saturating_duration_since(Instant::now()));
            }
            turn = match kept {
                Some(turn) => turn,
                None => self.wait_for_turn(context, allowed)?,
            };
        }
        Ok(turn)
    }

    /// Until when a call that waits for a worker until then may sleep before it looks whether it is still wanted, or others have
    /// one; `None` when the time has come.
    pub(super) fn next_look(&self, context: Context, until: Instant) -> Result<Option<Instant>> {
        if self.is_cancelled() {
            return Err(self.given_up(&context));
        }
        let now = Instant::now();
        let look = self.cancel.as_ref().map_or(SERVES, |_| Duration::from_nanos(LOOKS));
        let waits = now < until && self.shared.service.serving().is_none();
        Ok(waits.then(|| until.min(now + look)))
    }

    /// How long a call waits before a worker is looked for again; or the error, where that is none that passes, or not in time.
    pub(super) fn pause(&self, error: Error, pauses: &mut Pauses, allowed: &mut Allowed) -> Result<Duration> {
        /// So that it is not still open by the width of a tick.
        const BEHIND: Duration = Duration::from_millis(1);
        let rule = &self.shared.retries;
        let pause = match (error.cause(), self.breaker()) {
            (Cause::Unavailable { reason: UnavailableReason::BreakerOpen }, Breaker::Open(left))
                if rule.breaker =>
            {
                Some(left + BEHIND)
            }
            (Cause::Unavailable { reason: UnavailableReason::BreakerOpen }, Breaker::HalfOpen)
                if rule.breaker =>
            {
                Some(BEHIND)
            }
            _ if error.is_passing() => pauses.of_starts.get_or_insert_with(|| rule.pauses()).next(),
            _ => None,
        };
        pauses.made += 1;
        match pause.filter(|pause| *pause < left_until(allowed.deadline())) {
            Some(pause) => {
                self.shared.again.starts.fetch_add(1, Ordering::Relaxed);
                Ok(pause)
            }
            None => Err(error.tried(pauses.made)),
        }
    }
}

impl Session {
    /// A call was refused, for its input is in quarantine.
    pub(crate) fn count_refused_input(&self) {
        self.shared.again.refused.fetch_add(1, Ordering::Relaxed);
    }
}

impl<'s> Tries<'s> {
    /// None where it is not to be made again.
    fn of(session: &'s Session, function: u16, error: Error) -> Result<Tries<'s>> {
        match session.functions().get(usize::from(function)) {
            Some(function) if function.idempotent => {
                let until = error.until();
                Ok(Tries { session, function, made: 1, error, until })
            }
            _ => Err(error),
        }
    }

    /// The session for the next try, if there is to be one.
    fn next(&mut self) -> Option<Session> {
        let left = Duration::from_nanos(self.until.saturating_sub(clock::now()));
        let most = self.session.shared.retries.tries;
        let goes_on = self.made < most && !left.is_zero() && self.error.may_be_tried_again();
        let wanted = goes_on && !self.session.is_cancelled() && !self.session.is_forked();
        wanted.then(|| {
            self.made += 1;
            self.session.within(left)
        })
    }

    /// What came of a try. One that was not executed says less than the one before it, and ends them.
    fn made<T>(&mut self, tried: Result<T>) -> Option<T> {
        let again = &self.session.shared.again;
        match tried {
            Ok(made) => {
                again.retries.fetch_add(1, Ordering::Relaxed);
                again.recovered.fetch_add(1, Ordering::Relaxed);
                Some(made)
            }
            Err(error) if error.executed() == Executed::No => {
                (self.made, self.until) = (self.made - 1, 0);
                None
            }
            Err(error) => {
                again.retries.fetch_add(1, Ordering::Relaxed);
                self.error = error;
                None
            }
        }
    }

    fn failed(self, call_site: &'static Location<'static>) -> Error {
        self.error.tried(self.made).of_function(self.function.name, call_site)
    }
}

impl Error {
    /// Whether the call can be made again, if its function is idempotent: its worker ended, and the library had not called back.
    fn may_be_tried_again(&self) -> bool {
        self.kind().retry() == Retry::Idempotent && self.kind() != ErrorKind::Hung && self.until() != 0
    }
}

//! Calls of tasks, which hold no thread while they wait: for their turn, for a worker, for its messages.
//!
//! A task has a turn, as a thread has one, but only while it is polled. In between its seat is afloat: it lies with the
//! session, and the task has a [berth], by which it finds it again. So a task that is forgotten, or that nobody polls, keeps
//! nothing: when the time of its call is over, a [thread](watch) takes it [back](Session::reclaim_from_tasks).

use std::future::{Future, poll_fn};
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{self, Poll, Waker};
use std::time::{Duration, Instant};

use hotcell_protocol::{ErrorKind, UnavailableReason};
use tokio::runtime::{Handle, Id};
use tokio::time::Sleep;

use super::looks::Looks;
use super::retry::Pauses;
use super::service::{Others, late};
use super::{Allowed, Context, IN_FLIGHT, Place, Seat, Session, Turn, instant_of};
use crate::error::{Cause, Error, Result};
use crate::rt::{Call, Function};
use hotcell_protocol::Executed;

mod apart;
mod berth;
mod collect;
mod coming;
mod ear;
mod offers;
mod ruled;
mod watch;

pub(super) use apart::on_a_thread;
pub(super) use berth::Afloat;
pub(crate) use berth::Berth;
pub(super) use coming::ComingUp;
pub(super) use ear::Ear;
pub(crate) use offers::Offers;
pub(super) use watch::Watch;

/// How long a task that waits for its part of a worker sleeps between two looks, at least and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(25));

/// Why a callback awaits no call.
const IN_A_CALLBACK: &str =
    "a callback cannot wait for a call of a task: its own call would not go on meanwhile";

impl Session {
    /// As [`Session::call`], for a task: waits for its turn without a thread. The call is then to be ended with
    /// [`Call::finish_awaited`] or one like it, before the task waits for anything else. Errors say that it was made there.
    ///
    /// It waits in the runtime of tokio that it is polled in, which must have its I/O and time drivers enabled. The time of
    /// the call counts from the first poll.
    pub async fn call_awaited(
        &self,
        function: u16,
        call_site: &'static Location<'static>,
    ) -> Result<Call<'_>> {
        let (context, definition) = self.function_of(function, call_site)?;
        self.begin_awaited(context, Allowed::new(self.time_of(definition)), function, definition).await
    }

    /// Starts a call, as [`Session::call_awaited`] does, of a function that need not be in the package.
    pub(crate) async fn begin_awaited(
        &self,
        context: Context,
        allowed: Allowed,
        function: u16,
        definition: &'static Function,
    ) -> Result<Call<'_>> {
        // A task whose calls are over at once gives way all the same.
        tokio::task::coop::consume_budget().await;
        let turn = self.turn_awaited(context, allowed).await?;
        Ok(Call::open(turn, context, function, definition).of_task())
    }

    /// Whether a call can be awaited here.
    fn may_await(&self, context: Context) -> Result<()> {
        let shared = &*self.shared;
        if shared.fork.forked() {
            return Err(context.forked(Executed::No));
        }
        if shared.dispatcher.has_failed()
            && let Some(error) = self.callback_failure(context)
        {
            return Err(error);
        }
        if shared.places.iter().any(Place::is_held_here) {
            let in_flight = self.has_calls_in_flight() && !self.runs_a_callback();
            let message = if in_flight { IN_FLIGHT } else { IN_A_CALLBACK };
            return Err(self.unavailable(context, message.into()));
        }
        Ok(())
    }

    /// Gets a turn with a worker for a task.
    async fn turn_awaited(&self, context: Context, mut allowed: Allowed) -> Result<Turn<'_>> {
        let shared = &*self.shared;
        self.may_await(context)?;
        self.has_inputs_examined(&mut allowed);
        if shared.releases.any() {
            self.releases_awaited(context, &mut allowed).await?;
        }
        let seat = match shared.seats.take() {
            Some(seat) => seat,
            None => self.seat_awaited(context, &mut allowed).await?,
        };
        let berth = match self.serving_or_berth(seat, context, allowed) {
            Ok(turn) => return Ok(turn),
            Err(berth) => berth,
        };
        self.worker_awaited(berth, context, allowed).await
    }

    /// The turn of a task, where its seat has a worker that serves.
    fn serving_or_berth(
        &self,
        seat: Box<Seat>,
        context: Context,
        allowed: Allowed,
    ) -> std::result::Result<Turn<'_>, Berth<'_>> {
        let mut turn = Turn::new(self, seat, Some(allowed));
        turn.state().begin_of_task();
        if turn.serves() { Ok(turn) } else { Err(turn.at_berth(context)) }
    }

    /// Waits in line for a seat.
    async fn seat_awaited(&self, context: Context, allowed: &mut Allowed) -> Result<Box<Seat>> {
        let until = instant_of(allowed.deadline());
        let mut stand = self.shared.seats.stand(true);
        let seat = self.wait_awaited(context, until, |waker| stand.take(waker)).await?;
        seat.ok_or_else(|| {
            self.unavailable(context, format!("other calls held the worker for {:?}", allowed.time()))
        })
    }

    /// As [`looks::wait`](super::looks::wait), for a task.
    async fn wait_awaited<R>(
        &self,
        context: Context,
        until: Instant,
        mut take: impl FnMut(&Waker) -> Option<R>,
    ) -> Result<Option<R>> {
        let (mut looks, mut again, mut timer) = (Looks::default(), None, Timer::default());
        let taken = poll_fn(|task| {
            loop {
                let (taken, now) = (take(task.waker()), Instant::now());
                if taken.is_some() || now >= until {
                    return Poll::Ready(Ok(taken));
                }
                if again.is_some_and(|again| now >= again) {
                    let _ = self.reclaim_from_tasks();
                }
                let next = looks.next(now).min(until);
                again = Some(next);
                match timer.poll(next, task) {
                    Ok(Poll::Ready(())) => {}
                    Ok(Poll::Pending) => return Poll::Pending,
                    Err(NoRuntime) => return Poll::Ready(Err(self.no_runtime(context, Executed::No))),
                }
            }
        });
        taken.await
    }

    /// Waits until a worker is up, with the seat of a task. A thread brings one up where none serves.
    async fn worker_awaited<'s>(
        &'s self,
        mut berth: Berth<'s>,
        context: Context,
        mut allowed: Allowed,
    ) -> Result<Turn<'s>> {
        let until = instant_of(allowed.deadline());
        let (begun, mut timer, mut lacks_spares) = (Instant::now(), Timer::default(), false);
        let (mut pauses, mut others) = (Pauses::default(), Others::default());
        loop {
            let now = Instant::now();
            let (serves, has_families) = {
                let mut turn = berth.board()?;
                let has_families = turn.has_families();
                turn.lacks_spares |= std::mem::take(&mut lacks_spares);
                match self.seat_of_serving(&mut turn, context, &mut allowed.over()) {
                    Ok(true) => {
                        turn.state().allowed = allowed;
                        return Ok(turn);
                    }
                    Err(error) if now >= until || !(is_coming_up(&error) || others.may_follow(&error)) => {
                        return Err(error);
                    }
                    seated => {
                        berth.leave(turn);
                        (seated.is_err(), has_families)
                    }
                }
            };
            if !serves {
                if now >= until {
                    return Err(late(context, &allowed));
                }
                // Before there is a thread for it.
                let came = match self.admit(context) {
                    Ok(()) => self.brought_up(context, &mut allowed).await,
                    Err(error) => Err(error),
                };
                match came {
                    Ok(lacks) => lacks_spares = lacks,
                    Err(error) => {
                        let until = Instant::now() + self.pause(error, &mut pauses, &mut allowed)?;
                        if has_families {
                            self.pauses(context, until, &mut timer).await?;
                            continue;
                        }
                        // Others have the seat meanwhile.
                        drop(berth);
                        self.pauses(context, until, &mut timer).await?;
                        let seat = match self.shared.seats.take() {
                            Some(seat) => seat,
                            None => self.seat_awaited(context, &mut allowed).await?,
                        };
                        berth = match self.serving_or_berth(seat, context, allowed) {
                            Ok(turn) => return Ok(turn),
                            Err(berth) => berth,
                        };
                    }
                }
                continue;
            }
            // The worker makes a thread for the lane.
            let look = now + ((now - begun) / 4).clamp(LOOKS.0, LOOKS.1);
            self.sleeps(context, look.min(until), &mut timer).await?;
        }
    }

    /// As [`Session::sleeps`], as long as the call is wanted.
    async fn pauses(&self, context: Context, until: Instant, timer: &mut Timer) -> Result<()> {
        while let Some(next) = self.next_look(context, until)? {
            self.sleeps(context, next, timer).await?;
        }
        Ok(())
    }

    /// Waits until a time has come.
    async fn sleeps(&self, context: Context, until: Instant, timer: &mut Timer) -> Result<()> {
        let slept = poll_fn(|task| match timer.poll(until, task) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => Poll::Ready(Ok(())),
            Err(NoRuntime) => Poll::Ready(Err(self.no_runtime(context, Executed::No))),
        });
        slept.await
    }

    /// Waits until a thread has brought a worker up. Comes with whether spares are to follow it.
    async fn brought_up(&self, context: Context, allowed: &mut Allowed) -> Result<bool> {
        let (until, mut timer) = (instant_of(allowed.deadline()), Timer::default());
        let coming = self.bring_up_apart(context, *allowed).map_err(|why| {
            let message = format!("there is no thread to bring a worker up: {why}");
            let error = self.unavailable(context, message);
            // As where there is no process.
            let passes = matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory);
            if passes { error.passing() } else { error }
        })?;
        poll_fn(|task| match coming.poll(task) {
            Poll::Ready(came) => Poll::Ready(came),
            Poll::Pending => match timer.poll(until, task) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(())) => Poll::Ready(Err(late(context, allowed))),
                Err(NoRuntime) => Poll::Ready(Err(self.no_runtime(context, Executed::No))),
            },
        })
        .await
    }

    fn unavailable(&self, context: Context, message: String) -> Error {
        let cause = Cause::Unavailable { reason: UnavailableReason::PoolExhausted };
        context.not_executed(ErrorKind::Unavailable, cause, message)
    }

    /// The error of a call that is awaited where nothing can wake it.
    pub(super) fn no_runtime(&self, context: Context, executed: Executed) -> Error {
        let message = "calls are awaited in a runtime of tokio; this is none".into();
        let fault = crate::fault::Fault { kind: ErrorKind::Cancelled, cause: Cause::None, message };
        context.error(fault, executed, String::new())
    }
}

fn is_coming_up(error: &Error) -> bool {
    matches!(error.cause(), Cause::Unavailable { .. })
}

/// A task is polled where there is no runtime of tokio.
#[derive(Debug)]
pub(super) struct NoRuntime;

/// Wakes a task when a time has come, in the runtime that it was polled in last.
#[derive(Debug, Default)]
pub(super) struct Timer(Option<(Id, Pin<Box<Sleep>>)>);

impl Timer {
    /// Whether the time has come; else the task is woken then.
    pub(super) fn poll(
        &mut self,
        at: Instant,
        task: &mut task::Context<'_>,
    ) -> std::result::Result<Poll<()>, NoRuntime> {
        if at <= Instant::now() {
            return Ok(Poll::Ready(()));
        }
        let runtime = Handle::try_current().map_err(|_| NoRuntime)?.id();
        let at = tokio::time::Instant::from_std(at);
        let known = self.0.take_if(|(of, _)| *of == runtime);
        let (_, sleep) =
            self.0.insert(known.unwrap_or_else(|| (runtime, Box::pin(tokio::time::sleep_until(at)))));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        Ok(sleep.as_mut().poll(task))
    }
}

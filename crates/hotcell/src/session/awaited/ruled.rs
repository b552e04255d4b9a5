//! Calls of tasks under a rule for threads: they wait for what they use without a thread, and without a seat.

use std::panic::Location;

use hotcell_protocol::ErrorKind;

use crate::error::{Cause, Result};
use crate::rt::{Call, Function, Handle, Object};
use crate::session::families::{Held, Who};
use crate::session::{Allowed, Claim, Context, Seat, Session, Turn, instant_of};

impl Session {
    /// As [`Session::call_awaited`], of a function that is passed these objects; see [`Session::call_of`].
    pub async fn call_awaited_of(
        &self,
        function: u16,
        objects: &[Option<&Handle>],
        call_site: &'static Location<'static>,
    ) -> Result<Call<'_>> {
        let (context, definition) = self.function_of(function, call_site)?;
        let objects = objects.iter().flatten().map(|handle| &**handle.object());
        let allowed = Allowed::new(self.time_of(definition));
        self.begin_awaited_of(objects, context, allowed, function, definition).await
    }

    /// As [`Session::begin_of`], for a task.
    pub(crate) async fn begin_awaited_of<'o>(
        &self,
        objects: impl Iterator<Item = &'o Object> + Clone,
        context: Context,
        allowed: Allowed,
        function: u16,
        definition: &'static Function,
    ) -> Result<Call<'_>> {
        // A task whose calls are over at once gives way all the same.
        tokio::task::coop::consume_budget().await;
        loop {
            let claim = self.claim(context, objects.clone())?;
            let turn = match claim.filter(|claim| !claim.is_empty()) {
                Some(claim) => self.turn_awaited_of(context, allowed, &claim).await?,
                None => self.turn_awaited(context, allowed).await?,
            };
            // As there.
            if objects.clone().all(|object| turn.covers(object)) {
                return Ok(Call::open(turn, context, function, definition).of_task());
            }
        }
    }

    /// Gets a turn with a worker for a task whose call has a claim.
    async fn turn_awaited_of(
        &self,
        context: Context,
        mut allowed: Allowed,
        claim: &Claim,
    ) -> Result<Turn<'_>> {
        let shared = &*self.shared;
        self.may_await(context)?;
        if shared.releases.any() {
            self.releases_awaited(context, &mut allowed).await?;
        }
        let held = self.families_awaited(context, claim, &mut allowed).await?;
        let seat = match claim.seat {
            Some(number) => self.own_seat_awaited(number, context, &mut allowed).await?,
            None => match shared.seats.take() {
                Some(seat) => seat,
                None => self.seat_awaited(context, &mut allowed).await?,
            },
        };
        // In a block of its own: turns stay on their thread.
        let berth = {
            let Some(mut turn) = self.seated(seat, held, allowed) else {
                let message = "nobody polled the call until its deadline had passed: others use its objects";
                return Err(context.not_executed(ErrorKind::Cancelled, Cause::None, message.into()));
            };
            turn.state().begin_of_task();
            if turn.serves() {
                return Ok(turn);
            }
            turn.at_berth(context)
        };
        self.worker_awaited(berth, context, allowed).await
    }

    /// Waits in line for families.
    async fn families_awaited(&self, context: Context, claim: &Claim, allowed: &mut Allowed) -> Result<Held> {
        let until = instant_of(allowed.deadline());
        let (families, who) = (self.families(), Who::Task(until));
        if let Some(held) = families.take(&claim.set, who) {
            return Ok(held);
        }
        let mut stand = families.stand(&claim.set, who).map_err(|stuck| self.stuck(context, stuck))?;
        let held = self.wait_awaited(context, until, |waker| stand.take(waker)).await?;
        held.ok_or_else(|| self.families_held(context, allowed))
    }

    /// Waits for the seat of this number.
    async fn own_seat_awaited(
        &self,
        number: u32,
        context: Context,
        allowed: &mut Allowed,
    ) -> Result<Box<Seat>> {
        let until = instant_of(allowed.deadline());
        let reserved = self.shared.seats.reserve(number as usize, Some(until));
        let seat = self.wait_awaited(context, until, |waker| reserved.take(waker)).await?;
        seat.ok_or_else(|| self.no_seat(context, allowed))
    }
}

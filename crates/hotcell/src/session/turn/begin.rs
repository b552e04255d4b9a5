//! How a call gets a turn with a worker.

use hotcell_protocol::Executed;

use super::super::{Allowed, Context, Seat, Session};
use super::Turn;
use crate::error::Result;
use crate::rt::{Call, Function};

impl Session {
    /// Starts a call, as [`Session::call`] does, of a function that need not be in the package.
    #[inline(always)]
    pub(crate) fn begin(
        &self,
        context: Context,
        allowed: Allowed,
        function: u16,
        definition: &'static Function,
    ) -> Result<Call<'_>> {
        let turn = self.turn(context, allowed)?;
        Ok(Call::open(turn, context, function, definition))
    }

    /// Gets a turn with a worker that is there for another call.
    #[inline(always)]
    pub(in crate::session) fn turn(&self, context: Context, allowed: Allowed) -> Result<Turn<'_>> {
        let shared = &*self.shared;
        let free = !shared.fork.forked() && !shared.releases.any() && !shared.notices.any();
        match if free && !self.nests() { shared.seats.take() } else { None } {
            Some(seat) if seat.serves() => Ok(Turn::new(self, seat, Some(allowed))),
            seat => self.begin_turn(seat, context, allowed),
        }
    }

    /// Gets a turn with a worker, if nothing has to be waited for.
    #[inline(always)]
    pub(crate) fn turn_at_once(&self, allowed: Allowed) -> Option<Turn<'_>> {
        let shared = &*self.shared;
        let free = !shared.fork.forked() && !shared.releases.any() && !shared.notices.any();
        let seat = if free && !self.nests() { shared.seats.take() } else { None }?;
        let serves = seat.serves();
        let turn = Turn::new(self, seat, Some(allowed));
        // Where it does not, the seat is given back.
        serves.then_some(turn)
    }

    /// Gets a turn with a worker, where that is not just there; `seat` if it is.
    #[cold]
    fn begin_turn(
        &self,
        seat: Option<Box<Seat>>,
        context: Context,
        mut allowed: Allowed,
    ) -> Result<Turn<'_>> {
        let shared = &*self.shared;
        allowed.begin();
        self.has_inputs_examined(&mut allowed);
        let mut turn = match seat {
            Some(seat) => Turn::new(self, seat, Some(allowed)),
            None if shared.fork.forked() => return Err(context.forked(Executed::No)),
            None => {
                if let Some(error) = self.callback_failure(context) {
                    return Err(error);
                }
                let seat = if self.nests() { None } else { shared.seats.take() };
                match seat {
                    Some(seat) => Turn::new(self, seat, Some(allowed)),
                    None => self.wait_for_turn(context, &mut allowed)?,
                }
            }
        };
        if !turn.is_nested() {
            if shared.releases.any() {
                turn = self.send_before(turn, context, &mut allowed)?;
            }
            if !turn.serves() {
                turn = self.turn_with_worker(turn, context, &mut allowed)?;
            }
            turn.state().allowed = allowed;
        }
        Ok(turn)
    }
}

//! The reply to a call of a pipeline: waited for, judged, and read into private memory.

use hotcell_protocol::Executed;
use hotcell_protocol::wire::ReplyState;
use hotcell_shm::{ReplyHead, Waited, clock};

use super::flight::Reads;
use super::outcomes::{Block, Outcome};
use crate::error::Result;
use crate::rt::failed::Failure;
use crate::rt::finish::Callbacks;
use crate::rt::{Call, Reply};
use crate::session::Seat;

impl Call<'_> {
    /// Waits for the reply to this call, the first of those in flight, and judges it. Comes with the seat; where something was
    /// dropped that had it, the seat is where its pipeline looks for it.
    pub(super) fn judge(mut self, number: u32, reads: Reads) -> (Outcome, Option<Box<Seat>>) {
        let (id, polls) = (self.context.call_id, self.session().spin() > 0);
        let Some(live) = &mut self.turn.live else {
            return (Outcome::Failed(self.lost(Executed::Maybe)), Some(self.turn.lift()));
        };
        live.lane.turn_to(number);
        let (waited, came) = match live.lane.peek(id, polls) {
            Some(waited) => (waited, true),
            None => (self.wait_in_flight(), false),
        };
        // As most end.
        let Waited::Reply(head @ ReplyHead { state: ReplyState::Returned, .. }) = waited else {
            if came {
                // It may have waited for this host: its time counts from now, as that of one that is waited for.
                self.allowed = self.allowed.renewed();
            }
            return (self.end_flight(waited, reads), None);
        };
        if let Some(block) = self.numbers(head, &reads) {
            return (Outcome::Values(block), Some(self.turn.lift()));
        }
        let read = Reply::take(self, head).and_then(|reply| reply.into_outcome(reads));
        (read.unwrap_or_else(Outcome::Failed), None)
    }

    /// The results, where they are numbers and nothing else is to be done.
    #[inline]
    fn numbers(&self, head: ReplyHead, reads: &Reads) -> Option<Block> {
        let (function, live) = (self.function, self.turn.live.as_ref()?);
        let size = usize::from(function.result_size);
        let plain = matches!(reads, Reads::Values)
            && function.owned.is_empty()
            && head.result_length as usize >= size;
        plain.then(|| Block::filled(size, |block| live.lane.copy_result(block)))
    }

    /// Waits for the worker's next message. The time of the call counts from now.
    #[cold]
    fn wait_in_flight(&mut self) -> Waited {
        self.allowed = self.allowed.renewed();
        let (session, now) = (self.session(), clock::now());
        let deadline = self.allowed.deadline();
        let (id, spin, until) = (self.context.call_id, session.spin(), session.waits_until(now, deadline));
        self.live().lane.wait(id, now, spin, until)
    }

    /// Goes on with the call from the worker's message until it has ended, and reads what came of it.
    fn end_flight(mut self, waited: Waited, reads: Reads) -> Outcome {
        let mut callbacks = Callbacks::of(&mut []);
        let head = self.go_on(waited, &mut callbacks);
        let ended = head.and_then(|head| self.conclude(head));
        match callbacks.raised {
            None => ended.and_then(|reply| reply.into_outcome(reads)).unwrap_or_else(Outcome::Failed),
            Some(Failure::Panic(panic)) => Outcome::Panicked(panic),
            // That of the application goes before everything but the worker's end.
            Some(Failure::Error(error)) => Outcome::Failed(match ended {
                Err(fault) if fault.is_fault() => fault,
                _ => error.executed_after_all(),
            }),
        }
    }
}

impl Reply<'_> {
    fn into_outcome(mut self, reads: Reads) -> Result<Outcome> {
        self.succeeded()?;
        Ok(match reads {
            Reads::Values => {
                let size = usize::from(self.function().result_size);
                Outcome::Values(Block::filled(size, |block| block.copy_from_slice(self.bytes(0, size))))
            }
            Reads::With(read) => Outcome::Read(read(&mut self)?),
        })
    }
}

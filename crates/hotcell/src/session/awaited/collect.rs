//! Calls that nobody waits for any more: they are brought to their end before their seat is anybody else's.
//!
//! The library cannot be stopped in the middle of a call. So a thread waits for what is left of it, until its deadline, when the
//! worker is killed as for any other call. It is a thread and no task: nobody need go on driving the runtime of a future that
//! is dropped. What the call returns is dropped, and its objects are released; callbacks that were passed to it get no answer but
//! that they have failed.

use std::sync::Arc;
use std::thread;

use hotcell_sandbox::with_signals_blocked;
use hotcell_shm::lock::Mutex;

use crate::rt::Call;
use crate::session::{Live, Seat, Session, Turn};

impl Session {
    /// Gives a seat back whose task has gone, when its call has ended. Waits for nothing.
    #[cold]
    pub(in crate::session) fn give_up_call(&self, seat: Box<Seat>) {
        if seat.is_settled() {
            return drop(Turn::resume(self, seat));
        }
        let (session, _) = self.apart();
        let seat = Arc::new(Mutex::new(Some(seat)));
        let theirs = Arc::clone(&seat);
        let collect = move || {
            let seat = theirs.lock().take();
            if let Some(seat) = seat {
                Call::go_on_with(Turn::resume(&session, seat)).collect();
            }
        };
        let thread = thread::Builder::new().name("hotcell-collector".into());
        // Signals of the application are for its own threads.
        if with_signals_blocked(|| thread.spawn(collect)).is_err() {
            let seat = seat.lock().take();
            seat.into_iter().for_each(|seat| Call::go_on_with(Turn::resume(self, seat)).give_up());
        }
    }
}

impl Seat {
    /// Whether no call of a task is under way in it, and the worker has mapped all that those have offered it.
    pub(in crate::session) fn is_settled(&self) -> bool {
        let settled = |live: &Live| live.offers.are_settled() || live.worker.channel().is_dead();
        !self.known().is_under_way() && self.live.as_ref().is_none_or(settled)
    }
}

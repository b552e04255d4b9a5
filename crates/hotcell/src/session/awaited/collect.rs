//! Calls that nobody waits for any more: they are brought to their end before their seat is anybody else's.
//!
//! The library cannot be stopped in the middle of a call. So somebody waits for what is left of it, until its deadline, when the
//! worker is killed as for any other call: a task, where there is a runtime, or else a thread. What the call returns is
//! dropped, and its objects are released; callbacks that were passed to it get no answer but that they have failed.

use std::sync::Arc;
use std::thread;

use hotcell_sandbox::with_signals_blocked;
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::Berth;
use crate::rt::Call;
use crate::session::{Seat, Session, Turn};

/// A seat on its way to who brings its call to an end.
struct Stray(Session, Option<Box<Seat>>, bool);

impl Stray {
    /// Leaves it to a thread.
    fn leave_to_thread(&mut self) {
        let Stray(session, seat, under_way) = self;
        let Some(seat) = seat.take() else { return };
        let under_way = *under_way;
        let seat = Arc::new(Mutex::new(Some(seat)));
        let (theirs, of_thread) = (Arc::clone(&seat), session.clone());
        let collect = move || {
            if let Some(seat) = theirs.lock().take() {
                Call::go_on_with(Turn::resume(&of_thread, seat)).collect(under_way);
            }
        };
        let thread = thread::Builder::new().name("hotcell-collector".into());
        // Signals of the application are for its own threads.
        let started = with_signals_blocked(|| thread.spawn(collect));
        if started.is_err()
            && let Some(seat) = seat.lock().take()
        {
            Call::go_on_with(Turn::resume(session, seat)).give_up();
        }
    }
}

impl Drop for Stray {
    fn drop(&mut self) {
        self.leave_to_thread();
    }
}

impl Session {
    /// Gives a seat back whose task has gone, when its call has ended. `again` when that was tried by a task already.
    #[cold]
    pub(super) fn give_up_call(&self, seat: Box<Seat>, under_way: bool, again: bool) {
        let settled = seat.live.as_ref().is_none_or(|live| live.unmapped.is_empty());
        if !under_way && settled {
            return drop(Turn::resume(self, seat));
        }
        let (session, _) = self.apart();
        let stray = Stray(session, Some(seat), under_way);
        match Handle::try_current() {
            Ok(runtime) if !again => drop(runtime.spawn(collect(stray))),
            _ => drop(stray),
        }
    }
}

/// Brings a call to its end, as a task.
async fn collect(mut stray: Stray) {
    let (session, under_way) = (stray.0.clone(), stray.2);
    if let Some(seat) = stray.1.take() {
        Call::collect_awaited(Berth::adopt(&session, seat, under_way)).await;
    }
}

//! Loading the library anew for a task.

use std::panic::Location;

use super::{Reload, Reloaded, Session};
use crate::error::Result;
use crate::session::awaited::on_a_thread;

impl Session {
    /// As [`Session::reload`], for a task, in a runtime of tokio: one of its threads for what blocks does it, and has it until the calls that
    /// are under way have come to their end. It begins when the future is first polled. Where that is dropped behind this, the library is
    /// loaded anew all the same, unless the runtime ends before; a runtime that ends waits for it.
    ///
    /// # Errors
    ///
    /// As there; `Cancelled` where there is no runtime of tokio.
    #[track_caller]
    pub fn reload_awaited(&self, reload: &Reload) -> impl Future<Output = Result<Reloaded>> + Send + use<> {
        let context = self.context("", Some(Location::caller()));
        // The thread that does it has no call under way: this one may have, and so may the one that waits.
        let (may, session, reload) = (self.may_reload(context), self.apart().0, reload.clone());
        async move {
            may.and_then(|()| session.may_reload(context))?;
            on_a_thread(context, move || session.load_anew(&reload, context)).await
        }
    }
}

//! Loading the library anew for a task.

use std::panic::Location;

use super::{Reload, Reloaded, Session};
use crate::error::Result;
use crate::session::awaited::on_a_thread;

impl Session {
    /// As [`Session::reload`], for a task: it waits without a thread of its own, in a runtime of tokio. Where the future is dropped, the
    /// library is loaded anew all the same.
    ///
    /// # Errors
    ///
    /// As there; `Cancelled` where there is no runtime of tokio.
    #[track_caller]
    pub fn reload_awaited(&self, reload: &Reload) -> impl Future<Output = Result<Reloaded>> + Send + use<> {
        let context = self.context("", Some(Location::caller()));
        // The thread that does it has no call under way.
        let (may, session, reload) = (self.may_reload(context), self.apart().0, reload.clone());
        async move {
            may?;
            on_a_thread(context, move || session.load_anew(&reload, context)).await
        }
    }
}

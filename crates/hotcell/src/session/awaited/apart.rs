//! What blocks, done for a task on a thread for blocking work of its runtime.

use std::panic::resume_unwind;

use hotcell_protocol::{ErrorKind, Executed};
use tokio::runtime::Handle;

use super::Context;
use crate::error::{Cause, Error, Result};

/// Does it there, and waits for it without a thread. It goes on where nobody waits any more. A panic comes out here.
pub(in crate::session) async fn on_a_thread<T: Send + 'static>(
    context: Context,
    run: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let runtime = Handle::try_current().map_err(|_| context.no_runtime())?;
    match runtime.spawn_blocking(run).await {
        Ok(done) => done,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Err(context.no_runtime()),
        },
    }
}

impl Context {
    /// The error of what is awaited where nothing can wake the task.
    pub(in crate::session) fn no_runtime(&self) -> Error {
        let message = "this is awaited in a runtime of tokio, and here is none".into();
        let fault = crate::fault::Fault { kind: ErrorKind::Cancelled, cause: Cause::None, message };
        self.error(fault, Executed::No, String::new())
    }
}

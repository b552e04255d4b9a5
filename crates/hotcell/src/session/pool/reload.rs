//! Loading the library of a pool anew: for all of its sessions, or for none.

use std::panic::Location;
use std::path::PathBuf;
#[cfg(feature = "tokio")]
use std::sync::Arc;

use super::{Inner, Library, Pool, context_of};
use crate::error::Result;
use crate::options::Options;
use crate::session::Context;
#[cfg(feature = "tokio")]
use crate::session::awaited::on_a_thread;
use crate::session::reload::{Prepared, Reload, Reloaded, Switched, drain, prepare};

impl<L: Library> Pool<L> {
    /// Loads the library anew in all sessions of the pool, those that are leased too, and in those that are opened later: see
    /// [`Session::reload`](crate::Session::reload). Only when every session has a worker that is well they serve, so until then there
    /// are twice as many. Who needs a session that is not open yet waits for that. What a pool without open sessions would load is
    /// tried in one that is closed again.
    ///
    /// # Errors
    ///
    /// Those of [`Session::reload`](crate::Session::reload), of the first session that has one. Then nothing has changed.
    #[track_caller]
    pub fn reload(&self, reload: &Reload) -> Result<Vec<Reloaded>> {
        let context = context_of::<L>(Location::caller());
        let mut switched = self.0.switch(reload, context)?;
        drain(&mut switched, reload.drain);
        Ok(switched.iter().map(Switched::reloaded).collect())
    }

    /// As [`Pool::reload`], for a task: it waits without a thread of its own, in a runtime of tokio. Where the future is dropped, the library
    /// is loaded anew all the same.
    ///
    /// # Errors
    ///
    /// As there; `Cancelled` where there is no runtime of tokio.
    #[cfg(feature = "tokio")]
    #[track_caller]
    pub fn reload_awaited(
        &self,
        reload: &Reload,
    ) -> impl Future<Output = Result<Vec<Reloaded>>> + Send + use<L> {
        let context = context_of::<L>(Location::caller());
        let (pool, reload) = (Arc::clone(&self.0), reload.clone());
        // Where this thread has a call of one of them under way, that would wait for itself.
        let may = pool.sessions().iter().try_for_each(|(_, session)| session.may_reload(context));
        let run = move || {
            let mut switched = pool.switch(&reload, context)?;
            drain(&mut switched, reload.drain);
            Ok(switched.iter().map(Switched::reloaded).collect())
        };
        async move {
            may?;
            on_a_thread(context, run).await
        }
    }
}

impl<L: Library> Inner<L> {
    /// Has workers of all sessions serve that were started with the files that there are now.
    pub(super) fn switch(&self, reload: &Reload, context: Context) -> Result<Vec<Switched>> {
        self.may_lease(context)?;
        let mut libraries = self.libraries.write();
        let files = reload.libraries.clone().or_else(|| libraries.clone());
        let sessions: Vec<_> = self.sessions().into_iter().map(|(_, session)| session).collect();
        if sessions.is_empty() {
            drop(L::open_with(self.options_with(&files))?);
        }
        let prepared = prepare(&sessions, reload, context)?;
        *libraries = files;
        Ok(prepared.into_iter().map(Prepared::switch).collect())
    }

    /// The options of a session that loads these files, or else what the options name.
    pub(super) fn options_with(&self, libraries: &Option<Vec<PathBuf>>) -> Options {
        let options = self.options.options.clone();
        match libraries {
            Some(libraries) => Options { libraries: libraries.clone(), ..options },
            None => options,
        }
    }
}

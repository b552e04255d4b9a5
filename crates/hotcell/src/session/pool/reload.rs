//! Loading the library of a pool anew: for all of its sessions, or for none.

use std::panic::Location;
use std::path::PathBuf;

use super::{Inner, Library, Pool, context_of};
use crate::error::Result;
use crate::options::Options;
use crate::session::reload::{Prepared, Reload, Reloaded, Switched, drain};

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
        let (pool, context) = (&*self.0, context_of::<L>(Location::caller()));
        pool.may_lease(context)?;
        let mut libraries = pool.libraries.write();
        let files = reload.libraries.clone().or_else(|| libraries.clone());
        let sessions = pool.sessions();
        if sessions.is_empty() {
            drop(L::open_with(pool.options_with(&files))?);
        }
        let prepare = sessions.iter().map(|(_, session)| session.prepare(reload, context));
        let prepared: Vec<Prepared> = prepare.collect::<Result<_>>()?;
        let mut switched: Vec<Switched> = prepared.into_iter().map(Prepared::switch).collect();
        *libraries = files;
        drop(libraries);
        drain(&mut switched, reload.drain);
        Ok(switched.iter().map(Switched::reloaded).collect())
    }
}

impl<L: Library> Inner<L> {
    /// The options of a session that loads these files, or else what the options name.
    pub(super) fn options_with(&self, libraries: &Option<Vec<PathBuf>>) -> Options {
        let options = self.options.options.clone();
        match libraries {
            Some(libraries) => Options { libraries: libraries.clone(), ..options },
            None => options,
        }
    }
}

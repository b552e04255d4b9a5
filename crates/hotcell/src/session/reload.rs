//! Loading the library anew, from another file or from what lies in the place of the old one, while calls go on.
//!
//! It is replacing a worker by one that was started with other files. That one comes up and shows that it is well while the old
//! one serves: what fails until then changes nothing. Who brings workers into service has a lock; under it the new worker takes the
//! old one's place, and what workers are started with from then on is what it was started with. A call has the worker that it
//! began with: so the old one stays for as long as calls are under way on it, or until its time is over.

use std::collections::VecDeque;
use std::num::NonZero;
use std::panic::Location;
use std::path::PathBuf;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use hotcell_protocol::{ErrorKind, Executed};
use hotcell_supervisor::{Libraries, Spec, StartError, Worker};

use super::allowed::YEAR;
use super::ends::Because;
use super::files;
use super::service::Serving;
use super::{Context, Place, Session, Shared};
use crate::error::{Cause, Error, Result};
use crate::fault;
use crate::rt::KeptCallback;

#[cfg(feature = "tokio")]
mod awaited;

/// What to load, and what becomes of calls that are under way.
///
/// ```no_run
/// # fn main() -> hotcell::Result<()> {
/// # let zlib = zlib_hotcell::Zlib::open()?;
/// let reload = hotcell::Reload { libraries: Some(vec!["/opt/new/libz.so.1".into()]), ..Default::default() };
/// let reloaded = zlib.session().reload(&reload)?;
/// println!("worker {} serves", reloaded.generation);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reload {
    /// The library files, in order. `None`: those that the session has, as they lie in their places now.
    pub libraries: Option<Vec<PathBuf>>,
    /// How long calls that are under way on the old worker may take. Those that take longer are
    /// [`WorkerLost`](ErrorKind::WorkerLost) then. 30 s.
    pub drain: Duration,
}

impl Default for Reload {
    fn default() -> Self {
        Reload { libraries: None, drain: Duration::from_secs(30) }
    }
}

/// That another worker serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reloaded {
    /// Which: it has loaded the new files.
    pub generation: u64,
    /// The one that it has replaced, if one served.
    pub before: Option<u64>,
    /// Whether all calls that were under way on that one came to their end.
    pub drained: bool,
}

/// A worker that is coming up, of which no caller knows. Dropped, it stops.
pub(super) struct Coming {
    session: Session,
    spec: Spec,
    worker: Worker,
    context: Context,
}

/// A worker that is up and well, of which no caller knows. Dropped, it stops.
pub(super) struct Prepared {
    session: Session,
    spec: Spec,
    worker: Worker,
}

/// A worker that serves, and the one that it has replaced until that has ended.
pub(crate) struct Switched {
    session: Session,
    reloaded: Reloaded,
    before: Option<Arc<Serving>>,
    /// What libraries of other workers had kept. It is the application's, and is dropped where there is no lock.
    kept: Vec<Box<KeptCallback>>,
}

/// How long who waits for calls of the old worker pauses between looks, at first and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// What errors say of a library that was not loaded.
const STAYS: &str = "; the library was not loaded anew, and what served before goes on";

impl Session {
    /// Loads the library anew: a worker is started with the files that there are now, and checked as the first one of the
    /// session was, health checks of the contract included. Then it serves: calls that begin from then on are made there. Calls
    /// under way end on the old worker, which is stopped behind them, and waited for. No call fails for it, unless it takes longer
    /// than [`Reload::drain`]. The objects of the old worker are [`StaleHandle`](ErrorKind::StaleHandle) from then on.
    ///
    /// What fails before another worker serves changes nothing. The circuit [breaker](Session::breaker) is closed when one does.
    ///
    /// # Errors
    ///
    /// Those of [`Session::open`]. `InvalidArgument` in a callback of the session, which waits for itself.
    #[track_caller]
    pub fn reload(&self, reload: &Reload) -> Result<Reloaded> {
        self.load_anew(reload, self.context("", Some(Location::caller())))
    }

    fn load_anew(&self, reload: &Reload, context: Context) -> Result<Reloaded> {
        let mut switched = self.switch(reload, context)?;
        drain(slice::from_mut(&mut switched), reload.drain);
        Ok(switched.reloaded())
    }

    /// Has a worker serve that was started with the files that there are now.
    pub(super) fn switch(&self, reload: &Reload, context: Context) -> Result<Switched> {
        let libraries = self.open_anew(reload, context)?;
        Ok(self.begin_anew(&libraries, context)?.up()?.switch())
    }

    /// Opens the files that there are now.
    fn open_anew(&self, reload: &Reload, context: Context) -> Result<Arc<Libraries>> {
        self.may_reload(context)?;
        let now = self.shared.spec();
        let paths = reload.libraries.clone().unwrap_or_else(|| now.libraries.paths());
        files::open(&paths, now.required, now.shim, context, STAYS).map(Arc::new)
    }

    /// Begins to start a worker with these files.
    fn begin_anew(&self, libraries: &Arc<Libraries>, context: Context) -> Result<Coming> {
        self.may_reload(context)?;
        let libraries = Arc::clone(libraries);
        let spec = Spec { libraries, health: true, ..Spec::clone(&self.shared.spec()) };
        let begun = self.shared.facts.begun.another(&spec);
        let worker = begun.map_err(|(generation, error)| not_started(context, generation, &error))?;
        Ok(Coming { session: self.apart().0, spec, worker, context })
    }

    /// Refuses what would wait for itself, or for another process.
    pub(super) fn may_reload(&self, context: Context) -> Result<()> {
        if self.is_forked() {
            return Err(context.forked(Executed::No));
        }
        if self.shared.places.iter().any(Place::is_held_here) || self.kept().run_here() {
            let message =
                "a call of the session is under way on this thread: load the library anew behind it";
            return Err(context.not_executed(ErrorKind::InvalidArgument, Cause::None, message.to_owned()));
        }
        Ok(())
    }
}

/// The error of a worker that did not come up, or is not well.
fn not_started(context: Context, generation: u64, error: &StartError) -> Error {
    let (fault, output) = fault::of_start(error);
    Context { generation, ..context }.error(fault, Executed::No, output).with_more(STAYS)
}

/// Starts a worker for each of these sessions of one package and the same options, all with the same files. As many come up at a time
/// as there are CPUs: more would only take each other's time to start.
pub(super) fn prepare(sessions: &[Session], reload: &Reload, context: Context) -> Result<Vec<Prepared>> {
    let Some(first) = sessions.first() else { return Ok(Vec::new()) };
    let libraries = first.open_anew(reload, context)?;
    let at_a_time = thread::available_parallelism().map_or(1, NonZero::get);
    let (mut coming, mut prepared) = (VecDeque::new(), Vec::with_capacity(sessions.len()));
    for session in sessions {
        if coming.len() == at_a_time {
            prepared.extend(coming.pop_front().map(Coming::up).transpose()?);
        }
        coming.push_back(session.begin_anew(&libraries, context)?);
    }
    for coming in coming {
        prepared.push(coming.up()?);
    }
    Ok(prepared)
}

impl Coming {
    /// Waits until it is up and well.
    fn up(self) -> Result<Prepared> {
        let Coming { session, spec, worker, context } = self;
        loop {
            // False only before its time to start is over.
            match worker.ready(&spec, Instant::now() + YEAR) {
                Ok(false) => {}
                Ok(true) => return Ok(Prepared { session, spec, worker }),
                Err(error) => return Err(not_started(context, worker.generation(), &error)),
            }
        }
    }
}

impl Prepared {
    /// Has it serve.
    pub(super) fn switch(self) -> Switched {
        let Prepared { session, spec, worker } = self;
        let shared = &*session.shared;
        let serving = Arc::new(Serving::new(worker, &shared.ends));
        let mut next = shared.service.next.lock();
        // Of the old library, all of them.
        let gone = (next.starting.take(), std::mem::take(&mut next.spares));
        *shared.spec.lock() = Arc::new(Spec { health: false, ..spec });
        shared.releases.drop_refused();
        shared.facts.enter(&serving);
        shared.facts.reloads.fetch_add(1, Ordering::Relaxed);
        let before = shared.service.now.lock().replace(Arc::clone(&serving));
        if let Some(before) = &before {
            shared.service.leaves(before);
            before.ends_because(Because::reloaded());
            before.channel().give_up();
        }
        shared.restarts.reset();
        next.spares.fill(&shared.spec(), shared.options.spares as usize, &shared.facts.begun);
        // What those had that went before nobody has taken out yet.
        let mut have = shared.service.leaving();
        have.push(serving.generation());
        let kept = shared.kept.end_all_but(&have);
        drop(next);
        drop(gone);
        session.clear_seats();
        let served = before.as_ref().filter(|before| !before.channel().is_dead());
        let number = served.map(|before| before.generation());
        let reloaded = Reloaded { generation: serving.generation(), before: number, drained: true };
        Switched { session, reloaded, before, kept }
    }
}

/// Waits until no call is under way on the workers before, or ends those that are when their time is over; and until they are gone.
/// Each goes as soon as it can, whatever keeps the others.
pub(crate) fn drain(switched: &mut [Switched], time: Duration) {
    let until = Instant::now() + time.min(YEAR);
    let mut pause = LOOKS.0;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        switched.iter_mut().for_each(|switched| switched.end_before(left.is_zero()));
        if switched.iter().all(|switched| switched.before.is_none()) {
            return;
        }
        thread::sleep(pause.min(left));
        pause = (pause * 2).min(LOOKS.1);
    }
}

impl Switched {
    /// What came of it, once the worker before has ended.
    pub(crate) fn reloaded(&self) -> Reloaded {
        self.reloaded
    }

    /// Ends the worker before if no call is under way on it any more, or `at_any_rate`.
    fn end_before(&mut self, at_any_rate: bool) {
        // Who has a seat lets go when he gives it back, or by the next call; of those that nobody has, somebody must.
        self.session.clear_seats();
        let is_free = |before: &Arc<Serving>| Arc::strong_count(before) == 1 || before.channel().is_dead();
        let Some(before) = self.before.take_if(|before| at_any_rate || is_free(before)) else { return };
        if !is_free(&before) {
            self.reloaded.drained = false;
            before.is_drained();
            _ = before.kill();
        }
        self.kept.clear();
        // They are the application's, and may do anything: there is no lock here.
        drop(self.session.shared.kept.end_worker(before.generation()));
        // Who has a part of it yet hears of its end, and lets go.
        Arc::into_inner(before).into_iter().for_each(Serving::stop);
    }
}

impl Shared {
    /// What workers are started with.
    pub(super) fn spec(&self) -> Arc<Spec> {
        Arc::clone(&self.spec.lock())
    }

    /// A worker of these files has shown that it is well: others need not.
    pub(super) fn found_healthy(&self) {
        let mut spec = self.spec.lock();
        *spec = Arc::new(Spec { health: false, ..Spec::clone(&spec) });
    }
}

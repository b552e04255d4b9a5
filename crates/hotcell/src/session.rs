//! A session: one library, one worker at a time, replaced when it dies.

use std::collections::BTreeMap;
use std::panic::Location;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use hotcell_protocol::{ErrorKind, UnavailableReason, wire};
use hotcell_sandbox::{Level, Require};
use hotcell_shm::lock::Mutex;
use hotcell_shm::{Arena, Buffers, ForkGuard, HeapSegment, HostChannel, HostLane};
use hotcell_supervisor::{Hears, LoadedFile, Spec, Worker, find_worker};

use crate::denied::Refused;
use crate::error::{Cause, Result};
use crate::fault::Fault;
use crate::memory::Heap;
use crate::options::Options;
use crate::quarantine::Quarantine;
use crate::recycle::Recycle;
use crate::restart::Restarts;
use crate::retries::Retries;
use crate::rt::{Batch, Call, Function, HandleType, Package, Passed, Spare, State, ThreadRules};
use crate::state;

mod allowed;
#[cfg(feature = "tokio")]
mod awaited;
mod buffer;
mod cancel;
mod context;
mod dispatcher;
mod ends;
mod families;
mod files;
mod hints;
mod kept;
mod looks;
mod notices;
mod objects;
mod pool;
mod releases;
pub(crate) mod reload;
mod restore;
mod retry;
pub(crate) mod rounds;
mod ruled;
pub(crate) mod served;
mod service;
mod spares;
mod stats;
mod tally;
mod turn;
mod turnstile;
mod wake;
mod walled;
pub(crate) mod watched;
mod wear;

pub(crate) use allowed::{Allowed, instant_of, left_until};
use allowed::{YEAR, nanoseconds};
#[cfg(feature = "tokio")]
pub(crate) use awaited::{Berth, Offers};
pub use cancel::Cancel;
pub(crate) use context::Context;
use dispatcher::Dispatcher;
use ends::Ends;
pub use ends::{WhyEnded, WorkerEnd};
pub(crate) use families::Family;
use families::{Families, Held};
use hints::Hints;
pub(crate) use hints::Refusals;
pub(crate) use kept::{Asks, Entry, Found, Kept, Ready};
use looks::Until;
pub(crate) use notices::{Notices, QUARANTINE};
use objects::Objects;
pub use pool::{Lease, Library, Pool, PoolOptions, PoolStats, Pools};
use releases::Releases;
pub use reload::{Reload, Reloaded};
use retry::Again;
pub(crate) use ruled::Claim;
use ruled::Ruled;
use served::Served;
use service::Service;
pub(crate) use service::{Blame, Serving};
use spares::Begun;
pub use stats::{FunctionStats, State as SessionState, Stats};
use tally::Tally;
use turn::{Blank, Place};
pub(crate) use turn::{Inside, Turn, this_thread};
use turnstile::Turnstile;
use walled::PrivateDirectory;

/// A library in a worker process. Clones share the worker. Calls of several threads take turns, or where the contract says
/// `threads = "reentrant"` or `"per-handle"`, run at a time, [as many](Options::callers) as the options say.
#[derive(Debug, Clone)]
pub struct Session {
    shared: Arc<Shared>,
    deadline: Option<Duration>,
    cancel: Option<Cancel>,
}

#[derive(Debug)]
struct Shared {
    /// Which session of this process it is, from 1.
    number: u64,
    package: &'static Package,
    /// What workers are started with. Changed by who brings a worker up that is to serve.
    spec: Mutex<Arc<Spec>>,
    options: Options,
    /// When its worker is worn.
    recycle: Recycle,
    known: wear::Known,
    /// When calls are made again.
    retries: Retries,
    again: Again,
    /// Nanoseconds a caller polls for.
    spin: u64,
    /// Nanoseconds a call has where nothing says otherwise.
    time: u64,
    fork: Arc<ForkGuard>,
    /// What callers fill in place.
    buffers: Buffers,
    facts: Arc<Facts>,
    /// What is counted of each seat's calls.
    tallies: Box<[Arc<Tally>]>,
    /// Who has a turn has a seat.
    seats: Turnstile<Seat>,
    /// What is known of each seat, whoever has it.
    places: Box<[Place]>,
    service: Service,
    restarts: Restarts,
    ends: Arc<Ends>,
    releases: Releases,
    objects: Objects,
    /// Which calls may be made at a time, where several are.
    ruled: Option<Ruled>,
    kept: Arc<Kept>,
    dispatcher: Dispatcher,
    /// What calls look at before they begin.
    notices: Arc<Notices>,
    /// The memory of batches.
    spare: Arc<Spare>,
    /// Of one whose callers are in another process.
    served: Option<Served>,
    /// The private directory of its workers.
    directory: Option<PrivateDirectory>,
    /// The seats of tasks that nobody looks after, each where its number says.
    #[cfg(feature = "tokio")]
    afloat: Box<[awaited::Afloat]>,
}

/// What can be asked while a call is under way.
#[derive(Debug, Default)]
struct Facts {
    generation: AtomicU64,
    begun: Begun,
    /// Process id of the worker; 0 while there is none.
    pid: AtomicU32,
    level: AtomicU32,
    /// The memory in which the worker that serves notes what was refused.
    channel: Mutex<Option<Arc<HostChannel>>>,
    /// What its library has of memory.
    heap: Mutex<Option<Arc<HeapSegment>>>,
    /// How many workers have served.
    served: AtomicU64,
    /// How often the library was loaded anew.
    reloads: AtomicU64,
    /// Calls of those that serve no longer.
    calls: AtomicU64,
    /// Faults that calls met, by function, which has no name where it was a batch.
    faults: Mutex<BTreeMap<(&'static str, ErrorKind), u64>>,
}

/// Where one caller at a time sits.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Which one it is, from 0; so are the lanes that it has.
    number: u32,
    pub(crate) live: Option<Live>,
    /// A worker has taken over, and no call has ended since.
    lacks_spares: bool,
    facts: Arc<Facts>,
    /// What is counted of its calls.
    pub(crate) tally: Arc<Tally>,
    pub(crate) generation: u64,
    ids: std::ops::Range<u64>,
    /// How the worker ended, when it did so in a call nested in others, and what it had printed.
    pub(crate) ended: Option<(Fault, String)>,
    /// What went into the call in progress.
    pub(crate) passed: Passed,
    /// The families that the call in progress has, and the calls that it is nested in.
    held: Vec<Held>,
    /// Whether behind this turn there may be something to be released: not behind one that sends it.
    looks_behind: bool,
    /// What is known of the call in progress. Not there while its callback runs.
    pub(crate) state: Option<Box<State>>,
    /// The memory of a nested call that has ended.
    spare: Option<Box<State>>,
    /// The memory of a callback that has returned.
    blank: Option<Blank>,
}

/// A worker, with the lane and the memory of one seat.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) lane: HostLane,
    pub(crate) arena: Arena,
    pub(crate) worker: Arc<Serving>,
    /// Whether it may call back.
    pub(crate) calls_back: bool,
    /// Whether it takes batches.
    pub(crate) takes_batches: bool,
    /// What was refused, and came with errors.
    hints: Hints,
    /// What it was offered by calls of tasks.
    #[cfg(feature = "tokio")]
    pub(crate) offers: awaited::Offers,
    /// How tasks hear of its messages.
    #[cfg(feature = "tokio")]
    ear: awaited::Ear,
}

impl Live {
    /// Where the results of a call lie.
    #[inline]
    pub(crate) fn memory(&self) -> (&HostLane, &Arena) {
        (&self.lane, &self.arena)
    }
}

/// Why a seat has its state.
const STATE: &str = "it is there but while a callback runs, and then its call has no seat";

/// Why a thread that has calls in flight does not wait for another.
const IN_FLIGHT: &str = "this thread has calls in flight, and waits for no other thread meanwhile";

/// Version of the package runtime this crate speaks; see `rt`.
const RUNTIME: u32 = 1;

impl Session {
    /// Opens a session and brings its first worker up, so that what is wrong with the library is known now
    /// and not at the first call.
    pub fn open(package: &'static Package, options: Options) -> Result<Session> {
        Session::open_by(package, None, options)
    }

    /// As [`Session::open`], of a package whose contract has rules for threads.
    pub fn open_by(
        package: &'static Package,
        rules: Option<&'static ThreadRules>,
        options: Options,
    ) -> Result<Session> {
        Session::without_worker(package, rules, options, None)?.with_worker()
    }

    /// As [`Session::open_by`], unless `cancel` gives it up, which is asked some twenty times a second: then it is
    /// [`Cancelled`](crate::ErrorKind::Cancelled), and the worker that was coming up is ended. Calls of the session know nothing of
    /// `cancel`.
    pub fn open_cancelled_by(
        package: &'static Package,
        rules: Option<&'static ThreadRules>,
        options: Options,
        cancel: &Cancel,
    ) -> Result<Session> {
        let session = Session::without_worker(package, rules, options, None)?.cancelled_by(cancel);
        Ok(Session { cancel: None, ..session.with_worker()? })
    }

    /// The session, with its first worker up.
    fn with_worker(self) -> Result<Session> {
        let context = Context::of_package(self.shared.package);
        let seat = self.shared.seats.take().expect("nobody else knows the session yet");
        let mut turn = Turn::new(&self, seat, None);
        // The start has a deadline of its own.
        self.seat_worker(&mut turn, context, &mut Allowed::new(nanoseconds(YEAR)))?;
        // Before there are spares, which are begun behind the turn.
        self.shared.found_healthy();
        drop(turn);
        self.opened(context)
    }

    /// Has it looked at from now on: its first worker is up.
    fn opened(self, context: Context) -> Result<Session> {
        self.begin_rounds().map_err(|why| {
            let message = format!("there is no thread to look at workers: {why}");
            context.not_executed(ErrorKind::LoadFailed, Cause::None, message)
        })?;
        self.be_watched();
        Ok(self)
    }

    /// A session that has no worker yet, with its callers here or in another process.
    fn without_worker(
        package: &'static Package,
        rules: Option<&'static ThreadRules>,
        options: Options,
        served: Option<Served>,
    ) -> Result<Session> {
        let context = Context::of_package(package);
        if package.runtime != RUNTIME {
            let message = format!("the package needs runtime {}, this is {RUNTIME}", package.runtime);
            return Err(context.not_executed(ErrorKind::AbiMismatch, Cause::None, message));
        }
        if !options.directory.is_absolute() {
            let message = format!("the directory `{}` is no absolute path", options.directory.display());
            return Err(context.not_executed(ErrorKind::InvalidArgument, Cause::None, message));
        }
        if let Some(wrong) = walled::wrong_groups(&options.control_groups) {
            return Err(context.not_executed(ErrorKind::InvalidArgument, Cause::None, wrong));
        }
        let load_failed = |message| context.not_executed(ErrorKind::LoadFailed, Cause::None, message);
        let program = worker_program(&options).map_err(load_failed)?;
        let fork = ForkGuard::new().map_err(|errno| load_failed(format!("guard against forks: {errno}")))?;
        let fork = Arc::new(fork);
        let buffers = Buffers::new(&fork);
        let sandbox = options.sandbox.clone().unwrap_or_else(|| package.sandbox.sandbox());
        let mut environment = options.environment.clone();
        let said = Arc::new(sandbox.clone());
        let walled =
            walled::Walled::new(package.library, &program, sandbox, &mut environment).map_err(|wrong| {
                let error = context.not_executed(wrong.kind, Cause::None, wrong.message);
                if wrong.passes { error.passing() } else { error }
            })?;
        let required = Level::required(&walled.sandbox);
        let libraries = files::open(&options.libraries, required, package.shim, context, "")?;
        let ends = Arc::new(Ends::of(package));
        let spec = Spec {
            program,
            shim: package.shim,
            libraries: Arc::new(libraries),
            fingerprint: package.fingerprint,
            functions: package.functions.len() as u32,
            callers: callers(package.reentrant || rules.is_some(), &options),
            environment,
            directory: options.directory.clone(),
            limits: options.limits,
            temporary: walled.directory.as_ref().map(|directory| directory.path().to_owned()),
            guard: options.guard.unwrap_or(package.guard),
            objects: options.max_objects.min(wire::MAX_HANDLES),
            leaves: state::bits(options.leaves.as_deref().unwrap_or_default()),
            profile: walled.profile,
            sandbox: said,
            wall: walled.wall.clone(),
            trace: walled.trace.clone(),
            required,
            health: true,
            groups: options.control_groups.clone(),
            strict: walled.sandbox.require != Require::Offered,
            own_namespaces: walled.wall.is_some() && walled.sandbox.has_namespaces(),
            spin: options.waiting.spin(),
            eventfds: cfg!(feature = "tokio") || served.is_some(),
            client: served.as_ref().map(Served::client),
            start_deadline: options.start_deadline,
            hears: Some(Arc::clone(&ends) as Arc<dyn Hears>),
        };
        if let Some(too_many) = spec.too_many_descriptors() {
            return Err(context.not_executed(ErrorKind::InvalidArgument, Cause::None, too_many));
        }
        let spin = u64::try_from(spec.spin.as_nanos()).unwrap_or(u64::MAX);
        let facts = Arc::new(Facts::default());
        let seats = 0..spec.callers;
        let places = seats.clone().map(|_| Place::default()).collect();
        #[cfg(feature = "tokio")]
        let afloat = seats.clone().map(|_| awaited::Afloat::default()).collect();
        let tallies: Box<[_]> =
            seats.clone().map(|_| Arc::new(Tally::new(package.functions.len()))).collect();
        let of_seat = |number: u32| (Arc::clone(&facts), Arc::clone(&tallies[number as usize]));
        let seats = seats.map(|number| {
            let (facts, tally) = of_seat(number);
            Box::new(Seat::new(number, facts, tally, package))
        });
        let seats = Turnstile::new(seats).guarded(&fork);
        let time = nanoseconds(options.deadline);
        let restarts = Restarts::new(options.restart);
        let (releases, objects) = (Releases::default(), Objects::default());
        let ruled = rules.filter(|_| spec.callers > 1).map(|rules| {
            let families = Families::of(
                &fork,
                #[cfg(feature = "tokio")]
                seats.watch(),
            );
            Ruled::new(rules, families)
        });
        let kept = Arc::new(Kept::default());
        let recycle = options.recycle.clone().unwrap_or_default();
        let retries = options.retries.unwrap_or_default();
        let notices = Arc::new(Notices::default());
        options.quarantine.tells(&notices);
        let shared = Arc::new(Shared {
            number: watched::next_number(),
            package,
            spec: Mutex::new(Arc::new(spec)),
            options,
            recycle,
            known: wear::Known::default(),
            retries,
            again: Again::default(),
            spin,
            time,
            fork,
            buffers,
            facts,
            tallies,
            seats,
            places,
            service: Service::default(),
            restarts,
            ends,
            releases,
            objects,
            ruled,
            kept,
            dispatcher: Dispatcher::new(Arc::clone(&notices)),
            notices,
            spare: Arc::default(),
            served,
            directory: walled.directory,
            #[cfg(feature = "tokio")]
            afloat,
        });
        #[cfg(feature = "tokio")]
        shared.seats.watch().looks_after(&shared);
        Ok(Session::of(shared))
    }

    /// Starts a call of a function by its index in the package. The call waits for its turn, or is made at once when
    /// a callback of another call of this session runs on this thread.
    #[track_caller]
    pub fn call(&self, function: u16) -> Result<Call<'_>> {
        let (context, definition) = self.function_of(function, Location::caller())?;
        self.begin(context, Allowed::of_call(self.time_of(definition)), function, definition)
    }

    /// The function of an index, and what errors of a call say that is made there.
    #[inline]
    pub(crate) fn function_of(
        &self,
        function: u16,
        call_site: &'static Location<'static>,
    ) -> Result<(Context, &'static Function)> {
        let package = self.shared.package;
        let context = Context { call_site: Some(call_site), ..Context::of_package(package) };
        let Some(definition) = package.functions.get(usize::from(function)) else {
            let message = format!("the package has no function {function}");
            return Err(context.not_executed(ErrorKind::InvalidArgument, Cause::None, message));
        };
        Ok((Context { function: definition.name, ..context }, definition))
    }

    /// Begins a batch of calls: they are sent together, and each fails for itself.
    pub fn batch(&self) -> Batch {
        Batch::new(self.clone())
    }

    /// Where an input is in quarantine, sees to it that the call looks at its own before it is sent: one whose deadline is known
    /// by then does. Others never look, so that they are as fast as if there were no quarantine.
    #[inline]
    fn has_inputs_examined(&self, allowed: &mut Allowed) {
        if self.shared.notices.has(QUARANTINE) {
            allowed.deadline();
        }
    }

    /// Whether some input is in quarantine.
    #[inline]
    pub(crate) fn examines(&self) -> bool {
        self.shared.notices.has(QUARANTINE)
    }

    /// Whether one call at a time is under way at most, and those that are nested in it.
    pub(crate) fn has_one_seat(&self) -> bool {
        self.shared.seats.count() == 1
    }

    /// The inputs that ended workers, of this session and of others with the same list.
    pub fn quarantine(&self) -> &Quarantine {
        &self.shared.options.quarantine
    }

    /// Which worker serves now, from 1: another number after every fault, and after a [reload](Session::reload). No two workers of a
    /// session have the same.
    pub fn generation(&self) -> u64 {
        self.shared.facts.generation.load(Ordering::Relaxed)
    }

    /// Process id of the worker, for display; `None` after a fault, until the next call.
    pub fn worker_pid(&self) -> Option<u32> {
        Some(self.shared.facts.pid.load(Ordering::Relaxed)).filter(|&pid| pid != 0)
    }

    /// What the sandbox refused the worker that serves, counted from its start; `None` when that is nothing. Calls that it
    /// denied are errors instead ([`ErrorKind::SandboxDenied`]).
    pub fn refused(&self) -> Option<Refused> {
        if self.is_forked() {
            return None;
        }
        let channel = self.shared.facts.channel.lock();
        Refused::since(0, &channel.as_ref()?.refused()?)
    }

    /// The files that workers of this session have loaded, the libraries first; what the kernel lists of them. Waits until
    /// they are read. Without the libraries' needs where the kernel does not tell.
    pub fn loaded(&self) -> Vec<LoadedFile> {
        // There, nobody reads any more.
        if self.is_forked() { Vec::new() } else { self.shared.spec().libraries.loaded() }
    }

    /// What the library has of memory in the worker that serves, by function; `None` where none serves. It is counted while
    /// calls are under way, and asking costs neither them nor the worker anything.
    pub fn heap(&self) -> Option<Heap> {
        if self.is_forked() {
            return None;
        }
        let heap = Arc::clone(self.shared.facts.heap.lock().as_ref()?);
        Some(Heap::of(&heap, self.functions(), self.shared.spec().guard))
    }

    /// The restrictions the worker measured on itself.
    pub fn level(&self) -> Level {
        Level::from_bits(self.shared.facts.level.load(Ordering::Relaxed))
    }

    /// Whether this is a child of the process that opened it: then nothing of the worker may be touched.
    #[inline]
    pub(crate) fn is_forked(&self) -> bool {
        self.shared.fork.forked()
    }

    /// Nanoseconds to poll for.
    #[inline]
    pub(crate) fn spin(&self) -> u64 {
        self.shared.spin
    }

    pub(crate) fn options(&self) -> &Options {
        &self.shared.options
    }

    /// The callbacks that its library keeps.
    pub(crate) fn kept(&self) -> &Kept {
        &self.shared.kept
    }

    /// Whether both are the same session, with other deadlines perhaps: one that was cloned, or made of the other by
    /// [`Session::within`] or [`Session::cancelled_by`].
    pub fn is(&self, other: &Session) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Without a deadline of its own.
    fn of(shared: Arc<Shared>) -> Session {
        Session { shared, deadline: None, cancel: None }
    }

    /// A number that tells this session from others that live.
    pub(crate) fn number(&self) -> usize {
        Arc::as_ptr(&self.shared).addr()
    }

    /// This session without a deadline of its own, and that deadline.
    pub(crate) fn apart(&self) -> (Session, Option<Duration>) {
        (Session::of(Arc::clone(&self.shared)), self.deadline)
    }

    /// The handle type of this number.
    pub(crate) fn handle_type(&self, kind: u16) -> Option<&'static HandleType> {
        self.shared.package.handles.get(usize::from(kind).checked_sub(1)?)
    }

    /// Whether there are objects to be released at all.
    #[inline]
    pub(crate) fn has_handles(&self) -> bool {
        !self.shared.package.handles.is_empty()
    }

    /// The functions by index.
    #[inline]
    pub(crate) fn functions(&self) -> &'static [Function] {
        self.shared.package.functions
    }

    /// The memory of batches.
    pub(crate) fn spare(&self) -> &Arc<Spare> {
        &self.shared.spare
    }

    /// What errors say of a call that is not under way.
    pub(crate) fn context(
        &self,
        function: &'static str,
        call_site: Option<&'static Location<'static>>,
    ) -> Context {
        let of_package = Context::of_package(self.shared.package);
        Context { function, generation: self.generation(), call_site, ..of_package }
    }

    /// The time of a call from now on: what this session was given, or else this.
    pub(crate) fn allowed(&self, otherwise: Duration) -> Allowed {
        Allowed::new(nanoseconds(self.deadline.unwrap_or(otherwise)))
    }

    pub(crate) fn deadline_of(&self, function: &Function) -> Duration {
        match function.deadline_ms {
            0 => self.shared.options.deadline,
            milliseconds => Duration::from_millis(milliseconds),
        }
    }

    /// The nanoseconds of a call of this function.
    #[inline]
    pub(crate) fn time_of(&self, function: &Function) -> u64 {
        match (self.deadline, function.deadline_ms) {
            (Some(deadline), _) => nanoseconds(deadline),
            (None, 0) => self.shared.time,
            (None, milliseconds) => nanoseconds(Duration::from_millis(milliseconds)),
        }
    }

    /// Takes seats back from tasks that nobody has looked after for too long.
    fn reclaim(&self) {
        #[cfg(feature = "tokio")]
        let _ = self.reclaim_from_tasks();
    }

    fn wait_for_turn(&self, context: Context, allowed: &mut Allowed) -> Result<Turn<'_>> {
        let deadline = allowed.deadline();
        let cause = Cause::Unavailable { reason: UnavailableReason::PoolExhausted };
        let refused = |message| Err(context.not_executed(ErrorKind::Unavailable, cause, message));
        if let Some(turn) = self.turn_inside(context, *allowed) {
            return turn;
        }
        if self.shared.places.iter().all(Place::is_held_here) {
            return refused("this thread has a call of this session under way that is not finished".into());
        }
        if self.has_calls_in_flight() {
            return refused(IN_FLIGHT.into());
        }
        let until = Until::given_up(instant_of(deadline), self.cancel.as_ref());
        match self.shared.seats.wait(until, || self.reclaim()) {
            Some(seat) => Ok(Turn::new(self, seat, Some(*allowed))),
            None if self.is_cancelled() => Err(self.given_up(&context)),
            None => refused(format!("other calls held the worker for {:?}", allowed.time())),
        }
    }
}

impl Drop for Shared {
    /// In a forked child nothing of the worker may be touched: its maps were not handed down, and their
    /// addresses may be in use; its control socket is the parent's.
    fn drop(&mut self) {
        if self.fork.forked() {
            self.seats.take_mut().for_each(std::mem::forget);
            self.service.forget();
            std::mem::forget(self.directory.take());
            #[cfg(feature = "tokio")]
            self.afloat.iter_mut().for_each(awaited::Afloat::forget);
            return;
        }
        #[cfg(feature = "tokio")]
        self.seats.watch().end();
        // Not when the dispatcher thread has gone, which may run one for as long as it likes.
        drop(self.kept.end_all());
        if self.directory.is_some() {
            // Nothing can come into the directory that is not gone with it.
            self.seats.take_mut().for_each(drop);
            // Those of futures that were forgotten.
            #[cfg(feature = "tokio")]
            self.afloat.iter_mut().for_each(awaited::Afloat::let_go);
            self.service.stop();
        }
    }
}

impl Seat {
    fn new(number: u32, facts: Arc<Facts>, tally: Arc<Tally>, package: &'static Package) -> Seat {
        Seat {
            number,
            live: None,
            lacks_spares: false,
            facts,
            tally,
            generation: 0,
            ids: 0..0,
            ended: None,
            passed: Passed::default(),
            held: Vec::new(),
            looks_behind: false,
            state: Some(State::new(Context::of_package(package))),
            spare: None,
            blank: None,
        }
    }

    /// Which one it is.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// What is known of the call in progress.
    #[inline]
    pub(crate) fn state(&mut self) -> &mut State {
        self.state.as_mut().expect(STATE)
    }

    /// The same, to be looked at.
    #[inline]
    pub(crate) fn known(&self) -> &State {
        self.state.as_ref().expect(STATE)
    }

    /// The worker, and what is known of the call in progress.
    #[inline]
    pub(crate) fn parts(&mut self) -> (Option<&mut Live>, &mut State) {
        (self.live.as_mut(), self.state.as_mut().expect(STATE))
    }

    /// Whether a living worker is there for another call.
    #[inline]
    fn serves(&self) -> bool {
        self.live.as_ref().is_some_and(|live| live.worker.serves())
    }

    /// Gives the worker up: dead, to be killed, or worn. No seat gets it again.
    pub(crate) fn leave(&mut self) -> Option<Live> {
        let live = self.live.take()?;
        live.worker.channel().give_up();
        self.facts.left(&live.worker);
        Some(live)
    }

    /// Has the worker replaced after the call in progress: it can take no more segments.
    pub(crate) fn wear_out(&mut self) {
        if let Some(live) = &self.live {
            live.worker.channel().give_up();
        }
    }

    /// The next call id: from a block taken from a counter of the whole process, so that ids are unique for
    /// its life without contention on every call.
    #[inline]
    pub(crate) fn next_id(&mut self) -> u64 {
        const BLOCK: u64 = 1 << 16;
        static NEXT: AtomicU64 = AtomicU64::new(1);
        if self.ids.is_empty() {
            let start = NEXT.fetch_add(BLOCK, Ordering::Relaxed);
            self.ids = start..start + BLOCK;
        }
        let id = self.ids.start;
        self.ids.start += 1;
        id
    }
}

impl Facts {
    /// A worker serves from now on.
    fn enter(&self, worker: &Worker) {
        self.generation.store(worker.generation(), Ordering::Relaxed);
        self.pid.store(worker.pid(), Ordering::Relaxed);
        self.level.store(worker.level().bits(), Ordering::Relaxed);
        self.served.fetch_add(1, Ordering::Relaxed);
        let mut channel = self.channel.lock();
        let before = channel.replace(Arc::clone(worker.channel()));
        self.count_calls(before);
        drop(channel);
        *self.heap.lock() = Some(Arc::clone(worker.heap()));
    }

    /// Adds the calls of a worker that serves no longer. With the lock of the channel: calls are counted once.
    fn count_calls(&self, of: Option<Arc<HostChannel>>) {
        self.calls.fetch_add(of.map_or(0, |channel| channel.published()), Ordering::Relaxed);
    }

    /// This worker serves no longer.
    fn left(&self, worker: &Worker) {
        let _ = self.pid.compare_exchange(worker.pid(), 0, Ordering::Relaxed, Ordering::Relaxed);
        let mut channel = self.channel.lock();
        let gone = channel.take_if(|channel| Arc::ptr_eq(channel, worker.channel()));
        self.count_calls(gone);
        drop(channel);
        self.heap.lock().take_if(|heap| Arc::ptr_eq(heap, worker.heap()));
    }
}

/// How many calls at a time a session makes.
fn callers(several: bool, options: &Options) -> u32 {
    let cpus = || std::thread::available_parallelism().map_or(1, |cpus| cpus.get() as u32);
    let wanted = if options.callers == 0 { cpus() } else { options.callers };
    if several { wanted.clamp(1, Worker::MOST_CALLERS) } else { 1 }
}

fn worker_program(options: &Options) -> std::result::Result<PathBuf, String> {
    match &options.worker {
        Some(path) => std::path::absolute(path).map_err(|error| error.to_string()),
        None => find_worker(),
    }
}

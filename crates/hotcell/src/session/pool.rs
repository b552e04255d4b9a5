//! Pools: sessions of one library, with a worker each, which callers lease.
//!
//! A member is a place for a session. Who has a lease has the member, and with it the session for himself; it goes back when
//! the lease is dropped. Members go through the same [turnstile](super::turnstile) as the seats of a session: who finds one
//! takes it, who does not stands in line, first come, first served. A session is opened by who first finds its member without one.
//!
//! A member whose session still has objects that somebody holds is not given to others: it is [pinned](Inner::pinned) until the last
//! of them is dropped, or its worker has gone.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use hotcell_protocol::{ErrorKind, Executed, UnavailableReason};
use hotcell_shm::ForkGuard;
use hotcell_shm::lock::{Mutex, RwLock};

use super::allowed::YEAR;
use super::rounds::{self, Looked};
use super::turnstile::Turnstile;
use super::watched::{PoolWatched, be_watched};
use super::{Context, Session, Shared};
use crate::error::{Cause, Error, Result};
use crate::options::Options;
use crate::rt::Package;
use crate::watch::Watch;

#[cfg(feature = "tokio")]
mod awaited;
mod reload;
mod stats;
mod tenants;
mod watched;

pub use stats::PoolStats;
pub use tenants::Pools;

/// A library that can be opened: what generated packages are.
pub trait Library: Sized + Send + Sync + 'static {
    /// The package.
    fn package() -> &'static Package;

    /// Opens a session.
    ///
    /// # Errors
    ///
    /// Those of [`Session::open`].
    fn open_with(options: Options) -> Result<Self>;

    /// The session.
    fn session(&self) -> &Session;
}

/// How many workers a [`Pool`] has, and who waits for them.
///
/// ```
/// let options = hotcell::PoolOptions { max: 4, queue: 100, ..Default::default() };
/// ```
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Sessions that are opened with the pool, and kept when nobody needs them. 1.
    pub min: u32,
    /// Sessions that there may be, those too whose objects somebody still holds. 0: as many as there are CPUs for this process.
    pub max: u32,
    /// Callers that may stand in line for a lease. For one more the pool is exhausted at once. 1000.
    pub queue: u32,
    /// How long a caller stands in line, unless he [says so](Pool::get_within). 30 s.
    pub wait: Duration,
    /// How long a session may be idle before it is closed. 60 s.
    pub idle: Duration,
    /// The options of each session.
    pub options: Options,
}

impl Default for PoolOptions {
    fn default() -> Self {
        PoolOptions {
            min: 1,
            max: 0,
            queue: 1000,
            wait: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            options: Options::default(),
        }
    }
}

/// Sessions of a library, with a worker each, for callers that have one at a time to themselves. Clones are the same pool.
///
/// ```no_run
/// # fn main() -> hotcell::Result<()> {
/// let pool = zlib_hotcell::Zlib::pool(hotcell::PoolOptions { max: 4, ..Default::default() })?;
/// let zlib = pool.get()?;
/// println!("{:08x}", zlib.crc32(0, b"hello")?);
/// # Ok(())
/// # }
/// ```
///
/// A worker that crashes or hangs costs nobody but who has leased it. What one caller leaves in a library, such as settings that
/// are no object's, the next one finds there, unless the lease was [discarded](Lease::discard).
pub struct Pool<L: Library>(Arc<Inner<L>>);

struct Inner<L> {
    members: Turnstile<Member<L>>,
    /// The sessions of members that have one, whoever has the member.
    sessions: Mutex<Box<[Option<Weak<Shared>>]>>,
    /// Members whose objects somebody holds, though nobody leases them.
    pinned: Mutex<BTreeMap<usize, Box<Member<L>>>>,
    /// How many stand in line.
    standing: AtomicU32,
    /// How many leases there were, and how many were refused.
    leases: AtomicU64,
    refused: AtomicU64,
    options: PoolOptions,
    /// The files of sessions that are opened, where they were loaded anew from others. Who opens a session has it meanwhile, and
    /// so has who loads them anew.
    libraries: RwLock<Option<Vec<PathBuf>>>,
    fork: ForkGuard,
}

/// A place for a session.
struct Member<L> {
    number: usize,
    library: Option<L>,
    /// Since when nobody has it.
    idle: Instant,
}

/// A session of a pool, until this is dropped. It is used as the package itself.
///
/// A clone of the package that outlives the lease goes on using the session, beside who leases it then. Objects that do so keep
/// the session from everybody else.
pub struct Lease<L: Library> {
    pool: Arc<Inner<L>>,
    /// There until it is dropped; with a session as soon as anybody sees it.
    member: Option<Box<Member<L>>>,
}

impl<L: Library> Pool<L> {
    /// Makes a pool, and opens [as many sessions](PoolOptions::min) as it always has, but at least one, so that what is wrong with
    /// the library is known now.
    ///
    /// # Errors
    ///
    /// Those of [`Session::open`].
    pub fn open(options: PoolOptions) -> Result<Pool<L>> {
        let pool = Pool::new(options)?;
        let first = pool.0.members.count().min(pool.0.options.min.max(1) as usize);
        let leases = (0..first).map(|number| pool.0.lease_of(number));
        let _opened: Vec<Lease<L>> = leases.collect::<Result<_>>()?;
        Ok(pool)
    }

    /// Makes a pool whose sessions are opened when they are needed.
    fn new(options: PoolOptions) -> Result<Pool<L>> {
        let failed = |why: &dyn fmt::Display| {
            let message = format!("there is no thread to look at the pool: {why}");
            Context::of_package(L::package()).not_executed(ErrorKind::LoadFailed, Cause::None, message)
        };
        let cpus = || std::thread::available_parallelism().map_or(1, |cpus| cpus.get() as u32);
        let max = if options.max == 0 { cpus().max(options.min) } else { options.max.max(options.min) };
        let members = (0..max.max(1) as usize)
            .map(|number| Box::new(Member { number, library: None, idle: Instant::now() }));
        let members = Turnstile::new(members);
        let sessions = Mutex::new((0..members.count()).map(|_| None).collect());
        let inner = Arc::new(Inner {
            members,
            sessions,
            pinned: Mutex::default(),
            standing: AtomicU32::new(0),
            leases: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            fork: ForkGuard::new().map_err(|errno| failed(&errno))?,
            options,
            libraries: RwLock::default(),
        });
        let every = inner.every();
        let looked = OfPool(Arc::downgrade(&inner));
        rounds::look_at(Box::new(looked), every).map_err(|error| failed(&error))?;
        if Watch::of(inner.options.options.watch) != Watch::Off {
            let watched: Arc<dyn PoolWatched> = Arc::<Inner<L>>::clone(&inner);
            be_watched(Arc::downgrade(&watched));
        }
        Ok(Pool(inner))
    }

    /// Leases a session: one that is free, or a new one, or the next that comes back, for which callers stand in line.
    ///
    /// # Errors
    ///
    /// `Unavailable` with [`PoolExhausted`](UnavailableReason::PoolExhausted): at once where [too many](PoolOptions::queue) stand in
    /// line, or when none came back in time. Those of [`Session::open`], where one was to be opened.
    #[track_caller]
    pub fn get(&self) -> Result<Lease<L>> {
        self.get_within(self.0.options.wait)
    }

    /// As [`Pool::get`], waiting for no longer than that.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn get_within(&self, wait: Duration) -> Result<Lease<L>> {
        let context = context_of::<L>(Location::caller());
        self.0.may_lease(context)?;
        let member = match self.0.members.take() {
            Some(member) => Some(member),
            None => {
                let _standing = self.0.stand_in_line(context)?;
                let until = Instant::now() + wait.min(YEAR);
                self.0.members.wait(Some(until), || {})
            }
        };
        let member = member.ok_or_else(|| self.0.waited_in_vain(context, wait))?;
        let mut lease = self.0.lease(member);
        lease.open()?;
        Ok(lease)
    }
}

impl<L: Library> Lease<L> {
    /// Gives the session up: it is closed, and who leases its place next has a new worker, in which nothing of this one's use is
    /// left. Objects of it stay with its worker until they are dropped.
    pub fn discard(mut self) {
        if let Some(member) = &mut self.member {
            let gone = member.library.take();
            self.pool.sessions.lock()[member.number] = None;
            drop(gone);
        }
    }

    /// Sees to it that there is a session: another member's, where that has one and nobody needs it.
    fn open(&mut self) -> Result<()> {
        let pool = Arc::clone(&self.pool);
        if self.member().library.is_some() {
            return Ok(());
        }
        let open: Vec<usize> = {
            let sessions = pool.sessions.lock();
            (0..sessions.len()).filter(|&number| sessions[number].is_some()).collect()
        };
        for number in open {
            match pool.members.borrow(number) {
                Some(other) if other.library.is_some() => {
                    let own = self.member.replace(other);
                    own.into_iter().for_each(|own| pool.members.put(own.number, own));
                    return Ok(());
                }
                Some(other) => pool.members.put(number, other),
                None => {}
            }
        }
        self.open_here()
    }

    fn open_here(&mut self) -> Result<()> {
        let libraries = self.pool.libraries.read();
        let library = L::open_with(self.pool.options_with(&libraries))?;
        let number = self.member().number;
        self.pool.sessions.lock()[number] = Some(Arc::downgrade(&library.session().shared));
        if let Some(member) = &mut self.member {
            member.library = Some(library);
        }
        Ok(())
    }

    fn member(&self) -> &Member<L> {
        self.member.as_ref().expect("it is there until the lease is dropped")
    }
}

impl<L: Library> Deref for Lease<L> {
    type Target = L;

    fn deref(&self) -> &L {
        self.member().library.as_ref().expect("a lease that was given out has a session")
    }
}

impl<L: Library> Drop for Lease<L> {
    fn drop(&mut self) {
        let Some(mut member) = self.member.take() else { return };
        if self.pool.fork.forked() {
            // Its worker is the parent's, and a lock may be held for ever.
            return std::mem::forget(member);
        }
        member.idle = Instant::now();
        let number = member.number;
        let session = member.library.as_ref().map(|library| library.session().apart().0);
        let Some(session) = session.filter(Session::has_objects) else {
            return self.pool.members.put(number, member);
        };
        self.pool.pinned.lock().insert(number, member);
        let pool = Arc::downgrade(&self.pool);
        let then = session.when_free(Box::new(move || {
            pool.upgrade().into_iter().for_each(|pool| pool.unpin(number));
        }));
        then.into_iter().for_each(|then| then());
    }
}

impl<L: Library> Inner<L> {
    fn lease(self: &Arc<Self>, member: Box<Member<L>>) -> Lease<L> {
        self.leases.fetch_add(1, Ordering::Relaxed);
        Lease { pool: Arc::clone(self), member: Some(member) }
    }

    /// A lease of this member, with a session, while nobody else knows the pool.
    fn lease_of(self: &Arc<Self>, number: usize) -> Result<Lease<L>> {
        let member = self.members.borrow(number).expect("nobody else knows the pool yet");
        let mut lease = Lease { pool: Arc::clone(self), member: Some(member) };
        lease.open_here()?;
        Ok(lease)
    }

    fn may_lease(&self, context: Context) -> Result<()> {
        if self.fork.forked() { Err(context.forked(Executed::No)) } else { Ok(()) }
    }

    /// A place in the line, unless too many stand there.
    fn stand_in_line(&self, context: Context) -> Result<Standing<'_>> {
        let most = self.options.queue;
        let stands = Standing(&self.standing);
        if self.standing.fetch_add(1, Ordering::Relaxed) >= most {
            return Err(self.exhausted(context, format!("{most} callers stand in line already")));
        }
        Ok(stands)
    }

    fn waited_in_vain(&self, context: Context, wait: Duration) -> Error {
        self.exhausted(context, format!("no session came back within {wait:?}"))
    }

    #[cold]
    fn exhausted(&self, context: Context, message: String) -> Error {
        self.refused.fetch_add(1, Ordering::Relaxed);
        let cause = Cause::Unavailable { reason: UnavailableReason::PoolExhausted };
        context.not_executed(ErrorKind::Unavailable, cause, message)
    }

    /// Nobody holds an object of this member any more.
    fn unpin(&self, number: usize) {
        let member = self.pinned.lock().remove(&number);
        if let Some(mut member) = member {
            member.idle = Instant::now();
            self.members.put(number, member);
        }
    }

    /// How often idle sessions are looked for.
    fn every(&self) -> Duration {
        (self.options.idle / 4).clamp(Duration::from_millis(10), Duration::from_secs(10))
    }

    /// The sessions that there are, by the numbers of their members.
    fn sessions(&self) -> Vec<(usize, Session)> {
        let sessions = self.sessions.lock();
        let known = sessions.iter().enumerate().filter_map(|(number, session)| {
            let shared = session.as_ref()?.upgrade()?;
            Some((number, Session::of(shared)))
        });
        known.collect()
    }

    /// Closes sessions that nobody has needed for long.
    fn close_idle(&self) {
        let open = self.sessions();
        let mut closable = open.len().saturating_sub(self.options.min as usize);
        // The last ones first: the first are found first.
        for number in open.iter().map(|(number, _)| *number).rev() {
            if closable == 0 {
                return;
            }
            let Some(mut member) = self.members.borrow(number) else { continue };
            let is_idle = member.idle.elapsed() >= self.options.idle;
            let gone = if is_idle { member.library.take() } else { None };
            if gone.is_some() {
                self.sessions.lock()[number] = None;
                closable -= 1;
            }
            self.members.put(number, member);
            drop(gone);
        }
    }

    /// Gives those back whose objects went with their worker, though somebody holds them.
    fn unpin_lost(&self) {
        let pinned: Vec<usize> = self.pinned.lock().keys().copied().collect();
        if pinned.is_empty() {
            return;
        }
        let lost = self.sessions().into_iter().filter(|(number, _)| pinned.contains(number));
        for (_, session) in lost {
            session.free_of_living().into_iter().for_each(|then| then());
        }
    }
}

fn context_of<L: Library>(call_site: &'static Location<'static>) -> Context {
    Context { call_site: Some(call_site), ..Context::of_package(L::package()) }
}

/// A place in line, which counts.
struct Standing<'a>(&'a AtomicU32);

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A pool as it is looked at.
struct OfPool<L: Library>(Weak<Inner<L>>);

impl<L: Library> Looked for OfPool<L> {
    fn look(&mut self) -> Option<Duration> {
        let pool = self.0.upgrade()?;
        pool.close_idle();
        pool.unpin_lost();
        Some(pool.every())
    }
}

impl<L> Drop for Inner<L> {
    /// In a forked child the sessions are the parent's.
    fn drop(&mut self) {
        if self.fork.forked() {
            self.members.take_mut().for_each(std::mem::forget);
            std::mem::take(self.pinned.get_mut()).into_values().for_each(std::mem::forget);
        }
    }
}

impl<L: Library> Clone for Pool<L> {
    fn clone(&self) -> Self {
        Pool(Arc::clone(&self.0))
    }
}

impl<L: Library> fmt::Debug for Pool<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("library", &L::package().library)
            .field("max", &self.0.members.count())
            .finish()
    }
}

impl<L: Library> fmt::Debug for Lease<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("library", &L::package().library)
            .field("member", &self.member().number)
            .finish()
    }
}

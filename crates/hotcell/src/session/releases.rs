//! Objects that nobody holds any more, until the library has released them.
//!
//! Dropping a handle must not wait for another call, so it leaves a note here. Notes are sent in the order in which they
//! were left, which is that of the drops: children before their parents. They are sent, for a moment at a time,
//!
//! - by who leaves one, if the worker is free;
//! - by who gives a turn back, behind it, and by a call, before it: only what cannot take longer than the call has time;
//! - for the rest, by a [thread] of the session, and for calls of tasks, which wait for it without one.
//!
//! One thread at a time sends them, however many seats there are: their order is to be kept. Where there are several seats, that is
//! always the session's thread: a release may wait in the library for what a call under way holds, and nobody who drops an
//! object shall wait for that. A call waits there for a while for what its own thread has left, and for a moment for the rest.
//!
//! No note is lost: who leaves one says so, and then tries to get a turn; who gives a turn back does so, and
//! then looks; and so does who has sent some. A release that is refused because something is there that belongs to the object, which only the worker knows,
//! is sent again when an object has gone. The two steps of each side are steps of one order that all threads agree on, so one
//! of the two sees the other.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::thread::Thread;
use std::time::{Duration, Instant};

use hotcell_protocol::RawHandle;
use hotcell_shm::clock;

use super::turnstile::Turnstile;
use super::wake::wake;
use super::{Allowed, Claim, Context, Seat, Session, Turn, instant_of, left_until, nanoseconds, this_thread};
use crate::atomics::{AtomicBool, Condvar, Mutex, MutexGuard};
use crate::error::Result;
use crate::rt::{Call, Function, KeptCallback, Release, Released};

#[cfg(feature = "tokio")]
mod awaited;
#[cfg(all(test, loom))]
mod model;
mod ruled;
mod thread;

pub(super) use ruled::Bound;

/// The longest a release may take: it delays whoever comes next.
const LONGEST: Duration = Duration::from_secs(5);

/// How long notes are sent at a time, in nanoseconds: then whoever waits for the turn gets it.
const MOMENT: u64 = 10_000_000;

/// How long a call waits for what its own thread has left, where a thread sends it, in nanoseconds: what belongs to an object
/// is to be gone before that is given away, but a release may wait in the library for another call.
const WHILE: u64 = 100_000_000;

/// The notes of one session.
#[derive(Debug, Default)]
pub(super) struct Releases {
    /// Whether there are any, for the price of a load.
    any: AtomicBool,
    /// Whether some were refused because a call or a callback used the object.
    in_use: AtomicBool,
    waiting: Mutex<Waiting>,
    /// Notified when the thread has sent some, and when somebody no longer sends any.
    sent: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    notes: VecDeque<Note>,
    /// Those that were refused, until an object has gone: it may be what kept them.
    refused: Vec<Note>,
    /// Who left the one that is being sent, and since when it is, in monotonic nanoseconds.
    current: Option<(u64, u64)>,
    /// How many were ever left.
    left: u64,
    /// Somebody sends some.
    sweeping: bool,
    /// A thread sends them, and looks for more before it ends.
    has_thread: bool,
    /// Which it is, once it has begun.
    thread: Option<Thread>,
    /// Tasks that wait until some are sent.
    tasks: Vec<Waker>,
}

/// An object to be released.
#[derive(Debug, Clone)]
struct Note {
    /// The worker that has it.
    generation: u64,
    handle: RawHandle,
    release: Release,
    /// The library has failed to release it once.
    failed: bool,
    /// The number of the thread that left it.
    thread: u64,
    /// What the call that releases it must have.
    claim: Option<Claim>,
}

impl Waiting {
    /// Whether there are any of this thread; or any at all, unless the one that is being sent takes long.
    fn holds_up(&self, thread: u64) -> bool {
        let own = |by: &u64| *by == thread;
        self.current.is_some_and(|(by, _)| own(&by))
            || self.notes.iter().any(|note| own(&note.thread))
            || match self.current {
                Some((_, since)) => clock::now().saturating_sub(since) < MOMENT,
                None => !self.notes.is_empty(),
            }
    }
}

/// Why no more notes are sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Swept {
    /// There are none.
    All,
    /// There was no more time.
    Rest,
    /// The first could not be sent: this process is short of what that takes.
    Stuck,
    /// Somebody else sends them.
    Busy,
    /// What there is, others use.
    Waits,
}

/// The right to send notes.
struct Sweeping<'a>(&'a Releases);

impl Drop for Sweeping<'_> {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting.lock();
        (waiting.sweeping, waiting.current) = (false, None);
        drop(waiting);
        self.0.sent.notify_all();
    }
}

impl Releases {
    /// Whether there is something to send.
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.any.load(Ordering::SeqCst)
    }

    fn leave(&self, note: Note) {
        let mut waiting = self.waiting.lock();
        waiting.notes.push_back(note);
        waiting.left += 1;
        self.any.store(true, Ordering::SeqCst);
    }

    /// The right to send notes, if nobody else has it.
    fn sweeping(&self) -> Option<Sweeping<'_>> {
        let mut waiting = self.waiting.lock();
        (!std::mem::replace(&mut waiting.sweeping, true)).then(|| Sweeping(self))
    }

    /// The first note. It stays the first for as long as one may send notes.
    fn first(&self) -> Option<Note> {
        self.waiting.lock().notes.front().cloned()
    }

    /// Takes the first note out: it is being sent, or needs not be.
    fn take(&self) {
        let mut waiting = self.waiting.lock();
        waiting.current = waiting.notes.pop_front().map(|note| (note.thread, clock::now()));
        if waiting.notes.is_empty() {
            self.any.store(false, Ordering::SeqCst);
        }
        self.sent.notify_all();
    }

    /// Has notes sent by `sweep`, with the value of the turnstile, which that puts back: as long as there are any, and the
    /// value is free. Else who has that looks when he has put it back.
    fn send_while_free<T>(&self, free: &Turnstile<T>, mut sweep: impl FnMut(Box<T>) -> Swept) -> Swept {
        while self.any() && !self.has_thread() {
            // There is one, and who sends some has it.
            let Some(value) = free.take() else { return Swept::Busy };
            let swept = sweep(value);
            if swept != Swept::All {
                return swept;
            }
        }
        Swept::All
    }

    /// Wakes who waits until some are sent, tasks too: those only behind a turn, for a waker is the application's, and may poll
    /// its task there and then.
    fn tell(&self, mut waiting: MutexGuard<'_, Waiting>) {
        let tasks = std::mem::take(&mut waiting.tasks);
        drop(waiting);
        self.sent.notify_all();
        tasks.into_iter().for_each(wake);
    }

    /// Puts a note back that could not be sent.
    fn put_back(&self, note: Note) {
        let mut waiting = self.waiting.lock();
        waiting.notes.push_front(note);
        self.any.store(true, Ordering::SeqCst);
    }

    /// Puts a note aside that was refused.
    fn put_aside(&self, note: Note) {
        self.waiting.lock().refused.push(note);
    }

    /// An object has gone: those that were refused may go now.
    fn retry(&self) {
        let mut waiting = self.waiting.lock();
        let Waiting { notes, refused, left, .. } = &mut *waiting;
        if refused.is_empty() {
            return;
        }
        *left += refused.len() as u64;
        notes.extend(refused.drain(..));
        self.any.store(true, Ordering::SeqCst);
    }

    /// A call has ended: what was refused because something used it may go now.
    #[inline]
    pub(super) fn retry_used(&self) {
        if self.in_use.load(Ordering::Relaxed) && self.in_use.swap(false, Ordering::Relaxed) {
            self.retry();
        }
    }

    /// Waits for what this thread has left, for as long as a call on another seat does, but no more than half of its time.
    pub(super) fn wait_for_left(&self, thread: u64, now: u64, deadline: u64) {
        let half = now + deadline.saturating_sub(now) / 2;
        self.wait_for_own(thread, half.min(now + WHILE));
    }

    /// Waits for the thread, which sends some, as long as they are this thread's, and for a moment for those of others.
    fn wait_for_own(&self, thread: u64, until: u64) {
        let mut waiting = self.waiting.lock();
        while waiting.has_thread && waiting.holds_up(thread) {
            let now = clock::now();
            if now >= until {
                return;
            }
            let next = instant_of(until.min(now + MOMENT));
            let _ = self.sent.wait_until(&mut waiting, next);
        }
    }

    /// The worker has gone that had refused some.
    pub(super) fn drop_refused(&self) {
        self.waiting.lock().refused.clear();
    }

    /// Whether there are any, be they refused or under way.
    pub(super) fn any_at_all(&self) -> bool {
        let waiting = self.waiting.lock();
        !waiting.notes.is_empty() || !waiting.refused.is_empty() || waiting.current.is_some()
    }

    /// How many were ever left.
    fn left(&self) -> u64 {
        self.waiting.lock().left
    }

    fn has_thread(&self) -> bool {
        self.waiting.lock().has_thread
    }

    /// Waits until the thread has taken the first `count` notes that were ever left.
    fn wait(&self, count: u64, until: Instant) {
        let mut waiting = self.waiting.lock();
        while waiting.has_thread && waiting.left - (waiting.notes.len() as u64) < count {
            if self.sent.wait_until(&mut waiting, until).timed_out() {
                return;
            }
        }
    }
}

impl Session {
    /// Has an object released that nobody holds any more: at once if the worker is free, else as soon as the turn is
    /// given back. Waits for no other call, and fails never; what goes with its worker needs no release.
    ///
    /// Where there are rules for threads, with its claim.
    pub(crate) fn release(
        &self,
        generation: u64,
        handle: RawHandle,
        release: Option<Release>,
        claim: Option<Claim>,
    ) {
        let shared = &*self.shared;
        let Some(release) = release else { return };
        if shared.fork.forked() || generation != self.generation() {
            return;
        }
        let thread = this_thread();
        shared.releases.leave(Note { generation, handle, release, failed: false, thread, claim });
        self.send_what_is_left(None);
    }

    /// Whether objects wait to be released.
    #[inline]
    pub(crate) fn has_left(&self) -> bool {
        self.shared.releases.any()
    }

    /// An object has gone. Comes with the callbacks that were kept as long as it was there.
    pub(crate) fn went(&self, generation: u64, object: RawHandle) -> Vec<Box<KeptCallback>> {
        self.shared.releases.retry();
        self.shared.kept.end(generation, object)
    }

    /// A call may have let go of objects that were kept: what was refused may go now.
    pub(crate) fn let_go(&self) {
        self.shared.releases.retry();
    }

    /// Sends what waits to be released, unless somebody else has the turn: then he will look behind it. `allowed` is
    /// the time of the call whose turn is over.
    pub(super) fn send_what_is_left(&self, mut allowed: Option<Allowed>) {
        let shared = &*self.shared;
        if shared.fork.forked() {
            return;
        }
        if shared.seats.count() > 1 {
            if shared.releases.any() {
                self.hand_over();
            }
            return;
        }
        let mut until = None;
        let deadline = allowed.as_mut().map(Allowed::deadline);
        let swept = shared.releases.send_while_free(&shared.seats, |seat| {
            let until = *until.get_or_insert_with(|| clock::now() + MOMENT);
            let (turn, swept) = self.sweep(Turn::new(self, seat, None), until, deadline);
            drop(turn);
            if shared.fork.forked() { Swept::Stuck } else { swept }
        });
        if swept == Swept::Rest {
            self.hand_over();
        }
    }

    /// Has what was left before a call released before it. What that call has no time for, or would be delayed by, the
    /// session's thread sends; the call waits for that, but no more than half of its time.
    pub(super) fn send_before<'s>(
        &'s self,
        turn: Turn<'s>,
        context: Context,
        allowed: &mut Allowed,
    ) -> Result<Turn<'s>> {
        let releases = &self.shared.releases;
        let (count, now) = (releases.left(), clock::now());
        let deadline = allowed.deadline();
        let half = now + deadline.saturating_sub(now) / 2;
        if self.shared.seats.count() > 1 {
            if !self.hand_over() {
                return Ok(turn);
            }
            // The thread needs a seat, too.
            turn.pass_on();
            releases.wait_for_left(this_thread(), now, deadline);
            return self.wait_for_turn(context, allowed);
        }
        let (turn, swept) = self.sweep(turn, now + MOMENT, Some(deadline));
        if swept != Swept::Rest {
            return Ok(turn);
        }
        turn.pass_on();
        if self.hand_over() {
            releases.wait(count, instant_of(half));
        }
        self.wait_for_turn(context, allowed)
    }

    /// Sends notes until a time, but none that may take more than half of what is left until the deadline of a call. No
    /// worker is started for it, and a release that goes wrong costs the worker, as any call, but is nobody's error.
    fn sweep<'s>(&'s self, mut turn: Turn<'s>, until: u64, deadline: Option<u64>) -> (Turn<'s>, Swept) {
        let (package, releases) = (self.shared.package, &self.shared.releases);
        let Some(_sweeping) = releases.sweeping() else { return (turn, Swept::Busy) };
        while let Some(note) = releases.first() {
            // It may be of a worker that has taken over meanwhile.
            if !note.is_there(&turn) && self.shared.service.is_serving(note.generation) {
                self.join_worker(&mut turn, Context::of_package(package));
            }
            let function = package.functions.get(usize::from(note.release.function));
            let Some(function) = function.filter(|_| note.is_there(&turn)) else {
                releases.take();
                continue;
            };
            let time = match self.shared.seats.count() {
                1 => self.deadline_of(function).min(LONGEST),
                _ => self.deadline_of(function),
            };
            if clock::now() >= until || deadline.is_some_and(|deadline| left_until(deadline) / 2 < time) {
                return (turn, Swept::Rest);
            }
            releases.take();
            let (back, swept) = self.send(turn, note, function, time);
            turn = back;
            if swept == Swept::Stuck {
                return (turn, swept);
            }
        }
        (turn, Swept::All)
    }

    /// Sends a note, for no longer than that.
    fn send<'s>(
        &self,
        mut turn: Turn<'s>,
        note: Note,
        function: &'static Function,
        time: Duration,
    ) -> (Turn<'s>, Swept) {
        let releases = &self.shared.releases;
        let Note { generation, handle, release, failed, .. } = note;
        let (call_id, of_package) = (turn.next_id(), Context::of_package(self.shared.package));
        let context = Context { function: function.name, call_id, generation, ..of_package };
        turn.state().allowed = Allowed::new(nanoseconds(time));
        let call = Call::open(turn, context, release.function, function);
        let (turn, released) = call.release(release, handle);
        match released {
            Released::Gone => {}
            Released::NotSent => {
                releases.put_back(note);
                return (turn, Swept::Stuck);
            }
            // If it went all the same, the worker says so now.
            Released::Failed if !failed => releases.put_back(Note { failed: true, ..note }),
            Released::InUse => {
                releases.put_aside(note);
                releases.in_use.store(true, Ordering::Relaxed);
            }
            Released::Failed | Released::Refused => releases.put_aside(note),
        }
        (turn, Swept::All)
    }
}

impl Note {
    /// Whether the worker that has the object is the one of this seat, and lives.
    fn is_there(&self, seat: &Seat) -> bool {
        seat.generation == self.generation
            && seat.live.as_ref().is_some_and(|live| !live.worker.channel().is_dead())
    }
}

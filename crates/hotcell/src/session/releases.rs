//! Objects that nobody holds any more, until the library has released them.
//!
//! Dropping a handle must not wait for another call, so it leaves a note here. Whoever has the next turn sends the
//! notes first, and whoever gives a turn back looks behind it; both in the order in which the notes were left, which
//! is that of the drops: children before their parents.
//!
//! No note is lost: who leaves one says so, and then tries to get the turn; who gives the turn back does so, and
//! then looks. A fence between the two steps on each side makes one of them see the other.

use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::time::Duration;

use hotcell_protocol::RawHandle;
use parking_lot::Mutex;

use super::{Allowed, Context, Session, Turn};
use crate::rt::{Call, Release};

/// The longest a release may take: it delays whoever comes next.
const LONGEST: Duration = Duration::from_secs(5);

/// The notes of one session.
#[derive(Debug, Default)]
pub(super) struct Releases {
    /// Whether there are any, for the price of a load.
    any: AtomicBool,
    waiting: Mutex<Vec<Note>>,
}

/// An object to be released.
#[derive(Debug, Clone, Copy)]
struct Note {
    /// The worker that has it.
    generation: u64,
    handle: RawHandle,
    release: Release,
}

impl Releases {
    /// Whether there is something to send.
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    fn leave(&self, note: Note) {
        let mut waiting = self.waiting.lock();
        waiting.push(note);
        self.any.store(true, Ordering::Relaxed);
    }

    fn take(&self) -> Vec<Note> {
        let mut waiting = self.waiting.lock();
        self.any.store(false, Ordering::Relaxed);
        std::mem::take(&mut *waiting)
    }
}

impl Session {
    /// Has an object released that nobody holds any more: at once if the worker is free, else as soon as the turn is
    /// given back. Waits for no other call, and fails never; what goes with its worker needs no release.
    pub(crate) fn release(&self, generation: u64, handle: RawHandle, release: Option<Release>) {
        let shared = &*self.shared;
        let Some(release) = release else { return };
        if shared.fork.forked() || generation != self.generation() {
            return;
        }
        shared.releases.leave(Note { generation, handle, release });
        self.send_what_is_left();
    }

    /// Sends what waits to be released, unless somebody else has the turn: then he will look behind it.
    pub(super) fn send_what_is_left(&self) {
        let shared = &*self.shared;
        // Partner: the same fence on the other side. One stands between leaving a note and trying to get the turn,
        // the other between giving the turn back and looking for notes.
        fence(Ordering::SeqCst);
        while shared.releases.any() && !shared.fork.forked() {
            let Some(seat) = shared.seat.try_lock() else { return };
            drop(self.send_releases(Turn::new(self, seat, false), None));
            fence(Ordering::SeqCst);
        }
    }

    /// Sends what waits to be released; before a call, within half of the time it has. No worker is started for it,
    /// and a release that goes wrong costs the worker, as any call, but is nobody's error.
    pub(super) fn send_releases<'s>(&'s self, mut turn: Turn<'s>, within: Option<Allowed>) -> Turn<'s> {
        let package = self.shared.package;
        for Note { generation, handle, release } in self.shared.releases.take() {
            let serves = turn.live.as_ref().is_some_and(|live| !live.worker.channel().is_dead());
            if !serves || turn.generation != generation {
                continue;
            }
            let Some(function) = package.functions.get(usize::from(release.function)) else { continue };
            let time = self.deadline_of(function).min(LONGEST);
            let allowed = Allowed::from_now(within.map_or(time, |within| time.min(within.left() / 2)));
            let call_id = turn.next_id();
            let function_name = function.name;
            let context =
                Context { function: function_name, call_id, generation, ..Context::of_package(package) };
            turn =
                Call::open(self, turn, context, release.function, function, allowed).release(release, handle);
        }
        turn
    }
}

//! The thread of a session with rules for threads: it sends each note when nobody uses what belongs to the object.
//!
//! It stands in line for many notes at a time, so that an object which is used for long keeps no other one. Who has left a note
//! and then calls with what belongs to the same family comes behind it: his call stands in line later.

use std::thread;
use std::time::Instant;

use super::super::families::{Held, Stand, Who};
use super::super::turnstile::waker_of_this_thread;
use super::super::{Context, Session, Turn, this_thread};
use super::{Note, Releases, Swept};
use crate::atomics::now;

/// Notes whose families somebody else has. Who does not come to them puts them back.
struct Standing<'a> {
    releases: &'a Releases,
    notes: Vec<(Note, Stand)>,
}

impl Session {
    /// Sends notes, each in its turn, until there are none.
    pub(super) fn sweep_by_rules(&self) -> Swept {
        let releases = &self.shared.releases;
        let Some(_sweeping) = releases.sweeping() else { return Swept::Busy };
        let (waker, who) = (waker_of_this_thread(), Who::Thread(this_thread()));
        let mut standing = Standing { releases, notes: Vec::new() };
        loop {
            while let Some(note) = releases.first() {
                let claim = note.claim.clone().filter(|claim| !claim.is_empty());
                let held = claim.as_ref().and_then(|claim| self.families().take(&claim.set, who));
                match claim.filter(|_| held.is_none()) {
                    None => {
                        releases.take();
                        if self.send_by_rules(note, held) == Swept::Stuck {
                            return Swept::Stuck;
                        }
                    }
                    Some(claim) => {
                        let Ok(stand) = self.families().stand(&claim.set, who, &waker) else {
                            return Swept::Stuck;
                        };
                        // In line, and only then out of the notes: a call of who left it comes behind it.
                        releases.take();
                        standing.notes.push((note, stand));
                    }
                }
                releases.rests();
            }
            if standing.notes.is_empty() {
                return Swept::All;
            }
            let (mut at, mut again) = (0, None::<Instant>);
            while let Some((_, stand)) = standing.notes.get_mut(at) {
                let Some(held) = stand.take(&waker) else {
                    let looks = stand.looks_again(now());
                    again = Some(again.map_or(looks, |again| again.min(looks)));
                    at += 1;
                    continue;
                };
                let (note, _) = standing.notes.remove(at);
                if self.send_by_rules(note, Some(held)) == Swept::Stuck {
                    return Swept::Stuck;
                }
            }
            if let Some(again) = again.filter(|_| !releases.any()) {
                thread::park_timeout(again.saturating_duration_since(now()));
                if now() >= again {
                    self.reclaim();
                }
            }
        }
    }

    /// Sends a note whose families are held.
    fn send_by_rules(&self, note: Note, held: Option<Held>) -> Swept {
        let shared = &*self.shared;
        if !shared.service.is_serving(note.generation) {
            return Swept::All;
        }
        let own = note.claim.as_ref().and_then(|claim| claim.seat);
        let seat = match own {
            Some(number) => shared.seats.wait_for_own(number as usize, None, || self.reclaim()),
            None => shared.seats.take().or_else(|| shared.seats.wait(None, || self.reclaim())),
        };
        let mut seat = seat.expect("who waits without a time gets it");
        if let Some(held) = held {
            held.seated(seat.number);
            seat.held.push(held);
        }
        let mut turn = Turn::new(self, seat, None);
        if !note.is_there(&turn) {
            self.join_worker(&mut turn, Context::of_package(shared.package));
        }
        let function = shared.package.functions.get(usize::from(note.release.function));
        let (turn, swept) = match function.filter(|_| note.is_there(&turn)) {
            Some(function) => self.send(turn, note, function, self.deadline_of(function)),
            None => (turn, Swept::All),
        };
        turn.pass_on();
        swept
    }
}

impl Releases {
    /// None is being sent.
    fn rests(&self) {
        self.waiting.lock().current = None;
        self.sent.notify_all();
    }
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        for (note, _) in self.notes.drain(..).rev() {
            self.releases.put_back(note);
        }
    }
}

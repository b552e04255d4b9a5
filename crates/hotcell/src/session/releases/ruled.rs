//! What is to be released under a rule for threads: a release waits until nobody uses a family, as a call with the object does.
//!
//! What is dropped stands in line at once, so that who has dropped something and then calls with what belongs to the same family
//! comes behind it. While it waits it holds nothing: the thread that releases it gets the families of one release at a time, when
//! it has nothing else to do, and then needs nothing but a seat.
//!
//! What is bound to a thread of the library may have to wait for that, and keeps nothing else waiting: each such thread has one of
//! the session's for it, [`bound`], while there is something.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hotcell_shm::clock;

use super::super::families::{Family, Held, Stand, Who};
use super::super::looks::{Looks, waker_of_this_thread};
use super::super::ruled::Ruled;
use super::super::{Context, Seat, Session, Turn};
use super::{MOMENT, Note, Releases, Swept};
use crate::atomics::now;

mod bound;

pub(in crate::session) use bound::Bound;

/// Notes whose families others have, by those.
#[derive(Debug, Default)]
pub(super) struct Standing {
    by_set: BTreeMap<Arc<[Family]>, Queue>,
    looks: Looks,
    again: Option<Instant>,
}

/// Notes that need the same.
#[derive(Debug)]
struct Queue {
    notes: VecDeque<Note>,
    /// Not there while they are sent.
    stand: Option<Stand>,
}

impl Session {
    /// Sends notes, each in its turn, until there are none; or until nothing can be sent that others do not use.
    pub(super) fn sweep_by_rules(&self, ruled: &Ruled, standing: &mut Standing) -> Swept {
        let (releases, families) = (&self.shared.releases, &ruled.families);
        let waker = waker_of_this_thread();
        if standing.again.take_if(|again| now() >= *again).is_some() {
            self.reclaim();
        }
        // What was being sent when something panicked.
        standing.stand_again(ruled);
        releases.rests();
        loop {
            // It wants nothing that comes while it looks at what was left.
            while let Some(held) = families.next_release(None) {
                if self.send_standing(ruled, standing, held) == Swept::Stuck {
                    return self.put_back(standing);
                }
            }
            let until = clock::now() + MOMENT;
            while let Some(note) = releases.first()
                && clock::now() < until
            {
                let swept = self.send_or_stand(ruled, standing, note);
                releases.rests();
                if swept == Swept::Stuck {
                    return self.put_back(standing);
                }
            }
            if releases.any() {
                continue;
            }
            if standing.is_empty() {
                return Swept::All;
            }
            let Some(held) = families.next_release(Some(&waker)) else {
                return Swept::Waits;
            };
            if self.send_standing(ruled, standing, held) == Swept::Stuck {
                return self.put_back(standing);
            }
        }
    }

    /// Sends the first note, if nobody uses what it needs; else has it stand in line.
    fn send_or_stand(&self, ruled: &Ruled, standing: &mut Standing, note: Note) -> Swept {
        let releases = &self.shared.releases;
        let Some(claim) = note.claim.clone().filter(|claim| !claim.is_empty()) else {
            releases.take();
            return self.send_by_rules(&mut VecDeque::from([note]), None, None);
        };
        if let Some(seat) = claim.seat {
            return self.send_bound(ruled, note, &claim.set, seat);
        }
        if let Some(queue) = standing.by_set.get_mut(&claim.set) {
            releases.take();
            queue.notes.push_back(note);
            return Swept::All;
        }
        match ruled.families.take(&claim.set, Who::Release) {
            Some(held) => {
                releases.take();
                self.send_by_rules(&mut VecDeque::from([note]), Some(held), None)
            }
            None => {
                let Ok(stand) = ruled.families.stand(&claim.set, Who::Release) else { return Swept::Stuck };
                // In line, and only then out of the notes: a call of who left it comes behind it.
                releases.take();
                let queue = Queue { notes: VecDeque::from([note]), stand: Some(stand) };
                standing.by_set.insert(claim.set, queue);
                Swept::All
            }
        }
    }

    /// Sends notes that have stood in line, for a moment.
    fn send_standing(&self, ruled: &Ruled, standing: &mut Standing, held: Held) -> Swept {
        let Some(queue) = standing.by_set.get_mut(held.set()) else { return Swept::All };
        queue.stand.take().into_iter().for_each(Stand::was_given);
        let swept = self.send_by_rules(&mut queue.notes, Some(held), None);
        standing.stand_again(ruled);
        (standing.looks, standing.again) = (Looks::default(), None);
        swept
    }

    /// Sends notes that need the same, which is held, for a moment; on that seat, or on any.
    fn send_by_rules(
        &self,
        notes: &mut VecDeque<Note>,
        held: Option<Held>,
        seat: Option<Box<Seat>>,
    ) -> Swept {
        let (shared, until) = (&*self.shared, clock::now() + MOMENT);
        let seat = seat.or_else(|| shared.seats.take());
        let seat = seat.or_else(|| shared.seats.wait(None, || self.reclaim()));
        let mut seat = seat.expect("who waits without a time gets it");
        if let Some(held) = held {
            held.seated(seat.number);
            seat.held.push(held);
        }
        let (mut turn, mut swept) = (Turn::new(self, seat, None), Swept::All);
        while let Some(note) = notes.pop_front() {
            if !note.is_there(&turn) && shared.service.is_serving(note.generation) {
                self.join_worker(&mut turn, Context::of_package(shared.package));
            }
            let function = shared.package.functions.get(usize::from(note.release.function));
            if let Some(function) = function.filter(|_| note.is_there(&turn)) {
                (turn, swept) = self.send(turn, note, function, self.deadline_of(function));
            }
            if swept == Swept::Stuck || clock::now() >= until {
                break;
            }
        }
        turn.pass_on();
        swept
    }

    /// Leaves all that could not be sent to who comes next.
    fn put_back(&self, standing: &mut Standing) -> Swept {
        for (_, queue) in std::mem::take(&mut standing.by_set).into_iter().rev() {
            queue.notes.into_iter().rev().for_each(|note| self.shared.releases.put_back(note));
        }
        Swept::Stuck
    }
}

impl Standing {
    pub(super) fn is_empty(&self) -> bool {
        self.by_set.is_empty()
    }

    /// How long to sleep, unless it is woken.
    pub(super) fn sleeps(&mut self) -> Duration {
        let now = now();
        let again = self.looks.next(now);
        self.again = Some(again);
        again.saturating_duration_since(now)
    }

    /// Has what is left of notes that were sent for a moment stand in line again.
    fn stand_again(&mut self, ruled: &Ruled) {
        self.by_set.retain(|_, queue| queue.stand.is_some() || !queue.notes.is_empty());
        for (set, queue) in &mut self.by_set {
            if queue.stand.is_none() {
                queue.stand = ruled.families.stand(set, Who::Release).ok();
            }
        }
    }
}

impl Releases {
    /// None is being sent.
    fn rests(&self) {
        let mut waiting = self.waiting.lock();
        waiting.current = None;
        self.tell(waiting);
    }
}

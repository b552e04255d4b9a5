//! Releases of objects that are bound to a thread of the library: each such thread has one of the session's that waits for it, while
//! there is something to be released there.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use hotcell_sandbox::with_signals_blocked;

use super::super::super::Session;
use super::super::super::families::{Family, Stand, Who};
use super::super::super::looks;
use super::super::super::ruled::Ruled;
use super::super::{Note, Swept};
use crate::atomics::Mutex;

/// Notes that wait for a certain seat, each with its place in line; an entry for each seat that has a thread.
#[derive(Debug, Default)]
pub(in crate::session) struct Bound(Mutex<BTreeMap<u32, VecDeque<(Note, Stand)>>>);

impl Session {
    /// Sends the first note, if its seat is free and nobody uses its object; else leaves it to a thread.
    pub(super) fn send_bound(&self, ruled: &Ruled, note: Note, set: &Arc<[Family]>, seat: u32) -> Swept {
        let (releases, families) = (&self.shared.releases, &ruled.families);
        let held = families.take(set, Who::BoundRelease);
        let own = held.as_ref().and_then(|_| self.shared.seats.take_own(seat as usize));
        if own.is_some() {
            releases.take();
            return self.send_by_rules(&mut VecDeque::from([note]), held, own);
        }
        drop(held);
        let Ok(stand) = families.stand(set, Who::BoundRelease) else { return Swept::Stuck };
        let mut bound = ruled.bound.0.lock();
        let is_new = !bound.contains_key(&seat);
        bound.entry(seat).or_default().push_back((note, stand));
        drop(bound);
        releases.take();
        if !is_new {
            return Swept::All;
        }
        let (session, _) = self.apart();
        let thread = thread::Builder::new().name("hotcell-releases".into());
        // Signals of the application are for its own threads.
        match with_signals_blocked(|| thread.spawn(move || session.send_all_bound(seat))) {
            Ok(_) => Swept::All,
            Err(_) => self.put_back_bound(ruled, seat),
        }
    }

    /// Sends what waits for a seat, until there is nothing.
    fn send_all_bound(&self, seat: u32) {
        let Some(ruled) = &self.shared.ruled else { return };
        while let Some((note, mut stand)) = ruled.bound.next(seat) {
            let held = looks::wait(None, |waker| stand.take(waker), || self.reclaim());
            let own = self.shared.seats.wait_for_own(seat as usize, None, || self.reclaim());
            // What the application had kept goes with the object, and may panic. There is nobody to hear it.
            let swept =
                catch_unwind(AssertUnwindSafe(|| self.send_by_rules(&mut VecDeque::from([note]), held, own)));
            if swept.map_err(std::mem::forget) == Ok(Swept::Stuck) {
                self.put_back_bound(ruled, seat);
                return;
            }
            // One that failed is sent once more.
            if self.shared.releases.any() {
                self.hand_over();
            }
        }
    }

    /// Leaves what waits for a seat to who comes next.
    fn put_back_bound(&self, ruled: &Ruled, seat: u32) -> Swept {
        let notes = ruled.bound.0.lock().remove(&seat).unwrap_or_default();
        notes.into_iter().rev().for_each(|(note, _)| self.shared.releases.put_back(note));
        Swept::Stuck
    }
}

impl Bound {
    /// The next that waits for a seat. Where there is none, its thread ends.
    fn next(&self, seat: u32) -> Option<(Note, Stand)> {
        let mut bound = self.0.lock();
        let next = bound.get_mut(&seat)?.pop_front();
        if next.is_none() {
            bound.remove(&seat);
        }
        next
    }
}

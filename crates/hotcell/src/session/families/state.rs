//! Who has which families, and who waits for which.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use super::{Family, GRACE, LATE, Stuck, Who, seat_of};
use crate::atomics::now;

#[derive(Debug, Default)]
pub(super) struct State {
    /// What somebody has or waits for.
    wanted: BTreeMap<Family, Wanted>,
    /// Who has some, by number.
    holders: BTreeMap<u64, Holder>,
    /// Who waits, by number.
    waiting: BTreeMap<u64, Waiting>,
    /// Those of them that are to be released, in order.
    releases: BTreeSet<u64>,
    /// The thread that releases them.
    pub(super) sweeper: Sweeper,
    /// When what who has may be taken back, whose call is not under way then.
    late: BTreeSet<(Instant, u64)>,
    /// How many have ever stood here.
    count: u64,
}

/// What the thread does that releases what nobody holds any more.
#[derive(Debug, Default)]
pub(super) enum Sweeper {
    /// Something else, or it is not there: what is to be released is given nothing.
    #[default]
    Away,
    /// It sleeps until there is something to do.
    Ready(Waker),
    /// It was woken: this one has its families.
    Called(u64),
}

#[derive(Debug, Default)]
struct Wanted {
    holder: Option<u64>,
    /// Who waits for it, calls from callbacks first.
    line: VecDeque<u64>,
}

#[derive(Debug)]
struct Holder {
    set: Arc<[Family]>,
    /// The thread that makes the call; 0 if that does not matter.
    thread: u64,
    /// Where its call is under way.
    seat: Option<u32>,
    /// When it may be taken back, if its call is not under way then.
    late: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) set: Arc<[Family]>,
    who: Who,
    waker: Option<Waker>,
}

impl State {
    pub(super) fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// Whether somebody has this family, or waits for it.
    pub(super) fn is_wanted(&self, family: &Family) -> bool {
        self.wanted.contains_key(family)
    }

    /// Whether somebody waits for this family.
    pub(super) fn is_awaited(&self, family: &Family) -> bool {
        self.wanted.get(family).is_some_and(|wanted| !wanted.line.is_empty())
    }

    /// Whether this one has families.
    pub(super) fn has(&self, number: u64) -> bool {
        self.holders.contains_key(&number)
    }

    /// Whether this one waits.
    pub(super) fn waits(&self, number: u64) -> bool {
        self.waiting.contains_key(&number)
    }

    /// How this one is woken, if it waits. Comes with how it was before.
    pub(super) fn wakes(&mut self, number: u64, waker: &mut Option<Waker>) {
        if let Some(waiting) = self.waiting.get_mut(&number) {
            mem::swap(&mut waiting.waker, waker);
        }
    }

    pub(super) fn join(&mut self, set: &Arc<[Family]>, who: Who) -> u64 {
        let number = self.next();
        for &family in &**set {
            let line = &mut self.wanted.entry(family).or_default().line;
            let at = match who {
                Who::Inside { .. } => {
                    line.iter().take_while(|other| self.waiting[*other].who.is_inside()).count()
                }
                _ => line.len(),
            };
            line.insert(at, number);
        }
        if who == Who::Release {
            self.releases.insert(number);
        }
        self.waiting.insert(number, Waiting { set: Arc::clone(set), who, waker: None });
        number
    }

    /// Who comes first in a line. What is to be released does not count while nobody would release it.
    fn first_of(&self, line: &VecDeque<u64>) -> Option<u64> {
        let ready = matches!(self.sweeper, Sweeper::Ready(_));
        line.iter().find(|number| ready || !self.releases.contains(number)).copied()
    }

    /// Gives who waits all that he waits for, if that can be.
    pub(super) fn give_if_free(&mut self, number: u64, called: &mut Vec<Waker>) {
        let Some(waiting) = self.waiting.get(&number) else { return };
        let inside = waiting.who.is_inside();
        let is_free = waiting.set.iter().all(|family| {
            let wanted = &self.wanted[family];
            wanted.holder.is_none() && (inside || self.first_of(&wanted.line) == Some(number))
        });
        if !is_free {
            return;
        }
        let Some(Waiting { set, who, waker }) = self.leave(number) else { return };
        self.give(number, set, who);
        called.extend(waker);
        if who == Who::Release {
            if let Sweeper::Ready(waker) = mem::replace(&mut self.sweeper, Sweeper::Called(number)) {
                called.push(waker);
            }
            self.look_past_releases(called);
        }
    }

    /// Gives families to those behind what is to be released, as nobody would release that now.
    fn look_past_releases(&mut self, called: &mut Vec<Waker>) {
        // What waits for one family only, waits for one that somebody has.
        let several =
            self.releases.iter().map(|number| &self.waiting[number].set).filter(|set| set.len() > 1);
        for set in several.cloned().collect::<Vec<_>>() {
            self.advance(&set, called);
        }
    }

    /// What the thread that releases is to release next, if there is something. From here on it is away.
    pub(super) fn next_release(&mut self, called: &mut Vec<Waker>) -> Option<(u64, Arc<[Family]>)> {
        if !matches!(self.sweeper, Sweeper::Called(_)) {
            self.sweeper = Sweeper::Ready(Waker::noop().clone());
            for number in self.releases.clone() {
                self.give_if_free(number, called);
                if matches!(self.sweeper, Sweeper::Called(_)) {
                    break;
                }
            }
        }
        match mem::take(&mut self.sweeper) {
            Sweeper::Called(number) => Some((number, Arc::clone(&self.holders.get(&number)?.set))),
            _ => {
                self.look_past_releases(called);
                None
            }
        }
    }

    pub(super) fn give(&mut self, number: u64, set: Arc<[Family]>, who: Who) {
        for &family in &*set {
            self.wanted.entry(family).or_default().holder = Some(number);
        }
        let (thread, seat, late) = match who {
            Who::Thread(thread) => (thread, None, None),
            Who::Task(_) => (0, None, Some(now() + GRACE)),
            Who::Inside { seat, thread, .. } => (thread, Some(seat), None),
            Who::Release | Who::BoundRelease => (0, None, None),
        };
        self.holders.insert(number, Holder { set, thread, seat, late });
        self.late.extend(late.map(|late| (late, number)));
    }

    /// Who was given his families is there.
    pub(super) fn came(&mut self, number: u64, who: Who) {
        if let Who::Task(until) = who {
            self.is_late_at(number, Some(until + LATE));
        }
    }

    /// The call of this one is under way on that seat, if it still has its families.
    pub(super) fn seated(&mut self, number: u64, seat: u32) -> bool {
        self.is_late_at(number, None);
        let holder = self.holders.get_mut(&number);
        holder.map(|holder| holder.seat = Some(seat)).is_some()
    }

    fn is_late_at(&mut self, number: u64, late: Option<Instant>) {
        let Some(holder) = self.holders.get_mut(&number) else { return };
        let before = mem::replace(&mut holder.late, late);
        before.map(|before| self.late.remove(&(before, number)));
        self.late.extend(late.map(|late| (late, number)));
    }

    /// Takes who waits out of all lines.
    pub(super) fn leave(&mut self, number: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&number)?;
        self.releases.remove(&number);
        for family in &*waiting.set {
            self.edit(*family, |wanted| wanted.line.retain(|other| *other != number));
        }
        Some(waiting)
    }

    fn edit(&mut self, family: Family, edit: impl FnOnce(&mut Wanted)) {
        let Some(wanted) = self.wanted.get_mut(&family) else { return };
        edit(wanted);
        if wanted.holder.is_none() && wanted.line.is_empty() {
            self.wanted.remove(&family);
        }
    }

    /// Takes back what somebody has, and gives it to who is next.
    pub(super) fn take_back(&mut self, number: u64, called: &mut Vec<Waker>) {
        self.is_late_at(number, None);
        let Some(holder) = self.holders.remove(&number) else { return };
        if matches!(self.sweeper, Sweeper::Called(of) if of == number) {
            self.sweeper = Sweeper::Away;
        }
        for family in &*holder.set {
            self.edit(*family, |wanted| wanted.holder = None);
        }
        self.advance(&holder.set, called);
    }

    /// Gives families, where one of these is free, or somebody no longer waits for it.
    pub(super) fn advance(&mut self, set: &[Family], called: &mut Vec<Waker>) {
        for family in set {
            let Some(wanted) = self.wanted.get(family) else { continue };
            let inside = |number: &&u64| self.waiting[*number].who.is_inside();
            let ahead = wanted.line.iter().take_while(inside).copied();
            let first = self.first_of(&wanted.line);
            for number in ahead.chain(first).collect::<Vec<_>>() {
                self.give_if_free(number, called);
            }
        }
    }

    /// Takes back what tasks have that do not come for it.
    pub(super) fn take_back_late(&mut self, called: &mut Vec<Waker>) {
        let now = now();
        let late: Vec<_> = self.late.iter().take_while(|(late, _)| *late <= now).map(|(_, it)| *it).collect();
        late.into_iter().for_each(|number| self.take_back(number, called));
    }

    /// When something may be taken back that somebody waits for.
    #[cfg(any(feature = "tokio", test))]
    pub(super) fn next_late(&self) -> Option<Instant> {
        self.late.first().filter(|_| !self.waiting.is_empty()).map(|(late, _)| *late)
    }

    /// Whether who waits for these would wait for himself, be it by others: for calls that hold families and wait for more are
    /// those from callbacks, and who holds some without a seat waits for one of those that such calls have.
    pub(super) fn would_stick(&self, set: &[Family], who: Who) -> Option<Stuck> {
        let holder = |family: &Family| self.wanted.get(family)?.holder.and_then(|it| self.holders.get(&it));
        let (own, seats, thread) = match who {
            Who::Task(_) | Who::Release | Who::BoundRelease => return None,
            Who::Thread(thread) => (None, 0, thread),
            Who::Inside { seat, seats, thread } => (Some(seat), seats, thread),
        };
        if set.iter().filter_map(holder).any(|holder| holder.thread == thread && holder.seat != own) {
            return Some(Stuck::Own);
        }
        let own = own?;
        let inside = |waiting: &Waiting| match waiting.who {
            Who::Inside { seat, .. } => Some((seat, Arc::clone(&waiting.set))),
            _ => None,
        };
        let stands: BTreeMap<u32, Arc<[Family]>> = self.waiting.values().filter_map(inside).collect();
        let (mut open, mut seen) = (vec![Arc::<[Family]>::from(set)], Vec::new());
        while let Some(set) = open.pop() {
            for holder in set.iter().filter_map(holder) {
                match holder.seat.or_else(|| holder.set.iter().find_map(seat_of)) {
                    Some(seat) if seat == own => return Some(Stuck::Cycle),
                    // If each seat has a call that waits, he never gets one.
                    None if stands.len() + 1 >= seats => return Some(Stuck::Cycle),
                    Some(seat) if !seen.contains(&seat) => {
                        seen.push(seat);
                        open.extend(stands.get(&seat).cloned());
                    }
                    _ => {}
                }
            }
        }
        None
    }

    /// Whether nobody has or wants anything.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.holders.is_empty() && self.waiting.is_empty() && self.late.is_empty()
    }
}

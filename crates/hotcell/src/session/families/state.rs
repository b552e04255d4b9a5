//! Who has which families, and who waits for which.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

#[cfg(feature = "tokio")]
use super::GRACE;
use super::{Family, LATE, Stuck, Who, seat_of};
use crate::atomics::now;

#[derive(Debug, Default)]
pub(super) struct State {
    /// What somebody has or waits for.
    pub(super) wanted: BTreeMap<Family, Wanted>,
    /// Who has some, by number.
    pub(super) holders: BTreeMap<u64, Holder>,
    /// Who waits, by number.
    pub(super) waiting: BTreeMap<u64, Waiting>,
    /// How many have ever stood here.
    count: u64,
}

#[derive(Debug, Default)]
pub(super) struct Wanted {
    holder: Option<u64>,
    /// Who waits for it, calls from callbacks first.
    line: VecDeque<u64>,
}

#[derive(Debug)]
pub(super) struct Holder {
    set: Arc<[Family]>,
    /// The thread that makes the call; 0 for a task.
    thread: u64,
    /// Where its call is under way.
    pub(super) seat: Option<u32>,
    /// When it may be taken back, if its call is not under way then.
    late: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) set: Arc<[Family]>,
    who: Who,
    pub(super) waker: Option<Waker>,
}

impl State {
    pub(super) fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    pub(super) fn join(&mut self, set: &Arc<[Family]>, who: Who, waker: Option<Waker>) -> u64 {
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
        self.waiting.insert(number, Waiting { set: Arc::clone(set), who, waker });
        number
    }

    /// Gives who waits all that he waits for, if that can be. Comes with how he is woken.
    pub(super) fn give_if_free(&mut self, number: u64) -> Option<Waker> {
        let waiting = self.waiting.get(&number)?;
        let inside = waiting.who.is_inside();
        let free = waiting.set.iter().all(|family| {
            let wanted = &self.wanted[family];
            wanted.holder.is_none() && (inside || wanted.line.front() == Some(&number))
        });
        if !free {
            return None;
        }
        let Waiting { set, who, waker } = self.leave(number)?;
        self.give(number, set, who);
        waker
    }

    pub(super) fn give(&mut self, number: u64, set: Arc<[Family]>, who: Who) {
        for &family in &*set {
            self.wanted.entry(family).or_default().holder = Some(number);
        }
        let (thread, seat, late) = match who {
            Who::Thread(thread) => (thread, None, None),
            #[cfg(feature = "tokio")]
            Who::Task(_) => (0, None, Some(now() + GRACE)),
            Who::Inside { seat, thread, .. } => (thread, Some(seat), None),
        };
        self.holders.insert(number, Holder { set, thread, seat, late });
    }

    /// Who was given his families is there.
    pub(super) fn came(&mut self, number: u64, who: Who) {
        if let (Some(until), Some(holder)) = (who.until(), self.holders.get_mut(&number)) {
            holder.late = Some(until + LATE);
        }
    }

    /// Takes who waits out of all lines.
    pub(super) fn leave(&mut self, number: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&number)?;
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
        let Some(holder) = self.holders.remove(&number) else { return };
        for family in &*holder.set {
            self.edit(*family, |wanted| wanted.holder = None);
        }
        self.advance(&holder.set, called);
    }

    /// Gives families, where one of these is free, or somebody no longer waits for it.
    pub(super) fn advance(&mut self, set: &[Family], called: &mut Vec<Waker>) {
        for family in set {
            let line = self.wanted.get(family).map(|wanted| &wanted.line);
            let inside = |number: &&u64| self.waiting[*number].who.is_inside();
            let ahead = line.into_iter().flatten().take_while(inside).copied();
            let first = line.and_then(VecDeque::front).copied();
            for number in ahead.chain(first).collect::<Vec<_>>() {
                called.extend(self.give_if_free(number));
            }
        }
    }

    /// Takes back what tasks have that do not come for it.
    pub(super) fn take_back_late(&mut self, called: &mut Vec<Waker>) {
        let now = now();
        let late = |holder: &Holder| holder.seat.is_none() && holder.late.is_some_and(|late| late <= now);
        let late = self.holders.iter().filter(|(_, holder)| late(holder)).map(|(number, _)| *number);
        for number in late.collect::<Vec<_>>() {
            self.take_back(number, called);
        }
    }

    /// Whether who waits for these would wait for himself, be it by others: for calls that hold families and wait for more are
    /// those from callbacks, and who holds some without a seat waits for one of those that such calls have.
    pub(super) fn would_stick(&self, set: &[Family], who: Who) -> Option<Stuck> {
        let holder = |family: &Family| self.wanted.get(family)?.holder.and_then(|it| self.holders.get(&it));
        let (own, seats, thread) = match who {
            #[cfg(feature = "tokio")]
            Who::Task(_) => return None,
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
}

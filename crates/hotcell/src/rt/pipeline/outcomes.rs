//! What became of the calls of a pipeline, until somebody takes it: in the order in which they were sent.

use std::any::Any;
use std::collections::VecDeque;

use crate::error::Error;
use crate::rt::batch::{ENTRY_BITS, next_number};

/// What became of a call.
pub(super) enum Outcome {
    /// Its reply was not looked at.
    InFlight,
    /// It returned numbers: its result block.
    Values(Block),
    /// It returned this.
    Read(Box<dyn Any + Send>),
    /// It failed.
    Failed(Error),
    /// A callback panicked in it that the library keeps.
    Panicked(Box<dyn Any + Send>),
    /// Its result was taken.
    Taken,
}

/// Bytes of a result block that need no memory of their own.
const SMALL: usize = 32;

/// A result block.
pub(super) enum Block {
    /// A short one, and its bytes.
    Small([u8; SMALL], u8),
    Large(Vec<u8>),
}

impl Block {
    /// One of so many bytes, which `fill` fills.
    #[inline]
    pub(super) fn filled(size: usize, fill: impl FnOnce(&mut [u8])) -> Block {
        if size <= SMALL {
            let mut small = [0; SMALL];
            fill(&mut small[..size]);
            return Block::Small(small, size as u8);
        }
        let mut large = vec![0; size];
        fill(&mut large);
        Block::Large(large)
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Block::Small(small, size) => &small[..usize::from(*size)],
            Block::Large(large) => large,
        }
    }
}

/// So many that were taken may stay.
const FEW: usize = 64;

/// The outcomes by the numbers of their tickets, ascending. Those in front that were taken are gone.
pub(super) struct Outcomes {
    list: VecDeque<(u64, Outcome)>,
    /// How many of them were taken, behind one that was not.
    taken: usize,
    /// The number of the next ticket.
    next: u64,
}

impl Outcomes {
    pub(super) fn new() -> Outcomes {
        Outcomes { list: VecDeque::new(), taken: 0, next: 0 }
    }

    /// Makes room for the outcome of a call that is sent: the number of its ticket, which no other of the process has.
    #[inline]
    pub(super) fn add(&mut self, outcome: Outcome) -> u64 {
        if self.next.trailing_zeros() >= ENTRY_BITS {
            // As many as a batch could have were given: the next ones come from another number, which is greater.
            self.next = next_number() << ENTRY_BITS;
        }
        let id = self.next;
        self.next += 1;
        self.list.push_back((id, outcome));
        id
    }

    /// Where the outcome of a ticket is, until one is taken.
    #[inline]
    pub(super) fn find(&self, id: u64) -> Option<usize> {
        match self.list.front() {
            Some((first, _)) if *first == id => Some(0),
            _ => self.list.binary_search_by_key(&id, |(id, _)| *id).ok(),
        }
    }

    /// Whether this one is to come.
    #[inline]
    pub(super) fn is_in_flight(&self, at: usize) -> bool {
        matches!(self.list[at].1, Outcome::InFlight)
    }

    /// Says what became of a call, whose outcome nobody has taken, for it was to come.
    #[inline]
    pub(super) fn set(&mut self, id: u64, outcome: Outcome) {
        let at = self.find(id).expect("what is to come was not taken");
        self.list[at].1 = outcome;
    }

    /// Takes an outcome.
    #[inline]
    pub(super) fn take(&mut self, at: usize) -> Outcome {
        let outcome = std::mem::replace(&mut self.list[at].1, Outcome::Taken);
        self.taken += 1;
        while let Some((_, Outcome::Taken)) = self.list.front() {
            self.list.pop_front();
            self.taken = self.taken.saturating_sub(1);
        }
        // Behind one that nobody takes, the others would stay.
        if self.taken > FEW && self.taken > self.list.len() / 2 {
            self.list.retain(|(_, outcome)| !matches!(outcome, Outcome::Taken));
            self.taken = 0;
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(outcome: Outcome) -> u8 {
        match outcome {
            Outcome::Values(block) => block.bytes()[0],
            _ => panic!("it was set to a number"),
        }
    }

    fn values(byte: u8) -> Outcome {
        Outcome::Values(Block::filled(1, |block| block[0] = byte))
    }

    #[test]
    fn numbers_of_tickets_ascend_and_no_two_pipelines_share_one() {
        let (mut one, mut other) = (Outcomes::new(), Outcomes::new());
        let mut before = 0;
        for _ in 0..3 << ENTRY_BITS {
            let (own, theirs) = (one.add(Outcome::Taken), other.add(Outcome::Taken));
            assert!(own > before && other.find(own).is_none() && one.find(theirs).is_none());
            before = own;
            let at = one.find(own).unwrap();
            one.take(at);
            let at = other.find(theirs).unwrap();
            other.take(at);
        }
        assert!(one.list.is_empty());
    }

    #[test]
    fn one_that_is_never_taken_keeps_no_others() {
        let mut outcomes = Outcomes::new();
        let kept = outcomes.add(values(7));
        for number in 0..10_000 {
            let id = outcomes.add(values(number as u8));
            let at = outcomes.find(id).unwrap();
            outcomes.take(at);
            assert!(outcomes.list.len() <= 2 * FEW + 2, "{}", outcomes.list.len());
        }
        let at = outcomes.find(kept).unwrap();
        assert_eq!(number(outcomes.take(at)), 7);
        assert!(outcomes.list.is_empty());
    }

    #[test]
    fn a_block_has_its_bytes() {
        for size in [0, 1, SMALL, SMALL + 1, 1056] {
            let block = Block::filled(size, |block| block.fill(7));
            assert_eq!(block.bytes(), vec![7; size]);
        }
    }

    proptest! {
        #[test]
        fn outcomes_are_taken_in_any_order(order in Just((0..50u8).collect::<Vec<_>>()).prop_shuffle(), next in 0..70u64) {
            let mut outcomes = Outcomes::new();
            // About where numbers come from another block.
            let _ = outcomes.add(Outcome::Taken);
            outcomes.next += (1 << ENTRY_BITS) - next;
            outcomes.list.clear();
            let ids: Vec<u64> = (0..50).map(|_| outcomes.add(Outcome::InFlight)).collect();
            for (number, id) in (0..).zip(&ids) {
                prop_assert!(outcomes.is_in_flight(outcomes.find(*id).unwrap()));
                outcomes.set(*id, values(number));
            }
            for wanted in order {
                let at = outcomes.find(ids[usize::from(wanted)]).unwrap();
                prop_assert!(!outcomes.is_in_flight(at));
                prop_assert_eq!(number(outcomes.take(at)), wanted);
            }
            prop_assert!(outcomes.list.is_empty());
        }
    }
}

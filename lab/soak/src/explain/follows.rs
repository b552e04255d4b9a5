//! What becomes of sessions after faults: a breaker opens, an input is in quarantine.

use std::collections::BTreeMap;
use std::time::Instant;

use hotcell::{ErrorKind, WhyEnded};

use super::did_as_meant;
use crate::book::{Closed, Failure};
use crate::ends::Gone;
use crate::setting::BREAKER;

/// When libraries ended workers of sessions, in order.
pub(super) struct Faulted(BTreeMap<usize, Vec<Instant>>);

impl Faulted {
    pub(super) fn of(gone: &[Gone]) -> Faulted {
        let mut faulted = BTreeMap::<usize, Vec<Instant>>::new();
        for gone in gone.iter().filter(|gone| matches!(gone.end.why, WhyEnded::Fault(_))) {
            faulted.entry(gone.subject).or_default().push(gone.end.at);
        }
        faulted.values_mut().for_each(|times| times.sort());
        Faulted(faulted)
    }

    /// Whether enough of them came before, for its breaker.
    pub(super) fn opened_breaker(&self, failure: &Failure) -> bool {
        let Some(times) = self.0.get(&failure.subject) else { return false };
        let before = &times[..times.partition_point(|at| *at <= failure.ended)];
        let within = BREAKER.within + BREAKER.longest_pause * 2;
        let counts = before.iter().rev().take_while(|at| failure.ended.duration_since(**at) <= within);
        counts.count() >= BREAKER.faults as usize
    }
}

/// The calls that ended workers by the input of this one, in the same list.
fn ended_by_input<'a>(failure: &'a Failure, closed: &'a Closed) -> impl Iterator<Item = &'a Failure> {
    let input = failure.meant.as_ref().and_then(|meant| meant.input.as_ref());
    closed.failures.iter().filter(move |other| {
        input.is_some()
            && other.setting == failure.setting
            && other.error.kind == ErrorKind::Crashed
            && did_as_meant(other)
            && other.meant.as_ref().and_then(|meant| meant.input.as_ref()) == input
    })
}

/// Whether the same input had ended two workers.
pub(super) fn ended_two_workers(failure: &Failure, closed: &Closed) -> bool {
    ended_by_input(failure, closed).filter(|other| other.began <= failure.ended).count() >= 2
}

/// Whether the same input had ended two workers before the call began: then it must not end another.
pub(super) fn is_in_quarantine(failure: &Failure, closed: &Closed) -> bool {
    ended_by_input(failure, closed).filter(|other| other.ended <= failure.began).count() >= 2
}

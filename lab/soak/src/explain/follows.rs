//! What becomes of sessions after faults: a breaker opens, an input is in quarantine.

use hotcell::ErrorKind;

use super::did_as_meant;
use crate::book::{Closed, Failure};
use crate::setting::BREAKER;

/// Whether enough faults of the library's came before, for its breaker.
pub(super) fn opened_breaker(failure: &Failure, closed: &Closed) -> bool {
    let counts = |other: &&Failure| {
        other.subject == failure.subject
            && did_as_meant(other)
            && other.ended <= failure.ended
            && failure.ended.duration_since(other.ended) <= BREAKER.within + BREAKER.longest_pause * 2
    };
    closed.failures.iter().filter(counts).count() >= BREAKER.faults as usize
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

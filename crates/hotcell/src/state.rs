//! What a library leaves changed of the state of its process: which parts there are, and what was seen of them.

use hotcell_shm::StateRecord;
use serde_json::{Value, json};

use crate::rt::Function;

/// A part of the state that a process has once, or each of its threads. A worker puts it back between two calls when the library
/// has left it changed, unless [`Options::leaves`](crate::Options::leaves) has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StatePart {
    /// The locale (`setlocale`, `uselocale`): how numbers are written, what is a letter.
    Locale,
    /// What is done on signals (`sigaction`, `signal`).
    Handlers,
    /// Which signals are blocked (`pthread_sigmask`).
    Mask,
    /// Interval timers (`setitimer`, `alarm`).
    Timers,
    /// The working directory (`chdir`).
    Directory,
    /// The mask of new files (`umask`).
    Umask,
    /// The environment (`setenv`, `putenv`).
    Environment,
    /// How numbers are rounded, and what is done with the smallest (`fesetround`).
    Arithmetic,
}

impl StatePart {
    /// All of them, in the order of the wire.
    pub const ALL: [StatePart; 8] = [
        StatePart::Locale,
        StatePart::Handlers,
        StatePart::Mask,
        StatePart::Timers,
        StatePart::Directory,
        StatePart::Umask,
        StatePart::Environment,
        StatePart::Arithmetic,
    ];

    /// Its name in contracts and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            StatePart::Locale => "locale",
            StatePart::Handlers => "handlers",
            StatePart::Mask => "mask",
            StatePart::Timers => "timers",
            StatePart::Directory => "directory",
            StatePart::Umask => "umask",
            StatePart::Environment => "environment",
            StatePart::Arithmetic => "arithmetic",
        }
    }

    /// Its bit of the wire.
    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// These parts as the wire has them.
pub(crate) fn bits(parts: &[StatePart]) -> u32 {
    parts.iter().fold(0, |all, part| all | part.bit())
}

/// What the library of a worker has left changed, by the worker's own word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateChanges {
    /// How often which part was, in the order of [`StatePart::ALL`]; none that never was.
    pub counts: Vec<(StatePart, u64)>,
    /// Parts that could not be put back. A worker with such is replaced.
    pub lost: Vec<StatePart>,
    /// The function of the call behind which something was changed last; `None` also where that was a batch.
    pub function: Option<&'static str>,
}

impl StateChanges {
    pub(crate) fn of(record: &StateRecord, functions: &'static [Function]) -> StateChanges {
        let counted = StatePart::ALL.into_iter().zip(record.counts.map(u64::from));
        StateChanges {
            counts: counted.filter(|(_, count)| *count > 0).collect(),
            lost: StatePart::ALL.into_iter().filter(|part| record.lost & part.bit() != 0).collect(),
            function: record.function.and_then(|index| functions.get(usize::from(index))).map(|it| it.name),
        }
    }

    /// How often this part was left changed.
    pub fn count(&self, part: StatePart) -> u64 {
        self.counts.iter().find(|(it, _)| *it == part).map_or(0, |(_, count)| *count)
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        let counts = self.counts.iter().map(|(part, count)| (part.name().to_owned(), json!(count)));
        json!({
            "counts": counts.collect::<serde_json::Map<_, _>>(),
            "lost": self.lost.iter().map(|part| part.name()).collect::<Vec<_>>(),
            "function": self.function,
        })
    }
}

#[cfg(test)]
mod tests {
    use hotcell_protocol::wire::state_parts;

    use super::*;

    #[test]
    fn parts_are_those_of_the_wire() {
        let wire = [
            state_parts::LOCALE,
            state_parts::HANDLERS,
            state_parts::MASK,
            state_parts::TIMERS,
            state_parts::DIRECTORY,
            state_parts::UMASK,
            state_parts::ENVIRONMENT,
            state_parts::ARITHMETIC,
        ];
        assert_eq!(StatePart::ALL.map(StatePart::bit), wire);
        assert_eq!(bits(&StatePart::ALL), hotcell_shm::STATE_PARTS);
        assert_eq!(bits(&[StatePart::Mask, StatePart::Locale, StatePart::Mask]), 0b101);
    }

    #[test]
    fn what_a_worker_says_is_told_by_name_whatever_it_says() {
        let record =
            StateRecord { counts: [0, 2, 0, 0, 0, 0, 0, 7], lost: 0b10, function: Some(9), signals: 0 };
        let seen = StateChanges::of(&record, &[]);
        assert_eq!(seen.counts, [(StatePart::Handlers, 2), (StatePart::Arithmetic, 7)]);
        assert_eq!((seen.count(StatePart::Handlers), seen.count(StatePart::Mask)), (2, 0));
        let json =
            json!({ "counts": { "handlers": 2, "arithmetic": 7 }, "lost": ["handlers"], "function": null });
        assert_eq!(seen.to_json(), json);
        assert_eq!(StateChanges::of(&StateRecord::default(), &[]), StateChanges::default());
    }
}

//! What a contract says of worn workers, and of the state of their processes.

use std::time::Duration;

use crate::options::Options;
use crate::recycle::Recycle;
use crate::retries::Retries;
use crate::state::StatePart;

/// The contract's table `recycle`. What it says nothing of is as it is by default.
#[derive(Debug, Clone)]
pub struct RecycleLines {
    /// [`Recycle::calls`].
    pub calls: Option<u64>,
    /// [`Recycle::age`], in milliseconds.
    pub age_ms: Option<u64>,
    /// [`Recycle::memory`].
    pub memory: Option<u64>,
    /// [`Recycle::memory_for`], in milliseconds.
    pub memory_for_ms: Option<u64>,
    /// [`Recycle::descriptors`].
    pub descriptors: Option<u64>,
    /// [`Recycle::threads`].
    pub threads: Option<u64>,
    /// [`Recycle::leaked`].
    pub leaked: Option<u64>,
    /// [`Recycle::patience`], in milliseconds.
    pub patience_ms: Option<u64>,
    /// [`Recycle::probe`], in milliseconds.
    pub probe_ms: Option<u64>,
}

impl RecycleLines {
    /// As in a contract that says nothing.
    pub const DEFAULT: RecycleLines = RecycleLines {
        calls: None,
        age_ms: None,
        memory: None,
        memory_for_ms: None,
        descriptors: None,
        threads: None,
        leaked: None,
        patience_ms: None,
        probe_ms: None,
    };

    /// The options of a session of the package. What those say themselves holds.
    pub fn with(&self, options: Options) -> Options {
        let recycle = options.recycle.unwrap_or_else(|| self.recycle());
        Options { recycle: Some(recycle), ..options }
    }

    fn recycle(&self) -> Recycle {
        let otherwise = Recycle::default();
        let time = |milliseconds: Option<u64>| milliseconds.map(Duration::from_millis);
        Recycle {
            every: otherwise.every,
            calls: self.calls.or(otherwise.calls),
            age: time(self.age_ms).or(otherwise.age),
            memory: self.memory.or(otherwise.memory),
            memory_for: time(self.memory_for_ms).unwrap_or(otherwise.memory_for),
            descriptors: self.descriptors.or(otherwise.descriptors),
            threads: self.threads.or(otherwise.threads),
            leaked: self.leaked.or(otherwise.leaked),
            patience: time(self.patience_ms).or(otherwise.patience),
            probe: time(self.probe_ms).or(otherwise.probe),
        }
    }
}

/// Options of a session of a package whose contract lets the library leave these parts of its process's state changed. What the
/// options say themselves holds.
pub fn leaving(options: Options, parts: &[StatePart]) -> Options {
    let leaves = options.leaves.unwrap_or_else(|| parts.to_vec());
    Options { leaves: Some(leaves), ..options }
}

/// Options of a session of a package whose contract says how often calls are made. What the options say themselves holds.
pub fn trying(options: Options, tries: u32) -> Options {
    let retries = options.retries.unwrap_or(Retries { tries, ..Retries::default() });
    Options { retries: Some(retries), ..options }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_say_how_often_calls_are_made_before_the_contract_does() {
        let of = |options| trying(options, 5).retries.map(|retries| retries.tries);
        assert_eq!(of(Options::default()), Some(5));
        assert_eq!(of(Options { retries: Some(Retries::NEVER), ..Options::default() }), Some(1));
    }

    #[test]
    fn options_say_what_may_be_left_before_the_contract_does() {
        let of_contract = leaving(Options::default(), &[StatePart::Locale]);
        assert_eq!(of_contract.leaves, Some(vec![StatePart::Locale]));
        let own = Options { leaves: Some(Vec::new()), ..Options::default() };
        assert_eq!(leaving(own, &[StatePart::Locale]).leaves, Some(Vec::new()));
    }

    #[test]
    fn options_hold_before_the_contract_and_that_before_the_defaults() {
        let lines = RecycleLines { calls: Some(7), probe_ms: Some(9), ..RecycleLines::DEFAULT };
        let of_contract = lines.with(Options::default()).recycle.unwrap();
        let expected =
            Recycle { calls: Some(7), probe: Some(Duration::from_millis(9)), ..Recycle::default() };
        assert_eq!(of_contract, expected);
        let own = Recycle { threads: None, ..Recycle::default() };
        let of_options = lines.with(Options { recycle: Some(own.clone()), ..Options::default() });
        assert_eq!(of_options.recycle, Some(own));
    }
}

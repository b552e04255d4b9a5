//! When a worker is worn, as the contract says it.

use serde::{Deserialize, Serialize};

/// The contract's table `recycle`: what it says nothing of is as it is by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecycleLines {
    /// Calls that a worker may serve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<u64>,
    /// How old it may get, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<u64>,
    /// Bytes that it may have in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// How long it may have more, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_for_ms: Option<u64>,
    /// Descriptors more than the fewest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptors: Option<u64>,
    /// Threads more than the fewest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<u64>,
    /// Live bytes that only grow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaked: Option<u64>,
    /// How long it stays for the sake of objects, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience_ms: Option<u64>,
    /// How long it may owe an answer, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe_ms: Option<u64>,
}

impl RecycleLines {
    /// Whether the contract may as well have said nothing.
    pub fn is_default(&self) -> bool {
        *self == RecycleLines::default()
    }

    /// What was said, by name.
    pub fn said(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let lines = [
            ("calls", self.calls),
            ("age_ms", self.age_ms),
            ("memory", self.memory),
            ("memory_for_ms", self.memory_for_ms),
            ("descriptors", self.descriptors),
            ("threads", self.threads),
            ("leaked", self.leaked),
            ("patience_ms", self.patience_ms),
            ("probe_ms", self.probe_ms),
        ];
        lines.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}

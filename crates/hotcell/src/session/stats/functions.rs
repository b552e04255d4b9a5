//! What is known of the functions of a session, one by one.

use std::collections::BTreeMap;

use hotcell_protocol::ErrorKind;
use serde_json::{Value, json};

use crate::latency::Latency;
use crate::memory::{Heap, HeapCount};
use crate::session::Session;

/// What is known of a function of the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionStats {
    /// Its name. Empty for batches as a whole, which have faults only.
    pub name: &'static str,
    /// Calls of it that were sent since the session was opened: those in batches, those from callbacks and those that release
    /// objects among them, and each try of one that was made again.
    pub calls: u64,
    /// Those that the library itself reported as failed.
    pub errors: u64,
    /// Those that met a fault. Of a batch that did, none of its entries counts here.
    pub faults: u64,
    /// What calls of it have allocated, in the worker that serves, and nobody freed since.
    pub live: HeapCount,
    /// How long they took, from the sending to the reply, as far as they were timed: calls that a thread waits for, one by one, and that
    /// do not call back. The first few of each caller, and then one of 64.
    pub latency: Latency,
}

impl FunctionStats {
    /// As JSON.
    pub fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "calls": self.calls,
            "errors": self.errors,
            "faults": self.faults,
            "live_bytes": self.live.bytes,
            "live_blocks": self.live.blocks,
            "latency": (self.latency.samples() > 0).then(|| self.latency.to_json()),
        })
    }
}

impl Session {
    /// The functions that were called, or have memory, in the order of the package.
    pub(super) fn functions_seen(&self, heap: Option<&Heap>) -> Vec<FunctionStats> {
        let mut faults: BTreeMap<&'static str, u64> = BTreeMap::new();
        for ((name, _), count) in self.shared.facts.faults.lock().iter() {
            *faults.entry(name).or_default() += count;
        }
        let live: BTreeMap<&str, HeapCount> =
            heap.into_iter().flat_map(|heap| heap.functions.iter().copied()).collect();
        let names = self.functions().iter().map(|function| function.name).enumerate();
        let seen = names.map(|(index, name)| {
            let (mut calls, mut errors, mut latency) = (0, 0, Latency::default());
            for tally in &self.shared.tallies {
                tally.add_to(index, (&mut calls, &mut errors), &mut latency);
            }
            let (faults, live) =
                (faults.remove(name).unwrap_or(0), live.get(name).copied().unwrap_or_default());
            FunctionStats { name, calls, errors, faults, live, latency }
        });
        let mut seen: Vec<FunctionStats> = seen.filter(FunctionStats::is_of_interest).collect();
        // Of batches.
        seen.extend(faults.into_iter().map(|(name, faults)| FunctionStats {
            name,
            calls: 0,
            errors: 0,
            faults,
            live: HeapCount::default(),
            latency: Latency::default(),
        }));
        seen
    }

    /// A call has met this fault: of this function, which has no name where it was a batch.
    #[cold]
    pub(crate) fn count_fault(&self, function: &'static str, kind: ErrorKind) {
        *self.shared.facts.faults.lock().entry((function, kind)).or_default() += 1;
    }
}

impl FunctionStats {
    fn is_of_interest(&self) -> bool {
        self.calls > 0 || self.faults > 0 || self.live != HeapCount::default()
    }
}

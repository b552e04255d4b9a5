//! Lanes that have served for long: for tests of what happens when their counters wrap.

use super::{WorkerChannel, WorkerLane, call_head};
use crate::geometry;

impl WorkerLane {
    /// The lane after calls without number: the last commit word of each slot, and how many calls there were.
    pub(crate) fn age(&mut self, commit: u32, calls: u32) {
        let all = [commit; geometry::SLOTS];
        (self.next, self.calls, self.resumes, self.replies) = (calls, all, all, all);
    }
}

impl WorkerChannel {
    /// Whether the worker would take another call now.
    pub(crate) fn has_call(&self, lane: &mut WorkerLane, index: u32) -> bool {
        (0..geometry::SLOTS).any(|slot| {
            let (line, expected) = self.expected(index, lane, slot);
            line.load::<u32>(call_head::COMMIT) == expected
        })
    }
}

//! What a worker refused its library, of system calls and of memory: it comes with the library's next failure, as a hint.

use hotcell_shm::{HeapSegment, HostChannel};

use super::Live;
use crate::denied::Refused;
use crate::memory::Shortage;

/// How often it did so, up to some time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Refusals {
    calls: u32,
    memory: u64,
}

/// What the failures of one lane were told.
#[derive(Debug, Default)]
pub(super) struct Hints {
    told: Refusals,
    /// Where calls are in flight behind the one that is judged: what there was before the next of them was sent. What came later
    /// may be the doing of either, and is told with both.
    behind: Option<Refusals>,
}

impl Live {
    /// How often the library was refused something so far.
    #[inline]
    pub(crate) fn refusals(&self) -> Refusals {
        let (channel, heap): (&HostChannel, &HeapSegment) = (self.worker.channel(), self.worker.heap());
        Refusals { calls: channel.refusals(), memory: heap.refusals() }
    }

    /// The next call to fail is one of those in flight, and behind it another is that was sent when there was so much.
    #[inline]
    pub(crate) fn is_judged_before(&mut self, next: Option<Refusals>) {
        self.hints.behind = next;
    }

    /// What the sandbox refused that no failure was told.
    pub(crate) fn new_refusals(&mut self) -> Option<Refused> {
        let (channel, hints) = (self.worker.channel(), &mut self.hints);
        if channel.refusals() == hints.told.calls {
            return None;
        }
        let refused = Refused::since(hints.told.calls, &channel.refused()?)?;
        let all = hints.told.calls.wrapping_add(refused.count);
        hints.told.calls = hints.behind.map_or(all, |behind| behind.calls);
        Some(refused)
    }

    /// That the library was refused memory, if no failure was told.
    pub(crate) fn new_shortage(&mut self) -> Option<Shortage> {
        let (refused, hints) = (self.worker.heap().refused()?, &mut self.hints);
        let told = hints.behind.map_or(refused.count, |behind| behind.memory);
        let before = std::mem::replace(&mut hints.told.memory, told);
        (refused.count != before).then(|| Shortage::of(&refused))
    }
}

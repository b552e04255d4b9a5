//! What a worker notes of its library's memory: whatever is there, the host makes numbers and a bounded text of it.

use hotcell_protocol::wire::heap_fault;
use hotcell_shm::{Access, HeapSegment};

use super::memory;
use crate::Target;
use crate::script::Script;

pub(crate) const TARGET: Target = Target {
    name: "heap",
    about: "anything in the memory where a worker counts what its library allocates, and notes what was done to a block: counts are never less than nothing, and what is noted is no longer than there is room for",
    longest: 1024,
    short: 2_000,
    run,
};

const FUNCTIONS: u32 = 5;

fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let limit = (script.below(2) == 0).then_some(1 << 20);
    let (file, heap) = HeapSegment::create(FUNCTIONS, limit).expect("there is memory for a segment");
    let worker = file.map(Access::ReadWrite).expect("there is room for a map");
    while !script.is_over() {
        match script.below(3) {
            0 => memory::scribble(&mut script, &worker),
            // A word at the beginning, where what was noted lies.
            1 => worker.store(8 * script.below(64), script.near(&[0, 1, 2, 7, 1 << 32, u64::MAX])),
            _ => worker.store(hotcell_shm::HEAP_FAULT + 4 * script.below(16), script.u32() % 16),
        }
        if let Some(refused) = heap.refused() {
            assert!(refused.count > 0 && refused.limit.is_none_or(|it| Some(it) == limit));
        }
        if let Some(fault) = heap.fault() {
            assert!(fault.text.len() <= heap_fault::SIZE - heap_fault::TEXT, "{}", fault.text.len());
        }
        for function in (0..FUNCTIONS).map(Some).chain([None]) {
            let count = heap.count(function);
            assert!(i64::try_from(count.bytes).is_ok() && i64::try_from(count.blocks).is_ok(), "{count:?}");
        }
        let _ = (heap.coverage(), heap.refusals());
    }
}

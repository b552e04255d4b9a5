//! The heap segment: what a library has of memory, as its worker counts it.
//!
//! The worker writes all of it but the length, so nothing here is believed: sums wrap, texts are lossy, and whoever shows a
//! number says whose word it is.

use hotcell_protocol::wire::{self, HeapFault, heap_count, heap_fault, heap_head, stack_record};
use rustix::io::Result;

use crate::mapping::Mapping;
use crate::memfd::{Seals, SegmentFile};

/// Offset of the record of what was done to a guarded block.
pub const HEAP_FAULT: usize = heap_head::SIZE;

/// The segment as the host reads it.
#[derive(Debug)]
pub struct HeapSegment {
    mapping: Mapping,
    functions: u32,
    limit: Option<u64>,
}

/// Memory that is allocated and was not freed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeapCount {
    /// Bytes, as they were asked for.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
}

/// That a library was refused memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeapRefusal {
    /// How often, so far.
    pub count: u64,
    /// Bytes it asked for the last time.
    pub wanted: u64,
    /// Bytes it had then.
    pub live: u64,
    /// Its limit, if that refused them, and not the system.
    pub limit: Option<u64>,
    /// Whether the thread that ended the worker was refused some, a serving thread in that call.
    pub fatal: bool,
}

/// What was done to a guarded block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeapFaultRecord {
    /// What it was.
    pub kind: HeapFault,
    /// The address that was used or freed; 0 where that was found out later.
    pub address: u64,
    /// Address of the block.
    pub block: u64,
    /// Bytes of the block.
    pub size: u64,
    /// The frames, as `heap_fault` has them. Not escaped.
    pub text: Vec<u8>,
}

/// The stack of the thread that ended a worker, by that worker's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackRecord {
    /// Where it was.
    pub pc: u64,
    /// Its stack pointer.
    pub sp: u64,
    /// Its frame pointer.
    pub link: u64,
    /// Its link register, on machines that have one.
    pub back: u64,
    /// The address of the first of the bytes.
    pub from: u64,
    /// The stack from there on.
    pub bytes: Vec<u8>,
}

/// Bytes of a heap segment for so many functions.
pub const fn heap_length(functions: u32) -> usize {
    heap_stack(functions) + stack_record::SIZE
}

/// Offset of the stack record in a heap segment for so many functions.
pub const fn heap_stack(functions: u32) -> usize {
    wire::HEAP_COUNTS + wire::HEAP_SHARDS * heap_shard(functions)
}

/// Bytes of a shard.
pub const fn heap_shard(functions: u32) -> usize {
    ((functions as usize + 1) * heap_count::SIZE).next_multiple_of(wire::LINE)
}

impl HeapSegment {
    /// Makes a segment, and the file to be sent to the worker. The limit is for reports.
    pub fn create(functions: u32, limit: Option<u64>) -> Result<(SegmentFile, HeapSegment)> {
        let (file, mapping) = SegmentFile::create(heap_length(functions), Seals::Reply)?;
        Ok((file, HeapSegment { mapping, functions, limit }))
    }

    /// What a function has allocated that was not freed; without an index, what was allocated outside of every function: while
    /// the library was loaded, and by its own threads.
    pub fn count(&self, function: Option<u32>) -> HeapCount {
        let entry = function.map_or(0, |index| index as usize + 1);
        assert!(entry <= self.functions as usize, "the segment has no such function");
        let shards = (0..wire::HEAP_SHARDS).map(|shard| {
            let at = wire::HEAP_COUNTS + shard * heap_shard(self.functions) + entry * heap_count::SIZE;
            (
                self.mapping.load::<u64>(at + heap_count::BYTES),
                self.mapping.load::<u64>(at + heap_count::BLOCKS),
            )
        });
        let sum = shards
            .fold((0u64, 0u64), |sum, shard| (sum.0.wrapping_add(shard.0), sum.1.wrapping_add(shard.1)));
        // A block may be counted by one thread and taken off by another between two of the loads.
        let positive = |number: u64| u64::try_from(number as i64).unwrap_or(0);
        HeapCount { bytes: positive(sum.0), blocks: positive(sum.1) }
    }

    /// The stack of the thread that ended the worker, if it left one.
    pub fn stack(&self) -> Option<StackRecord> {
        const BYTES: usize = stack_record::SIZE - stack_record::BYTES;
        let at = heap_stack(self.functions);
        let number = |offset| self.mapping.load::<u64>(at + offset);
        let length = usize::try_from(number(stack_record::LENGTH)).ok().filter(|&length| length != 0)?;
        let mut bytes = vec![0; length.min(BYTES)];
        self.mapping.copy_out(at + stack_record::BYTES, &mut bytes);
        Some(StackRecord {
            pc: number(stack_record::PC),
            sp: number(stack_record::SP),
            link: number(stack_record::LINK),
            back: number(stack_record::BACK),
            from: number(stack_record::FROM),
            bytes,
        })
    }

    /// How many functions it counts for.
    pub fn functions(&self) -> u32 {
        self.functions
    }

    /// How often the library was refused memory.
    pub fn refusals(&self) -> u64 {
        self.mapping.load(heap_head::REFUSED)
    }

    /// That the library was refused memory, if it was.
    pub fn refused(&self) -> Option<HeapRefusal> {
        let count = self.refusals();
        (count != 0).then(|| HeapRefusal {
            count,
            wanted: self.mapping.load(heap_head::WANTED),
            live: self.mapping.load(heap_head::LIVE),
            limit: self.limit.filter(|_| self.mapping.load::<u32>(heap_head::BY_LIMIT) == 1),
            fatal: self.mapping.load::<u32>(heap_head::SHORT) == 1,
        })
    }

    /// How many blocks were guarded, and of how many that were to be.
    pub fn coverage(&self) -> (u64, u64) {
        (self.mapping.load(heap_head::GUARDED), self.mapping.load(heap_head::CHOSEN))
    }

    /// What was done to a guarded block, if the worker noted that.
    pub fn fault(&self) -> Option<HeapFaultRecord> {
        const TEXT: usize = heap_fault::SIZE - heap_fault::TEXT;
        let kind = HeapFault::from_raw(self.mapping.load(HEAP_FAULT + heap_fault::KIND))?;
        let length: u32 = self.mapping.load(HEAP_FAULT + heap_fault::TEXT_LENGTH);
        let mut text = vec![0; (length as usize).min(TEXT)];
        self.mapping.copy_out(HEAP_FAULT + heap_fault::TEXT, &mut text);
        Some(HeapFaultRecord {
            kind,
            address: self.mapping.load(HEAP_FAULT + heap_fault::ADDRESS),
            block: self.mapping.load(HEAP_FAULT + heap_fault::BLOCK),
            size: self.mapping.load(HEAP_FAULT + heap_fault::BYTES),
            text,
        })
    }
}

const _: () = assert!(HEAP_FAULT + heap_fault::SIZE == wire::HEAP_COUNTS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_summed_over_the_shards_as_they_wrap() {
        let (file, heap) = HeapSegment::create(3, None).unwrap();
        let worker = file.map(crate::Access::ReadWrite).unwrap();
        let at =
            |shard: usize, entry: usize| wire::HEAP_COUNTS + shard * heap_shard(3) + entry * heap_count::SIZE;
        worker.store(at(0, 2), 100u64);
        worker.store(at(0, 2) + 8, 3u64);
        // Another thread has freed one of them.
        worker.store(at(31, 2), (-40i64) as u64);
        worker.store(at(31, 2) + 8, (-1i64) as u64);
        assert_eq!(heap.count(Some(1)), HeapCount { bytes: 60, blocks: 2 });
        assert_eq!((heap.count(None), heap.count(Some(2))), Default::default());
        worker.store(at(0, 0), (-1i64) as u64);
        assert_eq!(heap.count(None).bytes, 0, "never less than nothing");
    }

    #[test]
    fn what_a_worker_notes_is_cut_to_what_there_is() {
        let (file, heap) = HeapSegment::create(0, Some(9)).unwrap();
        let worker = file.map(crate::Access::ReadWrite).unwrap();
        assert_eq!((heap.fault(), heap.refused()), (None, None));
        worker.store(HEAP_FAULT + heap_fault::TEXT_LENGTH, u32::MAX);
        worker.store(HEAP_FAULT + heap_fault::KIND, 77u32);
        assert_eq!(heap.fault(), None, "an unknown kind");
        worker.store(HEAP_FAULT + heap_fault::KIND, HeapFault::DoubleFree.raw());
        let fault = heap.fault().unwrap();
        assert_eq!((fault.kind, fault.text.len()), (HeapFault::DoubleFree, 4000));
        worker.store(heap_head::REFUSED, 2u64);
        worker.store(heap_head::BY_LIMIT, 1u32);
        let refused = heap.refused().unwrap();
        assert!(refused.limit == Some(9) && !refused.fatal && refused.count == 2);
    }
}

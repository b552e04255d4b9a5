//! The library's memory as callers see it: what it has, what it was refused, and what was done to guarded blocks.
//!
//! All of it is what the worker counted and noted: a library that is hostile enough can make it up.

use std::fmt;

use hotcell_protocol::wire::{self, Guard};
use hotcell_shm::{HeapFaultRecord, HeapRefusal, HeapSegment};
use hotcell_supervisor::escape;
use serde_json::{Value, json};

use crate::rt::Function;

/// What a library has of memory in its worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heap {
    /// All of it.
    pub total: HeapCount,
    /// What was allocated outside of every call: while the library was loaded, and by its own threads.
    pub outside: HeapCount,
    /// What calls of a function allocated and nobody freed since: those functions that have some, in the order of the package.
    pub functions: Vec<(&'static str, HeapCount)>,
    /// How often the library was refused memory.
    pub refused: u64,
    /// Of a guard: how many blocks it guarded so far, and of how many that it was to guard.
    pub coverage: Option<Coverage>,
}

/// Memory that is allocated and was not freed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeapCount {
    /// Bytes, as they were asked for.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
}

/// What became of blocks that were to be guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// Those that were.
    pub guarded: u64,
    /// All of them: with [`Guard::Sampled`] those that were chosen, with [`Guard::All`] every one.
    pub chosen: u64,
}

/// That the library was refused memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// The limit on its memory; none where the system had no more.
    pub limit: Option<u64>,
    /// Bytes that it asked for.
    pub wanted: u64,
    /// Bytes that it had.
    pub live: u64,
}

/// What was done to a guarded block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeapFault {
    /// What it was.
    pub kind: HeapFaultKind,
    /// The address that was used or freed.
    pub address: Option<u64>,
    /// The block's address.
    pub block: u64,
    /// Bytes of the block.
    pub size: u64,
    /// The stack where it was used or freed; where [`Error::message`](crate::Error::message) says that it was found when the
    /// block was freed, that of this free.
    pub used: Vec<Frame>,
    /// The stack where the block was allocated.
    pub allocated: Vec<Frame>,
    /// The stack where the block was freed; empty while it was not.
    pub freed: Vec<Frame>,
}

/// What was done to a guarded block, in the words of the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeapFaultKind {
    /// Bytes behind it were used.
    BufferOverflow,
    /// Bytes before it were used.
    BufferUnderflow,
    /// It was used when it had been freed.
    UseAfterFree,
    /// It was freed twice.
    DoubleFree,
    /// An address was freed that is no block's.
    InvalidFree,
}

/// A frame of a stack: where a function returns to, or, of the innermost one, where the thread was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The file that the code is from.
    pub module: String,
    /// Where in the module.
    pub offset: u64,
    /// The exported function that it is in, where there is one that was looked for.
    pub symbol: Option<String>,
    /// Whether the thread was there, and not to come back there.
    pub(crate) is_first: bool,
}

impl Heap {
    pub(crate) fn of(heap: &HeapSegment, functions: &'static [Function], guard: Guard) -> Heap {
        let count = |function| HeapCount::of(heap.count(function));
        let known = functions.iter().take(heap.functions() as usize).zip(0..);
        let functions: Vec<_> = known
            .map(|(function, index)| (function.name, count(Some(index))))
            .filter(|(_, count)| *count != HeapCount::default())
            .collect();
        let outside = count(None);
        let sum = |of: fn(&HeapCount) -> u64| {
            functions.iter().fold(of(&outside), |sum, (_, count)| sum.saturating_add(of(count)))
        };
        let total = HeapCount { bytes: sum(|count| count.bytes), blocks: sum(|count| count.blocks) };
        let (guarded, chosen) = heap.coverage();
        let coverage = (guard != Guard::None).then_some(Coverage { guarded, chosen });
        Heap { total, outside, functions, refused: heap.refusals(), coverage }
    }

    /// What calls of this function allocated and nobody freed since.
    pub fn of_function(&self, name: &str) -> HeapCount {
        self.functions
            .iter()
            .find(|(function, _)| *function == name)
            .map_or_else(HeapCount::default, |it| it.1)
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        let count = |count: &HeapCount| json!({ "bytes": count.bytes, "blocks": count.blocks });
        let functions = self.functions.iter().map(|(name, of)| ((*name).to_owned(), count(of)));
        json!({
            "total": count(&self.total),
            "outside": count(&self.outside),
            "functions": functions.collect::<serde_json::Map<_, _>>(),
            "refused": self.refused,
            "coverage": self.coverage.map(|it| json!({ "guarded": it.guarded, "chosen": it.chosen })),
        })
    }
}

impl fmt::Display for Heap {
    /// A line for all of it, and one for each part.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "allocated and not freed: {}", self.total)?;
        for (name, count) in &self.functions {
            write!(f, "\n  {name}: {count}")?;
        }
        if self.outside != HeapCount::default() {
            write!(f, "\n  outside of calls: {}", self.outside)?;
        }
        if self.refused > 0 {
            write!(f, "\nrefused: {} times", self.refused)?;
        }
        match self.coverage {
            Some(Coverage { guarded, chosen }) => write!(f, "\nguarded: {guarded} of {chosen} blocks"),
            None => Ok(()),
        }
    }
}

impl HeapCount {
    fn of(count: hotcell_shm::HeapCount) -> HeapCount {
        HeapCount { bytes: count.bytes, blocks: count.blocks }
    }
}

impl fmt::Display for HeapCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        write!(f, "{} in {}", many(self.bytes, "byte"), many(self.blocks, "block"))
    }
}

impl Shortage {
    pub(crate) fn of(refusal: &HeapRefusal) -> Shortage {
        Shortage { limit: refusal.limit, wanted: refusal.wanted, live: refusal.live }
    }

    pub(crate) fn to_json(self) -> Value {
        json!({ "limit": self.limit, "wanted": self.wanted, "live": self.live })
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shortage { limit, wanted, live } = self;
        write!(f, "the library was refused {wanted} bytes when it had {live}")?;
        match limit {
            Some(limit) => write!(f, " of the {limit} that it may have"),
            None => f.write_str(": the system had no more for it"),
        }
    }
}

impl HeapFault {
    pub(crate) fn of_record(record: &HeapFaultRecord) -> HeapFault {
        let text = String::from_utf8_lossy(&record.text);
        let frames = |what: char| {
            let lines = text.lines().filter_map(|line| line.strip_prefix(what)?.strip_prefix(' '));
            lines.filter_map(Frame::read).collect()
        };
        HeapFault {
            kind: HeapFaultKind::of(record.kind),
            address: Some(record.address).filter(|address| *address != 0),
            block: record.block,
            size: record.size,
            used: frames('u'),
            allocated: frames('a'),
            freed: frames('f'),
        }
    }

    /// Where the address lies, seen from the block.
    fn place(&self) -> Option<String> {
        let address = self.address?;
        Some(
            match (address.checked_sub(self.block), address.checked_sub(self.block.saturating_add(self.size)))
            {
                (None, _) => format!("{} bytes before", self.block - address),
                (_, Some(behind)) => format!("{behind} bytes behind"),
                (Some(0), _) => "at the start of".to_owned(),
                (Some(inside), _) => format!("{inside} bytes into"),
            },
        )
    }

    pub(crate) fn to_json(&self) -> Value {
        let frames = |frames: &[Frame]| -> Vec<Value> { frames.iter().map(Frame::to_json).collect() };
        json!({
            "kind": self.kind.name(),
            "address": self.address.map(|address| format!("{address:#x}")),
            "block": format!("{:#x}", self.block),
            "size": self.size,
            "used": frames(&self.used),
            "allocated": frames(&self.allocated),
            "freed": frames(&self.freed),
        })
    }

    /// The stacks, as lines below an error.
    pub(crate) fn stacks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stacks = [("used", &self.used), ("allocated", &self.allocated), ("freed", &self.freed)];
        for (what, frames) in stacks.into_iter().filter(|(_, frames)| !frames.is_empty()) {
            write!(f, "\n  {what} at:")?;
            frames.iter().try_for_each(|frame| write!(f, "\n    {frame}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for HeapFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind.name())?;
        if let Some(place) = self.place() {
            write!(f, " {place} a block of {} bytes", self.size)?;
        }
        Ok(())
    }
}

impl HeapFaultKind {
    fn of(kind: wire::HeapFault) -> HeapFaultKind {
        match kind {
            wire::HeapFault::BufferOverflow => HeapFaultKind::BufferOverflow,
            wire::HeapFault::BufferUnderflow => HeapFaultKind::BufferUnderflow,
            wire::HeapFault::UseAfterFree => HeapFaultKind::UseAfterFree,
            wire::HeapFault::DoubleFree => HeapFaultKind::DoubleFree,
            wire::HeapFault::InvalidFree => HeapFaultKind::InvalidFree,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            HeapFaultKind::BufferOverflow => "heap-buffer-overflow",
            HeapFaultKind::BufferUnderflow => "heap-buffer-underflow",
            HeapFaultKind::UseAfterFree => "use-after-free",
            HeapFaultKind::DoubleFree => "double-free",
            HeapFaultKind::InvalidFree => "invalid-free",
        }
    }
}

impl Frame {
    pub(crate) fn to_json(&self) -> Value {
        json!({ "module": self.module, "offset": format!("{:#x}", self.offset), "symbol": self.symbol })
    }

    /// `module+0x12 symbol`.
    fn read(line: &str) -> Option<Frame> {
        let (place, symbol) = match line.rsplit_once("+0x") {
            Some((module, rest)) => match rest.split_once(' ') {
                Some((offset, symbol)) => ((module, offset), Some(symbol)),
                None => ((module, rest), None),
            },
            None => return None,
        };
        let offset = u64::from_str_radix(place.1, 16).ok()?;
        Some(Frame { module: escape(place.0), offset, symbol: symbol.map(escape), is_first: false })
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:#x}", self.module, self.offset)?;
        self.symbol.as_ref().map_or(Ok(()), |symbol| write!(f, " {symbol}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: wire::HeapFault, address: u64, text: &str) -> HeapFault {
        let text = text.as_bytes().to_vec();
        HeapFault::of_record(&HeapFaultRecord { kind, address, block: 0x1000, size: 24, text })
    }

    #[test]
    fn places_are_told_from_the_block() {
        let told = |address| fault(wire::HeapFault::BufferOverflow, address, "").to_string();
        assert_eq!(told(0x1018), "heap-buffer-overflow 0 bytes behind a block of 24 bytes");
        assert_eq!(told(0xfff), "heap-buffer-overflow 1 bytes before a block of 24 bytes");
        assert_eq!(told(0x1000), "heap-buffer-overflow at the start of a block of 24 bytes");
        assert_eq!(told(0x1003), "heap-buffer-overflow 3 bytes into a block of 24 bytes");
        assert_eq!(told(0), "heap-buffer-overflow");
    }

    #[test]
    fn frames_are_read_as_far_as_they_are_frames() {
        let text = "a libz.so.1+0x1f0 deflate\nu odd+name+0x2\nf libc\x1b[2J+0x3 a\x07b\nnothing\na x+0xzz\na libz.so";
        let HeapFault { used, allocated, freed, .. } = fault(wire::HeapFault::UseAfterFree, 0x1000, text);
        let told = |frames: &[Frame]| frames.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(told(&allocated), ["libz.so.1+0x1f0 deflate"]);
        assert_eq!(told(&used), ["odd+name+0x2"]);
        assert_eq!(told(&freed), ["libc\\u{1b}[2J+0x3 a\\u{7}b"]);
    }
}

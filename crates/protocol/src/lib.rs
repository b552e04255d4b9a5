//! What a host and its worker say to each other: layouts, packets, error kinds. Pure data.

#![forbid(unsafe_code)]

use std::fmt;

pub mod errors;
pub mod wire;

pub use errors::{ErrorKind, LimitExceededReason, UnavailableReason};

/// When the same call may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// It would fail again, or do harm.
    Never,
    /// Only when the contract calls the function idempotent: it may have been executed.
    Idempotent,
    /// After a while, whatever the function: nothing was executed.
    Later,
}

impl Retry {
    /// The word that stands for it in JSON and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Idempotent => "idempotent",
            Self::Later => "later",
        }
    }
}

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether the library executed a call that failed. Evidence, not hope:
///
/// - `No` only if the host never published the request. What was not published cannot have been read.
/// - After publication every fault is `Maybe`, whatever the worker wrote about itself before it died.
/// - `Yes` only once a validated reply was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Executed {
    /// The request was never published.
    No,
    /// The request was published and no validated reply came back.
    Maybe,
    /// A validated reply came back.
    Yes,
}

impl Executed {
    /// The word that stands for it in JSON and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Maybe => "maybe",
            Self::Yes => "yes",
        }
    }
}

impl fmt::Display for Executed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where variable data lies in a channel: a segment's number and an offset in bytes, in one word.
///
/// A place says nothing about whether the segment exists or the offset lies in it; who got it from
/// the other side checks that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Place(u64);

impl Place {
    /// The place of a null pointer.
    pub const NULL: Self = Self(wire::PLACE_NULL);

    /// First offset a place cannot express.
    pub const OFFSET_END: u64 = 1 << wire::PLACE_SEGMENT_SHIFT;

    /// The place `offset` bytes into a segment.
    ///
    /// # Panics
    ///
    /// If `offset` is not below [`Place::OFFSET_END`] or `segment` not below [`wire::MAX_SEGMENTS`].
    #[inline]
    pub const fn new(segment: u16, offset: u64) -> Self {
        assert!(offset < Self::OFFSET_END, "an offset has 48 bits");
        assert!(segment < wire::MAX_SEGMENTS, "no channel has that many segments");
        Self((segment as u64) << wire::PLACE_SEGMENT_SHIFT | offset)
    }

    /// The place a word on the wire stands for; any word is one.
    #[inline]
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The place so many bytes behind this one; none where no segment can have it, nor this one.
    #[inline]
    pub const fn behind(self, bytes: u64) -> Option<Self> {
        match self.offset().checked_add(bytes) {
            Some(offset) if offset < Self::OFFSET_END && self.segment() < wire::MAX_SEGMENTS => {
                Some(Self::new(self.segment(), offset))
            }
            _ => None,
        }
    }

    /// The word on the wire.
    #[inline]
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// The segment's number.
    #[inline]
    pub const fn segment(self) -> u16 {
        (self.0 >> wire::PLACE_SEGMENT_SHIFT) as u16
    }

    /// The offset in the segment, in bytes.
    #[inline]
    pub const fn offset(self) -> u64 {
        self.0 & (Self::OFFSET_END - 1)
    }

    /// Whether it stands for a null pointer.
    #[inline]
    pub const fn is_null(self) -> bool {
        self.0 == wire::PLACE_NULL
    }
}

/// A handle as it crosses: index, generation and type of an object in the worker's table, in one word.
///
/// Types and generations count from 1; the word 0 is no handle, and stands for NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct RawHandle(u64);

impl RawHandle {
    /// No handle.
    pub const NONE: Self = Self(0);

    /// The last generation an index may have.
    pub const LAST_GENERATION: u32 = (1 << (wire::HANDLE_TYPE_SHIFT - wire::HANDLE_GENERATION_SHIFT)) - 1;

    /// The first index that does not fit.
    pub const INDEX_END: u32 = 1 << wire::HANDLE_GENERATION_SHIFT;

    /// The handle of this type, generation and index; what does not fit is cut off.
    pub const fn new(kind: u16, generation: u32, index: u32) -> Self {
        let generation = (generation & Self::LAST_GENERATION) as u64;
        let index = (index & (Self::INDEX_END - 1)) as u64;
        Self((kind as u64) << wire::HANDLE_TYPE_SHIFT | generation << wire::HANDLE_GENERATION_SHIFT | index)
    }

    /// The handle as it lies on the wire.
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The word on the wire.
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// The type's number in the interface, from 1.
    pub const fn kind(self) -> u16 {
        (self.0 >> wire::HANDLE_TYPE_SHIFT) as u16
    }

    /// How often the index was used before, from 1.
    pub const fn generation(self) -> u32 {
        (self.0 >> wire::HANDLE_GENERATION_SHIFT) as u32 & Self::LAST_GENERATION
    }

    /// Where it stands in the worker's table.
    pub const fn index(self) -> u32 {
        self.0 as u32 & (Self::INDEX_END - 1)
    }

    /// Whether it stands for NULL.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// The version two sides speak with each other, each given as major and minor.
///
/// The major versions must be equal; the smaller minor version is in force, since a minor version
/// only adds to the one before.
pub fn negotiate(host: (u16, u16), worker: (u16, u16)) -> Result<(u16, u16), VersionMismatch> {
    if host.0 != worker.0 {
        return Err(VersionMismatch { host, worker });
    }
    Ok((host.0, host.1.min(worker.1)))
}

/// Host and worker have different major versions of the protocol and cannot talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionMismatch {
    /// Major and minor version of the host.
    pub host: (u16, u16),
    /// Major and minor version of the worker.
    pub worker: (u16, u16),
}

impl fmt::Display for VersionMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, worker } = self;
        write!(
            f,
            "the host speaks protocol {}.{}, the worker {}.{}: both must have the same major version",
            host.0, host.1, worker.0, worker.1
        )
    }
}

impl std::error::Error for VersionMismatch {}

#[cfg(test)]
mod tests;

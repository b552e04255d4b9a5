//! What goes into a call, read back: from private memory before it is sent, then from memory that this host alone writes.

use hotcell_protocol::{Place, wire};

use super::HostLane;
use crate::arena::Arena;
use crate::line::NEAR;
use crate::mapping::Mapping;

/// The most bytes that are copied at once.
const CHUNK: usize = 1 << 16;

/// Whether the call in progress was published: the start of its block lies elsewhere before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It was not.
    NotYet,
    /// It was, and may be an outer call by now.
    Already,
}

impl HostLane {
    /// Copies bytes of the argument block of the call in progress.
    pub fn copy_args(&self, sent: Sent, offset: usize, into: &mut [u8]) {
        assert!(
            offset <= wire::MAX_ARGS && into.len() <= wire::MAX_ARGS - offset,
            "arguments outside of their block"
        );
        let near = if sent == Sent::NotYet { NEAR.saturating_sub(offset).min(into.len()) } else { 0 };
        let (first, rest) = into.split_at_mut(near);
        self.near.copy_out(offset.min(NEAR), first);
        self.channel.request.copy_out(self.args() + offset + near, rest);
    }

    /// Reads data of the call in progress, of whose block so many bytes are in use, chunk by chunk. False, and nothing is read,
    /// where they do not lie in memory that data of it are copied to.
    #[must_use]
    pub fn read_data(
        &self,
        arena: &Arena,
        (sent, used): (Sent, usize),
        (place, length): (Place, u64),
        read: &mut dyn FnMut(&[u8]),
    ) -> bool {
        if place.segment() != wire::SEGMENT_REQUEST {
            let Some((mapping, offset)) = arena.lent(place, length) else { return false };
            read_chunks(mapping, offset, length as usize, read);
            return true;
        }
        let start = usize::try_from(place.offset()).ok().and_then(|offset| offset.checked_sub(self.args()));
        let end = start.and_then(|start| start.checked_add(usize::try_from(length).ok()?));
        let (Some(start), Some(end)) = (start, end.filter(|end| *end <= used.min(wire::MAX_ARGS))) else {
            return false;
        };
        let mut data = [0; wire::MAX_ARGS];
        let data = &mut data[..end - start];
        self.copy_args(sent, start, data);
        read(data);
        true
    }
}

/// Reads bytes of request memory chunk by chunk.
pub(crate) fn read_chunks(mapping: &Mapping, start: usize, length: usize, read: &mut dyn FnMut(&[u8])) {
    let mut chunk = vec![0; length.min(CHUNK)];
    let mut at = 0;
    while at < length {
        let chunk = &mut chunk[..(length - at).min(CHUNK)];
        mapping.copy_out(start + at, chunk);
        read(chunk);
        at += chunk.len();
    }
}

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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::arena::Grant;
    use crate::host::{CallHead, HostChannel};
    use crate::memfd::{Seals, SegmentFile};

    #[test]
    fn what_was_put_is_read_back_before_and_behind_the_sending() {
        let channel = HostChannel::create(1, 1, 1).unwrap();
        let (mut lane, mut arena) = (channel.lane(0), Arena::default());
        let mapping = SegmentFile::create(1 << 18, Seals::Request).unwrap().1;
        arena.add_request(Grant { id: 2, mapping });
        // The second call lies in another slot.
        for call_id in 1..=2 {
            lane.open_call();
            lane.put(0, 0x0102_0304_0506_0708_u64 + call_id);
            let near: Vec<u8> = (0..100).collect();
            lane.put_bytes(24, &near, 0);
            let far: Vec<u8> = (0..100_000).map(|at| (at % 251) as u8 + call_id as u8).collect();
            let (near_place, far_place) = (lane.args_place(24), arena.copy_in(&far, 0).unwrap());
            for sent in [Sent::NotYet, Sent::Already] {
                let mut number = [0; 8];
                lane.copy_args(sent, 0, &mut number);
                assert_eq!(u64::from_ne_bytes(number), 0x0102_0304_0506_0708 + call_id, "{sent:?}");
                let read = |place, length| {
                    let mut all = Vec::new();
                    let mut read = |bytes: &[u8]| all.extend_from_slice(bytes);
                    lane.read_data(&arena, (sent, 124), (place, length), &mut read).then_some(all)
                };
                assert_eq!(read(near_place, 100).as_ref(), Some(&near), "{sent:?}");
                assert_eq!(read(far_place, 100_000).as_ref(), Some(&far), "{sent:?}");
                // Behind what is in use, before the block, where there is no segment, and beyond one.
                let before = Place::new(wire::SEGMENT_REQUEST, near_place.offset() - 25);
                for (place, length) in
                    [(near_place, 101), (before, 1), (Place::new(3, 0), 1), (Place::new(2, 1), 1 << 18)]
                {
                    assert_eq!(read(place, length), None, "{sent:?} {place:?}");
                }
                if sent == Sent::NotYet {
                    lane.publish(CallHead { function: 0, args_length: 124, call_id, time: 0 });
                    // What is put from now on is the next call's.
                }
            }
            arena.reset();
        }
    }
}

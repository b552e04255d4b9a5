//! A channel as the process has it in which the callers are, where another one has made it and has the worker.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use hotcell_protocol::wire::{self, channel_head};
use rustix::io::{Errno, Result};

use super::HostChannel;
use crate::geometry;
use crate::mapping::Access;
use crate::memfd::{Seals, SegmentFile};

impl HostChannel {
    /// Maps the two files of a channel that another process of the host's side has made, request and reply, of so many bytes
    /// each, and seals when they are mapped here. No call is made before [`HostChannel::is_sealed`].
    pub fn join(request: OwnedFd, reply: OwnedFd, lengths: (u64, u64)) -> Result<Arc<HostChannel>> {
        let (request, reply) =
            (SegmentFile::received(request, lengths.0)?, SegmentFile::received(reply, lengths.1)?);
        let least = geometry::segment_length(1);
        if request.length() < least || reply.length() != request.length() {
            return Err(Errno::INVAL);
        }
        let maps = (request.map(Access::ReadWrite)?, reply.map(Access::ReadWrite)?);
        let lanes: u32 = maps.0.load(channel_head::LANES);
        let of_this_protocol = maps.0.load::<u64>(channel_head::MAGIC) == wire::MAGIC
            && maps.0.load::<u16>(channel_head::MAJOR) == wire::VERSION_MAJOR;
        let fits =
            (1..=wire::MAX_LANES).contains(&lanes) && geometry::segment_length(lanes) == request.length();
        if !of_this_protocol || !fits {
            return Err(Errno::PROTO);
        }
        let (epoch, generation) = (maps.0.load(channel_head::EPOCH), maps.0.load(channel_head::GENERATION));
        Ok(Arc::new(HostChannel::of((epoch, lanes, generation), (request, maps.0), (reply, maps.1))))
    }

    /// Whether the worker can have no more than it may: what it only reads is writable for nobody who has not mapped it yet.
    pub fn is_sealed(&self) -> Result<bool> {
        Ok(self.request_file.is_sealed(Seals::Request)? && self.reply_file.is_sealed(Seals::Reply)?)
    }

    /// Lanes of callers with a call that the worker says it executes, or of which it owes a reply. Hostile: one that is to be kept
    /// says so. The standing call of the dispatcher's lane, the last one, is none that anybody waits for.
    pub fn in_flight(&self) -> usize {
        (0..self.lanes().saturating_sub(1).max(1))
            .filter(|lane| self.executing(*lane).0 != 0 || self.owes(*lane))
            .count()
    }

    /// Whether what the callers of a lane have said, calls and answers, is more than the worker has replied to.
    fn owes(&self, lane: u32) -> bool {
        (0..geometry::SLOTS).map(|slot| geometry::slot(lane, slot)).any(|slot| {
            let said = |line: usize, commit| self.request.load::<u32>(slot + line + commit);
            let calls = said(wire::CALL_OFFSET, wire::call_head::COMMIT);
            let answers = said(0, wire::resume_line::COMMIT);
            calls.wrapping_add(answers) != self.reply.load::<u32>(slot + wire::reply_head::COMMIT)
        })
    }

    /// Which table of functions its calls are of.
    pub fn epoch(&self) -> u16 {
        self.epoch
    }

    /// Which worker it is the channel of.
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use std::os::fd::AsFd;

    use super::*;
    use crate::host::CallHead;

    fn joined(channel: &HostChannel) -> Result<Arc<HostChannel>> {
        let (request, reply) = channel.files();
        let clone = |file: &SegmentFile| file.as_fd().try_clone_to_owned().unwrap();
        let lengths = (request.length() as u64, reply.length() as u64);
        HostChannel::join(clone(request), clone(reply), lengths)
    }

    #[test]
    fn callers_of_another_process_write_what_its_maker_reads_and_nobody_maps_it_for_writing_later() {
        let made = HostChannel::unsealed(3, 1, 7).unwrap();
        let joined_before = joined(&made).unwrap();
        assert!(!joined_before.is_sealed().unwrap());
        made.seal().unwrap();
        assert!(joined_before.is_sealed().unwrap());
        assert_eq!((joined_before.lanes(), joined_before.generation()), (3, 7));
        assert_eq!(joined(&made).unwrap_err(), Errno::PERM, "it has come too late");
        let mut lane = joined_before.lane(0);
        lane.open_call();
        lane.publish(CallHead { function: 5, args_length: 0, call_id: 9, time: 0 });
        assert_eq!((made.published(), made.function_of(0, 9)), (1, Some(5)));
        // Before the worker has so much as seen it.
        assert_eq!((made.executing(0).0, made.in_flight()), (0, 1));
        made.reply.store(lane.reply_slot() + wire::reply_head::COMMIT, 1u32);
        assert_eq!(made.in_flight(), 0);
    }

    #[test]
    fn whatever_callers_of_another_process_write_its_maker_buries_and_counts() {
        for word in [0, 1, u32::MAX] {
            let made = HostChannel::unsealed(3, 1, 7).unwrap();
            let client = joined(&made).unwrap();
            made.seal().unwrap();
            for offset in (0..geometry::segment_length(3)).step_by(4) {
                client.request.store(offset, word);
            }
            made.bury();
            assert!(made.is_dead());
            assert_eq!((made.lanes(), made.generation(), made.epoch()), (3, 7, 1));
            let _ = (made.published(), made.wakes(), made.ended_in(), made.in_flight());
            for lane in [0, 2, 3, u32::MAX] {
                let _ = made.function_of(lane, u64::from(word));
            }
        }
    }

    #[test]
    fn files_of_another_size_or_without_their_geometry_are_no_channel() {
        let made = HostChannel::unsealed(2, 1, 1).unwrap();
        let clone = |file: &SegmentFile| file.as_fd().try_clone_to_owned().unwrap();
        let (request, reply) = made.files();
        let length = request.length() as u64;
        for lengths in [(length, length - 4096), (0, 0), (length * 2, length * 2)] {
            assert!(HostChannel::join(clone(request), clone(reply), lengths).is_err(), "{lengths:?}");
        }
        let bare = || SegmentFile::fixed(request.length()).unwrap();
        let joined = HostChannel::join(clone(&bare()), clone(&bare()), (length, length));
        assert_eq!(joined.unwrap_err(), Errno::PROTO);
    }
}

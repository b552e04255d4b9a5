//! The host's half of a channel. Everything it reads from the reply segment is hostile.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use hotcell_protocol::wire::{self, Park, ReplyState, Resume, ThreadRole};
use hotcell_protocol::{Place, wire::channel_head};
use rustix::io::Result;

use crate::arena::Arena;
use crate::atomics::{AtomicBool, AtomicU64};
use crate::doors::Doors;
use crate::eventfd::EventFd;
use crate::line::{HALVES, Head, NEAR, Near};

use crate::mapping::{Access, Line, Mapping, Plain};
use crate::memfd::{Seals, SegmentFile};
use crate::{bell, geometry};

#[cfg(not(loom))]
#[cfg(test)]
mod aged;
mod denials;
mod dozing;
mod flight;
mod joined;
pub(crate) mod sent;
mod state;
mod wait;

pub use denials::DenialRecord;
pub use sent::Sent;
pub use state::{STATE_PARTS, StateRecord};
use wait::Crowd;

/// A channel: the two segments shared with one worker, for its life.
#[derive(Debug)]
pub struct HostChannel {
    request: Mapping,
    reply: Mapping,
    request_file: SegmentFile,
    reply_file: SegmentFile,
    epoch: u16,
    /// As it was made, or judged once: what the segments say later others may have written.
    lanes: u32,
    generation: u64,
    /// Lanes that were ever taken, one bit each.
    taken: AtomicU64,
    dead: AtomicBool,
    given_up: AtomicBool,
    /// How often a commit word by which calls are counted has come to 0 again.
    wrapped: AtomicU64,
    /// By lane, where callers may sleep on them.
    eventfds: OnceLock<Vec<EventFd>>,
}

/// The caller's side of a lane. Its counters are private: the worker can neither read nor move them.
///
/// | field | who writes | meaning |
/// |---|---|---|
/// | `next` | this caller | calls of depth 0 published; the low bits choose the ring slot |
/// | `behind` | this caller | calls of depth 0 that it has published behind the one it looks at |
/// | `depth` | this caller | calls it is inside of: while one of them calls back, it may make another |
/// | `calls`, `resumes` | this caller | last commit word it wrote, by slot |
/// | `replies` | this caller | last commit word it accepted, by slot |
#[derive(Debug)]
pub struct HostLane {
    channel: Arc<HostChannel>,
    index: u32,
    next: u32,
    behind: u32,
    depth: u8,
    slot: usize,
    calls: [u32; geometry::SLOTS],
    resumes: [u32; geometry::SLOTS],
    replies: [u32; geometry::SLOTS],
    /// The start of the argument block that is being written.
    near: Near,
    /// The CPU that it said it is on.
    cpu: u32,
    /// How many messages were sent, round and round.
    rung: u32,
    /// Whether the worker slept when it was rung last.
    woke: bool,
    /// Nanoseconds in which it waited and did not run.
    stood: u64,
    crowd: Crowd,
    doors: Doors,
}

/// Bytes of a result block that lie in the line of its reply.
pub const NEAR_RESULT: usize = NEAR;

/// What a call says besides its arguments.
#[derive(Debug, Clone, Copy)]
pub struct CallHead {
    /// Function index.
    pub function: u16,
    /// Bytes of the argument block.
    pub args_length: u16,
    /// Unique for the life of this process, not 0.
    pub call_id: u64,
    /// Nanoseconds it has from now; 0 without end.
    pub time: u64,
}

/// A reply's head, copied and judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyHead {
    /// What the reply says.
    pub state: ReplyState,
    /// `errno` right after the library function.
    pub errno: i32,
    /// Bytes of the result block.
    pub result_length: u32,
    /// By state; see the wire reference.
    pub value: u64,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// A reply to the call that was waited for.
    Reply(ReplyHead),
    /// The worker is dead and had not replied.
    Dead,
    /// The time came first.
    DeadlinePassed,
    /// The worker broke this rule; it must be killed.
    Violation(&'static str),
}

/// Result data that lies where it may.
#[derive(Debug)]
pub struct Located<'a> {
    mapping: &'a Mapping,
    offset: usize,
    bytes: usize,
}

impl Located<'_> {
    /// Copies the data behind what `into` holds. False when this process has no memory for it.
    #[must_use]
    pub fn append_to(&self, into: &mut Vec<u8>) -> bool {
        self.mapping.append_to(self.offset, self.bytes, into)
    }

    /// Copies the data, if they are as many as `into` has room for. False where they are not.
    #[must_use]
    pub fn copy_to(&self, into: &mut [u8]) -> bool {
        let same = self.bytes == into.len();
        if same {
            self.mapping.copy_out(self.offset, into);
        }
        same
    }
}

/// What a worker's signal handler noted before its death. Hostile, and only evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrashRecord {
    /// Signal number.
    pub signal: i32,
    /// `si_code`.
    pub code: i32,
    /// Faulting address.
    pub address: u64,
    /// Instruction pointer.
    pub pc: u64,
    /// Stack pointer.
    pub sp: u64,
    /// Lowest address the serving thread's stack may reach.
    pub stack_low: u64,
    /// First address behind that stack.
    pub stack_high: u64,
    /// The lane whose serving thread crashed; none when it was a thread that the library made.
    pub lane: Option<u32>,
}

impl HostChannel {
    /// Makes both segments: created, mapped here, filled with their geometry, sealed. Only then may the
    /// descriptors go to a worker.
    pub fn create(lanes: u32, epoch: u16, generation: u64) -> Result<Arc<HostChannel>> {
        let channel = HostChannel::unsealed(lanes, epoch, generation)?;
        channel.seal()?;
        Ok(channel)
    }

    /// As [`HostChannel::create`], but for the seals that forbid to map them for writing: where another process has the callers, that one maps both first.
    pub fn unsealed(lanes: u32, epoch: u16, generation: u64) -> Result<Arc<HostChannel>> {
        assert!((1..=wire::MAX_LANES).contains(&lanes), "a channel has 1 to 64 lanes");
        let length = geometry::segment_length(lanes);
        let (request_file, reply_file) = (SegmentFile::fixed(length)?, SegmentFile::fixed(length)?);
        let (request, reply) = (request_file.map(Access::ReadWrite)?, reply_file.map(Access::ReadWrite)?);
        for side in [&request, &reply] {
            side.store(channel_head::MAGIC, wire::MAGIC);
            side.store(channel_head::MAJOR, wire::VERSION_MAJOR);
            side.store(channel_head::MINOR, wire::VERSION_MINOR);
            side.store(channel_head::EPOCH, epoch);
            side.store(channel_head::LANES, lanes);
            side.store(channel_head::RING_SLOTS, wire::RING_SLOTS);
            side.store(channel_head::STACK_SLOTS, wire::STACK_SLOTS);
            side.store(channel_head::SLOT_STRIDE, wire::SLOT_STRIDE as u32);
            side.store(channel_head::GENERATION, generation);
        }
        let numbers = (epoch, lanes, generation);
        Ok(Arc::new(HostChannel::of(numbers, (request_file, request), (reply_file, reply))))
    }

    fn of(
        (epoch, lanes, generation): (u16, u32, u64),
        request: (SegmentFile, Mapping),
        reply: (SegmentFile, Mapping),
    ) -> HostChannel {
        HostChannel {
            request: request.1,
            reply: reply.1,
            request_file: request.0,
            reply_file: reply.0,
            epoch,
            lanes,
            generation,
            taken: AtomicU64::new(0),
            dead: AtomicBool::new(false),
            given_up: AtomicBool::new(false),
            wrapped: AtomicU64::new(0),
            eventfds: OnceLock::new(),
        }
    }

    /// Seals both, for good. What is mapped for writing by then stays so, and nothing else ever is.
    pub fn seal(&self) -> Result<()> {
        self.request_file.seal(Seals::Request)?;
        self.reply_file.seal(Seals::Reply)
    }

    /// The request segment's file and the reply segment's.
    pub fn files(&self) -> (&SegmentFile, &SegmentFile) {
        (&self.request_file, &self.reply_file)
    }

    /// A lane for one caller at a time, which the worker's first thread serves. Each lane may be taken once in a channel's
    /// life: the counters of both sides start together.
    pub fn lane(self: &Arc<Self>, index: u32) -> HostLane {
        let lane = self.take_lane(index, Doors::CHANNEL);
        let active = self.request.peer_word64(geometry::CONTROL + wire::channel_host::ACTIVE);
        active.fetch_or(1 << index, Ordering::SeqCst);
        lane
    }

    /// A lane from 1 on for one caller at a time, which a thread of its own serves: the worker is to be told. Once in a
    /// channel's life, too.
    pub fn lane_apart(self: &Arc<Self>, index: u32) -> HostLane {
        assert!((1..self.lanes() - 1).contains(&index), "neither the first lane nor the dispatcher's");
        self.take_lane(index, Doors::of_lane(index))
    }

    /// The dispatcher lane, the last one, for the one thread that runs what the library's own threads call back. The
    /// serving thread of the worker does not look there. Once in a channel's life, too; there must be another lane.
    pub fn dispatcher_lane(self: &Arc<Self>) -> HostLane {
        let index = self.lanes() - 1;
        assert!(index > 0, "callers have the only lane");
        self.take_lane(index, Doors::of_lane(index))
    }

    fn take_lane(self: &Arc<Self>, index: u32, doors: Doors) -> HostLane {
        let before = self.taken.fetch_or(1 << index, Ordering::SeqCst);
        assert!(before & (1 << index) == 0, "a lane has one owner");
        self.request.store(geometry::lane(index) + wire::lane_host::CPU, wire::CPU_UNKNOWN);
        let zero = [0; geometry::SLOTS];
        let channel = Arc::clone(self);
        let (calls, resumes, replies, near) = (zero, zero, zero, Near::default());
        let (next, behind, depth, slot, cpu, woke, rung) = (0, 0, 0, 0, wire::CPU_UNKNOWN, false, 0);
        let crowd = Crowd::default();
        HostLane {
            channel,
            index,
            next,
            behind,
            depth,
            slot,
            calls,
            resumes,
            replies,
            near,
            cpu,
            woke,
            rung,
            stood: 0,
            crowd,
            doors,
        }
    }

    /// Says that the worker is dead and wakes every caller that sleeps on it. Only the reaper calls this,
    /// when no thread of the worker is left: from then on the reply segment has no other writer.
    pub fn bury(&self) {
        self.dead.store(true, Ordering::SeqCst);
        for lane in 0..self.lanes() {
            bell::wake(self.reply.word(geometry::lane(lane) + wire::lane_worker::BELL));
        }
    }

    /// How many lanes there are, the dispatcher's included.
    pub fn lanes(&self) -> u32 {
        self.lanes
    }

    /// Whether [`HostChannel::bury`] was called.
    #[inline]
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Says that no further call shall go to this worker. Those that are under way go on.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::SeqCst);
    }

    /// Whether [`HostChannel::give_up`] was called.
    #[inline]
    pub fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::SeqCst)
    }

    /// The call that a lane's worker says it was executing, and the entry, if that is a batch. Hostile, and only evidence.
    pub fn executing(&self, lane: u32) -> (u64, u32) {
        let line = geometry::progress(lane);
        let entry = self.reply.load(line + wire::lane_progress::ENTRY);
        (self.reply.load(line + wire::lane_progress::EXECUTING), entry)
    }

    /// How many calls were published to this worker, those from callbacks aside. The host's side alone writes what is read here: this
    /// process, or a client.
    pub fn published(&self) -> u64 {
        let ring = |lane| {
            (0..wire::RING_SLOTS).map(move |number| geometry::slot(lane, geometry::slot_of(0, number)))
        };
        let commit = |slot| slot + wire::CALL_OFFSET + wire::call_head::COMMIT;
        let turns = (0..self.lanes()).flat_map(ring).map(|slot| self.request.load::<u32>(commit(slot)));
        let turns: u64 = turns.map(u64::from).sum();
        // A word that is at it just now may be counted twice, and never not at all: that was noted first.
        turns + (self.wrapped.load(Ordering::Relaxed) << u32::BITS)
    }

    /// How often this host has woken the worker, whose thread slept, and how often the worker says it has woken callers. The
    /// second is hostile.
    pub fn wakes(&self) -> (u64, u64) {
        let lanes = || (0..self.lanes()).map(geometry::lane);
        let of_lane = |line| self.request.load::<u32>(line + wire::lane_host::DOORBELL);
        let first = self.request.load::<u32>(geometry::CONTROL + wire::channel_host::DOORBELL);
        let doorbells = lanes().map(of_lane).chain([first]).map(u64::from).sum();
        let bells = lanes().map(|line| self.reply.load::<u32>(line + wire::lane_worker::BELL));
        (doorbells, bells.map(u64::from).sum())
    }

    /// The function of a call that is, or was lately, under way on a lane, by its id.
    pub fn function_of(&self, lane: u32, call_id: u64) -> Option<u16> {
        if lane >= self.lanes() || call_id == 0 {
            return None;
        }
        let lines = (0..geometry::SLOTS).map(|slot| geometry::slot(lane, slot) + wire::CALL_OFFSET);
        let mut calls =
            lines.filter(|line| self.request.load::<u64>(line + wire::call_head::CALL_ID) == call_id);
        calls.next().map(|line| self.request.load(line + wire::call_head::FUNCTION))
    }

    /// The lane whose thread ended the worker, by a signal or by `exit`, as the worker says. Hostile, and only evidence.
    pub fn ended_in(&self) -> Option<u32> {
        self.lane_of(ThreadRole::Serving)
    }

    /// The lane whose call was to be stopped by the function that ended the worker, as the worker says. Hostile, and only evidence.
    pub fn ended_stopping(&self) -> Option<u32> {
        self.lane_of(ThreadRole::Stopping)
    }

    /// The lane for which the thread that ended the worker did this.
    fn lane_of(&self, role: ThreadRole) -> Option<u32> {
        use wire::crash_record as at;
        let did = self.reply.load::<u32>(geometry::CRASH + at::SERVING) == role.raw();
        did.then(|| self.reply.load(geometry::CRASH + at::LANE)).filter(|lane| *lane < self.lanes())
    }

    /// What the worker's signal handler noted, if anything.
    pub fn crash_record(&self) -> Option<CrashRecord> {
        use wire::crash_record as at;
        let record = CrashRecord {
            signal: self.reply.load(geometry::CRASH + at::SIGNAL),
            code: self.reply.load(geometry::CRASH + at::CODE),
            address: self.reply.load(geometry::CRASH + at::ADDRESS),
            pc: self.reply.load(geometry::CRASH + at::PC),
            sp: self.reply.load(geometry::CRASH + at::SP),
            stack_low: self.reply.load(geometry::CRASH + at::STACK_LOW),
            stack_high: self.reply.load(geometry::CRASH + at::STACK_HIGH),
            lane: self.ended_in(),
        };
        (record.signal != 0).then_some(record)
    }
}

impl HostLane {
    /// Chooses the slot of the next call. What is put from now on belongs to it. A call that is never
    /// published leaves no trace: the next one takes the same slot.
    #[inline]
    pub fn open_call(&mut self) {
        self.slot = geometry::slot_of(self.depth, self.next);
        self.channel.request.line(self.request_slot() + wire::CALL_OFFSET).expect_store();
    }

    /// Calls this caller is inside of.
    pub fn depth(&self) -> u8 {
        self.depth
    }

    /// Goes into the callback that the call under way waits for: calls from now on are nested in it. False when it
    /// is nested as deep as calls may be.
    #[must_use]
    pub fn descend(&mut self) -> bool {
        let deeper = u32::from(self.depth) < wire::STACK_SLOTS;
        self.depth += u8::from(deeper);
        deeper
    }

    /// Comes back to the call that was left by [`HostLane::descend`]; nested ones have ended, or were given up.
    pub fn ascend(&mut self) {
        assert!(self.depth > 0, "nobody comes back from the outermost call");
        self.depth -= 1;
        // The call under way is the last that was published at its depth, but for those in flight behind it.
        self.slot = geometry::slot_of(self.depth, self.next.wrapping_sub(1 + self.behind));
    }

    /// Stores a number into the argument block.
    #[inline]
    pub fn put<T: Plain>(&mut self, offset: usize, value: T) {
        if offset <= NEAR - size_of::<T>() {
            self.near.put(offset, value);
            return;
        }
        assert!(offset <= wire::MAX_ARGS - size_of::<T>(), "an argument outside of its block");
        self.channel.request.store(self.args() + offset, value);
    }

    /// Copies data, and `tail` zero bytes, into the argument block.
    #[inline]
    pub fn put_bytes(&mut self, offset: usize, bytes: &[u8], tail: usize) {
        let end = offset + bytes.len();
        assert!(end + tail <= wire::MAX_ARGS, "data outside of its argument block");
        let (near, far) = bytes.split_at(NEAR.saturating_sub(offset).min(bytes.len()));
        self.near.put_bytes(offset.min(NEAR), near);
        self.channel.request.copy_in(self.args() + offset + near.len(), far);
        let near = NEAR.saturating_sub(end).min(tail);
        self.near.put_bytes(end.min(NEAR), &[0; NEAR][..near]);
        self.channel.request.zero(self.args() + end + near, tail - near);
    }

    /// The place of an offset in the argument block.
    #[inline]
    pub fn args_place(&self, offset: usize) -> Place {
        Place::new(wire::SEGMENT_REQUEST, (self.args() + offset) as u64)
    }

    /// Announces the reply window to calls from now on.
    pub fn announce_window(&self, place: Place, length: u64) {
        let line = geometry::lane(self.index);
        self.channel.request.store(line + wire::lane_host::WINDOW_PLACE, place.raw());
        self.channel.request.store(line + wire::lane_host::WINDOW_LENGTH, length);
    }

    /// Publishes the call: from here on the worker may have executed it.
    #[inline]
    pub fn publish(&mut self, head: CallHead) {
        self.commit(head);
        self.ring();
    }

    #[inline(always)]
    fn commit(&mut self, head: CallHead) {
        use wire::call_head as at;
        // What stood before it is no time of this call.
        self.stood = 0;
        let message = Head::default()
            .with(at::FUNCTION, head.function)
            .with(at::EPOCH, self.channel.epoch)
            .with(at::DEPTH, self.depth)
            .with(at::ARGS_LENGTH, head.args_length)
            .with(at::CALL_ID, head.call_id)
            .with(at::TIME, head.time);
        let line = self.channel.request.line_mut(self.request_slot() + wire::CALL_OFFSET);
        line.store_message(&message, self.near.halves());
        self.next = self.next.wrapping_add(u32::from(self.depth == 0));
        let turn = self.calls[self.slot].wrapping_add(1);
        self.calls[self.slot] = turn;
        if turn == 0 && self.depth == 0 {
            self.channel.wrapped.fetch_add(1, Ordering::Relaxed);
        }
        // Partner: the acquire load of the commit word in `WorkerChannel::take_at`.
        line.word(at::COMMIT).store(turn, Ordering::Release);
    }

    /// Answers NeedSpace: with a window that now has the space, or not at all.
    pub fn resume(&mut self, window: Option<(Place, u64)>) {
        let kind = if window.is_some() { Resume::Granted } else { Resume::NotGranted };
        let (place, length) = window.unwrap_or((Place::NULL, 0));
        self.answer(kind, place, length, 0);
    }

    /// Says that another call may follow, when the reply has been read.
    #[inline]
    pub fn expect_call(&self) {
        let next = geometry::slot(self.index, geometry::slot_of(self.depth, self.next));
        self.channel.request.line(next + wire::CALL_OFFSET).expect_store();
    }

    /// As [`HostLane::expect_call`], of one whose argument block will have about so many bytes.
    #[inline]
    pub fn expect_data(&self, bytes: usize) {
        if bytes > NEAR {
            self.expect_far_data(bytes);
        }
    }

    fn expect_far_data(&self, bytes: usize) {
        let next = geometry::slot(self.index, geometry::slot_of(self.depth, self.next));
        let block = (wire::ARGS_OFFSET + bytes.min(wire::MAX_ARGS)).div_ceil(wire::LINE);
        for line in wire::ARGS_OFFSET / wire::LINE + 1..block {
            self.channel.request.line(next + line * wire::LINE).expect_store();
        }
    }

    /// Says that an answer will follow, when something else has been done.
    #[inline]
    pub fn expect_answer(&self) {
        self.channel.request.line(self.request_slot()).expect_store();
    }

    /// Answers a callback: with what it returned, or that it failed.
    pub fn resume_callback(&mut self, returned: Option<u64>) {
        let kind = if returned.is_some() { Resume::CallbackReturned } else { Resume::CallbackFailed };
        self.answer(kind, Place::NULL, 0, returned.unwrap_or(0));
    }

    fn answer(&mut self, kind: Resume, place: Place, length: u64, value: u64) {
        use wire::resume_line as at;
        let message = Head::default()
            .with(at::KIND, kind.raw())
            .with(at::PLACE, place.raw())
            .with(at::LENGTH, length)
            .with(at::VALUE, value);
        let line = self.channel.request.line_mut(self.request_slot());
        line.store_message(&message, &[0; HALVES]);
        let turn = self.resumes[self.slot].wrapping_add(1);
        self.resumes[self.slot] = turn;
        // Partner: the acquire load of the commit word in `WorkerChannel::answer`.
        line.word(at::COMMIT).store(turn, Ordering::Release);
        self.ring();
    }

    /// Copies the first `size` bytes of the result block into private memory, by whole words: they lie in the line of the reply.
    #[inline]
    pub fn copy_near_result(&self, size: usize, into: &mut [u8; 64]) {
        assert!(size <= NEAR_RESULT, "more than lies in the line of a reply");
        let line = self.channel.reply.line(self.reply_slot());
        let (words, _) = into.as_chunks_mut::<8>();
        for (index, word) in words.iter_mut().enumerate().take(size.div_ceil(8)) {
            *word = line.load::<u64>(wire::RESULT_OFFSET + index * 8).to_ne_bytes();
        }
    }

    /// Copies the fixed part of the result block into private memory.
    #[inline]
    pub fn copy_result(&self, into: &mut [u8]) {
        assert!(into.len() <= wire::MAX_RESULT, "more than a result block holds");
        self.channel.reply.copy_out(self.reply_slot() + wire::RESULT_OFFSET, into);
    }

    /// Finds result data. `None` when the reference does not lie in memory that was granted to this very call:
    /// its reply slot behind `fixed` bytes, or a reply window granted to it.
    pub fn locate<'a>(
        &'a self,
        arena: &'a Arena,
        fixed: usize,
        place: Place,
        length: u64,
    ) -> Option<Located<'a>> {
        let bytes = usize::try_from(length).ok()?;
        let offset = usize::try_from(place.offset()).ok()?;
        if place.segment() != wire::SEGMENT_REPLY {
            let (mapping, part) = arena.granted(place, length)?;
            return Some(Located { mapping, offset: part.start, bytes: part.len() });
        }
        let start = self.reply_slot() + wire::RESULT_OFFSET + fixed;
        let end = self.reply_slot() + wire::SLOT_STRIDE;
        let lies = offset >= start && offset.checked_add(bytes)? <= end;
        lies.then_some(Located { mapping: &self.channel.reply, offset, bytes })
    }

    /// This lane's number.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// The channel this lane belongs to.
    pub fn channel(&self) -> &Arc<HostChannel> {
        &self.channel
    }

    /// A reply whose commit word was seen in this line.
    #[inline(always)]
    fn judge(reply: Line<'_>, call_id: u64) -> Waited {
        use wire::reply_head as at;
        let Some(state) = ReplyState::from_raw(reply.load(at::STATE)) else {
            return Waited::Violation("a reply has no such state");
        };
        if reply.load::<u64>(at::CALL_ID) != call_id {
            return Waited::Violation("a reply names another call");
        }
        let head = ReplyHead {
            state,
            errno: reply.load(at::ERRNO),
            result_length: reply.load(at::RESULT_LENGTH),
            value: reply.load(at::VALUE),
        };
        if head.result_length as usize > wire::MAX_RESULT {
            return Waited::Violation("a result block is longer than its slot");
        }
        Waited::Reply(head)
    }

    #[inline]
    fn ring(&mut self) {
        self.say_cpu_seldom();
        let park = self.channel.reply.word(self.doors.park);
        let doorbell = self.channel.request.word(self.doors.bell);
        self.woke = bell::ring(park, doorbell);
    }

    #[inline(always)]
    fn say_cpu_seldom(&mut self) {
        /// Messages between two looks at where this thread is, when it has to look for nothing else.
        const SELDOM: u32 = 1 << 6;
        self.rung = self.rung.wrapping_add(1);
        if self.rung.is_multiple_of(SELDOM) {
            self.say_cpu();
        }
    }

    #[inline]
    fn request_slot(&self) -> usize {
        geometry::slot(self.index, self.slot)
    }

    #[inline]
    fn args(&self) -> usize {
        self.request_slot() + wire::ARGS_OFFSET
    }

    /// The reply half of a slot has the same offset as the request half.
    #[inline]
    fn reply_slot(&self) -> usize {
        geometry::slot(self.index, self.slot)
    }
}

impl Drop for HostLane {
    fn drop(&mut self) {
        let active = self.channel.request.peer_word64(geometry::CONTROL + wire::channel_host::ACTIVE);
        active.fetch_and(!(1 << self.index), Ordering::SeqCst);
        let park = self.channel.request.word(geometry::lane(self.index) + wire::lane_host::PARK);
        park.store(Park::Awake.raw(), Ordering::Relaxed);
    }
}

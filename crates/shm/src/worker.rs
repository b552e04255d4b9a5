//! The worker's half of a channel.

use std::cell::{Cell, UnsafeCell};
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use hotcell_protocol::wire::{self, ReplyState, Resume, WorkerState, batch_head, channel_head};
use hotcell_protocol::{Place, wire::call_head};
use rustix::io::{Errno, Result};

use crate::atomics::AtomicU32;
use crate::batch::BatchHead;
use crate::bell::Word;
use crate::doors::Doors;
use crate::eventfd::EventFd;
use crate::host::ReplyHead;
use crate::line::{HALVES, Head, NEAR};
use crate::mapping::{Access, Line, Mapping};
use crate::memfd::SegmentFile;
use crate::roost::{Roost, this_cpu};
use crate::standstill::Watch;
use crate::{bell, clock, geometry};

#[cfg(not(loom))]
#[cfg(test)]
mod aged;
mod dispatcher;
mod state;

/// Both segments as a worker has them.
#[derive(Debug)]
pub struct WorkerChannel {
    request: Mapping,
    reply: Mapping,
    lanes: u32,
    epoch: u16,
    /// By lane, where the host has given them.
    eventfds: Vec<EventFd>,
}

/// The worker's side of a lane: its private counters, and the replies that are being written.
#[derive(Debug)]
pub struct WorkerLane {
    next: u32,
    calls: [u32; geometry::SLOTS],
    resumes: [u32; geometry::SLOTS],
    replies: [u32; geometry::SLOTS],
    /// Bytes of the result block of the last reply.
    replied: usize,
    /// By depth of the call. A call of depth 0 ends before the next begins.
    drafts: Vec<UnsafeCell<Draft>>,
}

/// A reply half in private memory, where C writes the results. It is stored into the slot at once, when the reply is
/// published: while it grew there, the host would take away its first line with every look.
#[derive(Debug)]
#[repr(C, align(64))]
struct Draft([u8; wire::SLOT_STRIDE]);

impl WorkerLane {
    fn new() -> WorkerLane {
        let zero = [0; geometry::SLOTS];
        let draft = |_| UnsafeCell::new(Draft([0; wire::SLOT_STRIDE]));
        let drafts = (0..=wire::STACK_SLOTS).map(draft).collect();
        WorkerLane { next: 0, calls: zero, resumes: zero, replies: zero, replied: 0, drafts }
    }

    /// The result block of a call, [`wire::MAX_RESULT`] bytes that are aligned as in a slot.
    #[inline]
    fn block(&self, request: &Request) -> *mut u8 {
        let draft = self.drafts[usize::from(request.depth)].get().cast::<u8>();
        draft.wrapping_add(wire::RESULT_OFFSET)
    }
}

/// A call to execute.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// Lane it came on.
    pub lane: u32,
    /// Slot of that lane.
    pub slot: usize,
    /// Function index.
    pub function: u16,
    /// Interface epoch the caller was bound to.
    pub epoch: u16,
    /// Bytes of the argument block.
    pub args_length: u16,
    /// Nesting depth.
    pub depth: u8,
    /// `CallFlags`.
    pub flags: u8,
    /// Its id.
    pub call_id: u64,
    /// Nanoseconds it has from its publication; 0 without end.
    pub time: u64,
}

/// Where the entry of a batch is marked that is being executed.
#[derive(Debug)]
pub struct EntryMark<'a>(&'a AtomicU32);

impl EntryMark<'_> {
    /// This one is, from now on.
    #[inline]
    pub fn mark(&self, number: u32) {
        self.0.store(number, Ordering::Relaxed);
    }
}

/// Nanoseconds that a host may take for a callback beyond what its call has: it ends that call itself.
const GRACE: u64 = 1_000_000_000;

/// Parts of that time after each of which it is looked whether something stood still.
const LOOKS: u64 = 16;

/// Looks at a word before a look at the clock.
pub(crate) const POLLS: u32 = 64;

/// What a worker hears that waits for the answer to a callback.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// The answer.
    Resumed(Resumed),
    /// Before it, a call that is to be executed now: the callback calls the library.
    Call(Request),
    /// None will come: the time of the call is over, and the host has had more to answer in.
    Late,
}

/// What the host said to NeedSpace or Callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumed {
    /// The new reply window.
    Granted(Place, u64),
    /// There is no more.
    NotGranted,
    /// What the callback returned.
    Returned(u64),
    /// The callback failed, or was not run.
    Failed,
}

/// The segments by number, in the form a shim reads (`hotcell_segment`).
///
/// | field | who writes | who reads, when |
/// |---|---|---|
/// | `base`, `length` | the control thread, once, length last (release) | the table's serving thread, after the host referred to the segment, which it does after SegmentReady |
/// | the same of `SEGMENT_BATCH` | the table's serving thread, around a batch | that thread |
#[derive(Debug)]
#[repr(C)]
pub struct SegmentTable {
    entries: [Entry; wire::MAX_SEGMENTS as usize],
    /// Never read by a shim.
    behind: Mutex<Behind>,
}

/// What keeps tables whole.
#[derive(Debug)]
struct Behind {
    /// Keeps the maps alive.
    maps: Vec<Mapping>,
    /// The tables of other serving threads, which have the same segments but batches of their own.
    others: Vec<&'static SegmentTable>,
}

#[derive(Debug)]
#[repr(C)]
struct Entry {
    base: AtomicPtr<u8>,
    length: AtomicU64,
}

impl Entry {
    const fn none() -> Entry {
        Entry { base: AtomicPtr::new(std::ptr::null_mut()), length: AtomicU64::new(0) }
    }

    fn copy(&self, from: &Entry) {
        self.base.store(from.base.load(Ordering::Relaxed), Ordering::Relaxed);
        self.length.store(from.length.load(Ordering::Relaxed), Ordering::Release);
    }
}

impl SegmentTable {
    /// An empty table.
    pub const fn new() -> SegmentTable {
        SegmentTable {
            entries: [const { Entry::none() }; wire::MAX_SEGMENTS as usize],
            behind: Mutex::new(Behind { maps: Vec::new(), others: Vec::new() }),
        }
    }

    /// First entry, for a shim's context table.
    pub fn as_ptr(&self) -> *const std::ffi::c_void {
        self.entries.as_ptr().cast()
    }

    /// Enters a segment that was added. Numbers are used once.
    pub fn add(&self, id: u16, mapping: Mapping) -> Result<()> {
        if !(wire::SEGMENT_FIRST_ADDED..wire::SEGMENT_BATCH).contains(&id) {
            return Err(Errno::RANGE);
        }
        if self.entries[usize::from(id)].length.load(Ordering::Relaxed) != 0 {
            return Err(Errno::EXIST);
        }
        let mut behind = self.behind.lock().map_err(|_| Errno::DEADLK)?;
        self.enter(id, &mapping);
        behind.others.iter().for_each(|other| other.enter(id, &mapping));
        behind.maps.push(mapping);
        Ok(())
    }

    /// A table with the same segments, those that are added later included, for another serving thread.
    pub fn another(&self) -> Result<&'static SegmentTable> {
        let mut behind = self.behind.lock().map_err(|_| Errno::DEADLK)?;
        let other: &'static SegmentTable = Box::leak(Box::default());
        for (id, entry) in (0..).zip(&self.entries) {
            if id != wire::SEGMENT_BATCH {
                other.entries[usize::from(id)].copy(entry);
            }
        }
        behind.others.push(other);
        Ok(other)
    }

    /// The address of a place, when `length` bytes there lie in a segment.
    pub fn address(&self, place: Place, length: u64) -> Option<*mut u8> {
        let entry = self.entries.get(usize::from(place.segment()))?;
        let end = place.offset().checked_add(length)?;
        if end > entry.length.load(Ordering::Acquire) {
            return None;
        }
        Some(entry.base.load(Ordering::Relaxed).wrapping_add(place.offset() as usize))
    }

    /// Has references in the entries of a batch mean these bytes. Comes with what they meant before, to be put back when
    /// the batch has ended.
    pub fn enter_batch(&self, base: *mut u8, length: u64) -> (*mut u8, u64) {
        let entry = &self.entries[usize::from(wire::SEGMENT_BATCH)];
        let before = (entry.base.load(Ordering::Relaxed), entry.length.load(Ordering::Relaxed));
        entry.base.store(base, Ordering::Relaxed);
        entry.length.store(length, Ordering::Relaxed);
        before
    }

    fn enter(&self, id: u16, mapping: &Mapping) {
        let entry = &self.entries[usize::from(id)];
        entry.base.store(mapping.base(), Ordering::Relaxed);
        entry.length.store(mapping.length() as u64, Ordering::Release);
    }
}

impl Default for SegmentTable {
    fn default() -> Self {
        SegmentTable::new()
    }
}

#[cfg(all(test, loom))]
impl WorkerChannel {
    /// What the host has written, for a model.
    pub(crate) fn request(&self) -> &Mapping {
        &self.request
    }

    /// Has the worker of a model die when it has touched its memory so many times.
    pub(crate) fn end_after(&mut self, life: &std::sync::Arc<std::sync::atomic::AtomicUsize>) {
        self.request.watched.end_after(life);
        self.reply.watched.end_after(life);
    }
}

impl WorkerChannel {
    /// Maps the segments and checks that both describe the geometry this program was built for.
    pub fn open(request: &SegmentFile, reply: &SegmentFile, table: &SegmentTable) -> Result<WorkerChannel> {
        let request = request.map(Access::ReadOnly)?;
        let reply = reply.map(Access::ReadWrite)?;
        let lanes: u32 = request.load(channel_head::LANES);
        let fits = (1..=wire::MAX_LANES).contains(&lanes)
            && request.length() == geometry::segment_length(lanes)
            && reply.length() == request.length();
        let same = |side: &Mapping| {
            side.load::<u64>(channel_head::MAGIC) == wire::MAGIC
                && side.load::<u16>(channel_head::MAJOR) == wire::VERSION_MAJOR
                && side.load::<u32>(channel_head::LANES) == lanes
                && side.load::<u32>(channel_head::RING_SLOTS) == wire::RING_SLOTS
                && side.load::<u32>(channel_head::STACK_SLOTS) == wire::STACK_SLOTS
                && side.load::<u32>(channel_head::SLOT_STRIDE) == wire::SLOT_STRIDE as u32
        };
        if !fits || !same(&request) || !same(&reply) {
            return Err(Errno::PROTO);
        }
        table.enter(wire::SEGMENT_REQUEST, &request);
        table.enter(wire::SEGMENT_REPLY, &reply);
        reply.store(Doors::CHANNEL.cpu, wire::CPU_UNKNOWN);
        for lane in 1..lanes {
            reply.store(Doors::of_lane(lane).cpu, wire::CPU_UNKNOWN);
        }
        let epoch = request.load(channel_head::EPOCH);
        Ok(WorkerChannel { request, reply, lanes, epoch, eventfds: Vec::new() })
    }

    /// With the eventfds that callers may sleep on, by lane.
    #[must_use]
    pub fn with_eventfds(self, eventfds: Vec<EventFd>) -> WorkerChannel {
        WorkerChannel { eventfds, ..self }
    }

    /// Private state for every lane.
    pub fn lanes(&self) -> Vec<WorkerLane> {
        (0..self.lanes).map(|_| WorkerLane::new()).collect()
    }

    /// How many lanes are for callers: all but the dispatcher's, where there is another.
    pub fn callers(&self) -> u32 {
        self.lanes.saturating_sub(1).max(1)
    }

    /// Private state of one lane for callers, for who serves that alone; none where the channel has no such lane.
    pub fn lane(&self, index: u32) -> Option<WorkerLane> {
        (index < self.callers()).then(WorkerLane::new)
    }

    /// The interface epoch of this channel.
    pub fn epoch(&self) -> u16 {
        self.epoch
    }

    /// Says what the worker is doing.
    pub fn set_state(&self, state: WorkerState) {
        self.reply.store(geometry::CONTROL + wire::channel_worker::STATE, state.raw());
    }

    /// Where the crash record lies, for a signal handler.
    pub fn crash_record(&self) -> *mut u8 {
        self.reply.base().wrapping_add(geometry::CRASH)
    }

    /// Where the two denial records lie, for a signal handler.
    pub fn denial_records(&self) -> *mut u8 {
        self.reply.base().wrapping_add(geometry::DENIALS)
    }

    /// Waits for a call on any lane. `None` when `stop` says so.
    #[inline]
    pub fn next_call(
        &self,
        lanes: &mut [WorkerLane],
        roost: &mut Roost,
        stop: impl Fn() -> bool,
    ) -> Option<Request> {
        // As most calls come, one after the other.
        if roost.polls() > 0 {
            for _ in 0..POLLS {
                if let Some(request) = self.take(lanes) {
                    roost.caller = request.lane;
                    return Some(request);
                }
                std::hint::spin_loop();
            }
        }
        let request = self.wait(roost, || self.take(lanes), stop, || None)?;
        roost.caller = request.lane;
        Some(request)
    }

    /// Waits for a call on the one lane that this thread serves, which is that of its roost. `None` when `stop` says so.
    #[inline]
    pub fn next_call_on(
        &self,
        lane: &mut WorkerLane,
        roost: &mut Roost,
        stop: impl Fn() -> bool,
    ) -> Option<Request> {
        let index = roost.caller;
        let mut take = || {
            let request = self.take_at(index, lane, geometry::slot_of(0, lane.next))?;
            lane.next = lane.next.wrapping_add(1);
            Some(request)
        };
        if roost.polls() > 0 {
            for _ in 0..POLLS {
                if let Some(request) = take() {
                    return Some(request);
                }
                std::hint::spin_loop();
            }
        }
        self.wait(roost, take, stop, || None)
    }

    /// Wakes all threads that wait for the host, from another thread of the worker, so that they ask `stop` again. The
    /// doorbells lie in memory the worker cannot write; a wake without a change is enough for a waiter that
    /// looks again after every return, but one that is just about to sleep would miss it: call it again
    /// until the threads have stopped.
    pub fn nudge(&self) {
        Word::wake(self.request.peer_word(Doors::CHANNEL.bell));
        for lane in 1..self.lanes {
            Word::wake(self.request.peer_word(Doors::of_lane(lane).bell));
        }
    }

    /// Marks a call as being executed, for reports about a death. Its reply is expected to be as long as the last one.
    #[inline]
    pub fn begin(&self, lane: &WorkerLane, request: &Request) {
        let progress = self.reply.line_mut(geometry::progress(request.lane));
        progress.store(wire::lane_progress::EXECUTING, request.call_id);
        let slot = geometry::slot(request.lane, request.slot);
        self.reply.line(slot).expect_store();
        for line in 1..(wire::RESULT_OFFSET + lane.replied).div_ceil(wire::LINE) {
            self.reply.line(slot + line * wire::LINE).expect_store();
        }
    }

    /// Marks an entry of the batch being executed, for reports about a death.
    #[inline]
    pub fn begin_entry(&self, request: &Request, number: u32) {
        self.reply.store(geometry::progress(request.lane) + wire::lane_progress::ENTRY, number);
    }

    /// Marks entries as [`WorkerChannel::begin_entry`] does, one after the other.
    #[inline]
    pub fn entries_of(&self, request: &Request) -> EntryMark<'_> {
        EntryMark(self.reply.word(geometry::progress(request.lane) + wire::lane_progress::ENTRY))
    }

    /// The entry that was marked last.
    pub fn entry(&self, request: &Request) -> u32 {
        self.reply.load(geometry::progress(request.lane) + wire::lane_progress::ENTRY)
    }

    /// Where the host says that the entries of a batch are; `None` when its argument block is too short.
    pub fn batch(&self, request: &Request) -> Option<BatchHead> {
        let block = geometry::slot(request.lane, request.slot) + wire::ARGS_OFFSET;
        (usize::from(request.args_length) >= batch_head::SIZE).then(|| BatchHead {
            count: self.request.load(block + batch_head::COUNT),
            replies_length: self.request.load(block + batch_head::REPLIES_LENGTH),
            place: Place::from_raw(self.request.load(block + batch_head::PLACE)),
            data: self.request.load(block + batch_head::DATA),
            length: self.request.load(block + batch_head::LENGTH),
        })
    }

    /// The argument block, in read-only memory.
    pub fn args(&self, request: &Request) -> *const u8 {
        self.request.base().wrapping_add(geometry::slot(request.lane, request.slot) + wire::ARGS_OFFSET)
    }

    /// Where the result block of a call is written, and its place in the reply segment once it is published.
    #[inline]
    pub fn result(&self, lane: &WorkerLane, request: &Request) -> (*mut u8, Place) {
        let offset = geometry::slot(request.lane, request.slot) + wire::RESULT_OFFSET;
        (lane.block(request), Place::new(wire::SEGMENT_REPLY, offset as u64))
    }

    /// The reply window the host announced for a call. What is in force belongs to the outermost call: one nested in
    /// it has none, and asks.
    #[inline]
    pub fn window(&self, request: &Request) -> (Place, u64) {
        if request.depth > 0 {
            return (Place::NULL, 0);
        }
        let line = self.request.line(geometry::lane(request.lane));
        let place = line.load(wire::lane_host::WINDOW_PLACE);
        (Place::from_raw(place), line.load(wire::lane_host::WINDOW_LENGTH))
    }

    /// Publishes a reply, final or not, with the first `used` bytes of the result block.
    #[inline]
    pub fn reply(&self, lane: &mut WorkerLane, request: &Request, head: ReplyHead, used: usize) {
        use wire::reply_head as at;
        assert!(used <= wire::MAX_RESULT, "more than a result block holds");
        let offset = geometry::slot(request.lane, request.slot);
        let message = Head::default()
            .with(at::STATE, head.state.raw())
            .with(at::CALL_ID, request.call_id)
            .with(at::ERRNO, head.errno.cast_unsigned())
            .with(at::RESULT_LENGTH, head.result_length)
            .with(at::VALUE, head.value);
        lane.replied = used;
        let block = lane.block(request);
        if used > NEAR {
            // SAFETY: the block has MAX_RESULT bytes, and who writes them waits for this reply.
            let far = unsafe { std::slice::from_raw_parts(block.add(NEAR), used - NEAR) };
            self.reply.copy_in(offset + wire::LINE, far);
        }
        if !matches!(head.state, ReplyState::NeedSpace | ReplyState::Callback) {
            let progress = self.reply.line_mut(geometry::progress(request.lane));
            progress.store(wire::lane_progress::EXECUTING, 0u64);
        }
        // SAFETY: as above; the block is aligned to more than these words, and longer.
        let near = unsafe { &*block.cast::<[u32; HALVES]>() };
        let line = self.reply.line_mut(offset);
        line.store_message(&message, near);
        let turn = lane.replies[request.slot].wrapping_add(1);
        lane.replies[request.slot] = turn;
        // Partner: the acquire load of the commit word in `HostLane::look`.
        line.word(at::COMMIT).store(turn, Ordering::Release);
        let host = self.request.line(geometry::lane(request.lane));
        let own = self.reply.line_mut(geometry::lane(request.lane));
        bell::ring_or_write(host.word(wire::lane_host::PARK), own.word(wire::lane_worker::BELL), || {
            self.write_eventfd(request.lane);
        });
    }

    /// Wakes a caller that sleeps on its eventfd. Where there is none, no caller says that it does.
    #[cold]
    fn write_eventfd(&self, lane: u32) {
        if let Some(eventfd) = self.eventfds.get(lane as usize) {
            eventfd.ring();
        }
    }

    /// Asks the host for reply space in the middle of a call and waits for its answer.
    pub fn need_space(
        &self,
        lane: &mut WorkerLane,
        request: &Request,
        bytes: u64,
        roost: &mut Roost,
    ) -> Resumed {
        let head = ReplyHead { state: ReplyState::NeedSpace, errno: 0, result_length: 0, value: bytes };
        self.reply(lane, request, head, 0);
        let resumed = self.wait(roost, || self.resumed(lane, request), || false, || None);
        resumed.expect("nothing stops this wait")
    }

    /// Has the host run a callback in the middle of a call. The argument block lies in reply memory of this call: in a
    /// window, or in the first `used` bytes of the result block.
    pub fn callback(
        &self,
        lane: &mut WorkerLane,
        request: &Request,
        number: i32,
        args: (Place, u32),
        used: usize,
    ) {
        let (place, result_length) = args;
        let value = place.raw();
        let head = ReplyHead { state: ReplyState::Callback, errno: number, result_length, value };
        self.reply(lane, request, head, used);
    }

    /// Waits for the answer to a callback, or for a call nested in it.
    pub fn answer(&self, lane: &mut WorkerLane, request: &Request, roost: &mut Roost) -> Answer {
        let depth = request.depth.saturating_add(1);
        let nested = u32::from(depth) <= wire::STACK_SLOTS;
        let nested = nested.then(|| geometry::slot_of(depth, 0));
        // As most answers come.
        if roost.polls() > 0 {
            for _ in 0..POLLS {
                if let Some(answer) = self.heard(lane, request, nested) {
                    return answer;
                }
                std::hint::spin_loop();
            }
        }
        let mut look = || self.heard(lane, request, nested);
        // The host is stopped, or its callback is: nobody waits for this call any more.
        let watch = Watch::begin();
        let until = Cell::new(clock::now().saturating_add(request.time).saturating_add(GRACE));
        let has_end = request.time != 0;
        // So often that a standstill is seen, and no more: an hour is some wake-ups.
        let every = (request.time / LOOKS).max(GRACE);
        let is_late = || {
            let now = clock::now();
            // All of the time since the last look: the host, which has looked more often, ends a call that is late.
            let stood = Some(watch.look(now, every)).filter(|late| *late > 0).map_or(0, |late| late + every);
            until.set(until.get().saturating_add(stood));
            has_end && now >= until.get()
        };
        let next = || has_end.then(|| until.get().min(clock::now().saturating_add(every)));
        self.wait(roost, &mut look, is_late, next).unwrap_or(Answer::Late)
    }

    /// Waits until there is something, or `stop` says that there will be nothing: it is asked again at the time that `next` says.
    #[inline]
    fn wait<T>(
        &self,
        roost: &mut Roost,
        mut look: impl FnMut() -> Option<T>,
        stop: impl Fn() -> bool,
        next: impl Fn() -> Option<u64>,
    ) -> Option<T> {
        let spin = roost.polls();
        let mut found = None;
        if spin > 0 {
            found = self.poll(roost, spin, &mut look);
            if found.is_some() {
                return found;
            }
            roost.give_way();
        }
        let mut is_there = || {
            found = look();
            found.is_some()
        };
        self.sleep(roost, &mut is_there, &stop, &next);
        found
    }

    /// Sleeps until there is something, or will be nothing. Apart from the polling, so that this is compiled for speed.
    #[cold]
    fn sleep(
        &self,
        roost: &mut Roost,
        is_there: &mut dyn FnMut() -> bool,
        stop: &dyn Fn() -> bool,
        next: &dyn Fn() -> Option<u64>,
    ) {
        roost.begin(self.caller_cpu(roost.caller));
        let Doors { park, bell, cpu: own } = roost.doors;
        let (park, doorbell) = (self.reply.word(park), self.request.peer_word(bell));
        loop {
            if stop() {
                return;
            }
            let mut there = is_there();
            if !there {
                // First said, then parked, then gone there: a caller who meets it on the way, on a CPU that he keeps busy
                // himself, gives way to it.
                let (cpu, place) = roost.place();
                self.say_cpu(own, cpu);
                bell::park(park, doorbell, next(), || {
                    there = is_there();
                    let over = there || stop();
                    if !over {
                        roost.settle(place);
                    }
                    over
                });
                roost.wake();
                // Not when it is there already: what was found is found once.
                there = there || is_there();
            }
            if there {
                roost.called(self.caller_cpu(roost.caller));
                self.say_cpu(own, this_cpu());
                return;
            }
        }
    }

    /// Polls for `spin` nanoseconds, or until the caller turns out to be on this CPU: he cannot call while this thread
    /// polls.
    #[inline]
    fn poll<T>(&self, roost: &Roost, spin: u64, look: &mut impl FnMut() -> Option<T>) -> Option<T> {
        let mut until = 0;
        loop {
            for _ in 0..POLLS {
                let found = look();
                if found.is_some() {
                    return found;
                }
                std::hint::spin_loop();
            }
            let (now, cpu) = (clock::now(), this_cpu());
            self.say_cpu(roost.doors.cpu, cpu);
            if until == 0 {
                until = now.saturating_add(spin);
            }
            if now >= until || cpu == self.caller_cpu(roost.caller) {
                return None;
            }
        }
    }

    /// Says on which CPU a serving thread is, where it says so.
    fn say_cpu(&self, at: usize, cpu: u32) {
        if self.reply.load::<u32>(at) != cpu {
            self.reply.store(at, cpu);
        }
    }

    fn caller_cpu(&self, lane: u32) -> u32 {
        self.request.load(geometry::lane(lane) + wire::lane_host::CPU)
    }

    /// What the host says to a callback: the answer, or a call nested in it, for which this is the slot.
    #[inline(always)]
    fn heard(&self, lane: &mut WorkerLane, request: &Request, nested: Option<usize>) -> Option<Answer> {
        if let Some(resumed) = self.resumed(lane, request) {
            return Some(Answer::Resumed(resumed));
        }
        self.take_at(request.lane, lane, nested?).map(Answer::Call)
    }

    /// The host's answer, if it is there.
    #[inline(always)]
    fn resumed(&self, lane: &mut WorkerLane, request: &Request) -> Option<Resumed> {
        use wire::resume_line as at;
        let line = self.request.line(geometry::slot(request.lane, request.slot));
        let expected = lane.resumes[request.slot].wrapping_add(1);
        // Partner: the release store of the commit word in `HostLane::answer`.
        if line.word(at::COMMIT).load(Ordering::Acquire) != expected {
            return None;
        }
        lane.resumes[request.slot] = expected;
        Some(match Resume::from_raw(line.load(at::KIND)) {
            Some(Resume::Granted) => {
                Resumed::Granted(Place::from_raw(line.load(at::PLACE)), line.load(at::LENGTH))
            }
            Some(Resume::CallbackReturned) => Resumed::Returned(line.load(at::VALUE)),
            Some(Resume::CallbackFailed) => Resumed::Failed,
            Some(Resume::NotGranted) | None => Resumed::NotGranted,
        })
    }

    /// Takes the next call of the first lane that has one.
    #[inline(always)]
    fn take(&self, lanes: &mut [WorkerLane]) -> Option<Request> {
        let mut active = self.active();
        while active != 0 {
            let index = active.trailing_zeros();
            active &= active - 1;
            let lane = lanes.get_mut(index as usize)?;
            if let Some(request) = self.take_at(index, lane, geometry::slot_of(0, lane.next)) {
                lane.next = lane.next.wrapping_add(1);
                return Some(request);
            }
        }
        None
    }

    /// Takes the call that is in this slot of a lane, if it is the expected one.
    #[inline(always)]
    fn take_at(&self, index: u32, lane: &mut WorkerLane, slot: usize) -> Option<Request> {
        let (line, expected) = self.expected(index, lane, slot);
        // Partner: the release store of the commit word in `HostLane::publish`.
        if line.word(call_head::COMMIT).load(Ordering::Acquire) != expected {
            return None;
        }
        lane.calls[slot] = expected;
        Some(Request {
            lane: index,
            slot,
            function: line.load(call_head::FUNCTION),
            epoch: line.load(call_head::EPOCH),
            args_length: line.load(call_head::ARGS_LENGTH),
            depth: line.load(call_head::DEPTH),
            flags: line.load(call_head::FLAGS),
            call_id: line.load(call_head::CALL_ID),
            time: line.load(call_head::TIME),
        })
    }

    #[inline]
    fn active(&self) -> u64 {
        self.request.peer_word64(geometry::CONTROL + wire::channel_host::ACTIVE).load(Ordering::Acquire)
    }

    /// The call line of a slot, and the commit word its next call will have.
    #[inline]
    fn expected(&self, index: u32, lane: &WorkerLane, slot: usize) -> (Line<'_>, u32) {
        let line = self.request.line(geometry::slot(index, slot) + wire::CALL_OFFSET);
        (line, lane.calls[slot].wrapping_add(1))
    }
}

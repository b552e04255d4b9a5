//! A host that writes requests, and answers to what their worker asks, as an input says.

use std::sync::atomic::Ordering;

use hotcell::rt;
use hotcell_protocol::wire::{
    self, ReplyState, Resume, batch_head, call_head, lane_host, reply_head, resume_line,
};
use hotcell_shm::Mapping;
use hotcell_shm::batch::{Packed, Replies, block_size};
use rustix::thread::futex;

use super::{DATA, EPOCH, functions};
use crate::script::Script;
use crate::target::memory;

/// The host, with the other thread that waits for the worker.
pub(super) struct Host<'a> {
    pub(super) script: Script<'a>,
    request: Mapping,
    reply: Mapping,
    data: Mapping,
    /// Commit words by slot: of calls, of answers, and of replies that were seen.
    calls: [u32; memory::SLOTS],
    resumes: [u32; memory::SLOTS],
    replies: [u32; memory::SLOTS],
    rounds: usize,
    /// The slots of calls that have not ended, with their ids; the outermost first.
    open: Vec<(usize, u64)>,
    /// Whether the innermost waits for the answer to a callback.
    answer: bool,
    ids: u64,
    /// Words of results, some of which are handles.
    handles: Vec<u64>,
    /// Those that are, the last ones.
    objects: Vec<u64>,
}

/// Types of objects of the library.
const TYPES: u64 = 3;

/// Objects that are remembered.
const OBJECTS: usize = 6;

/// The last reply of a call.
struct Reply {
    id: u64,
    state: Option<ReplyState>,
    length: usize,
}

impl<'a> Host<'a> {
    /// A host that has called nothing yet, with both segments of its channel, and with request memory beside them.
    pub(super) fn new(script: Script<'a>, request: Mapping, reply: Mapping, data: Mapping) -> Host<'a> {
        let zero = [0; memory::SLOTS];
        Host {
            script,
            request,
            reply,
            data,
            calls: zero,
            resumes: zero,
            replies: zero,
            rounds: 0,
            open: Vec::new(),
            answer: false,
            ids: 0,
            handles: vec![0],
            objects: Vec::new(),
        }
    }

    /// Publishes a call of depth 0. Which function it is of, if of any.
    pub(super) fn call(&mut self, functions: &[rt::Function]) -> Option<rt::Function> {
        let slot = self.rounds % wire::RING_SLOTS as usize;
        self.rounds += 1;
        let window = (self.script.one_of(&[u16::MAX, 2, 3, 9]), self.offset(), self.offset());
        self.request.store(memory::lane(0) + lane_host::WINDOW_PLACE, memory::place(window.0, window.1));
        self.request.store(memory::lane(0) + lane_host::WINDOW_LENGTH, window.2);
        let line = memory::slot(0, slot) + wire::CALL_OFFSET;
        let wild = self.script.below(32);
        let depth = if wild == 1 { self.script.u8() } else { 0 };
        self.request.store(line + call_head::EPOCH, if wild == 2 { self.script.u16() } else { EPOCH });
        self.request.store(line + call_head::FLAGS, if wild == 3 { self.script.u8() } else { 0 });
        if self.script.below(4) == 0 {
            self.batch(slot, functions);
            self.publish(slot, wire::BATCH_FUNCTION, depth, batch_head::SIZE as u16);
            return None;
        }
        let last = functions.len() as u64;
        // As it is published: of two bytes.
        let function =
            self.script.near(&(0..last).chain([u64::from(wire::LISTEN_FUNCTION)]).collect::<Vec<_>>()) as u16;
        self.arguments(slot);
        let known = functions.get(usize::from(function));
        let size = known.map_or(0, |function| function.args_size);
        let length = if wild == 4 { self.script.u16() } else { size };
        self.publish(slot, function, depth, length);
        known.cloned()
    }

    /// Publishes a call of depth 0 as any host makes it, with zeros for arguments: objects to begin with.
    pub(super) fn make(&mut self, functions: &[rt::Function], name: &str) -> Option<rt::Function> {
        let slot = self.rounds % wire::RING_SLOTS as usize;
        self.rounds += 1;
        let index = functions.iter().position(|function| function.name == name).expect("it is bound");
        self.request.store(memory::lane(0) + lane_host::WINDOW_LENGTH, 0u64);
        let line = memory::slot(0, slot) + wire::CALL_OFFSET;
        self.request.store(line + call_head::EPOCH, EPOCH);
        self.request.store(line + call_head::FLAGS, 0u8);
        self.request.copy_in(memory::slot(0, slot) + wire::ARGS_OFFSET, &[0; 64]);
        self.publish(slot, index as u16, 0, functions[index].args_size);
        Some(functions[index].clone())
    }

    fn publish(&mut self, slot: usize, function: u16, depth: u8, length: u16) {
        self.ids += 1;
        let line = memory::slot(0, slot) + wire::CALL_OFFSET;
        self.request.store(line + call_head::FUNCTION, function);
        self.request.store(line + call_head::DEPTH, depth);
        self.request.store(line + call_head::ARGS_LENGTH, length);
        self.request.store(line + call_head::CALL_ID, self.ids);
        self.calls[slot] = self.calls[slot].wrapping_add(1);
        self.request.word(line + call_head::COMMIT).store(self.calls[slot], Ordering::Release);
        self.open.push((slot, self.ids));
        self.ring();
    }

    /// Fills the argument block and what is behind it: numbers, handles, and places of data that are there or not.
    fn arguments(&mut self, slot: usize) {
        let block = memory::slot(0, slot) + wire::ARGS_OFFSET;
        let bytes = self.script.take(self.script.clone().below(64));
        self.request.copy_in(block + 128, bytes);
        self.data.copy_in(0, bytes);
        for word in 0..8 {
            // Objects go before all else.
            let value = match (word, self.objects.len()) {
                (0, 1..) if self.script.below(4) != 0 => self.object(),
                (1, 1..) if self.script.below(2) == 0 => self.object(),
                _ => self.word(block as u64 + 128),
            };
            self.request.store(block + word * 8, value);
        }
    }

    fn object(&mut self) -> u64 {
        self.objects[self.script.below(OBJECTS) % self.objects.len()]
    }

    fn word(&mut self, near: u64) -> u64 {
        match self.script.below(8) {
            0 => self.script.u64(),
            1 | 2 => u64::from(self.script.u8()),
            3 => self.handles[self.script.below(255) % self.handles.len()],
            4 => memory::place(wire::SEGMENT_REQUEST, self.script.near(&[near, near, 0])),
            5 => memory::place(DATA, self.script.near(&[0, 8, 4096])),
            6 => memory::place(self.script.one_of(&[1, 2, 3, 5, 511, 510]), self.offset()),
            7 if self.script.below(4) == 0 => u64::from(wire::KEPT_CALLBACKS) + self.script.below(3) as u64,
            _ => self.script.one_of(&[wire::PLACE_NULL, 0, wire::LENGTH_IMPOSSIBLE, 4096, 16, 2, 3]),
        }
    }

    fn offset(&mut self) -> u64 {
        // As granted: windows begin at multiples of 64.
        self.script.near(&[0, 0, 64, 4096, 16_384]) & !63
    }

    /// Puts a batch together, most of which is as it should be.
    fn batch(&mut self, slot: usize, functions: &[rt::Function]) {
        let (mut packed, mut entries, mut replies) = (Packed::default(), Vec::new(), 0);
        for _ in 0..self.script.below(5) {
            let index = self.script.below(functions.len());
            let function = &functions[index];
            packed.open(function.args_size).expect("there is memory for a batch");
            let data = self.script.take(self.script.clone().below(24));
            let place = packed.add(data, 1).expect("there is memory for a batch");
            for offset in (0..usize::from(function.args_size))
                .step_by(8)
                .take_while(|at| at + 8 <= usize::from(function.args_size))
            {
                let value = if self.script.below(4) == 0 { place.raw() } else { self.word(0) };
                packed.put(offset, value.to_ne_bytes());
            }
            packed.close();
            entries.push((index as u16, self.script.below(8) == 0));
            replies += block_size(function.result_size.into());
        }
        let count = entries.len() as u32;
        let [heads, args, data] = packed.parts(entries.into_iter());
        let (behind, all) = (heads.len() + args.len(), [heads, args, data].concat());
        let all = &all[..all.len().min(self.data.length())];
        self.data.copy_in(0, all);
        let length = (replies + Replies::of(count).blocks()) as u64;
        let block = memory::slot(0, slot) + wire::ARGS_OFFSET;
        let script = &mut self.script;
        let mut about =
            |right: u64| if script.below(12) == 0 { script.near(&[right, right, 0]) } else { right };
        self.request.store(block + batch_head::COUNT, about(count.into()) as u32);
        self.request.store(block + batch_head::REPLIES_LENGTH, about(length) as u32);
        self.request.store(block + batch_head::PLACE, about(memory::place(DATA, 0)));
        self.request.store(block + batch_head::DATA, about(behind as u64));
        self.request.store(block + batch_head::LENGTH, about(all.len() as u64));
    }

    /// Looks whether the worker wants something, and answers.
    pub(super) fn answer(&mut self) {
        let Some(&(slot, _)) = self.open.last() else { return };
        if !self.answer {
            let at = memory::slot(0, slot);
            if self.reply.word(at + reply_head::COMMIT).load(Ordering::Acquire) == self.replies[slot] {
                return;
            }
            let state = ReplyState::from_raw(self.reply.load(at + reply_head::STATE));
            match state {
                Some(ReplyState::NeedSpace) => {
                    self.replies[slot] = self.replies[slot].wrapping_add(1);
                    let kind = self.script.one_of(&[Resume::Granted, Resume::Granted, Resume::NotGranted]);
                    return self.resume(slot, kind);
                }
                Some(ReplyState::Callback) => {
                    self.replies[slot] = self.replies[slot].wrapping_add(1);
                    self.answer = true;
                }
                _ if self.open.len() > 1 => {
                    // A nested call has ended: the one around waits for its answer.
                    let reply = self.take_reply();
                    assert!(reply.state.is_some(), "a reply of no known state");
                    self.answer = true;
                    return;
                }
                _ => return,
            }
        }
        let nested = self.open.len() <= wire::STACK_SLOTS as usize && self.script.below(3) == 0;
        if nested && !self.script.is_over() {
            self.nest();
            return;
        }
        self.answer = false;
        let (slot, _) = *self.open.last().expect("somebody waits for an answer");
        let kind = self.script.one_of(&[
            Resume::CallbackReturned,
            Resume::CallbackReturned,
            Resume::CallbackFailed,
            Resume::Granted,
        ]);
        self.resume(slot, kind);
    }

    /// Publishes a call nested in the innermost one.
    fn nest(&mut self) {
        self.answer = false;
        let depth = self.open.len();
        let slot = wire::RING_SLOTS as usize + depth - 1;
        let line = memory::slot(0, slot) + wire::CALL_OFFSET;
        self.request.store(line + call_head::EPOCH, EPOCH);
        let functions = functions();
        let index = self.script.below(functions.len());
        self.arguments(slot);
        self.publish(slot, index as u16, depth as u8, functions[index].args_size);
    }

    fn resume(&mut self, slot: usize, kind: Resume) {
        let at = memory::slot(0, slot);
        let (segment, offset, length) = (self.script.one_of(&[2, 3, 9]), self.offset(), self.offset());
        self.request.store(at + resume_line::KIND, kind.raw());
        self.request.store(at + resume_line::PLACE, memory::place(segment, offset));
        self.request.store(at + resume_line::LENGTH, length);
        // A number, or the place of an answer with data, which may be one.
        let value = match self.script.below(4) {
            0 => self.filled(),
            1 => self.word(0),
            _ => u64::from(self.script.u8() & 1),
        };
        self.request.store(at + resume_line::VALUE, value);
        self.resumes[slot] = self.resumes[slot].wrapping_add(1);
        self.request.word(at + resume_line::COMMIT).store(self.resumes[slot], Ordering::Release);
        self.ring();
    }

    /// Writes what a callback returns and has filled in: a number, how many bytes there are, and these. Where it lies.
    fn filled(&mut self) -> u64 {
        let at = self.script.one_of(&[0, 64, 4096 - 16, 4096 - 24]);
        let bytes = self.script.take(self.script.clone().below(32));
        let length = bytes.len() as u64;
        let returned = self.script.near(&[length, length / 2, 0, 64, u64::MAX]);
        let filled = self.script.near(&[length, length, 0, 4096, 1 << 63]);
        self.data.store(at, returned);
        self.data.store(at + 8, filled);
        let room = self.data.length() - at - 16;
        self.data.copy_in(at + 16, &bytes[..bytes.len().min(room)]);
        memory::place(DATA, at as u64)
    }

    fn ring(&self) {
        let bell = self.request.word(wire::LINE + wire::channel_host::DOORBELL);
        bell.fetch_add(1, Ordering::SeqCst);
        let _ = futex::wake(bell, futex::Flags::empty(), 1);
    }

    /// The final reply of the innermost call, which has ended.
    fn take_reply(&mut self) -> Reply {
        let (slot, id) = self.open.pop().expect("a call has ended");
        let at = memory::slot(0, slot);
        let commit = self.reply.word(at + reply_head::COMMIT).load(Ordering::Acquire);
        self.replies[slot] = self.replies[slot].wrapping_add(1);
        assert_eq!(commit, self.replies[slot], "one reply was written");
        assert_eq!(self.reply.load::<u64>(at + reply_head::CALL_ID), id, "a reply to another call");
        for word in 0..3 {
            let value: u64 = self.reply.load(at + wire::RESULT_OFFSET + word * 8);
            self.handles.push(value);
            let is_object = (1..=TYPES).contains(&(value >> wire::HANDLE_TYPE_SHIFT));
            if is_object && !self.objects.contains(&value) {
                self.objects.truncate(OBJECTS - 1);
                self.objects.insert(0, value);
            }
        }
        let length: u32 = self.reply.load(at + reply_head::RESULT_LENGTH);
        let state = ReplyState::from_raw(self.reply.load(at + reply_head::STATE));
        Reply { id, state, length: length as usize }
    }

    /// A call of depth 0 was executed: there is one reply, and it is one.
    pub(super) fn check(&mut self, function: Option<rt::Function>) {
        assert_eq!(self.open.len(), 1, "a nested call has not ended");
        let Reply { id, state, length } = self.take_reply();
        assert!(length <= wire::MAX_RESULT, "{length}");
        match state {
            Some(ReplyState::Returned | ReplyState::LibraryError) => {
                let least = function.map_or(wire::batch_result::SIZE, |function| function.result_size.into());
                assert!(length >= least, "call {id}: {length} bytes of {least}");
            }
            Some(ReplyState::Refused) => {}
            other => panic!("a call ends with {other:?}"),
        }
    }
}

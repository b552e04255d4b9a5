//! What a worker does that does what its calls' data say.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use hotcell_protocol::wire::{
    self, ReplyState, batch_head, batch_result, call_head, reply_head, resume_line,
};
use hotcell_shm::Mapping;
use hotcell_shm::batch::Replies;
use rustix::thread::futex;

use crate::script::Script;
use crate::target::{memory, packets};

/// The memory of a channel, and the windows that were added, by number.
#[derive(Debug)]
pub struct Memory {
    /// Of the host.
    pub request: Mapping,
    /// Of the worker.
    pub reply: Mapping,
    /// Of the worker, too.
    pub windows: Arc<Mutex<Vec<(u16, Mapping)>>>,
}

/// The worker.
#[derive(Debug)]
pub struct Peer<S, P> {
    memory: Memory,
    /// Sends a packet.
    send: S,
    /// Passes a moment.
    pause: P,
    rounds: usize,
    calls: [u32; memory::SLOTS],
    resumes: [u32; memory::SLOTS],
    replies: [u32; memory::SLOTS],
}

/// Messages of a call: a host is not kept busy for ever.
const MOST: u32 = 24;

/// Ordinary words of results.
const WORDS: [u64; 6] = [0, 1, 8, 24, wire::PLACE_NULL, wire::LENGTH_IMPOSSIBLE];

impl<S: FnMut(&[u8]), P: Fn()> Peer<S, P> {
    /// A worker that has answered nothing yet.
    pub fn new(memory: Memory, send: S, pause: P) -> Self {
        let zero = [0; memory::SLOTS];
        Peer { memory, send, pause, rounds: 0, calls: zero, resumes: zero, replies: zero }
    }

    /// Answers calls, until it is killed.
    pub fn serve(&mut self) -> ! {
        loop {
            let slot = self.rounds % wire::RING_SLOTS as usize;
            self.rounds += 1;
            while !self.is_called(slot) {
                (self.pause)();
            }
            self.execute(slot, 0);
        }
    }

    /// Whether there is a call in this slot, which is taken.
    fn is_called(&mut self, slot: usize) -> bool {
        let line = memory::slot(0, slot) + wire::CALL_OFFSET;
        let commit: u32 = self.memory.request.load(line + call_head::COMMIT);
        std::sync::atomic::fence(Ordering::Acquire);
        let called = commit == self.calls[slot].wrapping_add(1);
        self.calls[slot] = if called { commit } else { self.calls[slot] };
        called
    }

    /// Does what the data of a call say. They lie behind its first arguments.
    fn execute(&mut self, slot: usize, depth: usize) {
        let line = memory::slot(0, slot) + wire::CALL_OFFSET;
        let id: u64 = self.memory.request.load(line + call_head::CALL_ID);
        let length: u16 = self.memory.request.load(line + call_head::ARGS_LENGTH);
        let mut data = vec![0; usize::from(length).min(wire::MAX_ARGS).saturating_sub(ARGUMENTS)];
        self.memory.request.copy_out(line + call_head::SIZE + ARGUMENTS, &mut data);
        let mut script = Script::new(&data);
        self.prepare(slot);
        for _ in 0..MOST {
            if script.is_over() {
                break;
            }
            match script.below(16) {
                0..4 => self.write_word(&mut script, slot),
                4..7 => self.write_bytes(&mut script, slot),
                7..12 if self.lie(&mut script, slot, id, depth) => return,
                12 => memory::scribble(&mut script, &self.memory.reply),
                13 if script.below(8) == 0 => {
                    let packet = packets::packet(&mut script, &[2, 4, 5, 12, 9], &[0, 16, 64, 12, 8]);
                    (self.send)(&packet);
                }
                14 if script.below(32) == 0 => std::process::exit(script.below(3) as i32),
                _ => {}
            }
        }
        let honest = Message {
            state: ReplyState::Returned.raw(),
            errno: 0,
            length: wire::MAX_RESULT as u32,
            value: 0,
        };
        self.publish(slot, id, &honest, 1);
    }

    /// Writes results that are as they should be, for what the data do not say.
    fn prepare(&self, slot: usize) {
        let (reply, block) = (&self.memory.reply, memory::slot(0, slot) + wire::RESULT_OFFSET);
        let text = memory::place(wire::SEGMENT_REPLY, block as u64 + 512);
        for word in 0..32 {
            reply.store(block + word * 8, if word % 2 == 0 { text } else { 8 });
        }
        reply.copy_in(block + 512, b"eight 8!");
        let line = memory::slot(0, slot) + wire::CALL_OFFSET;
        if self.memory.request.load::<u16>(line + call_head::FUNCTION) != wire::BATCH_FUNCTION {
            return;
        }
        let replies = block + batch_result::SIZE;
        let count: u32 = self.memory.request.load(line + call_head::SIZE + batch_head::COUNT);
        let place = memory::place(wire::SEGMENT_REPLY, replies as u64);
        reply.store(block + batch_result::PLACE, place);
        reply.store(block + batch_result::LENGTH, (wire::MAX_RESULT - batch_result::SIZE) as u64);
        for entry in 0..count.min(8) as usize {
            reply.store(replies + Replies::of(count).states() + entry, ReplyState::Returned.raw() as u8);
        }
    }

    /// A message of the call, which may be true. Whether the call is over.
    fn lie(&mut self, script: &mut Script<'_>, slot: usize, id: u64, depth: usize) -> bool {
        let states = [
            ReplyState::Returned,
            ReplyState::LibraryError,
            ReplyState::Refused,
            ReplyState::NeedSpace,
            ReplyState::Callback,
        ];
        let state = match script.u8() {
            255 => script.u16(),
            choice => states[usize::from(choice) % states.len()].raw(),
        };
        let errno = script.near(&[1, 1, 1, 1, 0, wire::KEPT_CALLBACKS.into(), u32::MAX.into()]) as u32;
        let all = wire::MAX_RESULT as u32;
        let length = match script.below(8) {
            0 => script.near(&[all.into(), 8, 24, 0, 64]) as u32,
            _ if state == ReplyState::Callback.raw() => 24,
            _ => all,
        };
        let value = match script.below(3) {
            0 => self.place(script, slot),
            1 => script.near(&[0, 1, 64, 4096, 1 << 20, u64::MAX]),
            _ => u64::from(script.u8()),
        };
        let wild = script.below(24);
        let its = if wild == 1 { id.wrapping_add(1) } else { id };
        let step = if wild == 2 { script.u32() } else { 1 };
        self.publish(slot, its, &Message { state, errno, length, value }, step);
        let goes_on = [ReplyState::NeedSpace, ReplyState::Callback].iter().any(|it| it.raw() == state);
        if goes_on {
            self.wait(slot, depth);
        }
        !goes_on
    }

    /// Waits for an answer, and executes what is called meanwhile.
    fn wait(&mut self, slot: usize, depth: usize) {
        let line = memory::slot(0, slot);
        let nested = wire::RING_SLOTS as usize + depth;
        loop {
            let commit: u32 = self.memory.request.load(line + resume_line::COMMIT);
            std::sync::atomic::fence(Ordering::Acquire);
            if commit == self.resumes[slot].wrapping_add(1) {
                self.resumes[slot] = commit;
                return;
            }
            if depth < wire::STACK_SLOTS as usize && self.is_called(nested) {
                self.execute(nested, depth + 1);
            }
            (self.pause)();
        }
    }

    fn publish(&mut self, slot: usize, id: u64, message: &Message, step: u32) {
        let (at, reply) = (memory::slot(0, slot), &self.memory.reply);
        reply.store(at + reply_head::STATE, message.state);
        reply.store(at + reply_head::CALL_ID, id);
        reply.store(at + reply_head::ERRNO, message.errno);
        reply.store(at + reply_head::RESULT_LENGTH, message.length);
        reply.store(at + reply_head::VALUE, message.value);
        self.replies[slot] = self.replies[slot].wrapping_add(step);
        reply.word(at + reply_head::COMMIT).store(self.replies[slot], Ordering::Release);
        let bell = reply.word(memory::lane(0) + wire::lane_worker::BELL);
        bell.fetch_add(1, Ordering::SeqCst);
        let _ = futex::wake(bell, futex::Flags::empty(), 1);
    }

    /// Writes a word where results are looked for.
    fn write_word(&self, script: &mut Script<'_>, slot: usize) {
        let at = wire::RESULT_OFFSET + 8 * script.below(32);
        let word = match script.below(4) {
            0 => self.place(script, slot),
            1 => script.u64(),
            // A handle: index, generation, type.
            2 => {
                let (index, generation, kind) =
                    (script.below(4) as u64, script.below(4) as u64, script.below(4) as u64);
                index | generation << wire::HANDLE_GENERATION_SHIFT | kind << wire::HANDLE_TYPE_SHIFT
            }
            _ => script.near(&WORDS),
        };
        match script.below(4) {
            0 => self.in_window(script, 8 * (at % 64), &word.to_ne_bytes()),
            _ => self.memory.reply.store(memory::slot(0, slot) + at, word),
        }
    }

    /// Writes bytes where data may be.
    fn write_bytes(&self, script: &mut Script<'_>, slot: usize) {
        let (at, length) = (4 * script.below(255), 1 + script.below(16));
        let bytes = script.take(length);
        match script.below(4) {
            0 => self.in_window(script, at, bytes),
            _ => self.memory.reply.copy_in(memory::slot(0, slot) + wire::RESULT_OFFSET + at, bytes),
        }
    }

    fn in_window(&self, script: &mut Script<'_>, at: usize, bytes: &[u8]) {
        let windows = self.memory.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if !windows.is_empty() {
            windows[script.below(255) % windows.len()].1.copy_in(at, bytes);
        }
    }

    /// A place that is often a good one.
    fn place(&self, script: &mut Script<'_>, slot: usize) -> u64 {
        let block = (memory::slot(0, slot) + wire::RESULT_OFFSET) as u64;
        let offsets = [block + 64, block + 128, block + 512, block + wire::MAX_RESULT as u64, 0, 1 << 20];
        let segment = script.one_of(&[1, 1, 1, 2, 3, 4, 0, 511]);
        let offset = script.near(&offsets);
        memory::place(segment, if segment > 1 && offset > 1 << 20 { offset % 256 } else { offset })
    }
}

/// Bytes of the arguments before the data.
pub(crate) const ARGUMENTS: usize = 24;

/// What is said in a reply.
struct Message {
    state: u16,
    errno: u32,
    length: u32,
    value: u64,
}

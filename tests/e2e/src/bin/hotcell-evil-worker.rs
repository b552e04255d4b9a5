//! A worker that speaks the protocol and lies. `HOTCELL_EVIL` names the lie.
#![allow(
    clippy::unwrap_used,
    reason = "a panic ends only this process, and the test that started it sees that"
)]

use std::fs::File;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use hotcell_protocol::wire::{
    self, EventPacket, Hello, Packet, Refusal, ReplyState, Resume, SegmentAdd, SegmentReady, Welcome,
    call_head, capabilities, reply_head, resume_line,
};
use hotcell_shm::batch::Replies;
use hotcell_shm::control::{ControlError, ControlSocket};
use hotcell_shm::{Access, Mapping, Seals, SegmentFile};

fn main() {
    // SAFETY: the host starts a worker with its control socket as descriptor 3, and nothing else here owns it.
    let socket = ControlSocket::from_fd(unsafe { OwnedFd::from_raw_fd(3) });
    let packet = socket.receive_from_host().unwrap().unwrap();
    let hello = Hello::decode(packet.body.first_chunk().unwrap());
    let mut descriptors = packet.descriptors.into_iter();
    let mut map = |seals, access, length| {
        SegmentFile::adopt(descriptors.next().unwrap(), length, seals).unwrap().map(access).unwrap()
    };
    let request = map(Seals::Request, Access::ReadOnly, hello.request_length);
    let reply = map(Seals::Reply, Access::ReadWrite, hello.reply_length);
    // Behind the shim and the libraries.
    let eventfd = descriptors.nth(1 + usize::from(hello.libraries));
    let told = std::env::var("HOTCELL_EVIL").unwrap();
    // The same lie, told to a task.
    let (lie, to_task) = match told.strip_prefix("task-") {
        Some(lie) => (lie, true),
        None => (told.as_str(), false),
    };
    let capabilities = match lie {
        _ if to_task => capabilities::HANDLES | capabilities::CALLBACKS | capabilities::EVENTFD,
        "no-handles" => 0,
        "unpassed-callback" | "unknown-kept" => capabilities::HANDLES | capabilities::CALLBACKS,
        lie if lie.starts_with("batch-") => capabilities::HANDLES | capabilities::BATCH,
        "rings-without-end" | "rings-for-nothing" => capabilities::HANDLES | capabilities::EVENTFD,
        "listen-without-lane" => capabilities::HANDLES,
        lie if lie.starts_with("listen-") => capabilities::HANDLES | capabilities::DISPATCHER,
        _ => capabilities::HANDLES,
    };
    let Hello { functions, fingerprint, .. } = hello;
    // A wall that is not there.
    let level = if lie == "no-wall" { 0 } else { u32::MAX };
    let welcome = Welcome { capabilities, level, functions, fingerprint };
    let greet = || socket.send(Packet::Welcome, &welcome.encode(), &[]).unwrap();
    match lie {
        "silent" => {}
        "gone" => std::process::exit(0),
        "garbage" => {
            rustix::io::write(socket.as_fd(), b"not a packet at all, but long enough").map(drop).unwrap()
        }
        "short" => rustix::io::write(socket.as_fd(), b"x").map(drop).unwrap(),
        "long" => rustix::io::write(socket.as_fd(), &[0; 3 * wire::MAX_PACKET]).map(drop).unwrap(),
        "host-packet" => socket.send(Packet::SegmentAdd, &[0; 16], &[]).unwrap(),
        "cut-off" => socket.send(Packet::Welcome, &[0; 10], &[]).unwrap(),
        "event-text" => {
            let event = EventPacket { event: 1, detail: 0, text_length: u32::MAX };
            socket.send(Packet::Event, &event.encode(), &[]).unwrap();
        }
        "descriptors" => {
            let file = File::open("/dev/null").unwrap();
            socket.send(Packet::Welcome, &welcome.encode(), &[file.as_fd(); 20]).unwrap();
        }
        "two-welcomes" => {
            greet();
            greet();
        }
        "unasked-answer" => {
            greet();
            socket.send(Packet::Pong, &[], &[]).unwrap();
        }
        "segments" => {
            greet();
            socket.send(Packet::SegmentReady, &SegmentReady { id: 2 }.encode(), &[]).unwrap();
        }
        "rings-without-end" => {
            greet();
            // Until it is full it never waits, and then it does.
            let eventfd = eventfd.unwrap();
            rustix::io::ioctl_fionbio(&eventfd, false).unwrap();
            loop {
                rustix::io::write(&eventfd, &1u64.to_ne_bytes()).unwrap();
            }
        }
        "rings-for-nothing" => {
            greet();
            // Full, and a write would wait for ever.
            let eventfd = eventfd.unwrap();
            rustix::io::ioctl_fionbio(&eventfd, false).unwrap();
            rustix::io::write(&eventfd, &(u64::MAX - 1).to_ne_bytes()).unwrap();
        }
        lie if lie.starts_with("pipe-") => {
            greet();
            lie_to_a_pipeline(lie, &request, &reply);
        }
        lie if lie.starts_with("listen-") => {
            greet();
            lie_to_the_dispatcher(lie, &request, &reply);
        }
        "maps-late" | "maps-argument-late" => {
            greet();
            map_late(lie, &socket, &request, &reply);
        }
        "lost-state" => {
            // The state record: counts, what is lost, and the function.
            (704..704 + 40).step_by(4).for_each(|at| reply.store(at, u32::MAX));
            greet();
        }
        "hears-nothing" => {
            greet();
            drop(socket);
            std::fs::write(folder().join("deaf"), "").unwrap();
        }
        lie => {
            greet();
            answer(lie, &request, &reply);
            if let Some(eventfd) = eventfd.filter(|_| to_task) {
                rustix::io::write(&eventfd, &1u64.to_ne_bytes()).unwrap();
            }
        }
    }
    std::thread::sleep(Duration::from_secs(60));
}

/// Bytes of a result block, for entries that do not know theirs.
const RESULT: usize = wire::batch_result::SIZE;

/// Answers a batch whose first entry returns a number, and all others texts. The state of the reply, and the bytes of its
/// result block.
fn lie_about_a_batch(lie: &str, request: (&Mapping, usize), reply: (&Mapping, usize)) -> (u16, u32) {
    let (block, slot) = (reply.1 + wire::RESULT_OFFSET, reply.1);
    let (reply, in_slot) = (reply.0, (block + RESULT) as u64);
    let head = request.1 + wire::call_head::SIZE;
    let length: u32 = request.0.load(head + wire::batch_head::REPLIES_LENGTH);
    let mut used = u64::from(length);
    let mut place = in_slot | u64::from(wire::SEGMENT_REPLY) << wire::PLACE_SEGMENT_SHIFT;
    let replies = Replies::of(request.0.load(head + wire::batch_head::COUNT));
    let state = |entry: usize, state: u16| {
        reply.store(block + RESULT + replies.states() + entry, state as u8);
    };
    (0..2).for_each(|entry| state(entry, ReplyState::Returned.raw()));
    // The second entry's reply: behind the first, whose result has 8 bytes.
    let failure = block + RESULT + wire::batch_failure::SIZE;
    let second = block + RESULT + replies.blocks() + 8;
    let text = |place: u64, length: u64| {
        reply.store(second, place);
        reply.store(second + 8, length);
    };
    text(place, 0);
    let result = (ReplyState::Returned.raw(), RESULT as u32 + length);
    match lie {
        "batch-place" => place += wire::MAX_RESULT as u64,
        "batch-place-of-requests" => place = in_slot,
        "batch-place-of-entries" => place = u64::from(wire::SEGMENT_BATCH) << wire::PLACE_SEGMENT_SHIFT,
        "batch-place-before" => place -= RESULT as u64 + 8,
        "batch-no-place" => place = wire::PLACE_NULL,
        "batch-few-replies" => used -= 1,
        "batch-long-replies" => used += wire::MAX_RESULT as u64,
        "batch-endless-replies" => used = u64::MAX,
        "batch-short-result" => return (result.0, RESULT as u32 - 1),
        "batch-library-error" => return (ReplyState::LibraryError.raw(), result.1),
        "batch-no-state" => state(1, 0),
        "batch-need-space" => state(1, ReplyState::NeedSpace.raw()),
        "batch-text" => text(place, wire::MAX_RESULT as u64),
        "batch-text-of-requests" => text(in_slot, 1),
        "batch-text-elsewhere" => text(u64::from(wire::SEGMENT_BATCH) << wire::PLACE_SEGMENT_SHIFT, 1),
        "batch-impossible-text" => text(place, wire::LENGTH_IMPOSSIBLE),
        "batch-refusal" | "batch-refusal-of-no-argument" | "batch-refusal-name" => {
            state(1, ReplyState::Refused.raw());
            let refusal = match lie {
                "batch-refusal" => 4_000,
                "batch-refusal-name" => Refusal::NullArgument.raw(),
                _ => Refusal::StaleHandle.raw(),
            };
            reply.store(failure + wire::batch_failure::ERRNO, refusal);
            if lie == "batch-refusal-name" {
                reply.store(failure + wire::batch_failure::NAME_LENGTH, u32::from(u16::MAX));
            }
        }
        noise => {
            let mut random: u64 = noise.trim_start_matches("batch-noise-").parse().unwrap();
            for offset in (slot + wire::RESULT_OFFSET..slot + wire::SLOT_STRIDE).step_by(8) {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Small numbers are states and refusals, and places in the slot are often good ones.
                let value = match random >> 61 {
                    0 => random,
                    1 => place + (random >> 33) % wire::MAX_RESULT as u64,
                    2 => (random >> 33) % 100,
                    _ => ((random >> 33) % 9) | (((random >> 40) % 20) << 32),
                };
                reply.store(offset, value);
            }
        }
    }
    reply.store(block + wire::batch_result::PLACE, place);
    reply.store(block + wire::batch_result::LENGTH, used);
    result
}

/// Bytes of a lane in either segment.
const LANE: usize = (wire::LANE_HEAD + (wire::RING_SLOTS + wire::STACK_SLOTS) as usize * wire::SLOT_STRIDE)
    .next_multiple_of(4096);

/// Both halves of a slot.
#[derive(Clone, Copy)]
struct Slot<'a> {
    request: &'a Mapping,
    reply: &'a Mapping,
    lane: usize,
    at: usize,
}

/// A message in a slot.
#[derive(Clone, Copy)]
struct Message {
    commit: u32,
    state: u16,
    errno: u32,
    length: u32,
    value: u64,
}

impl Slot<'_> {
    /// Waits for the first call in it; its id.
    fn call(self) -> u64 {
        let call = self.at + wire::CALL_OFFSET;
        while self.request.load::<u32>(call + call_head::COMMIT) == 0 {
            std::thread::sleep(Duration::from_micros(100));
        }
        std::sync::atomic::fence(std::sync::atomic::Ordering::Acquire);
        self.request.load(call + call_head::CALL_ID)
    }

    fn send(self, call_id: u64, message: &Message) {
        let (at, reply) = (self.at, self.reply);
        reply.store(at + reply_head::STATE, message.state);
        reply.store(at + reply_head::CALL_ID, call_id);
        reply.store(at + reply_head::ERRNO, message.errno);
        reply.store(at + reply_head::RESULT_LENGTH, message.length);
        reply.store(at + reply_head::VALUE, message.value);
        reply.word(at + reply_head::COMMIT).store(message.commit, std::sync::atomic::Ordering::Release);
        let bell = reply.word(self.lane + wire::lane_worker::BELL);
        bell.fetch_add(1, std::sync::atomic::Ordering::Release);
        let _ = rustix::thread::futex::wake(bell, rustix::thread::futex::Flags::empty(), 1);
    }

    /// Waits for an answer; its kind and its value.
    fn answer(self, commit: u32) -> (u16, u64) {
        while self.request.load::<u32>(self.at + resume_line::COMMIT) != commit {
            std::thread::sleep(Duration::from_micros(100));
        }
        std::sync::atomic::fence(std::sync::atomic::Ordering::Acquire);
        let kind = self.request.load(self.at + resume_line::KIND);
        (kind, self.request.load(self.at + resume_line::VALUE))
    }
}

/// Where it leaves notes for the test, and the test for it.
fn folder() -> PathBuf {
    PathBuf::from(std::env::var_os("HOTCELL_EVIL_FOLDER").unwrap())
}

/// Maps what it is given when the test says so, and serves a call that needs it, and one more.
fn map_late(lie: &str, socket: &ControlSocket, request: &Mapping, reply: &Mapping) {
    let lane = wire::LANES_OFFSET;
    let slot = |number: usize| Slot {
        request,
        reply,
        lane,
        at: lane + wire::LANE_HEAD + number * wire::SLOT_STRIDE,
    };
    let folder = folder();
    let state = ReplyState::Returned.raw();
    let returned = |commit, length| Message { commit, state, errno: 0, length, value: 0 };
    let needs_space = lie == "maps-late";
    if needs_space {
        let id = slot(0).call();
        let state = ReplyState::NeedSpace.raw();
        slot(0).send(id, &Message { commit: 1, state, errno: 0, length: 0, value: 1 << 20 });
    }
    let added = loop {
        match socket.receive_from_host() {
            Ok(packet) => break packet.unwrap(),
            Err(ControlError::System(rustix::io::Errno::AGAIN)) => {
                std::thread::sleep(Duration::from_micros(100))
            }
            Err(error) => panic!("{error:?}"),
        }
    };
    let id = SegmentAdd::decode(added.body.first_chunk().unwrap()).id;
    std::fs::write(folder.join("asked"), "").unwrap();
    while !folder.join("go").exists() {
        let call = slot(0).at + wire::CALL_OFFSET + call_head::COMMIT;
        if !needs_space && request.load::<u32>(call) != 0 {
            // The call may name what is not there yet.
            std::process::exit(77);
        }
        std::thread::sleep(Duration::from_micros(100));
    }
    socket.send(Packet::SegmentReady, &SegmentReady { id }.encode(), &[]).unwrap();
    let mut number = 0;
    if needs_space {
        let call = slot(0).call();
        slot(0).answer(1);
        reply.store(slot(0).at + wire::RESULT_OFFSET, wire::PLACE_NULL);
        slot(0).send(call, &returned(2, 16));
        number = 1;
    }
    let call = slot(number).call();
    reply.store(slot(number).at + wire::RESULT_OFFSET, 5u64);
    slot(number).send(call, &returned(1, 8));
}

/// Serves `ticker_new`, `ticker_on_poke` and `ticker_on_tick`, then lies on the dispatcher lane.
fn lie_to_the_dispatcher(lie: &str, request: &Mapping, reply: &Mapping) {
    let slot = |lane: usize, number: usize| {
        let lane = wire::LANES_OFFSET + lane * LANE;
        Slot { request, reply, lane, at: lane + wire::LANE_HEAD + number * wire::SLOT_STRIDE }
    };
    for (number, length) in [8, 0, 0].into_iter().enumerate() {
        let slot = slot(0, number);
        let id = slot.call();
        let handle = 1 << wire::HANDLE_TYPE_SHIFT | 1u64 << wire::HANDLE_GENERATION_SHIFT;
        reply.store(slot.at + wire::RESULT_OFFSET, handle);
        let state = ReplyState::Returned.raw();
        slot.send(id, &Message { commit: 1, state, errno: 0, length, value: 0 });
    }
    let slot = slot(1, 0);
    let id = slot.call();
    // What ticks have: a `long` and an `int`.
    let arguments = slot.at + wire::RESULT_OFFSET;
    reply.store(arguments, 7u64);
    reply.store(arguments + 8, 3u32);
    let place = arguments as u64 | u64::from(wire::SEGMENT_REPLY) << wire::PLACE_SEGMENT_SHIFT;
    let (poke, tick) = (wire::KEPT_CALLBACKS, wire::KEPT_CALLBACKS + 1);
    let state = ReplyState::Callback.raw();
    let honest = |commit| Message { commit, state, errno: tick, length: 16, value: place };
    let need_space = ReplyState::NeedSpace.raw();
    let refused = |refusal: u32| Message {
        state: ReplyState::Refused.raw(),
        length: 0,
        value: refusal.into(),
        ..honest(1)
    };
    let lied = match lie {
        "listen-returned" => Message { state: ReplyState::Returned.raw(), ..honest(1) },
        "listen-other-call" => return slot.send(id + 1, &honest(1)),
        "listen-unpassed" => Message { errno: 1, ..honest(1) },
        "listen-negative" => Message { errno: u32::MAX, ..honest(1) },
        // A poke has an `int`.
        "listen-not-for-threads" => Message { errno: poke, length: 8, ..honest(1) },
        "listen-size" => Message { length: 8, ..honest(1) },
        "listen-place" => Message { value: place + wire::MAX_RESULT as u64 - 15, ..honest(1) },
        "listen-place-of-lane-0" => Message { value: place - LANE as u64, ..honest(1) },
        "listen-refusal" => refused(Refusal::StaleHandle.raw()),
        "listen-no-refusal" => refused(4_000),
        "listen-commit" => honest(2),
        "listen-state" => Message { state: 77, ..honest(1) },
        // What is no lie costs nothing: what has gone, and what there is no room for. Then it is honest, twice.
        "listen-gone" => Message { errno: tick + 100, ..honest(1) },
        "listen-endless-space" => Message { state: need_space, value: u64::MAX, ..honest(1) },
        other => panic!("no such lie: {other}"),
    };
    slot.send(id, &lied);
    let mut sent = 1;
    if lie == "listen-endless-space" {
        while sent < 200 {
            assert_eq!(slot.answer(sent).0, Resume::NotGranted.raw());
            sent += 1;
            slot.send(id, &Message { commit: sent, state: need_space, value: u64::MAX, ..honest(sent) });
        }
        assert_eq!(slot.answer(sent).0, Resume::NotGranted.raw());
    } else {
        assert_eq!(slot.answer(sent).0, Resume::CallbackFailed.raw());
    }
    for _ in 0..2 {
        sent += 1;
        slot.send(id, &honest(sent));
        assert_eq!(slot.answer(sent), (Resume::CallbackReturned.raw(), 10));
    }
}

/// Answers additions that are in flight, with 1, 2, 3… and a lie.
fn lie_to_a_pipeline(lie: &str, request: &Mapping, reply: &Mapping) {
    let lane = wire::LANES_OFFSET;
    let slot = |number: usize| Slot {
        request,
        reply,
        lane,
        at: lane + wire::LANE_HEAD + number * wire::SLOT_STRIDE,
    };
    let state = ReplyState::Returned.raw();
    let returned = |commit| Message { commit, state, errno: 0, length: 8, value: 0 };
    let result = |number: usize| reply.store(slot(number).at + wire::RESULT_OFFSET, number as u32 + 1);
    let ids: Vec<u64> = (0..3).map(|number| slot(number).call()).collect();
    (0..3).for_each(result);
    let honest = |numbers: &[usize]| {
        numbers.iter().for_each(|&number| slot(number).send(ids[number], &returned(1)));
    };
    match lie {
        // Not a lie: they lie where they belong.
        "pipe-backwards" => honest(&[2, 1, 0]),
        "pipe-swapped" => {
            slot(1).send(ids[0], &returned(1));
            slot(0).send(ids[1], &returned(1));
        }
        "pipe-second-for-first" => {
            honest(&[0]);
            slot(1).send(ids[0], &returned(1));
        }
        "pipe-skips" => {
            honest(&[0]);
            slot(1).send(ids[1], &returned(2));
        }
        "pipe-not-sent" => {
            // The next call is met by the reply to one that nobody sent.
            slot(3).send(ids[2] + 100, &returned(1));
            honest(&[0, 1, 2]);
        }
        "pipe-twice" => {
            honest(&[0, 1, 2]);
            for number in 3..8 {
                let id = slot(number).call();
                result(number);
                slot(number).send(id, &returned(1));
            }
            // The first slot is used again: it has the reply to its first call once more.
            while request.load::<u32>(slot(0).at + wire::CALL_OFFSET + call_head::COMMIT) != 2 {
                std::thread::sleep(Duration::from_micros(100));
            }
            slot(0).send(ids[0], &returned(2));
        }
        "pipe-silent" => honest(&[0]),
        "pipe-short" => {
            honest(&[0]);
            slot(1).send(ids[1], &Message { length: 0, ..returned(1) });
        }
        "pipe-endless-space" => {
            honest(&[0]);
            let asks = Message { state: ReplyState::NeedSpace.raw(), value: u64::MAX, ..returned(1) };
            for commit in 1.. {
                slot(1).send(ids[1], &Message { commit, ..asks });
                slot(1).answer(commit);
            }
        }
        "pipe-callback" => {
            honest(&[0]);
            let asks = Message { state: ReplyState::Callback.raw(), errno: 1, length: 0, ..returned(1) };
            slot(1).send(ids[1], &asks);
        }
        other => panic!("no such lie: {other}"),
    }
}

/// Writes the words of `HOTCELL_EVIL_WORDS` into a result block: `OFFSET=WORD`, where `@N` is a place in the block.
fn say(reply: &Mapping, block: usize) {
    for word in std::env::var("HOTCELL_EVIL_WORDS").unwrap().split(',') {
        let (offset, word) = word.split_once('=').unwrap();
        let value = match word.strip_prefix('@') {
            Some(at) => {
                let segment = u64::from(wire::SEGMENT_REPLY) << wire::PLACE_SEGMENT_SHIFT;
                segment | (block as u64 + at.parse::<u64>().unwrap())
            }
            None => word.parse().unwrap(),
        };
        reply.store(block + offset.parse::<usize>().unwrap(), value);
    }
}

/// Waits for the first call, and answers it with a lie.
fn answer(lie: &str, request: &Mapping, reply: &Mapping) {
    let slot = wire::LANES_OFFSET + wire::LANE_HEAD;
    let call = slot + wire::CALL_OFFSET;
    while request.load::<u32>(call + call_head::COMMIT) == 0 {
        std::thread::sleep(Duration::from_micros(100));
    }
    std::sync::atomic::fence(std::sync::atomic::Ordering::Acquire);
    let id: u64 = request.load(call + call_head::CALL_ID);
    let (mut state, mut call_id, mut length, mut commit, mut value, mut errno) =
        (ReplyState::Returned.raw(), id, wire::MAX_RESULT as u32, 1, 0, 0u32);
    match lie {
        "other-call" => call_id = id + 1,
        "no-call" => call_id = 0,
        "unknown-state" => state = 77,
        "callback" | "unpassed-callback" => state = ReplyState::Callback.raw(),
        "kept-callback" | "unknown-kept" => {
            state = ReplyState::Callback.raw();
            errno = wire::KEPT_CALLBACKS;
        }
        "long-result" => length = wire::MAX_RESULT as u32 + 1,
        "short-result" => length = 0,
        "skipped-commit" => commit = 2,
        "wild-reference" => {
            for offset in (0..wire::MAX_RESULT).step_by(8) {
                reply.store(slot + wire::RESULT_OFFSET + offset, 0x0001_0000_0000_0000_u64 - 1);
            }
        }
        "says" => say(reply, slot + wire::RESULT_OFFSET),
        "endless-space" => {
            state = ReplyState::NeedSpace.raw();
            value = u64::MAX;
        }
        "unknown-refusal" | "refusal-of-no-argument" => {
            state = ReplyState::Refused.raw();
            value = if lie == "unknown-refusal" { 4_000 } else { u64::from(Refusal::StaleHandle.raw()) };
            length = 0;
        }
        "never-answers" => return,
        lie if lie.starts_with("batch-") => {
            (state, length) = lie_about_a_batch(lie, (request, call), (reply, slot));
        }
        other => panic!("no such lie: {other}"),
    }
    reply.store(slot + reply_head::STATE, state);
    reply.store(slot + reply_head::CALL_ID, call_id);
    reply.store(slot + reply_head::ERRNO, errno);
    reply.store(slot + reply_head::RESULT_LENGTH, length);
    reply.store(slot + reply_head::VALUE, value);
    reply.word(slot + reply_head::COMMIT).store(commit, std::sync::atomic::Ordering::Release);
    let bell = reply.word(wire::LANES_OFFSET + wire::lane_worker::BELL);
    bell.fetch_add(1, std::sync::atomic::Ordering::Release);
    let _ = rustix::thread::futex::wake(bell, rustix::thread::futex::Flags::empty(), 1);
    if lie == "unknown-kept" {
        while request.load::<u32>(slot + resume_line::COMMIT) == 0 {
            std::thread::sleep(Duration::from_micros(100));
        }
        std::sync::atomic::fence(std::sync::atomic::Ordering::Acquire);
        let kind: u16 = request.load(slot + resume_line::KIND);
        std::process::exit(i32::from(kind == Resume::CallbackFailed.raw()));
    }
}

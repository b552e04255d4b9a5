//! A worker that speaks the protocol and lies. `HOTCELL_EVIL` names the lie.
#![allow(
    clippy::unwrap_used,
    reason = "a panic ends only this process, and the test that started it sees that"
)]

use std::fs::File;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::time::Duration;

use hotcell_protocol::wire::{
    self, EventPacket, Hello, Packet, Refusal, ReplyState, Resume, SegmentReady, Welcome, call_head,
    capabilities, reply_head, resume_line,
};
use hotcell_shm::batch::Replies;
use hotcell_shm::control::ControlSocket;
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
    let lie = std::env::var("HOTCELL_EVIL").unwrap();
    let capabilities = match lie.as_str() {
        "no-handles" => 0,
        "unpassed-callback" | "unknown-kept" => capabilities::HANDLES | capabilities::CALLBACKS,
        lie if lie.starts_with("batch-") => capabilities::HANDLES | capabilities::BATCH,
        _ => capabilities::HANDLES,
    };
    let Hello { functions, fingerprint, .. } = hello;
    let welcome = Welcome { capabilities, level: 0, functions, fingerprint };
    let greet = || socket.send(Packet::Welcome, &welcome.encode(), &[]).unwrap();
    match lie.as_str() {
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
        "segments" => {
            greet();
            socket.send(Packet::SegmentReady, &SegmentReady { id: 2 }.encode(), &[]).unwrap();
        }
        lie => {
            greet();
            answer(lie, &request, &reply);
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

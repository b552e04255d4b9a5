//! Batches: several calls in one message, executed in order, each of which fails for itself.

use hotcell_protocol::wire::{self, Refusal, ReplyState, batch_reply, batch_result, capabilities};
use hotcell_shm::batch::{BatchHead, Entries, Entry, reply_size};
use hotcell_shm::{ReplyHead, Request, WorkerLane};

use crate::context::{Context, Reply, ShimRequest};
use crate::handles::Handles;
use crate::library;
use crate::serve::Worker;

/// Why a batch cannot be executed: the host broke a rule.
type Broken = &'static str;

/// Stands for the entry being executed while none is.
const NO_ENTRY: u32 = u32::MAX;

/// The head of a packed reply, written in front of its result block when the entry has returned.
#[derive(Clone, Copy)]
#[repr(C)]
struct Head {
    state: u16,
    name_length: u16,
    errno: i32,
}

const _: () = {
    assert!(size_of::<Head>() == batch_reply::SIZE);
    assert!(std::mem::offset_of!(Head, state) == batch_reply::STATE);
    assert!(std::mem::offset_of!(Head, name_length) == batch_reply::NAME_LENGTH);
    assert!(std::mem::offset_of!(Head, errno) == batch_reply::ERRNO);
};

impl Worker {
    /// Executes the entries of a batch.
    pub(crate) fn run_batch(
        &self,
        lane: *mut WorkerLane,
        handles: *mut Handles,
        request: &Request,
    ) -> Result<(ReplyHead, usize), Broken> {
        if self.capabilities & capabilities::BATCH == 0 {
            return Err("a call uses a capability that was not agreed on");
        }
        // A batch may be nested in an entry of another. A death outside of the entries is none of theirs.
        let outer = if request.depth == 0 { NO_ENTRY } else { self.channel.entry(request) };
        self.channel.begin_entry(request, NO_ENTRY);
        let head = self.channel.batch(request).ok_or("a batch is shorter than its head")?;
        let outside = "the entries of a batch lie outside of their segment";
        let base = self.segments.address(head.place, head.length).ok_or(outside)?;
        // SAFETY: `serve` keeps the lane for the whole call, and nothing else refers to it now.
        let (block, _) = self.channel.result(unsafe { &*lane }, request);
        let mut reply = Reply::new(block);
        let reply = &raw mut reply;
        let mut context = Context::new(reply, self.call(lane, handles, request, batch_result::SIZE));
        let replies = context.call().allocate(u64::from(head.replies_length), 8);
        let Some((replies, place)) = replies else {
            self.channel.begin_entry(request, outer);
            let value = u64::from(Refusal::NoSpace.raw());
            return Ok((ReplyHead { state: ReplyState::Refused, errno: 0, result_length: 0, value }, 0));
        };
        // SAFETY: the memory is `replies_length` bytes of a reply segment that only this call uses, and the block is the
        // call's, with room for a place at its start.
        unsafe {
            std::ptr::write_bytes(replies, 0, head.replies_length as usize);
            block.cast::<u64>().write(place.raw());
        }
        let around = self.segments.enter_batch(base, head.length);
        // SAFETY: the host leaves its entries alone until it has the reply, and segments stay mapped.
        let entries = unsafe { Entries::new(base, head.length) };
        let executed = self.run_entries(&mut context, reply, request, (head, entries), replies);
        self.segments.enter_batch(around.0, around.1);
        self.channel.begin_entry(request, outer);
        executed?;
        let used = context.call().block_used;
        let state = ReplyState::Returned;
        Ok((ReplyHead { state, errno: 0, result_length: used as u32, value: 0 }, used))
    }

    fn run_entries(
        &self,
        context: &mut Context,
        reply: *mut Reply,
        request: &Request,
        (head, mut entries): (BatchHead, Entries),
        replies: *mut u8,
    ) -> Result<(), Broken> {
        let mut at = 0;
        for number in 0..head.count {
            let entry = entries.next().ok_or("an entry of a batch is none")?;
            let function = self.library.function(entry.function).ok_or("a batch has an unknown function")?;
            let start = at;
            at += reply_size(function.result_size as usize);
            if at > head.replies_length as usize {
                return Err("the replies of a batch have no room");
            }
            if entry.skip {
                continue;
            }
            if entry.length < function.args_size {
                return Err("an entry of a batch is shorter than its arguments");
            }
            self.channel.begin_entry(request, number);
            let place = replies.wrapping_add(start);
            let block = place.wrapping_add(batch_reply::SIZE);
            // SAFETY: nothing else refers to the reply, which lives as long as the context.
            unsafe { reply.write(Reply::new(block)) };
            let written = self.run_entry(context, reply, request, function.entry, &entry);
            // SAFETY: the replies have `replies_length` bytes there, and all of them start at multiples of 8.
            unsafe { place.cast::<Head>().write(written) };
            if written.state == ReplyState::Refused.raw() {
                // SAFETY: as above; a block has 8 bytes at least.
                unsafe { block.cast::<u64>().write((*reply).value) };
            }
        }
        self.channel.begin_entry(request, NO_ENTRY);
        if entries.is_empty() { Ok(()) } else { Err("a batch has more entries than it says") }
    }

    /// Executes an entry; the head of its reply. Of a refusal, the place of the name is then the reply's value.
    fn run_entry(
        &self,
        context: &mut Context,
        reply: *mut Reply,
        request: &Request,
        run: library::Entry,
        entry: &Entry,
    ) -> Head {
        let shim_request = ShimRequest {
            args: entry.args,
            args_length: entry.length,
            depth: u32::from(request.depth),
            call_id: request.call_id,
            time: request.time,
        };
        context.call().refused = None;
        let handles = context.call().handles;
        // SAFETY: `serve` keeps the table for the whole call, and nothing else refers to it before the entry runs.
        let before = unsafe { (*handles).enter() };
        // SAFETY: the shim ABI defines the signature. Context, request and reply live until the entry returns, and the
        // argument block has the bytes that the function asks for.
        unsafe { run(context, &raw const shim_request, reply) };
        // SAFETY: the entry, which used table and reply, has returned.
        unsafe {
            (*handles).leave(before);
            let Some(refused) = context.call().refused else {
                let Reply { state, error_number: errno, .. } = *reply;
                // Only a shim writes the state, and only known ones: anything else is a smashed stack.
                if ReplyState::from_raw(state).is_none() {
                    std::process::abort();
                }
                return Head { state, name_length: 0, errno };
            };
            let (refusal, name) = refused.said();
            let (length, place) = match context.call().allocate(name.len() as u64, 1) {
                Some((at, place)) => {
                    std::ptr::copy_nonoverlapping(name.as_ptr(), at, name.len());
                    (name.len() as u16, place.raw())
                }
                None => (0, wire::PLACE_NULL),
            };
            (*reply).value = place;
            Head { state: ReplyState::Refused.raw(), name_length: length, errno: refusal as i32 }
        }
    }
}

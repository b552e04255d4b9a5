//! Batches: several calls in one message, executed in order, each of which fails for itself.

use hotcell_protocol::wire::{self, Refusal, ReplyState, batch_failure, batch_result, capabilities};
use hotcell_shm::batch::{BatchHead, Entries, Replies};
use hotcell_shm::{Ahead, ReplyHead, Request, WorkerLane, claim};

use crate::context::{Context, Reply, ShimRequest};
use crate::serve::{Server, zero_words};
use crate::{abandoned, heap, outermost};

/// Why a batch cannot be executed: the host broke a rule.
type Broken = &'static str;

/// Stands for the entry being executed while none is.
const NO_ENTRY: u32 = u32::MAX;

/// Lines of the replies, and of data behind them, that are asked for before the first entry.
const AHEAD: usize = 4;

/// What the replies say of an entry that did not return.
#[repr(C)]
struct Failure {
    errno: i32,
    name_length: u32,
}

const _: () = {
    assert!(size_of::<Failure>() == batch_failure::SIZE);
    assert!(std::mem::offset_of!(Failure, errno) == batch_failure::ERRNO);
    assert!(std::mem::offset_of!(Failure, name_length) == batch_failure::NAME_LENGTH);
};

impl Server {
    /// Executes the entries of a batch.
    pub(crate) fn run_batch(
        &self,
        lane: *mut WorkerLane,
        request: &Request,
    ) -> Result<(ReplyHead, usize), Broken> {
        let channel = &self.worker.channel;
        if self.worker.capabilities & capabilities::BATCH == 0 {
            return Err("a call uses a capability that was not agreed on");
        }
        // A batch may be nested in an entry of another. A death outside of the entries is none of theirs.
        let outer = if request.depth == 0 { NO_ENTRY } else { channel.entry(request) };
        channel.begin_entry(request, NO_ENTRY);
        let head = channel.batch(request).ok_or("a batch is shorter than its head")?;
        let outside = "the entries of a batch lie outside of their segment";
        let base = self.segments.address(head.place, head.length).ok_or(outside)?;
        // SAFETY: the host leaves its entries alone until it has the reply, and segments stay mapped.
        let entries =
            unsafe { Entries::new(base, &head) }.ok_or("the entries of a batch do not lie as they should")?;
        // SAFETY: `serve` keeps the lane for the whole call, and nothing else refers to it now.
        let (block, _) = channel.result(unsafe { &*lane }, request);
        let mut reply = Reply::new(block);
        let reply = &raw mut reply;
        // SAFETY: until the batch is over, nothing else refers to its table.
        let context = unsafe { &mut *self.begin(lane, request, reply, batch_result::SIZE) };
        let replies = context.call().allocate(u64::from(head.replies_length), 8);
        let Some((replies, place)) = replies else {
            channel.begin_entry(request, outer);
            let value = u64::from(Refusal::NoSpace.raw());
            return Ok((ReplyHead { state: ReplyState::Refused, errno: 0, result_length: 0, value }, 0));
        };
        // Data go where the replies are, so that the host finds them in one piece.
        context.call().close_slot_unless(place);
        let (data, length) = entries.data();
        let around = self.segments.enter_batch(data, length);
        let executed = self.run_entries(context, reply, request, (head, entries), replies);
        self.segments.enter_batch(around.0, around.1);
        channel.begin_entry(request, outer);
        executed?;
        let call = context.call();
        let used = call.block_used;
        let length = call.behind(place).max(u64::from(head.replies_length));
        // SAFETY: the block is the call's, with room for its result at the start.
        unsafe {
            block.add(batch_result::PLACE).cast::<u64>().write(place.raw());
            block.add(batch_result::LENGTH).cast::<u64>().write(length);
        }
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
        let layout = Replies::of(head.count);
        let (states, end) = (replies.wrapping_add(layout.states()), head.replies_length as usize);
        let no_room = "the replies of a batch have no room";
        let written = end.checked_sub(layout.states()).ok_or(no_room)?;
        Ahead::of(states, written).claim(AHEAD);
        context.call().ask_ahead(AHEAD);
        let mut at = layout.blocks();
        let mut shim_request = ShimRequest {
            args: std::ptr::null(),
            args_length: 0,
            depth: u32::from(request.depth),
            call_id: request.call_id,
            time: request.time,
        };
        let before = self.handles.enter(request.depth);
        let executing = self.worker.channel.entries_of(request);
        let mut number = 0;
        while let Some((index, skip)) = entries.turn() {
            let function = self.worker.library.batched(index).ok_or("a batch has an unknown function")?;
            let args = entries.args(function.args as usize);
            let args = args.ok_or("an entry of a batch is shorter than its arguments")?;
            let block = replies.wrapping_add(at);
            let size = function.results as usize;
            at += size;
            if at > end {
                return Err(no_room);
            }
            // Behind the last block are data of entries, which are written as well.
            claim(block.wrapping_add(AHEAD * wire::LINE));
            if skip {
                // SAFETY: there is a state for each entry.
                unsafe { states.add(number as usize).write(0) };
            } else {
                executing.mark(number);
                (shim_request.args, shim_request.args_length) = (args, function.args_size);
                // SAFETY: the block lies in the replies, which only this call uses. Nothing else refers to the reply, which
                // lives as long as the context.
                unsafe {
                    block.cast::<u64>().write(0);
                    if size > size_of::<u64>() {
                        zero_words(block.cast(), size / size_of::<u64>());
                    }
                    reply.write(Reply::new(block));
                }
                let before = heap::enter(index);
                // SAFETY: the shim ABI defines the signature. Context, request and reply live until the entry returns, and the
                // argument block has the bytes that the function asks for.
                unsafe { outermost::call(function.entry, context, &raw const shim_request, reply) };
                heap::leave(before);
                if let Some(waiter) = context.call().waiter {
                    abandoned::returned(self.worker, waiter);
                }
                self.handles.end_entry();
                // SAFETY: the entry, which used the reply, has returned. There is a state for each entry, and what is
                // said of failures is before them.
                unsafe {
                    let mut state = (*reply).state;
                    if state != ReplyState::Returned.raw() || context.call().refused.is_some() {
                        let failure;
                        (state, failure) = failed(context, &*reply, block);
                        replies.cast::<Failure>().add(number as usize).write(failure);
                    }
                    states.add(number as usize).write(state as u8);
                }
            }
            number += 1;
        }
        self.handles.leave(before);
        executing.mark(NO_ENTRY);
        if entries.is_empty() {
            Ok(())
        } else {
            Err("the argument blocks of a batch are more than its entries")
        }
    }
}

/// The state of an entry that did not return, and what is to be said of it. Of a refusal, the place of the name is then in its result block.
///
/// # Safety
///
/// `block` is the entry's, and has 8 bytes at least.
#[cold]
unsafe fn failed(context: &mut Context, reply: &Reply, block: *mut u8) -> (u16, Failure) {
    let Some(refused) = context.call().refused.take() else {
        // Only a shim writes the state, and only known ones: anything else is a smashed stack.
        if ReplyState::from_raw(reply.state).is_none() {
            std::process::abort();
        }
        return (reply.state, Failure { errno: reply.error_number, name_length: 0 });
    };
    let (refusal, name) = refused.said();
    let (length, place) = match context.call().allocate(name.len() as u64, 1) {
        Some((at, place)) => {
            // SAFETY: the memory was just allocated for the name.
            unsafe { std::ptr::copy_nonoverlapping(name.as_ptr(), at, name.len()) };
            (name.len() as u32, place.raw())
        }
        None => (0, wire::PLACE_NULL),
    };
    // SAFETY: the caller's promise; blocks are aligned to 8.
    unsafe { block.cast::<u64>().write(place) };
    (ReplyState::Refused.raw(), Failure { errno: refusal as i32, name_length: length })
}

//! Running a batch: sent, waited for, and judged entry by entry.

use std::mem;
use std::panic::{Location, resume_unwind};
use std::sync::Arc;

use hotcell_protocol::wire::{
    self, Refusal, ReplyState, batch_entry, batch_failure, batch_head, batch_result,
};
use hotcell_protocol::{ErrorKind, Executed, Place};
use hotcell_shm::ReplyHead;
use hotcell_shm::batch::Replies;

use super::memory::Memory;
use super::{Batch, Done, Outcome, Pending};
use crate::error::{Cause, Error, Result};
use crate::fault::Fault;
use crate::rt::failed::Failure;
use crate::rt::handle::Unfit;
use crate::rt::pool::Pool;
use crate::rt::reading::{Bad, Reads, Reference};
use crate::rt::{Call, Element, Function, Handle, Reply};
use crate::session::{Context, Session};

/// What a batch is as a call.
static BATCH: Function = Function {
    name: "",
    args_size: batch_head::SIZE as u16,
    result_size: batch_result::SIZE as u16,
    deadline_ms: 0,
    idempotent: false,
    inputs: &[],
    lets_go: false,
    returned: None,
    code: None,
    message: None,
    symbols: &[],
    owned: &[],
    outputs: &[],
};

/// The most bytes of data behind the replies that are copied with them.
const DATA: usize = 1 << 16;

/// The state of an entry that returned, among the replies.
const RETURNED: u8 = ReplyState::Returned.raw() as u8;

/// A rule that the worker broke, or what else means that no entry can be judged.
enum Unreadable {
    Violation(&'static str),
    NoMemory,
}

impl Batch {
    /// Sends the entries and waits until all were executed.
    ///
    /// # Errors
    ///
    /// Those of the batch as a whole: as of a call that could not be sent, or has no room for the replies, here or in the
    /// worker. [`Error::executed`] says whether entries may have been executed. When a callback that the library keeps failed,
    /// the results are lost, and this is its error. What becomes of an entry is told by [`Done::take`].
    #[track_caller]
    pub fn run(self) -> Result<Done> {
        let time = self.time();
        let (session, mut done) = self.closed(Location::caller());
        if done.memory.pending.is_empty() {
            return Ok(done);
        }
        let objects = done.memory.objects.iter().map(|passed| &*passed.object);
        let allowed = session.allowed(time);
        let mut call = session.begin_of(objects, done.context, allowed, wire::BATCH_FUNCTION, &BATCH)?;
        call.put_batch(&mut done)?;
        let (head, raised) = call.exchange_alone(|call| done.count_sent(call));
        call.end_batch(done, head, raised)
    }

    /// As [`Batch::run`], for a task: it waits without a thread, in a runtime of tokio, as an awaited call does. The entries are
    /// one call; where the future is dropped when that was sent, the library goes on until it is done, and what the
    /// entries would have returned is released.
    ///
    /// # Errors
    ///
    /// As there.
    #[cfg(feature = "tokio")]
    #[track_caller]
    pub fn run_awaited(self) -> impl Future<Output = Result<Done>> + Send + use<> {
        let time = self.time();
        let (session, done) = self.closed(Location::caller());
        async move {
            if done.memory.pending.is_empty() {
                return Ok(done);
            }
            let sent = {
                let objects = done.memory.objects.iter().map(|passed| &*passed.object);
                let (allowed, function) = (session.allowed(time), wire::BATCH_FUNCTION);
                let begun = session.begin_awaited_of(objects, done.context, allowed, function, &BATCH);
                let mut call = begun.await?;
                let mut done = done;
                call.put_batch(&mut done)?;
                call.settle_batch_awaited(done)
            };
            sent.await
        }
    }

    /// Forgets an entry that was begun and not added. Comes with the session, and with what is to become the result.
    fn closed(mut self, call_site: &'static Location<'static>) -> (Session, Done) {
        if self.memory.pending.len() > self.memory.added {
            self.memory.give_up();
        }
        let Batch { session, memory } = self;
        let context = session.context("", Some(call_site));
        let done = Done { batch: memory.number, context, memory, fault: None, lane: None, counted: false };
        (session, done)
    }
}

/// Where the replies of a batch lie, and how many bytes they have.
fn replies(memory: &Memory) -> (Replies, usize) {
    let replies = Replies::of(memory.pending.len() as u32);
    let length = replies.blocks() + memory.blocks as usize;
    (replies, length)
}

/// Passes the objects of all entries. An entry with one that has gone meanwhile has failed, and is not executed.
fn pass_objects(call: &mut Call<'_>, memory: &mut Memory) {
    if memory.objects.is_empty() {
        return;
    }
    let generation = call.context.generation;
    let mut objects = mem::take(&mut memory.objects);
    let (mut left, mut put, mut passed) = (objects.drain(..), 0, 0);
    for number in 0..memory.pending.len() {
        let entry = &mut memory.pending[number];
        let count = entry.ends.0 - put;
        put = entry.ends.0;
        let (mut noted, mut failed) = (0, None);
        for object in left.by_ref().take(count as usize) {
            let added = match call.turn.covers(&object.object) {
                true => call.turn.passed.add_of_batch(object, generation),
                false => Err((Unfit::Unclaimed, object.object)),
            };
            match added {
                Ok(()) => noted += 1,
                Err(unfit) => failed = failed.or(Some(unfit)),
            }
        }
        if let Some((why, object)) = failed {
            let (name, context) = (object.type_name(), entry.context(&call.context));
            call.turn.passed.drop_last(noted);
            entry.ends.0 = passed;
            let held = Handle::held(object);
            memory.fail(number, why.error(&context, name, held.object(), name));
        } else {
            call.turn.passed.note_settings(noted, entry.index, entry.function.name);
            passed += noted as u32;
            entry.ends.0 = passed;
        }
    }
    drop(left);
    memory.objects = objects;
}

impl Pending {
    /// The call's context, as that of this entry.
    fn context(&self, of: &Context) -> Context {
        Context { function: self.function.name, call_site: Some(self.call_site), ..*of }
    }

    fn lost(&self, of: &Context, why: &str) -> Error {
        let fault = Fault { kind: ErrorKind::WorkerLost, cause: Cause::None, message: why.to_owned() };
        self.context(of).error(fault, Executed::Maybe, String::new())
    }
}

impl Call<'_> {
    /// Writes all that the batch passes.
    fn put_batch(&mut self, done: &mut Done) -> Result<()> {
        done.context = self.context;
        let memory = &mut *done.memory;
        let count = memory.pending.len();
        self.begin_batch(count)?;
        pass_objects(self, memory);
        self.put_entries(memory, count, replies(memory).1)?;
        let lane = &self.live().lane;
        done.lane = Some((Arc::clone(lane.channel()), lane.index()));
        Ok(())
    }

    /// Judges what came of a batch.
    pub(in crate::rt) fn end_batch(
        mut self,
        mut done: Done,
        head: Result<ReplyHead>,
        raised: Option<Failure>,
    ) -> Result<Done> {
        let ran = done.lane.take();
        if !done.counted && head.as_ref().map_or_else(Error::executed, |_| Executed::Yes) != Executed::No {
            done.count_sent(&self);
        }
        let mut whole = None;
        match head {
            Ok(head) if head.state == ReplyState::Refused => whole = Some(self.refused(head)),
            Ok(head) => match self.copy_replies(head, &mut done.memory) {
                Ok(()) => done.judge(Reply::of_batch(self)),
                Err(Unreadable::Violation(rule)) => {
                    let fault = self.violation(rule);
                    done.lose(fault, None);
                }
                Err(Unreadable::NoMemory) => {
                    // What came out of it cannot be told any more, nor released.
                    self.turn.wear_out();
                    whole = Some(self.context.too_much_output(self.max_output(), Executed::Yes));
                }
            },
            Err(error) if error.executed() == Executed::No || error.kind() == ErrorKind::ForkedClient => {
                whole = Some(error);
            }
            Err(error) => {
                let count = done.memory.pending.len();
                let executing = ran.map(|(channel, lane)| channel.executing(lane));
                let said = executing.filter(|(id, _)| *id == done.context.call_id);
                let said = said.map(|(_, entry)| entry as usize);
                // Of one entry it is known without the worker's word.
                let suspect = if count == 1 { Some(0) } else { said.filter(|&at| at < count) };
                drop(self);
                done.lose(error, suspect);
            }
        }
        done.or_failed(whole, raised)
    }

    /// Writes the entries, whose replies have so many bytes.
    fn put_entries(&mut self, memory: &mut Memory, count: usize, replies: usize) -> Result<()> {
        let heads = memory.pending.iter().map(|entry| (entry.index, entry.outcome == Outcome::Failed));
        let parts = memory.packed.parts(heads);
        let data = parts[0].len() + parts[1].len();
        debug_assert!(parts[0].len() >= count * batch_entry::SIZE, "every entry has a head");
        let place = self.place_parts("the entries", &parts, 0)?; // what entries pass was counted as it came
        self.put_u32(batch_head::COUNT, count as u32);
        self.put_u32(batch_head::REPLIES_LENGTH, replies as u32);
        self.put_u64(batch_head::PLACE, place.raw());
        self.put_u64(batch_head::DATA, data as u64);
        self.put_u64(batch_head::LENGTH, (data + parts[2].len()) as u64);
        Ok(())
    }

    /// Copies the packed replies out, which have so many bytes, and what data are behind them.
    fn copy_replies(&mut self, head: ReplyHead, memory: &mut Memory) -> std::result::Result<(), Unreadable> {
        let (replies, length) = replies(memory);
        if head.state != ReplyState::Returned {
            return Err(Unreadable::Violation("a batch has another reply than a batch can have"));
        }
        if (head.result_length as usize) < batch_result::SIZE {
            return Err(Unreadable::Violation("a result block is shorter than a batch's"));
        }
        let mut result = [0; batch_result::SIZE];
        let live = self.turn.live.as_ref().expect("a call holds a seated worker until its error is made");
        live.lane.copy_result(&mut result);
        let number = |at: usize| u64::read(&result[at..at + size_of::<u64>()]);
        let (place, used) = (Place::from_raw(number(batch_result::PLACE)), number(batch_result::LENGTH));
        if used < length as u64 {
            return Err(Unreadable::Violation("the replies of a batch are fewer than its entries"));
        }
        let locate = |place, length| live.lane.locate(&live.arena, batch_result::SIZE, place, length);
        let outside = "the replies of a batch lie outside of the memory granted to it";
        if locate(place, used).is_none() {
            return Err(Unreadable::Violation(outside));
        }
        let copied = used.min((length + DATA) as u64) - replies.states() as u64;
        let states = Place::new(place.segment(), place.offset() + replies.states() as u64);
        let mut pool = Pool::at(states, mem::take(&mut memory.replies));
        if !locate(states, copied).is_some_and(|found| found.append_to(&mut pool.bytes)) {
            return Err(Unreadable::NoMemory);
        }
        let mut entries = pool.bytes[..memory.pending.len()].iter();
        if !entries.all(|&state| state == RETURNED)
            && !locate(place, replies.states() as u64)
                .is_some_and(|found| found.append_to(&mut memory.failures))
        {
            return Err(Unreadable::NoMemory);
        }
        self.pool = pool;
        self.expect_batch();
        Ok(())
    }

    /// Says that another batch may follow: one like this.
    fn expect_batch(&mut self) {
        let bytes = self.used;
        let live = self.live();
        if bytes > batch_head::SIZE { live.lane.expect_data(bytes) } else { live.arena.expect_data() }
    }
}

impl Done {
    /// What comes of it all: this, unless the batch failed as a whole, or a callback did that the library keeps. That of the
    /// application goes before everything but the worker's end.
    fn or_failed(self, whole: Option<Error>, raised: Option<Failure>) -> Result<Done> {
        match (whole, raised) {
            (None, None) => Ok(self),
            (_, Some(Failure::Panic(panic))) => {
                drop(self);
                resume_unwind(panic)
            }
            (None, Some(Failure::Error(_))) if self.fault.is_some() => Ok(self),
            (Some(fault), Some(Failure::Error(_))) if fault.is_fault() => Err(fault),
            (_, Some(Failure::Error(error))) => Err(error.executed_after_all()),
            (Some(error), None) => Err(error),
        }
    }

    /// Counts the entries that were sent.
    fn count_sent(&mut self, call: &Call<'_>) {
        let (tally, mut sent) = (&call.turn.tally, (0, 0));
        for entry in self.memory.pending.iter().filter(|entry| entry.outcome != Outcome::Failed) {
            if sent.0 != entry.index {
                tally.sent_times(sent.0, sent.1);
                sent = (entry.index, 0);
            }
            sent.1 += 1;
        }
        tally.sent_times(sent.0, sent.1);
        self.counted = true;
    }

    /// Judges the replies, and reads what lies in the worker's memory.
    fn judge(&mut self, mut reply: Reply<'_>) {
        let memory = &mut *self.memory;
        if memory.pending.last().is_some_and(|entry| entry.ends.0 > 0) {
            if memory.pending.iter().any(|entry| entry.function.lets_go) {
                reply.may_let_go();
            }
            let mut begins = 0;
            reply.taken_over(memory.pending.iter().zip(&reply.pool().bytes).map(|(entry, &state)| {
                (mem::replace(&mut begins, entry.ends.0)..entry.ends.0, ReplyState::from_raw(state.into()))
            }));
        }
        let mut lost = None;
        if memory.failures.is_empty() && memory.failed.is_empty() {
            let numbers = mem::take(&mut memory.reading);
            for &number in &numbers {
                self.judge_entry(&mut reply, number as usize, &mut lost);
            }
            self.memory.reading = numbers;
        } else {
            for number in 0..memory.pending.len() {
                self.judge_entry(&mut reply, number, &mut lost);
            }
            self.memory.failed.sort_by_key(|(number, _)| *number);
        }
        reply.turn_to(&BATCH, (BATCH.name, self.context.call_site), &[]);
        self.memory.replies = reply.take_pool();
    }

    /// Judges the reply of an entry. `lost` is why those behind it have none, once the worker was lost.
    fn judge_entry(&mut self, reply: &mut Reply<'_>, number: usize, lost: &mut Option<String>) {
        let memory = &mut *self.memory;
        let entry = &memory.pending[number];
        if entry.outcome == Outcome::Failed {
            return;
        }
        let error = match lost {
            Some(why) => entry.lost(&self.context, why),
            None => {
                let function = entry.function.name;
                let Err(error) = judge(reply, memory, number) else { return };
                if reply.is_lost() {
                    self.fault = Some(error.again());
                    *lost = Some(why_lost(Some((number, function)), &error));
                }
                error
            }
        };
        memory.fail(number, error);
    }

    /// The worker met its end, or was given up, before it replied.
    fn lose(&mut self, error: Error, suspect: Option<usize>) {
        let memory = &mut *self.memory;
        let why = why_lost(suspect.map(|number| (number, memory.pending[number].function.name)), &error);
        let mut fault = None;
        // Then it is no entry's doing.
        let anothers = matches!(error.cause(), Cause::Suspect { .. });
        for number in 0..memory.pending.len() {
            let entry = &memory.pending[number];
            if entry.outcome == Outcome::Failed {
                continue;
            }
            let error = if anothers {
                error.again().of_function(entry.function.name, entry.call_site)
            } else if suspect == Some(number) {
                let error = error.again().of_function(entry.function.name, entry.call_site);
                fault = Some(error.again());
                error
            } else {
                entry.lost(&self.context, &why)
            };
            memory.fail(number, error);
        }
        memory.failed.sort_by_key(|(number, _)| *number);
        self.fault = Some(fault.unwrap_or(error));
    }
}

/// Why an entry has no result that did not itself cause the worker's end.
fn why_lost(suspect: Option<(usize, &str)>, error: &Error) -> String {
    let (kind, message) = (error.kind(), error.message());
    match suspect {
        Some((number, function)) => format!(
            "the worker was lost with the batch: it was at entry {number}, `{function}` ({kind}: {message})"
        ),
        None => {
            format!("the worker was lost with the batch, at an entry that is not known ({kind}: {message})")
        }
    }
}

/// Judges the reply of one entry.
fn judge(reply: &mut Reply<'_>, memory: &mut Memory, number: usize) -> Result<()> {
    let entry = &memory.pending[number];
    let state = ReplyState::from_raw(reply.pool().bytes[number].into());
    let start = Replies::blocks_behind_states(memory.pending.len()) + entry.block as usize;
    let before = number.checked_sub(1).map_or((0, 0), |before| memory.pending[before].ends);
    let failure = || &memory.failures[number * batch_failure::SIZE..][..batch_failure::SIZE];
    if !matches!(state, Some(ReplyState::Returned | ReplyState::LibraryError)) {
        // What is in the block is no result.
        reply.turn_to(&BATCH, (entry.function.name, Some(entry.call_site)), &[]);
        if state != Some(ReplyState::Refused) {
            let rule = "an entry of a batch has a state that no entry can have";
            return Err(reply.bad(Bad::Violation(rule)));
        }
        let place = Place::from_raw(u64::read(&reply.pool().bytes[start..start + size_of::<u64>()]));
        let length = u64::from(u32::read(&failure()[batch_failure::NAME_LENGTH..][..size_of::<u32>()]));
        let refusal = Refusal::from_raw(u32::read(&failure()[batch_failure::ERRNO..][..size_of::<u32>()]));
        let name = reply.fetch(Reference { place, length })?.unwrap_or_default();
        return Err(reply.refusal(number, refusal, &name, before.0 < entry.ends.0));
    }
    let lengths = &memory.lengths[before.1 as usize..entry.ends.1 as usize];
    reply.turn_to_entry(entry.function, entry.call_site, start, lengths);
    if state == Some(ReplyState::LibraryError) {
        reply.count_failed(entry.index);
        let errno = i32::read(&failure()[batch_failure::ERRNO..][..size_of::<i32>()]);
        return Err(reply.library_error(errno).unwrap_or_else(|error| error));
    }
    match entry.outcome {
        Outcome::Read(slot) => memory.columns.read(slot, reply),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

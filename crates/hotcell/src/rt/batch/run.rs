//! Running a batch: sent, waited for, and judged entry by entry.

use std::iter::Peekable;
use std::panic::{Location, resume_unwind};
use std::sync::Arc;
use std::vec::IntoIter;

use hotcell_protocol::wire::{self, Refusal, ReplyState, batch_head, batch_reply, batch_result};
use hotcell_protocol::{ErrorKind, Executed, Place};
use hotcell_shm::ReplyHead;
use hotcell_shm::batch::Packed;

use super::done::Outcome;
use super::{Batch, Done, Pending, Read};
use crate::error::{Cause, Error, Result};
use crate::fault::Fault;
use crate::rt::failed::Failure;
use crate::rt::passed::PassedObject;
use crate::rt::reading::{Bad, Reads, Reference};
use crate::rt::{Call, Element, Function, Reply};
use crate::session::Context;

/// What a batch is as a call.
static BATCH: Function = Function {
    name: "",
    args_size: batch_head::SIZE as u16,
    result_size: batch_result::SIZE as u16,
    deadline_ms: 0,
    idempotent: false,
    returned: None,
    code: None,
    message: None,
    symbols: &[],
    owned: &[],
    outputs: &[],
};

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
    pub fn run(mut self) -> Result<Done> {
        self.give_up();
        let time = self.time();
        let Batch { session, number, mut packed, mut pending, objects, lengths, replies: starts, .. } = self;
        let context = session.context("", Some(Location::caller()));
        let (replies, outcomes) = (Vec::new(), Vec::new());
        let mut done = Done { batch: number, context, replies, starts, outcomes, fault: None };
        if pending.is_empty() {
            return Ok(done);
        }
        let mut call = session.begin(context, session.allowed(time), wire::BATCH_FUNCTION, &BATCH)?;
        done.context = call.context;
        call.begin_batch(pending.len())?;
        let unfit = pass_objects(&mut call, objects, &mut pending, &mut packed);
        let length = done.starts[pending.len()];
        let place = call.place_uncounted("the entries", packed.bytes(), 0)?; // what entries pass was counted as it came
        call.put_u32(batch_head::COUNT, pending.len() as u32);
        call.put_u32(batch_head::REPLIES_LENGTH, length);
        call.put_u64(batch_head::PLACE, place.raw());
        call.put_u64(batch_head::LENGTH, packed.bytes().len() as u64);
        let (channel, lane) = (Arc::clone(call.live().lane.channel()), call.live().lane.index());
        let (head, raised) = call.exchange_alone();
        let mut whole = None;
        match head {
            Ok(head) if head.state == ReplyState::Refused => whole = Some(call.refused(head)),
            Ok(head) => match call.replies(head, length as usize) {
                Ok(replies) => {
                    done.replies = replies;
                    done.judge(Reply::of_batch(call), pending, &lengths, unfit);
                }
                Err(Unreadable::Violation(rule)) => {
                    let fault = call.violation(rule);
                    done.lose(fault, None, pending, unfit);
                }
                Err(Unreadable::NoMemory) => {
                    // What came out of it cannot be told any more, nor released.
                    call.turn.wear_out();
                    whole = Some(call.context.too_much_output(call.max_output(), Executed::Yes));
                }
            },
            Err(error) if error.executed() == Executed::No || error.kind() == ErrorKind::ForkedClient => {
                whole = Some(error);
            }
            Err(error) => {
                let (id, entry) = channel.executing(lane);
                let said = Some(entry as usize).filter(|_| id == done.context.call_id);
                // Of one entry it is known without the worker's word.
                let suspect =
                    if pending.len() == 1 { Some(0) } else { said.filter(|&at| at < pending.len()) };
                drop(call);
                done.lose(error, suspect, pending, unfit);
            }
        }
        done.or_failed(whole, raised)
    }
}

/// Passes the objects of all entries. An entry with one that has gone meanwhile is not executed; it comes with its error.
fn pass_objects(
    call: &mut Call<'_>,
    objects: Vec<PassedObject>,
    pending: &mut [Pending],
    packed: &mut Packed,
) -> Vec<(usize, Error)> {
    let mut unfit = Vec::new();
    let generation = call.context.generation;
    if objects.is_empty() {
        return unfit;
    }
    let (mut objects, mut put, mut passed) = (objects.into_iter(), 0, 0);
    for (number, entry) in pending.iter_mut().enumerate() {
        let count = entry.ends.0 - put;
        put = entry.ends.0;
        let (mut noted, mut failed) = (0, None);
        for object in objects.by_ref().take(count as usize) {
            match call.turn.passed.add_of_batch(object, generation) {
                Ok(()) => noted += 1,
                Err(unfit) => failed = failed.or(Some(unfit)),
            }
        }
        if let Some((why, object)) = failed {
            let (name, context) = (object.type_name(), entry.context(&call.context));
            unfit.push((number, why.error(&context, name, &object, name)));
            packed.skip(entry.start);
            // Whatever the worker says of it.
            entry.plain = false;
            call.turn.passed.drop_last(noted);
        } else {
            passed += noted as u32;
        }
        entry.ends.0 = passed;
    }
    unfit
}

impl Pending {
    /// The call's context, as that of this entry.
    fn context(&self, of: &Context) -> Context {
        Context { function: self.function.name, call_site: Some(self.call_site), ..*of }
    }

    fn lost(&self, of: &Context, why: &str) -> Outcome {
        let fault = Fault { kind: ErrorKind::WorkerLost, cause: Cause::None, message: why.to_owned() };
        Outcome::Failed(self.context(of).error(fault, Executed::Maybe, String::new()))
    }
}

impl Call<'_> {
    /// Copies the packed replies out.
    fn replies(&mut self, head: ReplyHead, length: usize) -> std::result::Result<Vec<u8>, Unreadable> {
        if head.state != ReplyState::Returned {
            return Err(Unreadable::Violation("a batch has another reply than a batch can have"));
        }
        if (head.result_length as usize) < batch_result::SIZE {
            return Err(Unreadable::Violation("a result block is shorter than a batch's"));
        }
        let mut place = [0; batch_result::SIZE];
        let live = self.live();
        live.lane.copy_result(&mut place);
        let place = Place::from_raw(u64::from_ne_bytes(place));
        let found = live.lane.locate(&live.arena, batch_result::SIZE, place, length as u64);
        let found = found
            .ok_or(Unreadable::Violation("the replies of a batch lie outside of the memory granted to it"))?;
        let mut replies = Vec::new();
        if found.append_to(&mut replies) { Ok(replies) } else { Err(Unreadable::NoMemory) }
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

    /// Judges the replies, and reads what lies in the worker's memory.
    fn judge(
        &mut self,
        mut reply: Reply<'_>,
        pending: Vec<Pending>,
        lengths: &[(u16, u64)],
        unfit: Vec<(usize, Error)>,
    ) {
        let mut unfit = Unfit(unfit.into_iter().peekable());
        let mut begins = 0;
        reply.taken_over(pending.iter().zip(&self.starts).map(|(entry, &start)| {
            let objects = std::mem::replace(&mut begins, entry.ends.0)..entry.ends.0;
            (objects, state(&self.replies[start as usize..]))
        }));
        let mut before = (0, 0);
        let mut lost: Option<String> = None;
        self.outcomes.resize_with(pending.len(), || Outcome::Values);
        for (number, entry) in pending.into_iter().enumerate() {
            let packed = &self.replies[self.starts[number] as usize..self.starts[number + 1] as usize];
            let (ends, begins) = (entry.ends, std::mem::replace(&mut before, entry.ends));
            if entry.plain && state(packed) == Some(ReplyState::Returned) && lost.is_none() {
                continue;
            }
            self.outcomes[number] = match (unfit.take(number), &lost) {
                (Some(error), _) => Outcome::Failed(error),
                (None, Some(why)) => entry.lost(&self.context, why),
                (None, None) => {
                    let (function, context) = (entry.function.name, entry.context(&self.context));
                    let lengths = &lengths[begins.1 as usize..ends.1 as usize];
                    let outcome =
                        judge(&mut reply, (number, entry), context, (begins.0 < ends.0, lengths), packed);
                    if let Outcome::Failed(error) = &outcome
                        && reply.is_lost()
                    {
                        self.fault = Some(error.again());
                        lost = Some(why_lost(Some((number, function)), error));
                    }
                    outcome
                }
            };
        }
        reply.turn_to(&BATCH, self.context, &[0; batch_result::SIZE], &[]);
    }

    /// The worker met its end, or was given up, before it replied.
    fn lose(
        &mut self,
        error: Error,
        suspect: Option<usize>,
        pending: Vec<Pending>,
        unfit: Vec<(usize, Error)>,
    ) {
        let mut unfit = Unfit(unfit.into_iter().peekable());
        let why = why_lost(suspect.map(|number| (number, pending[number].function.name)), &error);
        let mut fault = None;
        for (number, entry) in pending.into_iter().enumerate() {
            self.outcomes.push(match unfit.take(number) {
                Some(error) => Outcome::Failed(error),
                None if suspect == Some(number) => {
                    let error = error.again().of_function(entry.function.name, entry.call_site);
                    fault = Some(error.again());
                    Outcome::Failed(error)
                }
                None => entry.lost(&self.context, &why),
            });
        }
        self.fault = Some(fault.unwrap_or(error));
    }
}

/// The errors of entries that were not executed, ascending by entry.
struct Unfit(Peekable<IntoIter<(usize, Error)>>);

impl Unfit {
    /// That of this entry, if it is one. Entries are asked for in order.
    fn take(&mut self, number: usize) -> Option<Error> {
        self.0.next_if(|(at, _)| *at == number).map(|(_, error)| error)
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

/// How the entry ended whose packed reply begins there.
fn state(packed: &[u8]) -> Option<ReplyState> {
    ReplyState::from_raw(u16::read(&packed[batch_reply::STATE..][..2]))
}

/// Judges the reply of one entry, which was passed objects or none, and data of these lengths in which a failed call may give a
/// place.
fn judge(
    reply: &mut Reply<'_>,
    (number, entry): (usize, Pending),
    context: Context,
    (passed, lengths): (bool, &[(u16, u64)]),
    packed: &[u8],
) -> Outcome {
    let (head, block) = packed.split_at(batch_reply::SIZE);
    let state = state(head);
    if !matches!(state, Some(ReplyState::Returned | ReplyState::LibraryError)) {
        // What is in the block is no result.
        reply.turn_to(&BATCH, context, &[0; batch_result::SIZE], &[]);
        if state != Some(ReplyState::Refused) {
            let rule = "an entry of a batch has a state that no entry can have";
            return Outcome::Failed(reply.bad(Bad::Violation(rule)));
        }
        let length = u64::from(u16::read(&head[batch_reply::NAME_LENGTH..][..2]));
        let place = Place::from_raw(u64::read(&block[..size_of::<u64>()]));
        let refusal = Refusal::from_raw(u32::read(&head[batch_reply::ERRNO..][..4]));
        return Outcome::Failed(match reply.fetch(Reference { place, length }) {
            Ok(name) => reply.refusal(number, refusal, &name.unwrap_or_default(), passed),
            Err(error) => error,
        });
    }
    let size = usize::from(entry.function.result_size);
    reply.turn_to(entry.function, context, &block[..size], lengths);
    if state == Some(ReplyState::LibraryError) {
        let errno = i32::read(&head[batch_reply::ERRNO..][..4]);
        return Outcome::Failed(reply.library_error(errno).unwrap_or_else(|error| error));
    }
    match entry.read {
        Read::Values => Outcome::Values,
        Read::Now(read) => read(reply).map_or_else(Outcome::Failed, Outcome::Read),
    }
}

#[cfg(test)]
mod tests;

//! The seats that calls of this thread have set aside, whose callbacks run: a stack, whatever sessions they are of.
//!
//! It belongs to the thread, so that a callback takes no lock. Its entries are never dropped with it: a callback may end the
//! process, or be in a child of the process that a worker belongs to.

use std::cell::Cell;
use std::mem::ManuallyDrop;

use super::{Allowed, Seat, Session};

/// A call whose callback runs, as those see it that are made meanwhile.
#[derive(Debug)]
pub(super) struct SetAside {
    /// The session, by the address of what its handles share: the call on the stack holds on to it.
    session: usize,
    /// There unless a nested call has it.
    pub(super) seat: Option<Box<Seat>>,
    pub(super) number: u32,
    pub(super) call_id: u64,
    pub(super) generation: u64,
    pub(super) allowed: Allowed,
    /// It runs while a task is polled.
    pub(super) in_task: bool,
    /// The one below.
    below: Option<Box<SetAside>>,
}

/// The memory of an entry, for the next callback of a seat.
#[derive(Debug)]
pub(in super::super) struct Blank(Box<SetAside>);

thread_local! {
    static TOP: Cell<ManuallyDrop<Stack>> = const { Cell::new(ManuallyDrop::new(None)) };
}

/// The uppermost entry.
type Stack = Option<Box<SetAside>>;

/// Takes the stack of this thread, which has none until it is [put](put_stack) back.
#[inline(always)]
fn take_stack() -> Stack {
    ManuallyDrop::into_inner(TOP.take())
}

#[inline(always)]
fn put_stack(stack: Stack) {
    TOP.set(ManuallyDrop::new(stack));
}

/// Whether a callback of a call runs on this thread.
#[inline]
pub(super) fn any() -> bool {
    let stack = take_stack();
    let any = stack.is_some();
    put_stack(stack);
    any
}

/// Puts a seat on the stack.
#[inline]
pub(super) fn push(session: &Session, mut seat: Box<Seat>, call_id: u64, allowed: Allowed, in_task: bool) {
    let (number, generation, blank) = (seat.number, seat.generation, seat.blank.take());
    let session = address(session);
    let below = take_stack();
    let in_task = in_task || below.as_deref().is_some_and(|below| below.is_in_task(session));
    let entry = SetAside { session, seat: Some(seat), number, call_id, generation, allowed, in_task, below };
    put_stack(Some(match blank {
        Some(Blank(mut blank)) => {
            *blank = entry;
            blank
        }
        None => Box::new(entry),
    }));
}

/// Takes the uppermost off, which is that of the call whose callback has returned last: its seat, unless a nested call has it.
#[inline]
pub(super) fn pop(call_id: u64) -> Option<Box<Seat>> {
    let mut entry = take_stack()?;
    put_stack(entry.below.take());
    assert_eq!(entry.call_id, call_id, "callbacks return in the order in which they are nested");
    let mut seat = entry.seat.take()?;
    seat.blank = Some(Blank(entry));
    Some(seat)
}

impl SetAside {
    /// Whether the innermost call of a session, from this entry down, runs while a task is polled.
    #[cold]
    fn is_in_task(&self, session: usize) -> bool {
        let mut next = Some(self);
        while let Some(entry) = next {
            if entry.session == session {
                return entry.in_task;
            }
            next = entry.below.as_deref();
        }
        false
    }
}

/// Looks at the innermost call of a session that is so.
pub(super) fn of<T>(
    session: &Session,
    is: impl Fn(&SetAside) -> bool,
    look: impl FnOnce(&mut SetAside) -> T,
) -> Option<T> {
    find(address(session), is, look)
}

fn find<T>(
    session: usize,
    is: impl Fn(&SetAside) -> bool,
    look: impl FnOnce(&mut SetAside) -> T,
) -> Option<T> {
    let mut taken = Taken(take_stack());
    let mut next = taken.0.as_deref_mut();
    while let Some(entry) = next {
        if entry.session == session && is(entry) {
            return Some(look(entry));
        }
        next = entry.below.as_deref_mut();
    }
    None
}

/// The stack while it is looked at, which is put back also where a look panics.
struct Taken(Stack);

impl Drop for Taken {
    fn drop(&mut self) {
        put_stack(self.0.take());
    }
}

fn address(session: &Session) -> usize {
    std::sync::Arc::as_ptr(&session.shared).addr()
}

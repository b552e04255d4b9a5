//! Which objects calls are using that have not ended: those that wait for a callback, in which other calls are made, and
//! those of other serving threads.

use std::collections::HashMap;

use hotcell_protocol::RawHandle;

use super::kept::KeptByCalls;
use super::{Need, Object};

/// What open calls were passed, and what of it is in use.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// By serving thread.
    stacks: Vec<Stack>,
    /// The thread that asks.
    own: usize,
    /// How often an object is in use: by a call in which others are nested, by a callback that was passed it, and where there
    /// are several serving threads, by any call that was passed it.
    counts: HashMap<Object, u32>,
}

/// The open calls of a thread.
#[derive(Debug, Default)]
struct Stack {
    /// What each was passed, the innermost last.
    passed: Vec<Passed>,
    /// Where in that list the innermost call begins.
    start: usize,
    copies: KeptByCalls,
    /// Where in those the innermost call begins.
    copies_start: usize,
    /// How many calls are open around the innermost.
    depth: u32,
}

#[derive(Debug)]
struct Passed {
    handle: RawHandle,
    /// None once it is retired or taken: what is at its address is another object.
    key: Option<Object>,
    /// What the call wants of it. It was told that it can take what it wants to be owned.
    need: Need,
    /// It is in use, as others see it.
    counted: bool,
}

/// What was in progress before a call began.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Before {
    start: usize,
    copies_start: usize,
}

impl Uses {
    /// Of so many serving threads.
    pub(super) fn of_threads(threads: usize) -> Uses {
        Uses { stacks: (0..threads).map(|_| Stack::default()).collect(), ..Uses::default() }
    }

    /// From now on this thread asks.
    pub(super) fn turn_to(&mut self, own: usize) {
        self.own = own;
    }

    fn own(&mut self) -> &mut Stack {
        &mut self.stacks[self.own]
    }

    pub(super) fn enter(&mut self) -> Before {
        let stack = self.own();
        stack.depth += 1;
        let start = std::mem::replace(&mut stack.start, stack.passed.len());
        Before { start, copies_start: std::mem::replace(&mut stack.copies_start, stack.copies.len()) }
    }

    /// The copies of this thread's calls.
    pub(super) fn copies(&mut self) -> &mut KeptByCalls {
        &mut self.own().copies
    }

    /// Whether there is anything to forget when the innermost call ends.
    #[inline]
    pub(super) fn has_something(&self) -> bool {
        self.has_passed() || !self.stacks[self.own].copies.is_empty()
    }

    #[inline]
    fn has_passed(&self) -> bool {
        let stack = &self.stacks[self.own];
        stack.passed.len() > stack.start
    }

    /// Forgets what the innermost call was passed, and what it keeps.
    pub(super) fn forget(&mut self) {
        let stack = self.own();
        stack.copies.leave(stack.copies_start, stack.depth == 0);
        while self.has_passed() {
            if let Some(Passed { key: Some(key), counted: true, .. }) = self.own().passed.pop() {
                self.end(key);
            }
        }
    }

    pub(super) fn leave(&mut self, before: Before) {
        self.forget();
        let stack = self.own();
        (stack.start, stack.copies_start) = (before.start, before.copies_start);
        stack.depth = stack.depth.saturating_sub(1);
    }

    /// The innermost call was passed an object.
    pub(super) fn pass(&mut self, handle: RawHandle, key: Object, need: Need) {
        let counted = self.are_several();
        if counted {
            self.begin(key);
        }
        self.own().passed.push(Passed { handle, key: Some(key), need, counted });
    }

    /// Whether the innermost call was told that it can take this.
    pub(super) fn is_promised(&self, handle: RawHandle) -> bool {
        self.stacks[self.own].innermost().iter().any(|passed| passed.is(handle, &[Need::Owned]))
    }

    /// Whether any open call was told that it can take this.
    pub(super) fn is_promised_anywhere(&self, handle: RawHandle) -> bool {
        self.stacks.iter().any(|stack| stack.has(handle, &[Need::Owned]))
    }

    /// Whether any open call was passed this, and wants one of these.
    pub(super) fn is_passed_anywhere(&self, handle: RawHandle, needs: &[Need]) -> bool {
        self.stacks.iter().any(|stack| stack.has(handle, needs))
    }

    /// What the innermost call was passed, gone or not, and what it wants of it.
    pub(super) fn passed(&self) -> impl Iterator<Item = (RawHandle, Need)> {
        self.stacks[self.own].innermost().iter().map(|passed| (passed.handle, passed.need))
    }

    /// Whether the innermost call is the outermost.
    pub(super) fn is_outermost(&self) -> bool {
        self.stacks[self.own].depth == 0
    }

    /// The thread that asks.
    pub(super) fn thread(&self) -> usize {
        self.own
    }

    /// The thread that asks, and those with an open call that was passed such an object.
    pub(super) fn threads_with(&self, is_such: impl Fn(RawHandle) -> bool) -> Vec<usize> {
        let stacks = self.stacks.iter().enumerate();
        let with = stacks.filter(|(number, stack)| {
            *number == self.own || stack.passed.iter().any(|passed| is_such(passed.handle))
        });
        with.map(|(number, _)| number).collect()
    }

    /// Whether there are several threads.
    #[inline]
    pub(super) fn are_several(&self) -> bool {
        self.stacks.len() > 1
    }

    /// Whether an open call of another thread was passed this, and wants one of these.
    pub(super) fn is_passed_elsewhere(&self, handle: RawHandle, needs: &[Need]) -> bool {
        let mut others = self.stacks.iter().enumerate().filter(|(number, _)| *number != self.own);
        others.any(|(_, stack)| stack.has(handle, needs))
    }

    /// An object that calls were passed is gone before they have ended: it is no longer in use.
    pub(super) fn retire(&mut self, handle: RawHandle) {
        let Uses { stacks, counts, .. } = self;
        for passed in stacks.iter_mut().flat_map(|stack| &mut stack.passed) {
            if passed.handle == handle {
                passed.goes(counts);
            }
        }
    }

    /// The innermost call has taken an object that it was passed.
    pub(super) fn took(&mut self, handle: RawHandle) {
        let Uses { stacks, counts, own } = self;
        let stack = &mut stacks[*own];
        for passed in stack.passed[stack.start..].iter_mut().filter(|passed| passed.handle == handle) {
            passed.goes(counts);
        }
    }

    /// What the innermost call was passed is in use, if it is there still.
    pub(super) fn hold(&mut self, is_there: impl Fn(RawHandle) -> bool) {
        let Uses { stacks, counts, own } = self;
        let stack = &mut stacks[*own];
        let mut at = stack.start;
        while let Some(passed) = stack.passed.get_mut(at) {
            if !is_there(passed.handle) {
                passed.goes(counts);
                stack.passed.swap_remove(at);
                continue;
            }
            if let Some(key) = passed.key
                && !passed.counted
            {
                passed.counted = true;
                *counts.entry(key).or_default() += 1;
            }
            at += 1;
        }
    }

    /// The reverse of [`Uses::hold`]. Where there are several threads, what a call was passed stays in use until it has ended.
    pub(super) fn let_go(&mut self) {
        let Uses { stacks, counts, own } = self;
        if stacks.len() > 1 {
            return;
        }
        let stack = &mut stacks[*own];
        for passed in &mut stack.passed[stack.start..] {
            passed.uncount(counts);
        }
    }

    pub(super) fn begin(&mut self, key: Object) {
        *self.counts.entry(key).or_default() += 1;
    }

    pub(super) fn end(&mut self, key: Object) {
        end(&mut self.counts, key);
    }

    /// Whether anything but the innermost call uses an object.
    pub(super) fn any(&self, key: Object) -> bool {
        let Some(&count) = self.counts.get(&key) else { return false };
        let innermost = self.stacks[self.own].innermost().iter();
        let own = innermost.filter(|passed| passed.counted && passed.key == Some(key)).count();
        count as usize > own
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

impl Stack {
    fn innermost(&self) -> &[Passed] {
        &self.passed[self.start..]
    }

    fn has(&self, handle: RawHandle, needs: &[Need]) -> bool {
        self.passed.iter().any(|passed| passed.is(handle, needs))
    }
}

impl Passed {
    /// Whether it is this object, and the call wants one of these of it.
    fn is(&self, handle: RawHandle, needs: &[Need]) -> bool {
        self.handle == handle && needs.contains(&self.need)
    }

    fn uncount(&mut self, counts: &mut HashMap<Object, u32>) {
        if std::mem::take(&mut self.counted)
            && let Some(key) = self.key
        {
            end(counts, key);
        }
    }

    /// It is no longer there.
    fn goes(&mut self, counts: &mut HashMap<Object, u32>) {
        self.uncount(counts);
        self.key = None;
    }
}

fn end(counts: &mut HashMap<Object, u32>, key: Object) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

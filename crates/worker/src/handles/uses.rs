//! Which objects calls are using that wait for a callback, in which other calls are made.

use std::collections::HashMap;

use hotcell_protocol::RawHandle;

use super::Object;

/// What open calls were passed, and what of it is in use.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// What each open call was passed, the innermost last.
    passed: Vec<Passed>,
    /// Where in that list the innermost call begins.
    start: usize,
    /// How often an object is in use: by a call in which others are nested, or by a callback that was passed it.
    counts: HashMap<Object, u32>,
}

#[derive(Debug)]
struct Passed {
    handle: RawHandle,
    /// None once it is retired: what is at its address is another object.
    key: Option<Object>,
    /// The call was told that it can take it.
    promised: bool,
}

/// What was in progress before a call began.
#[derive(Debug)]
#[must_use]
pub(crate) struct Before(usize);

impl Uses {
    pub(super) fn enter(&mut self) -> Before {
        Before(std::mem::replace(&mut self.start, self.passed.len()))
    }

    /// Whether the innermost call was passed anything.
    #[inline]
    pub(super) fn has_passed(&self) -> bool {
        self.passed.len() > self.start
    }

    /// Forgets what the innermost call was passed.
    pub(super) fn forget(&mut self) {
        self.passed.truncate(self.start);
    }

    pub(super) fn leave(&mut self, before: Before) {
        self.passed.truncate(self.start);
        self.start = before.0;
    }

    /// The innermost call was passed an object.
    pub(super) fn pass(&mut self, handle: RawHandle, key: Object, promised: bool) {
        self.passed.push(Passed { handle, key: Some(key), promised });
    }

    /// Whether the innermost call was told that it can take this.
    pub(super) fn is_promised(&self, handle: RawHandle) -> bool {
        self.passed[self.start..].iter().any(|passed| passed.promised && passed.handle == handle)
    }

    /// Whether any open call was told that it can take this.
    pub(super) fn is_promised_anywhere(&self, handle: RawHandle) -> bool {
        self.passed.iter().any(|passed| passed.promised && passed.handle == handle)
    }

    /// An object that calls were passed is gone before they have ended: it is no longer in use.
    pub(super) fn retire(&mut self, handle: RawHandle) {
        for at in 0..self.passed.len() {
            let passed = &mut self.passed[at];
            if passed.handle == handle
                && let Some(key) = passed.key.take()
                && at < self.start
            {
                self.end(key);
            }
        }
    }

    /// What the innermost call was passed is in use, if it is there still.
    pub(super) fn hold(&mut self, is_there: impl Fn(RawHandle) -> bool) {
        let mut at = self.start;
        while let Some(passed) = self.passed.get(at) {
            let (handle, key) = (passed.handle, passed.key);
            if is_there(handle) {
                key.into_iter().for_each(|key| self.begin(key));
                at += 1;
            } else {
                self.passed.swap_remove(at);
            }
        }
    }

    /// The reverse of [`Uses::hold`].
    pub(super) fn let_go(&mut self) {
        for at in self.start..self.passed.len() {
            if let Some(key) = self.passed[at].key {
                self.end(key);
            }
        }
    }

    pub(super) fn begin(&mut self, key: Object) {
        *self.counts.entry(key).or_default() += 1;
    }

    pub(super) fn end(&mut self, key: Object) {
        if let Some(count) = self.counts.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&key);
            }
        }
    }

    pub(super) fn any(&self, key: Object) -> bool {
        !self.is_empty() && self.counts.contains_key(&key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

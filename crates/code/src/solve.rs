//! Answers for many functions at once: what each does with a pointer rests on what the functions do that it calls.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::image::Image;
use crate::state::Place;
use crate::summary::{Gone, Use};
use crate::walk::{self, Walked};

/// One question: what the function that begins at an address does with what lies in one place then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Question {
    pub(crate) entry: u64,
    pub(crate) place: Place,
}

/// What is known of a library's functions so far.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    known: BTreeMap<Question, Use>,
}

/// How many functions are walked for one question at most.
const WALKS: usize = 4000;

impl Answers {
    /// What a function does: as little at first as nothing speaks against, and more as the functions it calls become known, until
    /// nothing changes.
    pub(crate) fn of(&mut self, image: &Image, question: Question) -> Use {
        if let Some(known) = self.known.get(&question) {
            return known.clone();
        }
        let mut open = BTreeMap::from([(question, Use::default())]);
        let mut callers: BTreeMap<Question, BTreeSet<Question>> = BTreeMap::new();
        let mut waiting = VecDeque::from([question]);
        let mut walks = 0;
        while let Some(next) = waiting.pop_front() {
            walks += 1;
            let Walked { does, asked } =
                walk::walk(image, next, |asked| self.known.get(&asked).or_else(|| open.get(&asked)).cloned());
            for asked in asked {
                callers.entry(asked).or_default().insert(next);
                if !self.known.contains_key(&asked) && !open.contains_key(&asked) {
                    open.insert(asked, Use::default());
                    waiting.push_back(asked);
                }
            }
            let gone = next == question && does.gone.is_some();
            if gone || walks > WALKS {
                // The others are not at their end.
                let does = if gone { does } else { lost(question.entry) };
                self.known.insert(question, does.clone());
                return does;
            }
            if open.get(&next) != Some(&does) {
                open.insert(next, does);
                for caller in callers.get(&next).into_iter().flatten() {
                    if !waiting.contains(caller) {
                        waiting.push_back(*caller);
                    }
                }
            }
        }
        self.known.append(&mut open);
        self.known[&question].clone()
    }
}

/// That nothing is known of where a pointer goes.
pub(crate) fn lost(address: u64) -> Use {
    let gone = Some(Gone::Lost(address));
    Use { gone: gone.clone(), inner_gone: gone, noisy: true, ..Use::default() }
}

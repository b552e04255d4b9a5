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
    wanted: Wanted,
    known: BTreeMap<Question, Known>,
}

#[derive(Debug)]
struct Known {
    does: Use,
    /// What it rests on.
    asked: BTreeSet<Question>,
}

/// Which answers are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Wanted {
    /// What becomes of a pointer, as long as it is in sight.
    #[default]
    Whole,
    /// Whether it is freed, whatever becomes of it besides.
    Freed,
    /// All that is done with it where it is seen.
    Seen,
}

impl Wanted {
    /// On how many others an answer may rest. Of what is made all ways are walked to the end, once for each call that makes some.
    fn most(self, question: Question) -> usize {
        match (self, question.place) {
            (Wanted::Freed | Wanted::Seen, _) => MOST / 5,
            (_, Place::Made) => MOST / 3,
            (Wanted::Whole, _) => MOST,
        }
    }
}

/// On how many others an answer may rest: where one is found at all, it is on a few. They are counted whether they are known already
/// or not, but for those behind a pointer that is known to go somewhere.
const MOST: usize = 150;

/// How often all of them together are walked.
const WALKS: usize = 20 * MOST;

impl Answers {
    pub(crate) fn new(wanted: Wanted) -> Answers {
        Answers { wanted, known: BTreeMap::new() }
    }

    /// What a function does: as little at first as nothing speaks against, and more as the functions it calls become known, until
    /// nothing changes.
    pub(crate) fn of(&mut self, image: &Image, question: Question) -> Use {
        if let Some(known) = self.known.get(&question) {
            return known.does.clone();
        }
        self.settle(image, question).unwrap_or_else(|| {
            let does = lost(question.entry);
            self.known.insert(question, Known { does: does.clone(), asked: BTreeSet::new() });
            does
        })
    }

    /// The same; `None` where it rests on too much.
    fn settle(&mut self, image: &Image, question: Question) -> Option<Use> {
        let mut open: BTreeMap<Question, Known> = BTreeMap::new();
        let mut reached = BTreeSet::from([question]);
        let mut callers: BTreeMap<Question, BTreeSet<Question>> = BTreeMap::new();
        let mut waiting = VecDeque::from([question]);
        let to_the_end = self.wanted != Wanted::Whole;
        let most = self.wanted.most(question);
        for _ in 0..WALKS {
            let Some(next) = waiting.pop_front() else {
                self.known.append(&mut open);
                return self.known.get(&question).map(|known| known.does.clone());
            };
            let Walked { does, asked } = walk::walk(image, next, to_the_end, |asked| {
                self.known.get(&asked).or_else(|| open.get(&asked)).map(|known| known.does.clone())
            });
            for &asked in &asked {
                callers.entry(asked).or_default().insert(next);
                if !reached.contains(&asked) {
                    self.reach(asked, &mut reached);
                    if !self.known.contains_key(&asked) {
                        waiting.push_back(asked);
                    }
                }
            }
            let enough = match self.wanted {
                Wanted::Whole => does.gone.is_some(),
                Wanted::Freed => does.freed,
                Wanted::Seen => false,
            };
            if next == question && enough {
                // The others are not at their end.
                self.known.insert(question, Known { does: does.clone(), asked: BTreeSet::new() });
                return Some(does);
            }
            if reached.len() > most {
                return None;
            }
            if open.get(&next).is_none_or(|known| known.does != does) {
                for caller in callers.get(&next).into_iter().flatten() {
                    if !waiting.contains(caller) {
                        waiting.push_back(*caller);
                    }
                }
            }
            open.insert(next, Known { does, asked });
        }
        None
    }

    /// Takes in a question, with all that its answer rests on where that is known.
    fn reach(&self, question: Question, reached: &mut BTreeSet<Question>) {
        let mut waiting = vec![question];
        while let Some(next) = waiting.pop() {
            if reached.insert(next) {
                waiting.extend(self.known.get(&next).into_iter().flat_map(|known| &known.asked));
            }
        }
    }
}

/// That nothing is known of where a pointer goes.
pub(crate) fn lost(address: u64) -> Use {
    let gone = Some(Gone::Lost(address));
    Use { gone: gone.clone(), inner_gone: gone, noisy: true, ..Use::default() }
}

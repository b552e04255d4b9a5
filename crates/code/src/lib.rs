//! What a library's machine code does with the pointers that its functions are given: where they go, and which memory behind them is
//! read and written; and whether what they return is new. No I/O.
//!
//! An answer holds on every way through the code, or there is none: what is not understood counts as if anything could happen there.
#![forbid(unsafe_code)]

mod calls;
mod image;
mod libc;
mod memory;
mod reach;
mod registers;
mod solve;
mod state;
mod step;
mod summary;
mod value;
mod walk;

use std::cell::RefCell;

use crate::image::Image;
use crate::solve::{Answers, Question, Wanted};
use crate::state::{ARGUMENTS, Place};
pub use crate::summary::{Extent, Gone, Returned, Use};

/// What is seen of a function that is given a pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// That it releases something that was read behind it.
    pub releases_inner: bool,
    /// That it returns something that was read behind it.
    pub returns_inner: bool,
}

/// What a function returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// New memory that nobody else has, in which a NUL is written on each way.
    Text,
    /// New memory that nobody else has.
    Memory,
    /// Memory that it has made, and whose address is stored where others may find it.
    Shared,
    /// Something else, or nobody knows.
    Unknown,
}

impl Made {
    /// Whether nobody else has it.
    #[must_use]
    pub fn is_new(self) -> bool {
        matches!(self, Made::Text | Made::Memory)
    }
}

/// The code of one library.
#[derive(Debug)]
pub struct Code {
    image: Image,
    answers: RefCell<Answers>,
    frees: RefCell<Answers>,
    seen: RefCell<Answers>,
}

impl Code {
    /// `None` of what is not a library for x86-64, or catches exceptions of C++.
    #[must_use]
    pub fn new(data: &[u8]) -> Option<Code> {
        let answers = |wanted| RefCell::new(Answers::new(wanted));
        Some(Code {
            image: Image::new(data)?,
            answers: answers(Wanted::Whole),
            frees: answers(Wanted::Freed),
            seen: answers(Wanted::Seen),
        })
    }

    /// What a function does with an argument, by its position among those that are no real numbers. `None` where the library exports no
    /// such function, or several.
    #[must_use]
    pub fn argument(&self, function: &str, position: usize) -> Option<Use> {
        let does = self.answers.borrow_mut().of(&self.image, self.question(function, position)?);
        Some(Use { gone: does.kept(), ..does })
    }

    /// Whether a function hands an argument itself to C's `free` on some way, whatever else it does with it, as far as that is seen.
    #[must_use]
    pub fn frees(&self, function: &str, position: usize) -> bool {
        let question = self.question(function, position);
        question.is_some_and(|question| self.frees.borrow_mut().of(&self.image, question).freed)
    }

    /// What is seen of a function that speaks against what names say, whatever else it does: nothing follows from what is not seen.
    #[must_use]
    pub fn seen(&self, function: &str, position: usize) -> Seen {
        let Some(question) = self.question(function, position) else { return Seen::default() };
        let does = self.seen.borrow_mut().of(&self.image, question);
        Seen { releases_inner: does.inner_released, returns_inner: does.returned.is_inner() }
    }

    /// Whether a function calls another one that the library exports, by itself or by what it calls, as far as that is seen.
    #[must_use]
    pub fn calls(&self, function: &str, other: &str) -> bool {
        let ends = self.image.export(function).zip(self.image.export(other));
        ends.is_some_and(|(from, to)| reach::reaches(&self.image, from, to))
    }

    /// What a function returns: memory that it has made by C's functions for that, and written to, or NULL; or something else. `None` where the library
    /// exports no such function, or several.
    #[must_use]
    pub fn makes(&self, function: &str) -> Option<Made> {
        let question = Question { entry: self.image.export(function)?, place: Place::Made };
        let does = self.answers.borrow_mut().of(&self.image, question);
        Some(match &does.gone {
            None if does.returned.is_pointer() && does.written.is_any() => match does.ended.0 {
                true => Made::Text,
                false => Made::Memory,
            },
            Some(Gone::Stored(_)) => Made::Shared,
            _ => Made::Unknown,
        })
    }

    fn question(&self, function: &str, position: usize) -> Option<Question> {
        let entry = self.image.export(function)?;
        let place = match ARGUMENTS.get(position) {
            Some(register) => Place::Register(u8::try_from(*register).ok()?),
            None => Place::Stack(8 + 8 * i64::try_from(position - ARGUMENTS.len()).ok()?),
        };
        Some(Question { entry, place })
    }
}

//! Objects that are made anew when their worker has ended: how packages say it, here; what stands for an object (`front.rs`), what is kept
//! of the calls that made and configured it (`record.rs`), and those calls, made again (`replay.rs`).

mod front;
mod record;
mod replay;
#[cfg(test)]
mod tests;

pub(crate) use front::Wanted;
pub(super) use front::{Anew, Restorable};
pub(super) use record::Record;

use super::Input;
use crate::options::Options;

/// How objects of a type are made anew when their worker has ended.
#[derive(Debug, Clone)]
pub struct Restore {
    /// The number of the handle type.
    pub kind: u16,
    /// The functions that make one, whose call is made again.
    pub by: &'static [Repeated],
    /// The functions that configure one, whose last calls are made again behind that.
    pub configure: &'static [Repeated],
    /// How often an object is made anew at most.
    pub times: u32,
}

/// A function whose calls are kept.
#[derive(Debug, Clone)]
pub struct Repeated {
    /// Its index.
    pub function: u16,
    /// Where the object is: of what makes one in the result block, else in the argument block.
    pub object: u16,
    /// Where in the argument block what the object belongs to goes in, and the number of its handle type.
    pub parent: Option<(u16, u16)>,
    /// Everything else that goes in: [`Input::Numbers`] and [`Input::Data`].
    pub inputs: &'static [Input],
    /// Those of it that say what is set: a call takes the place of one with the same there.
    pub key: &'static [Input],
}

/// Which objects are made anew when their worker has ended, and how: as a contract says.
#[derive(Debug, Clone, Copy)]
pub struct Restores(pub(crate) &'static [Restore]);

impl Restores {
    /// No object is made anew.
    pub const NEVER: Restores = Restores(&[]);

    /// Whether none is.
    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// How objects of a type are.
    #[inline]
    pub(crate) fn of(self, kind: u16) -> Option<&'static Restore> {
        self.0.iter().find(|restore| restore.kind == kind)
    }
}

/// Options of a session of a package whose contract says how objects are made anew. What the options say themselves holds.
pub fn restoring(options: Options, restores: &'static [Restore]) -> Options {
    let restores = options.restores.unwrap_or(Restores(restores));
    Options { restores: Some(restores), ..options }
}

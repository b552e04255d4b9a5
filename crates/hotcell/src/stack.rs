//! Where threads of a worker were, also the one that ended it, and what the files of their code say of that.

use std::path::Path;

use hotcell_supervisor::{FrameSeen, Place, StackLeft, StackSeen, locate};
use serde_json::{Value, json};

use crate::error::Error;
use crate::memory::Frame;

/// Threads of a worker that were at the same place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// Their name. The library's word, escaped.
    pub name: String,
    /// Their state, as the kernel's letter: `R` runs, `S` sleeps, `T` is stopped, `D` is stuck in the kernel.
    pub state: char,
    /// How many they were.
    pub threads: u64,
    /// The frames, the innermost first. None of a thread that was running, and where the kernel does not let this process look.
    pub frames: Vec<Frame>,
}

impl Stack {
    pub(crate) fn of(seen: StackSeen) -> Stack {
        let StackSeen { name, state, threads, frames } = seen;
        Stack { name, state, threads, frames: frames.into_iter().map(Frame::of).collect() }
    }

    pub(crate) fn to_json(&self) -> Value {
        let frames: Vec<Value> = self.frames.iter().map(Frame::to_json).collect();
        json!({ "name": self.name, "state": self.state, "threads": self.threads, "frames": frames })
    }
}

impl Error {
    /// Where the thread was that a signal ended, and where each function returns to, the innermost first: of a call that crashed, or had to be
    /// ended because it hung. Empty where the worker left no stack: it was killed, or the library handles the signal itself.
    ///
    /// The stack is kept with the error as it was, and walked now: files are read for it, those of the libraries and nothing else.
    pub fn frames(&self) -> Vec<Frame> {
        self.stack().map(StackLeft::frames).unwrap_or_default().into_iter().map(Frame::of).collect()
    }
}

impl Frame {
    fn of(FrameSeen { module, offset, is_first }: FrameSeen) -> Frame {
        Frame { module, offset, symbol: None, is_first }
    }

    /// The function, the file and the line, by the symbols and the debug information of the module's file as it lies there now. It is read for each
    /// frame: this is for people who look, and nothing of it is done before. `None` where there is no such file, or it says nothing.
    pub fn locate(&self) -> Option<Place> {
        // The instruction that calls, and not the one behind it.
        let offset = if self.is_first { self.offset } else { self.offset.saturating_sub(1) };
        locate(Path::new(&self.module), offset).ok().flatten()
    }
}

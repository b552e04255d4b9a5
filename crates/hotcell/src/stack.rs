//! Where threads of a worker were, and what the files of their code say of that.

use std::path::Path;

use hotcell_supervisor::{FrameSeen, Place, StackSeen, locate};
use serde_json::{Value, json};

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
        let frame = |FrameSeen { module, offset }| Frame { module, offset, symbol: None };
        Stack { name, state, threads, frames: frames.into_iter().map(frame).collect() }
    }

    pub(crate) fn to_json(&self) -> Value {
        let frames: Vec<Value> = self.frames.iter().map(Frame::to_json).collect();
        json!({ "name": self.name, "state": self.state, "threads": self.threads, "frames": frames })
    }
}

impl Frame {
    /// The function, the file and the line, by the symbols and the debug information of the module's file as it lies there now. It is read for each
    /// frame: this is for people who look, and nothing of it is done before. `None` where there is no such file, or it says nothing.
    pub fn locate(&self) -> Option<Place> {
        locate(Path::new(&self.module), self.offset).ok().flatten()
    }
}

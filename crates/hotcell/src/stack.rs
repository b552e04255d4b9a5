//! Where threads of a worker were, also the one that ended it, and what the files of their code say of that.

use std::fmt::Write as _;

use hotcell_supervisor::{FrameSeen, Place, StackLeft, StackSeen, escape, locate};
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

/// The stack of a thread that a signal ended, as it was.
#[derive(Debug, Clone)]
pub struct LastStack(pub(crate) StackLeft);

impl LastStack {
    /// Where the thread was, and where each function returns to, the innermost first. Walked now, by the files of the libraries.
    pub fn frames(&self) -> Vec<Frame> {
        self.0.frames().into_iter().map(Frame::of).collect()
    }

    /// The same, each with what [`Frame::locate`] says of it. Each file is read once, and all of them for two seconds at most: what was not
    /// read by then is not known.
    pub fn located(&self) -> Vec<(Frame, Option<Place>)> {
        let frames = self.frames();
        let places = locate(&frames.iter().map(Frame::place).collect::<Vec<_>>());
        frames.into_iter().zip(places).collect()
    }

    /// The frames as JSON, each with what [`Frame::locate`] says: `module`, `offset`, and `function`, `file`, `line`, which may be null.
    pub fn to_json(&self) -> Value {
        let frames = self.located().into_iter().map(|(frame, place)| {
            let place = place.unwrap_or_default();
            json!({
                "module": frame.module, "offset": format!("{:#x}", frame.offset),
                "function": place.function, "file": place.file, "line": place.line,
            })
        });
        frames.collect()
    }
}

impl Error {
    /// Where the thread was that a signal ended, and where each function returns to, the innermost first: of a call that crashed, or had to be
    /// ended because it hung. Empty where the worker left no stack: it was killed, or the library handles the signal itself.
    ///
    /// The stack is kept with the error as it was, and walked now: files are read for it, those of the libraries and nothing else.
    pub fn frames(&self) -> Vec<Frame> {
        self.last_stack().map(|stack| stack.frames()).unwrap_or_default()
    }

    /// The stack as it was kept, for who looks at it when the error is gone: its frames are those of [`Error::frames`].
    pub fn last_stack(&self) -> Option<LastStack> {
        self.stack().cloned().map(LastStack)
    }
}

impl Error {
    /// The frames as text for people, the innermost first, a line for each: function, file and line as far as the files of the modules say them, and
    /// where in the module it is. Empty where there are none. All that is read for it is read now, [for two seconds at most](LastStack::located).
    ///
    /// ```text
    /// #0  row_crash at rows.c:41 (/usr/lib/librows.so+0x11f0)
    /// #1  ?? (/usr/lib/libother.so+0x3c10)
    /// ```
    pub fn trace(&self) -> String {
        let mut text = String::new();
        let located = self.last_stack().map(|stack| stack.located()).unwrap_or_default();
        for (number, (frame, place)) in located.iter().enumerate() {
            let place = place.clone().unwrap_or_default();
            let function = place.function.as_deref().unwrap_or("??");
            _ = write!(text, "#{number:<2} {}", escape(function));
            if let Some(file) = &place.file {
                _ = write!(text, " at {}", escape(file));
            }
            if let (Some(_), Some(line)) = (&place.file, place.line) {
                _ = write!(text, ":{line}");
            }
            _ = writeln!(text, " ({}+{:#x})", frame.module, frame.offset);
        }
        text
    }
}

impl Frame {
    fn of(FrameSeen { module, offset, is_first }: FrameSeen) -> Frame {
        Frame { module, offset, symbol: None, is_first }
    }

    /// The function, the file and the line, by the symbols and the debug information of the module's file as it lies there now. It is read for each
    /// frame: this is for people who look, and nothing of it is done before. `None` where there is no such file, where it says nothing, and where that takes
    /// more than a second, or 256 MiB.
    pub fn locate(&self) -> Option<Place> {
        locate(&[self.place()]).pop().flatten()
    }

    /// Its module, and the instruction that calls there, and not the one behind it.
    fn place(&self) -> (&str, u64) {
        (&self.module, if self.is_first { self.offset } else { self.offset.saturating_sub(1) })
    }
}

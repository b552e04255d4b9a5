//! The stack on which a worker ended, which an exception keeps and walks when it is asked.

use hotcell::LastStack;
use pyo3::prelude::*;

/// The stack of a call that crashed or hung, as it was.
#[pyclass(frozen, module = "hotcell._native")]
pub(crate) struct Stack(pub(crate) LastStack);

/// Module and offset, and as far as the module's file says it function, file and line.
type Frame = (String, u64, Option<String>, Option<String>, Option<u32>);

#[pymethods]
impl Stack {
    /// Walks it, and reads the files of its modules.
    fn frames(&self, py: Python<'_>) -> Vec<Frame> {
        py.detach(|| {
            let frames = self.0.located().into_iter().map(|(frame, place)| {
                let place = place.unwrap_or_default();
                (frame.module, frame.offset, place.function, place.file, place.line)
            });
            frames.collect()
        })
    }
}

//! A worker that a thread brings up, for a task that waits for it.

use std::task::{Context as Task, Poll, Waker};

use hotcell_shm::lock::Mutex;

use crate::error::Result;
use crate::session::wake::wake;

/// What becomes of it.
#[derive(Debug, Default)]
pub(in crate::session) struct ComingUp(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether spares are to follow it, or why there is none.
    came: Option<Result<bool>>,
    task: Option<Waker>,
}

impl ComingUp {
    /// Tells the task.
    pub(in crate::session) fn came(&self, came: Result<bool>) {
        let mut state = self.0.lock();
        state.came = Some(came);
        let task = state.task.take();
        drop(state);
        task.into_iter().for_each(wake);
    }

    /// What came of it, once; else the task is woken when that is known.
    pub(super) fn poll(&self, task: &mut Task<'_>) -> Poll<Result<bool>> {
        let mut state = self.0.lock();
        if let Some(came) = state.came.take() {
            return Poll::Ready(came);
        }
        let before = state.task.replace(task.waker().clone());
        drop(state);
        drop(before);
        Poll::Pending
    }
}

//! Calls of tasks wait for what is to be released before them, as calls of threads do, but without a thread.

use std::future::poll_fn;
use std::task::{Poll, Waker};

use hotcell_protocol::Executed;
use hotcell_shm::clock;

use super::{MOMENT, Releases, WHILE};
use crate::error::Result;
use crate::session::awaited::{NoRuntime, Timer};
use crate::session::{Allowed, Context, Session, instant_of, this_thread};

impl Session {
    /// Has what was left before a call released before it, by the session's thread. The call waits for that, but no more than
    /// half of its time; and where there are several seats for no longer than it would on a thread.
    pub(in crate::session) async fn releases_awaited(
        &self,
        context: Context,
        allowed: &mut Allowed,
    ) -> Result<()> {
        let releases = &self.shared.releases;
        let (count, now) = (releases.left(), clock::now());
        let half = now + allowed.deadline().saturating_sub(now) / 2;
        if !self.hand_over() {
            return Ok(());
        }
        let (thread, several) = (this_thread(), self.shared.seats.count() > 1);
        let until = if several { half.min(now + WHILE) } else { half };
        let mut timer = Timer::default();
        poll_fn(|task| {
            loop {
                let now = clock::now();
                if now >= until || releases.is_over(several.then_some(thread), count, task.waker()) {
                    return Poll::Ready(Ok(()));
                }
                // Among several seats, what takes long is waited for no longer by others.
                let next = if several { until.min(now + MOMENT) } else { until };
                match timer.poll(instant_of(next), task) {
                    Ok(Poll::Ready(())) => {}
                    Ok(Poll::Pending) => return Poll::Pending,
                    Err(NoRuntime) => return Poll::Ready(Err(self.no_runtime(context, Executed::No))),
                }
            }
        })
        .await
    }
}

impl Releases {
    /// Whether nothing is waited for any more: of what holds up calls of this thread; or else of the first `count` notes that
    /// were ever left. If not, the task is woken when some were sent.
    fn is_over(&self, thread: Option<u64>, count: u64, task: &Waker) -> bool {
        let own = task.clone();
        let mut waiting = self.waiting.lock();
        let is_over = !waiting.has_thread
            || match thread {
                Some(thread) => !waiting.holds_up(thread),
                None => waiting.left - waiting.notes.len() as u64 >= count,
            };
        if !is_over && !waiting.tasks.iter().any(|known| known.will_wake(&own)) {
            waiting.tasks.push(own);
        }
        is_over
    }
}

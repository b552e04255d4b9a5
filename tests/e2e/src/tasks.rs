//! How tests poll calls that are awaited: by hand, so that it is known when that happens, and when not.

use std::fs;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Polls once; nothing is woken.
pub fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls until the call is under way, and no longer.
///
/// # Panics
///
/// If it is over then.
pub async fn start<F: Future>(mut future: Pin<&mut F>) {
    poll_fn(|task| match future.as_mut().poll(task) {
        Poll::Pending => Poll::Ready(()),
        Poll::Ready(_) => panic!("it is over already"),
    })
    .await;
}

/// Awaits on this thread; how often polls have put it to sleep.
pub fn sleeps_in_polls<F: Future>(future: F) -> (F::Output, u64) {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut slept = 0;
    loop {
        let before = sleeps();
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        slept += sleeps() - before;
        match polled {
            Poll::Ready(output) => return (output, slept),
            Poll::Pending => thread::park(),
        }
    }
}

/// How often this thread has gone to sleep.
fn sleeps() -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").expect("procfs is mounted");
    let times = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    times.and_then(|times| times.trim().parse().ok()).expect("the kernel counts them")
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

//! Looking at stacks on a thread of its own. Whoever reads the memory of a process waits for the kernel to have it, and that may wait
//! for a disk or a server that is gone.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hotcell_sandbox::with_signals_blocked;

use super::walk::WALKS;
use super::{Process, StackSeen, tasks};

/// How long a look is waited for: what it takes, and as long again for its thread to begin.
const PATIENCE: Duration = Duration::from_millis(2 * WALKS.as_millis() as u64);

/// Looks that may not have come back, in the process's life. With so many nobody looks any more.
const MOST_STUCK: usize = 4;

/// Looks that are under way.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// The stacks of a process, by its folder in `/proc`; without frames where a thread of it is stuck in the kernel, which then keeps its memory
/// to itself, and nothing where the look does not come back.
pub(super) fn stacks(folder: &str) -> Vec<StackSeen> {
    if tasks(folder).any(|task| task.state == 'D') {
        return Vec::new();
    }
    let folder = folder.to_owned();
    within(PATIENCE, move || Process::open(&folder).stacks()).unwrap_or_default()
}

/// What is looked at on another thread, if it is there in time.
fn within<T: Send + 'static>(patience: Duration, look: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    // Relaxed: nothing but the number is of interest.
    if UNDER_WAY.fetch_add(1, Ordering::Relaxed) >= MOST_STUCK {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
        return None;
    }
    let (tell, told) = mpsc::channel();
    let work = move || {
        let counted = Counted;
        let seen = look();
        drop(counted);
        // Nobody may wait any more.
        let _ = tell.send(seen);
    };
    let thread = thread::Builder::new().name("hotcell-look".into());
    // Signals of the application are for its own threads.
    if with_signals_blocked(|| thread.spawn(work)).is_err() {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
        return None;
    }
    told.recv_timeout(patience).ok()
}

/// A look that is under way. Dropped, it is none.
struct Counted;

impl Drop for Counted {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_that_do_not_come_back_are_left_and_there_are_few_of_them() {
        let (release, wait) = mpsc::channel::<()>();
        let wait = std::sync::Arc::new(std::sync::Mutex::new(wait));
        let soon = Duration::from_millis(20);
        let mut looks = 0;
        while UNDER_WAY.load(Ordering::Relaxed) < MOST_STUCK {
            let wait = std::sync::Arc::clone(&wait);
            assert_eq!(within(soon, move || wait.lock().unwrap().recv().ok()), None);
            looks += 1;
        }
        assert!(looks > 0 && looks <= MOST_STUCK);
        assert_eq!(within(Duration::from_secs(60), || 1), None, "one too many");
        drop(release);
        while UNDER_WAY.load(Ordering::Relaxed) != 0 {
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(within(Duration::from_secs(60), || 1), Some(1));
    }
}

//! Work on a thread of its own, which is not waited for longer than it may take. Whoever reads the memory of a process, or a file, waits for the kernel to have
//! it, and that may wait for a disk or a server that is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hotcell_sandbox::with_signals_blocked;

use super::{Process, StackSeen, tasks};

/// How long a look, and a walk of a stack that was left, are waited for. They take a tenth of a second of a CPU at most, which a busy machine may let them
/// have later.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// Work that was left and has not come back. With so much of one kind none is begun any more.
const MOST_LEFT: usize = 4;

/// Looks at processes.
static LOOKS: Aside = Aside::new();

/// Work of one kind: how much of it was left and has not come back.
pub(super) struct Aside(AtomicUsize);

/// The stacks of a process, by its folder in `/proc`; without frames where a thread of it is stuck in the kernel, which then keeps its memory
/// to itself, and nothing where the look does not come back.
pub(super) fn stacks(folder: &str) -> Vec<StackSeen> {
    if tasks(folder).any(|task| task.state == 'D') {
        return Vec::new();
    }
    let folder = folder.to_owned();
    LOOKS.within(PATIENCE, move || Process::open(&folder).stacks()).unwrap_or_default()
}

impl Aside {
    pub(super) const fn new() -> Aside {
        Aside(AtomicUsize::new(0))
    }

    /// What is done on another thread, if it is there in time.
    pub(super) fn within<T: Send + 'static>(
        &'static self,
        patience: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        // Relaxed: nothing but the number is of interest.
        if self.0.load(Ordering::Relaxed) >= MOST_LEFT {
            return None;
        }
        let (tell, told) = mpsc::channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let own = Arc::clone(&is_over);
        let work = move || {
            let over = Over { count: &self.0, is_over: own };
            let done = work();
            drop(over);
            // Nobody may wait any more.
            let _ = tell.send(done);
        };
        let thread = thread::Builder::new().name("hotcell-look".into());
        // Signals of the application are for its own threads.
        with_signals_blocked(|| thread.spawn(work)).ok()?;
        let done = told.recv_timeout(patience).ok();
        if done.is_none() {
            // Counted before it is left: whoever comes second takes it back.
            self.0.fetch_add(1, Ordering::Relaxed);
            end(&self.0, &is_over);
        }
        done
    }
}

/// Work that is under way. Dropped, it is over.
struct Over {
    count: &'static AtomicUsize,
    is_over: Arc<AtomicBool>,
}

impl Drop for Over {
    fn drop(&mut self) {
        end(self.count, &self.is_over);
    }
}

/// One of two has done with it: who waits, or the thread. The second takes it back that it was counted as left.
fn end(count: &AtomicUsize, is_over: &AtomicBool) {
    // The order of the two is that of this one word.
    if is_over.swap(true, Ordering::Relaxed) {
        count.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_that_do_not_come_back_are_left_and_there_are_few_of_them() {
        static KIND: Aside = Aside::new();
        let (release, wait) = mpsc::channel::<()>();
        let wait = Arc::new(std::sync::Mutex::new(wait));
        let soon = Duration::from_millis(20);
        for left in 0..MOST_LEFT {
            assert_eq!(KIND.0.load(Ordering::Relaxed), left);
            let wait = Arc::clone(&wait);
            assert_eq!(KIND.within(soon, move || wait.lock().unwrap().recv().ok()), None);
        }
        assert_eq!(KIND.within(Duration::from_secs(60), || 1), None, "one too many");
        drop(release);
        while KIND.0.load(Ordering::Relaxed) != 0 {
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(KIND.within(Duration::from_secs(60), || 1), Some(1));
        assert_eq!(KIND.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn others_may_be_under_way_meanwhile_and_what_panics_is_not_waited_for() {
        static KIND: Aside = Aside::new();
        let (tell, told) = mpsc::channel::<()>();
        let waits = thread::spawn(move || KIND.within(Duration::from_secs(60), move || told.recv().is_ok()));
        for number in 0..2 * MOST_LEFT {
            assert_eq!(KIND.within(Duration::from_secs(60), move || number), Some(number));
        }
        assert_eq!(KIND.within(Duration::from_secs(60), || panic!("the look has panicked")), None::<()>);
        tell.send(()).unwrap();
        assert_eq!(waits.join().unwrap(), Some(true));
        assert_eq!(KIND.0.load(Ordering::Relaxed), 0);
    }
}

//! Families in every interleaving, by loom (`cargo dev loom`): a thread that sleeps for ever is a deadlock, which loom reports.

use std::task::{Wake, Waker};

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread::{self, Thread};

use super::*;

/// Wakes a thread of the model.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn waker() -> Waker {
    Waker::from(Arc::new(Unpark(thread::current())))
}

/// Families, and for each how many have it.
#[derive(Default)]
struct Model {
    families: Arc<Families>,
    inside: [AtomicU32; 2],
}

impl Model {
    /// Has these families for a moment, alone.
    fn pass(&self, numbers: &[u64], thread: u64) {
        let set: Arc<[Family]> = numbers.iter().map(|&number| (1, number)).collect();
        let who = Who::Thread(thread);
        let held = self.families.take(&set, who).unwrap_or_else(|| {
            let waker = waker();
            let mut stand = self.families.stand(&set, who, &waker).expect("nobody holds any and waits");
            loop {
                match stand.take(&waker) {
                    Some(held) => break held,
                    None => thread::park(),
                }
            }
        });
        for &number in numbers {
            assert_eq!(self.inside[number as usize].fetch_add(1, Ordering::SeqCst), 0, "two have one family");
        }
        for &number in numbers {
            self.inside[number as usize].fetch_sub(1, Ordering::SeqCst);
        }
        drop(held);
    }
}

fn explore(model: impl Fn(Arc<Model>) + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || model(Arc::default()));
}

/// Three threads want one family, the other, and both: each gets what it wants, and nobody has it at the same time.
#[test]
fn no_wake_up_is_lost() {
    explore(|model| {
        let others = [(&[0, 1][..], 2), (&[1][..], 3)].map(|(numbers, thread)| {
            let model = Arc::clone(&model);
            thread::spawn(move || model.pass(numbers, thread))
        });
        model.pass(&[0], 1);
        for other in others {
            other.join().expect("no thread of the model panics");
        }
        assert!(model.families.0.lock().wanted.is_empty(), "something stays");
    });
}

/// Who leaves the line may have been given what he waited for just then: who stands behind him gets it.
#[test]
fn who_leaves_the_line_takes_nothing_along() {
    explore(|model| {
        let set: Arc<[Family]> = [(1, 0)].into();
        let held = model.families.take(&set, Who::Thread(1)).expect("nobody has it yet");
        let leaves = Arc::clone(&model);
        let leaves = thread::spawn(move || {
            let set: Arc<[Family]> = [(1, 0)].into();
            drop(leaves.families.stand(&set, Who::Thread(2), &waker()));
        });
        let waits = Arc::clone(&model);
        let waits = thread::spawn(move || waits.pass(&[0], 3));
        drop(held);
        for thread in [leaves, waits] {
            thread.join().expect("no thread of the model panics");
        }
        assert!(model.families.0.lock().wanted.is_empty(), "something stays");
    });
}

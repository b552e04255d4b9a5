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
            let stand = self.families.stand(&set, who).expect("nobody holds any and waits");
            wait(stand)
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

fn wait(mut stand: Stand) -> Held {
    let waker = waker();
    loop {
        match stand.take(&waker) {
            Some(held) => return held,
            None => thread::park(),
        }
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
        assert!(model.families.state.lock().is_empty(), "something stays");
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
            drop(leaves.families.stand(&set, Who::Thread(2)));
        });
        let waits = Arc::clone(&model);
        let waits = thread::spawn(move || waits.pass(&[0], 3));
        drop(held);
        for thread in [leaves, waits] {
            thread.join().expect("no thread of the model panics");
        }
        assert!(model.families.state.lock().is_empty(), "something stays");
    });
}

/// A task does not come for what it was given; who stands behind it gets it all the same, whoever looks after it and when.
#[test]
fn what_a_task_leaves_is_the_next_ones() {
    explore(|model| {
        let set: Arc<[Family]> = [(1, 0)].into();
        let held = model.families.take(&set, Who::Thread(1)).expect("nobody has it yet");
        let task = model.families.stand(&set, Who::Task(crate::atomics::now())).expect("it ends");
        let waits = Arc::clone(&model);
        let waits = thread::spawn(move || waits.pass(&[0], 2));
        let watch = Arc::clone(&model);
        let watch = thread::spawn(move || watch.families.take_back_late());
        drop(held);
        // The watch looks again when something was given behind which somebody waits.
        let _ = watch.join().expect("no thread of the model panics");
        while model.families.take_back_late().is_some() {}
        waits.join().expect("no thread of the model panics");
        drop(task);
        assert!(model.families.state.lock().is_empty(), "something stays");
    });
}

/// Two objects are released by one thread, while others use both families: each is, and nobody waits for ever.
#[test]
fn what_stands_to_be_released_is_and_keeps_nobody() {
    explore(|model| {
        let sets: [Arc<[Family]>; 2] = [[(1, 0)].into(), [(1, 1)].into()];
        let stands = sets.each_ref().map(|set| model.families.stand(set, Who::Release).expect("it ends"));
        let sweeps = Arc::clone(&model);
        let sweeps = thread::spawn(move || {
            let waker = waker();
            let mut stands = stands.into_iter();
            while stands.len() > 0 {
                match sweeps.families.next_release(Some(&waker)) {
                    Some(held) => {
                        stands.next().into_iter().for_each(Stand::was_given);
                        for (_, number) in held.set().iter() {
                            let inside = &sweeps.inside[*number as usize];
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two have one family");
                            inside.fetch_sub(1, Ordering::SeqCst);
                        }
                    }
                    None => thread::park(),
                }
            }
        });
        let uses = Arc::clone(&model);
        let uses = thread::spawn(move || uses.pass(&[0, 1], 2));
        model.pass(&[1], 1);
        for thread in [sweeps, uses] {
            thread.join().expect("no thread of the model panics");
        }
        assert!(model.families.state.lock().is_empty(), "something stays");
    });
}

/// A call from a callback gets ahead of a call that waits for the same and more, and neither waits for ever.
#[test]
fn a_call_from_a_callback_gets_ahead_and_ends() {
    explore(|model| {
        let [own, other]: [Arc<[Family]>; 2] = [[(1, 0)].into(), [(1, 1)].into()];
        let around = model.families.take(&own, Who::Thread(1)).expect("nobody has it yet");
        assert!(around.seated(0));
        let others = [&[0, 1][..], &[1][..]].map(|numbers| {
            let model = Arc::clone(&model);
            thread::spawn(move || model.pass(numbers, 1 + numbers.len() as u64))
        });
        let who = Who::Inside { seat: 0, seats: 3, thread: 1 };
        let stand = model.families.stand(&other, who).expect("nobody who has it waits for this");
        drop(wait(stand));
        drop(around);
        for other in others {
            other.join().expect("no thread of the model panics");
        }
        assert!(model.families.state.lock().is_empty(), "something stays");
    });
}

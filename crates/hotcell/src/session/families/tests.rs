//! Who gets families when.

use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Wake;

use super::*;
use crate::atomics::now;

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn set(numbers: &[u64]) -> Arc<[Family]> {
    numbers.iter().map(|&number| (1, number)).collect()
}

fn inside(seat: u32) -> Who {
    Who::Inside { seat, seats: 3, thread: 100 + u64::from(seat) }
}

fn noop() -> Waker {
    Waker::noop().clone()
}

#[test]
fn a_call_has_all_of_its_families_or_none() {
    let families = Arc::new(Families::default());
    let first = families.take(&set(&[1]), Who::Thread(1)).expect("nobody has it");
    assert!(families.take(&set(&[1, 2]), Who::Thread(2)).is_none());
    let other = families.take(&set(&[2]), Who::Thread(3)).expect("he who gets none holds none");
    drop((first, other));
    let both = families.take(&set(&[1, 2]), Who::Thread(2)).expect("both are free");
    assert_eq!(both.set(), [(1, 1), (1, 2)]);
    drop(both);
    assert!(families.0.lock().wanted.is_empty());
}

#[test]
fn nobody_gets_ahead_of_who_waits_for_the_same() {
    let families = Arc::new(Families::default());
    let first = families.take(&set(&[1]), Who::Thread(1)).expect("nobody has it");
    let mut waits = families.stand(&set(&[1, 2]), Who::Thread(2), &noop()).expect("it ends");
    // The second family is free, but somebody has waited for it for longer.
    assert!(families.take(&set(&[2]), Who::Thread(3)).is_none());
    let mut behind = families.stand(&set(&[2]), Who::Thread(3), &noop()).expect("it ends");
    let other = families.take(&set(&[3]), Who::Thread(4));
    assert!(other.is_some() && behind.take(&noop()).is_none() && waits.take(&noop()).is_none());
    drop(first);
    let both = waits.take(&noop()).expect("it is his turn");
    assert!(behind.take(&noop()).is_none());
    drop(both);
    assert!(behind.take(&noop()).is_some());
}

#[test]
fn who_is_given_something_is_woken_once_and_may_leave() {
    let families = Arc::new(Families::default());
    let first = families.take(&set(&[1]), Who::Thread(1)).expect("nobody has it");
    let (count, next) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let stand =
        families.stand(&set(&[1]), Who::Thread(2), &Waker::from(Arc::clone(&count))).expect("it ends");
    let mut behind =
        families.stand(&set(&[1]), Who::Thread(3), &Waker::from(Arc::clone(&next))).expect("it ends");
    drop(first);
    assert_eq!((count.0.load(Ordering::Relaxed), next.0.load(Ordering::Relaxed)), (1, 0));
    drop(stand);
    assert_eq!((count.0.load(Ordering::Relaxed), next.0.load(Ordering::Relaxed)), (1, 1));
    assert!(behind.take(&noop()).is_some());
}

#[test]
fn a_call_from_a_callback_gets_ahead_of_who_holds_nothing() {
    let families = Arc::new(Families::default());
    let first = families.take(&set(&[1]), Who::Thread(1)).expect("nobody has it");
    first.seated(0);
    let mut waits = families.stand(&set(&[1]), Who::Thread(2), &noop()).expect("it ends");
    let mut ahead = families.stand(&set(&[1]), inside(1), &noop()).expect("it ends");
    drop(first);
    assert!(waits.take(&noop()).is_none());
    drop(ahead.take(&noop()).expect("it holds others already"));
    assert!(waits.take(&noop()).is_some());
}

#[test]
fn calls_from_callbacks_never_wait_for_each_other() {
    let families = Arc::new(Families::default());
    let [a, b] = [(1, 0), (2, 1)].map(|(family, seat)| {
        let held = families.take(&set(&[family]), Who::Thread(u64::from(seat) + 1)).expect("it is free");
        assert!(held.seated(seat));
        held
    });
    let waits = families.stand(&set(&[2]), inside(0), &noop()).expect("the other call may end");
    assert_eq!(families.stand(&set(&[1]), inside(1), &noop()).map(drop), Err(Stuck::Cycle));
    drop((a, b, waits));
    // Who has a family and waits for a seat never gets one, if all wait for him.
    let unseated = families.take(&set(&[1]), Who::Thread(7)).expect("it is free");
    let _first = families.stand(&set(&[1]), inside(0), &noop()).expect("there are other seats");
    let _second = families.stand(&set(&[1]), inside(1), &noop()).expect("there is another seat");
    assert_eq!(families.stand(&set(&[1]), inside(2), &noop()).map(drop), Err(Stuck::Cycle));
    drop(unseated);
}

#[test]
fn a_thread_does_not_wait_for_itself() {
    let families = Arc::new(Families::default());
    let held = families.take(&set(&[1]), Who::Thread(1)).expect("it is free");
    assert!(held.seated(0));
    assert_eq!(families.stand(&set(&[1, 2]), Who::Thread(1), &noop()).map(drop), Err(Stuck::Own));
}

#[cfg(feature = "tokio")]
#[test]
fn what_a_task_does_not_come_for_is_given_to_the_next() {
    let families = Arc::new(Families::default());
    let first = families.take(&set(&[1]), Who::Thread(1)).expect("nobody has it");
    let long = now() + Duration::from_secs(600);
    let mut task = families.stand(&set(&[1]), Who::Task(long), &noop()).expect("it ends");
    let mut thread = families.stand(&set(&[1]), Who::Thread(2), &noop()).expect("it ends");
    drop(first);
    // It was given to the task, which does not look.
    let held = loop {
        match thread.take(&noop()) {
            Some(held) => break held,
            None => std::thread::yield_now(),
        }
    };
    assert!(task.take(&noop()).is_none(), "it stands behind the thread now");
    drop(held);
    let held = task.take(&noop()).expect("it came");
    assert!(thread_cannot_have_it(&families) && held.seated(0));
}

#[cfg(feature = "tokio")]
fn thread_cannot_have_it(families: &Arc<Families>) -> bool {
    let mut stand = families.stand(&set(&[1]), Who::Thread(3), &noop()).expect("it ends");
    stand.take(&noop()).is_none()
}

#[cfg(feature = "tokio")]
#[test]
fn what_a_task_has_is_taken_back_when_its_time_is_over_and_its_call_is_not_under_way() {
    let families = Arc::new(Families::default());
    let over = now() - Duration::from_secs(60);
    let idle = families.take(&set(&[1]), Who::Task(over)).expect("nobody has it");
    let busy = families.take(&set(&[2]), Who::Task(over)).expect("nobody has it");
    assert!(busy.seated(0));
    let mut stand = families.stand(&set(&[1]), Who::Thread(1), &noop()).expect("it ends");
    assert!(stand.take(&noop()).is_some());
    let mut stand = families.stand(&set(&[2]), Who::Thread(1), &noop()).expect("it ends");
    assert!(stand.take(&noop()).is_none());
    assert!(!idle.seated(1), "it came too late");
}

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
    assert_eq!(both.set()[..], [(1, 1), (1, 2)]);
    drop(both);
    assert!(families.state.lock().is_empty());
}

#[test]
fn nobody_gets_ahead_of_who_waits_for_the_same() {
    let families = Arc::new(Families::default());
    let first = families.take(&set(&[1]), Who::Thread(1)).expect("nobody has it");
    let mut waits = families.stand(&set(&[1, 2]), Who::Thread(2)).expect("it ends");
    // The second family is free, but somebody has waited for it for longer.
    assert!(families.take(&set(&[2]), Who::Thread(3)).is_none());
    let mut behind = families.stand(&set(&[2]), Who::Thread(3)).expect("it ends");
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
    let [mut stand, mut behind] =
        [2, 3].map(|thread| families.stand(&set(&[1]), Who::Thread(thread)).expect("it ends"));
    assert!(stand.take(&Waker::from(Arc::clone(&count))).is_none());
    assert!(behind.take(&Waker::from(Arc::clone(&next))).is_none());
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
    let mut waits = families.stand(&set(&[1]), Who::Thread(2)).expect("it ends");
    let mut ahead = families.stand(&set(&[1]), inside(1)).expect("it ends");
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
    let waits = families.stand(&set(&[2]), inside(0)).expect("the other call may end");
    assert_eq!(families.stand(&set(&[1]), inside(1)).map(drop), Err(Stuck::Cycle));
    drop((a, b, waits));
    // Who has a family and waits for a seat never gets one, if all wait for him.
    let unseated = families.take(&set(&[1]), Who::Thread(7)).expect("it is free");
    let _first = families.stand(&set(&[1]), inside(0)).expect("there are other seats");
    let _second = families.stand(&set(&[1]), inside(1)).expect("there is another seat");
    assert_eq!(families.stand(&set(&[1]), inside(2)).map(drop), Err(Stuck::Cycle));
    drop(unseated);
}

#[test]
fn a_thread_does_not_wait_for_itself() {
    let families = Arc::new(Families::default());
    let held = families.take(&set(&[1]), Who::Thread(1)).expect("it is free");
    assert!(held.seated(0));
    assert_eq!(families.stand(&set(&[1, 2]), Who::Thread(1)).map(drop), Err(Stuck::Own));
}

#[test]
fn what_a_task_does_not_come_for_is_given_to_the_next() {
    let families = Arc::new(Families::default());
    let first = families.take(&set(&[1]), Who::Thread(1)).expect("nobody has it");
    let long = now() + Duration::from_secs(600);
    let mut task = families.stand(&set(&[1]), Who::Task(long)).expect("it ends");
    let mut thread = families.stand(&set(&[1]), Who::Thread(2)).expect("it ends");
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

fn thread_cannot_have_it(families: &Arc<Families>) -> bool {
    let mut stand = families.stand(&set(&[1]), Who::Thread(3)).expect("it ends");
    stand.take(&noop()).is_none()
}

#[test]
fn what_a_task_has_is_taken_back_when_its_time_is_over_and_its_call_is_not_under_way() {
    let families = Arc::new(Families::default());
    let over = now() - Duration::from_secs(60);
    let idle = families.take(&set(&[1]), Who::Task(over)).expect("nobody has it");
    let busy = families.take(&set(&[2]), Who::Task(over)).expect("nobody has it");
    assert!(busy.seated(0));
    let mut stand = families.stand(&set(&[1]), Who::Thread(1)).expect("it ends");
    assert!(stand.take(&noop()).is_some());
    let mut stand = families.stand(&set(&[2]), Who::Thread(1)).expect("it ends");
    assert!(stand.take(&noop()).is_none());
    assert!(!idle.seated(1), "it came too late");
}

/// However many tasks do not come: each keeps it for ten milliseconds, whether anybody looks or not.
#[test]
fn tasks_that_nobody_polls_keep_a_family_for_a_moment_each() {
    let families = Arc::new(Families::default());
    let first = families.take(&set(&[1]), Who::Thread(1)).expect("nobody has it");
    let long = now() + Duration::from_secs(600);
    let tasks = [0; 5].map(|_| families.stand(&set(&[1]), Who::Task(long)).expect("it ends"));
    let woken = Arc::new(Count::default());
    let mut thread = families.stand(&set(&[1]), Who::Thread(2)).expect("it ends");
    assert!(thread.take(&Waker::from(Arc::clone(&woken))).is_none());
    drop(first);
    // As the session's watch does.
    let mut times = 0;
    while let Some(late) = families.take_back_late() {
        assert!(late <= now() + GRACE, "the next one has no longer");
        while now() < late {
            std::thread::yield_now();
        }
        times += 1;
        assert!(times <= 5, "each was given it once");
    }
    assert_eq!((times, woken.0.load(Ordering::Relaxed)), (5, 1));
    assert!(thread.take(&noop()).is_some());
    drop(tasks);
    assert!(families.state.lock().is_empty());
}

#[test]
fn what_is_to_be_released_holds_nothing_while_it_waits() {
    let families = Arc::new(Families::default());
    let [a, b] = [1, 2].map(|it| families.take(&set(&[it]), Who::Thread(it)).expect("nobody has it"));
    let releases = [1, 2].map(|it| families.stand(&set(&[it]), Who::Release).expect("it ends"));
    let woken = Arc::new(Count::default());
    // Its thread does something else.
    assert!(families.next_release(None).is_none());
    drop((a, b));
    let a = families.take(&set(&[1]), Who::Thread(3));
    assert!(a.is_none(), "it comes behind");
    let a = families.stand(&set(&[1]), Who::Thread(3)).expect("it ends").take(&noop());
    let a = a.expect("it is given what nobody would release now");
    assert!(families.next_release(Some(&Waker::from(Arc::clone(&woken)))).is_some(), "the other is free");
    assert!(families.next_release(Some(&Waker::from(Arc::clone(&woken)))).is_none());
    let mut behind = families.stand(&set(&[1]), Who::Thread(4)).expect("it ends");
    drop(a);
    assert_eq!(woken.0.load(Ordering::Relaxed), 1, "it has kept its place");
    assert!(behind.take(&noop()).is_none());
    let held = families.next_release(None).expect("it was called for this");
    assert_eq!(held.set()[..], [(1, 1)]);
    releases.into_iter().for_each(Stand::was_given);
    drop(held);
    assert!(behind.take(&noop()).is_some());
}

#[test]
fn nobody_waits_behind_what_nobody_would_release_now() {
    let families = Arc::new(Families::default());
    let a = families.take(&set(&[1]), Who::Thread(1)).expect("nobody has it");
    let both = families.stand(&set(&[1, 2]), Who::Release).expect("it ends");
    assert!(families.next_release(Some(&noop())).is_none());
    // It is the first in the line of both.
    let mut other = families.stand(&set(&[2]), Who::Thread(2)).expect("it ends");
    assert!(other.take(&noop()).is_none());
    assert!(families.next_release(None).is_none());
    assert!(other.take(&noop()).is_some(), "its thread has something else to do");
    drop((a, both));
    assert!(!families.state.lock().is_wanted(&(1, 1)));
}

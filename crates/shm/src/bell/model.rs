//! Every interleaving of waiter and publisher, by loom: `cargo dev loom`.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use loom::sync::atomic::{AtomicU32, fence};
use loom::sync::{Arc, Condvar, Mutex};

use super::{Word, doze, park, ring, ring_or_write, wake};
use crate::eventfd::EventFd;

/// Who sleeps on which word: by its address.
type Sleepers = HashMap<usize, std::sync::Arc<Condvar>>;

loom::lazy_static! {
    /// The kernel's side of futexes: comparing and going to sleep are one step.
    static ref FUTEXES: Mutex<Sleepers> = Mutex::new(Sleepers::new());
}

impl Word for AtomicU32 {
    fn load(&self, order: Ordering) -> u32 {
        self.load(order)
    }

    fn store(&self, value: u32, order: Ordering) {
        self.store(value, order);
    }

    fn change(&self, order: Ordering) {
        self.fetch_add(1, order);
    }

    fn wait(&self, value: u32, _: Option<u64>) {
        let mut sleepers = FUTEXES.lock().expect("no thread of the model panics");
        if self.load(Ordering::SeqCst) == value {
            let own = sleepers.entry(std::ptr::from_ref(self).addr());
            let own = std::sync::Arc::clone(own.or_insert_with(|| std::sync::Arc::new(Condvar::new())));
            drop(own.wait(sleepers));
        }
    }

    fn wake(&self) {
        let sleepers = FUTEXES.lock().expect("no thread of the model panics");
        if let Some(own) = sleepers.get(&std::ptr::from_ref(self).addr()) {
            own.notify_all();
        }
    }

    fn fence() {
        fence(Ordering::SeqCst);
    }
}

/// The words two sides share.
#[derive(Default)]
struct Words {
    /// A message's commit word.
    message: AtomicU32,
    /// The waiter's park word and its bell.
    park: AtomicU32,
    bell: AtomicU32,
    /// Set by the reaper.
    dead: AtomicU32,
}

impl Words {
    fn publish(&self, turn: u32) {
        self.message.store(turn, Ordering::Release);
        ring(&self.park, &self.bell);
    }

    fn await_message(&self, turn: u32) {
        let arrived = || self.message.load(Ordering::Acquire) == turn;
        while !arrived() {
            park(&self.park, &self.bell, None, arrived);
        }
    }
}

/// A lost wake-up would leave the waiter asleep, which loom reports as a deadlock.
#[test]
fn no_wake_up_is_lost() {
    loom::model(|| {
        let words = Arc::new(Words::default());
        let other = Arc::clone(&words);
        let publisher = loom::thread::spawn(move || other.publish(1));
        words.await_message(1);
        publisher.join().expect("no thread of the model panics");
    });
}

#[test]
fn a_call_and_its_reply_lose_none_either() {
    loom::model(|| {
        let (there, back) = (Arc::new(Words::default()), Arc::new(Words::default()));
        let (calls, replies) = (Arc::clone(&there), Arc::clone(&back));
        let worker = loom::thread::spawn(move || {
            calls.await_message(1);
            replies.publish(1);
        });
        there.publish(1);
        back.await_message(1);
        worker.join().expect("no thread of the model panics");
    });
}

/// The worker asks in the middle of a call, and both sides have waited and rung before. With at most three switches
/// of a running thread: all of them would take hours.
#[test]
fn a_callback_and_its_answer_lose_none() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let (there, back) = (Arc::new(Words::default()), Arc::new(Words::default()));
        let (calls, replies) = (Arc::clone(&there), Arc::clone(&back));
        let worker = loom::thread::spawn(move || {
            calls.await_message(1);
            replies.publish(1);
            calls.await_message(2);
            replies.publish(2);
        });
        there.publish(1);
        back.await_message(1);
        there.publish(2);
        back.await_message(2);
        worker.join().expect("no thread of the model panics");
    });
}

/// The reaper wakes whoever waits, whatever the dead worker left in the words it could write.
#[test]
fn death_wakes_the_waiter() {
    loom::model(|| {
        let words = Arc::new(Words::default());
        let other = Arc::clone(&words);
        let reaper = loom::thread::spawn(move || {
            other.dead.store(1, Ordering::SeqCst);
            wake(&other.bell);
        });
        let dead = || words.dead.load(Ordering::Acquire) == 1;
        while !dead() {
            park(&words.park, &words.bell, None, dead);
        }
        reaper.join().expect("no thread of the model panics");
    });
}

/// As `no_wake_up_is_lost`, for a waiter that sleeps on an eventfd, to which something was written before.
#[test]
fn no_write_is_lost_either() {
    loom::model(|| {
        let (words, eventfd) = (Arc::new(Words::default()), EventFd::new().expect("a model has descriptors"));
        eventfd.ring();
        let (other, end) = (Arc::clone(&words), eventfd.clone());
        let publisher = loom::thread::spawn(move || {
            other.message.store(1, Ordering::Release);
            ring_or_write(&other.park, &other.bell, || end.ring());
        });
        while doze(&words.park, || words.message.load(Ordering::Acquire) == 1) {
            eventfd.hear();
        }
        publisher.join().expect("no thread of the model panics");
    });
}

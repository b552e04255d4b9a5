//! Calls that are claimed, stopped and ended, without a library.

use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use super::*;

static TOLD: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" fn note(objects: *const *mut c_void) {
    // SAFETY: the tests pass the address of a counter that lives for ever.
    unsafe { (*objects).cast::<AtomicU64>().as_ref() }.unwrap().fetch_add(1, Ordering::Relaxed);
}

unsafe extern "C" fn attend(ways: *mut UnderWay) {
    HERE.with(|here| here.set(ways));
}

thread_local!(static HERE: std::cell::Cell<*mut UnderWay> = const { std::cell::Cell::new(ptr::null_mut()) });

fn cancels() -> &'static Cancels {
    Box::leak(Box::new(Cancels::new(Some(attend), 2)))
}

/// The second of the places of lane 1, where the thread that asks is to note its calls.
fn way(cancels: &Cancels, counter: &'static AtomicU64) -> &'static UnderWay {
    cancels.attend(1);
    let second = HERE.with(std::cell::Cell::get).wrapping_add(1);
    // SAFETY: it is there for ever, as what it is part of.
    let way = unsafe { &*second };
    // SAFETY: no call is under way there.
    unsafe {
        (*way.objects.get())[0] = ptr::from_ref(counter).cast_mut().cast();
        *way.stop.get() = Some(note);
    }
    way
}

/// As an entry does it behind the call.
fn has_ended(way: &UnderWay, call_id: u64) {
    if way.call_id.compare_exchange(call_id, 0, Ordering::Release, Ordering::Acquire).is_err() {
        // SAFETY: the place is there.
        unsafe { (way.stopped)(way) };
    }
}

#[test]
fn a_call_is_stopped_while_it_is_under_way_and_not_else() {
    let cancels = cancels();
    let way = way(cancels, &TOLD);
    way.call_id.store(7, Ordering::Release);
    for (lane, call_id) in [(1, 8), (0, 7), (2, 7), (1, 0), (1, 7 | STOPPING)] {
        assert!(cancels.claim(lane, call_id).is_none(), "{lane} {call_id}");
    }
    let claim = cancels.claim(1, 7).unwrap();
    assert!(cancels.claim(1, 7).is_none(), "it is being stopped");
    claim.call();
    assert_eq!(TOLD.load(Ordering::Relaxed), 1);
    drop(claim);
    // It was told, and may go on for a while.
    assert!(cancels.claim(1, 7).is_none());
    has_ended(way, 7);
    way.call_id.store(8, Ordering::Release);
    has_ended(way, 8);
    assert!(cancels.claim(1, 8).is_none());
}

#[test]
fn a_call_ends_when_what_stops_it_has_returned() {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    static ENDED: AtomicBool = AtomicBool::new(false);
    let cancels = cancels();
    for call_id in 1..=20 {
        let way = way(cancels, &COUNTER);
        way.call_id.store(call_id, Ordering::Release);
        ENDED.store(false, Ordering::Relaxed);
        let claim = cancels.claim(1, call_id).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                has_ended(way, call_id);
                ENDED.store(true, Ordering::Relaxed);
            });
            thread::sleep(Duration::from_millis(2));
            claim.call();
            assert!(!ENDED.load(Ordering::Relaxed), "it would be met in the next call");
            drop(claim);
        });
        assert!(ENDED.load(Ordering::Relaxed) && way.call_id.load(Ordering::Relaxed) == 0);
    }
    assert_eq!(COUNTER.load(Ordering::Relaxed), 20);
}

#[test]
fn where_nothing_can_be_stopped_nothing_is_found() {
    let cancels: &'static Cancels = Box::leak(Box::new(Cancels::new(None, 64)));
    cancels.attend(0);
    assert!(cancels.lanes.is_empty() && cancels.claim(0, 1).is_none());
}

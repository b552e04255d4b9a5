//! What waits for objects beside what waits for threads of the library, tasks that nobody polls, releases, and callbacks.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use hotcell::ErrorKind;
use hotcell::rt::Handle;
use hotcell_e2e::clan::{Clan, LONG, clans, held_up};
use hotcell_e2e::process::wait_until;
use hotcell_e2e::tasks::poll;
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A thread of the library is in long use, by a call that needs no object: what is to be released there keeps nothing else.
#[test]
fn what_is_to_be_released_keeps_no_family_while_it_waits_for_a_thread() {
    let clan = &Clan::of(3);
    let [a, g] = clans(clan);
    let mut member = Some(clan.object("clan_member_new", &[&g], &[5]).unwrap());
    let done = clan.calls_back("clan_each", &a, &[1], |_| {
        // It is bound to the thread that this callback keeps.
        let pen = clan.object("clan_pen_new", &[], &[]).unwrap();
        thread::scope(|scope| {
            let stays = scope.spawn(|| clan.int("clan_stay", &[&g], &[LONG]));
            wait_until("it is not there", || clan.staying() == 1);
            drop((member.take(), pen));
            clan.call_off(1);
            stays.join().unwrap().unwrap();
            // Released, while the pen waits.
            let other = scope.spawn(|| {
                wait_until("the member stays", || clan.int("clan_count", &[], &[]).unwrap() == 2);
                clan.int("clan_use", &[&g], &[]).unwrap()
            });
            assert!(other.join().unwrap() > 0);
        });
        assert_eq!(clan.int("clan_pen_count", &[], &[]).unwrap(), 1);
        clan.int("clan_use", &[&g], &[]).unwrap();
        Ok(1)
    });
    assert_eq!(done.unwrap(), 1);
    wait_until("the pen stays", || clan.int("clan_pen_count", &[], &[]).unwrap() == 0);
    assert_eq!(clan.session.generation(), 1);
}

/// Makes a pen on each of two threads of the library.
fn pens(clan: &Clan, clans: &[Handle; 2]) -> [Handle; 2] {
    let barrier = Barrier::new(2);
    thread::scope(|scope| {
        let pens = clans.each_ref().map(|of| {
            let barrier = &barrier;
            scope.spawn(move || {
                let mut pen = None;
                let made = clan.calls_back("clan_each", of, &[1], |_| {
                    barrier.wait();
                    pen = Some(clan.object("clan_pen_new", &[], &[]).unwrap());
                    Ok(1)
                });
                made.unwrap();
                pen.unwrap()
            })
        });
        pens.map(|pen| pen.join().unwrap())
    })
}

/// Of two threads of the library one is in long use, and the other is waited for by a task that nobody polls.
#[test]
fn who_takes_any_thread_does_not_wait_for_a_task_that_does_not_come() {
    let clan = &Clan::of(2);
    let all: [Handle; 2] = clans(clan);
    let pens = pens(clan, &all);
    let runtime = runtime();
    let _in = runtime.enter();
    thread::scope(|scope| {
        let [a, b] = &all;
        let (goes_on, goes) = channel::<()>();
        let (begun, begins) = channel();
        scope.spawn(move || {
            let each = clan.calls_back("clan_each", a, &[1], |_| {
                begun.send(()).unwrap();
                let _ = goes.recv();
                Ok(1)
            });
            assert_eq!(each.unwrap(), 1);
        });
        begins.recv().unwrap();
        // The other thread calls back too, while the tasks come to wait for both.
        let mut waits = pens.each_ref().map(|pen| Box::pin(clan.awaited("clan_pen_write", &[pen], &[])));
        let each = clan.calls_back("clan_each", b, &[1], |_| {
            thread::scope(|scope| {
                scope.spawn(|| {
                    let _in = runtime.enter();
                    for waits in &mut waits {
                        assert!(matches!(poll(waits.as_mut()), Poll::Pending));
                    }
                });
            });
            Ok(1)
        });
        assert_eq!(each.unwrap(), 1);
        let others = [0, 1, 2].map(|_| {
            scope.spawn(|| {
                for _ in 0..100 {
                    clan.int("clan_count", &[], &[]).unwrap();
                }
            })
        });
        others.into_iter().for_each(|other| other.join().unwrap());
        // And is not forgotten.
        let written = waits.map(|mut waits| match poll(waits.as_mut()) {
            Poll::Ready(written) => Some(written.unwrap()),
            Poll::Pending => None,
        });
        assert!(written.iter().flatten().all(|written| *written == 1), "{written:?}");
        drop(goes_on);
    });
    assert_eq!(clan.session.generation(), 1);
}

/// Each task that nobody polls is passed by ten milliseconds after it was given its family.
#[test]
fn tasks_that_nobody_polls_hardly_delay_who_is_behind_them() {
    let clan = &Clan::of(3);
    let [a] = clans(clan);
    let runtime = runtime();
    let _in = runtime.enter();
    thread::scope(|scope| {
        let stays = scope.spawn(|| clan.int("clan_stay", &[&a], &[LONG]));
        wait_until("it is not there", || clan.staying() == 1);
        let mut waits: Vec<_> = (0..40).map(|_| Box::pin(clan.awaited("clan_use", &[&a], &[]))).collect();
        for waits in &mut waits {
            assert!(matches!(poll(waits.as_mut()), Poll::Pending));
        }
        let (hasty, of) = (clan.within(Duration::from_secs(15)), &a);
        let behind = scope.spawn(move || hasty.int("clan_use", &[of], &[]));
        // Who waits sleeps longer and longer: it is called all the same.
        let until = Instant::now() + Duration::from_millis(700);
        wait_until("time does not pass", || Instant::now() > until);
        clan.call_off(1);
        stays.join().unwrap().unwrap();
        assert_eq!(behind.join().unwrap().unwrap(), 2);
        drop(waits);
    });
    assert_eq!(clan.session.generation(), 1);
}

/// A worker that is given up goes on with the calls that it has: these take turns as ever, though another serves.
#[test]
fn calls_take_turns_in_a_worker_that_was_given_up() {
    let clan = &Clan::of(4);
    let [a, c, f] = clans(clan);
    let done = clan.calls_back("clan_each", &a, &[1], |_| {
        thread::scope(|scope| {
            let stays = scope.spawn(|| clan.int("clan_stay", &[&f], &[LONG]));
            wait_until("it is not there", || clan.staying() == 1);
            // A callback that leaves a call unfinished.
            let escapes = scope.spawn(|| {
                clan.calls_back("clan_each", &c, &[1], |_| {
                    std::mem::forget(clan.session.call(clan.index("clan_count")).unwrap());
                    Ok(1)
                })
            });
            assert_eq!(escapes.join().unwrap().unwrap_err().kind(), ErrorKind::CallbackFailed);
            scope.spawn(|| clans::<1>(clan)).join().unwrap();
            assert_eq!(clan.session.generation(), 2);
            let hasty = clan.within(Duration::from_millis(50));
            held_up(&hasty.int("clan_use", &[&f], &[]).unwrap_err(), "other calls used its objects");
            clan.call_off(1);
            assert_eq!(stays.join().unwrap().unwrap(), 1);
        });
        Ok(clan.int("clan_use", &[&f], &[]).unwrap())
    });
    assert_eq!(done.unwrap(), 2);
    // Elsewhere they are gone.
    assert_eq!(clan.int("clan_use", &[&f], &[]).unwrap_err().kind(), ErrorKind::StaleHandle);
}

/// Who waits in a callback leaves the call around it time to end.
#[test]
fn a_call_from_a_callback_waits_for_half_of_what_the_call_around_has_left() {
    let clan = &Clan::of(3);
    let [a, b] = clans(clan);
    thread::scope(|scope| {
        let stays = scope.spawn(|| clan.int("clan_stay", &[&b], &[LONG]));
        wait_until("it is not there", || clan.staying() == 1);
        let hasty = clan.within(Duration::from_secs(2));
        let each = hasty.calls_back("clan_each", &a, &[1], |_| {
            held_up(&clan.int("clan_use", &[&b], &[]).unwrap_err(), "other calls used its objects");
            Ok(7)
        });
        assert_eq!(each.unwrap(), 7);
        clan.call_off(1);
        assert_eq!(stays.join().unwrap().unwrap(), 1);
    });
    assert_eq!(clan.session.generation(), 1);
}

/// Who has what a kept callback wants may wait for that callback: so it does not wait.
#[test]
fn a_callback_that_the_library_keeps_does_not_wait_for_objects() {
    let clan = &Clan::of(3);
    let [a, b, c] = clans(clan);
    let ran = Arc::new(AtomicU32::new(0));
    let both = Arc::new(Barrier::new(2));
    let (kept, wanted, runs, waits) = (clan.clone(), b.clone(), Arc::clone(&ran), Arc::clone(&both));
    let work = move |_: &hotcell::dynamic::Value| {
        // The first runs while the other call is in the clan that it wants.
        if runs.fetch_add(1, Ordering::SeqCst) > 0 {
            return Ok(2);
        }
        waits.wait();
        held_up(&kept.int("clan_use", &[&wanted], &[]).unwrap_err(), "one that the library keeps");
        Ok(1)
    };
    clan.keep(&c, work).unwrap();
    thread::scope(|scope| {
        let first = scope.spawn(|| clan.int("clan_ring", &[&a], &[0]));
        let other = clan.calls_back("clan_each", &b, &[1], |_| {
            both.wait();
            // Waits until the first has run, in the clan.
            Ok(clan.int("clan_ring", &[&b], &[0]).unwrap())
        });
        assert_eq!((first.join().unwrap().unwrap(), other.unwrap()), (1, 2));
    });
    drop((a, b, c));
    assert_eq!((ran.load(Ordering::SeqCst), clan.session.generation()), (2, 1));
}

/// On a runtime of one thread, nothing would go on while a callback waits.
#[test]
fn a_callback_of_a_call_that_is_awaited_does_not_wait_for_objects() {
    let clan = &Clan::of(3);
    let [a, b] = clans(clan);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stays = tokio::spawn(clan.awaited("clan_stay", &[&b], &[LONG]));
        while clan.awaited("clan_staying", &[], &[]).await.unwrap() == 0 {}
        let each = clan.calls_back_awaited("clan_each", &a, &[1], |_| {
            held_up(&clan.int("clan_use", &[&b], &[]).unwrap_err(), "a call that is awaited");
            let [c] = clans(clan);
            // What nobody uses it gets, and what its call has.
            Ok(clan.int("clan_use", &[&c], &[]).unwrap() + clan.int("clan_use", &[&a], &[]).unwrap())
        });
        assert_eq!(each.await.unwrap(), 3);
        clan.awaited("clan_call_off", &[], &[1]).await.unwrap();
        assert_eq!(stays.await.unwrap().unwrap(), 1);
    });
    assert_eq!(clan.session.generation(), 1);
}

/// A thread does not wait for itself, whatever it is that it has.
#[test]
fn who_has_a_thread_of_the_library_does_not_wait_for_it() {
    let clan = &Clan::of(2);
    let pens = pens(clan, &clans(clan));
    let call = clan.session.call(clan.index("clan_count")).unwrap();
    let mine = pens.each_ref().map(|pen| clan.int("clan_pen_write", &[pen], &[]));
    let refused = mine.iter().filter_map(|written| written.as_ref().err());
    assert_eq!(refused.map(|error| held_up(error, "a call of this session under way")).count(), 1);
    drop(call);
    for pen in &pens {
        clan.int("clan_pen_write", &[pen], &[]).unwrap();
    }
    // In a callback, one that is begun and not finished has the seat.
    let [a] = clans(clan);
    let each = clan.calls_back("clan_each", &a, &[1], |_| {
        let call = clan.session.call(clan.index("clan_count")).unwrap();
        held_up(&clan.int("clan_use", &[&a], &[]).unwrap_err(), "a call of this session under way");
        drop(call);
        Ok(1)
    });
    assert_eq!((each.unwrap(), clan.session.generation()), (1, 1));
}

/// One thread uses a bound object without a pause; who takes any thread of the library gets it all the same.
#[test]
fn who_takes_any_thread_gets_one_beside_calls_that_take_only_that() {
    let clan = &Clan::of(2);
    let all: [Handle; 2] = clans(clan);
    let pens = pens(clan, &all);
    let over = &AtomicBool::new(false);
    thread::scope(|scope| {
        let (goes_on, goes) = channel::<()>();
        let (begun, begins) = channel();
        let of = &all[0];
        scope.spawn(move || {
            let each = clan.calls_back("clan_each", of, &[1], |_| {
                begun.send(()).unwrap();
                let _ = goes.recv();
                Ok(1)
            });
            assert_eq!(each.unwrap(), 1);
        });
        begins.recv().unwrap();
        // The pen whose thread is free.
        let hasty = clan.within(Duration::from_millis(100));
        let pen = pens.iter().find(|pen| hasty.int("clan_pen_write", &[pen], &[]).is_ok()).unwrap();
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    clan.int("clan_pen_write", &[pen], &[]).unwrap();
                }
            });
        }
        for _ in 0..50 {
            clan.int("clan_count", &[], &[]).unwrap();
        }
        over.store(true, Ordering::Relaxed);
        drop(goes_on);
    });
    assert_eq!(clan.session.generation(), 1);
}

/// Tasks behind a release hear of it, though another release waits all the time.
#[test]
fn tasks_go_on_when_what_they_wait_for_was_released() {
    let clan = &Clan::of(3);
    let [a, b] = clans(clan);
    let member = clan.object("clan_member_new", &[&a], &[5]).unwrap();
    thread::scope(|scope| {
        let stays = scope.spawn(|| clan.int("clan_stay", &[&a], &[LONG]));
        wait_until("it is not there", || clan.staying() == 1);
        drop(member);
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for number in 0..100 {
                drop(clan.object("clan_member_new", &[&b], &[number]).unwrap());
                clan.awaited("clan_use", &[&b], &[]).await.unwrap();
                assert!(clan.awaited("clan_count", &[], &[]).await.unwrap() <= 4);
            }
        });
        clan.call_off(1);
        assert_eq!(stays.join().unwrap().unwrap(), 1);
    });
    wait_until("something stays", || clan.int("clan_count", &[], &[]).unwrap() == 2);
    assert_eq!(clan.session.generation(), 1);
}

/// Objects of one family are released one behind the other, and between them who wants the family has it.
#[test]
fn what_is_dropped_by_the_thousand_is_released_and_keeps_nobody() {
    let clan = &Clan::of(3);
    let [a] = clans(clan);
    let members: Vec<_> =
        (0..2_000).map(|number| clan.object("clan_member_new", &[&a], &[number]).unwrap()).collect();
    thread::scope(|scope| {
        let stays = scope.spawn(|| clan.int("clan_stay", &[&a], &[LONG]));
        wait_until("it is not there", || clan.staying() == 1);
        drop(members);
        clan.call_off(1);
        assert_eq!(stays.join().unwrap().unwrap(), 1);
    });
    clan.int("clan_use", &[&a], &[]).unwrap();
    wait_until("something stays", || clan.int("clan_count", &[], &[]).unwrap() == 1);
    assert_eq!(clan.session.generation(), 1);
}

/// What one thread was lent becomes another's own while a call with it waits for something else.
#[test]
fn who_waits_with_what_becomes_somebodys_own_waits_for_that_too() {
    let clan = &Clan::of(4);
    let [b] = clans(clan);
    // It is there, and nobody has taken it out of the reply.
    let mut made = clan.session.call(clan.index("clan_new")).unwrap().finish().unwrap();
    let lent = thread::scope(|scope| scope.spawn(|| clan.object("clan_newest", &[], &[]).unwrap()).join());
    let lent = lent.unwrap();
    assert!(!lent.is_owned());
    thread::scope(|scope| {
        let stays = scope.spawn(|| clan.int("clan_stay", &[&b], &[LONG]));
        wait_until("it is not there", || clan.staying() == 1);
        let (begun, begins) = channel();
        let (of, other) = (&lent, &b);
        let waits = scope.spawn(move || {
            begun.send(()).unwrap();
            clan.int("clan_use_both", &[of, other], &[])
        });
        begins.recv().unwrap();
        let hasty = clan.within(Duration::from_millis(50));
        held_up(&hasty.int("clan_use", &[&b], &[]).unwrap_err(), "other calls used its objects");
        let own = made.handle(0, 1, true, None).unwrap();
        drop(made);
        assert!(own.is_owned() && own == lent);
        clan.call_off(1);
        assert_eq!(stays.join().unwrap().unwrap(), 1);
        assert!(waits.join().unwrap().unwrap() > 0);
    });
    assert_eq!(clan.session.generation(), 1);
}

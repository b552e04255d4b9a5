//! Objects that one thread at a time may use, and objects that are bound to a thread: the library aborts when two are inside
//! one family at once, or when a pen is used by another thread than the one that made it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use hotcell::rt::Handle;
use hotcell::{ErrorKind, Executed};
use hotcell_e2e::clan::{Clan, LONG, clans, held_up};
use hotcell_e2e::process::wait_until;
use hotcell_e2e::tasks::poll;
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs the same on so many threads; what each came to.
fn on_threads<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..count).map(|number| scope.spawn(move || work(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn families_are_inside_at_once_each_by_one_call() {
    let clan = Clan::of(4);
    let [a, b, c] = clans(&clan);
    let member = clan.object("clan_member_new", &[&c], &[5]).unwrap();
    let met = on_threads(3, |number| match number {
        0 => clan.int("clan_meet", &[&a], &[3, LONG]),
        1 => clan.int("clan_meet", &[&b], &[3, LONG]),
        _ => clan.int("clan_member_meet", &[&member], &[3, LONG]),
    });
    assert!(met.iter().all(|met| *met.as_ref().unwrap() == 0), "{met:?}");
    // What belongs to one never meets.
    let met = on_threads(2, |number| match number {
        0 => clan.int("clan_meet", &[&c], &[2, 30]),
        _ => clan.int("clan_member_meet", &[&member], &[2, 30]),
    });
    assert!(met.iter().all(|met| *met.as_ref().unwrap() == -1), "{met:?}");
    on_threads(6, |number| {
        for turn in 0..150 {
            match (number + turn) % 4 {
                0 => clan.int("clan_use", &[&c], &[]),
                1 => clan.int("clan_member_number", &[&member], &[]),
                2 => clan.int("clan_use_both", &[&a, &c], &[]),
                _ => clan.int("clan_use_both", &[&c, &b], &[]),
            }
            .unwrap();
        }
    });
    assert_eq!(clan.session.generation(), 1);
}

#[test]
fn who_waits_for_a_family_holds_no_lane_and_no_other_family() {
    let clan = Clan::of(2);
    let [a, b] = clans(&clan);
    thread::scope(|scope| {
        let stays = scope.spawn(|| clan.int("clan_stay", &[&a], &[LONG]));
        wait_until("it is not there", || clan.staying() == 1);
        let waits = [1, 2, 3].map(|_| scope.spawn(|| clan.int("clan_use_both", &[&a, &b], &[])));
        let error = clan.within(Duration::from_millis(30)).int("clan_use", &[&a], &[]).unwrap_err();
        held_up(&error, "or waited for them before it, for 30ms");
        // Of what is free somebody takes nothing while he waits, but his turn.
        let error = clan.within(Duration::from_millis(30)).batch("clan_use", &[&b, &a], &[]).unwrap_err();
        held_up(&error, "other calls used its objects");
        let [c] = clans(&clan);
        for _ in 0..20 {
            clan.int("clan_use", &[&c], &[]).unwrap();
        }
        assert!(waits.iter().all(|waits| !waits.is_finished()));
        clan.call_off(1);
        assert_eq!(stays.join().unwrap().unwrap(), 1);
        waits.into_iter().for_each(|waits| assert!(waits.join().unwrap().is_ok()));
    });
    assert_eq!(clan.session.generation(), 1);
}

#[test]
fn nobody_waits_for_ever_beside_greedy_threads() {
    let clan = Clan::of(3);
    let [a, b] = clans(&clan);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for of in [&a, &b] {
            let (clan, over) = (&clan, &over);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    clan.int("clan_use", &[of], &[]).unwrap();
                }
            });
        }
        for _ in 0..50 {
            clan.int("clan_use_both", &[&a, &b], &[]).unwrap();
        }
        over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_call_from_a_callback_has_the_families_of_the_call_around_it() {
    let clan = Clan::of(3);
    let [a, b] = clans(&clan);
    let member = clan.object("clan_member_new", &[&a], &[5]).unwrap();
    let shown = clan.calls_back("clan_show", &a, &[], |lent| {
        let hotcell::dynamic::Value::Handle(lent) = lent else { panic!("{lent:?}") };
        let own = clan.int("clan_member_number", &[lent], &[]).unwrap();
        // Others come to it when this has ended: then it is gone.
        let waits = clan.within(Duration::from_millis(20));
        let other =
            thread::scope(|scope| scope.spawn(|| waits.int("clan_member_number", &[lent], &[])).join());
        held_up(&other.unwrap().unwrap_err(), "other calls used its objects");
        Ok(own + clan.int("clan_member_number", &[&member], &[]).unwrap())
    });
    assert_eq!(shown.unwrap(), 12);
    thread::scope(|scope| {
        let stays = scope.spawn(|| clan.int("clan_stay", &[&b], &[LONG]));
        wait_until("it is not there", || clan.staying() == 1);
        // Another family is waited for, as its call does not wait for this one.
        let each = clan.calls_back("clan_each", &a, &[1], |_| {
            clan.call_off(1);
            Ok(clan.int("clan_use", &[&b], &[]).unwrap().min(1))
        });
        assert_eq!((each.unwrap(), stays.join().unwrap().unwrap()), (1, 1));
    });
    assert_eq!(clan.session.generation(), 1);
}

#[test]
fn calls_from_callbacks_that_would_wait_for_each_other_are_refused() {
    let clan = Clan::of(3);
    let families: [Handle; 2] = clans(&clan);
    let both = std::sync::Barrier::new(2);
    let refused = AtomicU32::new(0);
    let sums = on_threads(2, |number| {
        clan.calls_back("clan_each", &families[number], &[1], |_| {
            both.wait();
            match clan.int("clan_use", &[&families[1 - number]], &[]) {
                Ok(_) => Ok(1),
                Err(error) => {
                    held_up(&error, "waits for the one that called back");
                    refused.fetch_add(1, Ordering::Relaxed);
                    Ok(10)
                }
            }
        })
    });
    // One of them was refused, and then the other had its turn.
    assert_eq!(sums.into_iter().map(Result::unwrap).sum::<i128>(), 11);
    assert_eq!((refused.into_inner(), clan.session.generation()), (1, 1));
}

/// Drops what belongs to a family while a call uses that. Whether it was released before the next call with the family.
fn is_released_before_the_next_call(clan: &Clan, [a, b]: [&Handle; 2]) -> bool {
    let [member, other] = [a, b].map(|of| clan.object("clan_member_new", &[of], &[5]).unwrap());
    let there = || clan.int("clan_count", &[], &[]).unwrap();
    thread::scope(|scope| {
        let stays = scope.spawn(|| clan.int("clan_stay", &[a], &[LONG]));
        wait_until("it is not there", || clan.staying() == 1);
        drop(member);
        // What is of another family does not wait for that.
        drop(other);
        wait_until("it stays", || there() == 3);
        assert_eq!(clan.staying(), 1);
        // The thread that releases has come to rest then, as a rule: while it is busy a call looks past what waits for it.
        thread::sleep(Duration::from_millis(30));
        clan.call_off(1);
        assert_eq!(stays.join().unwrap().unwrap(), 1);
    });
    clan.int("clan_use", &[a], &[]).unwrap();
    let is_behind = there() == 2;
    wait_until("it stays", || there() == 2);
    is_behind
}

#[test]
fn what_is_dropped_is_released_when_nobody_uses_its_family() {
    let clan = Clan::of(3);
    let [a, b] = clans(&clan);
    let behind = (0..15).filter(|_| is_released_before_the_next_call(&clan, [&a, &b])).count();
    assert!(behind >= 8, "{behind} of 15");
    on_threads(4, |number| {
        let of = [&a, &b][number % 2];
        for number in 0..60 {
            drop(clan.object("clan_member_new", &[of], &[number]).unwrap());
            clan.int("clan_use", &[of], &[]).unwrap();
        }
    });
    drop((a, b));
    wait_until("something stays", || clan.int("clan_count", &[], &[]).unwrap() == 0);
    assert_eq!(clan.session.generation(), 1);
}

#[test]
fn who_waits_when_the_worker_dies_is_told_that_his_object_is_gone() {
    let clan = Clan::of(3);
    let [a, b] = clans(&clan);
    thread::scope(|scope| {
        let dies = scope.spawn(|| clan.int("clan_die", &[&a], &[LONG]));
        wait_until("it is not there", || clan.staying() == 1);
        let (begun, begins) = channel();
        let waits = [0, 1, 2].map(|_| {
            let begun = begun.clone();
            let (clan, a, b) = (&clan, &a, &b);
            scope.spawn(move || {
                begun.send(()).unwrap();
                clan.int("clan_use_both", &[b, a], &[])
            })
        });
        waits.iter().for_each(|_| begins.recv().unwrap());
        // The worker may end before this call comes back.
        if let Err(error) = clan.int("clan_call_off", &[], &[1]) {
            assert_eq!(error.kind(), ErrorKind::WorkerLost, "{error}");
        }
        assert_eq!(dies.join().unwrap().unwrap_err().kind(), ErrorKind::Crashed);
        for waits in waits {
            assert_eq!(waits.join().unwrap().unwrap_err().kind(), ErrorKind::StaleHandle);
        }
    });
    let [c] = clans(&clan);
    assert_eq!(clan.int("clan_use", &[&c], &[]).unwrap(), 1);
    assert_eq!(clan.session.generation(), 2);
}

#[test]
fn batches_have_the_families_of_all_their_entries() {
    let clan = Clan::of(3);
    let all: [Handle; 3] = clans(&clan);
    on_threads(4, |number| {
        for turn in 0..40 {
            let (one, other) = (&all[(number + turn) % 3], &all[(number + turn + 1) % 3]);
            let done = clan.batch("clan_use", &[one, other, one], &[]).unwrap();
            done.into_iter().for_each(|used| assert!(used.unwrap() > 0));
        }
    });
    let met = on_threads(2, |number| clan.batch("clan_meet", &[&all[number]], &[2, LONG as i32]));
    for met in met {
        assert_eq!(met.unwrap().pop().unwrap().unwrap(), 0);
    }
    assert_eq!(clan.session.generation(), 1);
}

#[test]
fn batches_of_tasks_have_the_families_of_all_their_entries() {
    let clan = Clan::of(3);
    let [a, b] = clans(&clan);
    runtime().block_on(async {
        let meet = [&a, &b].map(|of| tokio::spawn(clan.batch_awaited("clan_meet", &[of], &[2, LONG as i32])));
        for met in meet {
            assert_eq!(met.await.unwrap().unwrap().pop().unwrap().unwrap(), 0);
        }
        let tasks: Vec<_> = (0..6)
            .map(|number| {
                let (clan, a, b) = (clan.clone(), a.clone(), b.clone());
                tokio::spawn(async move {
                    for turn in 0..40 {
                        let [one, other] = if (number + turn) % 2 == 0 { [&a, &b] } else { [&b, &a] };
                        let done = clan.batch_awaited("clan_use", &[one, other, one], &[]).await.unwrap();
                        done.into_iter().for_each(|used| assert!(used.unwrap() > 0));
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let stays = tokio::spawn(clan.awaited("clan_stay", &[&a], &[LONG]));
        while clan.awaited("clan_staying", &[], &[]).await.unwrap() == 0 {}
        let hasty = clan.within(Duration::from_millis(30));
        held_up(
            &hasty.batch_awaited("clan_use", &[&b, &a], &[]).await.unwrap_err(),
            "other calls used its objects",
        );
        clan.awaited("clan_call_off", &[], &[1]).await.unwrap();
        assert_eq!(stays.await.unwrap().unwrap(), 1);
    });
    let pens = pens(&clan, 2);
    runtime().block_on(async {
        for _ in 0..20 {
            for pen in &pens {
                let done = clan.batch_awaited("clan_pen_write", &[pen, pen], &[]).await.unwrap();
                done.into_iter().for_each(|written| assert!(written.unwrap() > 0));
            }
        }
        let error = clan.batch_awaited("clan_pen_write", &[&pens[0], &pens[1]], &[]).await.unwrap_err();
        assert_eq!((error.kind(), error.executed()), (ErrorKind::InvalidArgument, Executed::No), "{error}");
    });
    assert_eq!(clan.session.generation(), 1);
}

#[test]
fn a_call_that_was_begun_without_its_objects_is_refused() {
    let clan = Clan::of(2);
    let [a] = clans(&clan);
    let mut call = clan.session.call(clan.index("clan_use")).unwrap();
    let error = call.put_handle(0, "of", &a, 1).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::InvalidArgument, Executed::No), "{error}");
    assert!(error.message().contains("the call was begun without it"), "{error}");
    drop(call);
    // A thread does not wait for its own call.
    let call = clan.session.call_of(clan.index("clan_use"), &[Some(&a)]).unwrap();
    held_up(&clan.int("clan_use", &[&a], &[]).unwrap_err(), "this thread has a call with its objects");
    drop(call);
    assert_eq!(clan.int("clan_use", &[&a], &[]).unwrap(), 1);
}

#[test]
fn tasks_take_turns_with_a_family_too() {
    let clan = Clan::of(3);
    let [a, b] = clans(&clan);
    runtime().block_on(async {
        let meet = [&a, &b].map(|of| tokio::spawn(clan.awaited("clan_meet", &[of], &[2, LONG])));
        for met in meet {
            assert_eq!(met.await.unwrap().unwrap(), 0);
        }
        let tasks: Vec<_> = (0..8)
            .map(|number| {
                let (clan, a, b) = (clan.clone(), a.clone(), b.clone());
                tokio::spawn(async move {
                    for turn in 0..40 {
                        match (number + turn) % 3 {
                            0 => clan.awaited("clan_use", &[&a], &[]).await,
                            1 => clan.awaited("clan_use", &[&b], &[]).await,
                            _ => clan.awaited("clan_use_both", &[&b, &a], &[]).await,
                        }
                        .unwrap();
                    }
                })
            })
            .collect();
        let beside = tokio::task::spawn_blocking({
            let (clan, a) = (clan.clone(), a.clone());
            move || (0..100).for_each(|_| assert!(clan.int("clan_use", &[&a], &[]).is_ok()))
        });
        for task in tasks {
            task.await.unwrap();
        }
        beside.await.unwrap();
        let stays = tokio::spawn(clan.awaited("clan_stay", &[&a], &[LONG]));
        while clan.awaited("clan_staying", &[], &[]).await.unwrap() == 0 {}
        let error = clan.within(Duration::from_millis(30)).awaited("clan_use", &[&a], &[]).await.unwrap_err();
        held_up(&error, "other calls used its objects");
        // One that is dropped while it waits leaves the line.
        {
            let waits = pin!(clan.awaited("clan_use_both", &[&a, &b], &[]));
            assert!(matches!(poll(waits), Poll::Pending));
        }
        clan.awaited("clan_use", &[&b], &[]).await.unwrap();
        clan.awaited("clan_call_off", &[], &[1]).await.unwrap();
        assert_eq!(stays.await.unwrap().unwrap(), 1);
    });
    assert_eq!(clan.session.generation(), 1);
}

#[test]
fn a_call_that_is_given_up_has_its_family_until_it_has_ended() {
    let clan = Clan::of(3);
    let [a] = clans(&clan);
    let runtime = runtime();
    {
        let _in = runtime.enter();
        let mut stays = pin!(clan.awaited("clan_stay", &[&a], &[LONG]));
        wait_until("it is not there", || {
            let polled = poll(stays.as_mut());
            matches!(polled, Poll::Pending) && clan.staying() == 1
        });
    }
    held_up(
        &clan.within(Duration::from_millis(30)).int("clan_use", &[&a], &[]).unwrap_err(),
        "other calls used its objects",
    );
    thread::scope(|scope| {
        let waits = scope.spawn(|| clan.int("clan_use", &[&a], &[]));
        clan.call_off(1);
        assert_eq!(waits.join().unwrap().unwrap(), 2);
    });
    assert_eq!(clan.session.generation(), 1);
}

/// Makes a pen on so many threads of the library: each thread that makes one has a lane while the others do.
fn pens(clan: &Clan, count: usize) -> Vec<Handle> {
    let all: Vec<Handle> = (0..count).map(|_| clan.object("clan_new", &[], &[]).unwrap()).collect();
    let barrier = std::sync::Barrier::new(count);
    on_threads(count, |number| {
        let mut pen = None;
        let made = clan.calls_back("clan_each", &all[number], &[1], |_| {
            barrier.wait();
            pen = Some(clan.object("clan_pen_new", &[], &[]).unwrap());
            Ok(1)
        });
        assert_eq!(made.unwrap(), 1);
        pen.unwrap()
    })
}

#[test]
fn what_is_bound_to_a_thread_is_used_there_whoever_calls() {
    let clan = Clan::of(3);
    let pens = pens(&clan, 3);
    let caps: Vec<Handle> =
        pens.iter().map(|pen| clan.object("clan_cap_new", &[pen], &[]).unwrap()).collect();
    on_threads(4, |number| {
        for turn in 0..60 {
            let at = (number + turn) % 3;
            clan.int("clan_pen_write", &[&pens[at]], &[]).unwrap();
            clan.int("clan_cap_use", &[&caps[at]], &[]).unwrap();
            let done = clan.batch("clan_pen_write", &[&pens[at], &pens[at]], &[]).unwrap();
            done.into_iter().for_each(|written| assert!(written.unwrap() > 0));
            drop(clan.object("clan_cap_new", &[&pens[at]], &[]).unwrap());
        }
    });
    let error = clan.int("clan_pens_write", &[&pens[0], &pens[1]], &[]).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::InvalidArgument, Executed::No), "{error}");
    assert!(error.message().contains("bound to different threads"), "{error}");
    let error = clan.batch("clan_pen_write", &[&pens[0], &pens[1]], &[]).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::InvalidArgument, Executed::No), "{error}");
    runtime().block_on(async {
        let tasks: Vec<_> = (0..6)
            .map(|number| {
                let (clan, pen) = (clan.clone(), pens[number % 3].clone());
                tokio::spawn(async move {
                    for _ in 0..40 {
                        clan.awaited("clan_pen_write", &[&pen], &[]).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    drop((pens, caps));
    wait_until("something stays", || clan.int("clan_pen_count", &[], &[]).unwrap() == 0);
    assert_eq!(clan.session.generation(), 1);
}

#[test]
fn who_waits_for_a_thread_gets_it_beside_calls_that_take_any() {
    let clan = Clan::of(2);
    let pens = pens(&clan, 2);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    clan.int("clan_count", &[], &[]).unwrap();
                }
            });
        }
        for turn in 0..60 {
            clan.int("clan_pen_write", &[&pens[turn % 2]], &[]).unwrap();
        }
        over.store(true, Ordering::Relaxed);
        let stays = scope.spawn(|| clan.int("clan_pen_stay", &[&pens[0]], &[LONG]));
        wait_until("it is not there", || clan.staying() == 1);
        let error =
            clan.within(Duration::from_millis(30)).int("clan_pen_write", &[&pens[0]], &[]).unwrap_err();
        held_up(&error, "for 30ms");
        clan.int("clan_pen_write", &[&pens[1]], &[]).unwrap();
        clan.call_off(1);
        assert_eq!(stays.join().unwrap().unwrap(), 1);
    });
    assert_eq!(clan.session.generation(), 1);
}

#[test]
fn with_one_caller_every_rule_holds_by_itself() {
    let clan = Clan::of(1);
    let [a, b] = clans(&clan);
    let [one, other] = [1, 2].map(|_| clan.object("clan_pen_new", &[], &[]).unwrap());
    let met = on_threads(2, |number| clan.int("clan_meet", &[[&a, &b][number]], &[2, 20]).unwrap());
    assert_eq!(met, [-1, -1]);
    on_threads(2, |_| clan.int("clan_pens_write", &[&one, &other], &[]).unwrap());
    // Nothing has to be named there.
    let mut call = clan.session.call(clan.index("clan_use")).unwrap();
    call.put_handle(0, "of", &a, 1).unwrap();
    drop(call.finish().unwrap());
    assert_eq!(clan.session.generation(), 1);
}

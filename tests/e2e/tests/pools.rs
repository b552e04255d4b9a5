//! Pools: a worker for each lease, a line with a bound, and nothing that one caller does costs another.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use hotcell::{
    Cause, Error, ErrorKind, Executed, Lease, Library, Options, Pool, PoolOptions, Pools, UnavailableReason,
};
use hotcell_e2e::objects::Objects;
use hotcell_e2e::process::{alive, wait_until};
use hotcell_faulty::Faulty;
use zlib_hotcell::Zlib;

fn pool(options: PoolOptions) -> Pool<Faulty> {
    Pool::open(options).unwrap()
}

fn of(max: u32) -> PoolOptions {
    PoolOptions { max, ..PoolOptions::default() }
}

fn pid<L: Library>(lease: &Lease<L>) -> u32 {
    lease.session().worker_pid().unwrap()
}

fn is_exhausted(error: &Error) -> bool {
    error.kind() == ErrorKind::Unavailable
        && error.executed() == Executed::No
        && error.cause() == &Cause::Unavailable { reason: UnavailableReason::PoolExhausted }
}

#[test]
fn a_package_has_a_pool() {
    let pool = Zlib::pool(of(2)).unwrap();
    let (one, other) = (pool.get().unwrap(), pool.get().unwrap());
    assert_ne!(pid(&one), pid(&other));
    assert_eq!(one.crc32(0, b"hello").unwrap(), other.crc32(0, b"hello").unwrap());
}

#[test]
fn each_lease_has_a_worker_to_itself_and_the_pool_grows_no_further_than_it_may() {
    let pool = pool(of(3));
    assert_eq!(pool.stats().sessions.len(), 1, "one is opened with the pool");
    let leases: Vec<_> = (0..3).map(|_| pool.get().unwrap()).collect();
    let pids: HashSet<u32> = leases.iter().map(pid).collect();
    assert_eq!((pids.len(), pool.stats().sessions.len()), (3, 3));
    let error = pool.get_within(Duration::from_millis(20)).unwrap_err();
    assert!(is_exhausted(&error) && error.message().contains("within 20ms"), "{error}");
    assert_eq!((error.library(), pool.stats().refused), ("faulty", 1));
    drop(leases);
    let again: HashSet<u32> = [(); 3].map(|()| pool.get().unwrap()).iter().map(pid).collect();
    assert_eq!(again, pids, "they come back");
}

#[test]
fn a_lease_waits_for_one_that_comes_back() {
    let pool = pool(of(1));
    let lease = pool.get().unwrap();
    let (theirs, (told, tells)) = (pool.clone(), channel());
    let waits = std::thread::spawn(move || {
        let lease = theirs.get().unwrap();
        told.send(lease.int("add", &[1, 2]).unwrap()).unwrap();
    });
    wait_until("it stands in line", || pool.stats().waiting == 1);
    assert!(tells.try_recv().is_err());
    drop(lease);
    assert_eq!(tells.recv().unwrap(), 3);
    waits.join().unwrap();
    assert_eq!(pool.stats().waiting, 0);
}

#[test]
fn beyond_the_bound_of_the_line_a_lease_is_refused_at_once() {
    let pool = pool(PoolOptions { queue: 2, ..of(1) });
    let lease = pool.get().unwrap();
    let got = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                drop(pool.get().unwrap());
                got.fetch_add(1, Ordering::Relaxed);
            });
        }
        wait_until("two stand in line", || pool.stats().waiting == 2);
        for _ in 0..100 {
            // Had it waited, this would be for half a minute, and a hundred times.
            let error = pool.get().unwrap_err();
            assert!(is_exhausted(&error) && error.message().contains("stand in line"), "{error}");
        }
        assert_eq!((pool.stats().waiting, got.load(Ordering::Relaxed)), (2, 0), "it costs them nothing");
        drop(lease);
    });
    assert_eq!((got.into_inner(), pool.stats().refused), (2, 100));
}

#[test]
fn a_worker_that_crashes_or_hangs_costs_nobody_else() {
    let pool = pool(PoolOptions { min: 2, ..of(2) });
    let (good, bad) = (pool.get().unwrap(), pool.get().unwrap());
    let before = pid(&good);
    assert_eq!(bad.int("abort", &[]).unwrap_err().kind(), ErrorKind::Crashed);
    assert_eq!(good.int("add", &[1, 2]).unwrap(), 3);
    std::thread::scope(|scope| {
        let hangs = bad.within(Duration::from_millis(300));
        let hangs = scope.spawn(move || hangs.int("loop", &[]).unwrap_err().kind());
        while !hangs.is_finished() {
            assert_eq!(good.int("add", &[1, 2]).unwrap(), 3);
        }
        assert_eq!(hangs.join().unwrap(), ErrorKind::Hung);
    });
    assert_eq!((pid(&good), good.session().generation()), (before, 1));
    // Who leases it next has another worker.
    drop(bad);
    let next = pool.get().unwrap();
    assert_eq!(next.int("add", &[1, 2]).unwrap(), 3);
    let faults: u64 = pool.stats().sessions.iter().flat_map(|session| &session.faults).map(|it| it.1).sum();
    assert_eq!(faults, 2);
}

#[test]
fn a_session_whose_objects_outlive_the_lease_is_nobody_elses() {
    let pool = Pool::<Objects>::open(of(2)).unwrap();
    let lease = pool.get().unwrap();
    let (store, pinned) = (lease.store(0).unwrap(), pid(&lease));
    drop(lease);
    assert_eq!(pool.stats().pinned, 1);
    let other = pool.get().unwrap();
    assert_ne!(pid(&other), pinned);
    assert!(is_exhausted(&pool.get_within(Duration::ZERO).unwrap_err()), "it counts");
    // It goes on working.
    let item = Objects { session: store.session() }.item(&store).unwrap();
    drop(store);
    assert_eq!(pool.stats().pinned, 1, "the item keeps its store");
    drop(item);
    assert_eq!(pool.stats().pinned, 0);
    let again = pool.get().unwrap();
    assert_eq!(pid(&again), pinned);
    assert_eq!(again.journal().unwrap(), "open0 item0 free0 close0", "it was released before");
}

#[test]
fn objects_that_went_with_their_worker_pin_nothing() {
    let pool = Pool::<Objects>::open(PoolOptions { idle: Duration::from_millis(40), ..of(1) }).unwrap();
    let lease = pool.get().unwrap();
    let store = lease.store(0).unwrap();
    lease.crash().unwrap_err();
    drop(lease);
    let lease = pool.get().unwrap();
    assert_eq!(lease.item(&store).unwrap_err().kind(), ErrorKind::StaleHandle);
}

#[test]
fn idle_sessions_are_closed_down_to_the_least() {
    let pool = pool(PoolOptions { idle: Duration::from_millis(50), ..of(3) });
    let leases: Vec<_> = (0..3).map(|_| pool.get().unwrap()).collect();
    let pids: Vec<u32> = leases.iter().map(pid).collect();
    drop(leases);
    wait_until("two are closed", || pids.iter().filter(|pid| alive(**pid)).count() == 1);
    assert_eq!(pool.stats().sessions.len(), 1);
    let lease = pool.get().unwrap();
    assert!(pids.contains(&pid(&lease)), "the one that is there is taken before another is opened");
    assert_eq!(pool.stats().sessions.len(), 1);
    assert_eq!(pool.get().unwrap().int("add", &[1, 2]).unwrap(), 3, "and the others come back");
}

#[test]
fn what_was_discarded_is_never_seen_again() {
    let pool = pool(of(1));
    let lease = pool.get().unwrap();
    let (before, count) = (pid(&lease), lease.int("count", &[]).unwrap());
    lease.discard();
    let lease = pool.get().unwrap();
    assert_eq!(lease.int("count", &[]).unwrap(), count);
    assert_ne!(pid(&lease), before);
    wait_until("its worker has gone", || !alive(before));
}

#[test]
fn a_pool_that_cannot_be_opened_says_so_and_one_that_could_recovers() {
    let nowhere = Options { worker: Some("/nowhere/hotcell-worker".into()), ..Options::default() };
    let error = Pool::<Faulty>::open(PoolOptions { options: nowhere, ..of(1) }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LoadFailed, "{error}");
    let folder = tempfile::tempdir().unwrap();
    let (program, away) = (folder.path().join("hotcell-worker"), folder.path().join("away"));
    std::fs::copy(hotcell_e2e::cli::program("hotcell-worker"), &program).unwrap();
    let options = Options { worker: Some(program.clone()), ..Options::default() };
    let pool = pool(PoolOptions { options, ..of(2) });
    let first = pool.get().unwrap();
    std::fs::rename(&program, &away).unwrap();
    let error = pool.get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LoadFailed, "{error}");
    std::fs::rename(&away, &program).unwrap();
    assert_ne!(pid(&pool.get().unwrap()), pid(&first), "its place went back");
}

#[test]
fn no_tenant_can_use_up_what_others_need() {
    let each = PoolOptions { min: 0, queue: 0, ..of(1) };
    let pools = Pools::<&str, Faulty>::new(each, 2);
    let (one, other) = (pools.get(&"one").unwrap(), pools.get(&"other").unwrap());
    assert_ne!(pid(&one), pid(&other));
    assert!(is_exhausted(&pools.get(&"one").unwrap_err()));
    let error = pools.get(&"third").unwrap_err();
    assert!(is_exhausted(&error) && error.message().contains("2 tenants"), "{error}");
    // One that nobody uses makes room, with its worker.
    let before = pid(&one);
    drop(one);
    assert_eq!(pools.get(&"third").unwrap().int("add", &[1, 2]).unwrap(), 3);
    wait_until("its worker has gone", || !alive(before));
    let mut tenants: Vec<&str> = pools.list().into_iter().map(|(tenant, _)| tenant).collect();
    tenants.sort_unstable();
    assert_eq!(tenants, ["other", "third"]);
}

#[test]
fn what_is_known_of_a_pool_can_be_asked() {
    let pool = pool(of(2));
    let lease = pool.get().unwrap();
    assert_eq!(lease.int("add", &[1, 2]).unwrap(), 3);
    let json = pool.stats().to_json();
    assert_eq!((&json["max"], &json["leases"], &json["waiting"]), (&2.into(), &1.into(), &0.into()));
    assert_eq!(json["sessions"][0]["pid"], pid(&lease));
    assert_eq!(json["sessions"][0]["calls"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_wait_for_leases() {
    let pool = pool(PoolOptions { queue: 8, ..of(2) });
    let tasks = (0..10).map(|number: i128| {
        let pool = pool.clone();
        tokio::spawn(async move {
            let lease = pool.get_awaited().await?;
            let sum = lease.awaited("add", &[number.into_value(), 1.into_value()]).await?;
            Ok::<_, Error>(sum.returned)
        })
    });
    for (number, task) in tasks.collect::<Vec<_>>().into_iter().enumerate() {
        let sum = task.await.unwrap().unwrap();
        assert_eq!(sum, Some((number as i128 + 1).into_value()));
    }
    // However fast the first of them was: who is to open a session takes one that is free by then.
    let leases = [pool.get_awaited().await.unwrap(), pool.get_awaited().await.unwrap()];
    assert_eq!(pool.stats().sessions.len(), 2);
    let error = pool.get_awaited_within(Duration::from_millis(20)).await.unwrap_err();
    assert!(is_exhausted(&error), "{error}");
    // A task that is dropped in line takes nothing along.
    let waits = pool.clone();
    let waits = tokio::spawn(async move { waits.get_awaited().await.map(drop) });
    while pool.stats().waiting == 0 {
        tokio::task::yield_now().await;
    }
    waits.abort();
    assert!(waits.await.unwrap_err().is_cancelled());
    assert_eq!(pool.stats().waiting, 0);
    drop(leases);
    assert!(pool.get_awaited().await.is_ok());
}

/// Integers as values of calls by name.
trait IntoValue {
    fn into_value(self) -> hotcell::dynamic::Value;
}

impl IntoValue for i128 {
    fn into_value(self) -> hotcell::dynamic::Value {
        hotcell::dynamic::Value::Int(self)
    }
}

//! What there is only so much of.

use std::thread;
use std::time::Duration;

use hotcell::{ErrorKind::*, Library, Pool, PoolOptions, Profile, Recycle, Sandbox, Wear, rt};
use hotcell_faulty::carried;

use crate::failure::Failure;
use crate::row::End::*;
use crate::row::Expected::*;
use crate::row::{Direct, Ran, Row, Stop};
use crate::session::Session;
use crate::stage::{Caller, Stage, number, object, told, wait_while};
use crate::value::{Outcome, Value};
use crate::via::Via;

pub(crate) const ROWS: &[Row] = &[
    Row::new(
        "R1",
        "a descriptor lost in each call",
        Direct::new(&["lose_descriptors"], GoesOn).says("when the program can open nothing"),
        |stage| {
            let most = Recycle { descriptors: Some(40), ..often() };
            wears(stage, most, Wear::Descriptors, |session| {
                session.call("keep_descriptors", &[Value::Int(1)])
            })
        },
        Gives(REPLACED),
    ),
    Row::new(
        "R2",
        "memory lost in each call",
        Direct::new(&["lose_memory"], GoesOn).says("when the program gets no memory"),
        |stage| {
            let most = Recycle { memory: Some(64 << 20), memory_for: Duration::ZERO, ..often() };
            wears(stage, most, Wear::Memory, |session| session.call("allocate", &[Value::Int(1)]))
        },
        Gives(REPLACED),
    ),
    Row::new(
        "R3",
        "fills the disk",
        Direct::new(&["fill_disk", "8"], GoesOn).says("returned 0"),
        |stage| stage.int("fill_disk", &[8]),
        Fails(SandboxDenied, &["openat", "/faulty-"]),
    ),
    Row::new(
        "R4",
        "many threads that burn time",
        Direct::new(&["burn", "16"], Hangs),
        |stage| stage.int_within(300, "burn", &[16]),
        Fails(Hung, &["300ms"]),
    ),
    Row::new(
        "R5",
        "objects that the caller never frees",
        Direct::new(&["leak_handles"], GoesOn).says("with 100000 objects that nobody frees"),
        keep_objects,
        Fails(LimitExceeded, &["the worker holds 1000 objects already"]),
    ),
    Row::new(
        "R6",
        "many big calls at a time, and one that is too big",
        Direct::NOTHING,
        big_calls,
        Fails(LimitExceeded, &["67108864"]),
    ),
    Row::new(
        "R7",
        "all workers of a pool hang",
        Direct::new(&["loop"], Hangs),
        all_hang,
        Fails(Unavailable, &["executed: no"]),
    )
    .without(&[(Via::Python, "the client has no pools")]),
    Row::new(
        "R8",
        "fills the disk, where it may have temporary files",
        Direct::new(&["fill_disk", "8"], GoesOn).says("returned 0"),
        |stage| {
            stage.open(|options| {
                options.sandbox = Some(Sandbox::of(Profile::Files));
                options.limits.temporary = Some(8 << 20);
            })?;
            stage.int("fill_disk", &[1024])
        },
        Fails(LimitExceeded, &["more than the 8388608 bytes", "they were removed"]),
    ),
];

/// What becomes of a library that loses something in each call.
pub(super) const REPLACED: &str = "three workers in turn were replaced, and no call failed";

/// More objects than there may be; when they are dropped there may be others.
fn keep_objects(stage: &mut Stage<'_>) -> Ran {
    stage.open(|options| options.max_objects = 1_000)?;
    let mut kept = Vec::new();
    let refused = loop {
        match stage.call("open", &[Value::Int(0)]) {
            Ok(outcome) if kept.len() < 2_000 => kept.push(outcome),
            other => break other,
        }
    };
    let (held, most) = (stage.session()?.stats().number("objects"), kept.len());
    drop(kept);
    let again = stage.call("open", &[Value::Int(0)])?;
    object(&again)?;
    // What objects there are a client in another process knows, and no supervisor.
    let counted = held == 1_000 || held == 0 && matches!(stage.caller(), Caller::There(_));
    match (held, most) {
        (_, 1_000) if counted => Ok(told(&refused?)),
        counts => Err(Stop::Wrong(format!("{counts:?} objects, and then {refused:?}"))),
    }
}

fn big_calls(stage: &mut Stage<'_>) -> Ran {
    let session = stage.open(|options| options.max_input = 64 << 20)?;
    let big = |mebibytes: usize| [Value::Text("x".repeat(mebibytes << 20)), Value::Int(0)];
    let ended: Vec<_> = thread::scope(|scope| {
        let calls = || (0..8).map(|_| session.call("print", &big(16))).collect::<Result<Vec<_>, _>>();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(calls)).collect();
        threads.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    for one in ended {
        let outcomes = one.map_err(|_| Stop::Wrong("a thread of the lab panicked".into()))??;
        if outcomes.iter().any(|outcome| number(outcome) != Some(0)) {
            return Err(Stop::Wrong("a big call was wrong".into()));
        }
    }
    Ok(told(&stage.call("print", &big(65))?))
}

/// A look at every moment, and no limit that the library could come to by the way.
pub(super) fn often() -> Recycle {
    let every = Duration::from_millis(10);
    Recycle { every, memory: None, descriptors: None, threads: None, ..Recycle::default() }
}

/// Has something done that returns 1, again and again, until three workers were replaced for it.
pub(super) fn wears(
    stage: &mut Stage<'_>,
    most: Recycle,
    by: Wear,
    lose: fn(&Session) -> Result<Outcome, Failure>,
) -> Ran {
    const MOST_CALLS: u64 = 1_000_000;
    let session = stage.open(|options| options.recycle = Some(most))?;
    let (mut calls, mut seen) = (0, 0);
    while seen < 3 {
        let lost = lose(&session)?;
        calls += 1;
        if number(&lost) != Some(1) || calls > MOST_CALLS {
            return Err(Stop::Wrong(format!("call {calls} lost {}", told(&lost))));
        }
        let stats = session.stats();
        if stats.number("recycled") > seen {
            seen = stats.number("recycled");
            // The one before ends when nothing is under way there.
            wait_while(|| session.stats().number("workers_ended") < seen, "no worker has ended")?;
            let stats = session.stats();
            if stats.last_end() != ("worn", by.name()) || !stats.faults().is_empty() {
                return Err(Stop::Wrong(format!("{:?}, {:?}", stats.last_end(), stats.faults())));
            }
        }
    }
    Ok(REPLACED.to_owned())
}

/// The library in a pool.
#[derive(Debug)]
struct Pooled(hotcell::Session);

impl Library for Pooled {
    fn package() -> &'static rt::Package {
        carried().package
    }

    fn open_with(options: hotcell::Options) -> hotcell::Result<Pooled> {
        hotcell::Session::open(carried().package, options).map(Pooled)
    }

    fn session(&self) -> &hotcell::Session {
        &self.0
    }
}

/// Two callers hang in the two workers of a pool; a third is told at once that there is none for him.
fn all_hang(stage: &mut Stage<'_>) -> Ran {
    if let Caller::There(there) = stage.caller() {
        return there.all_hang(&stage.options());
    }
    let options = PoolOptions { min: 2, max: 2, options: stage.options(), ..PoolOptions::default() };
    let pool: Pool<Pooled> = Pool::open(options)?;
    let hang = || {
        let lease = pool.get().map_err(Failure::from)?;
        Session::Here(lease.session().within(Duration::from_secs(2))).call("loop", &[])
    };
    thread::scope(|scope| {
        let hanging = [scope.spawn(hang), scope.spawn(hang)];
        let called = || pool.stats().sessions.iter().filter(|session| session.calls == 1).count();
        wait_while(|| called() < 2, "the workers of the pool are not called")?;
        let refused = pool.get_within(Duration::ZERO).map(drop);
        for one in hanging {
            match one.join() {
                Ok(Err(error)) if error.is(Hung) => {}
                other => return Err(Stop::Wrong(format!("a worker that was to hang: {other:?}"))),
            }
        }
        let next =
            Session::Here(pool.get()?.session().clone()).call("add", &[Value::Int(2), Value::Int(3)])?;
        if number(&next) != Some(5) {
            return Err(Stop::Wrong("the pool's next call was wrong".into()));
        }
        refused.map(|()| "leased".to_owned()).map_err(Stop::from)
    })
}

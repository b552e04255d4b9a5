//! Workers that come up, and workers that have nothing to do.

use std::time::{Duration, Instant};

use hotcell::Options;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use super::{PATIENCE, Subject};
use crate::plan::{Bench, Samples, Stop};
use crate::process::{pss_without, ticks};

/// Milliseconds from nothing to the first reply.
pub(crate) fn cold_start(bench: &mut Bench) -> Samples {
    let started = Instant::now();
    let subject = Subject::open(bench)?;
    subject.library().add(1, 2)?;
    Ok(vec![started.elapsed().as_secs_f64() * 1e3])
}

/// Milliseconds of the call behind a worker's end, when another is kept ready.
pub(crate) fn warm_spare(bench: &mut Bench) -> Samples {
    let subject = Subject::open_with(bench, Options { spares: 1, ..Options::default() })?;
    subject.warm_up()?;
    // The spare has come up, as it has in any service.
    std::thread::sleep(Duration::from_millis(50));
    let worker = Pid::from_raw(subject.worker.cast_signed()).ok_or(Errno::SRCH);
    let ended = worker.and_then(|worker| kill_process(worker, Signal::KILL));
    ended.map_err(Stop::refused("ending the worker"))?;
    let (session, started) = (subject.library().session(), Instant::now());
    let before = session.generation();
    while started.elapsed() < PATIENCE {
        // A call that meets the end is an error, unless that is known already when it is made.
        let called = Instant::now();
        let called = subject.library().add(1, 2).is_ok().then(|| called.elapsed());
        if let Some(time) = called.filter(|_| session.generation() != before) {
            return Ok(vec![time.as_secs_f64() * 1e3]);
        }
    }
    Err(Stop::LeftOut("the worker did not end".into()))
}

/// KiB of an idle worker beyond its library, its channel included.
pub(crate) fn memory(bench: &mut Bench) -> Samples {
    let subject = Subject::open(bench)?;
    subject.warm_up()?;
    let bytes = pss_without(subject.worker, &bench.library).map_err(Stop::refused("memory of the worker"))?;
    Ok(vec![bytes as f64 / 1024.0])
}

/// Clock ticks that this process, its worker and the peer of the raw limits have in ten seconds without a call.
pub(crate) fn cpu(bench: &mut Bench) -> Samples {
    const TIME: Duration = Duration::from_secs(10);
    bench.not_quick()?;
    let subject = Subject::open(bench)?;
    subject.warm_up()?;
    // Who polls for a while first has gone to sleep.
    std::thread::sleep(Duration::from_secs(1));
    let sum = || -> std::io::Result<f64> {
        [std::process::id(), subject.worker, bench.peer.pid()].into_iter().map(ticks).sum()
    };
    let counted = Stop::refused("processor time");
    let before = sum().map_err(&counted)?;
    std::thread::sleep(TIME);
    let after = sum().map_err(&counted)?;
    Ok(vec![after - before])
}

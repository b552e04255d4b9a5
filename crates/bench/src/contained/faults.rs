//! Faults: how soon a caller hears of one, and what the call behind it costs.

use std::time::{Duration, Instant};

use hotcell::{Breaker, ErrorKind, Options, Restart};

use super::{PATIENCE, Subject};
use crate::plan::{Bench, Samples, Stop};

/// Milliseconds of a call in which the library crashes, and of the next one where another worker is kept ready.
pub(crate) fn crash(bench: &mut Bench) -> Samples {
    let subject = Subject::open_with(bench, Options { spares: 1, ..Options::default() })?;
    subject.warm_up()?;
    // The spare has come up, as it has in any service.
    std::thread::sleep(Duration::from_millis(50));
    let (library, called) = (subject.library(), Instant::now());
    expect(ErrorKind::Crashed, library.crash())?;
    let (crashed, called) = (called.elapsed(), Instant::now());
    library.add(1, 2)?;
    Ok(vec![milliseconds(crashed), milliseconds(called.elapsed())])
}

/// Milliseconds from the deadline of a call that hangs until its error.
pub(crate) fn hang(bench: &mut Bench) -> Samples {
    const DEADLINE: Duration = Duration::from_millis(20);
    let subject = Subject::open(bench)?;
    subject.warm_up()?;
    let (library, called) = (subject.library().within(DEADLINE), Instant::now());
    expect(ErrorKind::Hung, library.measured_loop())?;
    Ok(vec![milliseconds(called.elapsed().saturating_sub(DEADLINE))])
}

/// Microseconds of a call that is refused, as the library has ended too many workers.
pub(crate) fn refused(bench: &mut Bench) -> Samples {
    const CALLS: u32 = 1000;
    let restart = Restart { faults: 1, pause: PATIENCE, ..Restart::default() };
    let subject = Subject::open_with(bench, Options { restart, ..Options::default() })?;
    let library = subject.library();
    expect(ErrorKind::Crashed, library.crash())?;
    expect(ErrorKind::Unavailable, library.add(1, 2))?;
    let called = Instant::now();
    for _ in 0..CALLS {
        expect(ErrorKind::Unavailable, library.add(1, 2))?;
    }
    let time = called.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS);
    match library.session().breaker() {
        Breaker::Open(_) => Ok(vec![time]),
        _ => Err(Stop::LeftOut("the calls took longer than the breaker is open".into())),
    }
}

fn expect<T>(kind: ErrorKind, outcome: hotcell::Result<T>) -> Result<(), Stop> {
    match outcome {
        Err(error) if error.kind() == kind => Ok(()),
        Err(error) => Err(Stop::Failed(error)),
        Ok(_) => Err(Stop::LeftOut(format!("a call came back that is to end as {kind:?}"))),
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

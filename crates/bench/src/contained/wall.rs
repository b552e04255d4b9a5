//! What the wall costs: a worker's start, and the system calls of a library, each beside the same without a wall.

use std::cell::Cell;
use std::time::Instant;

use hotcell::{Options, Profile, Sandbox, Waiting};

use seccompiler::sock_filter;

use super::{Subject, each_on};
use crate::plan::{Bench, Samples, Stop};
use crate::sys::direct as library;

/// How often each is tried: what comes between is worse luck for one of them only.
const TURNS: usize = 7;

/// System calls of a function.
const CALLS: i32 = 2000;

const NONE: Profile = Profile::Basic;
const WALLED: Profile = Profile::Compute;

/// Milliseconds from nothing to the first reply without a wall, and how many more it takes with one.
pub(crate) fn start(bench: &mut Bench) -> Samples {
    let [none, walled] = both(|profile| {
        let started = Instant::now();
        let subject = open(bench, profile)?;
        subject.library().add(1, 2)?;
        Ok(started.elapsed().as_secs_f64() * 1e3)
    })?;
    Ok(vec![none, walled - none])
}

/// Nanoseconds of a block of 4 KiB that is written to a pipe and read there, without a wall and with one.
pub(crate) fn pass(bench: &mut Bench) -> Samples {
    system_calls(bench, 4096)
}

/// The same in a thread of this program, without a filter, and with one that looks at nothing and allows everything: no filter costs less.
pub(crate) fn floor(bench: &mut Bench) -> Samples {
    /// `BPF_RET | BPF_K`, `SECCOMP_RET_ALLOW`.
    const ALLOW: sock_filter = sock_filter { code: 0x06, jt: 0, jf: 0, k: 0x7fff_0000 };
    let blocks = bench.fewer(10);
    let least = move || {
        let mut least = f64::INFINITY;
        for _ in 0..blocks * TURNS as u32 {
            let started = Instant::now();
            if library::pass(CALLS, 4096) != CALLS {
                return Err("of its system calls the library made fewer".to_owned());
            }
            least = least.min(started.elapsed().as_nanos() as f64 / f64::from(CALLS));
        }
        Ok(least)
    };
    // A filter is the thread's that puts it on, and goes with it.
    let both = std::thread::spawn(move || {
        let without = least()?;
        seccompiler::apply_filter(&[ALLOW]).map_err(|error| error.to_string())?;
        Ok::<_, String>(vec![without, least()?])
    });
    both.join().expect("it does not panic").map_err(Stop::refused("a thread with a filter"))
}

/// The same of a system call that does next to nothing.
pub(crate) fn ask(bench: &mut Bench) -> Samples {
    system_calls(bench, 0)
}

/// The same of one whose arguments both filters look at.
pub(crate) fn compare(bench: &mut Bench) -> Samples {
    system_calls(bench, -1)
}

fn system_calls(bench: &mut Bench, bytes: i32) -> Samples {
    let times = both(|profile| {
        let subject = open(bench, profile)?;
        let short = Cell::new(None);
        let samples = each_on(bench, &subject, 10, 1, |library, _| {
            let made = library.pass(CALLS, bytes)?;
            short.set(Some(made).filter(|&made| made != CALLS).or(short.get()));
            Ok(())
        })?;
        if let Some(made) = short.get() {
            return Err(Stop::LeftOut(format!("of {CALLS} system calls the library made {made}")));
        }
        Ok(samples.into_iter().fold(f64::INFINITY, f64::min) / f64::from(CALLS))
    })?;
    Ok(times.to_vec())
}

/// The least of some turns, without a wall and with one.
fn both(mut measure: impl FnMut(Profile) -> Result<f64, Stop>) -> Result<[f64; 2], Stop> {
    let mut least = [f64::INFINITY; 2];
    for _ in 0..TURNS {
        for (least, profile) in least.iter_mut().zip([NONE, WALLED]) {
            *least = least.min(measure(profile)?);
        }
    }
    Ok(least)
}

fn open(bench: &Bench, profile: Profile) -> Result<Subject, Stop> {
    let sandbox = Some(Sandbox::of(profile));
    Subject::open_with(bench, Options { sandbox, waiting: Waiting::Latency, ..Options::default() })
}

//! How long a sleeping thread takes to run after it was woken from another CPU, measured once in a process.
//!
//! Polling for less than that does not settle: once one side sleeps, its answers come later than the other polls, and
//! both go on sleeping.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, available_parallelism};
use std::time::Duration;

use rustix::thread::{CpuSet, futex, sched_getaffinity, sched_setaffinity};

use crate::clock;

/// Wake-ups measured; an odd number, for their median.
const SAMPLES: u32 = 5;

/// How long the sleeper is left alone first, in nanoseconds: its CPU is to become idle.
const SETTLE: u64 = 50_000;

/// How long all of it may take. On a machine that is too busy for that the figure would say nothing.
const LONGEST: Duration = Duration::from_millis(50);

/// What is assumed where it cannot be measured now, in nanoseconds.
const ASSUMED: u64 = 40_000;

/// Nanoseconds from waking a thread that sleeps on another CPU until it runs; `None` where there is no other CPU. What cannot be
/// measured now is assumed, and measured the next time.
pub fn wake_latency() -> Option<u64> {
    /// 0 until it is known. No lock: who forks while another thread measures must not wait for that thread.
    static MEASURED: AtomicU64 = AtomicU64::new(0);
    if online() < 2 {
        return None;
    }
    let known = MEASURED.load(Ordering::Relaxed);
    if known != 0 {
        return Some(known);
    }
    let measured = measure();
    if let Some(measured) = measured {
        MEASURED.store(measured, Ordering::Relaxed);
    }
    Some(measured.unwrap_or(ASSUMED))
}

/// How many CPUs are online.
fn online() -> usize {
    // SAFETY: the function takes a number and touches no memory of ours.
    let online = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    usize::try_from(online).unwrap_or(1)
}

/// How many CPUs this process may keep busy: those where this thread may run, or fewer under a quota of a control group. That a
/// thread is bound to one of them says nothing of its workers: then it is those where any may run.
pub fn usable_cpus() -> Option<usize> {
    // Counts the CPUs of the thread that asks.
    let here = || available_parallelism().ok().map(usize::from);
    if sched_getaffinity(None).ok()?.count() > 1 {
        return here();
    }
    let free = Builder::new().name("hotcell-cpus".into()).spawn(move || {
        run_anywhere();
        here()
    });
    free.ok()?.join().ok()?
}

/// What both threads see: each word has one writer.
#[derive(Debug, Default)]
struct Words {
    /// Waker: which sleep is over.
    bell: AtomicU32,
    /// Sleeper: which sleep begins.
    asleep: AtomicU32,
    /// Sleeper: when it ran again; the waker takes it back to 0 before it wakes.
    ran: AtomicU64,
    /// Who waits for the figure: it has waited long enough.
    over: AtomicBool,
}

/// `None` when there is no figure in time.
fn measure() -> Option<u64> {
    let words = Arc::new(Words::default());
    let (sender, figure) = channel();
    // Threads of their own, for where the application's run is the application's affair; and nobody joins them, for one may
    // find its CPU taken for good.
    let of_waker = Arc::clone(&words);
    let waker = Builder::new().name("hotcell-waker".into()).spawn(move || wake(&of_waker, &sender));
    let figure = waker.ok().and_then(|_| figure.recv_timeout(LONGEST).ok());
    words.over.store(true, Ordering::Relaxed);
    figure
}

/// Lets this thread run wherever the system lets any thread of this process: it may have inherited that it is bound.
fn run_anywhere() {
    let mut all = CpuSet::new();
    (0..CpuSet::MAX_CPU).for_each(|cpu| all.set(cpu));
    let _ = sched_setaffinity(None, &all);
}

/// Two CPUs that threads of this process may be bound to.
fn two_cpus() -> Option<(usize, usize)> {
    run_anywhere();
    let allowed = sched_getaffinity(None).ok()?;
    let mut cpus = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu));
    Some((cpus.next()?, cpus.next()?))
}

fn bind(cpu: usize) -> Option<()> {
    let mut only = CpuSet::new();
    only.set(cpu);
    sched_setaffinity(None, &only).ok()
}

fn wake(words: &Arc<Words>, figure: &Sender<u64>) -> Option<()> {
    let (here, there) = two_cpus()?;
    let of_sleeper = Arc::clone(words);
    Builder::new().name("hotcell-sleeper".into()).spawn(move || sleep(there, &of_sleeper)).ok()?;
    bind(here)?;
    let mut samples = Vec::new();
    for turn in 1..=SAMPLES {
        words.until(|| words.asleep.load(Ordering::Acquire) == turn)?;
        let settled = clock::now() + SETTLE;
        words.until(|| clock::now() >= settled)?;
        words.ran.store(0, Ordering::Relaxed);
        let rung = clock::now();
        words.bell.store(turn, Ordering::Release);
        let _ = futex::wake(&words.bell, futex::Flags::PRIVATE, 1);
        words.until(|| words.ran.load(Ordering::Acquire) != 0)?;
        samples.push(words.ran.load(Ordering::Acquire).saturating_sub(rung));
    }
    samples.sort_unstable();
    figure.send(samples[samples.len() / 2].max(1)).ok()
}

fn sleep(cpu: usize, words: &Words) -> Option<()> {
    bind(cpu)?;
    for turn in 0..SAMPLES {
        words.asleep.store(turn + 1, Ordering::Release);
        while words.bell.load(Ordering::Acquire) == turn {
            let timeout = clock::timespec(LONGEST.as_nanos() as u64);
            let _ = futex::wait(&words.bell, futex::Flags::PRIVATE, turn, Some(&timeout));
            if words.over.load(Ordering::Relaxed) {
                return None;
            }
        }
        words.ran.store(clock::now(), Ordering::Release);
    }
    Some(())
}

impl Words {
    /// Polls until it is so, or nobody waits for it any more.
    fn until(&self, is_so: impl Fn() -> bool) -> Option<()> {
        while !is_so() {
            if self.over.load(Ordering::Relaxed) {
                return None;
            }
            std::hint::spin_loop();
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use rustix::thread::sched_getcpu;

    use super::*;

    #[test]
    fn a_wake_up_takes_time_where_there_is_another_cpu() {
        assert_eq!(wake_latency().is_some_and(|latency| latency > 0), online() > 1);
    }

    #[test]
    fn a_thread_that_is_bound_may_use_as_many_cpus_as_any() {
        let cpus = usable_cpus().unwrap();
        assert!((1..=online()).contains(&cpus));
        std::thread::spawn(move || {
            bind(sched_getcpu()).unwrap();
            assert_eq!(usable_cpus(), Some(cpus));
        })
        .join()
        .unwrap();
    }

    #[test]
    fn a_machine_that_is_too_busy_gives_no_figure() {
        let words = Arc::new(Words::default());
        words.over.store(true, Ordering::Relaxed);
        let (sender, figure) = channel();
        // It ends, though nobody is woken.
        assert_eq!(wake(&words, &sender), None);
        assert!(figure.try_recv().is_err());
    }
}

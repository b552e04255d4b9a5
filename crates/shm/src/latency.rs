//! How long a sleeping thread takes to run after it was woken from another CPU, measured once in a process.
//!
//! Polling for less than that does not settle: once one side sleeps, its answers come later than the other polls, and
//! both go on sleeping.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::thread::{CpuSet, futex, sched_getaffinity, sched_setaffinity};

use crate::clock;

/// Wake-ups measured; an odd number, for their median.
const SAMPLES: u32 = 5;

/// How long the sleeper is left alone first, in nanoseconds: its CPU is to become idle.
const SETTLE: u64 = 50_000;

/// No wake-up is waited for longer than this, in nanoseconds.
const LONGEST: u64 = 10_000_000;

/// Nanoseconds from waking a thread that sleeps on another CPU until it runs; `None` where there is one CPU only.
pub fn wake_latency() -> Option<u64> {
    static MEASURED: OnceLock<Option<u64>> = OnceLock::new();
    *MEASURED.get_or_init(measure)
}

/// What both threads write: each word has one writer.
#[derive(Default)]
struct Words {
    /// Waker: which sleep is over.
    bell: AtomicU32,
    /// Sleeper: which sleep begins.
    asleep: AtomicU32,
    /// Sleeper: when it ran again; 0 not yet.
    ran: AtomicU64,
}

fn measure() -> Option<u64> {
    let allowed = sched_getaffinity(None).ok()?;
    let mut cpus = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu));
    let (here, there) = (cpus.next()?, cpus.next()?);
    let words = Words::default();
    // Threads of their own: where the application's run is the application's affair.
    std::thread::scope(|scope| {
        let thread = |name: &str| std::thread::Builder::new().name(name.into());
        let sleeper = thread("hotcell-sleeper").spawn_scoped(scope, || sleep(there, &words)).ok()?;
        let waker = thread("hotcell-waker").spawn_scoped(scope, || wake(here, &words));
        let Ok(waker) = waker else {
            words.bell.store(u32::MAX, Ordering::Release);
            return None;
        };
        let median = waker.join().ok()?;
        sleeper.join().ok()?;
        Some(median)
    })
}

fn bind(cpu: usize) {
    let mut only = CpuSet::new();
    only.set(cpu);
    // Where this is refused the figure is that of wherever the threads are.
    let _ = sched_setaffinity(None, &only);
}

fn sleep(cpu: usize, words: &Words) {
    bind(cpu);
    for turn in 0..SAMPLES {
        words.asleep.store(turn + 1, Ordering::Release);
        loop {
            let bell = words.bell.load(Ordering::Acquire);
            if bell > turn {
                break;
            }
            let timeout = clock::timespec(LONGEST);
            let _ = futex::wait(&words.bell, futex::Flags::PRIVATE, bell, Some(&timeout));
        }
        words.ran.store(clock::now(), Ordering::Release);
        if words.bell.load(Ordering::Acquire) == u32::MAX {
            return;
        }
    }
}

fn wake(cpu: usize, words: &Words) -> u64 {
    bind(cpu);
    let mut samples = Vec::new();
    for turn in 1..=SAMPLES {
        await_that(|| words.asleep.load(Ordering::Acquire) == turn);
        let settled = clock::now() + SETTLE;
        await_that(|| clock::now() >= settled);
        words.ran.store(0, Ordering::Relaxed);
        let rung = clock::now();
        words.bell.store(turn, Ordering::Release);
        let _ = futex::wake(&words.bell, futex::Flags::PRIVATE, 1);
        await_that(|| words.ran.load(Ordering::Acquire) != 0);
        samples.push(words.ran.load(Ordering::Acquire).saturating_sub(rung));
    }
    samples.sort_unstable();
    samples[samples.len() / 2]
}

/// Polls until it is so; gives way from time to time, for the other thread may have no other CPU.
fn await_that(is_so: impl Fn() -> bool) {
    let mut polls = 0u32;
    while !is_so() {
        std::hint::spin_loop();
        polls += 1;
        if polls.is_multiple_of(1 << 10) {
            std::thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_up_takes_time_where_there_are_two_cpus() {
        let cpus = sched_getaffinity(None).unwrap().count();
        match wake_latency() {
            Some(latency) => assert!(cpus > 1 && latency > 0),
            None => assert_eq!(cpus, 1),
        }
        assert_eq!(wake_latency(), wake_latency());
    }
}

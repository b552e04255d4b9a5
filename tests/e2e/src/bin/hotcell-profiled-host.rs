//! A host that is profiled, as its worker is: both are interrupted all the time while the library calls back at 1 kHz.
//! Prints what became of the callbacks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hotcell::{Options, Waiting};
use hotcell_e2e::pulse::Pulse;

/// How often each process is interrupted at most, in microseconds, whether it works or waits.
const EVERY: i32 = 1_000;

/// Callbacks of each session, and their period in microseconds: ten seconds.
const BEATS: (i32, i32) = (10_000, 1_000);

/// Signals that a machine as busy as it may be still delivers in that time.
const ENOUGH: i128 = 500;

static SIGNALS: AtomicU64 = AtomicU64::new(0);

extern "C" fn count(_: libc::c_int) {
    SIGNALS.fetch_add(1, Ordering::Relaxed);
}

fn main() {
    // Binding runs a compiler, which is nobody's to interrupt.
    let pulses = [Waiting::Latency, Waiting::Balanced, Waiting::Economy].map(|waiting| {
        let options = Options { waiting, deadline: Duration::from_secs(600), ..Options::default() };
        (waiting, Pulse::open(options).unwrap_or_else(|error| panic!("{error}")))
    });
    profile();
    std::thread::scope(|scope| {
        for (waiting, pulse) in &pulses {
            scope.spawn(move || println!("{waiting:?}: {}", beat(pulse)));
        }
    });
    println!("host: {}", interrupted(SIGNALS.load(Ordering::Relaxed).into()));
}

/// Whether the callbacks were all there, each once and in order.
fn beat(pulse: &Pulse) -> String {
    let (count, period) = BEATS;
    let mut seen = Vec::with_capacity(count as usize);
    let all = pulse.profile(EVERY).and_then(|()| {
        pulse.beat(count, period, |number| {
            seen.push(number);
            3 * number
        })
    });
    let right = seen.iter().copied().eq(1..=i128::from(count));
    let signals = pulse.signals().map_or_else(|error| error.to_string(), interrupted);
    match all {
        Ok(wrong) => format!("{} callbacks, in order {right}, wrong answers {wrong}, {signals}", seen.len()),
        Err(error) => format!("{} callbacks, then {error}", seen.len()),
    }
}

fn interrupted(signals: i128) -> String {
    if signals >= ENOUGH { "interrupted".into() } else { format!("interrupted {signals} times only") }
}

/// Has this process interrupted as well; system calls that wait are not started again.
fn profile() {
    // SAFETY: all zeros are a valid `sigaction`: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = count as extern "C" fn(libc::c_int) as libc::sighandler_t;
    // SAFETY: the handler does nothing but add to an atomic; nobody else in this program handles the signal.
    assert_eq!(unsafe { libc::sigaction(libc::SIGPROF, &raw const action, std::ptr::null_mut()) }, 0);
    // SAFETY: all zeros are a valid `sigevent`: a signal to the process, whose number follows.
    let mut event: libc::sigevent = unsafe { std::mem::zeroed() };
    event.sigev_signo = libc::SIGPROF;
    let mut timer: libc::timer_t = std::ptr::null_mut();
    // SAFETY: both are valid, for reads and for writes.
    let made = unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer) };
    assert_eq!(made, 0);
    let every = libc::timespec { tv_sec: 0, tv_nsec: libc::c_long::from(EVERY) * 1_000 };
    let times = libc::itimerspec { it_interval: every, it_value: every };
    // SAFETY: the timer was made, and `times` is valid for reads; the old value is not asked for.
    assert_eq!(unsafe { libc::timer_settime(timer, 0, &raw const times, std::ptr::null_mut()) }, 0);
}

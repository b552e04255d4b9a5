//! What calls that are awaited take of the process: no thread, and no time when they are over.
//!
//! The only test of its program: it counts the threads of the whole process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hotcell::Options;
use hotcell::dynamic::Value;
use hotcell_e2e::process::wait_until;
use hotcell_faulty::Faulty;
use tokio::runtime::Builder;

/// Clock ticks, of ten milliseconds, that a process has taken.
fn ticks(process: &str) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum()
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// The same when none has come or gone for a while: a thread is there a moment longer than what it was for.
fn settled() -> usize {
    let (mut before, mut since) = (threads(), Instant::now());
    while since.elapsed() < Duration::from_millis(200) {
        std::thread::sleep(Duration::from_millis(5));
        let now = threads();
        if now != before {
            (before, since) = (now, Instant::now());
        }
    }
    before
}

#[test]
fn a_task_holds_no_thread_while_it_waits_and_costs_nothing_afterwards() {
    let faulty = Faulty::open(Options::default()).unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let add = || faulty.awaited("add", &[Value::Int(1), Value::Int(2)]);
    runtime.block_on(async {
        for _ in 0..100 {
            add().await.unwrap();
        }
        let ticks = AtomicU32::new(0);
        // A thread that reads the library files for the first time has ended then.
        faulty.session().loaded();
        let before = settled();
        let mut call = pin!(faulty.awaited("sleep", &[Value::Int(300)]));
        let mut waiting = pin!(add());
        let other = async {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                ticks.fetch_add(1, Ordering::Relaxed);
                assert!(threads() <= before, "a thread waits");
            }
        };
        tokio::select! {
            both = async { tokio::join!(&mut call, &mut waiting) } => assert!(both.0.is_ok() && both.1.is_ok()),
            () = other => unreachable!("it has no end"),
        }
        assert!(ticks.into_inner() > 5, "other tasks of the one thread run meanwhile");
    });
    let pid = faulty.session().worker_pid().unwrap().to_string();
    wait_until("it is never quiet", || {
        let before = (ticks(&pid), ticks("self"));
        std::thread::sleep(Duration::from_millis(300));
        (ticks(&pid), ticks("self")) == before
    });
}

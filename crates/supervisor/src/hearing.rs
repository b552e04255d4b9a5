//! Whether a signal would be heard by a worker at all: where each of its threads has it blocked, or the process ignores it, nothing comes of
//! waiting for that.

use std::fs;

use rustix::process::Signal;

/// Threads that are looked at: with more it is not known.
const MOST_THREADS: usize = 8;

/// Whether a thread of this process would take the signal, as far as that is known.
pub(crate) fn hears(pid: u32, signal: Signal) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return true };
    let statuses = threads.flatten().map(|thread| fs::read_to_string(thread.path().join("status")));
    // Those that have ended meanwhile take none.
    let mut takes = statuses.take(MOST_THREADS + 1).flatten().map(|status| takes(&status, signal));
    let mut deaf = 0;
    loop {
        match takes.next() {
            Some(false) if deaf < MOST_THREADS => deaf += 1,
            Some(_) => return true,
            None => return deaf == 0,
        }
    }
}

/// The first thread of a process that takes the signal, of those that are looked at.
pub(crate) fn who_hears(pid: u32, signal: Signal) -> Option<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
    threads.take(MOST_THREADS).find_map(|thread| {
        let status = fs::read_to_string(thread.path().join("status")).ok()?;
        takes(&status, signal).then(|| thread.file_name().to_str()?.parse().ok()).flatten()
    })
}

/// The same of a thread, by its status. What is not there is not known.
fn takes(status: &str, signal: Signal) -> bool {
    let bit = 1u64 << (signal.as_raw() - 1);
    let has = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|line| u64::from_str_radix(line.trim(), 16).ok()).is_some_and(|set| set & bit != 0)
    };
    !has("SigBlk") && !has("SigIgn")
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn what_is_blocked_or_ignored_is_not_taken() {
        let status = |blocked, ignored| {
            format!("Name:\tx\nSigPnd:\t0\nSigBlk:\t{blocked}\nSigIgn:\t{ignored}\nSigCgt:\tffff\n")
        };
        let abort = |blocked, ignored| takes(&status(blocked, ignored), Signal::ABORT);
        assert!(abort("0000000000000000", "0000000000001000"));
        assert!(!abort("0000000000000020", "0000000000000000"));
        assert!(!abort("0000000000000000", "0000000000000020"));
        assert!(abort("nothing", "") && takes("", Signal::ABORT));
    }

    #[test]
    fn a_process_that_ignores_a_signal_does_not_hear_it() {
        let sleep = |trap: &str| {
            let script = format!("{trap} sleep 60");
            Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).spawn().unwrap()
        };
        let (mut deaf, mut hearing) = (sleep("trap '' ABRT; exec"), sleep("exec"));
        let begun = Instant::now();
        while hears(deaf.id(), Signal::ABORT) {
            assert!(begun.elapsed() < Duration::from_secs(30), "it has begun to ignore it");
            thread::sleep(Duration::from_millis(1));
        }
        assert!(hears(deaf.id(), Signal::TERM) && hears(hearing.id(), Signal::ABORT));
        assert_eq!(who_hears(deaf.id(), Signal::ABORT), None);
        assert_eq!(who_hears(hearing.id(), Signal::ABORT), Some(hearing.id()));
        for child in [&mut deaf, &mut hearing] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert!(hears(deaf.id(), Signal::ABORT), "what is not there is not known");
    }
}

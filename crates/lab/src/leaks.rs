//! What this process holds, and what descends from it: counted before and after each row.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long the end of what a row used is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Processes that descend from this one, and are more than corpses.
    pub processes: usize,
    /// Descriptors of this process.
    pub descriptors: usize,
    /// Maps of memory that is shared with workers.
    pub segments: usize,
    /// Threads of this process.
    pub threads: usize,
}

impl Counts {
    pub(crate) fn now() -> Counts {
        let entries = |path: &str| fs::read_dir(path).map_or(0, Iterator::count);
        let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        Counts {
            processes: descendants().len(),
            descriptors: entries("/proc/self/fd"),
            segments: maps.matches("hotcell-segment").count(),
            threads: entries("/proc/self/task"),
        }
    }

    /// Counts that stay the same for a while.
    pub fn settled() -> Counts {
        let (mut counts, mut looks) = (Counts::now(), 0);
        let patience = Instant::now() + PATIENCE;
        while looks < 10 && Instant::now() < patience {
            thread::sleep(Duration::from_millis(2));
            let now = Counts::now();
            looks = if now == counts { looks + 1 } else { 0 };
            counts = now;
        }
        counts
    }

    /// What there is more of than before, once what ends has ended.
    pub fn more_than(before: Counts) -> Counts {
        let patience = Instant::now() + PATIENCE;
        loop {
            let now = Counts::now();
            let more = Counts {
                processes: now.processes.saturating_sub(before.processes),
                descriptors: now.descriptors.saturating_sub(before.descriptors),
                segments: now.segments.saturating_sub(before.segments),
                threads: now.threads.saturating_sub(before.threads),
            };
            if more == Counts::default() || Instant::now() > patience {
                return more;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether there is nothing.
    pub fn is_nothing(self) -> bool {
        self == Counts::default()
    }

    /// As JSON.
    pub fn to_json(self) -> Value {
        json!({
            "processes": self.processes, "descriptors": self.descriptors,
            "segments": self.segments, "threads": self.threads,
        })
    }
}

/// Whether there is such a process, and it is more than a corpse.
pub(crate) fn lives(pid: u32) -> bool {
    state(pid).is_some_and(|state| state != "Z" && state != "X")
}

/// Whether it was stopped by a signal.
pub(crate) fn is_stopped(pid: u32) -> bool {
    state(pid).is_some_and(|state| state == "T")
}

fn state(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit(')').next()?.split_whitespace().next()?.to_owned())
}

/// Processes that descend from this one, and are more than corpses.
pub fn descendants() -> Vec<u32> {
    family().into_iter().filter(|(_, lives)| *lives).map(|(pid, _)| pid).collect()
}

/// Processes that descend from this one, have ended, and were not reaped.
pub fn corpses() -> usize {
    family().iter().filter(|(_, lives)| !lives).count()
}

/// Processes that descend from this one, and whether each is more than a corpse.
fn family() -> Vec<(u32, bool)> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name, in parentheses, may have blanks. Then state and parent.
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        if let (Some(state), Some(Ok(parent))) = (fields.next(), fields.next().map(str::parse::<u32>)) {
            parents.push((pid, parent, state != "Z" && state != "X"));
        }
    }
    let mut found = vec![(std::process::id(), true)];
    let mut at = 0;
    while let Some(&(parent, _)) = found.get(at) {
        found.extend(parents.iter().filter(|it| it.1 == parent).map(|it| (it.0, it.2)));
        at += 1;
    }
    found.split_off(1)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn descendants_are_found_and_corpses_are_none() {
        let mut child = Command::new("sh").args(["-c", "sleep 60 & wait"]).spawn().expect("there is a shell");
        let patience = Instant::now() + PATIENCE;
        while descendants().len() < 2 {
            assert!(Instant::now() < patience, "the child of the child was not seen");
            thread::sleep(Duration::from_millis(1));
        }
        let all = descendants();
        assert!(all.contains(&child.id()));
        for pid in all {
            let pid = rustix::process::Pid::from_raw(pid as i32).expect("it is a process");
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        while descendants().contains(&child.id()) {
            thread::sleep(Duration::from_millis(1));
        }
        assert!(corpses() > 0, "nobody has reaped it");
        child.wait().expect("it is this process's child");
    }
}

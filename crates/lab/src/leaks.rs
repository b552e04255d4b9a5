//! What this process holds, and what descends from it: counted before and after each row.

use std::fs;
use std::path::{Path, PathBuf};
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
    /// Files in the folder for temporary ones, where a program of its own makes the calls.
    pub files: usize,
}

/// Who else is counted, besides this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Others {
    /// Processes whose descriptors, maps and threads count.
    pub(crate) processes: Vec<u32>,
    /// Of these, whose threads do not: they are counted as this many.
    pub(crate) threads: Option<(u32, usize)>,
    /// The folder for their temporary files.
    pub(crate) folder: Option<PathBuf>,
}

impl Counts {
    pub(crate) fn now() -> Counts {
        Counts::with(&Others::default())
    }

    pub(crate) fn with(others: &Others) -> Counts {
        let mut counts = Counts { processes: descendants().len(), ..Counts::default() };
        for pid in others.processes.iter().copied().chain([std::process::id()]) {
            let entries = |what: &str| fs::read_dir(format!("/proc/{pid}/{what}")).map_or(0, Iterator::count);
            let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
            counts.descriptors += entries("fd");
            counts.segments += maps.matches("hotcell-segment").count();
            counts.threads += match others.threads {
                Some((of, threads)) if of == pid => threads,
                _ => entries("task"),
            };
        }
        counts.files = others.folder.as_deref().map_or(0, files_in);
        counts
    }

    /// Counts that stay the same for a while.
    pub fn settled() -> Counts {
        Counts::settled_as(Counts::now)
    }

    pub(crate) fn settled_as(now: impl Fn() -> Counts) -> Counts {
        let (mut counts, mut looks) = (now(), 0);
        let patience = Instant::now() + PATIENCE;
        while looks < 10 && Instant::now() < patience {
            thread::sleep(Duration::from_millis(2));
            let now = now();
            looks = if now == counts { looks + 1 } else { 0 };
            counts = now;
        }
        counts
    }

    /// What there is more of than before, once what ends has ended.
    pub fn more_than(before: Counts) -> Counts {
        Counts::more_as(before, Counts::now)
    }

    pub(crate) fn more_as(before: Counts, now: impl Fn() -> Counts) -> Counts {
        let patience = Instant::now() + PATIENCE;
        loop {
            let now = now();
            let more = Counts {
                processes: now.processes.saturating_sub(before.processes),
                descriptors: now.descriptors.saturating_sub(before.descriptors),
                segments: now.segments.saturating_sub(before.segments),
                threads: now.threads.saturating_sub(before.threads),
                files: now.files.saturating_sub(before.files),
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
            "segments": self.segments, "threads": self.threads, "files": self.files,
        })
    }
}

/// Files and folders in a folder, at any depth.
fn files_in(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| 1 + if entry.path().is_dir() { files_in(&entry.path()) } else { 0 }).sum()
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

/// Processes that this one has started, and that have these words among theirs.
pub(crate) fn children_of(pid: u32, word: &str) -> Vec<u32> {
    let started = |child: &u32| {
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)) == Some(&pid.to_string())
    };
    let says = |child: &u32| {
        let words = fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
        words.split('\0').any(|it| it == word)
    };
    descendants().into_iter().filter(|child| started(child) && says(child)).collect()
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

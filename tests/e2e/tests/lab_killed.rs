//! `hotcell lab` that is killed: no program that it has started goes on. The one in Python is killed by clients/python/tests/test_lab.py.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::process::{Child, Command, Stdio};

use hotcell_e2e::cli::{Folder, program};
use hotcell_e2e::process::{alive, wait_until};
use rustix::process::{Pid, Signal, kill_process};

/// A lab that tries one row.
struct Lab {
    process: Child,
    /// What it leaves there goes with the test.
    _temporary: Folder,
}

impl Lab {
    fn start(words: &[&str]) -> Lab {
        let temporary = Folder::new();
        let mut lab = Command::new(program("hotcell"));
        lab.arg("lab").args(words).env("TMPDIR", temporary.path());
        Lab {
            process: lab.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap(),
            _temporary: temporary,
        }
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Stops it while such a program is there: all that it has started, that one first.
    fn stopped_beside(&self, is_it: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut found = Vec::new();
        wait_until("there is no such program", || {
            self.send(Signal::STOP);
            wait_until("it does not stop", || state(self.process.id()) == Some('T'));
            found = descendants(self.process.id());
            // Nobody ends it while the lab stands still.
            let at = found.iter().position(|&pid| is_it(pid) && alive(pid));
            if let Some(at) = at {
                found.swap(0, at);
            } else {
                self.send(Signal::CONT);
            }
            at.is_some()
        });
        found
    }

    /// Kills it as `kill -9` does. All that it had started has to end.
    fn leaves_nothing(mut self, started: &[u32]) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        wait_until("a program is left", || !started.iter().any(|&pid| alive(pid)));
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // A test that has failed leaves none.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.trim_start().chars().next()
}

fn descendants(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let children: Vec<u32> = lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect();
    children.into_iter().flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}

/// A program that calls directly, in C or in Go.
fn is_direct(pid: u32) -> bool {
    let executed = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    executed.to_string_lossy().contains("lab-direct")
}

/// A host that the lab has stopped.
fn is_stopped_host(pid: u32) -> bool {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    words.split(|byte| *byte == 0).any(|word| word == b"--host") && state(pid) == Some('T')
}

/// It loops, and no signal but one that cannot be blocked ends it.
#[test]
fn a_program_that_hangs_ends_with_a_lab_that_is_killed() {
    let lab = Lab::start(&["S8"]);
    let started = lab.stopped_beside(is_direct);
    lab.leaves_nothing(&started);
}

#[test]
fn a_host_that_stands_still_ends_with_a_lab_that_is_killed() {
    let lab = Lab::start(&["V5"]);
    let started = lab.stopped_beside(is_stopped_host);
    lab.leaves_nothing(&started);
}

/// With its driver, the process that serves that, and their workers.
#[test]
fn programs_in_go_end_with_a_lab_that_is_killed() {
    let lab = Lab::start(&["S8", "--via", "go"]);
    let started = lab.stopped_beside(is_direct);
    let names = started.iter().filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).ok());
    let names: Vec<String> = names.map(|name| name.trim().to_owned()).collect();
    assert!(names.contains(&"lab-driver".to_owned()), "{names:?}");
    lab.leaves_nothing(&started);
}

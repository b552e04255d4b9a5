//! `hotcell lab` that is killed, whichever of its processes: no program that it has started goes on, and no file is left. The one in Python is killed by clients/python/tests/test_lab.py.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use hotcell_e2e::cli::{Folder, program};
use hotcell_e2e::process::{alive, wait_until};
use rustix::process::{Pid, Signal, kill_process};

/// A lab that tries one row.
struct Lab {
    process: Child,
    temporary: Folder,
}

/// Processes of a lab: the one that was started, the one that is around the lab, and the lab.
const STARTED: &str = "lab";
const WARDEN: &str = "--warden";
const INSIDE: &str = "--inside";

impl Lab {
    fn start(words: &[&str]) -> Lab {
        let temporary = Folder::new();
        let mut lab = Command::new(program("hotcell"));
        lab.arg("lab").args(words).env("TMPDIR", temporary.path());
        Lab { process: lab.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap(), temporary }
    }

    /// Its process of this kind, once it is there.
    fn pid(&self, kind: &str) -> u32 {
        if kind == STARTED {
            return self.process.id();
        }
        let mut found = None;
        wait_until("it has no such process", || {
            found = descendants(self.process.id()).into_iter().find(|&pid| has_word(pid, kind));
            found.is_some()
        });
        found.unwrap()
    }

    /// Stops the lab while such a program is there: all that it has started, that one first.
    fn stopped_beside(&self, is_it: impl Fn(u32) -> bool) -> Vec<u32> {
        let (lab, mut found) = (self.pid(INSIDE), Vec::new());
        wait_until("there is no such program", || {
            send(lab, Signal::STOP);
            wait_until("it does not stop", || state(lab) == Some('T'));
            found = descendants(lab);
            // Nobody ends it while the lab stands still.
            let at = found.iter().position(|&pid| is_it(pid) && alive(pid));
            if let Some(at) = at {
                found.swap(0, at);
            } else {
                send(lab, Signal::CONT);
            }
            at.is_some()
        });
        found
    }

    /// Kills a process of it as `kill -9` does. All that it had started has to end, all of its own processes, and its files have to go.
    fn leaves_nothing(mut self, kind: &str, started: &[u32]) {
        let own = [STARTED, WARDEN, INSIDE].map(|kind| self.pid(kind));
        assert!(fs::read_dir(self.temporary.path()).unwrap().count() > 0, "it has a folder");
        send(self.pid(kind), Signal::KILL);
        self.process.wait().unwrap();
        wait_until("a program is left", || !started.iter().chain(&own).any(|&pid| alive(pid)));
        wait_until("a file is left", || fs::read_dir(self.temporary.path()).unwrap().count() == 0);
    }
}

fn send(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

fn has_word(pid: u32, word: &str) -> bool {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    words.split(|byte| *byte == 0).any(|own| own == word.as_bytes())
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

/// What such a program has forked, in its group.
fn is_forked(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let group = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(2)?.parse::<u32>().ok());
    is_direct(pid) && alive(pid) && group.is_some_and(|group| group != pid)
}

/// A lab that stands still beside what a program has forked, and all that it has started. The lab ends that as soon as it sees it, so it takes some of them.
fn beside_what_was_forked() -> (Lab, Vec<u32>) {
    for _ in 0..100 {
        let mut lab = Lab::start(&["H3"]);
        let inside = lab.pid(INSIDE);
        while lab.process.try_wait().unwrap().is_none() {
            let _ = kill_process(Pid::from_raw(inside.cast_signed()).unwrap(), Signal::STOP);
            wait_until("it does not stop", || !alive(inside) || state(inside) == Some('T'));
            // The program goes on while the lab stands still.
            while descendants(inside).iter().any(|&pid| is_direct(pid) && alive(pid)) {
                let started = descendants(inside);
                if started.iter().any(|&pid| is_forked(pid)) {
                    return (lab, started);
                }
                thread::sleep(Duration::from_millis(1));
            }
            let _ = kill_process(Pid::from_raw(inside.cast_signed()).unwrap(), Signal::CONT);
            thread::sleep(Duration::from_micros(200));
        }
    }
    panic!("what was forked is never seen");
}

/// A host that the lab has stopped.
fn is_stopped_host(pid: u32) -> bool {
    has_word(pid, "--host") && state(pid) == Some('T')
}

/// It loops, and no signal but one that cannot be blocked ends it.
#[test]
fn a_program_that_hangs_ends_with_a_lab_that_is_killed() {
    for kind in [STARTED, WARDEN, INSIDE] {
        let lab = Lab::start(&["S8"]);
        let started = lab.stopped_beside(is_direct);
        lab.leaves_nothing(kind, &started);
    }
}

/// It has forked, and its child sleeps: that has no parent any more when the program has ended.
#[test]
fn what_a_program_has_forked_ends_with_a_lab_that_is_killed() {
    for kind in [STARTED, WARDEN, INSIDE] {
        let (lab, started) = beside_what_was_forked();
        lab.leaves_nothing(kind, &started);
    }
}

#[test]
fn a_host_that_stands_still_ends_with_a_lab_that_is_killed() {
    let lab = Lab::start(&["V5"]);
    let started = lab.stopped_beside(is_stopped_host);
    lab.leaves_nothing(STARTED, &started);
}

/// With its driver, the process that serves that, and their workers.
#[test]
fn programs_in_go_end_with_a_lab_that_is_killed() {
    let lab = Lab::start(&["S8", "--via", "go"]);
    let started = lab.stopped_beside(is_direct);
    let names = started.iter().filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).ok());
    let names: Vec<String> = names.map(|name| name.trim().to_owned()).collect();
    assert!(names.contains(&"lab-driver".to_owned()), "{names:?}");
    lab.leaves_nothing(STARTED, &started);
}

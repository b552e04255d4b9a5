//! A host that is killed takes its workers with it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use hotcell::Options;
use hotcell_e2e::process::{alive, wait_until};
use hotcell_faulty::Faulty;

/// Set for the child that plays a host which is killed.
const ROLE: &str = "HOTCELL_TEST_ROLE";

#[test]
fn workers_die_with_their_host() {
    if std::env::var_os(ROLE).is_some() {
        return;
    }
    let mut host = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "play_the_host", "--nocapture"])
        .env(ROLE, "host")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(host.stdout.take().unwrap()).lines();
    let pid = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("worker ")?.parse::<u32>().ok());
    let pid = pid.expect("the host tells its worker's pid");
    assert!(alive(pid), "the worker runs while its host does");
    host.kill().unwrap();
    host.wait().unwrap();
    wait_until("the worker outlives its host", || !alive(pid));
}

/// In the child: opens a session and hangs in a call. In the parent: nothing.
#[test]
fn play_the_host() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let faulty = Faulty::open(Options::default()).unwrap();
    println!("worker {}", faulty.session().worker_pid().unwrap());
    let _ = faulty.within(Duration::from_secs(60)).int("loop", &[]);
}

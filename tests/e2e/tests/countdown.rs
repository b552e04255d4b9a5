//! Whatever a host, its supervisor or a worker is about to do, or has just done, when it is killed: nothing is left of it, and where a host is left its call
//! has a typed error, its next call works, and it holds nothing that it did not hold before.
//!
//! `hotcell-countdown` ends them at a system call, and the scenarios are those of `hotcell-countdown-host`, and of `hotcell-countdown-client` where the supervisor is
//! a process of its own. Each test takes every so many
//! moments; `HOTCELL_COUNTDOWN_EVERY=1`, or `cargo dev countdown`, takes all of them. `HOTCELL_COUNTDOWN_PART=K` takes the Kth of each so many.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hotcell_e2e::ticker;
use serde_json::Value;

/// One of so many moments is tried, unless the environment says otherwise.
const EVERY: usize = 23;

/// The first of them.
const FIRST: usize = 3;

/// No fewer are tried of a scenario, if it has so many.
const FEWEST: usize = 8;

/// The same of scenarios whose supervisor is another process, where each takes several times as long.
const EVERY_SERVED: usize = 8 * EVERY;
const FEWEST_SERVED: usize = 4;

/// How often steps are counted.
const COUNTS: usize = 2;

/// How often steps are counted anew, where too many moments were not reached.
const RECOUNTS: usize = 3;

/// How often a moment is looked for: it may be that a call is made less often than ever before.
const TRIES: usize = 6;

/// A watchdog: how long a run may take. It is a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(120);

/// Scenarios whose supervisor is another process.
const SERVED: [&str; 6] =
    ["served start", "served call", "served growth", "served reload", "served recovery", "served spares"];

/// Says where the library lies whose threads call back.
const TICKER: &str = "HOTCELL_COUNTDOWN_TICKER";

/// What the tracer exits with where nobody may trace.
const NOT_ALLOWED: i32 = 77;

/// A moment in the life of a process.
#[derive(Debug, PartialEq)]
struct Moment {
    call: String,
    /// Its how manieth call of that name it is.
    time: u32,
    after: bool,
}

/// What a scenario came to.
#[derive(Debug, Default)]
struct Tried {
    moments: usize,
    reached: usize,
    /// Longest time from the kill until nothing was left.
    slowest_ms: u64,
    calls: BTreeMap<String, usize>,
    came: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

#[test]
fn a_host_that_is_killed_anywhere_leaves_nothing() {
    for scenario in ["start", "call", "growth", "callbacks", "reload", "recovery", "spares", "threads"] {
        count_down(scenario, "host", &[], is_killed);
    }
}

fn is_killed(account: &Value) -> Option<String> {
    (account["host"] != 137).then(|| "the host was not killed".to_owned())
}

#[test]
fn a_worker_that_is_killed_anywhere_is_a_typed_error_and_leaves_nothing() {
    let cases: [(&str, &str, &[&str]); 10] = [
        ("start", "worker-0", &["LoadFailed", "Crashed"]),
        ("call", "worker-0", &["Crashed"]),
        ("growth", "worker-0", &["Crashed"]),
        ("callbacks", "worker-0", &["Crashed"]),
        ("reload", "worker-0", &["Crashed"]),
        ("reload", "worker-1", &["LoadFailed", "Crashed"]),
        ("recovery", "worker-1", &["LoadFailed", "Crashed"]),
        ("spares", "worker-0", &["Crashed"]),
        ("spares", "worker-1", &["LoadFailed", "Crashed"]),
        ("threads", "worker-0", &["Crashed"]),
    ];
    for (scenario, worker, kinds) in cases {
        count_down(scenario, worker, &["warm"], |account| wrong_of_host(account, kinds));
    }
}

/// Its workers, which are those of the other process, go with it.
#[test]
fn a_client_of_another_process_that_is_killed_anywhere_leaves_nothing() {
    for scenario in SERVED {
        count_down(scenario, "host", &[], is_killed);
    }
}

/// The client's next call has another one.
#[test]
fn a_supervisor_that_is_killed_anywhere_is_a_typed_error_and_leaves_nothing() {
    for scenario in SERVED {
        count_down(scenario, "server-0", &["warm"], |account| wrong_of_host(account, &["SupervisorGone"]));
    }
}

#[test]
fn a_worker_of_another_process_that_is_killed_anywhere_is_a_typed_error_and_leaves_nothing() {
    let cases: [(&str, &str, &[&str]); 7] = [
        ("served start", "worker-0", &["LoadFailed", "Crashed"]),
        ("served call", "worker-0", &["Crashed"]),
        ("served growth", "worker-0", &["Crashed"]),
        ("served reload", "worker-0", &["Crashed"]),
        ("served reload", "worker-1", &["LoadFailed", "Crashed"]),
        ("served recovery", "worker-1", &["LoadFailed", "Crashed"]),
        ("served spares", "worker-1", &["LoadFailed", "Crashed"]),
    ];
    for (scenario, worker, kinds) in cases {
        count_down(scenario, worker, &["warm"], |account| wrong_of_host(account, kinds));
    }
}

#[test]
fn a_keeper_that_is_killed_anywhere_costs_nothing() {
    for scenario in ["start", "served start"] {
        count_down(scenario, "keeper-0", &["warm"], |account| wrong_of_host(account, &[]));
    }
}

/// What is not as it must be in a host that was left alive: one of its calls may have failed, with one of these kinds.
fn wrong_of_host(account: &Value, kinds: &[&str]) -> Option<String> {
    let said = &account["said"];
    let came = all_that_came(said);
    let failed: Vec<&&str> = came.iter().filter(|&&came| came != "right").collect();
    let is_typed = |came: &&str| kinds.iter().any(|kind| came.starts_with(&format!("{kind}: ")));
    let is_well =
        failed.len() <= 1 && failed.iter().all(|came| is_typed(came)) && came.last() == Some(&"right");
    let nothing = said["left"].as_object().is_some_and(|left| left.values().all(|left| left == 0));
    (account["host"] != 0 || !is_well || !nothing).then(|| said.to_string())
}

/// What came of the scenario and of each call behind it; nothing of a host that was killed.
fn all_that_came(said: &Value) -> Vec<&str> {
    let next = said["next"].as_array().into_iter().flatten();
    std::iter::once(&said["came"]).chain(next).filter_map(Value::as_str).collect()
}

/// Ends a process at moments of a scenario.
fn count_down(scenario: &str, victim: &str, words: &[&str], wrong: impl Fn(&Value) -> Option<String>) {
    let prepared = (scenario == "threads").then(|| {
        let folder = tempfile::tempdir().unwrap();
        ticker::prepare(folder.path());
        folder
    });
    let run = |how: &[&str]| run(how, scenario, words, prepared.as_ref().map(tempfile::TempDir::path));
    // Threads do not meet in the same way twice. What is made each time is what can be waited for.
    let count = || {
        let counted = run(&["count", victim])?;
        assert_eq!((&counted["host"], &counted["said"]["came"]), (&0.into(), &"right".into()), "{counted}");
        let calls = counted["steps"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned());
        Some(calls.collect::<Vec<String>>())
    };
    let Some(steps) = count() else { return println!("skipped: no process may be traced here") };
    let again = |steps, _| common(steps, &count().unwrap());
    let mut steps = (1..COUNTS).fold(steps, again);
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse::<usize>().ok());
    let (every, part) = (number("HOTCELL_COUNTDOWN_EVERY"), number("HOTCELL_COUNTDOWN_PART"));
    let share = if SERVED.contains(&scenario) { (EVERY_SERVED, FEWEST_SERVED) } else { (EVERY, FEWEST) };
    let (every, fewest) = every.map_or(share, |every| (every, FEWEST));
    let all = moments(&steps);
    let (known, mut tried) = (all.len(), Tried::default());
    let (first, every) = match part {
        // All parts together are all moments, each of them once.
        Some(part) => (part - 1, every),
        None => {
            let every = every.min(known / fewest).max(1);
            (FIRST % every, every)
        }
    };
    if first >= known {
        return println!("{scenario}, {victim}: {known} moments, none of them in this part");
    }
    let mut left: Vec<Moment> = all.into_iter().skip(first).step_by(every).collect();
    tried.moments = left.len();
    for _ in 0..RECOUNTS {
        left.retain(|moment| {
            let when = if moment.after { "after" } else { "before" };
            let time = moment.time.to_string();
            let mut runs = (0..TRIES).map(|_| run(&[when, victim, &moment.call, &time]).unwrap());
            // One that ends by itself as it comes there, by another of its threads, has not been ended there.
            let account = runs.find(|account| account["ended"] == true && !account["signal"].is_null());
            account.is_none_or(|account| tried.take(moment, &account, &wrong))
        });
        if left.len() * 4 <= tried.moments {
            break;
        }
        // How often a thread waits is the machine's doing, which has more to do, or less, than when that was counted.
        steps = (0..COUNTS).fold(steps, again);
        let still = moments(&steps);
        let before = left.len();
        left.retain(|moment| still.contains(moment));
        tried.moments -= before - left.len();
    }
    println!("{scenario}, {victim}: {known} moments, {}", tried.summary());
    assert!(tried.wrong.is_empty(), "{scenario}, {victim}:\n{}", tried.wrong.join("\n"));
    assert!(tried.reached > 0 && tried.reached * 4 >= tried.moments * 3, "{scenario}, {victim}: {tried:?}");
}

/// Of these calls those that were made as often another time, too.
fn common(steps: Vec<String>, others: &[String]) -> Vec<String> {
    let mut left = BTreeMap::new();
    others.iter().for_each(|call| *left.entry(call).or_insert(0) += 1);
    let mut is_left =
        |call: &String| left.get_mut(call).filter(|left| **left > 0).map(|left| *left -= 1).is_some();
    steps.into_iter().filter(|call| is_left(call)).collect()
}

/// Before and after each system call. One that ends a thread does not return.
fn moments(steps: &[String]) -> Vec<Moment> {
    let mut times = BTreeMap::new();
    let mut moments = Vec::new();
    for call in steps {
        let time: &mut u32 = times.entry(call).or_default();
        *time += 1;
        for after in [false, true] {
            if !after || !matches!(call.as_str(), "exit" | "exit_group") {
                moments.push(Moment { call: call.clone(), time: *time, after });
            }
        }
    }
    moments
}

impl Tried {
    /// Takes what came of a moment, of which nothing is left then.
    fn take(&mut self, moment: &Moment, account: &Value, wrong: &impl Fn(&Value) -> Option<String>) -> bool {
        self.reached += 1;
        *self.calls.entry(moment.call.clone()).or_default() += 1;
        let came = all_that_came(&account["said"]);
        let came = came.iter().find(|came| **came != "right").or(came.last()).unwrap_or(&"killed");
        *self.came.entry(came.split(',').next().unwrap_or(came).to_owned()).or_default() += 1;
        self.slowest_ms = self.slowest_ms.max(account["took_ms"].as_u64().unwrap_or(0));
        let mut found: Vec<String> = wrong(account).into_iter().collect();
        if account["signal"] != 9 {
            found.push("it did not end there".into());
        }
        for (what, is_left) in [
            ("a socket's name", account["name"] != false),
            ("shared memory", account["files"] != serde_json::json!([])),
            ("a file", account["directory"] != serde_json::json!([])),
        ] {
            if is_left {
                found.push(format!("{what} is left"));
            }
        }
        if !found.is_empty() {
            self.wrong.push(format!("{moment:?}: {}: {account}", found.join(", ")));
        }
        false
    }

    fn summary(&self) -> String {
        let list = |counts: &BTreeMap<String, usize>| {
            let counts: Vec<String> = counts.iter().map(|(what, times)| format!("{what} {times}")).collect();
            counts.join(", ")
        };
        format!(
            "{} tried, {} reached, {} wrong, at most {} ms until nothing was left\n    at {}\n    came {}",
            self.moments,
            self.reached,
            self.wrong.len(),
            self.slowest_ms,
            list(&self.calls),
            list(&self.came)
        )
    }
}

/// Runs a scenario with a folder for temporary files of its own; what the tracer saw, with what is left there. `None` where nobody may
/// trace.
fn run(how: &[&str], scenario: &str, words: &[&str], prepared: Option<&Path>) -> Option<Value> {
    let folder = tempfile::tempdir().unwrap();
    let mut tracer = Command::new(env!("CARGO_BIN_EXE_hotcell-countdown"));
    let host = match scenario.starts_with("served ") {
        true => env!("CARGO_BIN_EXE_hotcell-countdown-client"),
        false => env!("CARGO_BIN_EXE_hotcell-countdown-host"),
    };
    tracer.args(how).arg(host).args(scenario.split(' ')).args(words);
    tracer.envs(prepared.map(|folder| (TICKER, folder)));
    tracer.env("TMPDIR", folder.path()).env_remove("HOTCELL_WATCH").stdout(Stdio::piped());
    let mut tracer = tracer.spawn().unwrap();
    let until = Instant::now() + PATIENCE;
    let ended = loop {
        match tracer.try_wait().unwrap() {
            Some(ended) => break ended,
            None if Instant::now() > until => {
                // All that it traces ends with it.
                tracer.kill().unwrap();
                panic!("{how:?} {scenario}: something does not end");
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    if ended.code() == Some(NOT_ALLOWED) {
        return None;
    }
    let mut said = String::new();
    tracer.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    let mut account: Value =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {ended} {said}"));
    let left = fs::read_dir(folder.path()).unwrap().flatten();
    account["directory"] = left.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    Some(account)
}

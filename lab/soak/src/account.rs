//! The account of a soak: for people, and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Plan;
use crate::bars::Bar;
use crate::book::{self, Closed};
use crate::ends::{self, Gone};
use crate::explain::Explained;
use crate::faults::{self, Fault};
use crate::remains::Remains;

/// How much more memory this process may have at the end than at half the time: what failed is remembered until then.
const GROWTH: u64 = 64 << 20;

/// A soak of this length has seen all that its settings are for.
const LONG: Duration = Duration::from_secs(60);

/// That is this, by the names of reasons.
const EXPECTED: [&str; 8] = [
    "workers killed",
    "spare and starting workers killed",
    "workers stopped for good",
    "libraries loaded anew",
    "worn",
    "a breaker that was open",
    "an input in quarantine",
    "objects of a worker that is gone",
];

/// Most lines of one sort in the text.
const LINES: usize = 20;

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) time: Duration,
    pub(crate) closed: Closed,
    pub(crate) faults: Vec<Fault>,
    /// How workers ended, and of how many nobody knows how.
    pub(crate) gone: Vec<Gone>,
    pub(crate) missed: u64,
    pub(crate) explained: Explained,
    pub(crate) bars: Vec<Bar>,
    pub(crate) left: Remains,
    /// Memory of this process at half the time, and at the end.
    pub(crate) memory: (u64, u64),
    /// Panics of any thread.
    pub(crate) panics: u64,
}

/// What came of a soak.
#[derive(Debug)]
pub struct Account {
    plan: Plan,
    found: Found,
}

impl Account {
    pub(crate) fn new(plan: &Plan, found: Found) -> Account {
        Account { plan: plan.clone(), found }
    }

    /// Whether no result was wrong, no error without a reason, and nothing is left. Bars are figures of one machine, and no part
    /// of it.
    pub fn is_well(&self) -> bool {
        let Found { closed, explained, left, .. } = &self.found;
        let nothing_is_wrong = closed.wrong.is_empty() && explained.unexplained.is_empty();
        nothing_is_wrong && self.missing().is_empty() && left.is_nothing() && !self.grew()
    }

    /// What had to come about and did not, or the other way round.
    fn missing(&self) -> Vec<String> {
        let Found { closed, missed, explained, panics, .. } = &self.found;
        let mut missing = Vec::new();
        let silent = closed.right.iter().filter(|(_, count)| **count == 0);
        missing.extend(silent.map(|(setting, _)| format!("no call was right ({setting})")));
        if self.killed() < self.plan.kills {
            missing.push(format!(
                "{} workers that served were killed, not {}",
                self.killed(),
                self.plan.kills
            ));
        }
        if self.plan.time >= LONG {
            let seen =
                |reason: &&str| explained.reasons.contains_key(reason) || explained.ends.contains_key(reason);
            let unseen = EXPECTED.iter().filter(|reason| !seen(reason));
            missing.extend(unseen.map(|reason| format!("it did not come about: {reason}")));
        }
        if *missed > 0 {
            missing.push(format!("{missed} workers ended, and it is forgotten how"));
        }
        if *panics > 0 {
            missing.push(format!("{panics} panics"));
        }
        missing
    }

    /// Workers that served, and were killed.
    fn killed(&self) -> usize {
        self.found.gone.iter().filter(|gone| gone.was_killed_serving()).count()
    }

    /// Whether every figure is within its bar.
    pub fn holds_bars(&self) -> bool {
        self.found.bars.iter().all(Bar::holds)
    }

    fn grew(&self) -> bool {
        let (half, end) = self.found.memory;
        end.saturating_sub(half) > GROWTH
    }

    /// For people.
    pub fn to_text(&self) -> String {
        let Found { time, closed, explained, left, memory, .. } = &self.found;
        let (wrong, failed) = (closed.wrong.len(), closed.failures.len());
        let mut text =
            format!("seed {}, {:.1} s, {} clients\n", self.plan.seed, time.as_secs_f64(), self.plan.clients);
        let mut line = |what: String| text.push_str(&format!("  {what}\n"));
        line(format!("{} calls: {} right, {failed} failed, {wrong} wrong", self.calls(), closed.all_right()));
        line(format!("right calls took {:.1?} at p50, {:.1?} at p99", closed.half, closed.most));
        for bar in &self.found.bars {
            let beyond = if bar.holds() { "" } else { "  BEYOND" };
            line(format!(
                "{}: {:.3} {} (bar {} {}){beyond}",
                bar.name, bar.found, bar.unit, bar.most, bar.unit
            ));
        }
        line("what was done:".to_owned());
        for (kind, times) in faults::by_kind(&self.found.faults) {
            line(format!("  {times:>8}  {}", kind.name()));
        }
        line("errors by kind:".to_owned());
        for (kind, times) in book::by_kind(closed.failures.iter()) {
            line(format!("  {times:>8}  {kind}"));
        }
        line("workers ended:".to_owned());
        for (reason, times) in &explained.ends {
            line(format!("  {times:>8}  {reason}"));
        }
        line("errors came about by:".to_owned());
        for (reason, times) in &explained.reasons {
            line(format!("  {times:>8}  {reason}"));
        }
        let (calls, sent) = explained.failed_by_kills;
        line(format!(
            "of {} workers killed that served, {} had calls under way: {calls} failed, in {sent} sendings",
            self.killed(),
            explained.killed_in_calls
        ));
        line(format!(
            "left behind: {}",
            if left.is_nothing() { "nothing".into() } else { left.to_json().to_string() }
        ));
        let mib = |bytes: u64| bytes >> 20;
        line(format!(
            "memory of this process: {} MiB at half the time, {} MiB at the end",
            mib(memory.0),
            mib(memory.1)
        ));
        let missing = self.missing();
        let lists =
            [("WRONG", &closed.wrong), ("UNEXPLAINED", &explained.unexplained), ("MISSING", &missing)];
        for (title, list) in lists {
            for what in list.iter().take(LINES) {
                let _ = writeln!(text, "  {title}  {what}");
            }
            if list.len() > LINES {
                let _ = writeln!(text, "  and {} more", list.len() - LINES);
            }
        }
        let verdict = if self.is_well() { "every error is explained" } else { "the soak FAILED" };
        let _ = writeln!(text, "{verdict}");
        text
    }

    fn calls(&self) -> u64 {
        let Closed { wrong, failures, .. } = &self.found.closed;
        self.found.closed.all_right() + wrong.len() as u64 + failures.len() as u64
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        let Found { time, closed, faults, gone, explained, bars, left, memory, panics, .. } = &self.found;
        let faults =
            faults::by_kind(faults).into_iter().map(|(kind, times)| (kind.name().to_owned(), json!(times)));
        let bars = bars.iter().map(|bar| {
            json!({ "name": bar.name, "found": bar.found, "most": bar.most, "unit": bar.unit, "holds": bar.holds() })
        });
        json!({
            "seed": self.plan.seed,
            "clients": self.plan.clients,
            "seconds": time.as_secs_f64(),
            "calls": self.calls(),
            "right": closed.all_right(),
            "right_by_setting": closed.right,
            "wrong": closed.wrong,
            "failed": closed.failures.len(),
            "p50_us": closed.half.as_secs_f64() * 1e6,
            "p99_us": closed.most.as_secs_f64() * 1e6,
            "faults": faults.collect::<serde_json::Map<_, _>>(),
            "errors": book::by_kind(closed.failures.iter()),
            "reasons": explained.reasons,
            "ends": { "why": ends::by_why(gone), "reasons": explained.ends },
            "missing": self.missing(),
            "panics": panics,
            "unexplained": explained.unexplained,
            "kills": {
                "served": self.killed(),
                "in_calls": explained.killed_in_calls,
                "failed": explained.failed_by_kills.0,
                "sendings": explained.failed_by_kills.1,
            },
            "bars": bars.collect::<Vec<_>>(),
            "left": left.to_json(),
            "memory": { "half": memory.0, "end": memory.1 },
            "ok": self.is_well(),
        })
    }
}

#[cfg(test)]
mod tests;

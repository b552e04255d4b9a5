//! Policies resolved: what becomes of each system call while a library loads, and while it serves.

use std::collections::BTreeMap;
use std::fmt;

use crate::condition::{self, Comparison};
use crate::profile::{Profile, Sandbox};
use crate::tables::{ALWAYS, CODE_LOAD, CODE_SERVE, COMPUTE, FILES, LOAD, NETWORK, SYSCALLS};

mod reach;

pub(crate) use reach::Compared;

/// A system call and its numbers.
#[derive(Debug)]
pub struct Syscall {
    /// Its name, as in the kernel's tables.
    pub name: &'static str,
    pub(crate) x86_64: Option<u32>,
    pub(crate) aarch64: Option<u32>,
    /// Which argument points to a path.
    pub path: Option<u8>,
    /// Which argument points to a socket's address.
    pub address: Option<u8>,
    /// Which arguments are C's `int`s that say what it does: commands, kinds and flags.
    pub choices: &'static [u8],
}

/// A rule of a policy.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) calls: &'static [&'static str],
    /// Alternatives of comparisons; none: it always holds.
    pub(crate) when: &'static [&'static str],
    pub(crate) then: Then,
    pub(crate) otherwise: Then,
}

/// What becomes of a system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The kernel executes it.
    Allow,
    /// The application's call ends with it.
    Deny,
    /// The library gets this error; it is counted.
    Refuse(i32),
    /// The library gets this error, and nobody is told.
    Answer(i32),
    /// It waits until the host has said what becomes of it.
    Ask,
}

/// A machine's numbers of system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Architecture {
    X86_64,
    Aarch64,
}

impl Architecture {
    /// Of this program.
    pub(crate) const NATIVE: Architecture =
        if cfg!(target_arch = "x86_64") { Architecture::X86_64 } else { Architecture::Aarch64 };

    /// As the kernel names it to filters.
    pub(crate) fn audit(self) -> u32 {
        match self {
            Architecture::X86_64 => 0xc000_003e,
            Architecture::Aarch64 => 0xc000_00b7,
        }
    }

    pub(crate) fn number(self, syscall: &Syscall) -> Option<u32> {
        match self {
            Architecture::X86_64 => syscall.x86_64,
            Architecture::Aarch64 => syscall.aarch64,
        }
    }
}

impl Syscall {
    /// The system call of this number on this machine.
    pub fn of_number(number: u32) -> Option<&'static Syscall> {
        SYSCALLS.iter().find(|syscall| Architecture::NATIVE.number(syscall) == Some(number))
    }

    pub(crate) fn named(name: &str) -> Option<&'static Syscall> {
        SYSCALLS.binary_search_by(|syscall| syscall.name.cmp(name)).ok().map(|index| &SYSCALLS[index])
    }
}

/// What becomes of one system call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Alternatives, each of comparisons that must all hold; none: `then` always holds.
    pub(crate) when: Vec<Vec<Comparison>>,
    pub(crate) then: Then,
    pub(crate) otherwise: Then,
}

/// What becomes of all system calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    /// By name.
    pub(crate) decisions: BTreeMap<&'static str, Decision>,
    /// Of calls that have none.
    pub(crate) default: Then,
}

/// What makes memory executable otherwise than by a protection that is asked for.
const EXECUTES: [&str; 2] = ["shmat", "personality"];

/// A rule of the user's that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongRule {
    rule: String,
    why: String,
}

impl fmt::Display for WrongRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the sandbox's rule `{}`: {}", self.rule, self.why)
    }
}

impl std::error::Error for WrongRule {}

impl Policy {
    /// While the library loads: everything but what is dangerous, and what the profile will not allow either.
    pub(crate) fn load(sandbox: &Sandbox) -> Result<Policy, WrongRule> {
        let mut policy = Policy { decisions: BTreeMap::new(), default: Then::Allow };
        policy.add(ALWAYS);
        let serve = Policy::serve(sandbox)?;
        for rule in LOAD {
            for &call in rule.calls {
                let own = Decision::of(rule);
                let decision = serve.decisions.get(call).map_or_else(|| own.clone(), |it| it.besides(&own));
                policy.decisions.insert(call, decision);
            }
        }
        if sandbox.write_xor_execute {
            policy.add(CODE_LOAD);
        }
        Ok(policy)
    }

    /// While it serves: nothing but what its profile allows.
    pub(crate) fn serve(sandbox: &Sandbox) -> Result<Policy, WrongRule> {
        let mut policy = Policy { decisions: BTreeMap::new(), default: Then::Deny };
        policy.add(ALWAYS);
        policy.add(COMPUTE);
        if sandbox.has_files() {
            policy.add(FILES);
        }
        if sandbox.has_network() {
            policy.add(NETWORK);
            // To listen at a socket without a port gives it one that nobody named.
            if sandbox.bind.is_empty() {
                let deny = Decision { when: Vec::new(), then: Then::Deny, otherwise: Then::Deny };
                policy.decisions.extend(["listen", "accept", "accept4"].map(|call| (call, deny.clone())));
            }
        }
        if sandbox.profile == Profile::Custom {
            let mut own: BTreeMap<&'static str, Decision> = BTreeMap::new();
            for rule in &sandbox.allow {
                let (call, when) = allowed(rule)?;
                if sandbox.write_xor_execute && EXECUTES.contains(&call) {
                    let why =
                        format!("`{call}` can make memory executable, which `write_xor_execute` denies");
                    return Err(WrongRule { rule: rule.clone(), why });
                }
                // It adds to what is allowed of the call anyway.
                let known =
                    policy.decisions.get(call).filter(|it| it.then == Then::Allow && !it.when.is_empty());
                // What is told in any case otherwise is told still where the line does not allow the call.
                let told = policy.decisions.get(call).filter(|it| it.when.is_empty()).map(|it| it.then);
                let told = told.filter(|then| matches!(then, Then::Refuse(_) | Then::Answer(_)));
                let begun = || {
                    let begun = known.cloned().unwrap_or_else(|| Decision::allow(Vec::new()));
                    Decision { otherwise: told.unwrap_or(begun.otherwise), ..begun }
                };
                let decision = own.entry(call).or_insert_with(begun);
                // Without comparisons it always holds, whatever other lines say.
                let always = decision.then == Then::Allow && decision.otherwise == Then::Allow;
                match when {
                    _ if always => {}
                    Some(when) => decision.when.push(when),
                    None => {
                        *decision = Decision { when: Vec::new(), then: Then::Allow, otherwise: Then::Allow }
                    }
                }
            }
            policy.decisions.extend(own);
            policy.keep_in_reach();
        }
        if sandbox.write_xor_execute {
            policy.add(CODE_SERVE);
        }
        Ok(policy)
    }

    /// What is denied in every profile, and nothing else.
    pub(crate) fn always() -> Policy {
        let mut policy = Policy { decisions: BTreeMap::new(), default: Then::Allow };
        policy.add(ALWAYS);
        policy
    }

    /// While it is noted what a library does: the host is asked about everything that `compute` does not allow.
    pub(crate) fn asking() -> Policy {
        let mut policy = Policy { decisions: BTreeMap::new(), default: Then::Ask };
        policy.add(ALWAYS);
        policy.add(COMPUTE);
        let ask = |then: &mut Then| {
            if matches!(then, Then::Deny | Then::Refuse(_)) {
                *then = Then::Ask;
            }
        };
        for decision in policy.decisions.values_mut() {
            ask(&mut decision.then);
            ask(&mut decision.otherwise);
        }
        policy
    }

    /// What becomes of a call with these arguments, in a worker of this process id.
    pub(crate) fn then(&self, call: &str, arguments: &[u64; 6], pid: u32) -> Then {
        self.decisions.get(call).map_or(self.default, |decision| decision.then(arguments, pid))
    }

    /// Whether no profile allows the call, whatever its arguments are.
    pub(crate) fn is_never_allowed(call: &str) -> bool {
        ALWAYS.iter().any(|rule| rule.when.is_empty() && rule.calls.contains(&call))
    }

    /// Whether a rule of `files` allows the call: those are judged by path besides.
    pub(crate) fn is_of_files(call: &str) -> bool {
        FILES.iter().any(|rule| rule.then == Then::Allow && rule.calls.contains(&call))
    }

    fn add(&mut self, rules: &[Rule]) {
        for rule in rules {
            self.decisions.extend(rule.calls.iter().map(|&call| (call, Decision::of(rule))));
        }
    }
}

impl Decision {
    fn of(rule: &Rule) -> Decision {
        let parse = |text: &&str| condition::parse(text).expect("a test reads all conditions of the tables");
        Decision { when: rule.when.iter().map(parse).collect(), then: rule.then, otherwise: rule.otherwise }
    }

    fn then(&self, arguments: &[u64; 6], pid: u32) -> Then {
        let holds = |all: &Vec<Comparison>| all.iter().all(|one| one.holds(arguments, pid));
        if self.when.is_empty() || self.when.iter().any(holds) { self.then } else { self.otherwise }
    }

    /// The same, where what this other one allows is allowed besides, and what it answers is answered: a line that adds to a call takes
    /// nothing from it.
    fn besides(&self, other: &Decision) -> Decision {
        let mut all = self.clone();
        if self.then != Then::Allow || self.when.is_empty() {
            return all;
        }
        let left = match other.when.is_empty() {
            true => other.then,
            false => other.otherwise,
        };
        if other.then == Then::Allow {
            all.when.extend(other.when.iter().filter(|it| !self.when.contains(it)).cloned());
        }
        if self.otherwise == Then::Deny && matches!(left, Then::Refuse(_) | Then::Answer(_)) {
            all.otherwise = left;
        }
        all
    }

    fn allow(when: Vec<Vec<Comparison>>) -> Decision {
        Decision { when, then: Then::Allow, otherwise: Then::Deny }
    }
}

/// `CALL`, or `CALL(COMPARISONS)`.
fn allowed(rule: &str) -> Result<(&'static str, Option<Vec<Comparison>>), WrongRule> {
    let wrong = |why: String| WrongRule { rule: rule.to_owned(), why };
    let text = rule.trim();
    let (name, when) = match text.split_once('(') {
        Some((name, rest)) => {
            let rest = rest.strip_suffix(')').ok_or_else(|| wrong("the bracket is not closed".into()))?;
            (name.trim(), Some(condition::parse(rest).map_err(|error| wrong(error.to_string()))?))
        }
        None => (text, None),
    };
    let Some(syscall) = Syscall::named(name) else {
        return Err(wrong(format!("there is no system call `{name}`")));
    };
    if Policy::is_never_allowed(name) {
        return Err(wrong(format!("`{name}` is denied in every profile")));
    }
    Ok((syscall.name, when))
}

#[cfg(test)]
mod tests;

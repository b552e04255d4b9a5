//! What the fuzz targets need of this crate, and nobody else: filters of any table of rules, not only of those that the
//! policies have.

use std::collections::BTreeMap;

pub use crate::policy::Then;
use crate::policy::{Architecture, Decision, Policy, Syscall, WrongRule};
use crate::profile::{Profile, Sandbox};
use crate::tables::SYSCALLS;
use crate::trace::{self, Seen};
use crate::{condition, filter};

/// Rules for system calls, and what becomes of all others.
#[derive(Debug)]
pub struct Table(Policy);

/// An instruction of a filter: `code`, `jt`, `jf` and `k` of the kernel's `sock_filter`.
pub type Instruction = (u16, u8, u8, u32);

impl Table {
    /// A table without a rule.
    pub fn new(default: Then) -> Table {
        Table(Policy { decisions: BTreeMap::new(), default })
    }

    /// Adds a rule, as the contract's lines and the policies write comparisons. False where one cannot be read.
    pub fn add(&mut self, call: &'static Syscall, when: &[String], then: Then, otherwise: Then) -> bool {
        let when = when.iter().map(|text| condition::parse(text)).collect::<Result<_, _>>();
        let Ok(when) = when else { return false };
        self.0.decisions.insert(call.name, Decision { when, then, otherwise });
        true
    }

    /// Its filter for x86-64, or for aarch64, in a worker of this process id.
    pub fn filter(&self, x86_64: bool, pid: u32) -> Vec<Instruction> {
        let mut program = filter::compile(&self.0, architecture(x86_64));
        program.pids.iter().for_each(|&place| program.instructions[place as usize].value = pid);
        program.instructions.iter().map(|it| (it.code, it.yes, it.no, it.value)).collect()
    }
}

/// What a sandbox allows once it serves.
#[derive(Debug)]
pub struct Allowed(Policy);

impl Allowed {
    /// Of a sandbox. `Err` where its rules are none.
    pub fn by(sandbox: &Sandbox) -> Result<Allowed, WrongRule> {
        Policy::serve(sandbox).map(Allowed)
    }

    /// Whether it allows a call with these arguments; `None` where no profile does.
    pub fn call(&self, call: &str, arguments: &[u64; 6]) -> Option<bool> {
        // With every socket allowed, nothing connects past the rules of ports: nobody can have more than this.
        let allow = vec![call.to_owned(), "socket".to_owned()];
        let widest = Policy::serve(&Sandbox { allow, ..Sandbox::of(Profile::Custom) }).ok()?;
        let can = widest.then(call, arguments, 0) == Then::Allow;
        can.then(|| self.0.then(call, arguments, 0) == Then::Allow)
    }
}

/// What a trace would note of a call of this process with these arguments, which it does not make.
pub fn noted(call: &'static Syscall, arguments: [u64; 6]) -> Vec<Seen> {
    trace::noted(call, arguments)
}

/// All system calls, by name.
pub fn system_calls() -> &'static [Syscall] {
    SYSCALLS
}

/// The number of a system call on x86-64, or on aarch64.
pub fn number(call: &Syscall, x86_64: bool) -> Option<u32> {
    architecture(x86_64).number(call)
}

/// How the kernel names x86-64, or aarch64, to filters.
pub fn audit(x86_64: bool) -> u32 {
    architecture(x86_64).audit()
}

/// The kernel's word for what becomes of a call.
pub fn action(then: Then) -> u32 {
    then.action()
}

fn architecture(x86_64: bool) -> Architecture {
    if x86_64 { Architecture::X86_64 } else { Architecture::Aarch64 }
}

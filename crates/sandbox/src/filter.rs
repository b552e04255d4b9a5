//! Policies as programs of the kernel's packet filter, which it runs for every system call.
//!
//! The numbers are searched by halves, so that a call costs some ten instructions. Of calls that are allowed whatever their
//! arguments, Linux 5.11 and later keep a bitmap, and run nothing.

use crate::condition::{Comparison, Operator, Value};
use crate::policy::{Architecture, Decision, Policy, Then};
use crate::tables::SYSCALLS;

/// An instruction, as the kernel has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Instruction {
    pub(crate) code: u16,
    pub(crate) yes: u8,
    pub(crate) no: u8,
    pub(crate) value: u32,
}

/// A filter that lacks the worker's process id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) instructions: Vec<Instruction>,
    /// Instructions whose value the process id is to be.
    pub(crate) pids: Vec<u32>,
}

// What instructions do. `LOAD` is `BPF_LD | BPF_W | BPF_ABS`, the jumps compare with the value, as `AND` and `RETURN` use it.
pub(crate) const LOAD: u16 = 0x20;
pub(crate) const JUMP: u16 = 0x05;
pub(crate) const JUMP_EQUAL: u16 = 0x15;
pub(crate) const JUMP_GREATER: u16 = 0x25;
pub(crate) const JUMP_AT_LEAST: u16 = 0x35;
pub(crate) const AND: u16 = 0x54;
pub(crate) const RETURN: u16 = 0x06;

// Where what is looked at lies (`struct seccomp_data`).
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

/// Numbers from here on are of the x32 ABI, which only x86-64 has.
const X32: u32 = 0x4000_0000;

/// How far a conditional jump may go; less than its byte holds, for one may be put between.
const FAR: usize = 250;

impl Then {
    /// The kernel's word for it. A trap has 0 for what ends the call, else the error for the library.
    pub(crate) fn action(self) -> u32 {
        match self {
            Then::Allow => libc::SECCOMP_RET_ALLOW,
            Then::Deny => libc::SECCOMP_RET_TRAP,
            Then::Refuse(errno) => libc::SECCOMP_RET_TRAP | errno.unsigned_abs(),
            Then::Answer(errno) => libc::SECCOMP_RET_ERRNO | errno.unsigned_abs(),
            Then::Ask => libc::SECCOMP_RET_USER_NOTIF,
        }
    }
}

/// Makes the filter of a policy.
pub(crate) fn compile(policy: &Policy, architecture: Architecture) -> Program {
    let mut code = Backwards::default();
    let (starts, decisions) = ranges(policy, architecture);
    let mut first = code.search(&starts, &decisions);
    if architecture == Architecture::X86_64 {
        let deny = code.give(Then::Deny);
        first = code.branch(JUMP_AT_LEAST, X32, deny, first);
    }
    first = code.goto(first);
    let tree = code.push(LOAD, NUMBER);
    debug_assert_eq!(tree, first + 1);
    let deny = code.give(Then::Deny);
    let checked = code.branch(JUMP_EQUAL, architecture.audit(), tree, deny);
    code.goto(checked);
    code.push(LOAD, ARCHITECTURE);
    code.forwards()
}

/// Where a range of numbers begins that are treated alike.
struct Start {
    number: u32,
    decision: usize,
}

fn ranges(policy: &Policy, architecture: Architecture) -> (Vec<Start>, Vec<Decision>) {
    let always = |then| Decision { when: Vec::new(), then, otherwise: then };
    // Of a kernel younger than the table: as if it were older.
    let mut decisions = vec![always(Then::Refuse(libc::ENOSYS)), always(policy.default)];
    let mut by_number: Vec<(u32, usize)> = Vec::new();
    for syscall in SYSCALLS {
        let Some(number) = architecture.number(syscall) else { continue };
        let index = match policy.decisions.get(syscall.name) {
            None => 1,
            Some(decision) => decisions.iter().position(|known| known == decision).unwrap_or_else(|| {
                decisions.push(decision.clone());
                decisions.len() - 1
            }),
        };
        by_number.push((number, index));
    }
    by_number.sort_unstable();
    let mut starts: Vec<Start> = Vec::new();
    let mut start = |number, decision| {
        if starts.last().is_none_or(|last: &Start| last.decision != decision) {
            starts.push(Start { number, decision });
        }
    };
    let mut next = 0;
    for (number, decision) in by_number {
        if number > next {
            start(next, 0);
        }
        start(number, decision);
        next = number + 1;
    }
    start(next, 0);
    (starts, decisions)
}

/// Code that is written from its end, so that all targets of jumps are known. Places count from the end.
#[derive(Default)]
struct Backwards {
    code: Vec<Instruction>,
    pids: Vec<usize>,
}

impl Backwards {
    fn push(&mut self, code: u16, value: u32) -> usize {
        self.code.push(Instruction { code, yes: 0, no: 0, value });
        self.code.len() - 1
    }

    /// How many instructions lie between the next that is written and that place.
    fn distance(&self, place: usize) -> usize {
        self.code.len() - 1 - place
    }

    /// That place, or a jump to it, as what the next instruction is followed by.
    fn goto(&mut self, place: usize) -> usize {
        match self.distance(place) {
            0 => place,
            distance => self.push(JUMP, distance as u32),
        }
    }

    fn near(&mut self, place: usize) -> usize {
        match self.distance(place) {
            distance if distance > FAR => self.push(JUMP, distance as u32),
            _ => place,
        }
    }

    fn branch(&mut self, code: u16, value: u32, yes: usize, no: usize) -> usize {
        let (yes, no) = (self.near(yes), self.near(no));
        let (yes, no) = (self.distance(yes) as u8, self.distance(no) as u8);
        self.code.push(Instruction { code, yes, no, value });
        self.code.len() - 1
    }

    /// An instruction near enough that ends the program with this.
    fn give(&mut self, then: Then) -> usize {
        let wanted = Instruction { code: RETURN, yes: 0, no: 0, value: then.action() };
        let recent = self.code.len().saturating_sub(FAR / 2);
        let found = self.code[recent..].iter().rposition(|instruction| *instruction == wanted);
        found.map(|index| recent + index).unwrap_or_else(|| self.push(RETURN, then.action()))
    }

    fn search(&mut self, starts: &[Start], decisions: &[Decision]) -> usize {
        match starts {
            [] => self.give(Then::Deny),
            [start] => self.decide(&decisions[start.decision]),
            _ => {
                let (low, high) = starts.split_at(starts.len() / 2);
                let at_least = self.search(high, decisions);
                let less = self.search(low, decisions);
                self.branch(JUMP_AT_LEAST, high[0].number, at_least, less)
            }
        }
    }

    fn decide(&mut self, decision: &Decision) -> usize {
        if decision.when.is_empty() {
            return self.give(decision.then);
        }
        let mut failed = self.give(decision.otherwise);
        for alternative in decision.when.iter().rev() {
            let mut holds = self.give(decision.then);
            for comparison in alternative.iter().rev() {
                holds = self.compare(comparison, holds, failed);
            }
            failed = holds;
        }
        failed
    }

    fn compare(&mut self, comparison: &Comparison, yes: usize, no: usize) -> usize {
        let at = ARGUMENTS + 8 * u32::from(comparison.argument);
        let value = match comparison.value {
            Value::Number(number) => number,
            Value::OwnPid => 0,
        };
        let (yes, no, low) = match comparison.operator {
            Operator::Equal => (yes, no, JUMP_EQUAL),
            Operator::NotEqual => (no, yes, JUMP_EQUAL),
            Operator::Greater => (yes, no, JUMP_GREATER),
            Operator::AtMost => (no, yes, JUMP_GREATER),
            Operator::AtLeast => (yes, no, JUMP_AT_LEAST),
            Operator::Less => (no, yes, JUMP_AT_LEAST),
        };
        let jump = self.branch(low, value as u32, yes, no);
        if comparison.value == Value::OwnPid {
            self.pids.push(jump);
        }
        let mut first = self.half(at, comparison.mask as u32);
        if comparison.wide {
            let (high, mask) = ((value >> 32) as u32, (comparison.mask >> 32) as u32);
            // Equal: the lower half decides. Else the upper half has decided.
            let other = match low {
                JUMP_EQUAL => no,
                _ => self.branch(JUMP_GREATER, high, yes, no),
            };
            self.branch(JUMP_EQUAL, high, first, other);
            first = self.half(at + 4, mask);
        }
        first
    }

    /// Loads one half of an argument.
    fn half(&mut self, at: u32, mask: u32) -> usize {
        if mask != u32::MAX {
            self.push(AND, mask);
        }
        self.push(LOAD, at)
    }

    fn forwards(mut self) -> Program {
        let last = self.code.len() - 1;
        self.code.reverse();
        Program {
            instructions: self.code,
            pids: self.pids.into_iter().map(|place| (last - place) as u32).collect(),
        }
    }
}

#[cfg(test)]
mod tests;

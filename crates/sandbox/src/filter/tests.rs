//! Every rule on both of its sides, by running the filters as the kernel does.

use std::collections::BTreeSet;

use super::*;
use crate::condition::Comparison;
use crate::profile::{Profile, Sandbox};
use crate::sys::live::{self, Outcome};

/// The worker's process id in these tests.
const PID: u32 = 4711;

/// A system call as filters see it.
#[derive(Debug, Clone, Copy)]
struct Call {
    number: u32,
    architecture: u32,
    arguments: [u64; 6],
}

/// What the filter says, with the process id in place.
fn run(program: &Program, call: Call) -> u32 {
    let mut instructions = program.instructions.clone();
    program.pids.iter().for_each(|&place| instructions[place as usize].value = PID);
    let (mut at, mut word) = (0, 0u32);
    loop {
        let Instruction { code, yes, no, value } = instructions[at];
        at += 1;
        let jump = |holds: bool| usize::from(if holds { yes } else { no });
        match code {
            LOAD => {
                word = match value {
                    0 => call.number,
                    4 => call.architecture,
                    at => (call.arguments[(at as usize - 16) / 8] >> (8 * (at % 8))) as u32,
                }
            }
            AND => word &= value,
            JUMP => at += value as usize,
            JUMP_EQUAL => at += jump(word == value),
            JUMP_GREATER => at += jump(word > value),
            JUMP_AT_LEAST => at += jump(word >= value),
            RETURN => return value,
            other => panic!("instruction {other:#x}"),
        }
    }
}

fn profiles() -> Vec<Sandbox> {
    let custom = Sandbox {
        read: vec!["/".into()],
        connect: vec![1],
        allow: vec![
            "memfd_create".into(),
            "getdents64(arg2:64 > 0x100000000 && arg0 >= 3)".into(),
            "getdents64(arg2:64 == 7 && arg0 < 3)".into(),
            "ioctl(arg1 & 0xff00 == 0x5600)".into(),
            "mincore(arg0:64 != 0x200000001 && arg1:64 <= 0x300000002)".into(),
        ],
        ..Sandbox::of(Profile::Custom)
    };
    let walled = [Profile::Compute, Profile::Files, Profile::Network].map(Sandbox::of);
    walled.into_iter().chain([custom]).collect()
}

/// Policies of all profiles, both phases.
fn policies() -> Vec<Policy> {
    let both = |sandbox: &Sandbox| [Policy::load(sandbox).unwrap(), Policy::serve(sandbox).unwrap()];
    profiles().iter().flat_map(both).collect()
}

fn number(value: Value) -> u64 {
    match value {
        Value::Number(number) => number,
        Value::OwnPid => PID.into(),
    }
}

fn holds(comparison: &Comparison, arguments: &[u64; 6]) -> bool {
    comparison.holds(arguments, PID)
}

/// Arguments on both sides of every comparison of a decision: values at, below and above each, with and without other bits.
fn cases(decision: &Decision) -> Vec<[u64; 6]> {
    let mut values: Vec<BTreeSet<u64>> = vec![BTreeSet::from([0]); 6];
    for comparison in decision.when.iter().flatten() {
        let value = number(comparison.value);
        let set = &mut values[usize::from(comparison.argument)];
        for near in [value, value.wrapping_sub(1), value + 1, 0, 1, u64::from(u32::MAX), u64::MAX] {
            set.extend([near, near | !comparison.mask, near ^ 1 << 32, near | comparison.mask]);
        }
    }
    let mut cases = vec![[0; 6]];
    for (argument, set) in values.iter().enumerate() {
        cases = cases
            .iter()
            .flat_map(|case| {
                set.iter().map(move |&value| {
                    let mut case = *case;
                    case[argument] = value;
                    case
                })
            })
            .collect();
    }
    cases
}

#[test]
fn every_rule_on_both_sides_and_for_both_machines() {
    let (mut rules, mut allowed, mut denied) = (0, 0, 0);
    for architecture in [Architecture::X86_64, Architecture::Aarch64] {
        for policy in policies() {
            let program = compile(&policy, architecture);
            for syscall in SYSCALLS {
                let Some(number) = architecture.number(syscall) else { continue };
                let call = |arguments| Call { number, architecture: architecture.audit(), arguments };
                let Some(decision) = policy.decisions.get(syscall.name) else {
                    assert_eq!(
                        run(&program, call([u64::MAX; 6])),
                        policy.default.action(),
                        "{}",
                        syscall.name
                    );
                    continue;
                };
                rules += 1;
                let mut seen = BTreeSet::new();
                for arguments in cases(decision) {
                    let alternative = |all: &Vec<Comparison>| all.iter().all(|one| holds(one, &arguments));
                    let all = decision.when.is_empty() || decision.when.iter().any(alternative);
                    let expect = if all { decision.then } else { decision.otherwise };
                    assert_eq!(
                        run(&program, call(arguments)),
                        expect.action(),
                        "{} {arguments:x?} {decision:?} on {architecture:?}",
                        syscall.name
                    );
                    seen.insert(all);
                    *if expect == Then::Allow { &mut allowed } else { &mut denied } += 1;
                }
                assert_eq!(
                    seen.len(),
                    1 + usize::from(!decision.when.is_empty()),
                    "{}: one side only",
                    syscall.name
                );
            }
        }
    }
    assert!(rules > 2000 && allowed > 10_000 && denied > 10_000, "{rules} {allowed} {denied}");
}

#[test]
fn other_machines_and_numbers_are_denied() {
    for policy in policies() {
        for (architecture, other) in
            [(Architecture::X86_64, Architecture::Aarch64), (Architecture::Aarch64, Architecture::X86_64)]
        {
            let program = compile(&policy, architecture);
            let call = |architecture, number| run(&program, Call { number, architecture, arguments: [0; 6] });
            // i386 and 32-bit ARM, which the same kernels serve.
            for foreign in [other.audit(), 0x4000_0003, 0x4000_0028, 0] {
                for number in [0, 1, 39, 63, 172, u32::MAX] {
                    assert_eq!(call(foreign, number), Then::Deny.action());
                }
            }
            for number in [600, 1 << 20, X32 - 1] {
                assert_eq!(call(architecture.audit(), number), Then::Refuse(libc::ENOSYS).action());
            }
            if architecture == Architecture::X86_64 {
                for number in [X32, X32 + 39, X32 + 512, u32::MAX] {
                    assert_eq!(call(architecture.audit(), number), Then::Deny.action());
                }
            }
        }
    }
}

#[test]
fn programs_are_such_as_the_kernel_takes() {
    for architecture in [Architecture::X86_64, Architecture::Aarch64] {
        for policy in policies() {
            let Program { instructions, pids } = compile(&policy, architecture);
            assert!(instructions.len() < 4096, "{}", instructions.len());
            assert!(!pids.is_empty());
            for (at, instruction) in instructions.iter().enumerate() {
                let last = match instruction.code {
                    JUMP => instruction.value as usize,
                    RETURN | LOAD | AND => 0,
                    _ => usize::from(instruction.yes.max(instruction.no)),
                };
                assert!(at + last < instructions.len() - usize::from(instruction.code != RETURN));
            }
        }
    }
}

/// Allowed whatever their arguments, what is called often runs no filter at all: the kernel looks at number and architecture.
#[test]
fn frequent_calls_depend_on_no_argument() {
    for sandbox in profiles() {
        let policy = Policy::serve(&sandbox).unwrap();
        for call in [
            "futex",
            "read",
            "write",
            "mmap",
            "munmap",
            "madvise",
            "mprotect",
            "brk",
            "sched_yield",
            "getpid",
        ] {
            let decision = &policy.decisions[call];
            assert!(decision.when.is_empty() && decision.then == Then::Allow, "{call}");
        }
    }
}

/// The kernel lets these past every filter: its own code for probes makes them, and nobody else can do anything by them. One
/// fails, the other ends the process.
const UNFILTERED: [&str; 2] = ["uprobe", "uretprobe"];

/// What the kernel makes of the filters, and not only we: each call is really made, and none executed.
#[test]
fn the_kernel_says_of_every_rule_what_we_say() {
    let action = |outcome| match outcome {
        Outcome::Passed => Then::Allow,
        Outcome::Trapped(0) => Then::Deny,
        Outcome::Trapped(errno) => Then::Refuse(errno),
        Outcome::Failed(errno) => Then::Answer(errno),
    };
    let (mut rules, mut seen) = (0, BTreeSet::new());
    for policy in policies() {
        let mut program = compile(&policy, Architecture::NATIVE);
        program.pids.iter().for_each(|&place| program.instructions[place as usize].value = PID);
        let (mut calls, mut expected) = (Vec::new(), Vec::new());
        for syscall in SYSCALLS.iter().filter(|syscall| !UNFILTERED.contains(&syscall.name)) {
            let Some(number) = Architecture::NATIVE.number(syscall) else { continue };
            let Some(decision) = policy.decisions.get(syscall.name) else {
                calls.push((number, [u64::MAX; 6]));
                expected.push((syscall.name, policy.default));
                continue;
            };
            rules += 1;
            for arguments in cases(decision) {
                let alternative = |all: &Vec<Comparison>| all.iter().all(|one| holds(one, &arguments));
                let all = decision.when.is_empty() || decision.when.iter().any(alternative);
                calls.push((number, arguments));
                expected.push((syscall.name, if all { decision.then } else { decision.otherwise }));
            }
        }
        // Of a younger kernel, and of x32.
        for number in [600, 1 << 20] {
            calls.push((number, [0; 6]));
            expected.push(("of no table", Then::Refuse(libc::ENOSYS)));
        }
        if Architecture::NATIVE == Architecture::X86_64 {
            for number in [X32 + 39, X32 + 512] {
                calls.push((number, [0; 6]));
                expected.push(("of x32", Then::Deny));
            }
        }
        let outcomes = live::outcomes(&program, &calls);
        for (((name, then), call), outcome) in expected.iter().zip(&calls).zip(outcomes) {
            assert_eq!(action(outcome), *then, "{name} {call:x?}");
            seen.insert((*name, matches!(outcome, Outcome::Passed)));
        }
    }
    assert!(rules > 1000 && seen.len() > 450, "{rules} {}", seen.len());
}

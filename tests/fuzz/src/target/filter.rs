//! Filters of system calls: whatever the table of rules, the program says what the table means.

use hotcell_sandbox::seam::{self, Instruction, Table, Then};
use hotcell_sandbox::{Plan, Syscall};

use crate::Target;
use crate::script::Script;

pub(crate) const TARGET: Target = Target {
    name: "filter",
    about: "a random table of rules, compiled for both machines: the program, run as the kernel does, says what the table means; and a random plan of a wall is read or refused",
    longest: 2048,
    short: 3_000,
    run,
};

/// The worker's process id.
const PID: u32 = 4711;

/// Most instructions the kernel takes.
const MOST: usize = 4096;

/// A rule as it was meant.
struct Rule {
    call: &'static Syscall,
    when: Vec<Vec<Comparison>>,
    then: Then,
    otherwise: Then,
}

struct Comparison {
    argument: usize,
    wide: bool,
    mask: Option<u64>,
    operator: &'static str,
    /// None: the worker's process id.
    value: Option<u64>,
}

const OPERATORS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

const VALUES: [u64; 8] = [0, 1, 7, 0xff00, 0x7fff_ffff, 0xffff_ffff, 1 << 32, u64::MAX];

fn run(input: &[u8]) {
    if let Some(plan) = Plan::decode(input) {
        assert_eq!(plan.encode(), input, "a plan is written in one way only");
    }
    let mut script = Script::new(input);
    let default = then(&mut script);
    let mut table = Table::new(default);
    let mut rules: Vec<Rule> = Vec::new();
    while !script.is_over() && rules.len() < 64 {
        let rule = rule(&mut script);
        let when: Vec<String> = rule.when.iter().map(|all| written(all)).collect();
        assert!(table.add(rule.call, &when, rule.then, rule.otherwise), "{when:?} cannot be read");
        rules.retain(|other| other.call.name != rule.call.name);
        rules.push(rule);
    }
    for x86_64 in [true, false] {
        let program = table.filter(x86_64, PID);
        for rule in &rules {
            let Some(number) = seam::number(rule.call, x86_64) else { continue };
            for arguments in cases(rule) {
                let all = |all: &Vec<Comparison>| all.iter().all(|one| holds(one, &arguments));
                let then = match rule.when.is_empty() || rule.when.iter().any(all) {
                    true => rule.then,
                    false => rule.otherwise,
                };
                let said = execute(&program, (seam::audit(x86_64), number), &arguments);
                assert_eq!(said, seam::action(then), "{} {arguments:x?}", rule.call.name);
            }
        }
        check_others(&program, x86_64, &rules, default);
    }
}

/// System calls that no rule is about, numbers that are none, and other machines.
fn check_others(program: &[Instruction], x86_64: bool, rules: &[Rule], default: Then) {
    let own = seam::audit(x86_64);
    let numbers = |call: &Syscall| seam::number(call, x86_64);
    for call in seam::system_calls().iter().filter(|call| rules.iter().all(|it| it.call.name != call.name)) {
        if let Some(number) = numbers(call) {
            let said = execute(program, (own, number), &[u64::MAX; 6]);
            assert_eq!(said, seam::action(default), "{}", call.name);
        }
    }
    let last = seam::system_calls().iter().filter_map(numbers).max().unwrap_or(0);
    let unknown = seam::action(Then::Refuse(38));
    assert_eq!(execute(program, (own, last + 1), &[0; 6]), unknown);
    let deny = seam::action(Then::Deny);
    let foreign = seam::audit(!x86_64);
    assert_eq!(execute(program, (foreign, 1), &[0; 6]), deny);
    let x32 = if x86_64 { deny } else { unknown };
    assert_eq!(execute(program, (own, 0x4000_0000), &[0; 6]), x32);
}

fn then(script: &mut Script<'_>) -> Then {
    let errno = 1 + i32::from(script.u8() % 100);
    [Then::Allow, Then::Deny, Then::Refuse(errno), Then::Answer(errno)][script.below(4)]
}

fn rule(script: &mut Script<'_>) -> Rule {
    let calls = seam::system_calls();
    let call = &calls[usize::from(script.u16()) % calls.len()];
    let (then, otherwise) = (then(script), then(script));
    let alternatives = script.below(4);
    let when = (0..alternatives).map(|_| (0..1 + script.below(3)).map(|_| comparison(script)).collect());
    Rule { call, when: when.collect(), then, otherwise }
}

fn comparison(script: &mut Script<'_>) -> Comparison {
    let (argument, wide, operator) = (script.below(6), script.below(2) == 1, script.one_of(&OPERATORS));
    let fit = |number: u64| if wide { number } else { number & 0xffff_ffff };
    let mask = (script.below(2) == 1).then(|| fit(script.near(&VALUES)));
    let own_pid = !wide && mask.is_none() && script.below(4) == 0;
    let value = (!own_pid).then(|| fit(script.near(&VALUES)));
    Comparison { argument, wide, mask, operator, value }
}

/// As a contract writes it.
fn written(all: &[Comparison]) -> String {
    let one = |it: &Comparison| {
        let wide = if it.wide { ":64" } else { "" };
        let mask = it.mask.map(|mask| format!(" & {mask:#x}")).unwrap_or_default();
        let value = it.value.map_or("self".to_owned(), |value| value.to_string());
        format!("arg{}{wide}{mask} {} {value}", it.argument, it.operator)
    };
    all.iter().map(one).collect::<Vec<_>>().join(" && ")
}

fn holds(comparison: &Comparison, arguments: &[u64; 6]) -> bool {
    let bits = if comparison.wide { u64::MAX } else { 0xffff_ffff };
    let left = arguments[comparison.argument] & comparison.mask.unwrap_or(u64::MAX) & bits;
    let right = comparison.value.unwrap_or(PID.into());
    match comparison.operator {
        "==" => left == right,
        "!=" => left != right,
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        _ => left >= right,
    }
}

/// Arguments about the values that a rule compares with: one after the other, and all at once.
fn cases(rule: &Rule) -> Vec<[u64; 6]> {
    let mut cases = vec![[0; 6], [u64::MAX; 6]];
    let mut met = [0; 6];
    for comparison in rule.when.iter().flatten() {
        let value = comparison.value.unwrap_or(PID.into());
        let outside = !comparison.mask.unwrap_or(u64::MAX);
        for near in [value, value.wrapping_sub(1), value.wrapping_add(1), value | outside, value ^ 1 << 32] {
            let mut case = met;
            case[comparison.argument] = near;
            cases.push(case);
        }
        met[comparison.argument] = value;
        cases.push(met);
    }
    cases
}

/// What the kernel makes of a system call, by this program. It takes none that leaves itself, or runs backwards.
fn execute(program: &[Instruction], (machine, number): (u32, u32), arguments: &[u64; 6]) -> u32 {
    assert!(program.len() < MOST, "{} instructions", program.len());
    let (mut at, mut word) = (0, 0u32);
    loop {
        let (code, yes, no, value) = program[at];
        at += 1;
        let jump = |holds: bool| usize::from(if holds { yes } else { no });
        match code {
            // BPF_LD | BPF_W | BPF_ABS
            0x20 => {
                word = match value {
                    0 => number,
                    4 => machine,
                    16..64 if value.is_multiple_of(4) => {
                        let argument = arguments[(value as usize - 16) / 8];
                        (argument >> (8 * (value % 8))) as u32
                    }
                    _ => panic!("it loads what is not there"),
                }
            }
            // BPF_ALU | BPF_AND | BPF_K
            0x54 => word &= value,
            // BPF_JMP | BPF_JA, and BPF_JEQ, BPF_JGT, BPF_JGE with BPF_K
            0x05 => at += value as usize,
            0x15 => at += jump(word == value),
            0x25 => at += jump(word > value),
            0x35 => at += jump(word >= value),
            // BPF_RET | BPF_K
            0x06 => return value,
            other => panic!("the kernel takes no instruction {other:#x}"),
        }
    }
}

//! The library that fails: every fault an error value, and the next call works.

use std::time::{Duration, Instant};

use hotcell::{Error, ErrorKind, Options};
use hotcell_faulty::Faulty;

use crate::screen::{Screen, time};

/// A fault to show.
struct Fault {
    what: &'static str,
    function: &'static str,
    args: &'static [i128],
    expected: ErrorKind,
}

const FAULTS: [Fault; 8] = [
    Fault { what: "null dereference", function: "null_dereference", args: &[], expected: ErrorKind::Crashed },
    Fault { what: "stack overflow", function: "stack_overflow", args: &[0], expected: ErrorKind::Crashed },
    Fault { what: "abort()", function: "abort", args: &[], expected: ErrorKind::Crashed },
    Fault { what: "double free", function: "double_free", args: &[], expected: ErrorKind::Crashed },
    Fault { what: "division by zero", function: "divide", args: &[1, 0], expected: ErrorKind::Crashed },
    Fault { what: "exit(0)", function: "exit", args: &[0], expected: ErrorKind::Exited },
    Fault { what: "endless loop", function: "loop", args: &[], expected: ErrorKind::Hung },
    Fault { what: "deadlock", function: "deadlock", args: &[], expected: ErrorKind::Hung },
];

/// Deadline of a call of the demo.
const DEADLINE: Duration = Duration::from_millis(500);

pub(crate) fn show(screen: &Screen) -> Result<(), String> {
    screen.heading("A faulty library, contained: each call below would have ended this program");
    let faulty = screen.step("read its header, generate and compile its shim, load it", || {
        hotcell_faulty::bound().map_err(|error| error.to_string())?;
        Faulty::open(Options::default()).map_err(|error| error.to_string())
    })?;
    let faulty = faulty.within(DEADLINE);
    println!(
        "\n  {:18} {:58} {:>9}   next call",
        "the C code does", "the caller gets an error value", "after"
    );
    println!("  {}", "─".repeat(104));
    let mut survived = 0;
    for fault in &FAULTS {
        survived += usize::from(row(screen, &faulty, fault));
    }
    println!("  {}", "─".repeat(104));
    let all = FAULTS.len();
    println!(
        "  {survived} of {all} faults contained; this program (process {}) never noticed.",
        std::process::id()
    );
    if survived == all { Ok(()) } else { Err(format!("{} faults were not as expected", all - survived)) }
}

fn row(screen: &Screen, faulty: &Faulty, fault: &Fault) -> bool {
    let started = Instant::now();
    let outcome = faulty.int(fault.function, fault.args);
    let after = time(started.elapsed());
    let (as_expected, shown) = match &outcome {
        Err(error) => (error.kind() == fault.expected, said(error)),
        Ok(number) => (false, format!("returned {number}")),
    };
    let started = Instant::now();
    let next = faulty.int("add", &[20, 22]);
    let next_ok = matches!(next, Ok(42));
    let next = match next {
        Ok(sum) => format!("20 + 22 = {sum}, {}", time(started.elapsed())),
        Err(error) => error.to_string(),
    };
    let paint = |ok: bool, text: &str| if ok { screen.good(text) } else { screen.bad(text) };
    let shown: String = shown.chars().take(58).collect();
    println!(
        "  {:18} {} {after:>9}   {}",
        fault.what,
        paint(as_expected, &format!("{shown:58}")),
        paint(next_ok, &next)
    );
    as_expected && next_ok
}

fn said(error: &Error) -> String {
    format!("{}: {}", error.kind(), error.message())
}

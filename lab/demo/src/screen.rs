//! What the demo prints: steps, and a table with colours where there is a terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Where to print.
pub(crate) struct Screen {
    colours: bool,
}

impl Screen {
    pub(crate) fn new() -> Screen {
        let wanted = std::env::var_os("NO_COLOR").is_none();
        Screen { colours: wanted && std::io::stdout().is_terminal() }
    }

    pub(crate) fn heading(&self, text: &str) {
        println!("\n{}", self.paint("1", text));
    }

    /// Runs a step and prints it with the time it took.
    pub(crate) fn step<T>(&self, what: &str, step: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
        print!("  {what} … ");
        // Shown while the step runs; if it cannot be, the step matters more.
        let _ = std::io::stdout().flush();
        let started = Instant::now();
        let result = step();
        match &result {
            Ok(_) => println!("{} {}", self.good("ok"), self.dim(&time(started.elapsed()))),
            Err(_) => println!("{}", self.bad("failed")),
        }
        result
    }

    pub(crate) fn good(&self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn bad(&self, text: &str) -> String {
        self.paint("31", text)
    }

    pub(crate) fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(crate) fn failed(&self, text: &str) {
        eprintln!("\n{} {text}", self.bad("the demo failed:"));
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A time with three digits at most.
pub(crate) fn time(time: Duration) -> String {
    match time.as_micros() {
        0..1_000 => format!("{} µs", time.as_micros()),
        1_000..10_000 => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        10_000..1_000_000 => format!("{} ms", time.as_millis()),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

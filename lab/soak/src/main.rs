//! `hotcell-soak`: what `cargo dev soak` runs.
#![forbid(unsafe_code)]

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Parser, ValueEnum};
use hotcell_soak::{Plan, Progress, soak};

/// Clients of every isolation setting under load, with faults at random: an account of every error.
#[derive(Parser)]
struct Args {
    /// For how long.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// And until so many workers that served were killed, but no longer than twenty times that, which is a failure then.
    #[arg(long, default_value_t = 0)]
    kills: usize,
    /// Threads that call; two tasks for each setting but one come besides.
    #[arg(long, default_value_t = 22, value_parser = clap::value_parser!(u32).range(1..=1000))]
    clients: u32,
    /// Where random choices begin; else the time says. Which threads meet is chance all the same.
    #[arg(long)]
    seed: Option<u64>,
    /// Most milliseconds between two faults from outside.
    #[arg(long, default_value_t = 20)]
    pause: u64,
    /// Not to measure what single faults cost before.
    #[arg(long)]
    no_bars: bool,
    /// To forget what was done from outside: errors are without a reason then, and the soak fails, which shows that it can.
    #[arg(long)]
    forget: bool,
    /// Figures beyond their bar are a failure.
    #[arg(long)]
    check: bool,
    /// How the account is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = args.seed.unwrap_or(now.as_secs() % 1_000_000);
    let plan = Plan {
        time: Duration::from_secs(args.seconds),
        kills: args.kills,
        clients: args.clients,
        seed,
        pause: Duration::from_millis(args.pause),
        measures: !args.no_bars,
        forgets: args.forget,
    };
    eprintln!("seed {seed}");
    let terminal = std::io::stderr().is_terminal();
    let account = soak(&plan, &mut |progress| show(terminal, &progress));
    if terminal {
        eprint!("\r\x1b[K");
    }
    match account {
        Ok(account) => {
            match args.format {
                Format::Text => print!("{}", account.to_text()),
                Format::Json => println!("{:#}", account.to_json()),
            }
            let well = account.is_well() && (account.holds_bars() || !args.check);
            if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A line that is written over itself.
fn show(terminal: bool, progress: &Progress) {
    let Progress { time, right, wrong, failed, kills } = progress;
    if terminal {
        let seconds = time.as_secs();
        eprint!(
            "\r\x1b[K{seconds} s: {right} calls right, {failed} failed, {wrong} wrong, {kills} workers killed"
        );
        let _ = std::io::stderr().flush();
    }
}

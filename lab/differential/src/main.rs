//! `hotcell-differential`: compares direct and contained calls of any library.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use hotcell_bind::{Job, Source};
use hotcell_differential::{Settings, run};

/// Calls what can be called of a library, directly and contained, with the same inputs, and compares.
#[derive(Parser)]
struct Args {
    /// A header, or a contract (`bind.toml`).
    source: PathBuf,
    /// The library of a header: `z`, `libz.so.1`, or a path.
    #[arg(long = "lib")]
    library: Option<String>,
    /// The library's recipes; of a contract `differential.toml` beside it, if there is one.
    #[arg(long)]
    recipes: Option<PathBuf>,
    /// Only this function or scenario.
    #[arg(long)]
    function: Option<String>,
    /// Tell every call and what came of it directly.
    #[arg(long)]
    show: bool,
    /// Make contained calls in batches, as far as they can be.
    #[arg(long)]
    batch: bool,
    /// What random values come from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds a call may take.
    #[arg(long, default_value_t = 10)]
    patience: u64,
    /// A directory with headers.
    #[arg(short = 'I')]
    include_dirs: Vec<PathBuf>,
    /// A macro to define: NAME or NAME=VALUE.
    #[arg(short = 'D')]
    defines: Vec<String>,
    /// A directory with libraries.
    #[arg(short = 'L')]
    library_dirs: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let beside = args.source.with_file_name("differential.toml");
    let contract = args.source.extension().is_some_and(|ending| ending == "toml");
    let source = match (contract, args.library) {
        (true, None) => Source::Contract(args.source),
        (false, Some(library)) => {
            Source::Headers { headers: vec![args.source.display().to_string()], library, any_null: true }
        }
        _ => {
            eprintln!("a header needs `--lib NAME`; a contract names its library itself");
            return ExitCode::from(2);
        }
    };
    let job = Job {
        source,
        only: None,
        include_dirs: args.include_dirs,
        defines: args.defines,
        library_dirs: args.library_dirs,
    };
    let patience = std::time::Duration::from_secs(args.patience);
    let recipes = args.recipes.or_else(|| Some(beside).filter(|it| contract && it.is_file()));
    let Args { seed, function: only, show, batch, .. } = args;
    let settings = Settings { seed, patience, recipes, only, show, batch };
    match run(&job, &settings) {
        Ok(report) => {
            print!("{report}");
            if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(text) => {
            eprintln!("{text}");
            ExitCode::from(2)
        }
    }
}

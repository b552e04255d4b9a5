//! `hotcell trace`: what a library really needs while a program runs its calls, as a profile.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus};

use clap::Args;
use hotcell::{Require, Sandbox};
use hotcell_bind::{Checked, Job, Source};
use hotcell_model::interface::{SandboxLines, SandboxRequire};
use hotcell_sandbox::trace::{FILE, LIBRARY, Needs, Proposal};

use crate::args::Format;
use crate::fail::Failure;
use crate::print::{self, complain, out};
use crate::target::{Target, unwritable};

mod page;

#[derive(Debug, Args)]
#[command(after_long_help = "\
Runs the program with its words, and notes what the library of the contract does in every session that the program opens, and in \
those of the programs that it starts. What is written is the plainest profile under which the same calls pass: `compute`, \
`files`, `network`, or `custom` with single system calls, and their arguments as far as these say what a call does. Copy it \
into the contract, behind its other keys; docs/reference/trace.md says what is in it, and what it cannot say.

While the library is traced, what is denied in every profile is denied, and everything else goes on: it can do whatever the user may \
with files and the network. Trace libraries that you trust with that, with inputs that you know.

As JSON: an object with `sandbox`, which has the keys of the contract's, `wide`, `refused` and `unnamed`, each a list of objects with \
`call` and more, and `hidden`, the calls of which nothing could be read.

Exit status: that of the program, or 128 and the number of the signal that ended it; what it did until then is written all the \
same. 113 (InvalidArgument) when the contract is wrong, the program cannot be started, or opened no session of the library.

Examples:
  hotcell trace bind.toml -- ./my-program --its-option
  hotcell trace bind.toml -o sandbox.toml -- hotcell call bind.toml load_settings /etc/app.conf")]
pub(crate) struct TraceArgs {
    /// The contract of the library that is traced
    #[arg(value_name = "BIND.TOML")]
    pub(crate) contract: PathBuf,
    /// The program that calls it, and its arguments
    #[arg(value_name = "PROGRAM", required = true, last = true)]
    pub(crate) program: Vec<std::ffi::OsString>,
    /// Write the profile to this file [default: standard output, behind what the program prints]
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// How the profile is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// Search this directory for headers
    #[arg(short = 'I', value_name = "DIR")]
    pub(crate) include_dirs: Vec<PathBuf>,
    /// Search this directory for libraries
    #[arg(short = 'L', value_name = "DIR")]
    pub(crate) library_dirs: Vec<PathBuf>,
}

pub(crate) fn run(args: &TraceArgs) -> ExitCode {
    match trace(args) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => failure.report(args.format),
    }
}

fn trace(args: &TraceArgs) -> Result<u8, Failure> {
    let Checked { interface, warnings, .. } = hotcell_bind::check(&Job {
        source: Source::Contract(args.contract.clone()),
        only: None,
        include_dirs: args.include_dirs.clone(),
        defines: Vec::new(),
        library_dirs: args.library_dirs.clone(),
    })?;
    hotcell_bind::shown(&warnings).for_each(|warning| complain(&warning));
    // Before the program runs: what cannot be written would be lost.
    let target = args
        .output
        .as_ref()
        .map(|path| Target::open(path).map_err(|error| Failure::Usage(unwritable(path, &error))));
    let target = target.transpose()?;
    let folder = tempfile::Builder::new().prefix("hotcell-trace-").tempdir();
    let folder =
        folder.map_err(|error| Failure::Usage(format!("cannot make a directory for the trace: {error}")))?;
    let file = folder.path().join("seen");
    let status = run_program(args, &interface.library, &file)?;
    let text = std::fs::read(&file).unwrap_or_default();
    let (needs, other) = Needs::read(&String::from_utf8_lossy(&text));
    for line in other {
        complain(&format!("the trace has a line that says nothing, and is left out: {line:?}"));
    }
    if !needs.any_worker() {
        let library = &interface.library;
        let message = format!(
            "the program opened no session of `{library}` in this environment, so nothing was seen of it"
        );
        return Err(Failure::Usage(message));
    }
    let proposal = needs.proposal(&base(&interface.sandbox));
    write(args, target, &proposal)?;
    let code = code(status);
    if code != 0 {
        complain(&format!(
            "the program ended with {status}: the profile has what the library did until then"
        ));
    }
    Ok(code)
}

fn run_program(args: &TraceArgs, library: &str, file: &std::path::Path) -> Result<ExitStatus, Failure> {
    let (program, words) = args.program.split_first().expect("one is required");
    let mut command = Command::new(program);
    command.args(words).env(FILE, file).env(LIBRARY, library);
    let name = program.to_string_lossy();
    command.status().map_err(|error| Failure::Usage(format!("`{name}` cannot be started: {error}")))
}

/// What of the contract's sandbox stays as it is.
fn base(lines: &SandboxLines) -> Sandbox {
    let require = match lines.require {
        SandboxRequire::Offered => Require::Offered,
        SandboxRequire::Strict => Require::Strict,
        SandboxRequire::Namespaces => Require::Namespaces,
    };
    let write_xor_execute = lines.write_xor_execute;
    Sandbox { refuse: lines.refuse.clone(), write_xor_execute, require, ..Sandbox::default() }
}

fn write(args: &TraceArgs, target: Option<Target>, proposal: &Proposal) -> Result<(), Failure> {
    let text = match args.format {
        Format::Text => page::text(proposal),
        Format::Json => print::json(&page::json(proposal)),
    };
    let written = match target {
        Some(target) => target.write(text.as_bytes()),
        None => out(&text),
    };
    written.map_err(|error| Failure::Usage(format!("the profile cannot be written: {error}")))
}

/// As a shell has it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

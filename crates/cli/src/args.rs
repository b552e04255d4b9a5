//! The command line, as clap reads it.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::memory::MemoryArgs;
use crate::sandbox::SandboxArgs;
use crate::serve::ServeArgs;
use crate::trace::TraceArgs;

mod watch;

pub(crate) use watch::{LookArgs, PsArgs, ReloadArgs, StatsArgs};

/// Call C libraries in a worker process: a crash on the C side is an error value.
#[derive(Debug, Parser)]
#[command(name = "hotcell", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Draft a contract from headers and a library
    Init(InitArgs),
    /// Call one function of a C library, contained
    Call(Box<CallArgs>),
    /// Check a contract against its headers and its library
    Check(CheckArgs),
    /// Explain one function: what each parameter is and why, or what is missing
    Explain(ExplainArgs),
    /// Walk through what a contract leaves undecided, and write what is answered
    Decide(DecideArgs),
    /// Tell what changed between two states of a library, and whether it breaks programs
    Diff(DiffArgs),
    /// Generate a package from a contract
    Gen(GenArgs),
    /// Generate a package with its shim compiled
    Build(BuildArgs),
    /// Tell what this machine has and lacks, and try a call and a crash
    Doctor(DoctorArgs),
    /// Write the profile of what a library needs while a program calls it
    Trace(TraceArgs),
    /// Show the workers of processes that let others look
    Ps(PsArgs),
    /// Show what is known of sessions and functions of processes that let others look
    Stats(StatsArgs),
    /// Have processes load a library anew
    Reload(ReloadArgs),
    /// Have the workers of programs in other languages
    Serve(ServeArgs),
    /// Measure what calls cost on this machine, beside its own limits
    Bench(BenchArgs),
    /// Show what becomes of everything that goes wrong in C: called directly, and contained
    Lab(LabArgs),
    /// Print the JSON Schema of contracts
    #[command(after_long_help = "\
It has every key of a contract with a sentence, and what goes with what; the headers it does not know. Editors \
that use taplo find it by the first line of a contract, `#:schema bind.schema.json`.

Exit status: 0 when it is printed.

Examples:
  hotcell schema > bind.schema.json")]
    Schema,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// How the library is described.
#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// The contract (`bind.toml`), or a header with `--lib`
    #[arg(value_name = "BIND.TOML | HEADER")]
    pub(crate) source: PathBuf,
    /// The library a header belongs to: `z`, `libz.so.1`, or a path
    #[arg(long = "lib", value_name = "NAME")]
    pub(crate) library: Option<String>,
    /// Another header of the library, included before it; may be given again
    #[arg(long = "header", value_name = "HEADER")]
    pub(crate) headers: Vec<String>,
    /// Search this directory for headers
    #[arg(short = 'I', value_name = "DIR")]
    pub(crate) include_dirs: Vec<PathBuf>,
    /// Define a macro before the headers are read
    #[arg(short = 'D', value_name = "NAME[=VALUE]", value_parser = define)]
    pub(crate) defines: Vec<String>,
    /// Search this directory for libraries
    #[arg(short = 'L', value_name = "DIR")]
    pub(crate) library_dirs: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
The draft has the library, its headers, and for each function that is undecided a block of comments: why, its \
declaration, and the lines that would decide it. Taking the `#` away decides. Functions that need no line have none. \
Before them stand structures of which nothing says whether they are objects or travel with their fields, with what \
waits for them: one line decides for many functions. Of functions with `...` it begins a form, to be completed. What \
was found is told on standard error.

A header that does not compile by itself is tried with standard headers before it; what it needs of them becomes the \
draft's `prelude`.

Exit status: 0 when the draft is written; 113 (InvalidArgument) when a header does not compile, or the file exists \
already; 117 (LoadFailed) when the library cannot be found or read. Then nothing is written.

Examples:
  hotcell init /usr/include/zlib.h --lib z
  hotcell init moon.h moon_extra.h --lib build/libmoon.so -I include -o contracts/moon.toml
  hotcell init sqlite3.h --lib sqlite3 -o -")]
pub(crate) struct InitArgs {
    /// The headers, in the order in which they are included
    #[arg(value_name = "HEADER", required = true)]
    pub(crate) headers: Vec<String>,
    /// The library they belong to: `z`, `libz.so.1`, or a path
    #[arg(long = "lib", value_name = "NAME")]
    pub(crate) library: String,
    /// Search this directory for headers; the draft's `include_dirs`
    #[arg(short = 'I', value_name = "DIR")]
    pub(crate) include_dirs: Vec<PathBuf>,
    /// Define a macro before the headers are read; the draft's `defines`
    #[arg(short = 'D', value_name = "NAME[=VALUE]", value_parser = define)]
    pub(crate) defines: Vec<String>,
    /// Search this directory for the library
    #[arg(short = 'L', value_name = "DIR")]
    pub(crate) library_dirs: Vec<PathBuf>,
    /// The contract to write; `-` for standard output
    #[arg(short = 'o', long = "output", value_name = "FILE", default_value = "bind.toml")]
    pub(crate) output: PathBuf,
    /// Replace the file if there is one
    #[arg(long)]
    pub(crate) force: bool,
    /// C text before the first `#include`; the draft's `prelude`
    #[arg(long, value_name = "TEXT")]
    pub(crate) prelude: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_long_help = "\
Arguments, one for each parameter that is not filled by itself (lengths, capacities, out values and fixed \
arguments are left away):
  42  -1  0x1f  1.5     a number; names of the header's constants and enumerators too
  true  false           a truth value
  hello                 a text, or the bytes of a buffer
  @FILE                 the contents of a file (@- for standard input)
  hex:00ff7f            bytes
  1,2,3                 the elements of a buffer of numbers
  null                  NULL, where the contract allows it
  =TEXT                 TEXT as it is, for texts that begin with one of the above

Exit status: 0 when the call returned, 1 when it did and a result could not be written, 2 for a wrong command line, otherwise the status of the error's kind \
(Crashed 101, Exited 102, Hung 103, …; see docs/reference/errors.md).

Examples:
  hotcell call /usr/include/zlib.h --lib z crc32 0 hello
  hotcell call bind.toml compress2 @book.txt 9 -o dest=book.z
  hotcell call /usr/include/stdlib.h --lib c abort
  hotcell call bind.toml load_settings /etc/app.conf --sandbox files --read /etc/app.conf
  hotcell call bind.toml parse @input --guard all --memory 64MiB --heap"
)]
pub(crate) struct CallArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// The function to call
    pub(crate) function: String,
    /// Its arguments; `--help` tells how they are written
    #[arg(value_name = "ARGS")]
    pub(crate) args: Vec<String>,
    /// How long the call may take: `500ms`, `2s`, `1m`
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) deadline: Option<Duration>,
    /// Put its worker into the control group with this directory, an absolute path; of version 1 one for each hierarchy
    #[arg(long = "control-group", value_name = "DIR")]
    pub(crate) control_groups: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) sandbox: SandboxArgs,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
    /// How results and errors are printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// Write a result to a file, bytes and texts as they are, numbers as JSON; the returned value's name is
    /// `return`
    #[arg(short = 'o', long = "output", value_name = "NAME=FILE")]
    pub(crate) outputs: Vec<Named>,
    /// Elements an out buffer may hold, where the contract leaves it to the caller [default: the larger of
    /// 1 MiB and 16 times the arguments' bytes]
    #[arg(long = "capacity", value_name = "NAME=N")]
    pub(crate) capacities: Vec<Named>,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Every function that the contract selects is listed, in the order of the headers:
  bound         it can be called; its weakest ground: proven, inferred or decided
  undecided     a line of the contract is missing; the reason, and the line to add
  unsupported   no line would help, with the reason
  not exported  the headers declare it and the library does not have it
  open type     a structure that functions point to: what it is to callers decides for all of them

Below a function that is bound stands which data, texts and objects the library keeps of what it is given, and \
until when. Functions whose copies or objects only the end of the worker ends are named at the end.

For programs (`--format json`) a function that is bound has the inference rules behind it besides, as `rules`, \
and what is kept, as `keeps`.

A header alone that does not compile by itself is tried with standard headers before it, here and by `hotcell call`.

Of what is wrong with a contract the first hundred are shown, here and by other commands, and how many more there are; as JSON \
all is told.

Exit status: 0 when the contract is valid, 113 (InvalidArgument) when a line of it or of a header is wrong, \
117 (LoadFailed) when the library cannot be read, 125 (Unsupported) with `--strict` when a function is undecided.

Examples:
  hotcell check bind.toml
  hotcell check bind.toml --strict --format json
  hotcell check /usr/include/zlib.h --lib z")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// How the report is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// Fail when a function is undecided
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Each fact is told with its ground:
  proven    the C type says it
  inferred  a named rule says it; docs/reference/inference.md and objects.md have them all
  decided   a line of the contract says it, shown with its number

Exit status: 0 when the headers declare the function, bound or not; 113 (InvalidArgument) when they do not, or when \
contract or header are wrong.

Examples:
  hotcell explain bind.toml compress2
  hotcell explain /usr/include/zlib.h --lib z crc32 --format json")]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// The function to explain
    pub(crate) function: String,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
First structures of which nothing says whether they are objects or travel with their fields: one line decides for many functions. \
Then each function that is undecided, in the order of the headers: its declaration and its comment there, why it is \
undecided, and the lines that would decide it. Answers are lines of standard input; `?` tells which there are.

A line with several readings is not guessed: `2b` takes the second reading of line 2, and only then `y` writes. \
`x because REASON` excludes a function for good.

What is answered is checked against the header first, and written at once: a walk can be stopped with `q` at any question and \
begun again. The rest of the contract stays as it is, but for the comments that `hotcell init` wrote about what is decided now. \
Nothing is written over a file that is read-only, or that somebody else has changed meanwhile.

Exit status: 0 at the end or with `q`; 113 (InvalidArgument) when the contract is wrong, cannot be written, or has changed \
meanwhile; 117 (LoadFailed) when the library cannot be found or read.

Examples:
  hotcell decide bind.toml
  hotcell decide bind.toml compress2 uncompress")]
pub(crate) struct DecideArgs {
    /// The contract (`bind.toml`)
    #[arg(value_name = "BIND.TOML")]
    pub(crate) contract: PathBuf,
    /// Ask about these functions only
    #[arg(value_name = "FUNCTION")]
    pub(crate) functions: Vec<String>,
    /// Search this directory for headers
    #[arg(short = 'I', value_name = "DIR")]
    pub(crate) include_dirs: Vec<PathBuf>,
    /// Search this directory for libraries
    #[arg(short = 'L', value_name = "DIR")]
    pub(crate) library_dirs: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
A state is a contract, with the headers and the library that are there now, or a package, with what it was generated from. So \
a package and its contract, after an upgrade of the library, tell what the upgrade brings.

What breaks programs: a function that is gone, can no longer be called, or takes or gives something else; a structure that \
travels and has other fields; a constant or an enumerator that is gone, or an enumerator with another value; another soname. \
What is new, other values of constants (a version), and other comments break none.

A contract whose library is contained less than before says so by itself: another profile, more that `sandbox` names, less \
that it demands, less that is guarded (`guard`). It breaks no program, and the exit status is that of the rest. Paths \
and lines of `allow` are compared as they are written; one without a condition covers all that have one.

As JSON: an object with `changes`, each with `kind` (added, removed, changed; of `sandbox` and `guard` also weakened, \
tightened), `subject`, `name`, `details` and `breaks`, and `summary`, with `breaking`, `weakened` and `other`.

Exit status: 0 when nothing breaks programs, 1 when something does; 113 (InvalidArgument) when a state cannot be read, 117 \
(LoadFailed) when a contract's library cannot.

Examples:
  hotcell diff moon-hotcell bind.toml
  hotcell diff old/interface.json new/interface.json --format json")]
pub(crate) struct DiffArgs {
    /// The first state: a contract, a package, or the `interface.json` of one
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,
    /// The second state
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    /// Search this directory for headers of contracts
    #[arg(short = 'I', value_name = "DIR")]
    pub(crate) include_dirs: Vec<PathBuf>,
    /// Search this directory for libraries of contracts
    #[arg(short = 'L', value_name = "DIR")]
    pub(crate) library_dirs: Vec<PathBuf>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

/// The package to make.
#[derive(Debug, Args)]
pub(crate) struct PackageArgs {
    /// The contract
    #[arg(value_name = "BIND.TOML")]
    pub(crate) contract: PathBuf,
    /// The language of the package
    #[arg(long, value_name = "LANG", default_value = "rust")]
    pub(crate) lang: Lang,
    /// The folder to write the package to
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Overwrite files there that were not generated, or were edited since
    #[arg(long)]
    pub(crate) force: bool,
    /// Name of the package; of a Go module its path [default: the library's name and `-hotcell`; in Python `_hotcell`]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Where the package finds Hotcell's runtime, as its language writes that: in Cargo.toml behind `hotcell =`; a version or a folder of the Go module, which packages have in them otherwise; not in Python
    #[arg(long, value_name = "RUNTIME")]
    pub(crate) runtime: Option<String>,
    /// Search this directory for headers
    #[arg(short = 'I', value_name = "DIR")]
    pub(crate) include_dirs: Vec<PathBuf>,
    /// Search this directory for libraries
    #[arg(short = 'L', value_name = "DIR")]
    pub(crate) library_dirs: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
A package in Rust compiles its shim when it is built: there it needs a C compiler, the library and its header. One in Go has it \
compiled by `go generate`, with the same needs. `hotcell build` makes packages that need neither.

What lies in the folder and was not generated stays. Where such a file, or a generated one that was edited, would have to be \
replaced, nothing is written; `--force` replaces it. hotcell.files in the package says what was generated.

Exit status: 0 when the package is written, or up to date with `--check`; otherwise the status of the error's kind \
(InvalidArgument 113, LoadFailed 117, Unsupported 125). Then nothing is written.

Examples:
  hotcell gen bind.toml --out moon-hotcell
  hotcell gen bind.toml --out moon-hotcell --check
  hotcell gen bind.toml --lang go --name example.org/moon --out moon")]
pub(crate) struct GenArgs {
    #[command(flatten)]
    pub(crate) package: PackageArgs,
    /// Write nothing; fail when the folder is not what would be written
    #[arg(long, conflicts_with = "force")]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
As `hotcell gen`, with the compiled shim in the package (shim/shim.so; in Go compiled/shim.so), and a stamp that says whose it is. Where such a \
package is built no C compiler is needed for the shim, no header and no libclang. A shim that does not belong to its \
package is refused when the package is built, with what differs.

The shim runs where the library is, on machines of this architecture, with the version of the GNU C library that is \
printed, or a later one. Build it on the oldest system it is to run on.

Exit status: 0 when the package is written; otherwise the status of the error's kind (InvalidArgument 113, AbiMismatch 115 \
when the compiler contradicts the header, LoadFailed 117, Unsupported 125). Then nothing is written.

Examples:
  hotcell build bind.toml --out moon-hotcell
  CC='clang -O3' hotcell build bind.toml --out moon-hotcell --name moon-contained")]
pub(crate) struct BuildArgs {
    #[command(flatten)]
    pub(crate) package: PackageArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Each line is one of
  ok       it is there
  limited  calls work without it; what it would be good for, and how to get it
  failed   calls do not work without it; why, and the command that mends it

The self-test binds two functions of the C library at run time, calls one in a worker, has the other one crash the \
worker, and calls again. Where only packages of `hotcell build` run, C compiler and libclang are not needed.

Exit status: 0 when calls work, 117 (LoadFailed) when something failed.

Examples:
  hotcell doctor
  hotcell doctor --format json")]
pub(crate) struct DoctorArgs {
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Needs nothing but this program and its worker: neither a compiler nor libclang nor a library. The library that is measured \
is in it.

With `--lang`, programs in other languages make the same calls, contained and by what the language has for calling C: ctypes, cffi in \
API mode and multiprocessing in Python, cgo in Go. They are in this program, too, and need of the machine: for Python an interpreter with \
the module `hotcell`, and for cffi that module, a C compiler and Python's headers; for Go the toolchain, and for cgo a \
C compiler.

Each figure is measured in every round, what it is held against right before it; the ratio is the median of the ratios of \
all rounds. Times of machines differ and vary, ratios less so. docs/internals/data-path.md says what each figure is. A figure \
that this machine cannot have is left out, with the reason.

As JSON: an object with `machine`, `figures`, each with `id`, `unit`, `median`, `min`, `max`, `baseline`, `ratio`, `bar` and `ok`, \
and `left_out`, each with `id` and `reason`.

Exit status: 0 when it has measured; 1 with `--check` when a figure is beyond its bar; otherwise the status of the error's \
kind (InvalidArgument 113, LoadFailed 117, …).

Examples:
  hotcell bench
  hotcell bench --quick --only raw.spin --only contained.add
  hotcell bench --lang python --python venv/bin/python
  hotcell bench --lang go
  hotcell bench --rounds 25 --format json > bench.json")]
pub(crate) struct BenchArgs {
    /// A run of seconds: fewer rounds, and fewer calls in each
    #[arg(long)]
    pub(crate) quick: bool,
    /// Measure only the figure of this name, or those whose names contain it, and what they are held against; may be
    /// given again
    #[arg(long, value_name = "PATTERN")]
    pub(crate) only: Vec<String>,
    /// Measure calls that are made in this language [default: rust]; may be given again
    #[arg(long, value_name = "LANG")]
    pub(crate) lang: Vec<CallsIn>,
    /// The interpreter of `--lang python` [default: python3]
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) python: Option<PathBuf>,
    /// A folder with another runtime for `--lang go` than the one in this program
    #[arg(long, value_name = "DIR")]
    pub(crate) runtime: Option<PathBuf>,
    /// How many rounds [default: 9, or 3 with `--quick`]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: Option<u32>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// Fail when a figure is beyond its bar
    #[arg(long)]
    pub(crate) check: bool,
    /// Answer the raw limits of another run
    #[arg(long, hide = true)]
    pub(crate) peer: bool,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Needs nothing but this program and its worker: neither a compiler nor libclang nor a library. The library that goes wrong is in it, \
and a program that calls it directly.

With `--via go` and `--via python` the calls are those of a program in that language, made with a package that is generated for it, and \
what calls directly uses cgo, or ctypes. For Go that needs `go` 1.24 or later on the PATH, and a C compiler for cgo. \
For Python it needs `python3` 3.11 or later on the PATH with the package `hotcell` of this version. \
What else there is to it is in this program. A row that no program in the language can have says so, and is skipped.

Each row is one fault. It happens in a program that calls the library directly, whose end is told, and then behind a session: what the \
caller got, and whether the call after that was right. Before and after, processes, descriptors, shared memory and threads are counted, \
and somebody else calls the same library all the while. A row counts only where the fault was seen in both ways. docs/lab.md says what \
each row expects.

As JSON: a list of objects with `id`, `name`, `group`, `direct`, `expected`, `got`, `ok`, `next_call_ok`, `leaked` with `processes`, \
`descriptors`, `segments`, `threads` and `files`, `bystander_ok` and `ms`; or with `skipped`, the reason why a row was not tried.

Exit status: 0 when every row that was tried is as expected; 1 when one is not; otherwise the status of the error's kind \
(InvalidArgument 113, LoadFailed 117, …).

Examples:
  hotcell lab
  hotcell lab M1 'F*'
  hotcell lab use-after-free-across-the-border
  hotcell lab --via go
  hotcell lab --format json > lab.json")]
pub(crate) struct LabArgs {
    /// Rows to try: an id, the beginning of ids with `*`, or a name [default: all]
    #[arg(value_name = "ROW")]
    pub(crate) rows: Vec<String>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// Print the rows, and try none
    #[arg(long)]
    pub(crate) list: bool,
    /// Whose calls they are tried with: those of a program in this language, beside one that calls directly
    #[arg(long, value_name = "LANGUAGE", default_value = "rust")]
    pub(crate) via: Client,
    /// Play the host of another run
    #[arg(long, hide = true, value_name = "ROLE")]
    pub(crate) host: Option<String>,
    /// See to it that nothing is left of the run that this process asks for
    #[arg(long, hide = true, value_name = "PID")]
    pub(crate) warden: Option<u32>,
    /// Be the run itself, which others are around
    #[arg(long, hide = true)]
    pub(crate) inside: bool,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// A language that measured calls are made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CallsIn {
    /// This program itself, beside the machine's limits
    Rust,
    /// A program without cgo, and one with cgo
    Go,
    /// Programs with the module `hotcell`, ctypes, cffi and multiprocessing
    Python,
}

/// Whose calls rows of the lab are tried with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Client {
    /// This program's; what calls directly is in C
    Rust,
    /// A program's in Go; what calls directly uses cgo
    Go,
    /// A program's in Python; what calls directly uses ctypes
    Python,
}

/// A language packages are generated for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// A cargo package
    Rust,
    /// A module of Go
    Go,
    /// A package of Python, with stubs
    Python,
}

/// `NAME=VALUE`.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
        if name.is_empty() || value.is_empty() {
            return Err("write NAME=VALUE".into());
        }
        Ok(Named { name: name.to_owned(), value: value.to_owned() })
    }
}

/// A macro as the compiler takes it: a name, maybe with parameters, and maybe a value.
fn define(text: &str) -> Result<String, String> {
    let name = text.split_once('=').map_or(text, |(name, _)| name);
    let name = match name.strip_suffix(')').and_then(|name| name.split_once('(')) {
        Some((name, _)) => name,
        None => name,
    };
    let known = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !known
        || name.is_empty()
        || name.starts_with(|c: char| c.is_ascii_digit())
        || text.contains(['\n', '\0'])
    {
        return Err("write NAME or NAME=VALUE, where NAME is one of C: letters, digits and `_`".into());
    }
    Ok(text.to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    hotcell_contract::parse_duration(text).ok_or_else(|| "write a time such as 500ms, 2s or 1m".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_have_names() {
        for text in ["A", "_a1", "A=1", "A=", "A=x y", "F(x)=((x) + 1)", "F(a, b)"] {
            assert_eq!(define(text).as_deref(), Ok(text));
        }
        for text in ["", "A B", "=1", "1A", "A-B=1", "(x)=1", "A\nB", "A=1\n#include <x>"] {
            assert!(define(text).is_err(), "{text:?}");
        }
    }
}

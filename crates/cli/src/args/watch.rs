//! The commands that look at processes which use Hotcell.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Format, duration};

#[derive(Debug, Args)]
#[command(after_long_help = "\
One line for each session of each process that lets others look: one that has `HOTCELL_WATCH=look` in its environment, or says so in \
`Options::watch`. Those of the same user are seen, by root those of all users, in the same network namespace. Their calls do not wait \
for it.

`state` is `serving`, `worn` or `down`, with the circuit breaker where that is not closed; `busy` the callers that have their turn, \
`queue` those that stand in line; `memory` what the worker has in memory (RSS); `heap` the live bytes of the library. docs/reference/watching.md \
says more.

As JSON: a list of objects with `host_pid`, `program`, `library`, `session`, `worker_pid`, `generation`, `state`, `breaker`, `age_ms`, \
`calls`, `in_flight`, `queue`, `rss_bytes`, `descriptors`, `threads`, `handles`, `live_heap_bytes`; or with `host_pid` and `error`, where \
a process did not answer, or `left_out`, how many sessions and pools its answer had no room for. With `--watch` each list is one line.

Exit status: 0, also when there is nothing to see; 113 (InvalidArgument) when this system does not tell what there is.

Examples:
  hotcell ps
  hotcell ps 4711 --watch 2
  hotcell ps --format json")]
pub(crate) struct PsArgs {
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
What is known of each session: calls, errors of the library, faults, workers that were replaced, memory. With `--function` a line for each \
function that was called or has memory: what it has allocated and nobody freed is what it leaks, if it goes on growing.

Latencies are from the sending of a call to its reply, of a sample: the first calls of a function and then one of 64, each known to a quarter.

As JSON: an object for each process, with `pid`, `uid`, and `answer`: `sessions` as `Session::stats()` has them, functions always among \
them, and `pools`; or with `error`. With `--watch` each list is one line.

Exit status: 0, also when there is nothing to see; 113 (InvalidArgument) when this system does not tell what there is.

Examples:
  hotcell stats
  hotcell stats 4711 --function
  hotcell stats myserver --function --watch 5
  hotcell stats --format json")]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    pub(crate) look: LookArgs,
    /// Show each function
    #[arg(long)]
    pub(crate) function: bool,
}

/// Which processes are looked at, and how what is seen is printed.
#[derive(Debug, Args)]
pub(crate) struct LookArgs {
    /// A process, by its id or its program's name [default: all]
    #[arg(value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// Look again every so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86400))]
    pub(crate) watch: Option<u64>,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Has processes load a library anew while their calls go on, none of which fails: another file, or what lies in the place of the old one by \
now. Each first starts a worker with it and makes the contract's health checks; where that fails, what served before goes on. Objects of the \
old worker are stale then. A link stays one: what it leads to later is what is loaded anew later. It goes on when this command is interrupted, and \
another is refused until it has ended. docs/reference/reload.md says more.

Processes let others do so that have `HOTCELL_WATCH=reload` in their environment, or say so in `Options::watch`. A library's name means \
those of this user that have it; a process id means all libraries of that process, which has to have it by the kernel's word.

As JSON: a list of objects with `host_pid`, `library`, `sessions` and `workers`, or with `error`.

Exit status: 0 when all of them serve the new file; 1 when one does not; 113 (InvalidArgument) when there is none.

Examples:
  hotcell reload z
  hotcell reload 4711 --drain 5s
  hotcell reload z --file /opt/zlib-1.3.2/libz.so.1")]
pub(crate) struct ReloadArgs {
    /// A library's name as its contract has it, or a process id
    #[arg(value_name = "LIBRARY | PID")]
    pub(crate) target: String,
    /// Load this file; may be given again, for all files of the library in order [default: those that it has]
    #[arg(long = "file", value_name = "PATH")]
    pub(crate) files: Vec<PathBuf>,
    /// How long calls that are under way may take on the old worker
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) drain: Duration,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

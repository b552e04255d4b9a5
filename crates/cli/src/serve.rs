//! `hotcell serve`: workers for callers in another process, of any language.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use clap::Args;
use hotcell::serve::{Listener, Server};
use hotcell_sandbox::{inherited, terminations};

use crate::args::Format;
use crate::fail::Failure;
use crate::print;

#[derive(Debug, Args)]
#[command(after_long_help = "\
Has the workers of libraries that programs in other languages call: their packages start it, or find one that runs by \
`HOTCELL_SERVE`, the path of its socket. Calls do not pass through it. docs/internals/clients.md says what both say to each other.

With `--fd` it has one client, and ends with that: with the descriptor's other end, or with the process that made it. With `--socket` it \
goes on until it is told to end, and takes clients of the same user; the file is made with mode 0600, and goes with it. One that was \
left behind is taken over. SIGTERM, SIGINT and SIGHUP end it in order: workers finish their calls for two seconds. However it ends, its \
workers end with it.

What it has is seen by `hotcell ps` and `hotcell stats` where its environment has `HOTCELL_WATCH=look`, or a client's options say so.

Exit status: 0 when its client has gone, or it was told to end; 113 (InvalidArgument) when there is no such descriptor, it is no \
socket of packets, or the path is in use.

Examples:
  hotcell serve --socket /run/user/1000/hotcell.sock
  HOTCELL_SERVE=/run/user/1000/hotcell.sock ./my-program")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    at: At,
}

/// Where clients are.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct At {
    /// Serve the client at the other end of this descriptor, a socket of packets that it was started with
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(3..))]
    fd: Option<i32>,
    /// Serve all clients that connect to this path
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

pub(crate) fn run(args: &ServeArgs) -> ExitCode {
    match serve(&args.at) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(Format::Text),
    }
}

fn serve(at: &At) -> Result<(), Failure> {
    // Before there is another thread.
    let mut signals = terminations().map_err(|error| cannot("be told to end", &error))?;
    let server = Server::new();
    let listener = match &at.socket {
        Some(path) => {
            let listener = Listener::bind(path)
                .map_err(|error| cannot(&format!("listen at {}", path.display()), &error))?;
            Some(Arc::new(listener))
        }
        None => None,
    };
    let (ending, listening) = (Arc::clone(&server), listener.clone());
    let thread = thread::Builder::new().name("hotcell-signals".into());
    let wait = move || {
        // One is enough, and a descriptor that cannot be read is none that says anything.
        let _ = signals.read(&mut [0; 128]);
        listening.iter().for_each(|listener| listener.end());
        ending.end();
    };
    thread.spawn(wait).map_err(|error| cannot("wait for signals", &error))?;
    match (at.fd, listener) {
        (Some(number), _) => {
            let socket = inherited(number);
            let attended = socket.and_then(|socket| server.attend(socket));
            attended.map_err(|error| cannot(&format!("serve descriptor {number}"), &error))
        }
        (None, Some(listener)) => {
            // Who has started it may wait for this line.
            let _ = print::out(&format!("listening at {}\n", listener.path().display()));
            listener.run(&server).map_err(|error| cannot("accept clients", &error))
        }
        (None, None) => Err(Failure::Usage("where clients are is to be said: --fd or --socket".into())),
    }
}

fn cannot(what: &str, error: &std::io::Error) -> Failure {
    Failure::Usage(format!("cannot {what}: {error}"))
}

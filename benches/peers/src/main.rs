//! What calls cost by other means: `hotcell-peers measure PEER PLACE`, for `cargo dev bench`.
//!
//! docs/internals/data-path.md, "Peers", says how each peer is run.

#![forbid(unsafe_code)]

mod clock;
mod grpc;
mod iceoryx;
mod ipc;
mod json;
mod place;
mod server;
mod wasm;
mod work;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::clock::{Clock, Plan};
use crate::place::Place;
use crate::server::Start;
use crate::work::Operation;

/// A way of calling.
struct Peer {
    name: &'static str,
    /// Nanoseconds of a call. It starts who answers with an address that it chooses.
    measure: fn(Operation, &Plan, &Start<'_>) -> Result<Outcome>,
    /// Answers at this address until whoever started it has ended.
    serve: fn(Operation, &str) -> Result<()>,
}

/// What came of a measurement.
enum Outcome {
    Nanoseconds(f64),
    /// This machine cannot have it, and why.
    LeftOut(String),
}

const PEERS: &[Peer] = &[
    Peer { name: "iceoryx2.polling", measure: iceoryx::polling, serve: iceoryx::serve_polling },
    Peer { name: "iceoryx2.event", measure: iceoryx::event, serve: iceoryx::serve_event },
    Peer { name: "ipc-channel", measure: ipc::measure, serve: ipc::serve },
    Peer { name: "json.rust", measure: json::rust, serve: json::serve },
    Peer { name: "json.python", measure: json::python, serve: json::serve },
    Peer { name: "grpc", measure: grpc::one, serve: grpc::serve },
    Peer { name: "grpc.32-in-flight", measure: grpc::in_flight, serve: grpc::serve },
    Peer { name: "wasmtime", measure: wasm::measure, serve: |_, _| bail!("it runs in this process") },
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    match words {
        ["measure", peer, rest @ ..] => measure(find(peer)?, rest),
        ["serve", peer, operation, address] => (find(peer)?.serve)(Operation::named(operation)?, address),
        _ => bail!("usage: hotcell-peers measure PEER PLACE CALLER-CPU SERVER-CPU [--quick]"),
    }
}

fn find(name: &str) -> Result<&'static Peer> {
    let names = || PEERS.iter().map(|it| it.name).collect::<Vec<_>>().join(", ");
    PEERS.iter().find(|it| it.name == name).with_context(|| format!("no peer is `{name}`: {}", names()))
}

/// Prints `{"add": NANOSECONDS, "crc32.1k": NANOSECONDS}`, or `{"left_out": REASON}`.
fn measure(peer: &Peer, words: &[&str]) -> Result<()> {
    let (place, quick) = match words {
        [place, near, far] => (Place::named(place, near, far)?, false),
        [place, near, far, "--quick"] => (Place::named(place, near, far)?, true),
        _ => bail!("expected PLACE CALLER-CPU SERVER-CPU [--quick]"),
    };
    place.enter()?;
    let plan = Plan::new(place.pause(), quick);
    let mut found = serde_json::Map::new();
    for operation in Operation::ALL {
        let start = Start { peer: peer.name, operation, place: &place };
        match (peer.measure)(operation, &plan, &start)? {
            Outcome::Nanoseconds(value) => found.insert(operation.name().into(), value.into()),
            Outcome::LeftOut(reason) => {
                found = [("left_out".to_owned(), reason.into())].into_iter().collect();
                break;
            }
        };
    }
    println!("{}", serde_json::Value::Object(found));
    Ok(())
}

/// Calls as the plan says.
fn timed(plan: &Plan, mut call: impl FnMut() -> Result<()>) -> Result<Outcome> {
    let mut clock = Clock::new(plan);
    while let Some(step) = clock.next() {
        if let Some(pause) = step.pause {
            std::thread::sleep(pause);
        }
        clock.start();
        for _ in 0..step.calls {
            call()?;
        }
        clock.stop();
    }
    Ok(Outcome::Nanoseconds(clock.median()))
}

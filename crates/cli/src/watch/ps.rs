//! `hotcell ps`: a line for each session.

use std::process::ExitCode;

use hotcell::watch::Host;
use serde_json::{Value, json};

use super::{bytes, left_out, milliseconds, number, program, raw_program, refusal, sessions, show, text};
use crate::args::PsArgs;
use crate::table::{BAD, Cell, FAINT, GOOD, OPEN, columns};

const HEAD: [&str; 15] = [
    "host", "program", "library", "worker", "gen", "state", "age", "calls", "busy", "queue", "memory", "fds",
    "threads", "handles", "heap",
];

pub(crate) fn run(args: &PsArgs) -> ExitCode {
    show(&args.look, table, to_json)
}

fn table(hosts: &[Host]) -> String {
    let mut rows = vec![HEAD.map(|it| Cell::new(it, FAINT)).to_vec()];
    rows.extend(hosts.iter().flat_map(|host| sessions(host).into_iter().map(|session| row(host, session))));
    if rows.len() == 1 { String::new() } else { columns(&rows, None) }
}

fn row(host: &Host, session: &Value) -> Vec<Cell> {
    let (state, breaker) = (text(&session["state"]), text(&session["breaker"]));
    let style = match (state.as_str(), breaker.as_str()) {
        (_, "open") => BAD,
        ("serving", "closed") => GOOD,
        _ => OPEN,
    };
    let open_for =
        session["breaker_open_for_ms"].as_u64().map(|_| milliseconds(&session["breaker_open_for_ms"]));
    let state = match (breaker.as_str(), open_for) {
        ("closed", _) => state,
        (_, Some(left)) => format!("{state}, breaker {breaker} for {left}"),
        _ => format!("{state}, breaker {breaker}"),
    };
    let plain = |text: String| Cell::plain(text);
    vec![
        plain(host.pid.to_string()),
        plain(of_client(program(host), session)),
        plain(text(&session["library"])),
        plain(number(&session["pid"])),
        plain(number(&session["generation"])),
        Cell::new(state, style),
        plain(milliseconds(&session["age_ms"])),
        plain(number(&session["calls"])),
        plain(number(&session["in_flight"])),
        plain(number(&session["waiting"])),
        plain(bytes(&session["resident"])),
        plain(number(&session["descriptors"])),
        plain(number(&session["threads"])),
        plain(number(&session["objects"])),
        plain(bytes(&session["heap"]["total"]["bytes"])),
    ]
}

/// The program; of one that has the workers of others, with whose they are.
fn of_client(program: String, session: &Value) -> String {
    match session["client_pid"].as_u64() {
        Some(client) => format!("{program} for {client}"),
        None => program,
    }
}

fn to_json(hosts: &[Host]) -> Value {
    let of_host = |host: &Host| {
        let of = || json!({ "host_pid": host.pid, "program": raw_program(host) });
        let with = |name: &str, what: Value| {
            let mut one = of();
            one[name] = what;
            one
        };
        let mut all: Vec<Value> = sessions(host).iter().map(|session| of_session(host, session)).collect();
        all.extend(refusal(&host.answer).map(|why| with("error", json!(why))));
        all.extend(
            Some(left_out(&host.answer)).filter(|more| *more > 0).map(|more| with("left_out", json!(more))),
        );
        all
    };
    hosts.iter().flat_map(of_host).collect()
}

fn of_session(host: &Host, session: &Value) -> Value {
    json!({
        "host_pid": host.pid,
        "program": raw_program(host),
        "client_pid": session["client_pid"],
        "library": session["library"],
        "session": session["session"],
        "worker_pid": session["pid"],
        "generation": session["generation"],
        "state": session["state"],
        "breaker": session["breaker"],
        "age_ms": session["age_ms"],
        "calls": session["calls"],
        "in_flight": session["in_flight"],
        "queue": session["waiting"],
        "rss_bytes": session["resident"],
        "descriptors": session["descriptors"],
        "threads": session["threads"],
        "handles": session["objects"],
        "live_heap_bytes": session["heap"]["total"]["bytes"],
    })
}

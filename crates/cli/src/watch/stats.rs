//! `hotcell stats`: what is known of each session, and of its functions.

use std::process::ExitCode;

use hotcell::watch::Host;
use serde_json::{Value, json};

use super::{bytes, list, milliseconds, name, number, program, sessions, show, text, time};
use crate::args::StatsArgs;
use crate::table::{Cell, FAINT, STRONG, columns, styled};

const FUNCTIONS: [&str; 9] =
    ["  function", "calls", "errors", "faults", "live", "blocks", "p50", "p99", "longest"];

/// Kinds of faults that are shown: more than there are.
const KINDS: usize = 64;

pub(crate) fn run(args: &StatsArgs) -> ExitCode {
    show(&args.look, |hosts| page(hosts, args.function), to_json)
}

fn page(hosts: &[Host], functions: bool) -> String {
    let parts = hosts.iter().flat_map(|host| {
        let pools = list(host.answer.as_ref().ok().map(|answer| &answer["pools"]));
        let pools = pools.iter().map(|pool| of_pool(host, pool));
        sessions(host).into_iter().map(move |session| of_session(host, session, functions)).chain(pools)
    });
    parts.collect::<Vec<_>>().join("\n")
}

fn of_session(host: &Host, session: &Value, functions: bool) -> String {
    let title = format!(
        "{} {}: {}, session {}",
        host.pid,
        program(host),
        text(&session["library"]),
        number(&session["session"])
    );
    let faults = session["faults"].as_object().into_iter().flatten();
    let faults: Vec<String> =
        faults.take(KINDS).map(|(kind, count)| format!("{} {}", name(kind), number(count))).collect();
    let at = |name: &str| number(&session[name]);
    let worker = format!(
        "{}, {}, generation {}, up for {}; {} taken over, {} recycled, {} reloads",
        text(&session["state"]),
        at("pid"),
        at("generation"),
        milliseconds(&session["age_ms"]),
        at("restarts"),
        at("recycled"),
        at("reloads")
    );
    let calls = format!(
        "{} sent, {} under way, {} in line; {} made again, {} refused by quarantine",
        at("calls"),
        at("in_flight"),
        at("waiting"),
        at("retries"),
        at("quarantine_refused")
    );
    let heap = &session["heap"];
    let memory = format!(
        "{} in memory; the library has {} in {} blocks, {} of them outside of calls",
        bytes(&session["resident"]),
        bytes(&heap["total"]["bytes"]),
        number(&heap["total"]["blocks"]),
        number(&heap["outside"]["blocks"])
    );
    let has = format!(
        "{} descriptors, {} threads, {} objects, {} spares",
        at("descriptors"),
        at("threads"),
        at("objects"),
        at("spares")
    );
    let ended = match list(Some(&session["ends"])).last() {
        None => "none".into(),
        Some(last) => format!(
            "{}; the last: generation {}, {}",
            at("workers_ended"),
            number(&last["generation"]),
            text(&last["message"])
        ),
    };
    let faults = if faults.is_empty() { "none".into() } else { faults.join(", ") };
    let line = |name: &str, text: String| vec![Cell::new(format!("  {name}"), FAINT), Cell::plain(text)];
    let lines = [
        line("worker", worker),
        line("breaker", text(&session["breaker"])),
        line("calls", calls),
        line("faults", faults),
        line("ended", ended),
        line("memory", memory),
        line("has", has),
    ];
    let table = if functions { of_functions(session) } else { String::new() };
    format!("{}\n{}{table}", styled(&title, STRONG), columns(&lines, None))
}

fn of_functions(session: &Value) -> String {
    let mut rows = vec![FUNCTIONS.map(|it| Cell::new(it, FAINT)).to_vec()];
    for function in list(Some(&session["functions"])) {
        let name = match function["name"].as_str() {
            Some("") => "(batches)".into(),
            _ => text(&function["name"]),
        };
        let latency = |at: &str| time(function["latency"][at].as_u64());
        let cells = [
            format!("  {name}"),
            number(&function["calls"]),
            number(&function["errors"]),
            number(&function["faults"]),
            bytes(&function["live_bytes"]),
            number(&function["live_blocks"]),
            latency("p50_ns"),
            latency("p99_ns"),
            latency("most_ns"),
        ];
        rows.push(cells.map(Cell::plain).to_vec());
    }
    if rows.len() == 1 { String::new() } else { columns(&rows, None) }
}

fn of_pool(host: &Host, pool: &Value) -> String {
    let at = |name: &str| number(&pool[name]);
    let numbers: Vec<String> = list(Some(&pool["sessions"])).iter().map(number).collect();
    let title = format!("{} {}: {}, pool", host.pid, program(host), text(&pool["library"]));
    format!(
        "{}\n  sessions {} of {}, {} pinned; {} leases, {} in line, {} refused\n",
        styled(&title, STRONG),
        if numbers.is_empty() { "none".into() } else { numbers.join(", ") },
        at("max"),
        at("pinned"),
        at("leases"),
        at("waiting"),
        at("refused")
    )
}

fn to_json(hosts: &[Host]) -> Value {
    let of_host = |host: &Host| match &host.answer {
        Ok(answer) => json!({ "pid": host.pid, "uid": host.uid, "answer": answer }),
        Err(why) => json!({ "pid": host.pid, "uid": host.uid, "error": why }),
    };
    hosts.iter().map(of_host).collect()
}

//! `hotcell reload`: has processes load a library anew.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use hotcell::watch::{Host, Order};
use serde_json::{Value, json};

use super::{list, message, number, raw_program, seen, sessions, text};
use crate::args::{Format, ReloadArgs};
use crate::fail::Failure;
use crate::print::{self, complain, out};

/// How long starting workers may take, besides draining.
const STARTS: Duration = Duration::from_secs(120);

/// Something was not loaded anew.
const FAILED: u8 = 1;

pub(crate) fn run(args: &ReloadArgs) -> ExitCode {
    let reloaded = match reload(args) {
        Ok(reloaded) => reloaded,
        Err(failure) => return failure.report(args.format),
    };
    let failed = reloaded.iter().any(|it| !it["error"].is_null());
    let printed = match args.format {
        Format::Json => out(&print::json(&json!(reloaded))),
        Format::Text => {
            reloaded.iter().filter(|it| !it["error"].is_null()).for_each(|it| complain(&error(it)));
            let done: String = reloaded.iter().filter(|it| it["error"].is_null()).map(done).collect();
            out(&done)
        }
    };
    match printed {
        Err(error) => Failure::Usage(format!("cannot print: {error}")).report(args.format),
        Ok(()) if failed => ExitCode::from(FAILED),
        Ok(()) => ExitCode::SUCCESS,
    }
}

/// What became of each session or pool.
fn reload(args: &ReloadArgs) -> Result<Vec<Value>, Failure> {
    let pid: Option<u32> = args.target.parse().ok();
    let libraries: Vec<PathBuf> = args.files.iter().map(|path| named(path)).collect::<Result<_, _>>()?;
    let order = Order {
        library: pid.is_none().then(|| args.target.clone()),
        libraries: (!libraries.is_empty()).then_some(libraries),
        drain: args.drain,
    };
    let hosts = seen(pid.map(|pid| pid.to_string()).as_deref())?.hosts;
    let mut reloaded = Vec::new();
    for host in hosts.iter().filter(|host| is_meant(host, pid, &args.target)) {
        let answered = host.reload(&order, args.drain.saturating_add(STARTS));
        let answer = match &answered.answer {
            Ok(answer) if answer["error"].is_null() => list(Some(&answer["reloaded"])).to_vec(),
            Ok(answer) => vec![json!({ "error": { "message": answer["error"] } })],
            Err(why) => vec![json!({ "error": { "message": why } })],
        };
        reloaded.extend(answer.into_iter().filter(Value::is_object).map(|mut one| {
            one["host_pid"] = json!(host.pid);
            one["program"] = json!(raw_program(host));
            one
        }));
    }
    if reloaded.is_empty() {
        let what = pid.map_or_else(
            || format!("no process of this user that lets others look has a library `{}`", args.target),
            |pid| format!("the process {pid} lets nobody look, or has no library"),
        );
        return Err(Failure::Usage(format!("{what}: see `hotcell ps`")));
    }
    Ok(reloaded)
}

/// The file as it was named, from the root on: a link stays one, so that who loads it anew later finds what it leads to then.
fn named(path: &Path) -> Result<PathBuf, Failure> {
    let there = path.metadata().and_then(|_| std::path::absolute(path));
    there.map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

/// By a number, the one process that has it by the kernel's word. By name, only processes of this user that have the library: root asks
/// others by their ids.
fn is_meant(host: &Host, pid: Option<u32>, library: &str) -> bool {
    pid.map_or_else(
        || host.is_of_this_user() && sessions(host).iter().any(|it| it["library"] == library),
        |pid| host.is_process(pid),
    )
}

fn done(one: &Value) -> String {
    let workers = list(Some(&one["workers"])).iter().map(|worker| {
        let late = if worker["drained"] == false { ", whose calls were ended" } else { "" };
        format!(
            "worker {} serves in the place of {}{late}",
            number(&worker["generation"]),
            number(&worker["before"])
        )
    });
    let workers: Vec<String> = workers.collect();
    let workers = if workers.is_empty() { "no session is open".into() } else { workers.join("; ") };
    format!("{} {}: {}: {workers}\n", number(&one["host_pid"]), text(&one["program"]), text(&one["library"]))
}

fn error(one: &Value) -> String {
    let library = one["library"].as_str().map(|_| format!("{}: ", text(&one["library"]))).unwrap_or_default();
    let kind = one["error"]["kind"]
        .as_str()
        .map(|_| format!("{}: ", text(&one["error"]["kind"])))
        .unwrap_or_default();
    format!(
        "error: {} {}: {library}{kind}{}",
        number(&one["host_pid"]),
        text(&one["program"]),
        one["error"]["message"].as_str().map_or_else(|| "-".into(), message)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_stays_one_and_what_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("libz.so.1"), folder.path().join("libz.so"));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(named(&link).unwrap(), link);
        assert!(named(Path::new("Cargo.toml")).unwrap().is_absolute());
        assert!(named(&folder.path().join("libz.so.2")).is_err());
        std::fs::remove_file(&file).unwrap();
        assert!(named(&link).is_err(), "it leads nowhere");
    }
}

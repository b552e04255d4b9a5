//! `hotcell call`: one contained call.

mod arguments;
mod outputs;
mod results;

use std::process::ExitCode;

use hotcell::{Options, dynamic};
use hotcell_bind::{Job, Source};
use serde_json::Value;

use crate::args::{CallArgs, Format, SourceArgs};
use crate::fail::Failure;
use crate::print::{complain, out};

pub(crate) fn run(args: &CallArgs) -> ExitCode {
    match call(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report_of(args.format, args.source.library.is_none()),
    }
}

fn call(args: &CallArgs) -> Result<(), Failure> {
    let mut job = job(&args.source, Some(args.function.clone()))?;
    if let Source::Headers { any_null, .. } = &mut job.source {
        // Whoever writes `null` means it.
        *any_null = true;
    }
    let job = job;
    let bound = hotcell_bind::bind(&job)?;
    let function = bound.interface.function(&args.function).ok_or_else(|| {
        let left_out = bound.interface.left_out.iter().find(|it| it.name == args.function);
        left_out.map_or_else(
            || Failure::Usage(format!("`{}` cannot be bound", args.function)),
            |it| Failure::Bind(hotcell_bind::Error::left_out(it)),
        )
    })?;
    let values = arguments::parse(&bound.interface, function.1, &args.args, &args.capacities)?;
    // Before the call: a result that could not be written would be lost.
    let outputs = outputs::prepare(function.1, &args.outputs)?;
    for warning in hotcell_bind::shown(&bound.warnings) {
        complain(&warning);
    }
    let sandbox = args.sandbox.sandbox().map_err(Failure::Usage)?;
    let control_groups = args.control_groups.clone();
    let mut session = bound.open(Options {
        sandbox,
        guard: args.memory.guard(),
        limits: args.memory.limits(),
        control_groups,
        ..Options::default()
    })?;
    if let Some(deadline) = args.deadline {
        session = session.within(deadline);
    }
    let outcome = dynamic::call(&session, &bound.interface, function, &values)?;
    // What was returned is released only behind it: objects count as what they are.
    let heap = session.heap().filter(|_| args.memory.heap);
    let (written, unwritten) = outputs.write(&outcome);
    // What a file did not take is not lost: it is printed.
    if let (Some(message), Format::Json) = (&unwritten, args.format) {
        let results = results::to_json(function.1, &outcome, &written);
        return Err(Failure::Returned { message: message.clone(), results });
    }
    let text = results::outcome(function.1, &outcome, &written, args.format, heap.as_ref());
    let printed = out(&text).map_err(|error| format!("its results cannot be printed: {error}"));
    match unwritten.or(printed.err()) {
        Some(message) => Err(Failure::Returned { message, results: Value::Null }),
        None => Ok(()),
    }
}

/// A contract is told from a header by its ending.
pub(crate) fn job(source: &SourceArgs, only: Option<String>) -> Result<Job, Failure> {
    let is_contract = source.source.extension().is_some_and(|ending| ending == "toml");
    let described = match (&source.library, is_contract) {
        (Some(library), false) => {
            let own = source.source.display().to_string();
            let headers = source.headers.iter().cloned().chain([own]).collect();
            Source::Headers { headers, library: library.clone(), any_null: false }
        }
        (None, false) if source.source.is_dir() => {
            let place = source.source.display();
            let text = match source.source.join("bind.toml").is_file() {
                true => format!("did you mean `{place}/bind.toml`?"),
                false => "name a contract (`bind.toml`), or a header with `--lib NAME`".into(),
            };
            return Err(Failure::Usage(format!("{place} is a folder\nhelp: {text}")));
        }
        (None, false) => {
            let text = "a header needs `--lib NAME`: the library it belongs to";
            return Err(Failure::Usage(text.into()));
        }
        (None, true) if !source.headers.is_empty() => {
            let text = "a contract names its headers itself: leave `--header` away";
            return Err(Failure::Usage(text.into()));
        }
        (None, true) => Source::Contract(source.source.clone()),
        (Some(_), true) => {
            let text = "a contract names its library itself: leave `--lib` away";
            return Err(Failure::Usage(text.into()));
        }
    };
    Ok(Job {
        source: described,
        only,
        include_dirs: source.include_dirs.clone(),
        defines: source.defines.clone(),
        library_dirs: source.library_dirs.clone(),
    })
}

//! `hotcell check`: a contract against its headers and its library.

use std::process::ExitCode;

use hotcell::ErrorKind;
use hotcell_model::interface::Status;

use crate::args::{CheckArgs, Format};
use crate::call;
use crate::fail::Failure;
use crate::print::{complain, out, out_width};
use crate::report;

pub(crate) fn run(args: &CheckArgs) -> ExitCode {
    match check(args) {
        Ok(undecided) if args.strict && undecided > 0 => {
            let what = if undecided == 1 { "function is" } else { "functions are" };
            complain(&format!("error: {undecided} {what} undecided"));
            ExitCode::from(ErrorKind::Unsupported.exit_code())
        }
        Ok(_) => ExitCode::SUCCESS,
        Err(failure) => failure.report(args.format),
    }
}

/// Prints the report; how many functions are undecided.
fn check(args: &CheckArgs) -> Result<usize, Failure> {
    let checked = hotcell_bind::check(&call::job(&args.source, None)?)?;
    for warning in hotcell_bind::shown(&checked.warnings) {
        complain(&warning);
    }
    let entries = report::entries(&checked);
    let text = match args.format {
        Format::Json => format!("{:#}\n", report::to_json(&checked, &entries)),
        Format::Text => report::text(&checked, &entries, out_width()),
    };
    out(&text).map_err(|error| Failure::Usage(format!("cannot print: {error}")))?;
    Ok(report::count(&entries, Status::Undecided))
}

//! `hotcell check`: a contract against its headers and its library.

use std::process::ExitCode;

use hotcell::ErrorKind;
use hotcell_contract::decided_lines;
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
    for warning in &checked.warnings {
        complain(warning.trim_end());
    }
    let entries = report::entries(&checked);
    let text = match args.format {
        Format::Json => format!("{:#}\n", report::to_json(&checked, &entries)),
        Format::Text => {
            let mut text = report::table(&entries, out_width());
            if !text.is_empty() {
                text.push('\n');
            }
            let types = report::types(&checked.open_types, out_width());
            if !types.is_empty() {
                text.push_str(&format!("{types}\n"));
            }
            let lines = decided_lines(&checked.text);
            let decide = if lines == 1 { "1 line decides" } else { &format!("{lines} lines decide") };
            text.push_str(&format!("{}; {decide}\n", report::summary(&entries)));
            text
        }
    };
    out(&text).map_err(|error| Failure::Usage(format!("cannot print: {error}")))?;
    Ok(report::count(&entries, Status::Undecided))
}

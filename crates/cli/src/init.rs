//! `hotcell init`: the draft of a contract.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use hotcell_bind::{Draft, DraftJob};

use crate::args::{Format, InitArgs};
use crate::fail::Failure;
use crate::print::{complain, complain_width, out};
use crate::report;
use crate::table::{STRONG, styled};
use crate::target::{self, Target};

pub(crate) fn run(args: &InitArgs) -> ExitCode {
    match init(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(Format::Text),
    }
}

fn init(args: &InitArgs) -> Result<(), Failure> {
    let to_stdout = args.output == Path::new("-");
    let place = if to_stdout { Path::new("bind.toml") } else { &args.output };
    // Before the work: a draft that could not be written would be lost.
    let target = match (to_stdout, args.force) {
        (true, _) => None,
        (false, true) => Some(Target::open(place).map_err(|error| unwritable(place, &error))?),
        (false, false) => Some(Target::create(place).map_err(|error| unwritable(place, &error))?),
    };
    let draft = hotcell_bind::draft(&DraftJob {
        headers: args.headers.clone(),
        library: args.library.clone(),
        include_dirs: args.include_dirs.clone(),
        defines: args.defines.clone(),
        library_dirs: args.library_dirs.clone(),
        prelude: args.prelude.clone(),
        place: place.to_owned(),
    })?;
    match target {
        Some(target) => target.write(draft.text.as_bytes()).map_err(|error| unwritable(place, &error))?,
        None => out(&draft.text).map_err(|error| Failure::Usage(format!("cannot print: {error}")))?,
    }
    tell(&draft, args, (!to_stdout).then_some(place));
    Ok(())
}

/// What was found, on standard error: the draft itself may be on standard output.
fn tell(draft: &Draft, args: &InitArgs, place: Option<&Path>) {
    for warning in hotcell_bind::shown(&draft.checked.warnings) {
        complain(&warning);
    }
    let entries = report::entries(&draft.checked);
    let table = report::table(&entries, complain_width());
    for part in [table, report::types(&draft.checked.open_types, complain_width())] {
        if !part.is_empty() {
            complain(&part);
        }
    }
    let note = |text: String| complain(&format!("{} {text}", styled("note:", STRONG)));
    if let Some(prelude) = draft.head.prelude.as_ref().filter(|_| args.prelude.is_none()) {
        let headers = args.headers.join(", ");
        let names = prelude.lines().filter_map(|line| line.strip_prefix("#include "));
        let names: Vec<&str> = names.collect();
        note(format!(
            "{headers} does not compile by itself; the draft includes {} before it, as its `prelude`",
            names.join(", ")
        ));
    }
    if !draft.head.include.is_empty() {
        note("most of what the headers declare is not in the library; `include` selects what is".into());
    }
    let end = place.map_or(String::new(), |place| format!("; {} is written", place.display()));
    complain(&format!("{}{end}", report::summary(&entries)));
}

fn unwritable(place: &Path, error: &io::Error) -> Failure {
    let text = target::unwritable(place, error);
    let shown = place.display();
    Failure::Usage(if place.is_dir() {
        format!("{text}\nhelp: name a file in it: `-o {}`", place.join("bind.toml").display())
    } else if error.kind() == io::ErrorKind::AlreadyExists {
        let help = "name another file with `-o FILE`, or replace this one with `--force`";
        format!("{shown} exists already\nhelp: {help}")
    } else if error.kind() == io::ErrorKind::NotFound {
        format!("{text}\nhelp: make the folder, or name another file with `-o FILE`")
    } else {
        text
    })
}

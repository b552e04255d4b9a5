//! The lines that are proposed about what is kept: each has to be one that the checks of lines accept.

use hotcell_model::interface::{Role, Threads};

use crate::check::decide::Site;
use crate::check::nullable;
use crate::infer::{Draft, Gap};

/// What stands before the name of what keeps something.
const UNTIL: &str = "until = \"";

/// What is said of an object that lives on.
const LIVES_ON: &str = "{ in = \"handle\" } # or { in = \"consumed\" } when it is taken over";

/// What is open, with lines that can be written.
pub(crate) fn mended(site: Site<'_>, draft: &Draft, mut gaps: Vec<Gap>) -> Vec<Gap> {
    for gap in &mut gaps {
        let Some(help) = &gap.help else { continue };
        let Some(keeper) = keeper(site, help).filter(|&keeper| is_optional(site, draft, keeper)) else {
            continue;
        };
        match is_first(help) {
            true => {
                let name = &site.names[keeper];
                doubt(site, gap, &format!("`{name}` may be NULL, and then nothing ends what it keeps"));
            }
            false => gap.help = until_none(help).or(gap.help.take()),
        }
    }
    stay(site, &mut gaps);
    for_threads(site, gaps)
}

/// Has what a line names as a keeper stay: that it goes with the call is the other answer.
fn stay(site: Site<'_>, gaps: &mut [Gap]) {
    let keepers: Vec<usize> =
        gaps.iter().filter_map(|gap| gap.help.as_deref().and_then(|help| keeper(site, help))).collect();
    let kept = |gap: &&mut Gap| gap.param.is_some_and(|param| keepers.contains(&param));
    for gap in gaps.iter_mut().filter(kept) {
        let goes = gap.help.as_deref().and_then(|help| help.split_once(" = { in = \"consumed\" } # or "));
        gap.help = goes.map(|(of, _)| format!("{of} = {LIVES_ON}")).or(gap.help.take());
    }
}

/// What was open, with the reasons why copies do not settle it. What keeps it cannot be the object that a line would name.
pub(crate) fn doubted(site: Site<'_>, mut gaps: Vec<Gap>, doubts: &[(usize, String)]) -> Vec<Gap> {
    for (param, reason) in doubts {
        gaps.iter_mut().filter(|gap| gap.param == Some(*param)).for_each(|gap| doubt(site, gap, reason));
    }
    gaps
}

/// Says why something cannot be kept by what a line would name, and that nothing ends it.
fn doubt(site: Site<'_>, gap: &mut Gap, why: &str) {
    gap.reason = format!("{}; {why}", gap.reason);
    let Some(help) = &gap.help else { return };
    if keeper(site, help).is_some() {
        gap.help = until_none(help);
        return;
    }
    // What a rule would have kept has a line without `until`.
    let says = help.split_once(" = ").map_or("", |(_, says)| says);
    let kept = says.starts_with("{ in = \"buffer\"") || says.starts_with("{ string");
    if let Some((item, rest)) = help.split_once(" }").filter(|_| kept && !help.contains(UNTIL)) {
        let rest = if rest.is_empty() { " #".to_owned() } else { format!("{rest};") };
        let copies = "without `until` when the library copies it";
        gap.help = Some(format!("{item}, {UNTIL}none\" }}{rest} {copies}"));
    }
}

/// Whether the first of what a line may say is that something is kept.
fn is_first(help: &str) -> bool {
    help.split(" # ").next().is_some_and(|first| first.contains(UNTIL))
}

/// The same line where nothing ends what is kept.
fn until_none(help: &str) -> Option<String> {
    let (before, rest) = help.split_once(UNTIL)?;
    let (_, rest) = rest.split_once('"')?;
    Some(format!("{before}{UNTIL}none\"{rest}"))
}

/// The parameter that a line names as what keeps something.
fn keeper(site: Site<'_>, help: &str) -> Option<usize> {
    let (_, rest) = help.split_once(UNTIL)?;
    let (until, _) = rest.split_once('"')?;
    site.names.iter().position(|name| name == until)
}

/// Whether an object that goes in may be NULL, by a line or by an entry of `nullable`.
fn is_optional(site: Site<'_>, draft: &Draft, at: usize) -> bool {
    let goes_in = || site.known.handles.of_pointer(&site.function.params[at].ty).is_some();
    match draft.params[at].as_ref().map(|fact| &fact.value) {
        Some(Role::Handle { nullable, .. }) => *nullable || nullable::says(site, at),
        Some(_) => false,
        None => goes_in() && nullable::says(site, at),
    }
}

/// Without lines that say what objects keep where these cannot.
fn for_threads(site: Site<'_>, mut gaps: Vec<Gap>) -> Vec<Gap> {
    if site.contract.threads() != Threads::PerHandle {
        return gaps;
    }
    for gap in &mut gaps {
        gap.help = gap.help.as_deref().and_then(without_keepers).or(gap.help.take());
    }
    gaps
}

/// A line without those of its readings that say that something keeps an object; none where none does.
fn without_keepers(help: &str) -> Option<String> {
    const NOT: &str = "objects keep no others with `threads = \"per-handle\"`";
    let object = |says: &str| {
        [r#"{ in = "handle", until = "#, r#"{ inout = "struct", until = "#].iter().any(|it| says.contains(it))
    };
    let (name, says) = help.split_once(" = ")?;
    let (first, others) = says.split_once(" # or ")?;
    let readings: Vec<&str> = std::iter::once(first).chain(others.split("; or ")).collect();
    let mut left = readings.iter().copied().filter(|reading| !object(reading));
    let first_left = left.next().filter(|_| readings.iter().any(|reading| object(reading)))?;
    // What stands first is right where nothing else is said.
    let (item, when) = first_left.split_once(" when ").unwrap_or((first_left, ""));
    let others: String = left.map(|other| format!("or {other}; ")).collect();
    Some(match when.is_empty() || !others.is_empty() {
        true => format!("{name} = {item} # {others}{NOT}"),
        false => format!("{name} = {item} # when {when}: {NOT}"),
    })
}

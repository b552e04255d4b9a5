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

/// Has what a line names as a keeper stay: that it goes with the call is the other answer. Of two that each other's lines name, the
/// second is what is put into the first.
fn stay(site: Site<'_>, gaps: &mut [Gap]) {
    // What something else is put into is used first, whatever keeps it besides.
    let used = |help: &&str| {
        !["{ in = \"handle\" } # or ", "{ inout = \"struct\" } # or "]
            .iter()
            .any(|it| help.contains(&format!(" = {it}")))
    };
    let named = |gap: &Gap| gap.help.as_deref().filter(used).and_then(|help| keeper(site, help));
    let pairs: Vec<(usize, usize)> = gaps.iter().filter_map(|gap| Some((gap.param?, named(gap)?))).collect();
    for gap in gaps {
        let Some(param) = gap.param else { continue };
        let keeps = pairs.iter().filter(|(_, keeper)| *keeper == param).map(|(kept, _)| *kept);
        let keeps: Vec<usize> = keeps.collect();
        if keeps.is_empty() {
            continue;
        }
        let own = pairs.iter().find(|(kept, _)| *kept == param).map(|(_, keeper)| *keeper);
        let first = keeps.iter().any(|kept| own == Some(*kept) && param < *kept);
        let others = keeps.iter().any(|kept| own != Some(*kept));
        let Some((of, says)) = gap.help.as_deref().and_then(|help| help.split_once(" = ")) else { continue };
        let consumed = says.starts_with("{ in = \"consumed\" } # or ");
        if first && says.contains("in = \"handle\"") || consumed && own.is_none() {
            gap.help = Some(format!("{of} = {LIVES_ON}"));
        } else if consumed && others {
            gap.help = kept_first(of, says).or(gap.help.take());
        }
    }
}

/// The same answers, that it is kept before that it is taken over.
fn kept_first(of: &str, says: &str) -> Option<String> {
    let (taken, others) = says.split_once(" # or ")?;
    let (kept, rest) = others.split_once(" when ")?;
    let (_, used) = rest.split_once("; ")?;
    Some(format!("{of} = {kept} # or {taken} when it is taken over; {used}"))
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
    if !readings.iter().any(|reading| object(reading)) {
        return None;
    }
    // That it is used stands first, where it is among them: what stood first said no condition.
    let condition =
        |reading: &str| match reading.starts_with("{ in = \"consumed\"") && !reading.contains(" when ") {
            true => format!("{reading} when it is taken over"),
            false => reading.to_owned(),
        };
    let left = || readings.iter().filter(|reading| !object(reading)).map(|reading| condition(reading));
    let consumed = |reading: &String| reading.starts_with("{ in = \"consumed\"");
    let mut left: Vec<String> = left().filter(|it| !consumed(it)).chain(left().filter(consumed)).collect();
    if left.is_empty() {
        return None;
    }
    let first = left.remove(0);
    let (item, when) = first.split_once(" when ").unwrap_or((&first, ""));
    let others: String = left.iter().map(|other| format!("or {other}; ")).collect();
    Some(match when.is_empty() || !others.is_empty() {
        true => format!("{name} = {item} # {others}{NOT}"),
        false => format!("{name} = {item} # when {when}: {NOT}"),
    })
}

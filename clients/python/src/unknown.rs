//! What is said of a name that is not there: where the function is, why it cannot be called, or which name may be meant.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::package::Loaded;
use crate::plan::Plan;

/// Names that are told, of those that are like the one that is not there.
const MOST: usize = 3;

/// What is wrong with a name of a function, of the library or of objects of this class.
pub(crate) fn function(py: Python<'_>, loaded: &Loaded, class: Option<&str>, name: &str) -> String {
    let own = |plan: &&Arc<Plan>| class_of(loaded, plan).map(|(of, _)| of) == class;
    // In C a function of a class often has that in its name.
    let full = format!("{}{}", letters(class.unwrap_or_default()), letters(name));
    let known = [
        loaded.plans.iter().find(|plan| plan.c_name == name),
        loaded.plans.iter().find(|plan| plan.name == name && !own(plan)),
        loaded.plans.iter().find(|plan| class.is_some() && letters(&plan.c_name).ends_with(&full)),
    ];
    if let Some(plan) = known.into_iter().flatten().next() {
        return elsewhere(loaded, plan);
    }
    let mut names: Vec<&str> = loaded.plans.iter().filter(own).map(|plan| plan.name.as_str()).collect();
    if class.is_none() {
        // An attribute of a library is a constant or a class as well, by either name.
        names.extend(loaded.known().chain(loaded.interface.constants.keys().map(String::as_str)));
        names.sort_unstable();
        names.dedup();
    }
    let near = like(py, name, names);
    // What is misspelt may be the end of some other name, too.
    if let Some(text) = left_out(loaded, name, &full, near.is_empty()) {
        return text;
    }
    match class {
        Some(class) => format!("{class} has no function `{name}`{near}"),
        None => format!("{} has no function, class or constant `{name}`{near}", loaded.library()),
    }
}

/// The names that are most like one that is not there, as the end of a message.
pub(crate) fn like(py: Python<'_>, name: &str, names: Vec<&str>) -> String {
    let found = py
        .import("difflib")
        .and_then(|it| it.getattr("get_close_matches")?.call1((name, names, MOST))?.extract::<Vec<String>>());
    match found {
        Ok(found) if !found.is_empty() => {
            let found: Vec<String> = found.iter().map(|it| format!("`{it}`")).collect();
            format!("; is it {}?", found.join(" or "))
        }
        _ => String::new(),
    }
}

/// Where a function is that is looked for somewhere else.
fn elsewhere(loaded: &Loaded, plan: &Plan) -> String {
    let (c_name, name) = (&plan.c_name, &plan.name);
    match class_of(loaded, plan) {
        None => format!("`{c_name}` is a function of the library: library.{name}(…)"),
        Some((class, true)) => {
            format!("`{c_name}` is a method: make a {class}, of the library, and call .{name}(…) of it")
        }
        Some((class, false)) => format!("`{c_name}` is a method: call .{name}(…) of a {class}"),
    }
}

/// The class whose method a function is, and whether callers make its objects.
fn class_of<'l>(loaded: &'l Loaded, plan: &Plan) -> Option<(&'l str, bool)> {
    let names = &loaded.names;
    let owner = names.functions.get(usize::from(plan.index))?.owner.as_deref()?;
    let structure = names.structs.get(owner).map(|of| (of.name.as_str(), of.resident));
    structure.or_else(|| names.objects.get(owner).map(|of| (of.name.as_str(), false)))
}

/// Why a function cannot be called that has this name in C, or, if `ends`, as the last words of its name, with that of a class before
/// them or without.
fn left_out(loaded: &Loaded, name: &str, full: &str, ends: bool) -> Option<String> {
    let left = &loaded.interface.left_out;
    let only = |end: &str| {
        let mut like = left.iter().filter(|it| ends && words(&it.name).any(|words| letters(words) == end));
        like.next().filter(|_| like.next().is_none())
    };
    let exactly = left.iter().find(|it| it.name == name);
    let meant = exactly.or_else(|| only(full)).or_else(|| only(&letters(name)))?;
    let help = meant.help.as_ref().map_or(String::new(), |help| format!("; {help}"));
    Some(format!("`{}` cannot be called: {}{help}", meant.name, meant.reason))
}

/// A name in C, and what is left of it without its first words.
fn words(name: &str) -> impl Iterator<Item = &str> {
    let behind = name.match_indices('_').map(|(at, _)| &name[at + 1..]);
    std::iter::once(name).chain(behind).filter(|words| !words.is_empty())
}

/// A name in any spelling.
fn letters(name: &str) -> String {
    name.chars().filter(|it| *it != '_').map(|it| it.to_ascii_lowercase()).collect()
}

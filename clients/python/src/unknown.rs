//! What is said of a name that is not there: where the function is, why it cannot be called, or which name may be meant.

use std::sync::Arc;

use hotcell_model::interface::Role;
use pyo3::prelude::*;

use crate::making::article;
use crate::package::Loaded;
use crate::plan::Plan;

/// Names that are told, of those that are like the one that is not there.
const MOST: usize = 3;

/// What is wrong with a name of a function, of the library or of objects of this class.
pub(crate) fn function(py: Python<'_>, loaded: &Loaded, class: Option<&str>, name: &str) -> String {
    let own = |plan: &&Arc<Plan>| class_of(loaded, plan).map(|(of, _)| of) == class;
    // In C a function of a class often has that in its name.
    let full = format!("{}{}", letters(class.unwrap_or_default()), letters(name));
    // One whose short name is a session's own has another: `open`.
    let spelt = letters(&fronted(loaded, name));
    let known = [
        loaded.plans.iter().find(|plan| plan.c_name == name),
        loaded.plans.iter().find(|plan| plan.name == name && !own(plan)),
        loaded.plans.iter().find(|plan| class.is_some() && letters(&plan.c_name).ends_with(&full)),
        loaded.plans.iter().find(|plan| class.is_none() && own(plan) && letters(&plan.c_name) == spelt),
    ];
    if let Some(plan) = known.into_iter().flatten().next() {
        return elsewhere(loaded, plan);
    }
    if let Some(text) = left_out(loaded, name, "", false) {
        return text;
    }
    if let Some(plan) = class.and_then(|class| with_object(loaded, class, name)) {
        return elsewhere(loaded, plan);
    }
    let of_class = class.map_or("", |_| &full);
    if let Some(text) = left_out(loaded, &fronted(loaded, name), of_class, false) {
        return text;
    }
    let mut names: Vec<&str> = loaded.plans.iter().filter(own).map(|plan| plan.name.as_str()).collect();
    if class.is_none() {
        // An attribute of a library is a constant or a class as well, by either name.
        names.extend(loaded.known().chain(loaded.interface.constants.keys().map(String::as_str)));
        names.sort_unstable();
        names.dedup();
    }
    let near = like(py, name, names);
    // Nor does it help who asks for `compile` where there is a `xy_compile_8` that cannot be called.
    let near = if near.is_empty() && class.is_none() {
        let left = loaded.interface.left_out.iter().map(|it| it.name.as_str()).collect();
        most_like(py, &fronted(loaded, name), left, VERY)
    } else {
        near
    };
    // What is misspelt may be the end of some other name, too.
    if near.is_empty()
        && let Some(text) = left_out(loaded, "", &letters(name), true)
    {
        return text;
    }
    match class {
        Some(class) => format!("{class} has no function `{name}`{near}"),
        None => format!("{} has no function, class or constant `{name}`{near}", loaded.library()),
    }
}

/// How much of two names is the same that are like each other, and very much so.
const LIKE: f64 = 0.6;
const VERY: f64 = 0.8;

/// The names that are most like one that is not there, as the end of a message.
pub(crate) fn like(py: Python<'_>, name: &str, names: Vec<&str>) -> String {
    most_like(py, name, names, LIKE)
}

fn most_like(py: Python<'_>, name: &str, names: Vec<&str>, least: f64) -> String {
    let found = py.import("difflib").and_then(|it| {
        it.getattr("get_close_matches")?.call1((name, names, MOST, least))?.extract::<Vec<String>>()
    });
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
            format!(
                "`{c_name}` is a method: make {} {class}, of the library, and call .{name}(…) of it",
                article(class)
            )
        }
        Some((class, false)) => {
            format!("`{c_name}` is a method: call .{name}(…) of {} {class}", article(class))
        }
    }
}

/// The class whose method a function is, and whether callers make its objects.
fn class_of<'l>(loaded: &'l Loaded, plan: &Plan) -> Option<(&'l str, bool)> {
    let names = &loaded.names;
    let owner = names.functions.get(usize::from(plan.index))?.owner.as_deref()?;
    let structure = names.structs.get(owner).map(|of| (of.name.as_str(), of.resident));
    structure.or_else(|| names.objects.get(owner).map(|of| (of.name.as_str(), false)))
}

/// A name with what all functions of the library start with, in C.
fn fronted(loaded: &Loaded, name: &str) -> String {
    // In C it may be spelled otherwise: `XY_DoThis` is `do_this`.
    let front = |plan: &Arc<Plan>| {
        let (full, own) = (letters(&plan.c_name), letters(&plan.name));
        let left = full.strip_suffix(&own).filter(|front| !front.is_empty())?.chars().count();
        let last = plan.c_name.char_indices().filter(|(_, it)| *it != '_').nth(left)?.0;
        Some(plan.c_name[..last].to_owned())
    };
    let of_library = loaded.plans.iter().filter(|plan| plan.own.is_none());
    let mut fronts: Vec<String> = of_library.filter_map(front).collect();
    fronts.sort_unstable_by_key(|front| (front.len(), front.clone()));
    format!("{}{name}", fronts.first().map_or("", String::as_str))
}

/// The only function of the library that takes an object of this class, and whose name in C ends with this one.
fn with_object<'l>(loaded: &'l Loaded, class: &str, name: &str) -> Option<&'l Arc<Plan>> {
    let key = loaded.names.objects.iter().find(|(_, of)| of.name == class).map(|(key, _)| key)?;
    let takes = |plan: &Plan| {
        let mut params = loaded.interface.functions[usize::from(plan.index)].params.iter();
        params.any(|param| matches!(&param.role.value, Role::Handle { handle, .. } if handle == key))
    };
    let end = letters(name);
    let ends = |plan: &Plan| words(&plan.c_name).any(|words| letters(words) == end);
    let mut found = loaded.plans.iter().filter(|plan| plan.own.is_none() && takes(plan) && ends(plan));
    found.next().filter(|_| found.next().is_none())
}

/// Why a function cannot be called that has this name in C, or has it in another spelling, or else the only one whose last words are these
/// letters. Of several, `names` has them named.
fn left_out(loaded: &Loaded, exactly: &str, end: &str, names: bool) -> Option<String> {
    let left = &loaded.interface.left_out;
    let spelt = letters(exactly);
    let exact = left.iter().find(|it| it.name == exactly);
    let exact = exact.or_else(|| left.iter().find(|it| !spelt.is_empty() && letters(&it.name) == spelt));
    let like = || left.iter().filter(|it| words(&it.name).any(|words| letters(words) == end));
    let meant = match (exact, like().collect::<Vec<_>>().as_slice()) {
        (Some(exact), _) => exact,
        (None, [one]) => one,
        (None, several) => {
            let names: Vec<String> =
                several.iter().take(MOST).filter(|_| names).map(|it| format!("`{}`", it.name)).collect();
            let text =
                format!("{} cannot be called: ask for one by that name, to be told why", names.join(", "));
            return (!names.is_empty()).then_some(text);
        }
    };
    let lines = |help: &String| format!(". A contract decides it:\n{help}");
    let help = meant.help.as_ref().map_or(String::new(), lines);
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

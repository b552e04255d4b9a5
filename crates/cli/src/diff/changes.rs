//! What differs between two interfaces of one library.
//!
//! Functions are compared by what crosses the wire and by their C types, structures by their C layout and by how they travel.
//! Comments and evidence are no part of it: that a fact was decided and is now concluded changes nothing.

use std::collections::{BTreeMap, HashMap};

use hotcell_model::api::{ConstantValue, Enum, Record};
use hotcell_model::interface::{Function, Interface, Struct};
use serde_json::to_value;

use crate::diff::contained::contained;
use crate::explain::words::{Names, error, returned, role};

/// One thing that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) kind: Kind,
    pub(super) subject: Subject,
    pub(super) name: String,
    /// What of it changed, and how.
    pub(super) details: Vec<String>,
    /// Whether programs that were built against the first state may not work with the second.
    pub(super) breaks: bool,
}

impl Change {
    /// Whether the library is contained less by it.
    pub(super) fn is_weaker(&self) -> bool {
        self.kind == Kind::Weakened
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Added,
    Removed,
    Changed,
    /// The library is contained less.
    Weakened,
    /// The library is contained more.
    Tightened,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Added => "added",
            Kind::Removed => "removed",
            Kind::Changed => "changed",
            Kind::Weakened => "weakened",
            Kind::Tightened => "tightened",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Library,
    Sandbox,
    Guard,
    Function,
    Structure,
    Enumeration,
    Constant,
}

impl Subject {
    pub(super) fn word(self) -> &'static str {
        match self {
            Subject::Library => "library",
            Subject::Sandbox => "sandbox",
            Subject::Guard => "guard",
            Subject::Function => "function",
            Subject::Structure => "structure",
            Subject::Enumeration => "enumeration",
            Subject::Constant => "constant",
        }
    }
}

/// What changed: the library, how it is contained, functions in the order of the headers, then structures, enumerations and constants.
pub(super) fn changes(old: &Interface, new: &Interface) -> Vec<Change> {
    let mut found = Vec::new();
    if old.link.first() != new.link.first() {
        let soname = |interface: &Interface| interface.link.first().cloned().unwrap_or_default();
        let detail = format!("`{}` became `{}`", soname(old), soname(new));
        found.push(changed(Subject::Library, &new.library, vec![detail], true));
    }
    contained(old, new, &mut found);
    functions(old, new, &mut found);
    structures(old, new, &mut found);
    enumerations(&old.enums, &new.enums, &mut found);
    constants(old, new, &mut found);
    found
}

/// What is called so: the first, where there are several.
fn by_name<T>(all: &[T], name: impl Fn(&T) -> Option<&String>) -> HashMap<&str, &T> {
    let named = all.iter().rev().filter_map(|one| Some((name(one)?.as_str(), one)));
    named.collect()
}

fn changed(subject: Subject, name: &str, details: Vec<String>, breaks: bool) -> Change {
    Change { kind: Kind::Changed, subject, name: name.to_owned(), details, breaks }
}

fn functions(old: &Interface, new: &Interface, found: &mut Vec<Change>) {
    let change = |kind, name: &str, details, breaks| Change {
        kind,
        subject: Subject::Function,
        name: name.to_owned(),
        details,
        breaks,
    };
    let [old_functions, new_functions] =
        [old, new].map(|state| by_name(&state.functions, |it| Some(&it.name)));
    let [old_left, new_left] = [old, new].map(|state| by_name(&state.left_out, |it| Some(&it.name)));
    for before in &old.functions {
        match new_functions.get(before.name.as_str()) {
            Some(now) if now.fingerprint == before.fingerprint => {}
            Some(now) => found.extend(function(before, now)),
            None => match new_left.get(before.name.as_str()) {
                Some(left) => {
                    let details = vec![format!("it cannot be called any more: {}", left.reason)];
                    found.push(change(Kind::Changed, &before.name, details, true));
                }
                None => found.push(change(Kind::Removed, &before.name, vec![before.signature.clone()], true)),
            },
        }
    }
    for now in new.functions.iter().filter(|now| !old_functions.contains_key(now.name.as_str())) {
        match old_left.get(now.name.as_str()) {
            Some(_) => {
                let details = vec!["it can be called now".to_owned()];
                found.push(change(Kind::Changed, &now.name, details, false));
            }
            None => found.push(change(Kind::Added, &now.name, vec![now.signature.clone()], false)),
        }
    }
    for before in old.left_out.iter().filter(|before| !new_functions.contains_key(before.name.as_str())) {
        match new_left.get(before.name.as_str()) {
            Some(now) if now.signature != before.signature => {
                let details =
                    vec![became(&before.signature, &now.signature), "neither can be called".to_owned()];
                found.push(change(Kind::Changed, &before.name, details, false));
            }
            Some(_) => {}
            None => {
                let details = vec![format!("{}; it could not be called", before.signature)];
                found.push(change(Kind::Removed, &before.name, details, false));
            }
        }
    }
    let known = |name: &str| old_functions.contains_key(name) || old_left.contains_key(name);
    for now in new.left_out.iter().filter(|now| !known(&now.name)) {
        let details = vec![now.signature.clone(), format!("it cannot be called: {}", now.reason)];
        found.push(change(Kind::Added, &now.name, details, false));
    }
}

/// What changed of a function that can be called before and after.
fn function(before: &Function, now: &Function) -> Option<Change> {
    let mut details = Vec::new();
    let mut breaks = false;
    if before.signature != now.signature {
        details.push(became(&before.signature, &now.signature));
        let types = |function: &Function| -> Vec<String> {
            let params = function.params.iter().map(|param| &param.ty);
            params.chain([&function.result_type]).map(|ty| ty.canonical.clone()).collect()
        };
        breaks |= types(before) != types(now);
    }
    let (names, now_names) = (Names::of(before), Names::of(now));
    for (param, other) in before.params.iter().zip(&now.params) {
        let was = role(&to_value(&param.role.value).unwrap_or_default(), &names);
        let is = role(&to_value(&other.role.value).unwrap_or_default(), &now_names);
        if was != is {
            details.push(format!("`{}` was {was}; it is {is}", other.name));
            breaks = true;
        }
    }
    let was = returned(&to_value(&before.result.value).unwrap_or_default(), &names);
    let is = returned(&to_value(&now.result.value).unwrap_or_default(), &now_names);
    if was != is {
        details.push(format!("the result was {was}; it is {is}"));
        breaks = true;
    }
    let rule = |function: &Function, names: &Names| {
        function.error.as_ref().map_or_else(
            || "nothing means failure".to_owned(),
            |rule| error(&to_value(&rule.value).unwrap_or_default(), names),
        )
    };
    let (was, is) = (rule(before, &names), rule(now, &now_names));
    if was != is {
        details.push(format!("{was}; now {is}"));
    }
    if before.keeps != now.keeps {
        details.push("what the library keeps after the call".to_owned());
    }
    if before.layout != now.layout {
        breaks = true;
    }
    if details.is_empty() && !breaks {
        return None;
    }
    if details.is_empty() {
        details.push("what crosses to the worker lies elsewhere".to_owned());
    }
    Some(changed(Subject::Function, &now.name, details, breaks))
}

fn structures(old: &Interface, new: &Interface, found: &mut Vec<Change>) {
    for (key, before) in &old.records {
        let travels = old.structs.contains_key(key) || new.structs.contains_key(key);
        let Some(now) = new.records.get(key) else { continue };
        let mut details = layout(before, now);
        if let (Some(before), Some(now)) = (old.structs.get(key), new.structs.get(key)) {
            details.extend(travelling(before, now));
        }
        if !details.is_empty() {
            found.push(changed(Subject::Structure, &now.c_name, details, travels));
        }
    }
}

/// What changed of a structure's C layout.
fn layout(before: &Record, now: &Record) -> Vec<String> {
    let (before, now) = match (&before.layout, &now.layout) {
        (Some(before), Some(now)) => (before, now),
        (None, Some(_)) => return vec!["it shows its fields now".to_owned()],
        (Some(_), None) => return vec!["it hides its fields now".to_owned()],
        (None, None) => return Vec::new(),
    };
    let [known, there] = [before, now].map(|state| by_name(&state.fields, |it| it.name.as_ref()));
    let mut details = Vec::new();
    if (before.size, before.align) != (now.size, now.align) {
        details.push(format!("it was {} bytes large and is {}", before.size, now.size));
    }
    for field in &before.fields {
        let Some(name) = &field.name else { continue };
        match there.get(name.as_str()) {
            None => details.push(format!("`{name}` is gone")),
            Some(other) if other.ty.canonical != field.ty.canonical => {
                details.push(format!("`{name}` was `{}` and is `{}`", field.ty.written, other.ty.written));
            }
            Some(other) if other.offset_bits != field.offset_bits => {
                let (from, to) = (field.offset_bits / 8, other.offset_bits / 8);
                details.push(format!("`{name}` moved from byte {from} to byte {to}"));
            }
            Some(_) => {}
        }
    }
    let fresh = now.fields.iter().filter_map(|field| field.name.as_ref());
    let fresh = fresh.filter(|name| !known.contains_key(name.as_str()));
    details.extend(fresh.map(|name| format!("`{name}` is new")));
    details
}

/// What changed of how a structure travels.
fn travelling(before: &Struct, now: &Struct) -> Vec<String> {
    let mut details = Vec::new();
    if before.resident != now.resident {
        let says = if now.resident { "the library keeps it now" } else { "it goes with every call now" };
        details.push(says.to_owned());
    }
    let there = by_name(&now.fields, |it| Some(&it.name));
    for field in &before.fields {
        let other = there.get(field.name.as_str());
        if other.is_some_and(|other| other.role.value != field.role.value) {
            details.push(format!("what `{}` is for", field.name));
        }
    }
    details
}

fn enumerations(old: &BTreeMap<String, Enum>, new: &BTreeMap<String, Enum>, found: &mut Vec<Change>) {
    for (key, before) in old {
        let Some(now) = new.get(key) else { continue };
        let mut details = Vec::new();
        let [known, there] = [before, now].map(|state| by_name(&state.enumerators, |(name, _)| Some(name)));
        for (name, value) in &before.enumerators {
            match there.get(name.as_str()) {
                None => details.push(format!("`{name}` is gone")),
                Some((_, other)) if other != value => {
                    details.push(format!("`{name}` was {value} and is {other}"))
                }
                Some(_) => {}
            }
        }
        let breaks = !details.is_empty();
        let fresh = now.enumerators.iter().filter(|(name, _)| !known.contains_key(name.as_str()));
        details.extend(fresh.map(|(name, value)| format!("`{name}` is new: {value}")));
        if !details.is_empty() {
            found.push(changed(Subject::Enumeration, &now.c_name, details, breaks));
        }
    }
}

fn constants(old: &Interface, new: &Interface, found: &mut Vec<Change>) {
    let change = |kind, name: &str, details, breaks| Change {
        kind,
        subject: Subject::Constant,
        name: name.to_owned(),
        details,
        breaks,
    };
    for (name, before) in &old.constants {
        match new.constants.get(name) {
            None => found.push(change(Kind::Removed, name, vec![shown(&before.value)], true)),
            Some(now) if now.value != before.value => {
                let details = vec![format!("{} became {}", shown(&before.value), shown(&now.value))];
                found.push(change(Kind::Changed, name, details, false));
            }
            Some(_) => {}
        }
    }
    let fresh = new.constants.iter().filter(|(name, _)| !old.constants.contains_key(*name));
    found.extend(fresh.map(|(name, now)| change(Kind::Added, name, vec![shown(&now.value)], false)));
}

fn became(before: &str, now: &str) -> String {
    format!("`{before}` became `{now}`")
}

fn shown(value: &ConstantValue) -> String {
    match value {
        ConstantValue::Int(value) => value.to_string(),
        ConstantValue::Uint(value) => value.to_string(),
        ConstantValue::Float(value) => value.to_string(),
        ConstantValue::Text(value) => format!("{value:?}"),
    }
}

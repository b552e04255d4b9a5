//! Which objects are made anew in the next worker, and by which calls.

use std::ops::Range;

use hotcell_model::interface::{Interface, RESTORE_TIMES, Restore, Setting};

use crate::contract::{Configure, Contract, RestoreLine};
use crate::diagnostic::Diagnostic;
use crate::document::Text;
use crate::pattern;
use crate::suggest::did_you_mean;

/// Says of each handle type of an interface what the contract says of making its objects anew.
///
/// # Errors
///
/// What cannot be made again.
pub(crate) fn add(contract: &Contract, interface: &mut Interface) -> Result<(), Vec<Diagnostic>> {
    let mut wrong = Vec::new();
    let lines = || contract.handles.iter().filter_map(|line| Some((&line.name, line.restore.as_ref()?)));
    // All of them first: what an object belongs to must be made anew, too.
    for (name, line) in lines() {
        let restore = Restore {
            by: named(interface, &line.by.iter().collect::<Vec<_>>(), &mut wrong),
            configure: settings(interface, line, &mut wrong),
            times: line.times.unwrap_or(RESTORE_TIMES),
        };
        let Some(handle) = interface.handles.get_mut(name) else {
            let message = format!("no function that is selected uses a `{name}`");
            wrong.push(Diagnostic::error(message).at(line.span.clone()).label("nothing to make anew"));
            continue;
        };
        handle.restore = Some(restore);
    }
    for (name, line) in lines().filter(|(name, _)| interface.handles.contains_key(*name)) {
        look(interface, name, line, &mut wrong);
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Looks whether each call can be made again.
fn look(interface: &Interface, name: &str, line: &RestoreLine, wrong: &mut Vec<Diagnostic>) {
    if let Err(why) = interface.restorable(name) {
        let message = format!("a `{name}` cannot be made anew: {why}");
        return wrong.push(Diagnostic::error(message).at(line.span.clone()).label("not of this type"));
    }
    let mut refused = |span: &Range<usize>, function: &str, why: String| {
        let message = format!("a call of `{function}` cannot be made again: {why}");
        let help = "what goes in is kept for that: numbers, texts and data; leave the function out here";
        let diagnostic = Diagnostic::error(message).at(span.clone()).label("not kept");
        wrong.push(diagnostic.help(help.to_owned()));
    };
    for text in &line.by {
        for function in matching(interface, text) {
            if let Err(why) = interface.repeated_maker(name, &function) {
                refused(&text.span, &function, why);
            }
        }
    }
    for configure in &line.configure {
        for setting in of_line(interface, configure) {
            if let Err(why) = interface.repeated_setting(name, &setting) {
                refused(&configure.function.span, &setting.function, why);
            }
        }
    }
}

fn settings(interface: &Interface, line: &RestoreLine, wrong: &mut Vec<Diagnostic>) -> Vec<Setting> {
    let functions: Vec<&Text> = line.configure.iter().map(|configure| &configure.function).collect();
    named(interface, &functions, wrong);
    let mut found: Vec<Setting> = Vec::new();
    for setting in line.configure.iter().flat_map(|configure| of_line(interface, configure)) {
        // The first that is about a function says what tells its calls apart.
        if !found.iter().any(|other| other.function == setting.function) {
            found.push(setting);
        }
    }
    found
}

fn of_line(interface: &Interface, configure: &Configure) -> Vec<Setting> {
    let key: Vec<String> = configure.key.iter().map(|text| text.value.clone()).collect();
    let functions = matching(interface, &configure.function);
    functions.into_iter().map(|function| Setting { function, key: key.clone() }).collect()
}

/// The functions that these name, each once. A text that names none is wrong.
fn named(interface: &Interface, texts: &[&Text], wrong: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        let functions = matching(interface, text);
        if functions.is_empty() {
            let all = interface.functions.iter().map(|function| function.name.as_str());
            let help = did_you_mean(&text.value, all);
            let message = format!("`{}` names no function that can be called", text.value);
            wrong.push(Diagnostic::error(message).at(text.span.clone()).help(help));
        }
        let new: Vec<String> = functions.into_iter().filter(|name| !found.contains(name)).collect();
        found.extend(new);
    }
    found
}

fn matching(interface: &Interface, text: &Text) -> Vec<String> {
    let names = interface.functions.iter().map(|function| &function.name);
    names.filter(|name| pattern::matches(&text.value, name)).cloned().collect()
}

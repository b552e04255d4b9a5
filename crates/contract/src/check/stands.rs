//! `stands_for`: functions of the headers that one of the prelude calls for its callers.

use hotcell_model::api::{Api, Function};

use crate::contract::{Contract, FunctionLines};
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::Text;
use crate::pattern;

mod calls;

/// Says which lines are not true: what is stood for is declared, and the function calls it.
pub(crate) fn check(contract: &Contract, api: &Api, findings: &mut Vec<Diagnostic>) {
    for lines in contract.functions.iter().filter(|lines| !lines.stands_for.is_empty()) {
        findings.extend(no_prelude(api, lines));
        for text in &lines.stands_for {
            findings.extend(wrong(contract, api, lines, text));
        }
    }
}

/// A function of the library stands for itself only.
fn no_prelude(api: &Api, lines: &FunctionLines) -> Option<Diagnostic> {
    let is_it = |function: &&Function| pattern::matches(&lines.name, &function.name);
    let exported = api.functions.iter().filter(is_it).find(|function| !function.inline)?;
    let message = format!("`{}` is the library's, and calls what its library calls", exported.name);
    let help = "say it of an inline function that the `prelude` defines".to_owned();
    Some(Diagnostic::error(message).at(lines.stands_for[0].span.clone()).help(help))
}

fn wrong(contract: &Contract, api: &Api, lines: &FunctionLines, text: &Text) -> Vec<Diagnostic> {
    let names = api.functions.iter().map(|function| function.name.as_str());
    let idle = pattern::useless(&contract.text, text, names.clone(), "function of the headers");
    if !idle.is_empty() {
        return idle.into_iter().map(|found| Diagnostic { severity: Severity::Error, ..found }).collect();
    }
    let prelude = contract.prelude().unwrap_or_default();
    let run = calls::text_of(prelude, |name| pattern::matches(&lines.name, name));
    // Its own name may be one of those that the pattern matches.
    let others =
        names.filter(|name| pattern::matches(&text.value, name) && !pattern::matches(&lines.name, name));
    let uncalled = others.filter(|name| !calls::calls(&run, name));
    let wrong = |name: &str| {
        let message = format!("`{}` does not call `{name}` in the `prelude`", lines.name);
        let help = format!("leave `{name}` out, or call it there");
        Diagnostic::error(message).at(text.span.clone()).label("not called").help(help)
    };
    uncalled.map(wrong).collect()
}

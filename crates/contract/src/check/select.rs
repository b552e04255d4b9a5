//! Which functions are wanted.

use hotcell_model::api::{Api, CONTRACT, Function};

use crate::check::Selection;
use crate::contract::Contract;
use crate::diagnostic::Diagnostic;
use crate::document::Text;
use crate::pattern::{self, matches};
use crate::suggest::did_you_mean;

/// The selected functions in the order of the headers.
pub(crate) fn select<'a>(
    contract: &Contract,
    api: &'a Api,
    selection: Selection<'_>,
    findings: &mut Vec<Diagnostic>,
) -> Vec<&'a Function> {
    match selection {
        Selection::Only(name) => {
            let found = find(api, name);
            if found.is_none() {
                findings.push(unknown(api, name));
            }
            found.into_iter().collect()
        }
        Selection::Contract => {
            for lines in contract.functions.iter().filter(|lines| !lines.is_pattern()) {
                if find(api, &lines.name).is_none() {
                    findings.push(unknown(api, &lines.name).at(lines.span.clone()));
                }
            }
            for pattern in contract.include.iter().chain(&contract.exclude) {
                let names = api.functions.iter().map(|function| function.name.as_str());
                findings.extend(pattern::useless(&contract.text, pattern, names, "function of the headers"));
            }
            let wanted = |function: &&Function| {
                if function.location.file == CONTRACT {
                    return contract.adds(&function.name);
                }
                // Its arguments are what the forms of it say.
                if function.variadic && contract.has_form_of(&function.name) {
                    return false;
                }
                if contract.is_stood_for(&function.name) && contract.function(&function.name).is_none() {
                    return false;
                }
                is_of_headers(contract, function)
            };
            api.functions.iter().filter(wanted).collect()
        }
    }
}

/// Whether a function of the headers is wanted.
pub(crate) fn is_of_headers(contract: &Contract, function: &Function) -> bool {
    let any = |patterns: &[Text]| patterns.iter().any(|p| matches(&p.value, &function.name));
    let included = contract.include.is_empty() || any(&contract.include);
    let of_headers = function.location.primary && included && !any(&contract.exclude);
    of_headers || contract.function(&function.name).is_some()
}

/// The function of this name.
pub(crate) fn find<'a>(api: &'a Api, name: &str) -> Option<&'a Function> {
    api.functions.iter().find(|function| function.name == name)
}

/// Says that no function has this name.
pub(crate) fn unknown(api: &Api, name: &str) -> Diagnostic {
    if let Some(params) = api.function_macros.get(name) {
        let message = format!("`{name}` is a function-like macro, not a function");
        let help = format!(
            "say its prototype in C: `declare = \"TYPE {name}({})\"`",
            params.iter().map(|param| format!("TYPE {param}")).collect::<Vec<_>>().join(", ")
        );
        return Diagnostic::error(message).label("a macro").help(help);
    }
    let help = did_you_mean(name, api.functions.iter().map(|function| function.name.as_str()));
    Diagnostic::error(format!("the headers declare no function `{name}`"))
        .label("unknown function")
        .help(help)
}

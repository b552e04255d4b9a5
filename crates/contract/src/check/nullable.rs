//! `nullable`: what may be NULL, said of many parameters and results at once.

use hotcell_model::api::Function;
use hotcell_model::evidence::Fact;
use hotcell_model::interface::{Direction, ResultRole, Role};
use hotcell_model::types::{CType, Type};

use crate::check::decide::Site;
use crate::check::names;
use crate::contract::{Contract, Selector};
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::Text;
use crate::pattern;

/// How entries call what a function returns.
const RESULT: &str = "result";

/// Makes nullable what the entries about a function say, whatever decided what it is.
pub(crate) fn apply(
    site: Site<'_>,
    roles: &mut [Fact<Role>],
    result: &mut Fact<ResultRole>,
    wrong: &mut Vec<Diagnostic>,
) {
    for selector in &site.contract.nullable {
        let Some(param) = &selector.param else { continue };
        if !pattern::matches(&selector.function.value, &site.function.name) {
            continue;
        }
        let positions = names::positions(site.function, site.names, &param.value);
        let mut can = false;
        for &index in positions.iter().filter(|&&index| is_pointer(&site.function.params[index].ty)) {
            can |= may_be_null(&mut roles[index].value);
        }
        if pattern::matches(&param.value, RESULT) && is_pointer(&site.function.result) {
            can |= result_may_be_null(&mut result.value);
        }
        let one = !pattern::is_pattern(&selector.function.value) && !pattern::is_pattern(&param.value);
        if one && !can && !(positions.is_empty() && param.value != RESULT) {
            let message = format!("`{}` of `{}` is never NULL", param.value, site.function.name);
            let help = "texts, data, objects, structures and callbacks may be NULL";
            wrong.push(Diagnostic::error(message).at(param.span.clone()).help(help.to_owned()));
        }
    }
}

fn is_pointer(ty: &CType) -> bool {
    matches!(ty.kind, Type::Pointer { .. } | Type::FunctionPointer { .. })
}

/// Says so of a parameter, where that means something.
fn may_be_null(role: &mut Role) -> bool {
    let (Role::Text { nullable, .. }
    | Role::Texts { nullable, .. }
    | Role::BufferIn { nullable, .. }
    | Role::BufferInOut { nullable, .. }
    | Role::Handle { nullable, .. }
    | Role::HandleOut { nullable, .. }
    | Role::Struct { nullable, direction: Direction::In | Direction::InOut, .. }
    | Role::Callback { nullable, .. }) = role
    else {
        return false;
    };
    *nullable = true;
    true
}

/// Says so of what is returned, where that means something.
fn result_may_be_null(role: &mut ResultRole) -> bool {
    let (ResultRole::Text { nullable, .. }
    | ResultRole::Texts { nullable, .. }
    | ResultRole::Buffer { nullable, .. }
    | ResultRole::Handle { nullable, .. }
    | ResultRole::Struct { nullable, .. }) = role
    else {
        return false;
    };
    *nullable = true;
    true
}

/// Warns about entries that choose nothing. A parameter that the one function named with it does not have is an error.
pub(crate) fn useless(contract: &Contract, selected: &[&Function], findings: &mut Vec<Diagnostic>) {
    for Selector { function, param } in &contract.nullable {
        let all = selected.iter().map(|function| function.name.as_str());
        findings.extend(pattern::useless(&contract.text, function, all, "function that is selected"));
        let matching: Vec<&&Function> =
            selected.iter().filter(|selected| pattern::matches(&function.value, &selected.name)).collect();
        let Some(param) = param.as_ref().filter(|_| !matching.is_empty()) else { continue };
        let one = !pattern::is_pattern(&function.value);
        let found = missing(contract, param, &matching, &function.value, one);
        findings.extend(found.into_iter().map(|found| match one {
            true => Diagnostic { severity: Severity::Error, ..found },
            false => found,
        }));
    }
}

/// The parts of a parameter's pattern that none of these functions has.
fn missing(
    contract: &Contract,
    param: &Text,
    functions: &[&&Function],
    written: &str,
    one: bool,
) -> Vec<Diagnostic> {
    let own: Vec<String> = functions.iter().flat_map(|function| names::names(function)).collect();
    let raw = functions.iter().flat_map(|function| &function.params);
    let raw = raw.filter_map(|param| param.name.as_deref());
    let names = own.iter().map(String::as_str).chain(raw).chain([RESULT]);
    let what = match one {
        true => format!("parameter of `{written}`"),
        false => format!("parameter of the functions that `{written}` matches"),
    };
    pattern::useless(&contract.text, param, names, &what)
}

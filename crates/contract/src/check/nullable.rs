//! `nullable`: what may be NULL, said of many parameters, results and parameters of callbacks at once.

use hotcell_model::api::Function;
use hotcell_model::evidence::Fact;
use hotcell_model::expr::Expr;
use hotcell_model::interface::{CallbackRole, Direction, ResultRole, Role};
use hotcell_model::types::{CType, Type};

use crate::check::decide::Site;
use crate::check::names;
use crate::contract::{Contract, Nullable};
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
    for Nullable { function, param, inside } in &site.contract.nullable {
        if !pattern::matches(&function.value, &site.function.name) {
            continue;
        }
        let positions = names::positions(site.function, site.names, &param.value);
        if let Some(inside) = inside {
            let one = !pattern::is_pattern(&function.value) && !pattern::is_pattern(&param.value);
            in_callbacks(site, roles, (&positions, one), inside, wrong);
            continue;
        }
        let mut can = false;
        for &index in positions.iter().filter(|&&index| is_pointer(&site.function.params[index].ty)) {
            can |= may_be_null(&mut roles[index].value);
        }
        if pattern::matches(&param.value, RESULT) && is_pointer(&site.function.result) {
            can |= result_may_be_null(&mut result.value);
        }
        let one = !pattern::is_pattern(&function.value) && !pattern::is_pattern(&param.value);
        if one && !can && !(positions.is_empty() && param.value != RESULT) {
            let message = format!("`{}` of `{}` is never NULL", param.value, site.function.name);
            let help = "texts, data, objects, structures and callbacks may be NULL";
            wrong.push(Diagnostic::error(message).at(param.span.clone()).help(help.to_owned()));
        }
    }
}

/// Makes nullable what callbacks are given, by the names of their parameters.
fn in_callbacks(
    site: Site<'_>,
    roles: &mut [Fact<Role>],
    (positions, one): (&[usize], bool),
    inside: &Text,
    wrong: &mut Vec<Diagnostic>,
) {
    for &index in positions {
        let Role::Callback { callback, .. } = &mut roles[index].value else {
            if one {
                let message = format!("`{}` of `{}` is no callback", site.names[index], site.function.name);
                wrong.push(Diagnostic::error(message).at(inside.span.clone()));
            }
            continue;
        };
        let asked = callback.user_data_from.iter().chain(&callback.failure_call);
        let mut used = Vec::new();
        asked.for_each(|expr| {
            expr.walk(&mut |part| {
                if let Expr::Param { index } = part {
                    used.push(*index);
                }
            })
        });
        let needed = used.iter().find_map(|&used| {
            let param = callback.params.get(used)?;
            pattern::matches(&inside.value, &param.name).then(|| param.name.clone())
        });
        if let Some(needed) = needed {
            let message = format!(
                "`{needed}` of the callback `{}` is asked for something, and is never NULL",
                site.names[index]
            );
            let help = "leave it out: `user_data_from` or `on_failure` needs it";
            wrong.push(Diagnostic::error(message).at(inside.span.clone()).help(help.to_owned()));
            continue;
        }
        let mut can = false;
        for param in callback.params.iter_mut().filter(|param| pattern::matches(&inside.value, &param.name)) {
            if let CallbackRole::Text { nullable, .. }
            // Where a NULL ends them, none of them is one.
            | CallbackRole::Texts { nullable, length: Some(_), .. }
            | CallbackRole::Handle { nullable, .. } = &mut param.role
            {
                (*nullable, can) = (true, true);
            }
        }
        if !can && one {
            let (function, callback) = (&site.function.name, &site.names[index]);
            let message =
                format!("no `{}` of the callback `{callback}` of `{function}` may be NULL", inside.value);
            let help = "texts, also those of an array that is counted, and objects that a callback is given may be NULL";
            wrong.push(Diagnostic::error(message).at(inside.span.clone()).help(help.to_owned()));
        }
    }
}

/// Whether an entry says that a parameter may be NULL.
pub(crate) fn says(site: Site<'_>, index: usize) -> bool {
    let about = |entry: &&Nullable| {
        entry.inside.is_none() && pattern::matches(&entry.function.value, &site.function.name)
    };
    let mut entries = site.contract.nullable.iter().filter(about);
    entries.any(|entry| names::positions(site.function, site.names, &entry.param.value).contains(&index))
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
    | Role::Handles { nullable, .. }
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
    for Nullable { function, param, .. } in &contract.nullable {
        let all = selected.iter().map(|function| function.name.as_str());
        findings.extend(pattern::useless(&contract.text, function, all, "function that is selected"));
        let matching: Vec<&&Function> =
            selected.iter().filter(|selected| pattern::matches(&function.value, &selected.name)).collect();
        if matching.is_empty() {
            continue;
        }
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

//! Constants that name the codes of errors.

use std::collections::BTreeMap;

use hotcell_model::api::{Api, Constant, ConstantValue};
use hotcell_model::interface::Function;
use hotcell_model::types::Type;

use crate::check::decide::Site;
use crate::contract::ErrorLine;
use crate::diagnostic::Diagnostic;
use crate::document::Text;
use crate::pattern::{self, matches};

/// The set that a rule names its codes by.
pub(crate) fn of_rule(
    site: Site<'_>,
    text: &Text,
    line: &ErrorLine,
    wrong: &mut Vec<Diagnostic>,
) -> Option<String> {
    let error = |message: String| Diagnostic::error(message).at(text.span.clone());
    if let Some(diagnostic) = pattern::wrong(&site.contract.text, text, "constant") {
        wrong.push(diagnostic);
        return None;
    }
    if constants(site.api, &text.value).is_empty() {
        let message = format!("`{}` matches no integer constant of the headers", text.value);
        let help = "write the constants' names with `*` for any letters, such as \"SQLITE_*\"".to_owned();
        wrong.push(error(message).label("no such constant").help(help));
        return None;
    }
    let result = &site.function.result;
    let integer = result.is_scalar() && !matches!(result.kind, Type::Float { .. });
    if line.code.is_none() && !integer {
        let message = format!("`symbols` names codes, and the result is `{}`", result.written);
        let help = "add `code = \"EXPRESSION\"`, the code of the failure".to_owned();
        wrong.push(error(message).help(help));
        return None;
    }
    Some(text.value.clone())
}

/// The names of the codes of each set that functions use: for a code the first name of the header.
pub(crate) fn sets(api: &Api, functions: &[Function]) -> BTreeMap<String, Vec<(i64, String)>> {
    let rules = functions.iter().filter_map(|function| function.error.as_ref());
    let used = rules.filter_map(|rule| rule.value.symbols.clone());
    used.map(|pattern| {
        let mut codes: BTreeMap<i64, String> = BTreeMap::new();
        for (name, value) in constants(api, &pattern) {
            codes.entry(value).or_insert_with(|| name.to_owned());
        }
        (pattern, codes.into_iter().collect())
    })
    .collect()
}

/// Integer constants of a name pattern in the order of the headers, those that were asked for first.
fn constants<'a>(api: &'a Api, pattern: &str) -> Vec<(&'a str, i64)> {
    let integer = |constant: &Constant| match constant.value {
        ConstantValue::Int(value) => Some(value),
        _ => None,
    };
    let matching = api.constants.iter().filter(|(name, _)| matches(pattern, name));
    let mut found: Vec<(&str, i64, &Constant)> =
        matching.filter_map(|(name, constant)| Some((name.as_str(), integer(constant)?, constant))).collect();
    found.sort_by_key(|(name, _, constant)| {
        let place = &constant.location;
        (!place.primary, place.file.as_str(), place.line, *name)
    });
    found.into_iter().map(|(name, value, _)| (name, value)).collect()
}

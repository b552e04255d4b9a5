//! Entries of lists about owners that choose nothing.

use hotcell_model::api::Function;
use hotcell_model::types::{CType, Type};

use crate::check::names;
use crate::contract::{Contract, Selectors};
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::Text;
use crate::infer::Known;
use crate::pattern;

/// Says which parts of a selector's parameter a function does not have.
fn missing(contract: &Contract, function: &Function, param: &Text, result: bool) -> Vec<Diagnostic> {
    let names = names::names(function);
    let raw = function.params.iter().filter_map(|param| param.name.as_deref());
    let all = names.iter().map(String::as_str).chain(raw).chain(result.then_some("result"));
    let found = pattern::useless(&contract.text, param, all, &format!("parameter of `{}`", function.name));
    found.into_iter().map(|found| Diagnostic { severity: Severity::Error, ..found }).collect()
}

/// Warns about selectors that choose nothing. A parameter that the one function it is said of does not have is an error.
pub(crate) fn useless(
    contract: &Contract,
    known: Known<'_>,
    selected: &[&Function],
    findings: &mut Vec<Diagnostic>,
) {
    let mut look =
        |selectors: &Selectors, what: String, name: &str, fits: &dyn Fn(&CType) -> bool, result| {
            let places = |function: &Function| -> Vec<String> {
                let names = names::names(function).into_iter().zip(&function.params);
                let fitting = names.filter(|(_, param)| fits(&param.ty)).map(|(name, _)| name);
                let returned = result && known.handles.of_pointer(&function.result) == Some(name);
                fitting.chain(returned.then(|| "result".to_owned())).collect()
            };
            let all = selected.iter().map(|function| (function.name.as_str(), places(function)));
            let all: Vec<(&str, Vec<String>)> = all.filter(|(_, places)| !places.is_empty()).collect();
            for selector in &selectors.all {
                let functions = all.iter().map(|(name, _)| *name);
                findings.extend(pattern::useless(&contract.text, &selector.function, functions, &what));
                let Some(param) = &selector.param else { continue };
                let missing = selected
                    .iter()
                    .find(|function| function.name == selector.function.value)
                    .map(|function| missing(contract, function, param, result))
                    .unwrap_or_default();
                if !missing.is_empty() {
                    findings.extend(missing);
                    continue;
                }
                let matching =
                    all.iter().filter(|(name, _)| pattern::matches(&selector.function.value, name));
                let places: Vec<&str> = matching.flat_map(|(_, places)| places).map(String::as_str).collect();
                if !places.is_empty() {
                    let what = format!("`{name}` of `{}`", selector.function.value);
                    findings.extend(pattern::useless(&contract.text, param, places.into_iter(), &what));
                }
            }
        };
    for line in &contract.handles {
        let name = line.name.as_str();
        let takes = |ty: &CType| known.handles.of_pointer(ty) == Some(name);
        let gives = |ty: &CType| known.handles.of_pointer_pointer(ty) == Some(name);
        for selectors in [&line.taken_by, &line.lends_until].into_iter().flatten() {
            look(selectors, format!("function that is selected and takes a `{name}`"), name, &takes, false);
        }
        if let Some(selectors) = &line.made_by {
            look(selectors, format!("function that is selected and gives a `{name}`"), name, &gives, true);
        }
    }
    for (table, line) in contract.structs.iter().enumerate() {
        let takes = |ty: &CType| match ty.pointee().map(|(pointee, _)| &pointee.kind) {
            Some(Type::Record { name }) => known.structs.resident_table(name) == Some(table),
            _ => false,
        };
        if let Some(started) = &line.started_by {
            let what = format!("function that is selected and takes a `{}`", line.name);
            look(&started.selectors, what, &line.name, &takes, false);
        }
    }
}

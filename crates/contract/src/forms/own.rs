//! Functions of the headers that are called in another form under their own names: with arguments for `...`, or with parameters that
//! travel otherwise.

use hotcell_model::api::{Api, Function};

use crate::check::names;
use crate::check::select;
use crate::contract::{Contract, FormLine};
use crate::diagnostic::Diagnostic;
use crate::forms::{Exports, Form, c, head};

/// Adds them.
pub(super) fn add(
    contract: &Contract,
    api: &Api,
    exports: Exports<'_>,
    forms: &mut Vec<Form>,
    given: &mut Vec<String>,
    findings: &mut Vec<Diagnostic>,
) {
    if !contract.functions.iter().any(|lines| lines.form.is_own()) {
        return;
    }
    let exported = |function: &Function| {
        function.inline || exports.functions.is_none_or(|all| all.contains(&function.name))
    };
    let wanted = api.functions.iter().filter(|function| exported(function));
    for function in wanted.filter(|function| select::is_of_headers(contract, function)) {
        let form = form_of(contract, function);
        if !form.is_own() || !function.prototyped && form.further.is_none() {
            continue;
        }
        match head(api, function, &form, given) {
            Ok((written, ways)) => {
                let c_name = format!("hotcell_form_of_{}", function.name);
                let callee = c::callee(function, &written);
                let c = c::function(&c_name, &written, &callee, &written.names(), &ways, "");
                let span = contract.tables(&function.name).into_iter().rfind(|lines| lines.form.is_own());
                let span = span.map_or(0..0, |lines| lines.span.clone());
                let name = function.name.clone();
                let (of, access, measured) = (None, None, form.measured());
                forms.push(Form { name, c_name, of, span, c, access, measured });
            }
            Err(diagnostic) => findings.push(*diagnostic),
        }
    }
}

/// What the tables about a function say of its form, the strongest of each.
fn form_of(contract: &Contract, function: &Function) -> FormLine {
    let own = names::names(function);
    let mut form = FormLine::default();
    for lines in contract.tables(&function.name) {
        if lines.form.of.is_some() || lines.form.declare.is_some() || lines.form.each.is_some() {
            continue;
        }
        form.further = lines.form.further.clone().or(form.further);
        form.typed = lines.form.typed.clone().or(form.typed);
        form.returns = lines.form.returns.clone().or(form.returns);
        // What says something else of a parameter stands before what was said of it.
        let said = |name: &str| {
            lines.params.iter().any(|line| line.name == name)
                || lines.form.streams.iter().any(|line| line.param.value == name)
        };
        form.streams.retain(|stream| !said(&stream.param.value));
        let there = |name: &str| !lines.is_pattern() || own.iter().any(|own| own == name);
        let with = lines.form.with.iter().filter(|line| there(&line.param.value));
        form.with.extend(with.cloned());
        let streams = lines.form.streams.iter().filter(|line| there(&line.param.value));
        form.streams.extend(streams.cloned());
        form.gives.retain(|give| match &give.param {
            Some(name) => !lines.params.iter().any(|line| line.name == *name),
            None => lines.result.is_none(),
        });
        let gives = lines.form.gives.iter().filter(|give| give.param.as_ref().is_none_or(|name| there(name)));
        form.gives.extend(gives.cloned());
    }
    form
}

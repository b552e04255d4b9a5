//! Functions that release objects: they are bound with what they release, or nobody can own one.

use hotcell_model::api::Function;
use hotcell_model::interface::{self, LeftOut, Ownership, ResultRole, Role, Status};
use hotcell_model::types::{CType, Type};

use crate::check::decide::Site;
use crate::check::{Link, bind, life, resolve, select};
use crate::contract::Contract;
use crate::diagnostic::Diagnostic;
use crate::handles::Handles;
use crate::infer::Known;

/// Checks that each `release` of the contract is a function that takes such an object.
pub(crate) fn check(contract: &Contract, known: Known<'_>, link: Link<'_>, findings: &mut Vec<Diagnostic>) {
    let place = life::nowhere("release", life::void());
    let site = Site {
        contract,
        api: known.api,
        known,
        exports: link.exports,
        shadowed: link.shadowed,
        function: &place,
        names: &[],
    };
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for line in &contract.handles {
        let Some(text) = &line.release else { continue };
        let diagnostic = match resolve::declared(site, &text.value) {
            Err(diagnostic) => Some(*diagnostic),
            Ok(callee) if param(known.handles, callee, &line.name).is_none() => {
                let message = format!("`{}` does not take one `{}`", text.value, line.name);
                let help = format!("it is declared `{}`", callee.signature());
                Some(Diagnostic::error(message).help(help))
            }
            Ok(_) => {
                let other = seen.iter().find(|(release, _)| *release == text.value);
                other.map(|(_, other)| {
                    let message = format!("`{}` already releases a `{other}`", text.value);
                    Diagnostic::error(message).help("a function releases objects of one type".to_owned())
                })
            }
        };
        seen.push((&text.value, &line.name));
        findings.extend(diagnostic.map(|diagnostic| diagnostic.at(text.span.clone())));
    }
}

/// The parameter of a releasing function that is the object: the only one of the type, or a lone `void *`.
pub(crate) fn param(handles: &Handles, function: &Function, handle: &str) -> Option<usize> {
    let params = || function.params.iter().enumerate();
    let mut own = params().filter(|(_, param)| handles.of_pointer(&param.ty) == Some(handle));
    match (own.next(), own.next()) {
        (Some((index, _)), None) => Some(index),
        (None, None) => {
            let void = |ty: &CType| {
                handles.of_pointer(ty).is_none()
                    && matches!(ty.pointee(), Some((CType { kind: Type::Void, .. }, _)))
            };
            let mut pointers = params().filter(|(_, param)| void(&param.ty));
            pointers.next().filter(|_| pointers.next().is_none()).map(|(index, _)| index)
        }
        _ => None,
    }
}

/// Binds the releases of what functions hand out, where they are not selected themselves.
pub(crate) fn add(
    contract: &Contract,
    known: Known<'_>,
    link: Link<'_>,
    selected: &[&Function],
    functions: &mut Vec<interface::Function>,
    left_out: &mut Vec<LeftOut>,
    findings: &mut Vec<Diagnostic>,
) {
    let mut tried: Vec<String> = selected.iter().map(|function| function.name.clone()).collect();
    loop {
        let there = |name: &str| tried.iter().any(|other| other == name);
        let wanted = |function| owned(function).find(|name| !there(name));
        let Some(name) = functions.iter().find_map(wanted).map(str::to_owned) else { break };
        if let Some(function) = select::find(known.api, &name) {
            match bind::bind(contract, known, link, function, findings) {
                Some(Ok(function)) => functions.push(function),
                Some(Err(reason)) => left_out.push(reason),
                None => {}
            }
        }
        tried.push(name);
    }
    let position = |name: &str| known.api.functions.iter().position(|function| function.name == name);
    functions.sort_by_key(|function| position(&function.name));
    left_out.sort_by_key(|out| position(&out.name));
}

/// The functions that release what a function hands out or begins.
pub(crate) fn owned(function: &interface::Function) -> impl Iterator<Item = &str> {
    let params = function.params.iter().filter_map(|param| match &param.role.value {
        Role::HandleOut { ownership: Ownership::Owned { release }, .. } => Some(release.as_str()),
        Role::Resident { starts: Some(start), .. } => start.release.as_deref(),
        _ => None,
    });
    let result = match &function.result.value {
        ResultRole::Handle { ownership: Ownership::Owned { release }, .. } => Some(release.as_str()),
        _ => None,
    };
    params.chain(result)
}

/// Why a function that is bound does not release by itself: it is called with the object alone.
pub(crate) fn objection(function: &interface::Function) -> Option<String> {
    let taken = |role: &Role| {
        matches!(role, Role::Handle { consumed: true, .. } | Role::Resident { consumed: true, .. })
    };
    if !function.params.iter().any(|param| taken(&param.role.value)) {
        return Some("it does not take the object over".to_owned());
    }
    let more = function.params.iter().find(|param| {
        let role = &param.role.value;
        !taken(role) && (role.is_argument() || role.is_result())
    });
    more.map(|param| format!("it takes `{}` besides the object", param.name))
}

/// Why a function that hands out objects which their callers own cannot be called: nothing releases them.
pub(crate) fn missing(
    function: &interface::Function,
    functions: &[interface::Function],
    left_out: &[LeftOut],
) -> Option<(Status, String, Option<String>)> {
    owned(function).find_map(|release| {
        let reason = match functions.iter().find(|function| function.name == release) {
            Some(bound) => objection(bound)?,
            None => match left_out.iter().find(|out| out.name == release) {
                Some(out) => format!("it is left out: {}", out.reason),
                None => "it is not declared".to_owned(),
            },
        };
        let help = left_out.iter().find(|out| out.name == release).and_then(|out| out.help.clone());
        let status = left_out.iter().find(|out| out.name == release).map_or(Status::Undecided, |out| {
            if out.status == Status::NotExported { Status::Unsupported } else { out.status }
        });
        Some((status, format!("`{release}` releases what it makes, and {reason}"), help))
    })
}

/// Warns about releases of the contract that are not of use.
pub(crate) fn useless(
    contract: &Contract,
    functions: &[interface::Function],
    left_out: &[LeftOut],
    findings: &mut Vec<Diagnostic>,
) {
    let handles = contract.handles.iter().filter_map(|line| Some((&line.name, line.release.as_ref()?)));
    for (name, release) in handles {
        let bound = functions.iter().find(|function| function.name == release.value);
        let out = left_out.iter().find(|out| out.name == release.value);
        let (reason, help) = match (bound.and_then(objection), out) {
            (Some(reason), _) => {
                let help = format!("[function.{}]\nparams.… = {{ fixed = \"…\" }}", release.value);
                (reason, Some(help))
            }
            (None, Some(out)) => (format!("it is left out: {}", out.reason), out.help.clone()),
            (None, None) => continue,
        };
        let message = format!("`{}` cannot release a `{name}`: {reason}", release.value);
        findings.push(Diagnostic::warning(message).at(release.span.clone()).help(help));
    }
}

//! A contract and a header together: what can be called, what is left out, and why.

use std::collections::BTreeSet;
use std::rc::Rc;

use hotcell_code::Code;
use hotcell_model::api::Api;
use hotcell_model::fingerprint::Fingerprint;
use hotcell_model::interface::{
    self, FORMAT, Function, Interface, LeftOut, LifeCall, Source, Status, Threads,
};
use hotcell_model::types::CType;

use crate::contract::{Contract, state};
use crate::diagnostic::{Diagnostic, Severity};
use crate::handles::Handles;
use crate::infer::functions::Functions;
use crate::infer::handles::{Library, Pairs};
use crate::infer::uses::Uses;
use crate::infer::{self, Known};
use crate::open_types::{self, OpenType};
use crate::structs::Structs;
use crate::type_names::TypeNames;

mod accessors;
mod bind;
mod callback;
mod callees;
mod cancels;
mod classify;
mod decide;
mod finish;
pub(crate) mod fixed;
mod handed;
mod keeps;
mod lengths;
mod life;
mod lines;
mod members;
pub(crate) mod names;
mod negative;
mod nullable;
mod objects;
mod owners;
mod proposed;
mod ranges;
mod releases;
mod resolve;
mod restores;
mod returned;
pub(crate) mod select;
mod stands;
mod statuses;
mod structures;
mod symbols;
mod twice;
mod type_errors;
pub(crate) mod types;
mod used;

/// What is known about the library's files.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// Sonames to link, first the library itself.
    pub sonames: &'a [String],
    /// Functions the library exports, when its file was read.
    pub exports: Option<&'a BTreeSet<String>>,
    /// Those of them that a worker would find in another library first, which has the same names.
    pub shadowed: Option<&'a BTreeSet<String>>,
    /// What their machine code does, as far as it was read.
    pub code: &'a [Rc<Code>],
}

impl<'a> Link<'a> {
    pub(crate) fn library(self) -> Library<'a> {
        Library { exports: self.exports, code: self.code }
    }
}

/// Which functions are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection<'a> {
    /// Those of the headers as `include` and `exclude` filter them, and those the contract names.
    Contract,
    /// This one, wherever it is declared.
    Only(&'a str),
}

/// An interface and what the user should know about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The interface.
    pub interface: Interface,
    /// Warnings, in the order of the contract.
    pub warnings: Vec<Diagnostic>,
    /// Structures of which nothing says what they are to callers, those that most functions wait for first.
    pub open_types: Vec<OpenType>,
}

/// Joins a contract with what its headers declare.
///
/// Every selected function is either in the interface's functions or left out with the reason.
///
/// # Errors
///
/// Lines of the contract that cannot be true, in the order of the file.
pub fn check(
    contract: &Contract,
    api: &Api,
    link: Link<'_>,
    selection: Selection<'_>,
) -> Result<Checked, Vec<Diagnostic>> {
    let mut findings = Vec::new();
    let names = TypeNames::of(api);
    let functions = Functions::of(api);
    let library = link.library();
    let pairs = Pairs::of(api, &functions, library);
    let inferred = infer::handles::types(api, &functions, library, &pairs);
    let handles = Handles::new(contract, (api, &functions), &names, (inferred, pairs), &mut findings);
    let Link { exports, shadowed, code, .. } = link;
    let begun = infer::begun::types(api, &handles, exports, code);
    let structs = Structs::new(contract, api, &names, &handles, begun, &mut findings);
    let uses = Uses::of(&functions, &handles);
    let known = Known {
        api,
        functions: &functions,
        uses: &uses,
        handles: &handles,
        structs: &structs,
        exports,
        shadowed,
        code,
        against: code,
    };
    releases::check(contract, known, link, &mut findings);
    owners::unreleased(contract, &handles, &mut findings);
    let selected = select::select(contract, api, selection, &mut findings);
    type_errors::check(contract, &mut findings);
    stands::check(contract, api, &mut findings);
    state::check(&contract.leaves, &mut findings);
    if selection == Selection::Contract {
        type_errors::useless(contract, &selected, &mut findings);
        lines::useless(contract, &selected, &mut findings);
        nullable::useless(contract, &selected, &mut findings);
        statuses::look(contract, &selected, &mut findings);
        owners::useless(contract, known, &selected, &mut findings);
    }
    let (mut bound, mut left_out) = (Vec::new(), Vec::new());
    for &function in &selected {
        match bind::bind(contract, known, link, function, &mut findings) {
            Some(Ok(function)) => bound.push(function),
            Some(Err(reason)) => left_out.push(reason),
            None => {} // a line about it is wrong
        }
    }
    releases::add(contract, known, link, &selected, &mut bound, &mut left_out, &mut findings);
    callees::leave_out(api, &mut bound, &mut left_out);
    // What stays out as it is can be called by a form of it.
    left_out.retain(|out| contract.function(&out.name).is_some() || !contract.has_form_of(&out.name));
    let mut calls = |key, lines| life::calls(contract, known, link, (key, lines), &bound, &mut findings);
    let init = calls("init", &contract.init);
    let shutdown = calls("shutdown", &contract.shutdown);
    let health = calls("health", &contract.health);
    let abi = calls("abi", &contract.abi);
    lines::join(contract, &mut findings);
    if findings.iter().all(|finding| finding.severity != Severity::Error) {
        if selection == Selection::Contract {
            about_unfit(api, &mut findings);
        }
        about_left_out(contract, &bound, &left_out, &mut findings);
        releases::useless(contract, &bound, &left_out, &mut findings);
    }
    findings.sort_by_key(|finding| (finding.span.is_none(), finding.span.as_ref().map(|span| span.start)));
    findings.iter_mut().for_each(|finding| finding.file = contract.file.clone());
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(findings);
    }
    let open_types = open_types::find(known, &names, link, &left_out);
    let whole = Whole { functions: bound, left_out, init, shutdown, health, abi };
    let mut interface = assemble(contract, known, link, whole);
    if selection == Selection::Contract {
        restores::add(contract, &mut interface).map_err(|mut wrong| {
            wrong.sort_by_key(|finding| finding.span.as_ref().map(|span| span.start));
            wrong.iter_mut().for_each(|finding| finding.file = contract.file.clone());
            wrong
        })?;
    }
    findings.extend(idle_threads(contract, &interface));
    Ok(Checked { interface, warnings: findings, open_types })
}

/// Warns of a rule for objects where there are none.
fn idle_threads(contract: &Contract, interface: &Interface) -> Option<Diagnostic> {
    let span = contract.threads_at.clone()?;
    if contract.threads() != Threads::PerHandle || !interface.handles.is_empty() {
        return None;
    }
    let message = "calls of this library use no objects: all of them run at once with `per-handle`";
    let help = "write \"reentrant\" if the library allows that, or \"serialized\"".to_owned();
    let finding = Diagnostic::warning(message).at(span).help(help);
    Some(Diagnostic { file: contract.file.clone(), ..finding })
}

/// Warns when the contract names a function that is left out, and when nothing remains.
fn about_left_out(
    contract: &Contract,
    functions: &[Function],
    left_out: &[LeftOut],
    findings: &mut Vec<Diagnostic>,
) {
    for out in left_out {
        if let Some(lines) = contract.function(&out.name) {
            let message = format!("`{}` is left out: {}", out.name, out.reason);
            findings.push(Diagnostic::warning(message).at(lines.span.clone()).help(out.help.clone()));
        }
    }
    if functions.is_empty() {
        let count = left_out.len();
        let message = match count {
            0 => "no function is selected".to_owned(),
            1 => "no function can be called: the only one is left out".to_owned(),
            _ => format!("no function can be called: all {count} are left out"),
        };
        findings.push(Diagnostic::warning(message));
    }
}

/// Warns of functions that no package can have.
fn about_unfit(api: &Api, findings: &mut Vec<Diagnostic>) {
    for out in api.left_out.iter().filter(|out| out.location.primary) {
        let message = format!("`{}` is left out: no package can have {}", out.name, out.reason);
        let help = "a `static inline` function in a header of your own can call it by another name";
        findings.push(Diagnostic::warning(message).help(help.to_owned()));
    }
}

/// What has been bound.
struct Whole {
    functions: Vec<Function>,
    left_out: Vec<LeftOut>,
    init: Vec<LifeCall>,
    shutdown: Vec<LifeCall>,
    health: Vec<LifeCall>,
    abi: Vec<LifeCall>,
}

fn assemble(contract: &Contract, known: Known<'_>, link: Link<'_>, whole: Whole) -> Interface {
    let Whole { functions, left_out, init, shutdown, health, abi } = whole;
    let (records, enums) = used::types(known.api, &functions);
    let constants = known.api.constants.iter().filter(|(_, constant)| constant.location.primary);
    let mut interface = Interface {
        format: FORMAT,
        library: contract.library().to_owned(),
        target: known.api.target.clone(),
        source: Source {
            headers: contract.headers().to_vec(),
            prelude: contract.prelude().map(str::to_owned),
            defines: contract.defines().to_vec(),
            added: contract.added().to_vec(),
            tells: contract.tells(),
        },
        link: link.sonames.to_vec(),
        threads: contract.threads(),
        init,
        shutdown,
        health,
        abi,
        any_layout: contract.any_layout,
        sandbox: contract.sandbox.clone(),
        guard: contract.guard,
        recycle: contract.recycle.clone(),
        tries: contract.tries,
        leaves: contract.leaves.clone(),
        handles: used::handles(known, &functions),
        structs: used::structs(known.structs, &functions),
        symbols: symbols::sets(known.api, &functions),
        functions,
        records,
        enums,
        constants: constants.map(|(name, constant)| (name.clone(), constant.clone())).collect(),
        left_out,
        fingerprint: Fingerprint::default(),
    };
    interface.fingerprint = Fingerprint::of_interface(&interface);
    interface
}

/// A function of no header: what a callback is, for instance.
pub(crate) fn nowhere(result: CType) -> hotcell_model::api::Function {
    life::nowhere("", result)
}

/// A function that is left out.
fn left_out(
    function: &hotcell_model::api::Function,
    status: Status,
    reason: String,
    help: Option<String>,
) -> interface::LeftOut {
    LeftOut {
        name: function.name.clone(),
        signature: function.signature(),
        status,
        reason,
        help,
        open_types: Vec::new(),
    }
}

#[cfg(test)]
pub(crate) mod tests;

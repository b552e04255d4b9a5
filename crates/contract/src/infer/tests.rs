//! What rules make of real declarations, and of those that were made to fool them.
//!
//! A parameter is written as what it became: `value`, `text`, `bytes` (data, with its length elsewhere),
//! `data[32]`, `len(0)` and `count(0)` (of parameter 0), `out`, `lenptr(0)`, `number` (one that comes out), `changed` (data that goes
//! in and comes out), `changed[16]`, `changing` (a number that does), `structure(In)`, `begun(end)`, `resident` and `over` (structures
//! that the library keeps), `ended` and `made(release)` (an object that goes, and one that comes out), `object`
//! (plainly used), `emptied` (used, and what was borrowed from it is gone), `fixed` (NULL), `product` and `filled` (as `fwrite` and `fread` count), `line` and `cap(0)` (as `fgets`), `?` for a gap; a returned object as `owned`, `constant` or `lent` by another, a text in UTF-16 as `text16`, and returned
//! data as `counted` when another function counts it, and as `array` when its type says how much there is.

mod adversarial;
mod begun;
mod behaviour;
mod comments;
mod companions;
mod constants;
mod copied;
mod counted;
mod destructors;
mod documented;
mod getters;
mod hands;
mod hostile;
mod inline;
mod inplace;
mod keeping;
mod kept_objects;
mod later;
mod lent;
mod libc;
mod libraries;
mod library;
mod objects;
mod pairs;
mod parents;
mod parts;
pub(super) mod prototype;
mod sides;
mod twins;

use hotcell_model::Fact;
use hotcell_model::api::{Api, Function};
use hotcell_model::expr::Expr;
use hotcell_model::interface::{Capacity, Encoding, Ownership, ResultLength, ResultRole, Role, Start, Unit};

use super::functions::Functions;
use super::uses::Uses;
use super::{Draft, Known, Verdict, infer};
use crate::contract::Contract;
use crate::handles::Handles;
use crate::structs::Structs;
use crate::type_names::TypeNames;

/// Names as a contract writes them.
fn names(function: &Function) -> Vec<String> {
    let name = |(index, param): (usize, &hotcell_model::api::Param)| {
        let name = param.name.as_deref().map(|name| name.trim_start_matches('_').to_owned());
        name.unwrap_or_else(|| format!("arg{}", index + 1))
    };
    function.params.iter().enumerate().map(name).collect()
}

fn run(function: &Function, draft: &mut Draft) -> Verdict {
    let api = prototype::api(&[function]);
    infer_in(function, &api, &Handles::default(), draft)
}

/// Inference with what is known about a library.
fn infer_in(function: &Function, api: &Api, handles: &Handles, draft: &mut Draft) -> Verdict {
    settled_in(function, api, handles, draft, false)
}

/// The same, with what is right whoever keeps the object that another one is made with.
fn settled_in(
    function: &Function,
    api: &Api,
    handles: &Handles,
    draft: &mut Draft,
    parents: bool,
) -> Verdict {
    let contract = Contract::bare(&["test.h".into()], "test");
    let begun = super::begun::types(api, handles, None, &[]);
    let structs = &Structs::new(&contract, api, &TypeNames::of(api), handles, begun, &mut Vec::new());
    let functions = &Functions::of(api);
    let uses = &Uses::of(functions, handles);
    let known = Known {
        api,
        functions,
        uses,
        handles,
        structs,
        exports: None,
        shadowed: None,
        code: &[],
        against: &[],
    };
    match infer(function, &names(function), known, draft) {
        Verdict::Open(gaps) if parents => {
            Verdict::Open(super::parents::apply(function, &names(function), known, draft, gaps))
        }
        verdict => verdict,
    }
}

fn empty(function: &Function) -> Draft {
    Draft { params: vec![None; function.params.len()], result: None }
}

/// What the first of these declarations comes to, with this comment.
fn described(declarations: &[&str], doc: &str) -> String {
    let mut api = library::header(declarations);
    api.functions[0].doc = (!doc.is_empty()).then(|| doc.to_owned());
    let function = api.functions[0].clone();
    let mut draft = empty(&function);
    let verdict = infer_in(&function, &api, &library::known(&api), &mut draft);
    describe(&draft, &verdict)
}

fn describe(draft: &Draft, verdict: &Verdict) -> String {
    if let Verdict::Unsupported(_) = verdict {
        return "unsupported".into();
    }
    let params: Vec<String> = draft.params.iter().map(|fact| role(fact.as_ref())).collect();
    let result = match draft.result.as_ref().map(|fact| &fact.value) {
        None => "?",
        Some(ResultRole::Void) => "void",
        Some(ResultRole::Value) => "value",
        Some(ResultRole::Text { encoding: Encoding::Utf16, length: None, .. }) => "text16",
        Some(ResultRole::Text { .. }) => "text",
        Some(ResultRole::Buffer { length: Expr::Call { .. }, nullable: true, .. }) => "counted",
        Some(ResultRole::Buffer { length: Expr::Int { .. }, nullable: true, .. }) => "array",
        Some(ResultRole::Handle { ownership: Ownership::Owned { .. }, nullable: true, .. }) => "owned",
        Some(ResultRole::Handle { ownership: Ownership::Library, parent: None, .. }) => "constant",
        Some(ResultRole::Handle { ownership: Ownership::Library, parent: Some(_), .. }) => "lent",
        Some(_) => "other",
    };
    format!("{} -> {result}", params.join(" ")).trim_start().to_owned()
}

fn role(fact: Option<&Fact<Role>>) -> String {
    match fact.map(|fact| &fact.value) {
        None => "?".into(),
        Some(Role::Value) => "value".into(),
        Some(Role::Text { encoding: Encoding::Utf16, nullable: false }) => "utf16".into(),
        Some(Role::Text { nullable: false, .. }) => "text".into(),
        Some(Role::BufferIn { length: None, nullable: false }) => "bytes".into(),
        Some(Role::BufferIn { length: Some(Expr::Int { value }), nullable: false }) => {
            format!("data[{value}]")
        }
        Some(Role::LengthOf { param, unit: Unit::Bytes }) => format!("len({param})"),
        Some(Role::LengthOf { param, unit: Unit::Elements }) => format!("count({param})"),
        Some(Role::BufferOut {
            capacity: Capacity::Caller, result: ResultLength::Pointer { .. }, ..
        }) => "out".into(),
        Some(Role::BufferIn { length: Some(Expr::Binary { .. }), nullable: false }) => "product".into(),
        Some(Role::BufferOut {
            capacity: Capacity::Elements { size: Expr::Binary { .. } },
            result: ResultLength::Elements { size: Expr::Binary { .. } },
            ..
        }) => "filled".into(),
        Some(Role::BufferOut { capacity: Capacity::Caller, result: ResultLength::Text, .. }) => "line".into(),
        Some(Role::CapacityOf { param, unit: Unit::Bytes }) => format!("cap({param})"),
        Some(Role::LengthPointerOf { param, .. }) => format!("lenptr({param})"),
        Some(Role::BufferInOut { length: None, result: ResultLength::Full, .. }) => "changed".into(),
        Some(Role::BufferInOut { length: Some(Expr::Int { value }), result: ResultLength::Full, .. }) => {
            format!("changed[{value}]")
        }
        Some(Role::ValueInOut { .. }) => "changing".into(),
        Some(Role::ValueOut { .. }) => "number".into(),
        Some(Role::Handle { consumed: true, .. }) => "ended".into(),
        Some(Role::Resident { consumed: true, .. }) => "over".into(),
        Some(Role::Resident { starts: Some(Start { release: Some(release) }), .. }) => {
            format!("begun({release})")
        }
        Some(Role::Resident { .. }) => "resident".into(),
        Some(Role::Struct { direction, .. }) => format!("structure({direction:?})"),
        Some(Role::Fixed { .. }) => "fixed".into(),
        Some(Role::HandleOut { ownership: Ownership::Owned { release }, .. }) => format!("made({release})"),
        Some(Role::Handle { consumed: false, nullable: false, invalidates: false, .. }) => "object".into(),
        Some(Role::Handle { consumed: false, nullable: false, invalidates: true, .. }) => "emptied".into(),
        Some(other) => format!("{other:?}"),
    }
}

/// Checks what becomes of each declaration, all of them before failing.
fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(declaration, expect)| {
            let function = prototype::parse(declaration);
            let mut draft = empty(&function);
            let verdict = run(&function, &mut draft);
            let found = describe(&draft, &verdict);
            let open = found.contains('?');
            let gaps = matches!(&verdict, Verdict::Open(gaps) if !gaps.is_empty());
            let wrong = found != *expect || open != gaps;
            wrong.then(|| format!("{declaration}\n  expected {expect}\n  found    {found}\n  {verdict:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

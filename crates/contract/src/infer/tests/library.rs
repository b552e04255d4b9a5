//! A library by hand: its declarations, its objects, and what becomes of a function in it.

use hotcell_model::api::{Api, Field, Location, Record, RecordLayout};
use hotcell_model::types::{CType, Type};

use super::{describe, empty, prototype, settled_in};
use crate::contract::Contract;
use crate::handles::Handles;
use crate::infer::functions::Functions;
use crate::infer::handles::{InferredHandle, Library, Pairs, types};
use crate::type_names::TypeNames;

/// A header with these declarations, whose structures are only declared; those called `open_…` are
/// defined, those called `full_…` have a pointer in them, those called `plain_…` a number, those called `hack_…` an
/// array of one number behind it, and those called `digits_…` a pointer to numbers.
pub(super) fn header(declarations: &[&str]) -> Api {
    let functions: Vec<_> = declarations.iter().map(|text| prototype::parse(text)).collect();
    let mut api = prototype::api(&functions.iter().collect::<Vec<_>>());
    let types = functions
        .iter()
        .flat_map(|function| function.params.iter().map(|param| &param.ty).chain([&function.result]));
    for ty in types {
        let name = match behind(ty) {
            Type::Record { name } => name,
            _ => continue,
        };
        let pointer = || Field {
            name: Some("next".into()),
            ty: prototype::parse("int f(void *next)").params[0].ty.clone(),
            offset_bits: 0,
            bit_width: None,
        };
        let number =
            || Field { name: Some("n".into()), ty: prototype::parse("int f(int n)").result, ..pointer() };
        let open = || {
            let mut field = number();
            let kind = Type::Array { element: Box::new(field.ty.clone()), length: Some(1) };
            field.ty = CType { kind, ..field.ty };
            field
        };
        let fields = match name {
            _ if name.contains("hack_") => vec![number(), open()],
            _ if name.contains("digits_") => {
                vec![
                    number(),
                    Field { ty: prototype::parse("int f(int *n)").params[0].ty.clone(), ..pointer() },
                ]
            }
            _ if name.contains("full_") => vec![pointer()],
            _ if name.contains("plain_") => vec![number()],
            _ => Vec::new(),
        };
        let defined = name.contains("open_") || !fields.is_empty();
        let layout = defined.then_some(RecordLayout { size: 8, align: 8, fields });
        let record = Record {
            c_name: name.clone(),
            union: false,
            layout,
            doc: None,
            location: Location { file: "test.h".into(), line: 1, primary: true },
        };
        api.records.insert(name.clone(), record);
    }
    api
}

/// What is behind all pointers.
fn behind(ty: &CType) -> &Type {
    ty.pointee().map_or(&ty.kind, |(pointee, _)| behind(pointee))
}

/// The types that rules find, and the functions that are each other's mirror.
pub(super) fn inferred(api: &Api) -> (Vec<InferredHandle>, Pairs) {
    let functions = Functions::of(api);
    let pairs = Pairs::of(api, &functions, Library::default());
    (types(api, &functions, Library::default(), &pairs), pairs)
}

pub(super) fn known(api: &Api) -> Handles {
    let mut findings = Vec::new();
    let contract = Contract::bare(&["test.h".into()], "test");
    let known = (api, &Functions::of(api));
    let handles = Handles::new(&contract, known, &TypeNames::of(api), inferred(api), &mut findings);
    assert!(findings.is_empty(), "{findings:?}");
    handles
}

/// Checks what becomes of declarations in a header with all of them and some others.
pub(super) fn check(others: &[&str], cases: &[(&str, &str)]) {
    check_settled(others, cases, false);
}

/// The same where objects may be kept by what is made with them.
pub(super) fn check_settled(others: &[&str], cases: &[(&str, &str)], parents: bool) {
    let mut wrong = Vec::new();
    for (declaration, expect) in cases {
        let others = others.iter().copied().filter(|other| other != declaration);
        let all: Vec<&str> = others.chain([*declaration]).collect();
        let api = header(&all);
        let function = prototype::parse(declaration);
        let mut draft = empty(&function);
        let verdict = settled_in(&function, &api, &known(&api), &mut draft, parents);
        let found = describe(&draft, &verdict);
        if found != *expect {
            wrong.push(format!("{declaration}\n  expected {expect}\n  found    {found}\n  {verdict:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

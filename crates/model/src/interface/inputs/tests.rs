//! What is an input, and what is none.

use super::*;
use crate::evidence::Fact;
use crate::fingerprint::Fingerprint;
use crate::interface::{Capacity, Direction, Encoding, ResultLength, ResultRole};
use crate::layout::Layout;
use crate::types::{CType, Target, Type};

fn ty(written: &str, kind: Type) -> CType {
    CType { written: written.into(), canonical: written.into(), kind }
}

fn int(bits: u16) -> CType {
    ty("int", Type::Int { bits, signed: true })
}

fn to(pointee: CType) -> CType {
    ty("pointer", Type::Pointer { pointee: Box::new(pointee), constant: true })
}

fn function(params: Vec<(CType, Role)>) -> Function {
    let target = Target { triple: "x86_64-linux-gnu".into(), pointer_bits: 64, char_signed: true };
    let named = params.into_iter().enumerate();
    let params: Vec<Param> = named
        .map(|(index, (ty, role))| Param { name: format!("p{index}"), ty, role: Fact::proven(role) })
        .collect();
    let layout = Layout::of(&params, &ResultRole::Void, &ty("void", Type::Void), None, &target).unwrap();
    Function {
        name: "f".into(),
        doc: None,
        signature: "void f()".into(),
        params,
        result: Fact::proven(ResultRole::Void),
        result_type: ty("void", Type::Void),
        error: None,
        requires: None,
        cancel: None,
        keeps: Vec::new(),
        deadline_ms: None,
        idempotent: true,
        noreturn: false,
        inline: false,
        layout,
        fingerprint: Fingerprint::default(),
    }
}

fn data() -> (CType, Role) {
    (to(int(8)), Role::BufferIn { nullable: false, length: None })
}

fn handle() -> (CType, Role) {
    handle_or_none(false)
}

fn handle_or_none(nullable: bool) -> (CType, Role) {
    let role =
        Role::Handle { handle: "h".into(), consumed: false, on_success: false, nullable, invalidates: false };
    (to(ty("void", Type::Void)), role)
}

#[test]
fn objects_and_callbacks_are_no_input() {
    let mixed = function(vec![(int(32), Role::Value), handle(), data(), (int(16), Role::Value)]);
    // References and words come first.
    let expected = [Input::Data { offset: 8 }, Input::Numbers { offset: 24, bytes: 6 }];
    assert_eq!(mixed.inputs(), expected);
    let alone = function(vec![handle(), (int(32), Role::Value)]);
    assert_eq!(alone.inputs(), []);
    assert_eq!(function(Vec::new()).inputs(), []);
}

#[test]
fn whether_objects_are_there_tells_inputs_from_each_other() {
    let several = |nullable| (to(ty("void", Type::Void)), Role::Handles { handle: "h".into(), nullable });
    let all = function(vec![handle_or_none(true), handle(), data(), several(false), several(true)]);
    let expected = [
        Input::Presence { offset: 0 },
        Input::Data { offset: 16 },
        Input::Objects { offset: 32 },
        Input::Objects { offset: 48 },
    ];
    assert_eq!(all.inputs(), expected);
    assert_eq!(function(vec![handle_or_none(true), several(true)]).inputs(), [], "they are no data");
}

#[test]
fn what_holds_references_is_told_from_plain_data() {
    let texts = Role::Texts { encoding: Encoding::Utf8, nullable: false, length: None };
    let record = || ty("struct s", Type::Record { name: "s".into() });
    let structure =
        Role::Struct { record: "s".into(), direction: Direction::In, nullable: false, valid_on_error: false };
    let several = Role::BufferIn { nullable: false, length: None };
    let resident = Role::Resident { record: "s".into(), consumed: false, starts: None };
    let all = function(vec![
        (to(to(ty("char", Type::Char))), texts),
        (to(record()), structure),
        (to(record()), several),
        (to(record()), resident),
    ]);
    let expected = [
        Input::References { offset: 0 },
        Input::Images { offset: 16, handle: 0 },
        Input::Images { offset: 32, handle: 0 },
        Input::Images { offset: 48, handle: 8 },
    ];
    assert_eq!(all.inputs(), expected);
}

#[test]
fn room_for_results_is_no_data_and_may_be_lent() {
    let out =
        || Role::BufferOut { capacity: Capacity::Caller, result: ResultLength::Full, valid_on_error: false };
    assert_eq!(function(vec![(to(int(8)), out())]).inputs(), []);
    let both = function(vec![(to(int(8)), out()), data()]);
    assert_eq!(both.inputs(), [Input::Room { offset: 0 }, Input::Data { offset: 8 }]);
}

#[test]
fn calls_are_made_again_without_objects_only() {
    assert!(function(vec![data()]).is_repeatable());
    assert!(!Function { idempotent: false, ..function(vec![data()]) }.is_repeatable());
    assert!(!function(vec![data(), handle()]).is_repeatable());
}

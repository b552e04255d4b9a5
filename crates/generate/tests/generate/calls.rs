//! A library that calls back and that must be set up, called through its shim.

use hotcell_model::expr::{Expr, Op};
use hotcell_model::interface::{
    Callback, CallbackParam, CallbackRole, CallbackScope, Encoding, Fails, Function, Interface, LifeCall,
    Param, ResultRole, Role, Unit,
};
use hotcell_model::layout::Block;
use hotcell_model::types::{Signature, Type};

use crate::objects::owned_by;
use crate::support::{With, binary, c, call, f, int, interface, p, param, refresh, text_result, value};
use crate::tools::{drive, sanitized_library};

pub(crate) fn given(name: &str, ty: &str, role: CallbackRole) -> CallbackParam {
    CallbackParam { name: name.into(), ty: c(ty), role }
}

pub(crate) fn number(name: &str, ty: &str) -> CallbackParam {
    given(name, ty, CallbackRole::Value)
}

pub(crate) fn user() -> CallbackParam {
    given("user", "void *", CallbackRole::UserData)
}

/// A callback parameter; its user data is in the parameter at that position.
pub(crate) fn callback(
    name: &str,
    result: &str,
    params: Vec<CallbackParam>,
    on_failure: Option<i64>,
    user_data: usize,
) -> Param {
    let types: Vec<_> = params.iter().map(|param| param.ty.canonical.clone()).collect();
    let text = format!("{result} (*)({})", types.join(", "));
    let mut param = p(name, "void *", value());
    let signature = Signature {
        params: params.iter().map(|param| (Some(param.name.clone()), param.ty.clone())).collect(),
        result: c(result),
        variadic: false,
    };
    param.ty.kind = Type::FunctionPointer { signature: Box::new(signature) };
    (param.ty.written, param.ty.canonical) = (text.clone(), text);
    let callback = Callback {
        params,
        args: Block::default(),
        result: c(result),
        scope: CallbackScope::Call,
        on_failure,
        user_data: Some(user_data),
        user_data_from: None,
    };
    param.role.value = Role::Callback { callback: Box::new(callback), nullable: false };
    param
}

pub(crate) fn nullable(mut param: Param) -> Param {
    if let Role::Callback { nullable, .. } = &mut param.role.value {
        *nullable = true;
    }
    param
}

pub(crate) fn user_of(callback: usize) -> Param {
    p("user", "void *", Role::UserData { callback })
}

fn back() -> Vec<Function> {
    let n = || p("n", "int", value());
    let visit = |user| callback("visit", "int", vec![number("index", "int"), self::user()], Some(-77), user);
    let texts = |length, nullable| CallbackRole::Texts { length, encoding: Encoding::Utf8, nullable };
    let row = vec![
        user(),
        given("n", "int", CallbackRole::LengthOf { param: 2 }),
        given("values", "char **", texts(1, true)),
        given("names", "char **", texts(1, false)),
    ];
    let complaint = Role::TextOut {
        encoding: Encoding::Utf8,
        ownership: owned_by(Some("cl_free")),
        valid_on_error: true,
    };
    let rows = vec![
        p("rows", "int", value()),
        nullable(callback("row", "int", row, Some(1), 2)),
        user_of(1),
        p("complaint", "char **", complaint),
    ];
    let log = vec![
        given("text", "const char *", CallbackRole::Text { encoding: Encoding::Utf8, nullable: true }),
        given("data", "const short *", CallbackRole::Buffer { length: 2, unit: Unit::Elements }),
        given("size", "long", CallbackRole::LengthOf { param: 1 }),
        user(),
    ];
    let log = vec![p("which", "int", value()), callback("log", "void", log, None, 2), user_of(1)];
    let fold = vec![
        number("a", "double"),
        number("b", "float"),
        number("c", "_Bool"),
        number("kind", "enum cl_kind"),
        user(),
    ];
    let second = vec![number("c", "signed char"), user()];
    let both = vec![
        callback("first", "int", vec![user()], Some(i64::from(i32::MIN)), 2),
        nullable(callback("second", "signed char", second, Some(-5), 2)),
        user_of(0),
    ];
    let kinds = vec![
        callback("kind", "enum cl_kind", vec![user()], Some(0), 3),
        callback("is", "_Bool", vec![user()], Some(0), 3),
        callback("half", "float", vec![user()], Some(-1), 3),
        user_of(0),
    ];
    vec![
        f("int", "cl_each", vec![n(), visit(2), user_of(1)]),
        f("int", "cl_rows", rows).result(ResultRole::Status).fails(Fails::Nonzero).message(param(3)),
        f("void", "cl_log", log),
        f("double", "cl_fold", vec![n(), callback("fold", "double", fold, Some(-2), 2), user_of(1)]),
        f("int", "cl_both", both),
        f("int", "cl_kinds", kinds),
        f("char *", "cl_made", vec![visit(1), user_of(0)]).result(text_result(true, Some("cl_free"))),
        f("int", "cl_live", vec![]),
    ]
}

fn life(text: &str, function: &str, args: Vec<Expr>, fails: Option<Fails>) -> LifeCall {
    LifeCall { call: call(function, args), fails, text: text.into() }
}

/// The library as a contract would bind it.
pub(crate) fn library() -> Interface {
    let mut functions = back();
    functions.push(
        f("int", "cl_setup", vec![p("flags", "int", value())])
            .result(ResultRole::Status)
            .fails(Fails::Nonzero)
            .message(call("cl_explain", vec![param(0), Expr::Result])),
    );
    functions.push(f("void", "cl_finish", vec![]));
    let mut interface = interface("calls", "calls.h", "libfixture.so.1", functions);
    let failed = Fails::When { condition: binary(Expr::Result, Op::Ne, int(0)) };
    interface.init = vec![
        life("cl_setup(3)", "cl_setup", vec![int(3)], None),
        life("cl_prepare() == 0", "cl_prepare", vec![], Some(failed)),
        life("cl_state()", "cl_state", vec![], None),
    ];
    interface.shutdown = vec![
        life("cl_setup(1)", "cl_setup", vec![int(1)], None),
        life("cl_finish()", "cl_finish", vec![], None),
    ];
    refresh(&mut interface);
    interface
}

#[test]
fn callbacks_and_a_workers_life_through_a_compiled_shim() {
    let dir = tempfile::tempdir().unwrap();
    drive(&library(), &sanitized_library(dir.path()), "drive_calls.c");
}

//! A library that calls back and that must be set up, called through its shim.

use hotcell_model::expr::{Expr, Op};
use hotcell_model::interface::{
    Callback, CallbackParam, CallbackRole, CallbackScope, CallbackThreads, Encoding, Fails, Function,
    Interface, LifeCall, Param, ResultRole, Role, Unit,
};
use hotcell_model::layout::Block;
use hotcell_model::types::{Signature, Type};

use crate::objects::{consumed, handle, handle_result, handles, owned_by};
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
        threads: CallbackThreads::Calls,
        stream: None,
        on_failure,
        failure_call: None,
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
    let texts =
        |length, nullable| CallbackRole::Texts { length: Some(length), encoding: Encoding::Utf8, nullable };
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
    // Function and parameter put together are the same name twice.
    let twin = |name| callback(name, "int", vec![user()], Some(0), 1);
    vec![
        f("int", "cl_up", vec![twin("and_down"), user_of(0)]),
        f("int", "cl_up_and", vec![twin("down"), user_of(0)]),
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

pub(crate) fn keep(mut param: Param) -> Param {
    if let Role::Callback { callback, nullable } = &mut param.role.value {
        callback.scope = CallbackScope::Handle { param: 0 };
        *nullable = true;
    }
    param
}

pub(crate) fn always(mut param: Param) -> Param {
    if let Role::Callback { nullable, .. } = &mut param.role.value {
        *nullable = false;
    }
    param
}

/// One that the library may call on threads of its own.
pub(crate) fn by_threads(mut param: Param) -> Param {
    if let Role::Callback { callback, .. } = &mut param.role.value {
        callback.threads = CallbackThreads::Any;
    }
    param
}

fn kept() -> Vec<Function> {
    let hub = || p("hub", "struct cl_hub *", handle("cl_hub"));
    let visit = |user| callback("visit", "int", vec![number("index", "int"), self::user()], Some(-77), user);
    let watch = vec![
        hub(),
        keep(callback("watch", "int", vec![user(), number("what", "int")], Some(-9), 3)),
        keep(callback("gone", "void", vec![user()], None, 3)),
        user_of(1),
    ];
    let text = CallbackRole::Text { encoding: Encoding::Utf8, nullable: true };
    let name =
        vec![given("user", "const char *", CallbackRole::UserData), given("text", "const char *", text)];
    let mut name_user = user_of(1);
    name_user.ty = c("const char *");
    let name = vec![hub(), by_threads(always(keep(callback("name", "int", name, Some(-5), 2)))), name_user];
    let say = p("text", "const char *", crate::support::text(false));
    let n = |name: &str| p(name, "int", value());
    let new_hub = || handle_result("cl_hub", Some("cl_hub_free"), None);
    vec![
        f("int", "cl_stash", vec![visit(1), user_of(0)]),
        f("int", "cl_unstash", vec![n("which"), visit(2), user_of(1)]),
        f("struct cl_hub *", "cl_hub_new", vec![n("spots")]).result(new_hub()),
        f("void", "cl_hub_free", vec![p("hub", "struct cl_hub *", consumed("cl_hub"))]),
        f("int", "cl_watch", watch),
        f("int", "cl_name", name),
        f("int", "cl_poke", vec![hub(), n("times")]),
        f("int", "cl_say", vec![hub(), say.clone()]),
        f("int", "cl_say_elsewhere", vec![hub(), say]),
        f("int", "cl_poke_elsewhere", vec![hub()]),
        f("int", "cl_poke_with", vec![hub(), n("which")]),
        f("int", "cl_both_ways", vec![hub(), visit(2), user_of(1)]),
        f("struct cl_hub *", "cl_twin", vec![hub()]).result(new_hub()),
        f("char *", "cl_poked", vec![hub()]).result(text_result(true, Some("cl_free"))),
    ]
}

fn with_objects() -> Vec<Function> {
    let hub = || p("hub", "struct cl_hub *", handle("cl_hub"));
    let spot = |nullable| CallbackRole::Handle { handle: "cl_spot".into(), nullable };
    let visit = vec![
        given("first", "struct cl_spot *", spot(true)),
        given("n", "int", CallbackRole::LengthOf { param: 2 }),
        given("all", "struct cl_spot **", CallbackRole::Handles { length: 1, handle: "cl_spot".into() }),
        given("hub", "struct cl_hub *", CallbackRole::Handle { handle: "cl_hub".into(), nullable: false }),
        user(),
    ];
    let asked = vec![given("spot", "struct cl_spot *", spot(false)), number("n", "int")];
    let mut answer = keep(callback("answer", "int", asked, Some(-3), 2));
    if let Role::Callback { callback, .. } = &mut answer.role.value {
        callback.user_data_from = Some(call("cl_spot_user", vec![param(0)]));
    }
    let signed = vec![given("spot", "struct cl_spot *", spot(false))];
    let mut sign = keep(callback("sign", "void", signed, None, 2));
    if let Role::Callback { callback, .. } = &mut sign.role.value {
        callback.user_data_from = Some(call("cl_spot_user", vec![param(0)]));
        callback.failure_call = Some(call("cl_spot_fail", vec![param(0), int(-8)]));
    }
    vec![
        f("int", "cl_spots", vec![hub(), callback("visit", "int", visit, Some(-1), 2), user_of(1)]),
        f("struct cl_spot *", "cl_first", vec![hub()]).result(handle_result("cl_spot", None, Some(0))),
        f("int", "cl_spot_number", vec![p("spot", "const struct cl_spot *", handle("cl_spot"))]),
        f("int", "cl_ask", vec![hub(), answer, user_of(1)]),
        f("int", "cl_answer", vec![hub(), p("n", "int", value())]),
        f("int", "cl_on_sign", vec![hub(), sign, user_of(1)]),
        f("int", "cl_sign", vec![hub()]),
    ]
}

fn life(text: &str, function: &str, args: Vec<Expr>, fails: Option<Fails>) -> LifeCall {
    LifeCall { call: call(function, args), fails, text: text.into() }
}

/// The library as a contract would bind it.
pub(crate) fn library() -> Interface {
    let mut functions = [back(), kept(), with_objects()].concat();
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
    interface.handles =
        handles(&[("cl_hub", "cl_hub *", Some("cl_hub_free")), ("cl_spot", "cl_spot *", None)]);
    refresh(&mut interface);
    interface
}

/// The part of the library that packages in Rust know: callbacks that live as long as their call, without objects.
pub(crate) fn of_calls() -> Interface {
    let mut interface = library();
    let known = back();
    interface.functions.retain(|function| {
        function.params.iter().all(|param| !matches!(param.role.value, Role::Callback { .. }))
            || known.iter().any(|known| known.name == function.name)
    });
    refresh(&mut interface);
    interface
}

/// A library whose only callbacks live as long as their call.
fn of_stashes() -> Interface {
    let visit = callback("visit", "int", vec![number("index", "int"), user()], Some(-77), 1);
    let functions = vec![
        f("int", "cl_stash", vec![visit, user_of(0)]),
        f("int", "cl_stashed", vec![]),
        f("int", "cl_live", vec![]),
    ];
    interface("calls", "calls.h", "libfixture.so.1", functions)
}

/// A library that has memory of its own filled.
fn of_fills() -> Interface {
    let fill = |result: &str, returned: bool, on_failure| {
        let role = CallbackRole::Room { capacity: 1, unit: Unit::Elements, returned };
        let room = given("room", "int", CallbackRole::LengthOf { param: 0 });
        callback("fill", result, vec![given("into", "short *", role), room, user()], on_failure, 2)
    };
    let room = || p("room", "int", value());
    let functions = vec![
        f("long", "cl_filled", vec![room(), fill("int", true, Some(-7)), user_of(1)]),
        f("long", "cl_filled_all", vec![room(), fill("void", false, None), user_of(1)]),
        f("int", "cl_marks", vec![]),
    ];
    interface("calls", "calls.h", "libfixture.so.1", functions)
}

#[test]
fn no_answer_fills_more_than_there_is_room_for_or_was_sent() {
    let dir = tempfile::tempdir().unwrap();
    drive(&of_fills(), &sanitized_library(dir.path()), "drive_fills.c");
}

#[test]
fn a_callback_is_not_for_calls_from_inside_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    drive(&of_stashes(), &sanitized_library(dir.path()), "drive_nested.c");
}

#[test]
fn callbacks_and_a_workers_life_through_a_compiled_shim() {
    let dir = tempfile::tempdir().unwrap();
    drive(&library(), &sanitized_library(dir.path()), "drive_calls.c");
}

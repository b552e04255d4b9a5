//! Functions of the kit that call back.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{CallbackRole, Encoding, Fails, Function, ResultRole, Role, Unit};

use super::FREE;
use crate::calls::{always, by_threads, callback, given, keep, nullable, number, user, user_of};
use crate::objects::{handle, owned_by};
use crate::support::{With, f, p, text};

pub(super) fn functions() -> Vec<Function> {
    let texts = |nullable| CallbackRole::Texts { length: Some(1), encoding: Encoding::Utf8, nullable };
    let wides = |nullable| CallbackRole::Texts { length: Some(7), encoding: Encoding::Utf16, nullable };
    let text_of = |encoding, nullable| CallbackRole::Text { encoding, nullable };
    let row = vec![
        user(),
        given("columns", "int", CallbackRole::LengthOf { param: 2 }),
        given("values", "char **", texts(true)),
        given("names", "char **", texts(false)),
    ];
    let mixed = vec![
        given("text", "const char *", text_of(Encoding::Utf8, false)),
        given("maybe", "const char *", text_of(Encoding::Bytes, true)),
        given("wide", "const void *", text_of(Encoding::Utf16, false)),
        given("maybe_wide", "const void *", text_of(Encoding::Utf16, true)),
        given("wides", "const void **", wides(false)),
        given("maybe_wides", "const void **", wides(true)),
        given("data", "const double *", CallbackRole::Buffer { length: 7, unit: Unit::Elements }),
        given("n", "int", CallbackRole::LengthOf { param: 4 }),
        number("color", "enum fx_color"),
        user(),
    ];
    let raw = vec![
        given("data", "const void *", CallbackRole::Buffer { length: 1, unit: Unit::Bytes }),
        given("n", "int", CallbackRole::LengthOf { param: 0 }),
        number("type", "int"),
        user(),
    ];
    let complaint =
        Role::TextOut { encoding: Encoding::Utf8, ownership: owned_by(FREE), valid_on_error: true };
    let exec = vec![
        p("db", "struct kit *", handle("kit")),
        p("sql", "const char *", text(false)),
        nullable(callback("row", "int", row, Some(1), 3)),
        user_of(2),
        p("complaint", "char **", complaint),
    ];
    let two = vec![
        callback("done", "void", vec![user()], None, 2),
        nullable(callback("next", "long", vec![user()], Some(-1), 3)),
        user_of(0),
        named("more", user_of(1)),
    ];
    let object = |key: &str, nullable| CallbackRole::Handle { handle: key.into(), nullable };
    let items = || CallbackRole::Handles { length: 2, handle: "kit_item".into() };
    let seen = || {
        vec![
            given("db", "struct kit *", object("kit", false)),
            given("near", "struct kit_item *", object("kit_item", true)),
            given("n", "int", CallbackRole::LengthOf { param: 3 }),
            given("items", "struct kit_item **", items()),
            user(),
        ]
    };
    let watch = vec![
        p("db", "struct kit *", handle("kit")),
        always(keep(callback("seen", "int", seen(), Some(-1), 4))),
        keep(callback("asked", "int", seen(), Some(-1), 4)),
        by_threads(always(keep(callback("gone", "void", vec![user()], None, 4)))),
        user_of(1),
    ];
    let mut tell = callback("tell", "void", seen(), None, 1);
    if let Role::Callback { callback, .. } = &mut tell.role.value {
        callback.params.remove(1);
        callback.params[1].role = CallbackRole::LengthOf { param: 2 };
        callback.params[2].role = CallbackRole::Handles { length: 1, handle: "kit_item".into() };
    }
    vec![
        f("int", "kit_watch", watch),
        f("int", "kit_tell", vec![tell, user_of(0)]),
        f("int", "kit_exec", exec)
            .result(ResultRole::Status)
            .fails(Fails::Nonzero)
            .message(Expr::Param { index: 4 }),
        f("double", "kit_walk", vec![callback("visit", "double", mixed, Some(0), 1), user_of(0)]),
        f("int", "kit_two", two),
        f("void", "kit_each", vec![callback("each", "_Bool", raw, Some(0), 1), user_of(0)]),
    ]
}

fn named(name: &str, mut param: hotcell_model::interface::Param) -> hotcell_model::interface::Param {
    param.name = name.into();
    param
}

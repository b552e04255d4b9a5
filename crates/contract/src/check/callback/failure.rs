//! What the library gets when the application's function fails: a value, or a call that tells it.

use hotcell_model::expr::Expr;
use hotcell_model::layout::WireKind;
use hotcell_model::types::{CType, Type};

use crate::check::callback::user_data;
use crate::check::decide::{Purpose, Site};
use crate::contract::{Item, OnFailure};
use crate::diagnostic::Diagnostic;
use crate::expression::Kind;

/// What is called before a callback returns nothing. `inside` is the callback.
pub(super) fn call(
    inside: Site<'_>,
    item: &Item,
    result: &CType,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Expr> {
    let Some(OnFailure::Call(node)) = &item.on_failure else { return None };
    if result.kind != Type::Void {
        return None;
    }
    if !matches!(node.kind, Kind::Call(..)) {
        let message = format!("`{node}` tells the library nothing");
        let help = "write a call over the parameters of the callback, as in `failed(context, CODE)`";
        wrong.push(Diagnostic::error(message).at(node.span.clone()).help(help.to_owned()));
        return None;
    }
    match user_data::call(inside, node, Purpose::Failure, "to tell the library of a failure") {
        Ok(expr) => Some(expr),
        Err(diagnostic) => {
            wrong.push(*diagnostic);
            None
        }
    }
}

/// The value that a callback returns.
pub(super) fn value(
    site: Site<'_>,
    index: usize,
    item: &Item,
    result: &CType,
    wrong: &mut Vec<Diagnostic>,
) -> Option<i64> {
    let name = &site.names[index];
    match (&result.kind, &item.on_failure) {
        // What is said about several callbacks at once is about those that return something.
        (Type::Void, Some(OnFailure::Value(_, span))) if site.contract.is_about_several(span) => {
            return None;
        }
        (Type::Void, Some(OnFailure::Value(_, span))) => {
            let message = format!("`{name}` returns nothing, so that no value stands for a failure");
            let help = "leave `on_failure` out, or write a call that tells the library, as in \
                        `failed(context, CODE)`";
            wrong.push(Diagnostic::error(message).at(span.clone()).help(help.to_owned()));
            return None;
        }
        (Type::Void, _) => return None,
        _ => {}
    }
    let kind = WireKind::of_scalar(result, &site.api.target);
    let range = match kind {
        Some(_) if result.kind == Type::Bool => Some((0, 1)),
        Some(WireKind::U8) => Some((0, i64::from(u8::MAX))),
        Some(WireKind::U16) => Some((0, i64::from(u16::MAX))),
        Some(WireKind::U32) => Some((0, i64::from(u32::MAX))),
        Some(WireKind::U64) => Some((0, i64::MAX)),
        Some(WireKind::I8) => Some((i64::from(i8::MIN), i64::from(i8::MAX))),
        Some(WireKind::I16) => Some((i64::from(i16::MIN), i64::from(i16::MAX))),
        Some(WireKind::I32) => Some((i64::from(i32::MIN), i64::from(i32::MAX))),
        Some(WireKind::I64) => Some((i64::MIN, i64::MAX)),
        _ => None,
    };
    let Some((least, most)) = range else {
        let message = format!("`{name}` returns `{}`", result.written);
        let help =
            "this version has callbacks that return nothing or an integer: write `{ fixed = \"NULL\" }`";
        wrong.push(Diagnostic::error(message).at(item.span.clone()).help(help.to_owned()));
        return None;
    };
    match &item.on_failure {
        Some(OnFailure::Value(value, _)) if (least..=most).contains(value) => Some(*value),
        Some(OnFailure::Call(node)) => {
            let message =
                format!("`{name}` returns `{}`, and must return something when it failed", result.written);
            let help = "write an integer, what makes the library stop".to_owned();
            wrong.push(Diagnostic::error(message).at(node.span.clone()).help(help));
            None
        }
        Some(OnFailure::Value(value, span)) => {
            let message = format!("`{}` never is {value}", result.written);
            let help = format!("it is between {least} and {most}");
            wrong.push(Diagnostic::error(message).at(span.clone()).help(help));
            None
        }
        None => {
            let message = format!("nothing says what the library gets when `{name}` fails");
            let help = "add `on_failure = …`, what makes the library stop".to_owned();
            wrong.push(Diagnostic::error(message).at(item.span.clone()).help(help));
            None
        }
    }
}

//! Functions of the application that the library calls: their parameters, and what comes with them.

use hotcell_model::api::{Function, Param};
use hotcell_model::interface::{Callback, CallbackScope, Role};
use hotcell_model::layout::{Block, WireKind};
use hotcell_model::types::{CType, Signature, Type};

use crate::check::decide::{Decided, Site};
use crate::check::{life, names};
use crate::contract::{Item, What};
use crate::diagnostic::Diagnostic;

mod kept;
mod params;
mod user_data;

pub(super) use kept::ending;

/// Decides the callbacks, each with the parameter that carries its user data.
pub(crate) fn decide(
    site: Site<'_>,
    items: &[(usize, &Item)],
    decided: &mut Decided,
    wrong: &mut Vec<Diagnostic>,
) {
    for (index, item) in items.iter().filter(|(_, item)| matches!(item.what, What::Callback | What::Kept)) {
        let Type::FunctionPointer { signature } = &site.function.params[*index].ty.kind else { continue };
        let function = function(&site.names[*index], signature);
        let names = names::names(&function);
        let inside = Site { function: &function, names: &names, ..site };
        let before = wrong.len();
        let user_data = user_data::param(site, item, decided, wrong);
        let scope = match item.what {
            What::Kept => kept::scope(site, *index, item, decided, wrong),
            _ => Some(CallbackScope::Call),
        };
        let params = params::params(inside, item, wrong);
        let user_data_from = user_data::from(inside, item, wrong);
        let on_failure = on_failure(site, *index, item, &signature.result, wrong);
        if wrong.len() > before {
            continue;
        }
        let args = match Block::of_callback(&params, &site.api.target) {
            Ok(args) => args,
            Err(reason) => {
                wrong.push(Diagnostic::error(reason).at(item.span.clone()));
                continue;
            }
        };
        let Some(scope) = scope else { continue };
        let result = signature.result.clone();
        let callback = Callback { params, args, result, scope, on_failure, user_data, user_data_from };
        let role = Role::Callback { callback: Box::new(callback), nullable: item.nullable };
        decided.draft.params[*index] = Some(site.decided(role, &item.span));
        if let (Some(position), Some(text)) = (user_data, &item.user_data) {
            let role = Role::UserData { callback: *index };
            decided.draft.params[position].get_or_insert(site.decided(role, &text.span));
        }
    }
}

/// The callback as a function, in which its parameters have their names.
fn function(name: &str, signature: &Signature) -> Function {
    let param = |(name, ty): &(Option<String>, CType)| Param {
        name: name.clone(),
        ty: ty.clone(),
        array_length: None,
    };
    let params = signature.params.iter().map(param).collect();
    Function { params, ..life::nowhere(name, signature.result.clone()) }
}

fn is_void_pointer(ty: &CType) -> bool {
    matches!(ty.pointee(), Some((CType { kind: Type::Void, .. }, _)))
}

/// What the library gets when the application's function fails.
fn on_failure(
    site: Site<'_>,
    index: usize,
    item: &Item,
    result: &CType,
    wrong: &mut Vec<Diagnostic>,
) -> Option<i64> {
    let name = &site.names[index];
    match (&result.kind, &item.on_failure) {
        (Type::Void, None) => return None,
        (Type::Void, Some((_, span))) => {
            let message = format!("`{name}` returns nothing, so that nothing stands for a failure");
            wrong.push(Diagnostic::error(message).at(span.clone()).help("leave `on_failure` out".to_owned()));
            return None;
        }
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
        Some((value, _)) if (least..=most).contains(value) => Some(*value),
        Some((value, span)) => {
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

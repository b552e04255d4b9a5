//! Functions that read or write a field of an object, or a variable: what they show of themselves, and what must not be left behind.

use hotcell_model::api::Param;
use hotcell_model::expr::{Expr, Op};
use hotcell_model::interface::{Capacity, Direction, Ownership, Requirement, ResultLength, ResultRole, Role};
use hotcell_model::types::{CType, Type};

use crate::check::decide::{Decided, Site};
use crate::contract::{Item, What};
use crate::diagnostic::Diagnostic;
use crate::forms::Form;
use crate::forms::fields::{Access, How, OBJECT, VALUE};

/// What the function is about, if it is about a field or a variable.
fn access(site: Site<'_>) -> Option<(&Form, Access)> {
    let form = site.contract.added_function(&site.function.name)?;
    Some((form, form.access?))
}

/// Decides what is plain: an object goes in and stays, a number comes or goes, an object that is read is lent by the other.
pub(crate) fn decide(
    site: Site<'_>,
    items: &[(usize, &Item)],
    decided: &mut Decided,
    wrong: &mut Vec<Diagnostic>,
) {
    let Some((form, access)) = access(site) else { return };
    let fact = |role: Role| Some(site.decided(role, &form.span));
    let params = &site.function.params;
    if access.object && decided.draft.params[0].is_none() {
        decided.draft.params[0] = site.known.handles.of_pointer(&params[0].ty).and_then(|handle| {
            let handle = handle.to_owned();
            let (consumed, on_success, nullable, invalidates) = (false, false, false, false);
            fact(Role::Handle { handle, consumed, on_success, nullable, invalidates })
        });
    }
    let value = usize::from(access.object);
    if let Some(open) = decided.draft.params.get_mut(value).filter(|open| open.is_none()) {
        *open = plain(access.how, &params[value]).and_then(fact);
    }
    match access.how {
        How::Set => {
            let item = items.iter().find(|(index, _)| *index == value).map(|(_, item)| *item);
            wrong.extend(left_behind(site, form, access, item));
        }
        How::Get | How::Has if decided.draft.result.is_none() => {
            decided.draft.result = read(site, decided).map(|role| site.decided(role, &form.span));
        }
        How::Get | How::Has => {}
    }
}

/// What a number, or an array of numbers, is to callers.
fn plain(how: How, param: &Param) -> Option<Role> {
    let length = || Expr::Int { value: param.array_length.unwrap_or_default().into() };
    match (how, param.array_length) {
        (How::Set, None) => param.ty.is_scalar().then_some(Role::Value),
        (How::Set, Some(_)) => Some(Role::BufferIn { nullable: false, length: Some(length()) }),
        (_, Some(_)) => Some(Role::BufferOut {
            capacity: Capacity::Elements { size: length() },
            result: ResultLength::Full,
            valid_on_error: false,
        }),
        (_, None) => None,
    }
}

/// What a field that is read is to callers.
fn read(site: Site<'_>, decided: &Decided) -> Option<ResultRole> {
    let ty = &site.function.result;
    if ty.is_scalar() {
        return Some(ResultRole::Value);
    }
    let handle = site.known.handles.of_pointer(ty)?.to_owned();
    let lends = matches!(decided.draft.params.first()?.as_ref()?.value, Role::Handle { .. });
    lends.then_some(ResultRole::Handle {
        handle,
        ownership: Ownership::Library,
        parent: Some(0),
        nullable: true,
    })
}

/// A pointer that would stay where it is written to, and of which nothing says how long it is good for.
fn left_behind(site: Site<'_>, form: &Form, access: Access, item: Option<&Item>) -> Option<Diagnostic> {
    let ty = &site.function.params[usize::from(access.object)].ty;
    let array = site.function.params[usize::from(access.object)].array_length.is_some();
    let pointer = matches!(ty.kind, Type::Pointer { .. } | Type::FunctionPointer { .. });
    if !pointer || array {
        return None;
    }
    let kept = item.is_some_and(|item| match item.what {
        What::Text | What::Buffer(Direction::In) => item.until.is_some(),
        What::Kept | What::Fixed => true,
        _ => false,
    });
    if kept {
        return None;
    }
    let name = &site.function.name;
    let until = if access.object { OBJECT } else { "none" };
    let message = format!("`{name}` leaves a pointer behind, and nothing says how long it is good for");
    let help = match &ty.kind {
        Type::FunctionPointer { .. } if access.object => {
            format!("[function.{name}]\nparams.{VALUE} = {{ callback = \"kept\", until = \"{until}\", … }}")
        }
        _ if is_text_or_data(ty) => {
            format!(
                "[function.{name}]\nparams.{VALUE} = {{ string = \"utf-8\", until = \"{until}\" }}, or data, or {{ fixed = \"NULL\" }}"
            )
        }
        _ => format!(
            "leave it out of `set`: nothing keeps what it points to alive; {{ fixed = \"NULL\" }} for `params.{VALUE}` takes it away"
        ),
    };
    Some(Diagnostic::error(message).at(form.span.clone()).label("until when?").help(help))
}

fn is_text_or_data(ty: &CType) -> bool {
    ty.pointee().is_some_and(|(pointee, _)| pointee.element_size().is_some())
}

/// What a number that goes into a bit-field must be, so that nothing of it is cut off.
pub(crate) fn fits(site: Site<'_>) -> Option<Requirement> {
    let (_, Access { how: How::Set, bits: Some((bits, signed)), .. }) = access(site)? else { return None };
    let (least, most) = match signed {
        true => (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1),
        false => (0, (1_i128 << bits) - 1),
    };
    let compare = |op: Op, value: i128| {
        let (left, right) = (Box::new(Expr::Param { index: 1 }), Box::new(Expr::Int { value }));
        Requirement {
            condition: Expr::Binary { op, left, right },
            text: format!("{VALUE} {} {value}", op.symbol()),
        }
    };
    let below = compare(Op::Le, most);
    Some(if signed { compare(Op::Ge, least).and(below) } else { below })
}

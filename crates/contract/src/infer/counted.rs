//! Returned data that another function counts: `counted-result`.
//!
//! `sqlite3_column_blob(statement, column)` and `sqlite3_column_bytes(statement, column)`: the one returns a thing that has
//! content, the other is called the same but for `bytes` instead of `blob`, `text` or `string`, and takes the same. What is
//! behind the pointer is so many bytes, which are asked for behind the call, with the same arguments. A text that a contract
//! decides is counted like that, too, unless it is a `const char *`, which a NUL ends.

use hotcell_model::Fact;
use hotcell_model::api::{Attribute, Function};
use hotcell_model::expr::Expr;
use hotcell_model::interface::{Ownership, ResultRole, Role};
use hotcell_model::types::{CType, Type};

use crate::infer::view::{View, shown};
use crate::infer::{Draft, Known, comments};

/// What has content. Not `data`: that is the application's own as often, beside a count of what went by.
const CONTENT: [&str; 3] = ["blob", "text", "string"];

/// Finds the length of returned data.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft) {
    let Some(length) = length(view, draft) else { return };
    match &mut draft.result {
        Some(Fact {
            value: ResultRole::Text { length: open @ None, ownership: Ownership::Library, .. },
            ..
        }) => *open = Some(length),
        Some(_) => {}
        None => {
            let data = ResultRole::Buffer { length, nullable: true, ownership: Ownership::Library };
            draft.result = Some(Fact::inferred(data, "counted-result"));
        }
    }
}

/// The call that counts what the function returns.
fn length(view: &View<'_>, draft: &Draft) -> Option<Expr> {
    let function = view.function;
    let fresh = function.attributes.contains(&Attribute::Malloc) || comments::owned(function);
    if !is_data(&function.result) || fresh || view.known.handles.of_pointer(&function.result).is_some() {
        return None;
    }
    let args = 0..function.params.len();
    let same_again = |index: usize| {
        let role = draft.params[index].as_ref().map(|fact| &fact.value);
        matches!(role, Some(Role::Value | Role::Handle { consumed: false, invalidates: false, .. }))
    };
    if args.is_empty() || !args.clone().all(same_again) {
        return None;
    }
    let counting = counting(view.known, function)?;
    Some(Expr::Call {
        function: counting.name.clone(),
        args: args.map(|index| Expr::Param { index }).collect(),
    })
}

/// Whether this is a `const` pointer to bytes of no particular kind.
fn is_data(ty: &CType) -> bool {
    let Some((pointee, true)) = ty.pointee() else { return false };
    let plain = ["void", "unsigned char", "uint8_t"].iter().any(|name| pointee.written.ends_with(name));
    shown(ty) && plain && matches!(pointee.kind, Type::Void | Type::Int { bits: 8, .. })
}

/// The function that counts the bytes of what this one returns.
fn counting<'a>(known: Known<'a>, function: &Function) -> Option<&'a Function> {
    let (before, last) = function.name.rsplit_once('_')?;
    // As in `column_text16` and `column_bytes16`.
    let content = last.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let digits = &last[content.len()..];
    if !CONTENT.contains(&content) {
        return None;
    }
    let name = format!("{before}_bytes{digits}");
    let found = known.api.functions.iter().find(|other| other.name == name)?;
    let is_there = found.inline || known.exports.is_none_or(|exports| exports.contains(&name));
    let shadowed = known.shadowed.is_some_and(|shadowed| shadowed.contains(&name)) && !found.inline;
    let same = found.params.len() == function.params.len()
        && found.params.iter().zip(&function.params).all(|(a, b)| a.ty.canonical == b.ty.canonical);
    let counts = matches!(found.result.kind, Type::Int { bits: 32 | 64, .. });
    let usable = found.location.primary && found.prototyped && !found.variadic && is_there && !shadowed;
    (usable && same && counts).then_some(found)
}

//! The rule `documented-structure`: of a structure of numbers a comment says which way it goes, and speaks of one.
//!
//! `@inout: vector :: The target vector.` The structure may be one of many elsewhere: what stands in the comment is about this
//! function. It goes in and comes out where it can be written, so that nothing hangs on whether the comment is right about that.

use hotcell_model::Fact;
use hotcell_model::interface::{Direction, Role};
use hotcell_model::types::{CType, Type};

use crate::infer::documented::said::Way;
use crate::infer::endings::{Ending, ending};
use crate::infer::view::View;
use crate::infer::{Draft, keeping};

/// Words about memory with several structures in it. A vector and a matrix are structures themselves.
const SEVERAL: &[&str] = &[
    "array",
    "arrays",
    "block",
    "buffer",
    "buffers",
    "each",
    "elements",
    "entries",
    "items",
    "list",
    "memory",
    "records",
    "sequence",
    "structures",
    "structs",
    "table",
    "values",
    "vectors",
    "vertices",
];

/// The structure that a parameter leads to; none where it leads to something else.
pub(super) fn one(
    view: &View<'_>,
    draft: &Draft,
    index: usize,
    way: Way,
    text: &str,
) -> Option<Result<Fact<Role>, String>> {
    let param = view.param(index)?;
    let (CType { kind: Type::Record { name: record }, .. }, constant) = param.ty.pointee()? else {
        return None;
    };
    let structs = view.known.structs;
    let direction = if constant { Direction::In } else { Direction::InOut };
    if !structs.is_plain(record) || structs.against(record, direction).is_some() || constant && way != Way::In
    {
        return None;
    }
    let name = view.name(index);
    let last = view.words(index).pop().unwrap_or_default();
    let plural = last.ends_with('s') && !last.ends_with("ss");
    let written = param.open_array || param.array_length.is_some();
    if plural || written || text.split(|c: char| !c.is_alphanumeric()).any(|word| SEVERAL.contains(&word)) {
        return Some(Err(format!("`{name}` may be several")));
    }
    let counts = |&number: &usize| {
        let integer = view.param(number).is_some_and(|param| param.ty.is_integer());
        integer && (view.sizes_by_name(number, index) || view.may_be_length(number))
    };
    if let Some(number) = (0..view.function.params.len()).find(counts) {
        return Some(Err(format!("`{}` may say how many `{name}` is", view.name(number))));
    }
    // `duration_cleanup(duration)` frees what it is given, and a copy of that is no memory to free.
    let gone = ending(&view.function.name).filter(|(ending, _)| *ending >= Ending::Closes);
    if !constant && gone.is_some() && view.function.params.len() == 1 {
        return Some(Err(format!("the function may end `{name}`")));
    }
    if let Some(reason) = keeping::of_structure(view, draft, index, way != Way::In) {
        return Some(Err(reason));
    }
    let role = Role::Struct { record: record.clone(), direction, nullable: false, valid_on_error: false };
    Some(Ok(Fact::inferred(role, "documented-structure")))
}

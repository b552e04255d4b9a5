//! Memory of which the caller alone says how much there is: it ends where a wall begins (docs/adr/0093).
//!
//! The function gets a copy that ends right before memory which nobody may touch. What it has changed goes back when the
//! entry is left, in whichever way.

use hotcell_model::interface::{Function, Param};

use crate::shim::arguments::arg;
use crate::shim::body::Body;
use crate::shim::types::literal;

/// Whether a function has such memory.
pub(crate) fn any(function: &Function) -> bool {
    (0..function.params.len()).any(|index| function.ends_at_wall(index))
}

/// Puts what a parameter points to before a wall: so many bytes, of elements of a size, which the function may change or not.
pub(crate) fn raise(param: &Param, (length, size): (&str, &str), changes: bool, body: &mut Body) {
    let (arg, name) = (arg(param), &param.name);
    let back = if changes { format!("(void *){arg}") } else { "NULL".to_owned() };
    body.line(format!("HOTCELL_WALL wall_{name} = HOTCELL_NO_WALL;"));
    body.when(&format!("{arg} != NULL"), |body| {
        body.line(format!("{arg} = hotcell_wall(&wall_{name}, {arg}, {length}, {size}, {back});"));
        body.refuse_when(&format!("{arg} == NULL"), "NO_MEMORY", name);
    });
}

/// The same of what the library may keep: the copy is the worker's, which ends it as it ends all that is kept.
pub(crate) fn keep(param: &Param, length: &str, body: &mut Body) {
    let (arg, name) = (arg(param), literal(&param.name));
    body.when(&format!("{arg} != NULL"), |body| {
        body.line(format!("{arg} = hc_ctx->keep_walled(hc_ctx, {arg}, {length}, {name});"));
        body.leave_when(&format!("{arg} == NULL"));
    });
}

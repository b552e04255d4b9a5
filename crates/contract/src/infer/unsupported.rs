//! Functions that no line of a contract makes callable in this version.

use hotcell_model::api::Function;
use hotcell_model::types::{CType, Type};

use crate::forms::is_file;
use crate::infer::Draft;
use crate::infer::view::{View, decided};

/// Most parameters of a function that rules look at: they hold each against each other. More have no room in a call, but for those that a
/// contract fills.
const MOST_PARAMETERS: usize = 200;

/// Why a function cannot be called whatever is said about its parameters and its result.
pub(crate) fn shape(function: &Function) -> Option<&'static str> {
    if function.variadic {
        return Some("it takes a variable number of arguments (`...`)");
    }
    if function.params.len() > MOST_PARAMETERS {
        return Some("it has more than 200 parameters");
    }
    (!function.prototyped).then_some("it is declared without a prototype: `()`, or names alone in a K&R definition, does not say what it takes")
}

/// Why a function cannot be called whatever a contract says about the parameters it leaves open.
pub(super) fn reason(view: &View<'_>, draft: &Draft) -> Option<String> {
    let function = view.function;
    if let Some(reason) = shape(function) {
        return Some(reason.into());
    }
    for (index, param) in function.params.iter().enumerate() {
        if !decided(draft, index)
            && let Some(reason) = of_type(&param.ty)
        {
            return Some(format!("parameter `{}`: {reason}", view.name(index)));
        }
    }
    if draft.result.is_some() {
        return None;
    }
    match &function.result.kind {
        Type::FunctionPointer { .. } => Some("it returns a pointer to a function".into()),
        _ => of_type(&function.result)
            .or_else(|| stream(view, &function.result))
            .map(|reason| format!("the result: {reason}")),
    }
}

/// Streams of C's stdio belong to the process that has opened them. A line of `[handle]` makes them objects of the worker.
fn stream(view: &View<'_>, ty: &CType) -> Option<String> {
    let (pointee, _) = ty.pointee().filter(|_| is_stream(view, ty))?;
    Some(format!(
        "it is a stream of C's stdio (`{} *`), and no line of `[handle]` makes that an object",
        pointee.written
    ))
}

/// Whether this is a stream of C's stdio, and no object.
pub(super) fn is_stream(view: &View<'_>, ty: &CType) -> bool {
    is_file(ty) && view.known.handles.of_pointer(ty).is_none()
}

fn of_type(ty: &CType) -> Option<String> {
    match &ty.kind {
        Type::Unsupported { reason } => Some(reason.clone()),
        Type::Record { .. } => {
            Some(format!("`{}` is a structure by value that nothing is known about", ty.written))
        }
        Type::Array { .. } => Some(format!("`{}` is an array by value", ty.written)),
        Type::Pointer { pointee, .. } => nested(pointee),
        _ => None,
    }
}

/// What is unsupported behind a pointer; pointers to functions behind pointers are only memory.
fn nested(ty: &CType) -> Option<String> {
    match &ty.kind {
        Type::Unsupported { reason } => Some(format!("of what it points to, {reason}")),
        Type::Pointer { pointee, .. } => nested(pointee),
        Type::Array { element, .. } => nested(element),
        _ => None,
    }
}

//! The line about texts that come out through a pointer, with what gives them back: `suggest(handle, char ***list, word)` beside
//! `free_list(handle, char ***list, int n)`.

use hotcell_model::api::Function;
use hotcell_model::types::{CType, Type};

use crate::infer::endings::{Ending, ending};
use crate::infer::view::View;

/// What to write about a `char ***`, where exactly one function takes such a list back and the function returns how many there are.
pub(super) fn handed_out(view: &View<'_>, index: usize) -> Option<String> {
    let ty = &view.param(index)?.ty;
    if !is_list(ty.pointee()?.0) || !view.function.result.is_integer() {
        return None;
    }
    let functions = view.known.api.functions.iter().filter(|function| {
        let releases = ending(&function.name).is_some_and(|(ending, _)| ending == Ending::Releases);
        releases && function.name != view.function.name && function.result.kind == Type::Void
    });
    let mut calls = functions.filter_map(|function| call(view, index, function));
    let release = calls.next().filter(|_| calls.next().is_none())?;
    Some(format!(r#"{{ out = "texts", length = "result", release = "{release}" }}"#))
}

/// Whether this is `char **`.
fn is_list(ty: &CType) -> bool {
    let behind = ty.pointee().and_then(|(text, _)| text.pointee());
    behind.is_some_and(|(letter, _)| letter.kind == Type::Char)
}

/// The call of a function that takes the list back: with it, its number, and an object that both functions take.
fn call(view: &View<'_>, index: usize, function: &Function) -> Option<String> {
    let (mut lists, mut numbers) = (0, 0);
    let args: Option<Vec<String>> = function
        .params
        .iter()
        .map(|param| {
            let list = is_list(&param.ty) || param.ty.pointee().is_some_and(|(ty, _)| is_list(ty));
            if list {
                lists += 1;
                return Some(view.name(index));
            }
            if param.ty.is_integer() {
                numbers += 1;
                return Some("result".to_owned());
            }
            let handle = view.known.handles.of_pointer(&param.ty)?;
            let own = (0..view.function.params.len()).find(|&other| view.handle(other) == Some(handle))?;
            Some(view.name(own))
        })
        .collect();
    let args = args.filter(|_| lists == 1 && numbers == 1)?;
    Some(format!("{}({})", function.name, args.join(", ")))
}

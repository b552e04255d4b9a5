//! Objects that stand behind another one in all that is done with them: `png_set_gAMA(png, info, gamma)`, `Z3_solver_push(context, solver)`.
//!
//! Where each function of a type is given the same other object first, that is the context of all, and the second one is what the
//! function is about.

use hotcell_model::api::Function;

use crate::infer::functions::{Name, Named};
use crate::infer::names::words;
use crate::infer::objects::kept::{is_read, without};
use crate::infer::objects::named::own_words;
use crate::infer::view::View;
use crate::infer::words::objects::{BEGINS, COLLECTS, STORES};

/// Last words of functions after which the second object goes on with the first, besides those that begin it.
const JOINS: &[&str] = &["associate", "attach", "begin", "bind", "connect", "open", "setup", "start"];

/// Functions from which on a type is only seen behind another.
const SEVERAL: usize = 5;

/// Whether the second parameter is what a function is about, and the first its context.
pub(super) fn is_companion(view: &View<'_>, index: usize) -> bool {
    let (Some(context), Some(own)) = (view.handle(0), view.handle(index)) else { return false };
    if index != 1 || context == own || puts(view, &own_words(view, index)) {
        return false;
    }
    called_after(view, index) || only_behind(view, context, own) && !may_place(view)
}

/// Words of functions that take nothing but two objects, and do something with the second, besides those that read one.
const DOES: &[&str] =
    &["clear", "draw", "flush", "inc", "incref", "interrupt", "pop", "ref", "reset", "retain", "update"];

/// Whether a function that takes nothing but the two may put the one into the other, whatever its comment says: `split_pane_left(split, pane)`, beside
/// `split_pane_width(split, pane)` and others that only ask.
fn may_place(view: &View<'_>) -> bool {
    let name = &view.function_name().all_words;
    let context = own_words(view, 0).last().is_some_and(|word| CONTEXTS.contains(&word.as_str()));
    let says = |word: &String| {
        let plain = word.trim_end_matches(|c: char| c.is_ascii_digit());
        DOES.contains(&plain) || is_read(plain)
    };
    view.function.params.len() == 2 && !context && !name.iter().any(says)
}

/// Whether an object is the context of another one, in front of which all functions are given it: nothing has to be noted for that.
pub(super) fn is_context(view: &View<'_>, context: usize, of: usize) -> bool {
    let (Some(first), Some(own)) = (view.handle(context), view.handle(of)) else { return false };
    let last = |of: Vec<String>| {
        let name = without(words(&view.function.name), &of);
        name.last().is_some_and(|last| BEGINS.contains(&last.as_str()) || JOINS.contains(&last.as_str()))
    };
    (context, of) == (0, 1)
        && first != own
        && !last(own_words(view, of))
        && !last(own_words(view, context))
        && !puts(view, &own_words(view, of))
        && only_behind(view, first, own)
}

/// What a type is called of which each function is given one.
const CONTEXTS: &[&str] =
    &["context", "ctx", "env", "environment", "handle", "interp", "isolate", "library", "runtime", "vm"];

/// Whether the function is called after the type, and that after the type of the first, or the first is called a context:
/// `snd_pcm_hw_params_test_rate(pcm, params, …)`. Not `curl_mime_subparts(part, mime)`, which takes the second over.
fn called_after(view: &View<'_>, index: usize) -> bool {
    let (name, own, context) = (words(&view.function.name), own_words(view, index), own_words(view, 0));
    let below = own.len() > context.len() && own.starts_with(&context);
    let general = context.last().is_some_and(|word| CONTEXTS.contains(&word.as_str()));
    own.len() > 1 && name.len() > own.len() && name.starts_with(&own) && (below || general)
}

/// Whether the headers have several functions with both in this order, and none that begins with the second and takes more.
fn only_behind(view: &View<'_>, context: &str, own: &str) -> bool {
    let beginning_with = |handle: &str| {
        let functions = view.known.uses.first(handle).iter();
        functions.filter(|named| named.name.ending.is_none() && named.function.params.len() > 1)
    };
    let own_words_of = words(own);
    let both = |named: &&&Named<'_>| {
        view.known.handles.of_pointer(&named.function.params[1].ty) == Some(own)
            && !puts_by_name(named.function, &named.name, &own_words_of)
    };
    beginning_with(own).next().is_none() && beginning_with(context).filter(both).count() >= SEVERAL
}

/// Whether a function is called like one that puts the second object into the first: it collects such, or sets one and nothing else, as
/// `dev_set_ctx(dev, ctx, slot)` says, which ends with what the object is called.
fn puts(view: &View<'_>, own: &[String]) -> bool {
    puts_by_name(view.function, view.function_name(), own)
}

fn puts_by_name(function: &Function, name: &Name, own: &[String]) -> bool {
    let split = &name.words;
    let sets = !own.is_empty()
        && split.ends_with(own)
        && split[..split.len() - own.len()].last().is_some_and(|verb| STORES.contains(&verb.as_str()));
    name.says(COLLECTS) || sets || function.params.len() == 2 && name.says(STORES)
}

//! The rule `kept-parent`: what is right whoever keeps the object that another one is made with.
//!
//! No header says whether `session *session_new(context *)` notes where the context is. That it stays until the session has gone is right whether it
//! is noted or not. It would be wrong where the session took it over, and released it, or where the context released the session in a call of its
//! own: so it is asked for where names or the library's code make that likely.

use hotcell_model::api::Function;
use hotcell_model::evidence::Fact;
use hotcell_model::interface::{Ownership, ResultRole, Role};

use crate::infer::made::{self, Made};
use crate::infer::names::words;
use crate::infer::view::{View, decided};
use crate::infer::{Draft, Gap, Known, code, comments, lent};

/// The rule's name.
pub(super) const RULE: &str = "kept-parent";

/// Last words of types of which many things are made, and none is put into what is made of it.
const HUBS: &[&str] = &[
    "base",
    "context",
    "ctx",
    "display",
    "engine",
    "env",
    "environment",
    "instance",
    "lib",
    "library",
    "manager",
    "server",
];

/// The same of types that may as well be what another object works on, and goes with.
const PERHAPS: &[&str] = &[
    "client",
    "conn",
    "connection",
    "db",
    "device",
    "loop",
    "repo",
    "repository",
    "runtime",
    "session",
    "storage",
    "store",
    "vm",
];

/// Last words of types of what goes through another object.
const WITHIN: &[&str] = &["cursor", "enumerator", "iter", "iterator"];

/// Last words of types of what is a part of a thing that is called as its library, and goes with it.
const PARTS: &[&str] = &[
    "attribute",
    "cell",
    "child",
    "element",
    "entry",
    "field",
    "item",
    "key",
    "layer",
    "node",
    "page",
    "path",
    "record",
    "row",
    "section",
    "track",
    "value",
];

/// Last words of types of what is over with what it is for.
const PASSES: &[&str] =
    &["call", "event", "fiber", "job", "req", "request", "task", "timer", "watch", "watcher"];

/// Last words of types of what takes a connection over that it is made with.
const LAYERS: &[&str] = &["channel", "client", "conn", "connection", "session", "stream"];

/// Last words of types of what such a thing may go through and end.
const SOURCES: &[&str] =
    &["input", "output", "reader", "result", "results", "rows", "scanner", "source", "stream", "writer"];

/// Words of functions by which what they are given becomes a part of what they make.
const TAKES: &[&str] = &[
    "adopt", "attach", "auto", "cached", "devm", "from", "into", "managed", "move", "own", "pooled",
    "scoped", "steal", "take", "wrap",
];

/// Concludes what is open of a function that makes one object with another; what stays open.
pub(crate) fn apply(
    function: &Function,
    names: &[String],
    known: Known<'_>,
    draft: &mut Draft,
    mut gaps: Vec<Gap>,
) -> Vec<Gap> {
    let view = View::new(function, names, known, draft);
    let Some(((index, parent), Made { out, handle, release, .. })) = found(&view, draft, &gaps) else {
        return gaps;
    };
    let (ownership, of) = (Ownership::Owned { release }, Some(index));
    match out {
        Some(param) => {
            let role =
                Role::HandleOut { handle, ownership, parent: of, nullable: true, valid_on_error: false };
            draft.params[param] = Some(Fact::inferred(role, RULE));
        }
        None => {
            let role = ResultRole::Handle { handle, ownership, parent: of, nullable: true };
            draft.result = Some(Fact::inferred(role, RULE));
        }
    }
    let role = Role::Handle {
        handle: parent,
        consumed: false,
        on_success: false,
        nullable: false,
        invalidates: lent::stales(&view, index),
    };
    draft.params[index] = Some(Fact::inferred(role, RULE));
    gaps.retain(|gap| gap.param != out && gap.param != Some(index));
    gaps
}

/// The only object that goes in, and what is made with it, where both are open.
fn found(view: &View<'_>, draft: &Draft, gaps: &[Gap]) -> Option<((usize, String), Made)> {
    let function = view.function;
    let made =
        made::releasable(view, draft).filter(|made| made.mirror || made::says_makes(view, &made.release))?;
    let open = |param: Option<usize>| gaps.iter().any(|gap| gap.param == param);
    let mut objects =
        (0..function.params.len()).filter(|&index| Some(index) != made.out && made::is_object(view, index));
    let (index, None) = (objects.next()?, objects.next()) else { return None };
    let parent = view.handle(index)?;
    let takes = view.function_has_word(TAKES)
        || comments::owner(function)
        || comments::lent(function)
        || comments::shared(function, &made.release)
        || !comments::makes(function);
    // What stands behind other things is optional as often.
    let first = (0..index).all(|before| Some(before) == made.out);
    let fits = first && open(made.out) && open(Some(index)) && !decided(draft, index) && !takes;
    let last = |handle: &str| type_words(handle).pop().unwrap_or_default();
    let is = |list: &[&str], handle: &str| list.contains(&last(handle).as_str());
    let within = is(WITHIN, &made.handle) && ![WITHIN, SOURCES].iter().any(|list| is(list, parent));
    let library = is_library(function, parent) && !is(PARTS, &made.handle);
    let layered = is(LAYERS, parent) && is(LAYERS, &made.handle);
    let leaves = match is(HUBS, parent) || library {
        true => true,
        // Nothing of it is released with what is made, as far as the code shows, which has to be there.
        false => (is(PERHAPS, parent) && !layered || within) && releases_nothing_inside(view, &made.release),
    };
    // What is deleted may be what the object stands for, and not the object.
    let deletes =
        words(&made.release).iter().any(|word| ["del", "delete", "discard", "drop"].contains(&word.as_str()));
    let leaves = leaves && !deletes && !is(PASSES, &made.handle);
    (fits && parent != made.handle && leaves && !speaks_against(view, index, &made))
        .then(|| ((index, parent.to_owned()), made))
}

/// Whether a type is called as the library itself.
fn is_library(function: &Function, handle: &str) -> bool {
    let own = type_words(handle);
    let library = words(&function.name).into_iter().next();
    own.len() == 1 && own.first() == library.as_ref()
}

/// Whether the code shows that the release of what is made releases nothing that it leads to.
fn releases_nothing_inside(view: &View<'_>, release: &str) -> bool {
    let release = view.known.functions.get(release).map(|named| named.function);
    release.is_some_and(|release| code::leaves_inside(release, view.known.against, 0))
}

/// Whether the library's code shows that the parent is freed, or goes with what is made when that is released, that others have what is returned, or
/// that it may have been there before.
fn speaks_against(view: &View<'_>, parent: usize, made: &Made) -> bool {
    let (function, against) = (view.function, view.known.against);
    let release = |handle: &str| {
        let release = view.known.handles.get(handle)?.release.as_deref()?;
        Some(view.known.functions.get(release)?.function)
    };
    let both = release(&made.handle).zip(view.handle(parent).and_then(release));
    let goes_with = both.is_some_and(|(end, of_parent)| {
        // What is freed without more ado may be freed by another function as well.
        let plain = code::frees(of_parent, against, 0) && !code::seen(of_parent, against, 0).releases_inner;
        code::calls(against, end, of_parent) || plain && code::seen(end, against, 0).releases_inner
    });
    let returned = made.out.is_none()
        && (code::shares(function, against) || code::seen(function, against, parent).returns_inner);
    goes_with || returned || code::frees(function, against, parent)
}

/// The words of a type's name, but for those that say that it is one.
fn type_words(handle: &str) -> Vec<String> {
    let mut own = words(handle);
    own.retain(|word| !["handle", "ptr", "st", "struct", "t"].contains(&word.as_str()));
    own
}

//! Words of a function's name that say how something ends, and are about something else than its object.

use hotcell_model::types::Type;

use crate::infer::endings::{self, Ending};
use crate::infer::names::words;
use crate::infer::view::{View, plain_text};
use crate::infer::words::objects::{COLLECTS, STORES};
use crate::type_names::unqualified;

/// Words of functions that take a part out of an object.
const REMOVES: &[&str] = &["del", "delete", "erase", "remove", "unset"];

/// Last words of numbers that say which part is meant.
const SELECTS: &[&str] = &[
    "at",
    "codepoint",
    "col",
    "column",
    "i",
    "id",
    "idx",
    "index",
    "indx",
    "item",
    "key",
    "line",
    "pos",
    "position",
    "row",
    "which",
];

/// Last words of texts that say something about the end, and not which part is meant.
const REMARKS: &[&str] = &["comment", "error", "message", "msg", "reason", "text"];

/// Whether a function that is called like one which ends an object leaves its own alone.
pub(super) fn stays(view: &View<'_>, index: usize, ending: Ending) -> bool {
    sets_property(view)
        || is_noun(view)
        || ending >= Ending::Closes && removes_part(view, index)
        || hands_on_data(view, index)
}

/// Words of functions that hand on what they are given beside an object, or the object.
const HANDS_ON: &[&str] = &["post", "put", "send", "submit", "transfer"];

/// Last words of types of what is handed on, with whatever is said of it.
const HANDED_ON: &[&str] = &[
    "answer",
    "batch",
    "buf",
    "buffer",
    "call",
    "cmd",
    "command",
    "datagram",
    "event",
    "exchange",
    "frame",
    "invocation",
    "item",
    "job",
    "mail",
    "message",
    "msg",
    "node",
    "notification",
    "packet",
    "pkt",
    "reply",
    "req",
    "request",
    "responder",
    "response",
    "task",
    "transaction",
    "transfer",
    "tx",
    "urb",
    "work",
    "xfer",
];

/// Whether what a function hands on is data that it is given, and not its only object: `store_put(store, key, value, size)`,
/// `port_send(port, data, size)`; not `evhttp_send_reply(req, …)`, and `job_put(job)` lets go of a job.
fn hands_on_data(view: &View<'_>, index: usize) -> bool {
    let name = words(&view.function.name);
    let mut verbs = name.iter().filter(|word| endings::ending(word).is_some());
    let (Some(verb), None) = (verbs.next().filter(|verb| HANDS_ON.contains(&verb.as_str())), verbs.next())
    else {
        return false;
    };
    let others = || 1..view.function.params.len();
    let object = |at: usize| {
        let pointee = view.param(at).and_then(|param| param.ty.pointee());
        view.handle(at).is_some() || pointee.is_some_and(|(ty, constant)| ty.record().is_some() && !constant)
    };
    let constant =
        |at: usize| view.param(at).and_then(|param| param.ty.pointee()).filter(|(_, constant)| *constant);
    let data = |at: usize| {
        let counted = view.param(at + 1).is_some_and(|param| param.ty.is_integer());
        counted && constant(at).is_some_and(|(ty, _)| ty.is_byte() || ty.kind == Type::Void)
    };
    let released = view
        .handle(0)
        .and_then(|handle| view.known.handles.get(handle))
        .is_some_and(|known| known.release.is_some());
    // A key, and a value.
    let given = match verb.as_str() {
        "put" => others().count() > 1 && others().any(|at| constant(at).is_some()),
        _ => others().any(data),
    };
    let carried = own_words(view, 0).pop().is_some_and(|last| HANDED_ON.contains(&last.as_str()));
    index == 0 && given && released && !carried && !others().any(object)
}

/// Whether what is called so is a property that is set, or a thing that is added: `set_stop_threshold(params, n)`,
/// `add_color_stop(pattern, offset)`. In the name of a `set` that is the object it is none.
fn sets_property(view: &View<'_>) -> bool {
    let name = words(&view.function.name);
    let own = own_words(view, 0);
    let verb = name.iter().position(|word| ["add", "set"].contains(&word.as_str()) && !own.contains(word));
    let Some((before, behind)) = verb.map(|verb| (&name[..verb], &name[verb + 1..])) else { return false };
    let ends = |word: &String| endings::ending(word).is_some();
    let given = (1..view.function.params.len()).any(|index| view.handle(index).is_none());
    let and = behind.iter().any(|word| word == "and");
    !before.is_empty() && !before.iter().any(ends) && behind.len() > 1 && given && !and
}

/// Whether how an object alone swaps something is what is set: `png_set_swap(png)`, `png_set_swap_alpha(png)`. In the name of a `set`
/// that is the object it is not.
pub(super) fn sets_mode(view: &View<'_>) -> bool {
    let name = words(&view.function.name);
    let Some(set) = name.iter().position(|word| word == "set") else { return false };
    let ends = name.iter().filter(|word| endings::ending(word).is_some()).count();
    let nothing = view.function.result.kind == Type::Void;
    view.function.params.len() == 1
        && nothing
        && set > 0
        && ends == 1
        && name.get(set + 1).is_some_and(|word| word == "swap")
        && !own_words(view, 0).iter().any(|word| word == "set")
}

/// Whether the word belongs to the name of the type which the function is called after: `git_commit_id(const git_commit *)`.
fn is_noun(view: &View<'_>) -> bool {
    let name = words(&view.function.name);
    let rest = name.strip_prefix(&own_words(view, 0)[..]);
    rest.is_some_and(|rest| {
        rest.len() < name.len() && !rest.is_empty() && endings::ending(&rest.join("_")).is_none()
    })
}

/// Whether a function takes a part out of its object, which it is told by a name or an index: `pattern_remove(p, object, id)`. It is
/// called as the release of the object is up to the word, and is not that.
pub(super) fn removes_part(view: &View<'_>, index: usize) -> bool {
    let Some(known) = view.handle(index).filter(|_| index == 0).and_then(|name| view.known.handles.get(name))
    else {
        return false;
    };
    let Some(release) = known.release.as_deref().filter(|release| *release != view.function.name) else {
        return false;
    };
    let ends = |word: &String| endings::ending(word).is_some();
    let after: Vec<String> = words(release).into_iter().filter(|word| !ends(word)).collect();
    let name = words(&view.function.name);
    let Some(verb) = name.iter().position(|word| REMOVES.contains(&word.as_str())) else { return false };
    let others = || 1..view.function.params.len();
    let text = |index: usize| view.param(index).is_some_and(|param| plain_text(&param.ty));
    let harmless = |index: usize| text(index) || view.param(index).is_some_and(|param| param.ty.is_scalar());
    let selects = |index: usize| match text(index) {
        true => !view.called(index, REMARKS),
        false => view.called(index, SELECTS),
    };
    name[..verb] == after[..]
        && name.iter().filter(|word| ends(word)).count() == 1
        && others().all(harmless)
        && others().any(selects)
        && view.function.result.pointee().is_none()
}

/// Words of functions after which parts of an object may be gone, besides [`REMOVES`].
const LESS: &[&str] = &[
    "clear",
    "consolidate",
    "cut",
    "pop",
    "prune",
    "purge",
    "rm",
    "shrink",
    "strip",
    "trim",
    "truncate",
    "wipe",
];

/// Whether a function that changes an object may take parts out of it, and others hand out objects that may be such:
/// `cfg_rmsec(cfg, name)` beside `cfg_getsec(cfg, name)`. Then what was borrowed from it is stale.
pub(super) fn takes_out(view: &View<'_>, index: usize) -> bool {
    let Some((handle, param)) = view.handle(index).zip(view.param(index)) else { return false };
    let less = |word: &String| {
        [REMOVES, LESS].iter().any(|list| list.contains(&word.as_str())) || word.starts_with("rm")
    };
    let own = own_words(view, index);
    let constant = param.ty.pointee().is_some_and(|(_, constant)| constant);
    if constant || !words(&view.function.name).iter().any(|word| less(word) && !own.contains(word)) {
        return false;
    }
    view.known.uses.leads_on(handle)
}

/// The object into which a function says that it puts its first one: `bufferevent_add_to_rate_limit_group(bev, group)`, but not
/// `cJSON_AddItemToArray(array, item)`. Each of the two may go on using the other.
pub(in crate::infer) fn is_put(view: &View<'_>) -> Option<usize> {
    let name = words(&view.function.name);
    let puts = name.iter().position(|word| COLLECTS.contains(&word.as_str()))?;
    let to = puts + name[puts..].iter().position(|word| is_direction(word))?;
    let is_it = |index: usize| is_named(view, index, &name[to + 1..]);
    let is_object = |index: usize| {
        let record = view.param(index).and_then(|param| param.ty.pointee()).and_then(|(ty, _)| ty.record());
        view.handle(index).is_some()
            || record.is_some_and(|record| view.known.structs.begun(record).is_some())
    };
    let other = |&index: &usize| {
        let constant = view.param(index).and_then(|param| param.ty.pointee()).is_none_or(|(_, is)| is);
        is_object(index) && !constant && is_it(index)
    };
    (1..view.function.params.len()).find(other).filter(|_| !is_it(0))
}

/// Whether a function says that it stores this: its name says so right behind the verb, and before where to. `dev_set_ctx(dev, ctx)`,
/// `cJSON_AddItemToArray(array, item)`, but not `item_append(item, list)`; or no other object is there.
pub(in crate::infer) fn is_stored(view: &View<'_>, index: usize) -> bool {
    let name = words(&view.function.name);
    let Some(verb) = name.iter().position(|word| STORES.contains(&word.as_str())) else { return false };
    let end = name[verb..].iter().position(|word| is_direction(word)).map_or(name.len(), |to| verb + to);
    let alone = !(0..view.function.params.len()).any(|at| at != index && view.handle(at).is_some());
    index > 0 && alone
        || index > 0
            && is_named(view, index, &name[verb + 1..end])
            && !is_named(view, 0, &name[verb + 1..end])
}

fn is_direction(word: &str) -> bool {
    ["at", "in", "into", "on", "onto", "to", "with"].contains(&word)
}

/// Whether the last word of what a parameter or its type is called is among these, whatever stands behind it: `list2`.
fn is_named(view: &View<'_>, index: usize, among: &[String]) -> bool {
    let last = [own_words(view, index).pop(), view.words(index).pop()];
    let is = |word: &String| {
        let unnumbered = word.trim_end_matches(|c: char| c.is_ascii_digit());
        last.iter().flatten().any(|last| last == word || last == unnumbered)
    };
    among.iter().any(is)
}

/// Why what another object is put into is asked for.
pub(in crate::infer) fn reason_target(view: &View<'_>, index: usize) -> String {
    format!("`{}`, which is put into `{}`, may go on using that", view.name(0), view.name(index))
}

/// The words of the type that a parameter leads to, but for those that say that it is one.
pub(super) fn own_words(view: &View<'_>, index: usize) -> Vec<String> {
    let Some(mut ty) = view.param(index).map(|param| &param.ty) else { return Vec::new() };
    let name = match view.handle(index) {
        Some(handle) => handle,
        None => {
            while let Some((behind, _)) = ty.pointee() {
                ty = behind;
            }
            unqualified(&ty.written)
        }
    };
    let name = name.strip_prefix("struct ").unwrap_or(name);
    words(name).into_iter().filter(|word| word != "ptr" && word != "t").collect()
}

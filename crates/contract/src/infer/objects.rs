//! Objects that go in: which parameters a function plainly uses, and which it may take over or release.
//!
//! *const-object*: the function cannot change what it gets by `const T *`, which its declaration writes, and is not called
//! like a release, nor like one by which another object, or the library, goes on using it.
//! *compared-objects*: of a function whose name ends with `compare` or `equal` and that returns a number.
//! *parent-object*: a contract says that what the function hands out lives as long as this object.
//! *release-variant*: a function that is called as the release of the type is but for `_r`, `_w`, `_v2` or the like ends what it takes.
//! *object-receiver*: the first parameter of a function that is not called like one that ends or hands on objects, or the first
//! that it can change, where it is not called like one that stores objects either.
//!
//! A wrong conclusion is an object released twice. So nothing is concluded for every other object parameter
//! (`cJSON_AddItemToArray(array, item)` takes over the item, and `pango_attr_list_change(list, attr)` shows
//! that names do not tell), nor where another object comes out, which may have swallowed the first one.

use hotcell_model::Fact;
use hotcell_model::api::Function;
use hotcell_model::interface::{ResultRole, Role};
use hotcell_model::types::{CType, Type};

use crate::infer::endings::{Ending, ending};
use crate::infer::lent::walks::adds;
use crate::infer::names::words;
use crate::infer::view::{View, decided, is_letter, shown};
use crate::infer::words::objects::{COLLECTS, COUNTS, ENDS_IF, FINDS, LOOKS, REFERENCES, STORES};
use crate::infer::{Draft, Notes, answers, code, comments, lent, made};

mod begun;
mod companions;
pub(super) mod kept;
mod looks;
pub(super) mod named;
mod parts;
mod variants;

const MIRROR: &str = "mirrored-release";

/// Finds objects that are plainly used.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft, notes: &mut Notes) {
    for index in 0..view.function.params.len() {
        let Some(handle) = view.handle(index).filter(|_| !decided(draft, index)) else {
            continue;
        };
        match rule(view, draft, index) {
            Ok(rule) => {
                let consumed = [MIRROR, variants::RULE].contains(&rule);
                let role = Role::Handle {
                    handle: handle.to_owned(),
                    consumed,
                    on_success: false,
                    nullable: false,
                    invalidates: !consumed
                        && (named::removes_part(view, index)
                            || named::takes_out(view, index)
                            || lent::stales(view, index)),
                };
                draft.params[index] = Some(Fact::inferred(role, rule));
            }
            Err(reason) => notes.add(index, reason),
        }
    }
}

/// The rule by which an object is plainly used, or why none applies.
fn rule(view: &View<'_>, draft: &Draft, index: usize) -> Result<&'static str, String> {
    let (function, name) = (view.function, view.name(index));
    let handle = view.handle(index).unwrap_or_default();
    if view.known.handles.pairs().ends(&function.name) {
        return Ok(MIRROR);
    }
    if variants::is_variant(view, handle) {
        return Ok(variants::RULE);
    }
    if let Some((ending, _)) = ending(&function.name)
        .filter(|(ending, _)| !parts::of_part(view, index, *ending) && !named::stays(view, index, *ending))
        .filter(|(ending, _)| *ending > Ending::GivesAway || !named::sets_mode(view))
    {
        let what = match ending {
            Ending::Releases => format!("the function is called like one that releases `{name}`"),
            Ending::Closes => format!("the function may end `{name}`"),
            Ending::GivesAway => format!("the function may hand on or empty `{name}`"),
        };
        return Err(what);
    }
    if let Some(number) = several(view, index) {
        return Err(format!("`{}` may say how many objects `{name}` points to", view.name(number)));
    }
    if begun::fills_callers(view, index) {
        return Err(format!("the function may fill `{name}` as memory of the caller's, whatever was in it"));
    }
    if comments::owner(function)
        || comments::may_end(function, &kept::called(view, index), &others(view, index), alone(view, index))
        || comments::goes(function, &kept::called(view, index), alone(view, index))
    {
        return Err(format!("the documentation speaks of who owns what; it may be about `{name}`"));
    }
    if outlives(draft, index) {
        return Ok("parent-object");
    }
    let shown = || ends_if(view).is_none() && view.known.handles.constant_of(handle).is_none();
    let found = match by_names(view, draft, index) {
        Err(_) if shown() && !is_last(view) && code::leaves(view, index) => Ok(code::OBJECT),
        found => found,
    };
    // `proc_wait(proc)`: names do not say it.
    let constant =
        view.param(index).and_then(|param| param.ty.pointee()).is_some_and(|(_, constant)| constant);
    match found {
        Ok(_) if !constant && code::frees(function, view.known.against, index) => {
            Err(format!("the library's code frees `{name}` on some way through the function"))
        }
        found => found,
    }
}

/// Whether this may be what releases such objects, since nothing else is called so.
fn is_last(view: &View<'_>) -> bool {
    view.function.params.len() == 1 && view.function.result.pointee().is_none() && unreleased(view)
}

/// The rule by which names and types say that an object is used, which is one and does not end.
fn by_names(view: &View<'_>, draft: &Draft, index: usize) -> Result<&'static str, String> {
    let (function, name) = (view.function, view.name(index));
    let handle = view.handle(index).unwrap_or_default();
    // `ldns_rr_push_rdf(rr, const rdf)` keeps the element; `gsl_vector_add(a, const b)` adds.
    let element = index > 0 && view.handle(0) != view.handle(index) && view.handle(0).is_some();
    if named::is_put(view) == Some(index) {
        return Err(named::reason_target(view, index));
    }
    if element && view.function_has_word(COLLECTS) {
        return Err(taken_over(view, draft, index));
    }
    // A `const` within a typedef says nothing about this function, unless there is one without.
    let constant = |ty: &CType| ty.pointee().is_some_and(|(_, constant)| constant);
    if view
        .param(index)
        .is_some_and(|param| constant(&param.ty) && (shown(&param.ty) || chosen(view, &param.ty)))
    {
        // `Starts a worker thread that compiles it; config_join() waits for it.`
        if comments::works_on(function) {
            return Err(format!("the documentation speaks of what goes on; it may be about `{name}`"));
        }
        // `lzma_index_encoder(strm, const index)`: the stream goes on reading the index.
        if let Some(keeper) = kept::keeper(view, draft, index) {
            return Err(keeper.reason(view, draft, index));
        }
        return Ok("const-object");
    }
    // `mixer_eq(mixer, eq)` sets an equalizer, `monitor_check_same(monitor, check)` something else.
    let objects: Vec<&str> = (0..function.params.len()).filter_map(|other| view.handle(other)).collect();
    let alike = objects.len() > 1 && objects.iter().all(|other| *other == handle);
    let compares = ["cmp", "compare", "equal", "equals"];
    let lasts = comments::lasts(function) || comments::keeps_object(function) || comments::noted(function);
    if view.function_has_last_word(&compares) && function.result.is_scalar() && alike && !lasts {
        return Ok("compared-objects");
    }
    if looks::only(view, index) && !lasts {
        return Ok("looked-at-object");
    }
    if let Some(constant) = view.known.handles.constant_of(handle) {
        return Err(format!(
            "`{name}` may be one of the library's own, which `{constant}` returns as `const`, and the function may change it"
        ));
    }
    let companion = companions::is_companion(view, index) && !lasts;
    if index > 0 && !companion && !first_to_change(view, index) {
        return Err(taken_over(view, draft, index));
    }
    if index == 0 && named::is_put(view).is_some() {
        return Err(taken_over(view, draft, index));
    }
    if let Some(number) = ends_if(view) {
        return Err(format!("`{}` may say that `{name}` ends with this call", view.name(number)));
    }
    if let Some(reason) = swallowed(view, draft, index) {
        return Err(reason);
    }
    if function.params.len() == 1 && view.function_has_word(STORES) && !is_property(view) {
        return Err(kept::Keeper::Library.reason_put(view, draft, index));
    }
    if is_last(view) {
        return Err(format!("nothing is called like the release of `{name}`, so this may be it"));
    }
    Ok(if companion { "companion-object" } else { "object-receiver" })
}

/// Whether nothing else goes in of which a comment may say that it is kept.
fn alone(view: &View<'_>, index: usize) -> bool {
    view.function
        .params
        .iter()
        .enumerate()
        .all(|(other, param)| other == index || param.ty.pointee().is_none())
}

/// What a comment may call the other parameters.
fn others(view: &View<'_>, index: usize) -> Vec<String> {
    let own = kept::called(view, index);
    let all = (0..view.function.params.len()).filter(|&other| other != index);
    let named = all.flat_map(|other| match view.handle(other) {
        Some(_) => kept::called(view, other),
        None => view.called_in_comments(other).collect(),
    });
    named.filter(|name| name.len() > 1 && !own.contains(name)).collect()
}

/// Why an object may be somebody else's after the call, or needed by what goes on using it.
fn taken_over(view: &View<'_>, draft: &Draft, index: usize) -> String {
    match kept::taker(view, draft, index) {
        Some(keeper) => keeper.reason_put(view, draft, index),
        None => format!("the function may take over `{}`", view.name(index)),
    }
}

/// Whether the headers have a typedef of the same pointer without `const`, so that functions say which they mean: `png_const_structp`
/// and `png_structp`, `mpz_srcptr` and `mpz_ptr`.
fn chosen(view: &View<'_>, ty: &CType) -> bool {
    let record = |ty: &CType| match ty.pointee() {
        Some((CType { kind: Type::Record { name }, .. }, constant)) => Some((name.clone(), constant)),
        _ => None,
    };
    let Some((own, _)) = record(ty) else { return false };
    let other =
        |ty: &CType| !shown(ty) && record(ty).is_some_and(|(name, constant)| name == own && !constant);
    let functions = view.known.api.functions.iter();
    functions.flat_map(|function| &function.params).any(|param| other(&param.ty))
}

/// Whether a function that is given an object alone sets, or asks for, something of it: `png_set_packing(png)`. What it is called
/// after stands before `set`, and what it sets is neither the object nor which one is in use.
fn is_property(view: &View<'_>) -> bool {
    let Some(handle) = view.handle(0) else { return false };
    let own: Vec<String> = words(handle).into_iter().filter(|word| word != "ptr" && word != "t").collect();
    let name = words(&view.function.name);
    if set_of_its_name(&name, &own) {
        return true;
    }
    let place = |list: &[&str]| name.iter().position(|word| list.contains(&word.as_str()));
    // `sqlite3_last_insert_rowid(db)`.
    let past =
        place(&["last", "total"]).is_some_and(|past| place(STORES).is_some_and(|stores| past < stores));
    if answers(view.function)
        || past && view.function.result.is_integer()
        || place(LOOKS).is_some_and(|looks| place(STORES).is_some_and(|stores| looks < stores))
    {
        return true;
    }
    let Some(set) = place(&["set"]).filter(|_| place(STORES) == place(&["set"])) else { return false };
    let (before, behind) = (&name[..set], &name[set + 1..]);
    let in_use = [
        "active", "current", "default", "global", "handle", "instance", "main", "object", "self", "shared",
        "this",
    ];
    // All functions may begin with the first word of the type.
    let specific = if own.len() > 1 && own.first() == name.first() { &own[1..] } else { &own[..] };
    let after = |word: &String| own.contains(word);
    (!before.is_empty() && before.iter().all(after) || before.iter().any(|word| specific.contains(word)))
        && !before.iter().any(|word| in_use.contains(&word.as_str()))
        && !behind.is_empty()
        && !behind.iter().any(|word| own.contains(word) || in_use.contains(&word.as_str()))
}

/// Whether what sounds like storing is part of the type's name, each time: `xmlXPathCastNodeSetToNumber(xmlNodeSet *)`.
fn set_of_its_name(name: &[String], own: &[String]) -> bool {
    let stores = |word: &String| STORES.contains(&word.as_str());
    let places: Vec<usize> = (0..name.len()).filter(|&at| stores(&name[at])).collect();
    let of_type =
        |&at: &usize| at > 0 && own.windows(2).any(|pair| pair[0] == name[at - 1] && pair[1] == name[at]);
    !places.is_empty() && places.iter().all(of_type)
}

/// The number that may say how many there are of a structure which the headers define: only of such there are arrays.
fn several(view: &View<'_>, index: usize) -> Option<usize> {
    let (pointee, _) = view.param(index)?.ty.pointee()?;
    let Type::Record { name } = &pointee.kind else { return None };
    view.known.api.records.get(name)?.layout.as_ref()?;
    let counts = |&number: &usize| {
        let integer = view.param(number).is_some_and(|param| param.ty.is_integer());
        // A typedef of the pointer is of one object: `gzbuffer(gzFile, size)`.
        let next = number == index + 1 && view.param(index).is_some_and(|param| shown(&param.ty));
        let unnamed = view.words(number).is_empty() && next;
        let named = view
            .length_name(number)
            .is_some_and(|length| length.of.is_empty() && next || view.sizes_by_name(number, index));
        integer && (unnamed || named || counted_by(view, number, index))
    };
    (0..view.function.params.len()).find(counts)
}

/// Whether this is the first thing that the function can change, and the function is not called like one that stores it:
/// `gsl_vector_axpby(alpha, x, beta, y)`, `BZ2_bzRead(bzerror, b, buf, len)`. Who would own it, were it taken over, does not stand before it.
fn first_to_change(view: &View<'_>, index: usize) -> bool {
    let fixed = |before: usize| {
        let ty = view.param(before).map(|param| &param.ty);
        let number = |ty: &CType| ty.is_scalar() && !ty.is_byte();
        ty.is_some_and(|ty| {
            ty.is_scalar() || ty.pointee().is_some_and(|(pointee, constant)| constant || number(pointee))
        })
    };
    !fixed(index) && (0..index).all(fixed) && !view.function_has_word(STORES)
}

/// Whether a number is called like the count of what a pointer is called: `ntargets` of `targets`, `item_num` of `item`.
fn counted_by(view: &View<'_>, number: usize, pointer: usize) -> bool {
    let (number, pointer) = (view.words(number), view.words(pointer).concat());
    let counts = ["cnt", "count", "nr", "num", "number"];
    let word = number.iter().any(|word| counts.contains(&word.as_str()));
    let number = number.concat();
    let rest = number.strip_prefix('n').filter(|rest| !rest.is_empty());
    let one = |name: &str| match name.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => name.trim_end_matches('s').to_owned(),
    };
    let same = |rest: &str| one(&pointer).ends_with(&one(rest));
    word && (counts.contains(&number.as_str()) || counts.iter().any(|count| same(&number.replace(count, ""))))
        || rest.is_some_and(same)
}

/// A number that may tell the function to end the object: `push_list(list, free_list)`, `image_ref(image, refs)`.
fn ends_if(view: &View<'_>) -> Option<usize> {
    let references = view.function_has_word(REFERENCES);
    (0..view.function.params.len()).find(|&index| {
        let scalar = view.param(index).is_some_and(|param| param.ty.is_scalar());
        let told = view.words(index).iter().any(|word| ENDS_IF.contains(&word.as_str()));
        scalar && (told || references && view.called(index, COUNTS))
    })
}

/// Whether a contract says that what comes out lives as long as this parameter.
fn outlives(draft: &Draft, index: usize) -> bool {
    let result = draft.result.as_ref().map(|fact| &fact.value);
    let of_result =
        matches!(result, Some(ResultRole::Handle { parent: Some(parent), .. }) if *parent == index);
    let of_param =
        draft.params.iter().flatten().any(
            |fact| matches!(&fact.value, Role::HandleOut { parent: Some(parent), .. } if *parent == index),
        );
    of_result || of_param
}

/// Why the object may be gone into what comes out: `gtk_expression_bind(expression, …)` returns a watch that
/// owns the expression, `LLVMGetBitcodeModule2(buffer, &module)` a module that owns the buffer,
/// `LLVMGetErrorMessage(error)` the text of an error that is no more.
fn swallowed(view: &View<'_>, draft: &Draft, index: usize) -> Option<String> {
    let (function, name) = (view.function, view.name(index));
    let keeper = || kept::comes_out(view, draft, index).map(|keeper| keeper.reason_put(view, draft, index));
    let handed_out = function.params.iter().any(|param| {
        param.ty.pointee().is_some_and(|(pointer, constant)| !constant && object_pointer(view, pointer))
    });
    let returned = function.result.pointee().filter(|_| object_pointer(view, &function.result));
    if handed_out {
        return keeper().or_else(|| Some(format!("what the function hands out may take over `{name}`")));
    }
    if let Some((_, constant)) = returned {
        let finds = view.function_has_word(FINDS)
            || made::copies(view).is_some()
            || adds(function, view.known).is_some()
            || lent::unowned::lender(function, view.known) == Some(index);
        let returns = || format!("what the function returns may take over `{name}`");
        return (!constant && !finds).then(|| keeper().unwrap_or_else(returns));
    }
    let fresh = function.result.pointee().is_some_and(|(_, constant)| !constant);
    let alone = function.params.len() == 1;
    (fresh && alone && !lives_on(view))
        .then(|| format!("`{name}` may be used up by what the function returns"))
}

/// From how many functions on an object is there for more than to be asked once.
const USED_BY: usize = 3;

/// Words of functions that make a text of an object and leave nothing of it.
const USES_UP: &[&str] = &[
    "await",
    "buf",
    "buffer",
    "build",
    "builder",
    "collect",
    "detach",
    "drain",
    "end",
    "err",
    "error",
    "exception",
    "finish",
    "flatten",
    "future",
    "harvest",
    "into",
    "job",
    "output",
    "promise",
    "release",
    "render",
    "result",
    "status",
    "steal",
    "take",
    "task",
    "to",
    "wait",
    "writer",
    "yield",
];

/// Whether an object is there when a function has returned a text of it: something releases it, several functions are about it, and it is
/// no error, whose message is all that there is. `xmlTextReaderName(reader)`, not `LLVMGetErrorMessage(error)`.
fn lives_on(view: &View<'_>) -> bool {
    let (Some(handle), Some((letter, _))) = (view.handle(0), view.function.result.pointee()) else {
        return false;
    };
    let known = view.known.handles.get(handle).is_some_and(|known| known.release.is_some());
    let about = |function: &&Function| {
        let first = function.params.first().and_then(|param| view.known.handles.of_pointer(&param.ty));
        first == Some(handle) && ending(&function.name).is_none()
    };
    let said = |name: &str| words(name).iter().any(|word| USES_UP.contains(&word.as_str()));
    is_letter(letter)
        && known
        && !said(&view.function.name)
        && !said(handle)
        && view.known.api.functions.iter().filter(about).count() >= USED_BY
}

/// Whether a type points to an object: a handle, or a structure of any kind.
fn object_pointer(view: &View<'_>, ty: &CType) -> bool {
    let record = ty.pointee().is_some_and(|(pointee, _)| matches!(pointee.kind, Type::Record { .. }));
    record || view.known.handles.of_pointer(ty).is_some()
}

/// Whether objects of this kind come from somewhere, and no function is called like their release. Then any
/// function may be: `xmlSchemaSAXUnplug`, `usbmuxd_events_unsubscribe`.
fn unreleased(view: &View<'_>) -> bool {
    let Some(ty) = view.param(0).map(|param| &param.ty) else {
        return true;
    };
    let released = view.known.handles.of_pointer(ty).and_then(|name| view.known.handles.get(name));
    if released.is_some_and(|handle| handle.release.is_some()) {
        return false;
    }
    let functions = || view.known.api.functions.iter();
    let hands_out = |function: &Function| {
        let behind = function.params.iter().filter_map(|param| param.ty.pointee());
        same_object(view, &function.result, ty)
            || behind.into_iter().any(|(pointer, _)| same_object(view, pointer, ty))
    };
    let ends = |function: &Function| {
        function.params.iter().any(|param| same_object(view, &param.ty, ty))
            && ending(&function.name).is_some_and(|(ending, _)| ending >= Ending::Closes)
    };
    functions().any(hands_out) && !functions().any(ends)
}

/// Whether two types point to the same structure, to the same name of `void`, or are of one handle type.
fn same_object(view: &View<'_>, left: &CType, right: &CType) -> bool {
    let handle = |ty: &CType| view.known.handles.of_pointer(ty);
    if handle(left).is_some() && handle(left) == handle(right) {
        return true;
    }
    match (left.pointee(), right.pointee()) {
        (Some((left_to, _)), Some((right_to, _))) => match (&left_to.kind, &right_to.kind) {
            (Type::Record { name: left }, Type::Record { name: right }) => left == right,
            (Type::Void, Type::Void) => left.written == right.written,
            _ => false,
        },
        _ => false,
    }
}

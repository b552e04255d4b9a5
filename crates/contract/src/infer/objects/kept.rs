//! What may go on using an object that a function cannot change: `dev_set_ctx(dev, const ctx *)`, `engine_new_with(const config *)`,
//! `lib_install(const handler *)`.
//!
//! `const` says that the function leaves the object alone, and nothing of whether it notes where that is. What it is called after, what
//! begins or comes out, and what its comment says decide whether that is asked.

use std::collections::BTreeSet;

use hotcell_model::interface::{Ownership, ResultRole, Role};
use hotcell_model::types::{CType, Type};

use crate::infer::functions::Named;
use crate::infer::objects::{companions, named, object_pointer};
use crate::infer::view::{View, shown};
use crate::infer::words::objects::{
    BEGINS, COMPARES, COPIES, FINDS, KEEPS_NOTHING_FROM, KEEPS_OBJECT, KEEPS_OBJECT_FROM, LOOKS, STORES,
    TAKES_VALUE, WITH,
};
use crate::infer::{Draft, code, comments, keeping, made, may_make, tells_failure};

/// Words that say at the beginning of a name what it is about: `chain_length(const full_chain *)`.
const THINGS: &[&str] = &["chain", "conf", "config", "handler", "hooks"];

/// Last words of names that say what is asked of a thing.
const COUNTS: &[&str] = &["count", "length", "size"];

/// Last words of names that say of which type a number is.
const NUMBERS: &[&str] = &["d", "f", "i", "l", "q", "s", "si", "u", "ui", "z"];

/// Words of types that tell of a failure.
const FAILURES: &[&str] = &["err", "error", "exception"];

/// What may go on using an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::infer) enum Keeper {
    /// What goes in, begins, or comes out here.
    Param(usize),
    /// What the function returns.
    Result,
    /// The library, or one of several objects.
    Library,
}

impl Keeper {
    /// Why that is asked of an object that the function cannot change, or may take over as well.
    pub(in crate::infer) fn reason(self, view: &View<'_>, draft: &Draft, index: usize) -> String {
        let (name, who) = (view.name(index), self.who(view, draft));
        match (self, is_const(view, index)) {
            (Keeper::Param(keeper), true) if begins(view, draft, keeper) => {
                format!("{who} may keep `{name}`")
            }
            (Keeper::Result, true) => format!("{who} may keep `{name}`, although it is `const`"),
            (_, true) => format!("{who} may keep `{name}` after the call, although it is `const`"),
            (_, false) => format!("{who} may keep `{name}`, or take it over"),
        }
    }

    /// The same of an object that may be taken over although the function cannot change it.
    pub(in crate::infer) fn reason_put(self, view: &View<'_>, draft: &Draft, index: usize) -> String {
        let although = if is_const(view, index) { ", although it is `const`" } else { "" };
        format!("{} may keep `{}`, or take it over{although}", self.who(view, draft), view.name(index))
    }

    fn who(self, view: &View<'_>, draft: &Draft) -> String {
        match self {
            Keeper::Param(keeper) if begins(view, draft, keeper) => {
                format!("`{}`, which begins with this call,", view.name(keeper))
            }
            Keeper::Param(keeper) => format!("`{}`", view.name(keeper)),
            Keeper::Result => "the object that comes out".to_owned(),
            Keeper::Library => "the library".to_owned(),
        }
    }

    /// The same as an `until` names it.
    pub(in crate::infer) fn until(self, view: &View<'_>, draft: &Draft) -> String {
        match self {
            Keeper::Param(keeper) if is_object(view, draft, keeper) => view.name(keeper),
            Keeper::Result => "result".to_owned(),
            Keeper::Param(_) | Keeper::Library => "none".to_owned(),
        }
    }
}

/// What a comment may call an object: its parameter's name, or its type's.
pub(super) fn called(view: &View<'_>, index: usize) -> Vec<String> {
    let own = named::own_words(view, index).join(" ");
    view.called_in_comments(index).chain([own]).filter(|name| !name.is_empty()).collect()
}

/// What may go on using the object behind a `const` pointer.
pub(in crate::infer) fn keeper(view: &View<'_>, draft: &Draft, index: usize) -> Option<Keeper> {
    keeper_by_names(view, draft, index).filter(|_| !code::leaves(view, index))
}

/// The same by names and comments alone.
fn keeper_by_names(view: &View<'_>, draft: &Draft, index: usize) -> Option<Keeper> {
    if alone(view, index) && comments::copies_object(view.function, &called(view, index)) {
        return None;
    }
    let begun = (0..view.function.params.len()).filter(|&at| at != index && begins(view, draft, at));
    let begun: Vec<usize> = begun.collect();
    if begun.iter().any(|&at| takes_value(view, index, at)) {
        return None;
    }
    let unread =
        |objects: &[usize]| is_const(view, index) && is_shown(view, index) && !reads(view, index, objects);
    let mut made = made(view, draft, index, may_make(view.function));
    made.extend(begun.into_iter().map(Keeper::Param));
    let changed: Vec<usize> = keeping::all_changed(view, draft, index).collect();
    if made.is_empty() {
        let asked = match changed[..] {
            [keeper] => {
                !takes_value(view, index, keeper)
                    && !companions::is_context(view, index, keeper)
                    && (says(view, &[index, keeper]) || unread(&[index, keeper]))
            }
            [] => !looks(view, index) && (says(view, &[index]) || unread(&[index])),
            _ => says(view, &[index]) || unread(&[index]),
        };
        if !asked {
            return None;
        }
    }
    // Each of several may have it, and nobody knows which.
    made.extend(
        changed.into_iter().map(Keeper::Param).filter(|keeper| !made.contains(keeper)).collect::<Vec<_>>(),
    );
    Some(if let [only] = made[..] { only } else { Keeper::Library })
}

/// What may go on using an object that the function can change, or take it over: where several may, what comes out, whatever the function
/// is called.
pub(in crate::infer) fn taker(view: &View<'_>, draft: &Draft, index: usize) -> Option<Keeper> {
    let said = keeper(view, draft, index);
    // Each of several may have it: the first is what is done something to.
    let first = || keeping::all_changed(view, draft, index).find(|&at| is_object(view, draft, at));
    match said {
        None => comes_out(view, draft, index),
        Some(Keeper::Library) => {
            comes_out(view, draft, index).or_else(|| first().map(Keeper::Param)).or(said)
        }
        found => found,
    }
}

/// The only object that comes out, where it may have been made of this one.
pub(in crate::infer) fn comes_out(view: &View<'_>, draft: &Draft, index: usize) -> Option<Keeper> {
    match made(view, draft, index, true)[..] {
        [only] => Some(only),
        _ => None,
    }
}

/// Whether the function is called like one after which something goes on using what it was given, apart from what its objects are called:
/// `map_find(map, const key *)` maps nothing. One that does what it does `with` something is done with that where it is done with data.
fn says(view: &View<'_>, objects: &[usize]) -> bool {
    let name = own(view, objects);
    // `db_bind2`; `1` says in some libraries that the keeper has its own.
    let versionless = |word: &String| word.trim_end_matches(|c: char| ('2'..='9').contains(&c)).to_owned();
    let name: Vec<String> = name.iter().map(versionless).collect();
    let any = |list: &[&str]| name.iter().any(|word| list.contains(&word.as_str()));
    // Behind what the library is called: `lzma_chain_length(const lzma_filter *)`. A thing is one where something of it is asked for: `lib_config_filter`
    // and `mylib_chain_to` do something.
    let library = objects.iter().filter_map(|&object| named::own_words(view, object).into_iter().next());
    let skipped = name.len() > 1
        && library.into_iter().any(|word| name.first() == Some(&word))
        && !name.first().is_some_and(|word| keeps(word));
    let name = if skipped { &name[1..] } else { &name[..] };
    let asked = name.len() > 1
        && name.last().is_some_and(|word| LOOKS.contains(&word.as_str()) || COUNTS.contains(&word.as_str()));
    let first = name.first().filter(|word| !asked || !THINGS.contains(&word.as_str()));
    first.into_iter().chain(name.iter().skip(1)).any(|word| keeps(word))
        || any(WITH) && !keeping::used_up(view)
        || comments::keeps_object(view.function)
        || comments::lasts(view.function)
        || comments::noted(view.function)
}

/// Words of functions that read an object, and are over with that.
const READS: &[&str] = &[
    "a",
    "add",
    "age",
    "apply",
    "area",
    "at",
    "b",
    "bits",
    "bpp",
    "bytes",
    "c",
    "capacity",
    "cast",
    "channels",
    "check",
    "class",
    "cmp",
    "code",
    "color",
    "colour",
    "cols",
    "columns",
    "compare",
    "compress",
    "contains",
    "convert",
    "count",
    "d",
    "day",
    "decode",
    "decompress",
    "degree",
    "depth",
    "describe",
    "diff",
    "digest",
    "dim",
    "distance",
    "distortion",
    "dot",
    "dpi",
    "dump",
    "e",
    "empty",
    "encode",
    "equal",
    "equals",
    "errno",
    "error",
    "eval",
    "even",
    "exists",
    "export",
    "f",
    "family",
    "find",
    "finite",
    "first",
    "flags",
    "format",
    "g",
    "h",
    "hash",
    "height",
    "hour",
    "i",
    "id",
    "index",
    "intersects",
    "j",
    "k",
    "key",
    "kind",
    "l",
    "last",
    "leaf",
    "len",
    "length",
    "level",
    "lookup",
    "m",
    "mark",
    "match",
    "matches",
    "max",
    "mean",
    "memusage",
    "message",
    "min",
    "minute",
    "mode",
    "month",
    "mul",
    "multiply",
    "n",
    "name",
    "negative",
    "norm",
    "null",
    "num",
    "number",
    "o",
    "odd",
    "offset",
    "one",
    "order",
    "p",
    "pages",
    "parts",
    "path",
    "port",
    "position",
    "positive",
    "precision",
    "print",
    "printf",
    "priority",
    "q",
    "r",
    "rank",
    "rate",
    "read",
    "rows",
    "s",
    "same",
    "save",
    "score",
    "search",
    "second",
    "serialize",
    "sign",
    "size",
    "sizeof",
    "speed",
    "stamp",
    "state",
    "status",
    "step",
    "steps",
    "stride",
    "sub",
    "sum",
    "swap",
    "t",
    "tag",
    "tell",
    "test",
    "text",
    "time",
    "title",
    "tostring",
    "total",
    "type",
    "u",
    "unit",
    "units",
    "usage",
    "v",
    "valid",
    "validate",
    "value",
    "verify",
    "version",
    "w",
    "weight",
    "width",
    "write",
    "x",
    "y",
    "year",
    "z",
    "zero",
];

/// Whether a word of a name says that something is read or asked for.
pub(super) fn is_read(word: &str) -> bool {
    READS.contains(&word) || LOOKS.contains(&word) || COMPARES.contains(&word)
}

/// Last words of names that say which form of a function it is.
const VARIANTS: &[&str] = &["ex", "fp", "r", "using", "with"];

/// Those of them that say that a number is asked for.
const MEASURES: &[&str] =
    &["capacity", "count", "id", "len", "length", "memusage", "num", "number", "size", "sizeof"];

/// Those of them that are verbs: beside an object that is changed a noun says what that gets.
const READS_BESIDE: &[&str] = &[
    "add",
    "check",
    "checksum",
    "cmp",
    "compare",
    "compress",
    "convert",
    "crc",
    "decode",
    "decompress",
    "describe",
    "diff",
    "digest",
    "dump",
    "encode",
    "equal",
    "equals",
    "eval",
    "exists",
    "export",
    "find",
    "hash",
    "lookup",
    "mul",
    "multiply",
    "print",
    "printf",
    "read",
    "save",
    "search",
    "serialize",
    "sign",
    "sum",
    "swap",
    "tostring",
    "validate",
    "verify",
    "write",
];

/// Whether the name of a function shows that it reads an object and leaves it alone: by a verb, or what it is asked for; since it is called after the object
/// and returns something, or a real number, which is computed; or since the object is a value.
fn reads(view: &View<'_>, index: usize, objects: &[usize]) -> bool {
    let result = &view.function.result;
    let name = own(view, objects);
    // `png_error(const png_struct *, …)`: what every type is called says nothing.
    let mut after = named::own_words(view, index);
    if after.len() > 1
        && after.last().is_some_and(|word| {
            ["context", "ctx", "handle", "obj", "object", "struct"].contains(&word.as_str())
        })
    {
        after.pop();
    }
    let all = &view.function_name().words;
    // `point_x(const full_point *)`.
    let called_after = (0..after.len()).any(|at| all.starts_with(&after[at..]));
    let of_it = objects.len() == 1 && called_after;
    // `EVP_PKEY_print_public(out, const pkey, …)` prints what it is called after.
    let beside_it = objects.len() > 1 && !called_after;
    // What a thing is asked for is a noun as often; `lib_state(const config *)` sets it.
    let gets = objects.len() == 1 && result.pointee().is_some();
    // `edition_pages(const edition_book *)` begins as its type does.
    let own_first = named::own_words(view, index).into_iter().next();
    let of_library = objects.len() == 1 && own_first.is_some() && all.first() == own_first.as_ref();
    let list = if of_it || gets || of_library { READS } else { READS_BESIDE };
    let said = |word: &String| {
        let plain = word.trim_end_matches(|c: char| c.is_ascii_digit());
        let glued = |part: &&str| part.len() > 4 && plain.ends_with(part);
        list.contains(&plain) || list.iter().any(glued) || LOOKS.contains(&plain) || COMPARES.contains(&plain)
    };
    // `gsl_ran_gaussian(const rng *, double sigma)`; a `float widget_wear(widget *, const theme *)` returns it may be anything.
    let float = |ty: &CType| matches!(ty.kind, Type::Float { .. });
    let real = objects.len() == 1
        && float(result)
        && (of_it || view.function.params.iter().any(|param| float(&param.ty)));
    // `OBJ_obj2nid`, `i2a_ASN1_OBJECT`.
    let turns = |word: &String| {
        word.split_once('2').is_some_and(|(from, to)| {
            let letters =
                |part: &str, least: usize| part.len() >= least && part.chars().all(char::is_alphabetic);
            // `bus_i2c(bus, const config *)` turns nothing; `i2d_X509` is there beside `d2i_X509`.
            let back = format!("{to}2{from}_");
            let mirrored = all.first() == Some(word) && view.known.functions.any_begins(&back);
            let least = if mirrored { 1 } else { 2 };
            letters(from, least) && letters(to, least)
        })
    };
    // `ZSTD_compress_usingCDict(cctx, …, const cdict)`, but not `widget_read_mode(widget, const theme *)`.
    let own_words = named::own_words(view, index).concat();
    let beside = name
        .iter()
        .rev()
        .find(|word| !VARIANTS.contains(&word.as_str()) && !own_words.contains(word.as_str()));
    // `size_t ZSTD_sizeof_CCtx(const ZSTD_CCtx *)`.
    let measured = objects.len() == 1
        && result.is_integer()
        && name
            .iter()
            .rev()
            .find(|word| !VARIANTS.contains(&word.as_str()))
            .is_some_and(|word| MEASURES.contains(&word.as_str()));
    // `int config_engage(const config *)` returns whether it has done something.
    let several = |word: &String| word.len() > 3 && word.ends_with('s') && !word.ends_with("ss");
    let integer = result.is_integer() || result.kind == Type::Bool;
    let status = integer
        && (result.written == "int" || !comments::says_verb(view.function))
        && view.function.params.len() == 1
        && !name.last().is_some_and(several)
        && !comments::answers(view.function);
    let copies = objects.len() == 2
        && objects.iter().all(|&at| view.handle(at) == view.handle(index))
        && view.function_has_word(COPIES)
        && !made::is_shallow(view);
    // What the library has a table of nobody ends.
    let constant = view.handle(index).is_some_and(|handle| view.known.handles.constant_of(handle).is_some());
    of_it && result.kind != Type::Void && !status
        || copies
        || constant
        || real
        || measured
        || name.iter().any(turns)
        || if beside_it { beside.is_some_and(said) } else { name.iter().any(said) }
        || computes(view, index)
}

/// Whether a word of a function's name says that something goes on using what the function is given.
fn keeps(word: &str) -> bool {
    let longer = |begin: &&str| word.starts_with(begin) && word.len() > begin.len();
    let other = |begin: &&str| word.starts_with(begin);
    KEEPS_OBJECT.contains(&word)
        || KEEPS_OBJECT_FROM.iter().any(longer) && !KEEPS_NOTHING_FROM.iter().any(other)
}

/// The words of the function's name without those of the types of these objects, each of which it may be called after.
fn own(view: &View<'_>, objects: &[usize]) -> Vec<String> {
    let name = view.function_name().all_words.clone();
    objects.iter().fold(name, |name, &object| without(name, &named::own_words(view, object)))
}

/// The words of a name without those of a type, once.
pub(super) fn without(mut name: Vec<String>, of_type: &[String]) -> Vec<String> {
    if !of_type.is_empty()
        && of_type.len() < name.len()
        && let Some(at) = name.windows(of_type.len()).position(|part| part == of_type)
    {
        name.drain(at..at + of_type.len());
    }
    name
}

/// Whether a function is asked for something of an object, and what its name says of keeping is what it is asked for:
/// `item_get_default(const item *)`, `TIFFFieldSetGetSize(const TIFFField *)`, `cmp_current_time(const time *)`. Not `set_get_handler(const handler *)`.
fn looks(view: &View<'_>, index: usize) -> bool {
    let name = &view.function_name().words;
    let own = named::own_words(view, index);
    // What compares may be what is set: `cmp_set_default(const cmp *)`, `compare_attach`. The time that is current is compared with.
    let stores = |at: usize| {
        name[at + 1..].iter().any(|word| keeps(word) && word != "current" || STORES.contains(&word.as_str()))
    };
    let asked = |at: usize| {
        // `X509_STORE_CTX_get0_store(const ctx)`.
        let unnumbered = name[at].trim_end_matches(|c: char| c.is_ascii_digit());
        LOOKS.contains(&unnumbered)
            || COMPARES.contains(&unnumbered)
                && !own.iter().any(|word| COMPARES.contains(&word.as_str()))
                && !stores(at)
    };
    // `event_initialized(const event *)`.
    let initialized = view.function.params.len() == 1
        && name.last().is_some_and(|word| ["initialised", "initialized"].contains(&word.as_str()));
    let last = initialized.then(|| name.len() - 1);
    let Some(asks) = (0..name.len()).find(|&at| asked(at)).or(last) else { return false };
    let of_it = !own.is_empty() && name.starts_with(&own);
    let before = || !without(name[..asks].to_vec(), &own).iter().any(|word| keeps(word));
    view.function.result.kind != Type::Void && (of_it || before())
}

/// Whether what the keeper gets is the value of another one of its type: its name says nothing but that, behind what it and the library are called,
/// as `mpz_set(x, const y)`, `vector_add(x, const y)` and `mpz_add_ui(x, const y, n)`. What it says besides is what is noted as often:
/// `node_set_parent(node, const node *)`, `node_child_add`.
fn takes_value(view: &View<'_>, index: usize, keeper: usize) -> bool {
    let record = |at: usize| view.param(at)?.ty.pointee()?.0.record();
    let handle = |at: usize| view.handle(at);
    let same = handle(index).is_some() && handle(index) == handle(keeper)
        || record(index).is_some() && record(index) == record(keeper);
    let all = &view.function_name().words;
    let mut name = without(all.clone(), &named::own_words(view, index));
    while name.last().is_some_and(|word| NUMBERS.contains(&word.as_str())) {
        name.pop();
    }
    let verb = name.pop().unwrap_or_default();
    // `gmp_randinit_set(state, const other)`.
    let begins = |word: &String| BEGINS.iter().any(|begins| word.ends_with(begins));
    let only = name.iter().enumerate().all(|(at, word)| at == 0 && all.first() == Some(word) || begins(word));
    // `gsl_vector_add` beside `gsl_vector_sub`; `menu_add(menu, const menu *sub)` puts one menu into another.
    let value = TAKES_VALUE.contains(&verb.as_str()) && computes(view, index);
    same && only && !made::is_shallow(view) && (value || COPIES.contains(&verb.as_str()))
}

/// Last words of functions that compute with values.
const VALUES: &[&str] = &["div", "mul", "neg", "scale"];

/// Whether objects of this type are values: other functions compute with two of them.
pub(in crate::infer) fn computes(view: &View<'_>, index: usize) -> bool {
    let is_it = |ty: &CType| {
        let own = view.param(index).and_then(|param| param.ty.pointee());
        ty.pointee().zip(own).is_some_and(|((ty, _), (own, _))| match (ty.record(), own.record()) {
            (Some(record), Some(own)) => record == own,
            _ => ty.canonical == own.canonical,
        })
    };
    let computes = view.known.functions.with_any(VALUES).filter_map(|Named { function, name }| {
        let last = name.words.iter().rfind(|word| !NUMBERS.contains(&word.as_str()))?;
        let own = function.params.iter().filter(|param| is_it(&param.ty));
        Some(last.as_str()).filter(|word| VALUES.contains(word) && own.count() > 1)
    });
    computes.collect::<BTreeSet<&str>>().len() > 1
}

/// Whether the function begins what is passed here.
fn begins(view: &View<'_>, draft: &Draft, at: usize) -> bool {
    let record = view.param(at).and_then(|param| param.ty.pointee()).and_then(|(ty, _)| ty.record());
    let begun = record.and_then(|record| view.known.structs.begun(record));
    let said = draft.params.get(at).and_then(|fact| fact.as_ref()).map(|fact| &fact.value);
    begun.is_some_and(|begun| begun.begins(&view.function.name))
        || matches!(said, Some(Role::Resident { starts: Some(_), .. }))
}

/// The objects that come out, where they are the caller's or may be, and are no copy of this one. What tells of a failure has nothing of it.
fn made(view: &View<'_>, draft: &Draft, index: usize, makes: bool) -> Vec<Keeper> {
    let function = view.function;
    let makes = makes && !view.function_has_word(FINDS);
    let copy = |ty: &CType| {
        let own = view.handle(index);
        let same = own.is_some() && view.known.handles.of_pointer(ty) == own;
        same && view.function_has_word(COPIES) && !says(view, &[index])
    };
    let object = |ty: &CType| ty.pointee().is_some_and(|(_, constant)| !constant) && object_pointer(view, ty);
    let out = |&at: &usize| {
        let Some((ty, constant)) = view.param(at).and_then(|param| param.ty.pointee()) else { return false };
        let role = draft.params.get(at).and_then(|fact| fact.as_ref()).map(|fact| &fact.value);
        let owned = match role {
            Some(Role::HandleOut { ownership, .. }) => matches!(ownership, Ownership::Owned { .. }),
            Some(_) => false,
            None => !constant && object(ty) && makes,
        };
        let failure = tells_failure(&view.name(at))
            || named::own_words(view, at).iter().any(|word| FAILURES.contains(&word.as_str()));
        at != index && owned && !failure && !copy(ty)
    };
    let mut found: Vec<Keeper> = (0..function.params.len()).filter(out).map(Keeper::Param).collect();
    let owned = match draft.result.as_ref().map(|fact| &fact.value) {
        Some(ResultRole::Handle { ownership, .. }) => matches!(ownership, Ownership::Owned { .. }),
        Some(_) => false,
        None => object(&function.result) && makes,
    };
    found.extend((owned && !copy(&function.result)).then_some(Keeper::Result));
    found
}

/// Whether nothing else that is `const` goes in, of which a comment could speak.
fn alone(view: &View<'_>, index: usize) -> bool {
    (0..view.function.params.len()).all(|at| at == index || !is_const(view, at))
}

/// Whether the declaration itself says that it is a pointer.
fn is_shown(view: &View<'_>, at: usize) -> bool {
    view.param(at).is_some_and(|param| shown(&param.ty))
}

fn is_const(view: &View<'_>, at: usize) -> bool {
    view.param(at).and_then(|param| param.ty.pointee()).is_some_and(|(_, constant)| constant)
}

/// Whether an `until` can name a parameter: it is an object, or hands one out, and is there.
fn is_object(view: &View<'_>, draft: &Draft, at: usize) -> bool {
    let Some(param) = view.param(at) else { return false };
    match draft.params.get(at).and_then(|fact| fact.as_ref()).map(|fact| &fact.value) {
        Some(Role::Handle { consumed, nullable, .. }) => !consumed && !nullable,
        Some(Role::Resident { consumed, .. }) => !consumed,
        Some(Role::HandleOut { .. }) => true,
        Some(_) => false,
        None => {
            let pointee = param.ty.pointee();
            let begun = |ty: &CType| ty.record().is_some_and(|name| view.known.structs.begun(name).is_some());
            view.handle(at).is_some()
                || pointee.is_some_and(|(ty, _)| view.known.handles.of_pointer(ty).is_some() || begun(ty))
        }
    }
}

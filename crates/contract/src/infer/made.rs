//! Objects that come out: `object-constructor`, `object-copy` and `code-made`.
//!
//! *object-constructor*: a function called like one that makes objects, which is given no other object, returns one
//! that the caller owns, where the type has a release.
//! *object-copy*: the same with one `const` object of the type, of functions called `dup`, `copy` or `clone`.
//! *code-made*: an object that the library's code shows to be made by the call, and nobody else's, whatever the function is called.
//!
//! A returned object is taken for owned only where nothing else can own it: `lua_newthread(L)` returns what
//! `L` collects, `amqp_tcp_socket_new(connection)` what the connection closes, `g_main_context_default()`
//! what everybody has. Nothing is taken for lent: nobody says what ends it.

use hotcell_model::Fact;
use hotcell_model::api::{Function, Param};
use hotcell_model::interface::{Ownership, ResultRole, Role};
use hotcell_model::types::{CType, Type};

use crate::infer::endings::ending;
use crate::infer::names::words;
use crate::infer::view::{View, decided};
use crate::infer::words::objects::{CONSTRUCTORS, COPIES, GIVES_UP, SHARES};
use crate::infer::{Draft, Notes, code, comments, may_make};

/// Finds returned objects that the caller owns.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft, notes: &mut Notes) {
    let function = view.function;
    handed_out(view, draft);
    let Some(handle) = view.known.handles.of_pointer(&function.result) else {
        return;
    };
    if draft.result.is_some() {
        return;
    }
    match rule(view, handle) {
        Ok((rule, release)) => {
            let role = ResultRole::Handle {
                handle: handle.to_owned(),
                ownership: Ownership::Owned { release },
                parent: None,
                nullable: true,
            };
            draft.result = Some(Fact::inferred(role, rule));
        }
        Err(reason) => notes.add_result(reason),
    }
}

/// An object that a function hands out, of a type that something releases.
pub(super) struct Made {
    /// Whether the release is the function's mirror.
    pub(super) mirror: bool,
    /// The parameter through which it comes out; `None` where it is returned.
    pub(super) out: Option<usize>,
    pub(super) handle: String,
    pub(super) release: String,
}

/// What a function hands out, where the type has a release and nothing is decided.
pub(super) fn releasable(view: &View<'_>, draft: &Draft) -> Option<Made> {
    let handles = view.known.handles;
    let params = || 0..view.function.params.len();
    let through = |index: usize| handles.of_pointer_pointer(&view.param(index)?.ty);
    let (out, handle) = match handles.of_pointer(&view.function.result) {
        Some(handle) => (None, handle),
        None => params().find_map(|index| Some((Some(index), through(index)?)))?,
    };
    // The runtime releases by the type.
    let release = handles.get(handle)?.release.as_deref()?;
    let open = match out {
        Some(index) => !decided(draft, index) && comes_out(view, index, handle),
        None => {
            let constant = view.function.result.pointee().is_some_and(|(_, constant)| constant);
            draft.result.is_none()
                && !constant
                && !view.function.params.iter().any(|param| hands_out(view, &param.ty))
        }
    };
    let mirror = handles.pairs().is_mirror(&view.function.name, release);
    // What has a mirror of its own is released by that.
    let other = handles.pairs().has_other_mirror(&view.function.name, release);
    (open && !other && !handles.says_makers(handle)).then(|| Made {
        mirror,
        out,
        handle: handle.to_owned(),
        release: release.to_owned(),
    })
}

/// Whether one object comes out through a pointer, and no array of them: `wrk_create(struct wrk **workers, int count)`.
fn comes_out(view: &View<'_>, index: usize, handle: &str) -> bool {
    let array = view.param(index).is_some_and(|param| param.array_length.is_some());
    let counted = (0..view.function.params.len()).any(|integer| {
        view.param(integer).is_some_and(|param| param.ty.is_integer()) && view.may_be_length(integer)
    });
    !array && (code::is_one(view, index) || !counted && !is_several(view, index, handle))
}

/// An object that comes out through a pointer, where the mirror of the function releases it and no other object goes in.
fn handed_out(view: &View<'_>, draft: &mut Draft) {
    let Some(Made { out: Some(index), mirror, handle, release }) = releasable(view, draft) else { return };
    let rule = if mirror { "mirrored-release" } else { "object-constructor" };
    // `os_mutex_alloc(&mutex, type)`: one number may choose among the library's own.
    let others: Vec<usize> = (0..view.function.params.len()).filter(|&other| other != index).collect();
    if !mirror && !says_makes(view, &release)
        || matches!(others[..], [only] if chooses(view, only))
        || (0..view.function.params.len()).any(|index| is_object(view, index))
        || comments::lent(view.function)
        || comments::owner(view.function)
        || !comments::makes(view.function)
    {
        return;
    }
    let role = Role::HandleOut {
        handle,
        ownership: Ownership::Owned { release },
        parent: None,
        nullable: true,
        valid_on_error: false,
    };
    draft.params[index] = Some(Fact::inferred(role, rule));
}

/// Whether a parameter is called like several of a type whose own name is no plural: `workers`, and not `dh_params` of `dh_params_t`.
fn is_several(view: &View<'_>, index: usize, handle: &str) -> bool {
    let own = words(handle);
    view.words(index)
        .last()
        .is_some_and(|word| word.ends_with('s') && !word.ends_with("ss") && !own.contains(word))
}

/// The rule by which the caller owns the result, and what releases it.
fn rule(view: &View<'_>, handle: &str) -> Result<(&'static str, String), String> {
    let function = view.function;
    if view.known.handles.says_makers(handle) {
        let why = match may_make(function) {
            true => "although it is called like one that makes objects",
            false => "and nothing says what its result lives in",
        };
        return Err(format!("`made_by` of `{handle}` has no such function, {why}"));
    }
    let known = view.known.handles.get(handle);
    let constant = function.result.pointee().is_some_and(|(_, constant)| constant);
    if constant {
        return Err(format!("it returns a `const` object of type `{handle}`, which somebody else may own"));
    }
    let Some(release) = known.and_then(|known| known.release.clone()) else {
        return Err(format!("it returns an object of type `{handle}`, of which no release is known"));
    };
    let end = view.known.handles.pairs().end(&function.name);
    let mirror = view.known.handles.pairs().is_mirror(&function.name, &release);
    // `archive_free` *calls archive_read_free() or archive_write_free() as needed*.
    let stands_for = |end: &str| {
        view.known.functions.get(&release).is_some_and(|named| comments::calls(named.function, end))
    };
    // `exif_data_unref` is right for what `exif_data_free` would free.
    let gives_up = words(&release).iter().any(|word| GIVES_UP.contains(&word.as_str()));
    let named = view.known.handles.pairs().frees(&function.name).filter(|_| !gives_up);
    if let Some(end) = end.or(named).filter(|end| *end != release && !stands_for(end)) {
        return Err(format!(
            "`{end}` is called like what releases it, and `{release}` releases others of its type"
        ));
    }
    let open = || Err(format!("nothing says whether the caller owns the `{handle}` it returns"));
    if known.is_some_and(|known| known.parent.is_some())
        || comments::lent(function)
        || gives_up && comments::uncounted(function)
    {
        return open();
    }
    // The one form of a comment that says that it is the caller's names what releases it.
    if comments::owner(function) || comments::shared(function, &release) {
        return open();
    }
    let objects: Vec<usize> = (0..function.params.len()).filter(|&index| is_object(view, index)).collect();
    if objects.is_empty()
        && !comments::lasting(function)
        && !has_other_release(view, &release)
        && code::makes(function, view.known.code)
    {
        return Ok(("code-made", release));
    }
    // `Returns the font, from the cache if it was loaded before`.
    if !comments::makes(function) {
        return open();
    }
    // `BrotliEncoderCreateInstance`: what is released by its mirror is not the library's own.
    if !mirror && view.function_has_word(SHARES)
        || function.params.iter().any(|param| hands_out(view, &param.ty))
    {
        return open();
    }
    match objects[..] {
        [] if mirror && !selects(view) => Ok(("mirrored-release", release)),
        [] if (view.function_has_word(CONSTRUCTORS) || is_stem(function, &release)) && !selects(view) => {
            Ok(("object-constructor", release))
        }
        [] if reads(view, &release) && !selects(view) => Ok(("read-object", release)),
        [only]
            if view.function_has_word(COPIES) && same_constant(view, only, handle) && !is_shallow(view) =>
        {
            Ok(("object-copy", release))
        }
        [_] if copies(view) == Some(handle) => Ok(("object-copy", release)),
        [] => open(),
        _ => Err(format!("the `{handle}` it returns may belong to what the function is given")),
    }
}

/// Whether several may come out, or something is called as the release of what this function returns, and is not that of its type: `item_list()`
/// beside `item_list_free(item *)`.
fn has_other_release(view: &View<'_>, release: &str) -> bool {
    let name = &view.function.name;
    let several = words(name).last().is_some_and(|word| {
        ["all", "array", "chain", "list", "many"].contains(&word.as_str())
            || word.ends_with('s') && !word.ends_with("ss")
    });
    let releases = |other: &str| {
        let behind = other.strip_prefix(name.as_str()).filter(|behind| !behind.is_empty());
        behind.and_then(ending).is_some_and(|(_, rest)| rest.is_empty())
    };
    let mut names = view.known.api.functions.iter().map(|function| function.name.as_str());
    several || names.any(|other| other != release && releases(other))
}

/// The type of which a function copies the only object that it is given, whether it says that it leaves that alone or not: besides it
/// takes numbers. `xmlCopyDoc(doc, recursive)`.
pub(super) fn copies<'a>(view: &View<'a>) -> Option<&'a str> {
    let [first, rest @ ..] = &view.function.params[..] else { return None };
    let handle = view.known.handles.of_pointer(&first.ty)?;
    let same = view.known.handles.of_pointer(&view.function.result) == Some(handle);
    if is_shallow(view) {
        return None;
    }
    // Where references are counted `dup` may count another one.
    let verb = words(&view.function.name).iter().any(|word| ["clone", "copy"].contains(&word.as_str()));
    let numbers = rest.iter().all(|param| param.ty.is_scalar());
    (same && verb && numbers && !view.known.uses.counts() && ending(&view.function.name).is_none())
        .then_some(handle)
}

/// Words of functions whose copies have parts of what they were made of, or are made later.
const SHALLOW: &[&str] = &["cow", "lazy", "link", "ref", "shadow", "shallow", "share", "shared", "write"];

/// Whether a copy may have parts of what it was made of.
pub(super) fn is_shallow(view: &View<'_>) -> bool {
    view.function_has_word(SHALLOW) || comments::shallow(view.function)
}

/// Words of functions that make an object of what they read.
const READS: &[&str] =
    &["build", "compile", "connect", "decode", "encode", "import", "load", "open", "parse", "read"];

/// What stands behind `from` where something is made of it: `json_from_string(text)`.
const FROM: &[&str] = &[
    "buf", "buffer", "bytes", "data", "doc", "fd", "file", "filename", "io", "json", "mem", "memory", "path",
    "str", "stream", "string", "text", "uri", "url", "xml", "yaml",
];

/// What stands behind `for` where something is made that reads it: `xmlReaderForFile(filename, …)`. What is there for a text may be found by it.
const FOR: &[&str] = &["doc", "document", "fd", "file", "io", "memory", "stream"];

/// Names of texts by which something is found.
const LOOKED_UP: &[&str] = &[
    "atom",
    "code",
    "encoding",
    "id",
    "ident",
    "identifier",
    "key",
    "kind",
    "label",
    "lang",
    "language",
    "locale",
    "name",
    "symbol",
    "tag",
    "type",
    "unit",
];

/// Whether a function is called like one that makes an object which this releases, and no other function is by its name. What is opened, loaded or read
/// may be there already: `engine_load_texture(engine, path)`, `archive_read_next_header(archive, &entry)`.
pub(super) fn says_makes(view: &View<'_>, release: &str) -> bool {
    let makes = view.function_has_word(CONSTRUCTORS) || view.function_has_word(&["build"]);
    makes && !view.function_has_word(SHARES) && !has_other_maker(view, release)
}

/// Whether an object that a function releases is made by its mirror, which is another function than this one.
fn has_other_maker(view: &View<'_>, release: &str) -> bool {
    view.known.handles.pairs().has_other_maker(&view.function.name, release)
}

/// Whether a function reads a text or data and returns what it has made of that: it is called so, and takes such, numbers, and nothing else.
/// What is found by a name is not read.
fn reads(view: &View<'_>, release: &str) -> bool {
    let name = words(&view.function.name);
    let verb = name.iter().any(|word| READS.contains(&word.as_str()));
    let source = name.windows(2).any(|pair| {
        let behind = match pair[0].as_str() {
            "from" => FROM,
            "for" => FOR,
            _ => &[],
        };
        behind.contains(&pair[1].as_str())
    });
    let given = |param: &Param| {
        let data = param.ty.pointee().is_some_and(|(ty, constant)| constant && ty.is_byte());
        (data, data || param.ty.is_scalar())
    };
    let params = || view.function.params.iter().map(given);
    // What is found by a name, or by what is called one, is not read.
    let texts: Vec<usize> =
        (0..view.function.params.len()).filter(|&at| given(&view.function.params[at]).0).collect();
    let found = matches!(texts[..], [only] if view.param(only).is_some_and(|param| param.name.is_none()) || view.called(only, LOOKED_UP));
    // `vocab_encode(text)` beside `token_new()` hands out what the vocabulary has.
    if has_other_maker(view, release) && view.function_has_word(&["connect", "encode"]) {
        return false;
    }
    (verb || source) && !found && params().any(|(data, _)| data) && params().all(|(_, fits)| fits)
}

/// Whether a function that takes nothing is called as the release of what it returns is, but for the word for the end: `curl_url()` beside
/// `curl_url_cleanup(url)`.
fn is_stem(function: &Function, release: &str) -> bool {
    let end = release.strip_prefix(function.name.as_str()).and_then(|rest| rest.strip_prefix('_'));
    function.params.is_empty()
        && function.prototyped
        && end.and_then(ending).is_some_and(|(_, rest)| rest.is_empty())
}

/// Whether the only parameter may say which of the library's own objects is wanted: `sqlite3_mutex_alloc(int)`
/// returns one that nobody may release for every number but two.
fn selects(view: &View<'_>) -> bool {
    view.function.params.len() == 1 && chooses(view, 0)
}

/// Whether a number may choose among the library's own objects.
fn chooses(view: &View<'_>, index: usize) -> bool {
    let Some(only) = view.param(index) else { return false };
    let number = only.ty.is_integer() || matches!(only.ty.kind, Type::Enum { .. });
    number
        && (only.name.is_none()
            || !view.called(
                index,
                &[
                    "bits", "capacity", "count", "flags", "len", "length", "level", "max", "n", "nbits",
                    "num", "options", "size", "version",
                ],
            ))
}

/// Whether a parameter may be an object that owns what is returned.
pub(super) fn is_object(view: &View<'_>, index: usize) -> bool {
    let record = |kind: &Type| matches!(kind, Type::Record { .. });
    let pointee = view.param(index).and_then(|param| param.ty.pointee());
    view.handle(index).is_some() || pointee.is_some_and(|(ty, constant)| record(&ty.kind) && !constant)
}

/// Whether a parameter is a `const` object of this type.
fn same_constant(view: &View<'_>, index: usize, handle: &str) -> bool {
    let constant =
        view.param(index).and_then(|param| param.ty.pointee()).is_some_and(|(_, constant)| constant);
    constant && view.handle(index) == Some(handle)
}

/// Whether a pointer may receive an object besides.
fn hands_out(view: &View<'_>, ty: &CType) -> bool {
    let handle = view.known.handles.of_pointer_pointer(ty).is_some();
    handle
        || ty.pointee().filter(|(_, constant)| !constant).is_some_and(|(pointer, _)| {
            pointer.pointee().is_some_and(|(inner, _)| matches!(inner.kind, Type::Record { .. } | Type::Void))
        })
}

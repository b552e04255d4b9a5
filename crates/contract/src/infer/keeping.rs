//! The guard against data that outlives the call in an object: `BIO_new_mem_buf(buf, len)`,
//! `ZSTD_CCtx_refPrefix(cctx, prefix, size)`, `cJSON_CreateStringReference(string)`.
//!
//! Data that goes in is gone when the call returns. Where the call changes or makes an object, that object may
//! still point to it. Data passes only where the function is called like one that uses data up
//! (`gzwrite`, `SHA256_Update`) and like none that stores; a text, which libraries copy more often than not, where
//! it is called like none that stores or parses, or where the text names something that is opened.

use hotcell_model::interface::Role;
use hotcell_model::types::{CType, Type};

use crate::infer::endings::ending;
use crate::infer::names::{self, function_words};
use crate::infer::view::{View, is_letter, plain_text};
use crate::infer::words::NAMES;
use crate::infer::words::functions::{ADDS, KEEPERS, KEEPS_LITERAL};
use crate::infer::words::objects::{
    BORROWS, CONTENTS, FILLS, KEEPS_DATA, KEEPS_OBJECT, KEEPS_TEXT, LITERALS, OPENERS, READS_ON, USES,
};

use crate::infer::{Draft, answers, code, comments, getters, later, may_make, texts};

mod during;

/// Names of memory that is there for what a function gives.
const COMES_OUT: &[&str] = &["dest", "dst", "out", "output", "res", "result"];

/// Why data behind a parameter may be needed after the call.
pub(super) fn of_data(view: &View<'_>, draft: &Draft, index: usize) -> Option<String> {
    of_data_by_names(view, draft, index).filter(|_| !code::is_over(view, index))
}

/// The same by names and comments alone.
fn of_data_by_names(view: &View<'_>, draft: &Draft, index: usize) -> Option<String> {
    let name = view.name(index);
    if view.copies {
        return None;
    }
    if comments::kept(view.function) {
        return Some(format!(
            "the documentation says that something must outlive the call; it may be `{name}`"
        ));
    }
    if copied(view, index) {
        return None;
    }
    if makes(view) {
        return Some(format!("the object that comes out may keep `{name}`"));
    }
    let Some(object) = changed(view, draft, index) else {
        // `lib_font(data, length)`: what nothing comes of is copied, or kept.
        let nothing_out =
            !(0..view.function.params.len()).any(|at| view.buffer(at).is_some_and(|(_, constant)| !constant));
        let nothing = nothing_out && view.function.result.kind == Type::Void;
        // What is `const` and called as the function is: `mod_key(const unsigned char key[16])`.
        let last = function_words(&view.function.name).pop();
        let called = last.is_some() && last == view.words(index).pop() && nothing_out;
        let goes_on = nothing_out && during::keeps(view) && !done_alone(view);
        let goes_off = nothing_out && (runs(view) || later::transfers_somehow(view));
        let kept = (nothing || called) && !done_alone(view) || goes_on || goes_off || during::lasts(view);
        return kept.then(|| format!("the library may keep `{name}` after the call"));
    };
    let used = used_up(view) && !is_with(view, index);
    (!used).then(|| format!("`{}` may keep `{name}` after the call", view.name(object)))
}

/// Whether a number is called after a parameter as its length.
fn is_counted(view: &View<'_>, index: usize) -> bool {
    (0..view.function.params.len()).any(|at| view.sizes_by_name(at, index))
}

/// Whether a function is called after what it is given, and not after a piece of what goes through it, or says with what something is done, now or from now
/// on: `dev_verify_key(dev, key, length)`, `dev_encode_dict(dev, dict, length)`, `dev_check_against(dev, data, length)`.
fn is_with(view: &View<'_>, index: usize) -> bool {
    let words = unnumbered(&view.function.name);
    let Some(verb) = words.iter().position(|word| USES.iter().any(|uses| word.ends_with(uses))) else {
        return false;
    };
    let behind = &words[verb + 1..];
    let last = behind.last().filter(|last| !later::is_moved(last));
    let own = view.words(index);
    let named = last.zip(own.last()).is_some_and(|(last, own)| {
        last.len() > 1 && own.len() > 1 && (last.starts_with(own.as_str()) || own.starts_with(last.as_str()))
    });
    // `compress_usingDict(cctx, dst, …, dict)` makes something of it.
    let fills =
        (0..view.function.params.len()).any(|at| view.buffer(at).is_some_and(|(_, constant)| !constant));
    let with =
        behind.iter().any(|word| ["against", "by", "from", "using", "via", "with"].contains(&word.as_str()));
    // `dev_update_firmware(dev, data, length)`.
    let run = RUNS.contains(&words[verb].as_str()) && last.is_some();
    !fills && (named || with || run)
}

/// Whether a function is called like one that uses up what it is given before it returns, and like none that keeps it.
pub(super) fn used_up(view: &View<'_>) -> bool {
    uses(&view.function.name) && !keeps(view) && !during::lasts(view)
}

/// Whether the comment says that this is copied. Of several things that go in it may speak of another, and of what comes out into
/// memory too (`The value of the key is copied to the buffer.`), so that nothing else is bytes.
pub(super) fn copied(view: &View<'_>, index: usize) -> bool {
    let bytes = |other: usize| view.buffer(other).is_some_and(|(element, _)| element.is_byte());
    let only = (0..view.function.params.len()).all(|other| other == index || !bytes(other));
    let text = view.buffer(index).is_some_and(|(element, _)| is_letter(element));
    let kind = ["string", "text"].into_iter().filter(|_| text).map(str::to_owned);
    only && comments::copied(view.function, &view.called_in_comments(index).chain(kind).collect::<Vec<_>>())
}

/// Why a number that may be written may be needed after the call: the function is called like one that goes on watching it, or
/// changes an object and is called like none that is done with what it is given.
pub(super) fn of_number(view: &View<'_>, draft: &Draft, index: usize) -> Option<String> {
    of_number_by_names(view, draft, index).filter(|_| !code::is_over(view, index))
}

/// The same by names and comments alone.
fn of_number_by_names(view: &View<'_>, draft: &Draft, index: usize) -> Option<String> {
    // How far something is, is asked for: `get_progress(stream, progress_in, progress_out)`.
    let progress = view.function_has_last_word(&["progress"]) && getters::gets(&view.function.name);
    let kept = comments::kept(view.function)
        || makes(view)
        || keeps(view) && !progress
        || match changed(view, draft, index) {
            Some(_) => !done(view),
            None => !during::number(view, index),
        };
    kept.then(|| format!("the library may keep `{}` after the call", view.name(index)))
}

/// Why memory that may be written may be needed after the call. It is done with then where the function is called like one that
/// fills, or uses up; without an object that could keep it, an `array` also where what the function does with it shows it.
pub(super) fn of_memory(view: &View<'_>, draft: &Draft, index: usize, array: bool) -> Option<String> {
    of_memory_by_names(view, draft, index, array).filter(|_| !code::is_over(view, index))
}

/// The same by names and comments alone.
fn of_memory_by_names(view: &View<'_>, draft: &Draft, index: usize, array: bool) -> Option<String> {
    let name = view.name(index);
    if comments::kept(view.function) {
        return Some(format!(
            "the documentation says that something must outlive the call; it may be `{name}`"
        ));
    }
    if makes(view) {
        return Some(format!("the object that comes out may keep `{name}`"));
    }
    if keeps(view) {
        return Some(format!("the library may keep `{name}` after the call"));
    }
    let object = changed(view, draft, index);
    let over =
        if object.is_some() { done(view) } else { done_alone(view) || array && during::shown(view, index) };
    if over {
        return None;
    }
    Some(match object {
        Some(object) => format!("`{}` may keep `{name}` after the call", view.name(object)),
        None => format!("the library may keep `{name}` after the call"),
    })
}

/// Words of functions that go on with memory they are given, besides those that keep data.
const GOES_ON: &[&str] = &[
    "adopt",
    "async",
    "declare",
    "default",
    "define",
    "donate",
    "give",
    "ibsend",
    "imrecv",
    "install",
    "iread",
    "irecv",
    "irsend",
    "isend",
    "issend",
    "iwrite",
    "nonblocking",
    "subscribe",
];

/// Beginnings of such words: `putenv(text)`, `initstate`, `setprogname`.
const GOES_ON_FROM: &[&str] = &["init", "put", "register", "set"];

/// Words that begin so and say something else.
const DONE_WITH: &[&str] = &["putc", "putchar", "putp", "puts", "setting", "settings"];

/// Names of what stands for something that is not over when the function returns.
const REQUESTS: &[&str] = &["req", "request"];

/// Words near the end of names of functions that are given memory to read for good: `glEdgeFlagPointerEXT(stride, pointer)`.
const PLACES_TO_READ: &[&str] = &["buffer", "pointer"];

/// The same of memory to fill: `glSelectBuffer(size, buffer)`, `glFeedbackBufferxOES`.
const PLACES_TO_FILL: &[&str] =
    &["array", "buf", "buffer", "mem", "memory", "pointer", "stack", "storage", "workspace"];

/// Whether memory before a wall may be needed after the call. Nobody has it where no object goes in that the function changes, unless
/// the function is called like one that keeps things, or after memory. What computes numbers of numbers may `add` them.
pub(super) fn of_walled(view: &View<'_>, draft: &Draft, index: usize) -> bool {
    of_walled_by_names(view, draft, index) && !code::is_over(view, index)
}

/// The same by names and comments alone.
fn of_walled_by_names(view: &View<'_>, draft: &Draft, index: usize) -> bool {
    let constant =
        view.param(index).and_then(|param| param.ty.pointee()).is_some_and(|(_, constant)| constant);
    let object = changed(view, draft, index).is_some_and(|object| !is_plain(view, object));
    let words = unnumbered(&view.function.name);
    let stores = |word: &str| word != "add" && (KEEPS_DATA.contains(&word) || word.starts_with("prefix"));
    let computes = !object && computes(view) && !words.iter().any(|word| stores(word));
    let from = |word: &String| {
        let longer = |begin: &&str| word.starts_with(begin) && word.len() > begin.len();
        GOES_ON_FROM.iter().any(longer) && !DONE_WITH.contains(&word.as_str())
    };
    // `archive_write_open_memory(archive, buffer, size, used)`, `XSaveContext(display, id, context, data)`.
    let goes_on = words.iter().any(|word| {
        GOES_ON.contains(&word.as_str()) || from(word) || word.ends_with("open") || constant && word == "save"
    });
    let placed = |places: &[&str]| {
        let is = |word: &str, place: &str| word == place || place.len() > 4 && word.starts_with(place);
        words.iter().rev().take(2).any(|word| places.iter().any(|place| is(word, place)))
    };
    let comes_out = view.called(index, COMES_OUT) || during::is_array_of(view, index);
    let used_later = !object && !comes_out && !done(view) && {
        let reads = |other: usize| view.buffer(other).is_some_and(|(_, constant)| constant);
        constant && placed(PLACES_TO_READ)
            || !constant && placed(PLACES_TO_FILL) && !(0..view.function.params.len()).any(reads)
    };
    // `LZ4_saveDictHC(stream, buffer, size)`: from then on the stream reads it there.
    let dictionary =
        object && words.iter().any(|word| word.starts_with("dict")) && !getters::gets(&view.function.name);
    let text = view.buffer(index).is_some_and(|(element, _)| is_letter(element))
        && texts::kept(view, index).is_some();
    later::heard(view, index).is_some()
        || makes(view)
        || keeps(view) && !computes
        || !object && !during::shown(view, index)
        || constant && is_record(view, index) && keeps_objects(view)
        || object && (!done(view) || constant && is_counted(view, index) && is_with(view, index))
        || goes_on
        || used_later
        || is_requested(view)
        || dictionary
        || text
}

/// Whether a function takes what stands for something that is not over when it returns.
pub(super) fn is_requested(view: &View<'_>) -> bool {
    (0..view.function.params.len()).any(|index| view.called(index, REQUESTS))
}

/// Whether a function takes nothing but numbers and memory of one kind of numbers, some of which it reads and some it may write.
fn computes(view: &View<'_>) -> bool {
    let buffers: Vec<_> = (0..view.function.params.len()).filter_map(|index| view.buffer(index)).collect();
    let only = (0..view.function.params.len()).all(|index| {
        view.buffer(index).is_some() || view.param(index).is_some_and(|param| param.ty.is_scalar())
    });
    let alike = buffers.windows(2).all(|pair| pair[0].0.kind == pair[1].0.kind);
    let both = buffers.iter().any(|(_, constant)| *constant) && buffers.iter().any(|(_, constant)| !constant);
    let numbers = buffers.iter().all(|(element, _)| element.is_scalar() && !element.is_byte());
    only && alike && both && numbers && view.function_has_word(&["add"])
}

/// Why what a comment describes may be needed after the call. What comes out is there when the function returns; what goes in beside
/// an object that the function changes is done with only where the function is called so.
pub(super) fn of_structure(view: &View<'_>, draft: &Draft, index: usize, comes_out: bool) -> Option<String> {
    of_structure_by_names(view, draft, index, comes_out).filter(|_| !code::is_over(view, index))
}

/// The same by names and comments alone.
fn of_structure_by_names(view: &View<'_>, draft: &Draft, index: usize, comes_out: bool) -> Option<String> {
    let object = changed(view, draft, index).filter(|object| !is_plain(view, *object));
    let kept = comments::kept(view.function)
        || makes(view)
        || keeps(view)
        || !comes_out && keeps_objects(view)
        || object.is_some() && !comes_out && !done(view);
    kept.then(|| format!("the library may keep `{}` after the call", view.name(index)))
}

/// Whether a function is called like one after which something goes on using an object: `lib_configure(const conf *)`, whatever `conf` is made of.
fn keeps_objects(view: &View<'_>) -> bool {
    view.function_has_word(KEEPS_OBJECT)
}

/// Whether a parameter points to a structure.
fn is_record(view: &View<'_>, index: usize) -> bool {
    view.param(index).and_then(|param| param.ty.pointee()).is_some_and(|(ty, _)| ty.record().is_some())
}

/// Whether a parameter points to a structure of numbers, which has no place for a pointer.
fn is_plain(view: &View<'_>, index: usize) -> bool {
    let pointee = view.param(index).and_then(|param| param.ty.pointee());
    pointee.and_then(|(ty, _)| ty.record()).is_some_and(|record| view.known.structs.is_plain(record))
}

/// Words of functions that run what they are given, or take it over as what is run from then on: `emu_update(rom, ram)`, `vm_exec(code, length)`.
const RUNS: &[&str] = &["exec", "execute", "import", "update"];

/// Parts of words of functions that update a number by what they are given.
const SUMS: &[&str] =
    &["adler", "checksum", "cipher", "crc", "crypt", "digest", "hash", "mac", "md5", "sha", "sum"];

/// Whether a function is called like one that is done with what it is given when it returns, where no object goes in that would have it.
pub(super) fn done_alone(view: &View<'_>) -> bool {
    done(view) && !runs(view) && !later::transfers_somehow(view)
}

fn runs(view: &View<'_>) -> bool {
    view.function_has_word(RUNS) && !view.function_contains(SUMS)
}

/// Whether a function is called like one that is done with what it is given when it returns.
pub(super) fn done(view: &View<'_>) -> bool {
    // `gzread`, but not `thread`.
    let glued = |word: &String| {
        !word.ends_with("thread")
            && FILLS.iter().any(|part| {
                part.len() > 3
                    && word.ends_with(part)
                    && !["er", "or", "ing"].iter().any(|end| word.ends_with(end))
            })
    };
    let verb = uses(&view.function.name)
        || view.function_has_word(FILLS)
        || unnumbered(&view.function.name).iter().any(glued)
        || getters::gets(&view.function.name)
        || tells_error(view);
    verb && !during::lasts(view)
}

/// Whether a function returns the text of an error: `gzerror(file, errnum)`.
fn tells_error(view: &View<'_>) -> bool {
    let last = function_words(&view.function.name).pop().unwrap_or_default();
    plain_text(&view.function.result) && ["errmsg", "error", "errstr"].iter().any(|end| last.ends_with(end))
}

/// Whether a function is called like one that keeps data, or goes on from what stands before it: `decompress_withPrefix64k`.
fn keeps(view: &View<'_>) -> bool {
    let words = unnumbered(&view.function.name);
    let prefix = |word: &String| word.starts_with("prefix");
    view.function_has_word(KEEPS_DATA)
        || words.iter().any(|word| KEEPS_DATA.contains(&word.as_str()) || prefix(word))
}

/// The words of a function's name without the number of their version: `compress2`, `loadDict2`.
fn unnumbered(name: &str) -> Vec<String> {
    let words = function_words(name).into_iter();
    words.map(|word| names::unnumbered(&word).to_owned()).collect()
}

/// Why a text may be needed after the call.
pub(super) fn of_text(view: &View<'_>, draft: &Draft, index: usize) -> Option<String> {
    of_text_by_names(view, draft, index).filter(|_| !code::is_over(view, index))
}

/// The same by names and comments alone.
fn of_text_by_names(view: &View<'_>, draft: &Draft, index: usize) -> Option<String> {
    let name = view.name(index);
    if comments::kept(view.function) {
        return Some(format!(
            "the documentation says that something must outlive the call; it may be `{name}`"
        ));
    }
    let made = makes(view);
    let object = changed(view, draft, index);
    if !made && object.is_none() || copied(view, index) {
        return None;
    }
    // `sqlite3_bind_parameter_index(stmt, zName)`.
    if !made && asks(view) && view.called(index, NAMES) {
        return None;
    }
    let literal = object.is_some() && view.called(index, LITERALS) || view.function_contains(KEEPS_LITERAL);
    let opened = view.called(index, NAMES) && view.function_has_word(OPENERS);
    let stored = view.function_has_word(KEEPS_TEXT) && (!opened || view.function_has_word(BORROWS));
    // `xmlReaderNewDoc(reader, cur, …)` reads on in the document with every later call.
    let removes = ending(&view.function.name).is_some() && view.function.result.pointee().is_none();
    let read_later = view.called(index, CONTENTS) && view.function_has_word(READS_ON) && (made || !removes);
    // `dev_path(dev, path)`: a copy that goes with the object is right whoever keeps it.
    let unknown = object.is_some() && !opened && !uses_text(view, index);
    if !stored && !literal && !read_later && !unknown {
        return None;
    }
    Some(match object {
        Some(object) => format!("`{}` may keep `{name}` after the call", view.name(object)),
        None => format!("the object that comes out may keep `{name}`"),
    })
}

/// Verbs of functions that are done with a text when they return, beside an object or not.
const USES_TEXT: &[&str] = &[
    "alert",
    "chdir",
    "check",
    "cmp",
    "compare",
    "contains",
    "crypt",
    "decode",
    "delete",
    "digest",
    "dump",
    "echo",
    "emit",
    "encode",
    "erase",
    "escape",
    "exec",
    "execute",
    "exists",
    "find",
    "get",
    "has",
    "is",
    "isset",
    "lookup",
    "matches",
    "mkdir",
    "move",
    "peek",
    "perror",
    "print",
    "printf",
    "puts",
    "remove",
    "resolve",
    "rm",
    "rmdir",
    "save",
    "send",
    "show",
    "spell",
    "stat",
    "suggest",
    "translate",
    "unescape",
    "unlink",
    "unset",
    "validate",
    "verify",
    "warn",
    "write",
];

/// Those of them by which something is looked for under a name.
const LOOKED_FOR: &[&str] = &[
    "contains", "delete", "erase", "exists", "find", "get", "has", "is", "isset", "lookup", "peek", "remove",
    "rm", "unset",
];

/// Words behind such a verb that say with what it is done, now or from now on.
const WITH_WHAT: &[&str] =
    &["against", "as", "by", "for", "from", "in", "into", "on", "using", "via", "with"];

/// Whether a function is called like one that is done with a text when it returns: by a verb, which is not what the text is called.
fn uses_text(view: &View<'_>, index: usize) -> bool {
    let own = view.words(index);
    let words = unnumbered(&view.function.name);
    let verb = |word: &String| {
        let glued = |part: &&str| part.len() > 3 && word.ends_with(part);
        USES_TEXT.contains(&word.as_str()) || word.starts_with("rm") || USES_TEXT.iter().any(glued)
    };
    let said = words.iter().position(|word| verb(word) && own.last() != Some(word));
    // `dev_translate_domain(dev, domain)` and `dev_resolve_with(dev, server)` say with what from now on; what is looked for is over.
    let lasts = said.is_some_and(|at| {
        let looked = LOOKED_FOR.iter().any(|looks| words[at].ends_with(looks));
        words[at + 1..].iter().any(|word| WITH_WHAT.contains(&word.as_str()))
            || !looked && at + 1 < words.len() && words.last() == own.last()
    });
    !lasts && (said.is_some() || getters::gets(&view.function.name))
}

/// Whether a function is asked for a number, and what its name says of storing is what it is asked about: the index of a parameter that
/// is bound, `sqlite3_bind_parameter_index(stmt, name)`.
fn asks(view: &View<'_>) -> bool {
    let words = function_words(&view.function.name);
    let stores = |word: &str| KEEPS_TEXT.contains(&word) || ADDS.contains(&word) || KEEPERS.contains(&word);
    let about = words.windows(2).any(|pair| pair[0] == "bind" && pair[1] == "parameter");
    let stored = words.iter().filter(|word| stores(word)).count();
    answers(view.function) && about && stored == 1
}

/// What may keep what a parameter points to, as an `until` names it, where that is why it is asked for: an object that the
/// function takes, or one that comes out. None as well where that is no handle.
pub(super) fn holder(view: &View<'_>, draft: &Draft, index: usize, asked: &str) -> Option<String> {
    let kept = [of_data(view, draft, index), of_text(view, draft, index), later::heard(view, index)];
    let kept = kept.into_iter().flatten();
    let made = makes(view) && may_make(view.function);
    if !made && !kept.into_iter().any(|reason| reason == asked) {
        return None;
    }
    let is_handle = |ty: &CType| view.known.handles.of_pointer(ty).is_some();
    let out = |ty: &CType| ty.pointee().is_some_and(|(pointer, constant)| !constant && is_handle(pointer));
    let params = || view.function.params.iter().enumerate().filter(|(other, _)| *other != index);
    if let Some((made, _)) = params().find(|(_, param)| out(&param.ty)) {
        return Some(view.name(made));
    }
    if is_handle(&view.function.result) {
        return Some("result".to_owned());
    }
    let is_resident = |at: usize| {
        let role = draft.params.get(at).and_then(|fact| fact.as_ref()).map(|fact| &fact.value);
        matches!(role, Some(Role::Resident { consumed: false, .. }))
    };
    changed(view, draft, index)
        .filter(|&object| is_handle(&view.function.params[object].ty) || is_resident(object))
        .map(|at| view.name(at))
}

/// Whether a function is called like one after which an object goes on filling memory that it is given:
/// `yaml_emitter_set_output_string(emitter, output, size, size_written)`. No line says that.
pub(super) fn fills_later(view: &View<'_>, draft: &Draft, index: usize) -> bool {
    view.buffer(index).is_some_and(|(_, constant)| !constant) && goes_on(view, draft, index)
}

/// Whether a function is called like one after which an object goes on with what it is given.
pub(super) fn goes_on(view: &View<'_>, draft: &Draft, index: usize) -> bool {
    view.function_has_word(&["attach", "bind", "init", "set"]) && changed(view, draft, index).is_some()
}

/// Whether a function is called like one that uses data up: `gzwrite`, `decompress`, but not `assign`.
fn uses(function: &str) -> bool {
    let of = |word: &str, part: &str| word == part || part.len() > 4 && word.ends_with(part);
    unnumbered(function).iter().any(|word| USES.iter().any(|part| of(word, part)))
}

/// Whether an object comes out.
fn makes(view: &View<'_>) -> bool {
    let behind = |ty: &CType| {
        ty.pointee().is_some_and(|(pointer, constant)| !constant && points_to_object(view, pointer))
    };
    points_to_object(view, &view.function.result)
        || view.function.params.iter().any(|param| behind(&param.ty))
}

/// Another parameter that is an object the function can change. A structure of numbers that callers have has no place for a pointer.
pub(super) fn changed(view: &View<'_>, draft: &Draft, except: usize) -> Option<usize> {
    all_changed(view, draft, except).next()
}

/// All of them.
pub(super) fn all_changed<'a>(
    view: &'a View<'_>,
    draft: &'a Draft,
    except: usize,
) -> impl Iterator<Item = usize> + 'a {
    (0..view.function.params.len()).filter(move |&index| index != except).filter(|&index| {
        let fixed = draft.params.get(index).and_then(|fact| fact.as_ref());
        let fixed = fixed.is_some_and(|fact| matches!(fact.value, Role::Fixed { .. }));
        let Some(param) = view.param(index).filter(|_| !fixed) else {
            return false;
        };
        let numbers = param.ty.pointee().and_then(|(pointee, _)| pointee.record());
        points_to_object(view, &param.ty)
            && param.ty.pointee().is_some_and(|(_, constant)| !constant)
            && !numbers.is_some_and(|record| view.known.structs.is_single(record))
    })
}

fn points_to_object(view: &View<'_>, ty: &CType) -> bool {
    let record = ty.pointee().is_some_and(|(pointee, _)| matches!(pointee.kind, Type::Record { .. }));
    record || view.known.handles.of_pointer(ty).is_some()
}

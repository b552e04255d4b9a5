//! The rules `bytes-then-length` and `named-length`: data in bytes and the integer that says how much.
//!
//! *bytes-then-length*: a `const` pointer to bytes with a length right behind it: `crc32(crc, buf, len)`.
//! *named-length*: the length stands elsewhere and is named after the pointer, as in
//! `LZ4_compress_default(src, dst, srcSize, dstCapacity)`.
//!
//! What a length counts is judged by both names and both types, because each alone has fooled: see the
//! objections. [`crate::infer::words`] has the words.

use hotcell_model::Fact;
use hotcell_model::interface::{Role, Unit};
use hotcell_model::types::{CType, Type};

use crate::infer::names::{Measure, capacity_name, function_words, glued_count};
use crate::infer::view::{View, plain_text, shown, sized_type};
use crate::infer::words::functions::{CIPHERS, CONTROLS, DIGESTS, FETCHES, MAKERS, OF_BITS};
use crate::infer::words::numbers::MULTIPLIERS;
use crate::infer::words::objects::GROWS;
use crate::infer::words::{COMPOSITE, CONTENT, DATA, FILLED, NAMES, OUTPUTS, RAW};
use crate::infer::{Draft, Notes, documented, keeping, sharing};

/// An integer that may be the length of a pointer.
struct Candidate {
    integer: usize,
    measure: Measure,
    /// Whether it is named after the pointer.
    exact: bool,
}

/// Finds lengths of data in bytes.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft, notes: &mut Notes) {
    for (pointer, param) in view.function.params.iter().enumerate() {
        let bytes = view.buffer(pointer).is_some_and(|(pointee, constant)| constant && pointee.is_byte());
        if !bytes || param.array_length.is_some() || !view.open_buffer(draft, pointer) {
            continue;
        }
        match candidate(view, draft, pointer) {
            Err(reason) => notes.add(pointer, reason),
            Ok(None) => {}
            Ok(Some(found)) => match objection(view, draft, pointer, &param.ty, &found, false)
                .or_else(|| keeping::of_data(view, draft, pointer))
            {
                Some(reason) => notes.add(pointer, reason),
                None => {
                    let rule =
                        if found.integer == pointer + 1 { "bytes-then-length" } else { "named-length" };
                    let data = Role::BufferIn { nullable: false, length: None };
                    draft.params[pointer] = Some(Fact::inferred(data, rule));
                    let length = Role::LengthOf { param: pointer, unit: Unit::Bytes };
                    draft.params[found.integer] = Some(Fact::inferred(length, rule));
                }
            },
        }
    }
}

/// The length of data in bytes that goes in, which is only asked for because somebody may keep it.
pub(super) fn of_kept(view: &View<'_>, draft: &Draft, pointer: usize) -> Option<usize> {
    let param = view.param(pointer).filter(|param| param.array_length.is_none())?;
    view.buffer(pointer).filter(|(pointee, constant)| *constant && pointee.is_byte())?;
    let found = candidate(view, draft, pointer).ok()??;
    objection(view, draft, pointer, &param.ty, &found, false).is_none().then_some(found.integer)
}

/// The length of data in bytes that may be written: what would be the length of a pointer that is only read through, or what is named as the
/// room there. None when nothing looks like one.
pub(super) fn writable(view: &View<'_>, draft: &Draft, pointer: usize) -> Result<Option<usize>, String> {
    let Some(param) = view.param(pointer).filter(|param| param.array_length.is_none()) else {
        return Ok(None);
    };
    if !view.buffer(pointer).is_some_and(|(pointee, _)| pointee.is_byte()) {
        return Ok(None);
    }
    let room = |&integer: &usize| {
        let of = view.param(integer).and_then(|param| param.name.as_deref()).and_then(capacity_name);
        of.is_some_and(|of| view.is_named(&of, pointer))
    };
    let said = view.open_integers(draft).into_iter().find(room);
    if let Some(reason) = said.and_then(|integer| not_room(view, pointer, integer)) {
        return Err(reason);
    }
    let found = match said {
        Some(integer) => Some(Candidate { integer, measure: Measure::Size, exact: true }),
        None => candidate(view, draft, pointer)?,
    };
    let Some(found) = found else { return Ok(None) };
    // `pkcs_pad(buf, len)` writes behind what is there.
    let own = found.exact && view.called(pointer, OUTPUTS);
    if said.is_none() && !own && view.function_has_word(GROWS) {
        let length = view.name(found.integer);
        return Err(format!(
            "`{length}` may say how much is in `{}`, and there be more room",
            view.name(pointer)
        ));
    }
    match objection(view, draft, pointer, &param.ty, &found, true) {
        Some(reason) => Err(reason),
        None => Ok(Some(found.integer)),
    }
}

/// Why a number that is named as the room in memory may count something else than bytes.
fn not_room(view: &View<'_>, pointer: usize, integer: usize) -> Option<String> {
    let words = view.words(integer);
    let (name, room) = (view.name(pointer), view.name(integer));
    let (first, last) = (words.first()?.as_str(), words.last()?.as_str());
    // `decode(in, in_len, samples, max_samples_len)`.
    if view.called(pointer, COMPOSITE) || first == "max" && !["bytes", "size"].contains(&last) {
        return Some(format!("`{room}` may count something else than the bytes of `{name}`"));
    }
    // `get_text(name, name_max)`: what a NUL ends may be one longer, and what comes out of data is not ended.
    let (element, _) = view.buffer(pointer)?;
    let read = |other: usize| {
        let bytes = view.buffer(other).is_some_and(|(element, constant)| constant && element.is_byte());
        bytes && view.has_own_length(other, integer)
    };
    let coded = view.called(pointer, OUTPUTS) && (0..view.function.params.len()).any(read);
    let most = first == "max" || last.ends_with("max");
    (most && element.kind == Type::Char && !coded)
        .then(|| format!("`{room}` may be without the NUL that ends `{name}`"))
}

/// The integer that may be a pointer's length. Two that claim to be, or one that two pointers claim, are none.
fn candidate(view: &View<'_>, draft: &Draft, pointer: usize) -> Result<Option<Candidate>, String> {
    let integers = view.open_integers(draft).into_iter();
    let named = |&index: &usize| view.length_name(index).is_some_and(|name| view.named_after(&name, pointer));
    let exact: Vec<usize> = integers.filter(named).collect();
    let name = view.name(pointer);
    if let [first, second, ..] = exact[..] {
        let (first, second) = (view.name(first), view.name(second));
        return Err(format!("both `{first}` and `{second}` may be the length of `{name}`"));
    }
    let integer = exact.first().copied().unwrap_or(pointer + 1);
    let Some(length) = view.length_name(integer).filter(|_| view.open_integer(draft, integer)) else {
        return Ok(None);
    };
    let others = (0..view.function.params.len()).filter(|&other| other != pointer);
    let claimed =
        others.into_iter().find(|&other| view.buffer(other).is_some() && view.named_after(&length, other));
    let exact = !exact.is_empty();
    if let Some(other) = claimed {
        let (integer, other) = (view.name(integer), view.name(other));
        return Err(format!("`{integer}` is the length of `{other}`, so that of `{name}` is not said"));
    }
    if !exact && !length.of.is_empty() {
        let integer = view.name(integer);
        return Err(format!("`{integer}` may be the length of `{name}` or of something else"));
    }
    Ok(Some(Candidate { integer, measure: length.measure, exact }))
}

/// Why an integer that looks like a pointer's length may not be it.
fn objection(
    view: &View<'_>,
    draft: &Draft,
    pointer: usize,
    ty: &CType,
    found: &Candidate,
    writable: bool,
) -> Option<String> {
    let (name, length) = (view.name(pointer), view.name(found.integer));
    let not_bytes = || Some(format!("`{length}` may count something else than the bytes of `{name}`"));
    let integer = view.param(found.integer)?;
    // `typedef const void *HANDLE`, and `snd_pcm_uframes_t size`: the types say what the names do not.
    let odd = ["bit", "elem", "frame", "mode", "off", "pid", "sample", "time", "wchar"];
    let written = integer.ty.written.to_ascii_lowercase();
    // `voidpc` hides nothing.
    let hidden = ty.pointee().is_some_and(|(pointee, _)| pointee.kind == Type::Void)
        && !shown(ty)
        && !ty.written.to_ascii_lowercase().contains("void");
    // `memcmp(s1, s2, n)`.
    if !found.exact
        && let Some(other) = sharing::sharer(view, draft, pointer, found.integer)
    {
        return Some(format!(
            "`{length}` may be the length of `{}` as well as of `{name}`",
            view.name(other)
        ));
    }
    if hidden
        || odd.iter().any(|part| written.contains(part))
        || !counts_bytes(view, pointer, ty, found, &integer.ty)
    {
        return not_bytes();
    }
    if documented::counts_other(view, found.integer, true) {
        return not_bytes();
    }
    // `th_decode_ctl(decoder, request, void *buf, size)`: a structure with pointers in it, or a number.
    if ty.pointee().is_some_and(|(pointee, _)| pointee.kind == Type::Void)
        && view.function_has_last_word(CONTROLS)
    {
        return Some(format!("what is behind `{name}` may depend on what is asked for"));
    }
    // `smbc_getxattr(url, name, const void *value, size)` fills what its header calls `const`.
    if !writable && fetches(view, pointer) {
        return Some(format!("`{name}` may be filled although it is `const`"));
    }
    if view.function_has_word(OF_BITS) && found.measure != Measure::Bytes {
        return Some(format!("`{length}` may count the bits of `{name}`"));
    }
    // `align_gap(p, size)`: the address counts, not what is there.
    if view.function_contains(&["align"]) {
        return Some(format!("`{length}` may be an alignment"));
    }
    // `asn1_write_value(node, name, ivalue, len)`: bits of a bit string, none of an object identifier.
    if found.measure == Measure::Length && chosen(view, pointer) && !sized_type(&integer.ty) {
        return Some(format!("what `{length}` counts may depend on which `{name}` it is"));
    }
    // `aes_key_setup(key, w, keysize)`: in bits.
    let key = view.words(pointer).iter().any(|word| word.contains("key"));
    if key && !sized_type(&integer.ty) && (found.measure == Measure::Size || view.function_contains(CIPHERS))
    {
        return Some(format!("`{length}` may count the bits of `{name}`"));
    }
    // `pad(s, length)`, `repeat(s, n)`.
    if !writable
        && !found.exact
        && !digests_name(view, pointer)
        && found.measure != Measure::Bytes
        && view.function_has_word(MAKERS)
    {
        return Some(format!("`{length}` may say how much to make, not how long `{name}` is"));
    }
    // `fwrite(ptr, size, nmemb)`, `gsl_stats_mean(data, stride, n)`.
    let others = view.open_integers(draft).into_iter().filter(|&other| other != found.integer);
    for other in others {
        let rows = view.words(other).last().is_some_and(|word| glued_count(word).is_some());
        let multiplies = found.measure != Measure::Bytes && (view.called(other, MULTIPLIERS) || rows);
        if multiplies || view.may_be_length(other) && !view.owned_by_other(other, pointer) {
            return Some(format!(
                "`{length}` and `{}` may make up the length of `{name}` together",
                view.name(other)
            ));
        }
    }
    if view.length_pointer(pointer).is_some() {
        return Some(format!("`{name}` has two lengths"));
    }
    None
}

/// Whether a function is called like one that fetches something into this memory.
pub(super) fn fetches(view: &View<'_>, pointer: usize) -> bool {
    // `lgetxattr` is another `getxattr`.
    let fetch = |word: &String| {
        let other = word.char_indices().nth(1).map_or("", |(at, _)| &word[at..]);
        FETCHES.iter().any(|fetch| word.starts_with(fetch) || other.starts_with(fetch))
    };
    pointer > 0 && view.called(pointer, FILLED) && function_words(&view.function.name).iter().any(fetch)
}

/// Whether a function makes a digest of a name, not of the file that has it: `uuid_generate_md5(out, ns, name, len)`.
fn digests_name(view: &View<'_>, pointer: usize) -> bool {
    let of_file = ["archive", "dir", "directory", "file", "folder", "path", "uri", "url"];
    view.words(pointer) == ["name"]
        && view.function_has_last_word(DIGESTS)
        && !view.function_has_word(&of_file)
}

/// Whether a function goes on with a digest: `EVP_DigestUpdate(ctx, d, cnt)`. Elsewhere blocks are counted.
fn updates_digest(view: &View<'_>) -> bool {
    view.function_has_word(&["digest"])
        && view.function_has_last_word(&["update"])
        && !view.function_has_word(&["block", "blocks", "words"])
}

/// Whether this is a value of any kind, which a text before it chooses.
fn chosen(view: &View<'_>, pointer: usize) -> bool {
    let void = view.buffer(pointer).is_some_and(|(pointee, _)| pointee.kind == Type::Void);
    let value =
        view.words(pointer).last().is_some_and(|word| word.ends_with("val") || word.ends_with("value"));
    let text = |index: usize| view.param(index).is_some_and(|param| plain_text(&param.ty));
    void && value && (0..pointer).any(text)
}

/// Whether names and types agree that the integer counts bytes of this pointer.
fn counts_bytes(view: &View<'_>, pointer: usize, ty: &CType, found: &Candidate, integer: &CType) -> bool {
    let called = |list| view.called(pointer, list);
    let data = called(RAW) || called(DATA);
    // What a function fills has names of its own.
    let raw = called(RAW)
        || ty.pointee().is_some_and(|(_, constant)| !constant) && (called(FILLED) || called(OUTPUTS));
    let Some((pointee, _)) = ty.pointee() else {
        return false;
    };
    // `pixels, count`, `points, len`: elements of several bytes.
    if found.measure != Measure::Bytes && called(COMPOSITE) {
        return false;
    }
    // `xmlUTF8Strsize(utf, len)`: letters, of which each is some bytes.
    let letters = view.function_contains(&["utf8", "utf16", "unichar", "wchar"])
        || view.function_has_word(&["char", "chars", "columns", "glyphs", "letters", "width"])
        || view.words(pointer).iter().any(|word| word.starts_with("utf"));
    if letters && found.measure != Measure::Bytes {
        return false;
    }
    // A length beside a name is of something else: `truncate(path, length)`, `shm_create(name, size)`,
    // `png_write_chunk_start(png, chunk_name, length)`. An address stands for itself: `mlock(addr, len)`.
    let bytes = matches!(found.measure, Measure::Length | Measure::Bytes);
    // Of a name, too, a digest is made of so many bytes: `uuid_generate_md5(out, ns, name, len)`.
    let digested = bytes && digests_name(view, pointer);
    // `create(file, file_len)`: how long a file is, perhaps.
    if called(&["file"]) && found.exact {
        return false;
    }
    if called(NAMES) && !(found.exact && bytes || digested) || called(&["addr", "address"]) && !found.exact {
        return false;
    }
    match (&pointee.kind, found.measure) {
        (Type::Char, Measure::Length | Measure::Bytes) => found.exact || raw || called(CONTENT) || digested,
        // `MeasureText(text, size)` of a font, `repeat(s, n)`.
        (Type::Char, Measure::Size) => raw || found.exact && called(DATA),
        (Type::Char, Measure::Count | Measure::Number) => raw,
        (_, Measure::Length | Measure::Bytes) => true,
        (Type::Void, Measure::Size) => true,
        // `write(fd, buf, n)`; `qsort`'s and `bsearch`'s elements are counted too.
        (Type::Void, Measure::Number) => data && sized_type(integer),
        // `EVP_DigestUpdate(ctx, d, cnt)`.
        (Type::Void, Measure::Count) => data && sized_type(integer) && updates_digest(view),
        // `solve(board, size)` of a square board.
        (_, Measure::Size) => data || sized_type(integer),
        (_, Measure::Count | Measure::Number) => data,
    }
}

//! Texts in each encoding: how callers have them, and what of the runtime writes and reads them.

use hotcell_model::interface::{Encoding, Pad};

/// The type of a text.
pub(crate) fn ty(encoding: Encoding) -> &'static str {
    if encoding == Encoding::Bytes { "[]byte" } else { "string" }
}

/// The type of a text that may not be there.
pub(crate) fn optional(encoding: Encoding) -> &'static str {
    if encoding == Encoding::Bytes { "[]byte" } else { "*string" }
}

/// The encoding in the runtime.
pub(crate) fn name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 | Encoding::Bytes => "rt.UTF8",
        Encoding::Utf16 => "rt.UTF16",
        Encoding::Utf32 => "rt.UTF32",
        Encoding::Latin1 => "rt.Latin1",
    }
}

/// The statement that writes one: by a method of `on` that is given `place` first.
pub(crate) fn put(on: &str, encoding: Encoding, nullable: bool, place: &str, value: &str) -> String {
    let opt = if nullable { "Opt" } else { "" };
    match encoding {
        Encoding::Utf8 => format!("{on}.Put{opt}Text({place}, {value})"),
        Encoding::Bytes => format!("{on}.Put{opt}TextBytes({place}, {value})"),
        converted => format!("{on}.Put{opt}TextAs({place}, {}, {value})", name(converted)),
    }
}

/// The statement that writes several.
pub(crate) fn put_list(encoding: Encoding, nullable: bool, place: &str, value: &str) -> String {
    let opt = if nullable { "Opt" } else { "" };
    match encoding {
        Encoding::Bytes => format!("call.Put{opt}TextsBytes({place}, {value})"),
        _ => format!("call.Put{opt}Texts({place}, {}, {value})", name(encoding)),
    }
}

/// The expression that reads one: by a method of `on` that is given `place`.
pub(crate) fn read(on: &str, encoding: Encoding, nullable: bool, place: &str) -> String {
    let opt = if nullable { "Opt" } else { "" };
    match encoding {
        Encoding::Utf8 => format!("{on}.{opt}Text({place})"),
        Encoding::Bytes => format!("{on}.{opt}TextBytes({place})"),
        converted => format!("{on}.{opt}TextAs({place}, {})", name(converted)),
    }
}

/// The expression that reads one out of a structure.
pub(crate) fn read_field(encoding: Encoding, nullable: bool, place: &str) -> String {
    // Bytes that are not there are nil anyhow.
    read("image", encoding, nullable && encoding != Encoding::Bytes, place)
}

/// A text that is there for a structure, though it be nil.
pub(crate) fn present(encoding: Encoding, value: &str) -> String {
    if encoding == Encoding::Bytes { format!("rt.Present({value})") } else { value.to_owned() }
}

/// The type of several, of which any may be missing unless a NULL ends them.
pub(crate) fn list(encoding: Encoding, ended: bool) -> &'static str {
    match (encoding, ended) {
        (Encoding::Bytes, _) => "[][]byte",
        (_, true) => "[]string",
        (_, false) => "[]*string",
    }
}

/// The expression that reads several.
pub(crate) fn read_list(
    on: &str,
    encoding: Encoding,
    (ended, nullable): (bool, bool),
    place: &str,
) -> String {
    let (opt, ended) = (if nullable { "Opt" } else { "" }, if ended { "Ended" } else { "" });
    match encoding {
        Encoding::Bytes => format!("{on}.{opt}{ended}TextsBytes({place})"),
        _ => format!("{on}.{opt}{ended}Texts({place}, {})", name(encoding)),
    }
}

/// The statement that writes one into an array of a structure.
pub(crate) fn put_array(
    encoding: Encoding,
    pad: Option<Pad>,
    place: &str,
    value: &str,
    length: u64,
) -> String {
    let value = if encoding == Encoding::Bytes { format!("string({value})") } else { value.to_owned() };
    match pad {
        None => format!("image.PutTextArray({place}, {value}, {length})"),
        Some(pad) => format!("image.PutPaddedText({place}, {value}, {length}, {})", pad.byte()),
    }
}

/// The expression that reads one out of an array.
pub(crate) fn read_array(encoding: Encoding, pad: Option<Pad>, place: &str, length: u64) -> String {
    let method = match (encoding, pad) {
        (Encoding::Utf8, Some(Pad::Space)) => "SpacedText",
        (_, Some(Pad::Space)) => "SpacedBytes",
        (Encoding::Utf8, _) => "TextArray",
        _ => "BytesArray",
    };
    // Of bytes nothing can be wrong.
    let place =
        if encoding != Encoding::Utf8 { place.strip_prefix("reply, ").unwrap_or(place) } else { place };
    format!("image.{method}({place}, {length})")
}

//! Texts in each encoding: how callers have them, and the methods of the runtime that write and read them.

use hotcell_model::interface::{Encoding, Pad};

/// The type of a text that callers own.
pub(crate) fn owned(encoding: Encoding) -> &'static str {
    if encoding == Encoding::Bytes { "Vec<u8>" } else { "String" }
}

/// The type of a text that is lent, without its reference.
pub(crate) fn lent(encoding: Encoding) -> &'static str {
    if encoding == Encoding::Bytes { "[u8]" } else { "str" }
}

/// The encoding as a type of the runtime.
pub(crate) fn kind(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "Utf8",
        Encoding::Utf16 => "Utf16",
        Encoding::Utf32 => "Utf32",
        Encoding::Latin1 => "Latin1",
        Encoding::Bytes => "Bytes",
    }
}

/// The method that writes one.
pub(crate) fn put(encoding: Encoding) -> String {
    match encoding {
        Encoding::Utf8 => "put_text".into(),
        Encoding::Bytes => "put_text_bytes".into(),
        Encoding::Utf16 => "put_text_utf16".into(),
        Encoding::Utf32 | Encoding::Latin1 => format!("put_converted::<rt::{}>", kind(encoding)),
    }
}

/// The method that writes several.
pub(crate) fn put_list(encoding: Encoding) -> String {
    match encoding {
        Encoding::Utf8 | Encoding::Bytes => "put_texts".into(),
        Encoding::Utf16 => "put_texts_utf16".into(),
        Encoding::Utf32 | Encoding::Latin1 => format!("put_converted_texts::<rt::{}, _>", kind(encoding)),
    }
}

/// The method that reads one, or of several where there is an `s` behind `text`.
fn get(encoding: Encoding, nullable: bool, s: &str) -> String {
    let optional = if nullable { "opt_" } else { "" };
    match encoding {
        Encoding::Utf8 => format!("{optional}text{s}"),
        Encoding::Bytes => format!("{optional}text{s}_bytes"),
        Encoding::Utf16 => format!("{optional}text{s}_utf16"),
        Encoding::Utf32 | Encoding::Latin1 => {
            let of = if s.is_empty() { "converted" } else { "converted_texts" };
            format!("{optional}{of}::<rt::{}>", kind(encoding))
        }
    }
}

/// The method that reads one.
pub(crate) fn read(encoding: Encoding, nullable: bool) -> String {
    get(encoding, nullable, "")
}

/// The method that reads several that a callback is given.
pub(crate) fn read_list(encoding: Encoding, nullable: bool) -> String {
    get(encoding, nullable, "s")
}

/// The method that writes one into an array, and what it is told of that.
pub(crate) fn put_array(length: u64, pad: Option<Pad>) -> (&'static str, String) {
    match pad {
        None => ("image.put_text_array", length.to_string()),
        Some(Pad::Nul) => ("image.put_padded_text", format!("({length}, 0)")),
        Some(Pad::Space) => ("image.put_padded_text", format!("({length}, b' ')")),
    }
}

/// The method that reads one out of an array.
pub(crate) fn read_array(encoding: Encoding, pad: Option<Pad>) -> &'static str {
    match (encoding, pad) {
        (Encoding::Utf8, Some(Pad::Space)) => "image.spaced_text",
        (_, Some(Pad::Space)) => "image.spaced_bytes",
        (Encoding::Utf8, _) => "image.text_array",
        _ => "image.bytes_array",
    }
}

/// The method of a reply that tells a place in a text that went in.
pub(crate) fn place(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 | Encoding::Bytes => "reply.offset",
        Encoding::Utf16 => "reply.offset_utf16",
        Encoding::Utf32 | Encoding::Latin1 => "reply.offset_converted",
    }
}

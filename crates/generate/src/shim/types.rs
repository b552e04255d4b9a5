//! How C types are written in the shim.

use hotcell_model::layout::WireKind;
use hotcell_model::spelling;
use hotcell_model::types::{CType, Type};

/// A spelling of the type that means the same everywhere behind the headers: the canonical one, or the
/// header's own where the canonical one has no name. `None` when neither can be written.
pub(crate) fn spell(ty: &CType) -> Option<&str> {
    if ty.kind == Type::Bool && ty.canonical == "bool" {
        return Some("_Bool"); // `bool` needs <stdbool.h>
    }
    [ty.canonical.as_str(), ty.written.as_str()].into_iter().find(|text| speakable(text))
}

/// Whether a C type's name can be written, which libclang's words for a type without one cannot, and is nothing else than a type there, with
/// nothing to compute.
pub(crate) fn speakable(text: &str) -> bool {
    let is_type = spelling::is_type(text) && spelling::is_inert(text);
    is_type && !["unnamed", "anonymous", " at "].iter().any(|mark| text.contains(mark))
}

/// Declares a variable or a parameter of that type.
pub(crate) fn declare(ty: &str, name: &str) -> String {
    if ty.contains(['(', '[']) {
        format!("__typeof__({ty}) {name}")
    } else if ty.ends_with('*') {
        format!("{ty}{name}")
    } else {
        format!("{ty} {name}")
    }
}

/// The C type of a field of an argument or result block.
pub(crate) fn wire(kind: WireKind) -> &'static str {
    match kind {
        WireKind::U8 => "uint8_t",
        WireKind::U16 => "uint16_t",
        WireKind::U32 => "uint32_t",
        WireKind::U64 => "uint64_t",
        WireKind::I8 => "int8_t",
        WireKind::I16 => "int16_t",
        WireKind::I32 => "int32_t",
        WireKind::I64 => "int64_t",
        WireKind::F32 => "float",
        WireKind::F64 => "double",
        WireKind::Reference => "hotcell_ref",
    }
}

/// A string literal.
pub(crate) fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', byte as char]),
            b' '..=b'~' if byte != b'?' => out.push(byte as char),
            // Three octal digits end by themselves; `?` could start a trigraph.
            _ => out.push_str(&format!("\\{byte:03o}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(written: &str, canonical: &str, kind: Type) -> CType {
        CType { written: written.into(), canonical: canonical.into(), kind }
    }

    #[test]
    fn nothing_is_computed_in_a_type() {
        let [fixed, computed] = ["int (*)[4]", "int (*)[f()]"];
        assert_eq!(spell(&ty(fixed, computed, Type::Void)), Some(fixed));
        assert_eq!(spell(&ty(computed, computed, Type::Void)), None);
    }

    #[test]
    fn anonymous_types_are_written_as_the_header_writes_them() {
        let mode = Type::Enum { name: "mode".into(), bits: 32, signed: false };
        let check = |written, canonical, kind: &Type, expect: Option<&str>| {
            assert_eq!(spell(&ty(written, canonical, kind.clone())), expect);
        };
        check("mode_t", "enum mode", &mode, Some("enum mode"));
        check("mode_t", "enum (unnamed at a.h:1:9)", &mode, Some("mode_t"));
        check("enum (anonymous)", "enum (anonymous)", &mode, None);
        check("a) > 0, \"\"); int b", "a) > 0, \"\"); int b", &mode, None);
        check("bool", "bool", &Type::Bool, Some("_Bool"));
    }

    #[test]
    fn declarators() {
        assert_eq!(declare("unsigned long", "x"), "unsigned long x");
        assert_eq!(declare("const char *", "x"), "const char *x");
        assert_eq!(declare("void (*)(int)", "x"), "__typeof__(void (*)(int)) x");
    }

    #[test]
    fn literals_hold_any_text() {
        assert_eq!(literal("a\"b\\c?\n1"), r#""a\"b\\c\077\0121""#);
    }
}

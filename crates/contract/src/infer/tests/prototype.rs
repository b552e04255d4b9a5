//! A C prototype to [`Function`], as far as the tests need it.

use std::collections::BTreeMap;

use hotcell_model::api::{Api, Attribute, Function, Location, Param};
use hotcell_model::types::{CType, Signature, Target, Type};

/// A header with these functions and nothing else.
pub(in crate::infer) fn api(functions: &[&Function]) -> Api {
    Api {
        target: Target { triple: "x86_64-pc-linux-gnu".into(), pointer_bits: 64, char_signed: true },
        functions: functions.iter().map(|&function| function.clone()).collect(),
        records: BTreeMap::new(),
        enums: BTreeMap::new(),
        constants: BTreeMap::new(),
        function_macros: BTreeMap::new(),
        initializers: BTreeMap::new(),
        variables: Vec::new(),
        left_out: Vec::new(),
    }
}

/// Reads `const char *f(int a, const unsigned char key[32], ...) nonnull`.
pub(in crate::infer) fn parse(text: &str) -> Function {
    let text = text.trim().trim_end_matches(';');
    let open = text.find('(').expect("a prototype has parentheses");
    let close = text.rfind(')').expect("a prototype has parentheses");
    let (result, name) = declarator(&text[..open]);
    let list = text[open + 1..close].trim();
    let parts = if list == "void" || list.is_empty() { Vec::new() } else { split(list) };
    let variadic = parts.last().is_some_and(|part| part == "...");
    let params = parts.iter().filter(|part| *part != "...").map(|part| param(part)).collect();
    let attributes = text[close + 1..].split_whitespace().map(|word| match word {
        "format" => Attribute::Format,
        "malloc" => Attribute::Malloc,
        "noreturn" => Attribute::Noreturn,
        _ => Attribute::Nonnull { params: Vec::new() },
    });
    Function {
        name: name.expect("a function has a name"),
        params,
        result,
        variadic,
        prototyped: !list.is_empty(),
        inline: false,
        attributes: attributes.collect(),
        doc: None,
        location: Location { file: "test.h".into(), line: 1, primary: true },
    }
}

fn split(list: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in list.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

fn param(text: &str) -> Param {
    if let Some((result, rest)) = text.split_once("(*") {
        let name = rest.split(')').next().map(str::to_owned).filter(|name| !name.is_empty());
        let list = rest.split_once(")(").map_or("", |(_, list)| list.trim_end_matches(')'));
        let own = |text: &String| {
            let Param { name, ty, .. } = param(text);
            (name, ty)
        };
        let params = if list.is_empty() { Vec::new() } else { split(list).iter().map(own).collect() };
        let signature = Signature { params, result: ty(result), variadic: false };
        let kind = Type::FunctionPointer { signature: Box::new(signature) };
        return Param {
            name,
            ty: CType { written: text.into(), canonical: text.into(), kind },
            array_length: None,
            open_array: false,
        };
    }
    let (text, array) = match text.split_once('[') {
        Some((before, inside)) => (before, Some(inside.trim_end_matches(']').parse().ok())),
        None => (text, None),
    };
    let (ty, name) = declarator(text);
    let uuid = ty.written == "uuid_t" || ty.written == "const uuid_t";
    if uuid {
        let constant = ty.written.starts_with("const");
        return Param {
            name,
            ty: pointer(base("unsigned char"), constant),
            array_length: Some(16),
            open_array: false,
        };
    }
    match array {
        Some(length) => {
            let constant = text.trim_start().starts_with("const ") && !text.contains('*');
            Param { name, ty: pointer(ty, constant), array_length: length, open_array: length.is_none() }
        }
        None => Param { name, ty, array_length: None, open_array: false },
    }
}

/// A type and the name behind it.
fn declarator(text: &str) -> (CType, Option<String>) {
    let text = text.trim();
    let word = text.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    let (before, name) = text.split_at(word);
    let types = ["int", "char", "long", "short", "double", "float", "void", "unsigned"];
    let stem = before.trim();
    if name.is_empty()
        || stem.is_empty()
        || types.contains(&name)
        || matches!(stem, "const" | "struct" | "enum")
    {
        return (ty(text), None);
    }
    (ty(stem), Some(name.to_owned()))
}

fn ty(text: &str) -> CType {
    let text = text.trim();
    if let Some(inner) = text.strip_suffix('*') {
        let inner = inner.trim();
        let constant = inner.starts_with("const ") && !inner.contains('*');
        return pointer(ty(inner), constant);
    }
    base(text)
}

fn pointer(pointee: CType, constant: bool) -> CType {
    let written = format!("{} *", pointee.written);
    let kind = Type::Pointer { pointee: Box::new(pointee), constant };
    CType { canonical: written.clone(), written, kind }
}

fn base(text: &str) -> CType {
    let name = text.trim_start_matches("const ").trim();
    let int = |bits, signed| Type::Int { bits, signed };
    let unsupported = || Type::Unsupported { reason: "it is no type these tests know".into() };
    let kind = match name {
        "void" => Type::Void,
        "bool" => Type::Bool,
        "char" | "gchar" | "XML_Char" | "octet_t" => Type::Char,
        "unsigned char" | "uint8_t" | "Bytef" | "BYTE" | "xmlChar" | "guchar" | "uuid_t" => int(8, false),
        "signed char" | "int8_t" => int(8, true),
        "uint16_t" => int(16, false),
        "short" => int(16, true),
        "int" | "int32_t" | "wchar_t" | "pid_t" | "XML_Bool" => int(32, true),
        "unsigned" | "unsigned int" | "uint32_t" | "uInt" | "mode_t" | "socklen_t" => int(32, false),
        "long" | "long long" | "ssize_t" | "off_t" | "__off_t" | "time_t" | "int64_t" | "sf_count_t" => {
            int(64, true)
        }
        "size_t" | "unsigned long" | "uLong" | "uLongf" | "z_size_t" | "XXH64_hash_t" | "uint64_t"
        | "uframes_t" => int(64, false),
        "float" => Type::Float { bits: 32 },
        "double" => Type::Float { bits: 64 },
        "long double" | "va_list" => unsupported(),
        "address" | "anyptr" | "handle_t" | "cx_handle" | "cxHPROFILE" | "cxHeader" => {
            return CType { written: name.into(), ..pointer(base("void"), false) };
        }
        "gzFile" | "z_streamp" => {
            return CType { written: name.into(), ..pointer(base("struct opaque"), false) };
        }
        "mp_ptr" | "mp_srcptr" => {
            return CType { written: name.into(), ..pointer(base("mp"), name == "mp_srcptr") };
        }
        "HANDLE" => {
            return CType { written: name.into(), ..pointer(base("void"), true) };
        }
        "voidp" | "voidpc" => {
            return CType { written: name.into(), ..pointer(base("void"), name == "voidpc") };
        }
        "LPCSTR" => {
            return CType { written: name.into(), ..pointer(base("char"), true) };
        }
        "token_t" => {
            return CType { written: name.into(), ..pointer(base("char"), true) };
        }
        _ if name.starts_with("enum ") => Type::Enum { name: name.into(), bits: 32, signed: false },
        _ => Type::Record { name: name.into() },
    };
    CType { written: text.into(), canonical: text.into(), kind }
}

//! What no header says: an API that was read by another process is looked at before it is used.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::{Api, Attribute, Field, Function, LeftOut, Location, Record, Variable};
use crate::spelling::{is_key, is_line, is_name, is_type, is_word};
use crate::types::{CType, Type};

/// Most fields of a record with those of the records in it, each as often as it is there.
pub const MOST_PARTS: u64 = 100_000;

/// Most records within each other.
pub const DEEPEST_RECORD: usize = 1000;

/// Most pointers, arrays and functions within each other that a type is read with. What lies deeper is of a kind that is not supported.
pub const DEEPEST_TYPE: u32 = 20;

/// With what is not supported behind the last of them.
const LEVELS: u32 = DEEPEST_TYPE + 1;

/// Bytes of the largest record: its bits are still a number.
const LARGEST: u64 = 1 << 60;

/// The first thing in an API that no header says; `None` when it is sound.
///
/// Names are identifiers, spellings of types are types and texts are lines, so that none can become anything else in a package; what is
/// named is there, and once; sizes and widths are those of C, and fields lie in their records; no record is within itself.
pub(super) fn first(api: &Api) -> Option<String> {
    Looking { api, parts: HashMap::new() }.all().err()
}

/// Takes out what has a flaw of its own, one by one: a header may have it, in names of letters that cannot be seen for example.
/// A record loses its layout.
pub(super) fn leave_out(api: &mut Api) {
    let looking = Looking { api, parts: HashMap::new() };
    let open: Vec<String> = api
        .records
        .iter()
        .filter(|(key, record)| looking.record(key, record).is_err())
        .map(|(key, _)| key.clone())
        .collect();
    let functions: Vec<Sound> = api.functions.iter().map(|it| looking.function(it)).collect();
    let variables: Vec<bool> = api.variables.iter().map(|it| looking.variable(it).is_ok()).collect();
    for key in open {
        if let Some(record) = api.records.get_mut(&key) {
            record.layout = None;
        }
    }
    let (mut functions, mut variables) = (functions.into_iter(), variables.into_iter());
    let left_out = &mut api.left_out;
    api.functions.retain(|function| match functions.next() {
        Some(Err(reason)) => {
            let name = function.name.escape_debug().to_string();
            left_out.push(LeftOut { name, reason, location: function.location.clone() });
            false
        }
        _ => true,
    });
    api.variables.retain(|_| variables.next().unwrap_or(false));
    api.enums.values_mut().for_each(|value| value.enumerators.retain(|(name, _)| is_name(name)));
    api.constants.retain(|name, _| is_word(name));
    api.function_macros.retain(|name, params| macro_of(name, params).is_ok());
    api.initializers.retain(|name, values| is_word(name) && is_line(values));
}

type Sound = Result<(), String>;

struct Looking<'a> {
    api: &'a Api,
    /// Fields of records, those of records in them among them, and how many records are within each other; `None` while one is
    /// being looked at.
    parts: HashMap<&'a str, Option<(u64, usize)>>,
}

impl<'a> Looking<'a> {
    fn all(&mut self) -> Sound {
        let api = self.api;
        line("the target", &api.target.triple)?;
        holds(matches!(api.target.pointer_bits, 16 | 32 | 64), "a pointer", api.target.pointer_bits)?;
        for key in api.records.keys() {
            let (parts, _) = self.parts_of(key, 0)?;
            holds(parts <= MOST_PARTS, "fields of a record, in all:", parts)?;
        }
        let mut names = HashSet::new();
        for function in &api.functions {
            self.function(function)?;
            holds(names.insert(&function.name), "two functions of one name:", &function.name)?;
        }
        for (key, record) in &api.records {
            holds(is_key(key), "the key of a record", key)?;
            doc(record.doc.as_deref())?;
            c_name("a record", &record.c_name)?;
            place(&record.location)?;
            self.record(key, record)?;
        }
        for (key, value) in &api.enums {
            holds(is_key(key), "the key of an enumeration", key)?;
            doc(value.doc.as_deref())?;
            c_name("an enumeration", &value.c_name)?;
            place(&value.location)?;
            value.enumerators.iter().try_for_each(|(name, _)| identifier(name))?;
        }
        for (name, constant) in &api.constants {
            word(name)?;
            place(&constant.location)?;
        }
        api.function_macros.iter().try_for_each(|(name, params)| macro_of(name, params))?;
        for (name, values) in &api.initializers {
            word(name)?;
            line("initial values", values)?;
        }
        let mut names = HashSet::new();
        for variable in &api.variables {
            self.variable(variable)?;
            holds(names.insert(&variable.name), "two variables of one name:", &variable.name)?;
        }
        api.left_out.iter().try_for_each(|LeftOut { name, reason, location }| {
            line("a name", name)?;
            line("a reason", reason)?;
            place(location)
        })
    }

    fn variable(&self, variable: &Variable) -> Sound {
        identifier(&variable.name)?;
        place(&variable.location)?;
        doc(variable.doc.as_deref())?;
        self.ty(&variable.ty, LEVELS)
    }

    fn function(&self, function: &Function) -> Sound {
        identifier(&function.name)?;
        place(&function.location)?;
        doc(function.doc.as_deref())?;
        for param in &function.params {
            param.name.as_deref().map_or(Ok(()), identifier)?;
            self.ty(&param.ty, LEVELS)?;
        }
        for attribute in &function.attributes {
            // The text of an annotation may be any: it is nothing that a package has.
            if let Attribute::Nonnull { params } = attribute {
                let is_one = |index: &&u32| function.params.len() > **index as usize;
                let other = params.iter().find(|index| !is_one(index));
                holds(other.is_none(), "a parameter that is not null:", other.unwrap_or(&0))?;
            }
        }
        self.ty(&function.result, LEVELS)
    }

    fn record(&self, key: &str, record: &Record) -> Sound {
        let Some(layout) = &record.layout else { return Ok(()) };
        holds(layout.size <= LARGEST, "the size of a record", layout.size)?;
        holds(layout.align.is_power_of_two(), "the alignment of a record", layout.align)?;
        for Field { name, ty, offset_bits, bit_width } in &layout.fields {
            name.as_deref().map_or(Ok(()), identifier)?;
            self.ty(ty, LEVELS)?;
            let bits = match bit_width {
                Some(width) => u64::from(*width),
                None => self.size_of(ty).saturating_mul(8),
            };
            let inside = offset_bits.saturating_add(bits) <= layout.size * 8;
            holds(inside, "a field's place", format!("bit {offset_bits} of `{key}`"))?;
        }
        Ok(())
    }

    /// Bytes of a field of this type; 0 where nothing says.
    fn size_of(&self, ty: &CType) -> u64 {
        match &ty.kind {
            Type::Pointer { .. } | Type::FunctionPointer { .. } => {
                u64::from(self.api.target.pointer_bits / 8)
            }
            Type::Array { element, length } => self.size_of(element).saturating_mul(length.unwrap_or(0)),
            Type::Record { name } => {
                let layout = self.api.records.get(name).and_then(|record| record.layout.as_ref());
                layout.map_or(0, |layout| layout.size)
            }
            _ => ty.scalar_size().map_or(0, u64::from),
        }
    }

    /// A type with so many levels left, and one more for what it is made of.
    fn ty(&self, ty: &CType, levels: u32) -> Sound {
        holds(is_type(&ty.written), "a type", &ty.written)?;
        holds(is_type(&ty.canonical), "a type", &ty.canonical)?;
        let below =
            || levels.checked_sub(1).ok_or_else(|| format!("{} has too many levels", shown(&ty.written)));
        match &ty.kind {
            Type::Void | Type::Bool | Type::Char => Ok(()),
            Type::Int { bits, .. } => holds(is_width(*bits), "an integer's width", bits),
            Type::Float { bits } => holds(matches!(bits, 32 | 64), "a number's width", bits),
            Type::Enum { name, bits, .. } => {
                holds(is_width(*bits), "an enumeration's width", bits)?;
                holds(self.api.enums.contains_key(name), "an enumeration", name)
            }
            Type::Record { name } => holds(self.api.records.contains_key(name), "a record", name),
            Type::Pointer { pointee, .. } => self.ty(pointee, below()?),
            Type::Array { element, .. } => self.ty(element, below()?),
            Type::FunctionPointer { signature } => {
                for (name, ty) in &signature.params {
                    name.as_deref().map_or(Ok(()), identifier)?;
                    self.ty(ty, below()?)?;
                }
                self.ty(&signature.result, below()?)
            }
            Type::Unsupported { reason } => line("a reason", reason),
        }
    }

    /// Fields of a record with those of the records in it, as many as are visited by who goes through all of them; and how many records
    /// are within each other.
    fn parts_of(&mut self, key: &'a str, depth: usize) -> Result<(u64, usize), String> {
        match self.parts.get(key) {
            Some(Some(known)) => return Ok(*known),
            Some(None) => return Err(format!("`{key}` is within itself")),
            None => {}
        }
        let deep = |levels: usize| holds(levels <= DEEPEST_RECORD, "records within each other:", levels);
        deep(depth)?;
        self.parts.insert(key, None);
        let layout = self.api.records.get(key).and_then(|record| record.layout.as_ref());
        let (mut sum, mut height) = (0_u64, 0);
        for field in layout.map_or(&[][..], |layout| &layout.fields) {
            let mut parts = 1;
            if let Some((inner, is_array)) = within(&field.ty) {
                let (fields, levels) = self.parts_of(inner, depth + 1)?;
                // Those of an array's elements are looked through once.
                parts = if is_array { 1 } else { fields };
                height = height.max(levels + 1);
            }
            sum = sum.saturating_add(parts);
        }
        deep(height)?;
        self.parts.insert(key, Some((sum, height)));
        Ok((sum, height))
    }
}

/// The record that a value of this type is, or whose values an array of this type has.
fn within(ty: &CType) -> Option<(&str, bool)> {
    match &ty.kind {
        Type::Record { name } => Some((name, false)),
        Type::Array { element, .. } => within(element).map(|(name, _)| (name, true)),
        _ => None,
    }
}

fn is_width(bits: u16) -> bool {
    matches!(bits, 8 | 16 | 32 | 64)
}

fn holds(is_so: bool, what: &str, value: impl fmt::Display) -> Sound {
    if is_so { Ok(()) } else { Err(format!("{what} {}", shown(&value.to_string()))) }
}

fn identifier(name: &str) -> Sound {
    holds(is_name(name), "the name", name)
}

fn word(name: &str) -> Sound {
    holds(is_word(name), "the name", name)
}

/// How C names a record or an enumeration: by a name, by a tag, by what it is the type of, or not at all.
fn c_name(what: &str, text: &str) -> Sound {
    let tag = ["struct ", "union ", "enum "].iter().find_map(|keyword| text.strip_prefix(keyword));
    let of_expression = text.starts_with("__typeof__(") && text.ends_with(')') && is_type(text);
    holds(text.is_empty() || is_name(tag.unwrap_or(text)) || of_expression, what, text)
}

fn macro_of(name: &str, params: &[String]) -> Sound {
    word(name)?;
    for param in params {
        let name = param.strip_suffix("...").unwrap_or(param).trim_end();
        if !name.is_empty() {
            word(name)?;
        }
    }
    Ok(())
}

fn place(location: &Location) -> Sound {
    line("a file", &location.file)
}

/// A comment has lines.
fn doc(text: Option<&str>) -> Sound {
    text.unwrap_or_default().split('\n').try_for_each(|text| line("a comment", text))
}

fn line(what: &str, text: &str) -> Sound {
    holds(is_line(text), what, text)
}

/// A text that may be anything.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::api::{
        Api, Attribute, Constant, ConstantValue, Enum, Field, Function, Location, Param, Record,
        RecordLayout, Variable,
    };
    use crate::types::{CType, Target, Type};

    fn place() -> Location {
        Location { file: "a.h".into(), line: 1, primary: true }
    }

    fn ty(written: &str, kind: Type) -> CType {
        CType { written: written.into(), canonical: written.into(), kind }
    }

    fn record(fields: Vec<CType>) -> Record {
        let field = |ty: CType| Field { name: Some("field".into()), ty, offset_bits: 0, bit_width: None };
        let layout = RecordLayout { size: 8, align: 8, fields: fields.into_iter().map(field).collect() };
        Record { c_name: "struct a".into(), union: false, layout: Some(layout), doc: None, location: place() }
    }

    fn api() -> Api {
        let int = || ty("int", Type::Int { bits: 32, signed: true });
        let pointer = Type::Pointer { pointee: Box::new(ty("a", named("a"))), constant: false };
        let level = Enum {
            c_name: "enum level".into(),
            enumerators: vec![("LOW".into(), 0)],
            doc: Some("Two\nlines.".into()),
            location: place(),
        };
        let function = Function {
            name: "f".into(),
            params: vec![Param {
                name: Some("größe$1".into()),
                ty: ty("a *", pointer),
                array_length: None,
                open_array: false,
            }],
            result: ty("enum level", Type::Enum { name: "level".into(), bits: 32, signed: false }),
            variadic: false,
            prototyped: true,
            inline: false,
            attributes: Vec::new(),
            doc: None,
            location: place(),
        };
        Api {
            target: Target { triple: "x86_64-pc-linux-gnu".into(), pointer_bits: 64, char_signed: true },
            functions: vec![function],
            records: BTreeMap::from([("a".into(), record(vec![int()]))]),
            enums: BTreeMap::from([("level".into(), level)]),
            constants: BTreeMap::new(),
            function_macros: BTreeMap::from([("M".into(), vec!["a".into(), "rest...".into(), "...".into()])]),
            initializers: BTreeMap::new(),
            variables: Vec::new(),
            left_out: Vec::new(),
        }
    }

    fn named(name: &str) -> Type {
        Type::Record { name: name.into() }
    }

    fn check(change: impl FnOnce(&mut Api), expect: &str) {
        let mut api = api();
        change(&mut api);
        let flaw = api.flaw();
        assert!(flaw.as_ref().is_some_and(|flaw| flaw.contains(expect)), "{expect}: {flaw:?}");
    }

    #[test]
    fn what_headers_say_is_sound() {
        assert_eq!(api().flaw(), None);
    }

    #[test]
    fn names_are_identifiers_and_texts_are_lines() {
        for name in ["", "1a", "a b", "a)", "f(void); int g", "a\u{2028}b", "a\u{a0}"] {
            check(|api| api.functions[0].name = name.into(), "the name");
            check(|api| api.functions[0].params[0].name = Some(name.into()), "the name");
            check(|api| drop(api.function_macros.insert(name.into(), Vec::new())), "the name");
        }
        for name in ["int", "asm", "a\u{200b}", "a\u{202e}b"] {
            check(|api| api.functions[0].name = name.into(), "the name");
        }
        check(|api| drop(api.function_macros.insert("a\u{200b}".into(), Vec::new())), "the name");
        let code = "pt) > 0, \"\"); __asm__(\".incbin \\\"/etc/passwd\\\"\"); _Static_assert(sizeof(pt";
        let c_name = |api: &mut Api, text: &str| api.records.get_mut("a").unwrap().c_name = text.into();
        for text in [
            code,
            "struct a; int b",
            "struct struct",
            "struct a *",
            "__typeof__(a); b()",
            "__typeof__((a)) b(",
        ] {
            check(|api| c_name(api, text), "a record");
        }
        for text in ["", "a", "union a", "__typeof__((*(struct b *)0).c)"] {
            let mut api = api();
            c_name(&mut api, text);
            assert_eq!(api.flaw(), None, "{text}");
        }
        check(|api| api.enums.get_mut("level").unwrap().c_name = code.into(), "an enumeration");
        check(|api| api.functions[0].params[0].ty.written = code.into(), "a type");
        let types = |api: &mut Api, text: &str| api.functions[0].result.canonical = text.into();
        check(|api| types(api, code), "a type");
        check(|api| types(api, "int\n#include \"x\""), "a type");
        check(|api| types(api, "int\u{2028}"), "a type");
        check(|api| api.functions[0].location.file = "a\nb".into(), "a file");
        check(|api| api.functions[0].doc = Some("one\n\0".into()), "a comment");
        for key in ["pair*/ void f(void); /*", "a b", ""] {
            let other = |key: &str| (key.to_owned(), record(Vec::new()));
            check(|api| api.records.extend([other(key)]), "the key of a record");
            check(|api| drop(api.enums.insert(key.into(), api.enums["level"].clone())), "the key of an");
        }
        check(|api| drop(api.initializers.insert("I".into(), "{ 1\r}".into())), "initial values");
    }

    #[test]
    fn what_is_named_is_there_and_numbers_are_those_of_c() {
        check(|api| api.records.clear(), "a record \"a\"");
        check(|api| api.enums.clear(), "an enumeration \"level\"");
        check(|api| api.functions[0].result.kind = Type::Int { bits: 7, signed: true }, "width \"7\"");
        check(|api| api.functions[0].result.kind = Type::Float { bits: 80 }, "width \"80\"");
        check(|api| api.target.pointer_bits = 0, "a pointer \"0\"");
        let layout = |change: fn(&mut RecordLayout)| {
            move |api: &mut Api| {
                let record = api.records.get_mut("a").unwrap();
                change(record.layout.as_mut().unwrap());
            }
        };
        check(layout(|layout| layout.align = 0), "the alignment");
        check(layout(|layout| layout.size = u64::MAX), "the size");
        check(layout(|layout| layout.fields[0].offset_bits = 65), "bit 65 of `a`");
        check(layout(|layout| layout.fields[0].offset_bits = 33), "bit 33 of `a`");
        check(layout(|layout| layout.fields[0].offset_bits = u64::MAX), "of `a`");
        check(layout(|layout| layout.fields[0].bit_width = Some(65)), "bit 0 of `a`");
        let long = |layout: &mut RecordLayout| {
            let element = Box::new(layout.fields[0].ty.clone());
            layout.fields[0].ty.kind = Type::Array { element, length: Some(u64::MAX) };
        };
        check(layout(long), "bit 0 of `a`");
        let twice = |api: &mut Api| api.functions.push(api.functions[0].clone());
        check(twice, "two functions of one name");
        let variable = |api: &mut Api| {
            let ty = api.functions[0].result.clone();
            let one = Variable { name: "v".into(), ty, constant: false, doc: None, location: place() };
            api.variables = vec![one.clone(), one];
        };
        check(variable, "two variables of one name");
        check(
            |api| api.functions[0].attributes.push(Attribute::Nonnull { params: vec![1] }),
            "a parameter that is not null",
        );
    }

    #[test]
    fn what_a_header_may_have_and_no_package_is_left_out_alone() {
        let mut api = api();
        let sound = api.clone();
        let unseen = "a\u{200b}".to_owned();
        api.functions.push(Function { name: unseen.clone(), ..api.functions[0].clone() });
        api.constants.insert(unseen.clone(), Constant { value: ConstantValue::Int(1), location: place() });
        api.function_macros.insert("N".into(), vec!["a b".into()]);
        api.initializers.insert("I".into(), "{ \u{2028} }".into());
        let mut other = record(vec![ty("int", Type::Int { bits: 32, signed: true })]);
        other.layout.as_mut().unwrap().fields[0].name = Some(unseen);
        api.records.insert("b".into(), other);
        assert!(api.flaw().is_some());
        api.leave_out_flaws();
        assert_eq!(api.flaw(), None);
        assert_eq!(api.records.remove("b").unwrap().layout, None);
        let left_out: Vec<_> = api.left_out.drain(..).map(|it| (it.name, it.reason)).collect();
        assert_eq!(left_out, [("a\\u{200b}".to_owned(), "the name \"a\\u{200b}\"".to_owned())]);
        assert_eq!(api, sound);
    }

    #[test]
    fn what_has_no_end_is_none() {
        check(|api| drop(api.records.insert("a".into(), record(vec![ty("a", named("a"))]))), "within itself");
        let array = |name| Type::Array { element: Box::new(ty(name, named(name))), length: Some(2) };
        let of = |name| record(vec![ty("x", array(name))]);
        check(|api| api.records.extend([("a".into(), of("b")), ("b".into(), of("a"))]), "within itself");
        let doubled = |api: &mut Api| {
            for n in 0..18 {
                let inner = if n == 0 { "a".to_owned() } else { format!("t{}", n - 1) };
                let fields = vec![ty("x", named(&inner)), ty("x", named(&inner))];
                api.records.insert(format!("t{n}"), record(fields));
            }
        };
        check(doubled, "fields of a record");
        let chain = |api: &mut Api| {
            for n in 0..1100 {
                let inner = if n == 0 { "a".to_owned() } else { format!("t{}", n - 1) };
                api.records.insert(format!("t{n}"), record(vec![ty("x", named(&inner))]));
            }
        };
        check(chain, "records within each other");
        let deep = |api: &mut Api| {
            for _ in 0..30 {
                let inner = api.functions[0].result.clone();
                api.functions[0].result.kind = Type::Pointer { pointee: Box::new(inner), constant: false };
            }
        };
        check(deep, "too many levels");
    }
}

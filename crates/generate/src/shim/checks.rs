//! What the parser saw and the compiler has to confirm, as `_Static_assert`s.

use std::collections::BTreeMap;

use hotcell_model::Interface;
use hotcell_model::interface::{Function, Role};
use hotcell_model::layout::WireKind;
use hotcell_model::types::{CType, Type};

use crate::shim::types::{literal, speakable, spell};

/// Sizes and signs of the scalar types in use, enumerators, and the layouts of records.
pub(crate) fn of_interface(interface: &Interface) -> Vec<String> {
    let mut out = Vec::new();
    let mut scalars = BTreeMap::new();
    for ty in scalars_of(interface) {
        if let (Some(name), Some(kind)) = (spell(ty), WireKind::of_scalar(ty, &interface.target)) {
            scalars.insert(name.trim_start_matches("const "), (kind, ty.kind == Type::Bool));
        }
    }
    for (name, (kind, bool)) in scalars {
        out.push(assert(&format!("sizeof({name}) == {}", kind.size()), &format!("size of {name}")));
        let unsigned = matches!(kind, WireKind::U8 | WireKind::U16 | WireKind::U32 | WireKind::U64);
        if !bool && !matches!(kind, WireKind::F32 | WireKind::F64) {
            let condition = format!("(({name})-1 > 0) == {}", u8::from(unsigned));
            out.push(assert(&condition, &format!("sign of {name}")));
        }
    }
    for item in interface.enums.values() {
        for (name, value) in &item.enumerators {
            // `i64::MIN` has no literal.
            let value = if *value == i64::MIN { "INT64_MIN".into() } else { format!("{value}") };
            out.push(assert(&format!("(int64_t){name} == {value}"), &format!("value of {name}")));
        }
    }
    for record in interface.records.values() {
        let Some(layout) = &record.layout else { continue };
        let name = &record.c_name;
        if !speakable(name) {
            continue;
        }
        out.push(assert(&format!("sizeof({name}) == {}", layout.size), &format!("size of {name}")));
        out.push(assert(&format!("_Alignof({name}) == {}", layout.align), &format!("alignment of {name}")));
        for field in layout.fields.iter().filter(|field| field.bit_width.is_none()) {
            let Some(field_name) = &field.name else { continue };
            let condition = format!("offsetof({name}, {field_name}) == {}", field.offset_bits / 8);
            out.push(assert(&condition, &format!("offset of {name}.{field_name}")));
        }
    }
    out
}

/// The types in use, without pointers and arrays around them.
fn scalars_of(interface: &Interface) -> impl Iterator<Item = &CType> {
    let functions = interface.functions.iter().flat_map(|function| {
        let callbacks = function.params.iter().filter_map(|param| match &param.role.value {
            Role::Callback { callback, .. } => Some(callback),
            _ => None,
        });
        let of_callbacks = callbacks
            .flat_map(|callback| callback.params.iter().map(|param| &param.ty).chain([&callback.result]));
        function.params.iter().map(|param| &param.ty).chain([&function.result_type]).chain(of_callbacks)
    });
    let fields = interface.structs.values().flat_map(|item| item.fields.iter().map(|field| &field.ty));
    functions.chain(fields).map(|mut ty| {
        while let Type::Pointer { pointee: inner, .. } | Type::Array { element: inner, .. } = &ty.kind {
            ty = inner;
        }
        ty
    })
}

/// That the compiler sees the function's type as the parser did.
pub(crate) fn of_function(function: &Function) -> Vec<String> {
    let name = &function.name;
    if function.noreturn
        && let Some(ty) = function_type(function, &format!("(*const hotcell_type_{name})"))
    {
        // Not returning is a part of the type for some compilers, so that no assertion can name it; an
        // initialisation demands the rest to be equal.
        return vec![format!("static __attribute__((unused)) {ty} = &{name};")];
    }
    // The function and not its address: `__attribute__((const))` qualifies what a pointer to it points to.
    if let Some(ty) = function_type(function, "") {
        let condition = format!("__builtin_types_compatible_p(__typeof__({name}),\n    {ty})");
        return vec![assert(&condition, &format!("type of {name}"))];
    }
    // A part has no name that could be written: at least its scalars.
    let scalar = |ty: &CType| Some((spell(ty)?.to_owned(), ty.scalar_size()?));
    let types = function.params.iter().map(|p| &p.ty).chain([&function.result_type]);
    let asserts = types.filter_map(scalar);
    asserts.map(|(ty, size)| assert(&format!("sizeof({ty}) == {size}"), &format!("size of {ty}"))).collect()
}

/// A declaration of the function's type; `None` when a part of it cannot be written.
fn function_type(function: &Function, declarator: &str) -> Option<String> {
    let result = spell(&function.result_type)?;
    let result =
        if result.contains(['(', '[']) { format!("__typeof__({result})") } else { result.to_owned() };
    let result = qualified(function, result);
    let mut params = function.params.iter().map(|p| spell(&p.ty)).collect::<Option<Vec<_>>>()?;
    if function.signature.ends_with("...)") {
        params.push("...");
    }
    if params.is_empty() {
        params.push("void");
    }
    Some(format!("{result} {declarator}({})", params.join(", ")))
}

/// The result as the header qualifies it, `const int f(void)`, which says nothing of a value, and is a part of the type for clang.
fn qualified(function: &Function, result: String) -> String {
    let is_qualifier = |word: &&str| ["const", "volatile", "restrict"].contains(word);
    let head = function.signature.split('(').next().unwrap_or_default();
    // Of a pointer they stand behind the last star, and where a name stands for it, before that as well.
    let own = head.rsplit_once('*').map_or(head, |(_, behind)| behind);
    let words: Vec<&str> = own.split_whitespace().take_while(is_qualifier).collect();
    match function.result_type.kind {
        Type::Pointer { .. } => [&[result.as_str()][..], &words].concat().join(" "),
        _ => [&words[..], &[&result]].concat().join(" "),
    }
}

fn assert(condition: &str, what: &str) -> String {
    format!("_Static_assert({condition}, {});", literal(what))
}

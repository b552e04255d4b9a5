//! What a stub prints: classes with the signatures of their functions.

use hotcell_model::Interface;
use hotcell_model::api::ConstantValue;
use serde::Serialize;

use super::{Names, docs, types};

/// A stub.
#[derive(Serialize)]
pub(super) struct Stubs {
    /// The library's own functions.
    methods: Vec<Method>,
    objects: Vec<Class>,
    structs: Vec<Structure>,
    enums: Vec<Enumeration>,
    constants: Vec<(String, &'static str)>,
    errors: Vec<(String, String)>,
}

/// A class of objects.
#[derive(Serialize)]
struct Class {
    name: String,
    doc: Vec<String>,
    methods: Vec<Method>,
}

/// A structure, and its functions where it stays.
#[derive(Serialize)]
struct Structure {
    name: String,
    doc: Vec<String>,
    resident: bool,
    fields: Vec<(String, String)>,
    methods: Vec<Method>,
}

#[derive(Serialize)]
struct Enumeration {
    name: String,
    doc: Vec<String>,
    members: Vec<(String, i64)>,
}

/// A function.
#[derive(Serialize)]
struct Method {
    name: String,
    params: Vec<(String, String)>,
    result: String,
    doc: Vec<String>,
}

/// Types of Python that methods and fields may hide where they are told.
const BUILTINS: &[&str] = &["bool", "bytes", "dict", "float", "int", "list", "object", "str", "tuple"];

/// Says of each type that something hides whose it is.
fn qualified(annotation: &str, hidden: &[&str]) -> String {
    let mut out = String::new();
    let mut rest = annotation;
    while let Some(start) = rest.find(|c: char| c.is_alphanumeric() || c == '_') {
        let end = rest[start..].find(|c: char| !c.is_alphanumeric() && c != '_');
        let end = end.map_or(rest.len(), |end| start + end);
        let word = &rest[start..end];
        out.push_str(&rest[..start]);
        if hidden.contains(&word) {
            out.push_str("_builtins.");
        }
        out.push_str(word);
        rest = &rest[end..];
    }
    out + rest
}

/// The types that something in a package hides.
fn hidden(names: &Names) -> Vec<&'static str> {
    let methods = names.functions.iter().map(|function| &function.name);
    let fields = names.structs.values().flat_map(|it| it.fields.iter().map(|(_, name, _)| name));
    let all: Vec<&String> = methods.chain(fields).collect();
    BUILTINS.iter().copied().filter(|ty| all.iter().any(|name| name == ty)).collect()
}

impl Stubs {
    pub(super) fn of(interface: &Interface, names: &Names) -> Stubs {
        let hidden = hidden(names);
        let methods = |owner: Option<&str>| -> Vec<Method> {
            let functions = names.functions.iter().enumerate();
            let own = functions.filter(|(_, function)| function.owner.as_deref() == owner);
            own.map(|(index, _)| Method::of(interface, names, index, &hidden)).collect()
        };
        let objects = names.objects.iter().map(|(key, named)| Class {
            name: named.name.clone(),
            doc: docs::quoted(&named.doc, 4),
            methods: methods(Some(key)),
        });
        let structs = names.structs.iter().map(|(key, named)| {
            let record = &interface.structs[key];
            let seen = record.fields.iter().filter(|field| field.offset.is_some());
            let fields = seen.zip(&named.fields).map(|(field, (_, name, _))| {
                let ty = types::field(interface, names, &field.ty, &field.role.value);
                (name.clone(), qualified(&ty, &hidden))
            });
            Structure {
                name: named.name.clone(),
                doc: docs::quoted(&named.doc, 4),
                resident: named.resident,
                fields: fields.collect(),
                methods: methods(Some(key)),
            }
        });
        let enums = names.enums.values().map(|named| Enumeration {
            name: named.name.clone(),
            doc: docs::quoted(&named.doc, 4),
            members: named.members.clone(),
        });
        let constants = names.constants.iter().map(|(name, value)| {
            let ty = match value {
                ConstantValue::Int(_) | ConstantValue::Uint(_) => "int",
                ConstantValue::Float(_) => "float",
                ConstantValue::Text(_) => "str",
            };
            (name.clone(), ty)
        });
        let errors = names.errors.iter().map(|(symbol, named)| (symbol.clone(), named.name.clone()));
        Stubs {
            methods: methods(None),
            objects: objects.collect(),
            structs: structs.collect(),
            enums: enums.collect(),
            constants: constants.collect(),
            errors: errors.collect(),
        }
    }
}

impl Method {
    fn of(interface: &Interface, names: &Names, index: usize, hidden: &[&str]) -> Method {
        let (function, named) = (&interface.functions[index], &names.functions[index]);
        let params = function.params.iter().enumerate().filter(|(_, param)| param.role.value.is_argument());
        let params = params.zip(&named.params).filter(|((position, _), _)| Some(*position) != named.own);
        Method {
            name: named.name.clone(),
            params: params
                .map(|((_, param), name)| (name.clone(), qualified(&types::parameter(names, param), hidden)))
                .collect(),
            result: qualified(&types::result(names, function), hidden),
            doc: docs::quoted(&named.doc, 8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_method_hides_is_said_in_full() {
        let check = |annotation: &str, expect: &str| assert_eq!(qualified(annotation, &["int"]), expect);
        check("int", "_builtins.int");
        check("tuple[int, str] | None", "tuple[_builtins.int, str] | None");
        check("_array[int]", "_array[_builtins.int]");
        check("Point | print", "Point | print");
        check("", "");
    }
}

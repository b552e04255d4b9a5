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
    /// Of the library, of objects, and of structures that stay.
    twins: Vec<Twins>,
    structs: Vec<Structure>,
    enums: Vec<Enumeration>,
    constants: Vec<(String, &'static str)>,
    errors: Vec<(String, String)>,
}

/// A class of objects.
#[derive(Serialize)]
struct Class {
    name: String,
    restores: bool,
    doc: Vec<String>,
    methods: Vec<Method>,
}

/// The functions of a class as they are called otherwise: those that can be.
#[derive(Serialize)]
struct Twins {
    of: String,
    columns: Vec<Variant>,
    memory: Vec<Variant>,
    /// Not there of structures.
    awaited: Option<Vec<Variant>>,
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
    /// Whether it may be passed memory to fill.
    fills: bool,
}

/// A function, called in one way.
#[derive(Serialize)]
struct Variant {
    name: String,
    params: Vec<(String, String)>,
    result: String,
    /// Whether there is another with other parameters.
    one_of_two: bool,
}

/// How a function is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    /// With memory to fill.
    Memory,
    /// For each row of columns.
    Columns,
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
            restores: named.restores,
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
        let twins = |owner, class, awaits| Twins::of(interface, names, (owner, class, awaits), &hidden);
        let of_objects = names.objects.iter().map(|(key, it)| twins(Some(key), &it.name, true));
        let of_structs = names.structs.iter().map(|(key, it)| twins(Some(key), &it.name, false));
        let twins = std::iter::once(twins(None, &names.library, true)).chain(of_objects).chain(of_structs);
        let twins = twins.collect();
        Stubs {
            twins,
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
        let plain = Variant::of(interface, names, index, hidden, Way::Plain);
        let Variant { name, params, result, one_of_two: fills } = plain;
        Method { name, params, result, doc: docs::quoted(&names.functions[index].doc, 8), fills }
    }
}

impl Variant {
    fn of(interface: &Interface, names: &Names, index: usize, hidden: &[&str], way: Way) -> Variant {
        let (function, named) = (&interface.functions[index], &names.functions[index]);
        let params = function.params.iter().enumerate().filter(|(_, param)| param.role.value.is_argument());
        let params = params.zip(&named.params).filter(|((position, _), _)| Some(*position) != named.own);
        let annotation = |param| match way {
            Way::Memory if types::is_room(param) => "_Buffer".into(),
            Way::Columns => types::column(names, param),
            _ => types::parameter(names, param),
        };
        let result = match way {
            Way::Columns => types::rows(names, function),
            _ => types::result(names, function, way == Way::Memory),
        };
        Variant {
            name: named.name.clone(),
            params: params
                .map(|((_, param), name)| (name.clone(), qualified(&annotation(param), hidden)))
                .collect(),
            result: qualified(&result, hidden),
            one_of_two: way != Way::Columns && function.params.iter().any(types::is_room),
        }
    }
}

impl Twins {
    fn of(
        interface: &Interface,
        names: &Names,
        (owner, class, awaits): (Option<&String>, &str, bool),
        hidden: &[&str],
    ) -> Twins {
        let functions = names.functions.iter().zip(&interface.functions).enumerate();
        let own = functions.filter(|(_, (named, _))| named.owner.as_ref() == owner);
        let awaited = awaits.then(Vec::new);
        let mut twins = Twins { of: class.to_owned(), columns: vec![], memory: vec![], awaited };
        for (index, (_, function)) in own {
            let variant = |way| Variant::of(interface, names, index, hidden, way);
            let fills = function.params.iter().any(types::is_room);
            // Without parameters there are no columns.
            twins.columns.extend(Some(variant(Way::Columns)).filter(|it| !it.params.is_empty()));
            twins.memory.extend(fills.then(|| variant(Way::Memory)));
            if let Some(awaited) = &mut twins.awaited
                && types::is_awaited(function)
            {
                awaited.push(variant(Way::Plain));
                awaited.extend(fills.then(|| variant(Way::Memory)));
            }
        }
        twins
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

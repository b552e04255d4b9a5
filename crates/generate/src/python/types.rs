//! The types of Python in which values of C are told.

use hotcell_model::Interface;
use hotcell_model::interface::{
    CallbackParam, CallbackRole, CallbackScope, Capacity, Encoding, FieldRole, Function, Param, ResultRole,
    Role,
};
use hotcell_model::types::{CType, Type};

use super::Names;

/// What a parameter is annotated with.
pub(super) fn parameter(names: &Names, param: &Param) -> String {
    let pointee = || param.ty.pointee().map_or(&param.ty, |(pointee, _)| pointee);
    let (ty, nullable) = match &param.role.value {
        Role::Value => (number(names, &param.ty, true), false),
        Role::ValueInOut { .. } => (number(names, pointee(), true), false),
        Role::Text { encoding, nullable } => (text(*encoding, true), *nullable),
        Role::Texts { encoding, nullable, .. } => (sequence(&text(*encoding, true)), *nullable),
        Role::BufferIn { nullable, .. } | Role::BufferInOut { nullable, .. } => {
            let ty = match param.structures() {
                Some(record) => sequence(&structure(names, record)),
                None => data_in(names, pointee()),
            };
            (ty, *nullable)
        }
        Role::BufferOut { .. } => ("int".into(), false),
        Role::Struct { record, nullable, .. } => (structure(names, record), *nullable),
        Role::Resident { record, .. } => (structure(names, record), false),
        Role::Handle { handle, nullable, .. } => (object(names, handle), *nullable),
        Role::Handles { handle, nullable } => (sequence(&object(names, handle)), *nullable),
        Role::Callback { callback, nullable } => {
            let shown = callback.params.iter().filter(|param| is_shown(param));
            let params: Vec<String> = shown.map(|param| callback_parameter(names, param)).collect();
            let fills = callback.params.iter().any(|param| matches!(param.role, CallbackRole::Room { .. }));
            let result = match callback.result.kind {
                _ if fills => "_Buffer | int | None".into(),
                Type::Void => "object".into(),
                _ => number(names, &callback.result, true),
            };
            (format!("_Callable[[{}], {result}]", params.join(", ")), *nullable)
        }
        _ => ("object".into(), false),
    };
    if nullable { format!("{ty} | None") } else { ty }
}

/// Whether a parameter is how much there is room for, or memory that is filled.
pub(super) fn is_room(param: &Param) -> bool {
    matches!(param.role.value, Role::BufferOut { capacity: Capacity::Caller, .. })
        && param.structures().is_none()
}

/// Whether calls of a function can be awaited: none of Python's functions runs in them.
pub(super) fn is_awaited(function: &Function) -> bool {
    let runs = |param: &Param| match &param.role.value {
        Role::Callback { callback, .. } => callback.scope == CallbackScope::Call,
        _ => false,
    };
    !function.params.iter().any(runs)
}

/// What a function is annotated to return; `filled` is whether it is passed memory to fill.
pub(super) fn result(names: &Names, function: &Function, filled: bool) -> String {
    match results(names, function, filled).as_slice() {
        [] => "None".into(),
        [one] => one.clone(),
        all => format!("tuple[{}]", all.join(", ")),
    }
}

/// What one parameter of `map` is annotated with: what is the same for each row, or one for each.
pub(super) fn column(names: &Names, param: &Param) -> String {
    let pointee = || param.ty.pointee().map_or(&param.ty, |(pointee, _)| pointee);
    let one = parameter(names, param);
    match &param.role.value {
        Role::Value | Role::ValueInOut { .. } | Role::BufferOut { .. } => format!("_Numbers[{one}]"),
        Role::Struct { .. } => format!("_Structures[{one}]"),
        Role::Texts { .. } | Role::Handles { .. } => sequence(&one),
        // A list is a column, and never one row.
        Role::BufferIn { nullable, .. } | Role::BufferInOut { nullable, .. } => {
            let same = match (param.structures().is_some(), is_byte(pointee())) {
                (false, true) => return format!("_Column[{one}]"),
                (false, false) => "_Buffer | ",
                (true, _) => "",
            };
            let none = if *nullable { " | None" } else { "" };
            format!("{same}{}{none}", sequence(&one))
        }
        _ => format!("_Column[{one}]"),
    }
}

/// What `map` of a function is annotated to return.
pub(super) fn rows(names: &Names, function: &Function) -> String {
    let all = results(names, function, false);
    let outs = function.params.iter().filter(|param| is_number_out(&param.role.value));
    let number = match (&function.result.value, outs.collect::<Vec<_>>().as_slice()) {
        (ResultRole::Value, []) => Some(&function.result_type),
        (_, [param]) => param.ty.pointee().map(|(pointee, _)| pointee),
        _ => None,
    };
    match (all.as_slice(), number) {
        ([_], Some(number)) => numbers(number),
        _ => format!("list[{}]", result(names, function, false)),
    }
}

fn is_number_out(role: &Role) -> bool {
    matches!(role, Role::ValueOut { .. } | Role::ValueInOut { .. })
}

fn results(names: &Names, function: &Function, filled: bool) -> Vec<String> {
    let mut all = Vec::new();
    let maybe = |ty: String, nullable: bool| if nullable { format!("{ty} | None") } else { ty };
    match &function.result.value {
        ResultRole::Value => all.push(number(names, &function.result_type, false)),
        ResultRole::Text { encoding, nullable, .. } => all.push(maybe(text(*encoding, false), *nullable)),
        ResultRole::Texts { encoding, nullable, .. } => {
            all.push(maybe(format!("list[{} | None]", text(*encoding, false)), *nullable));
        }
        ResultRole::Buffer { nullable, .. } => {
            let ty = match (function.returned_structures(), function.result_type.pointed_elements()) {
                (Some(record), _) => format!("list[{}]", structure(names, record)),
                (None, Some((element, _))) => data_out(element),
                _ => "bytes".into(),
            };
            all.push(maybe(ty, *nullable));
        }
        ResultRole::Struct { record, nullable, .. } => all.push(maybe(structure(names, record), *nullable)),
        ResultRole::Handle { handle, nullable, .. } => all.push(maybe(object(names, handle), *nullable)),
        ResultRole::Void | ResultRole::Status | ResultRole::LengthOf { .. } => {}
    }
    for param in &function.params {
        let pointee = || param.ty.pointee().map_or(&param.ty, |(pointee, _)| pointee);
        all.push(match &param.role.value {
            _ if filled && is_room(param) => "int".into(),
            role if is_number_out(role) => number(names, pointee(), false),
            Role::BufferOut { .. } | Role::BufferInOut { .. } => match param.structures() {
                Some(record) => format!("list[{}]", structure(names, record)),
                None => {
                    let ty = data_out(pointee());
                    maybe(ty, matches!(param.role.value, Role::BufferInOut { nullable: true, .. }))
                }
            },
            Role::DataOut { .. } => {
                maybe(pointee().pointee().map_or("bytes".into(), |(it, _)| data_out(it)), true)
            }
            Role::TextOut { encoding, .. } => maybe(text(*encoding, false), true),
            Role::TextsOut { encoding, .. } => format!("list[{} | None] | None", text(*encoding, false)),
            Role::OffsetOut { .. } => "int | None".into(),
            Role::HandleOut { handle, nullable, .. } => maybe(object(names, handle), *nullable),
            Role::Struct { record, direction, .. } if !direction.goes_in() => structure(names, record),
            _ => continue,
        });
    }
    all
}

/// What a field of a structure is annotated with.
pub(super) fn field(interface: &Interface, names: &Names, ty: &CType, role: &FieldRole) -> String {
    let pointee = || ty.pointee().map_or(ty, |(pointee, _)| pointee);
    match role {
        FieldRole::Value | FieldRole::Bits { .. } => number(names, ty, true),
        // As they are read: a checker would else want each looked at.
        FieldRole::Text { encoding, .. } => format!("{} | None", text(*encoding, false)),
        FieldRole::TextArray { encoding, .. } => text(*encoding, false),
        FieldRole::Struct { record } => structure(names, record),
        FieldRole::Structs { record, .. } => sequence(&structure(names, record)),
        FieldRole::Pointer { record, .. } => format!("{} | None", structure(names, record)),
        FieldRole::Array { .. } => ty.array().map_or("object".into(), |(element, _)| data_in(names, element)),
        FieldRole::Data { record: Some(record), .. } => sequence(&structure(names, record)),
        FieldRole::Data { .. } | FieldRole::BufferIn { .. } | FieldRole::BufferOut { .. } => {
            format!("{} | None", data_in(names, pointee()))
        }
        FieldRole::Union { record, .. } => {
            let members = interface.structs.get(record).into_iter().flat_map(|it| &it.fields);
            let all: Vec<String> =
                members.map(|it| field(interface, names, &it.ty, &it.role.value)).collect();
            if all.is_empty() { "object".into() } else { format!("dict[str, {}]", all.join(" | ")) }
        }
        _ => "_Any".into(),
    }
}

/// Whether what calls a function of Python passes this.
pub(super) fn is_shown(param: &CallbackParam) -> bool {
    !matches!(param.role, CallbackRole::LengthOf { .. } | CallbackRole::UserData)
}

fn callback_parameter(names: &Names, param: &CallbackParam) -> String {
    match &param.role {
        CallbackRole::Text { encoding, nullable } => {
            format!("{}{}", text(*encoding, false), if *nullable { " | None" } else { "" })
        }
        CallbackRole::Buffer { .. } => param.ty.pointee().map_or("bytes".into(), |(it, _)| data_out(it)),
        CallbackRole::Texts { encoding, nullable, .. } => {
            format!("list[{}{}]", text(*encoding, false), if *nullable { " | None" } else { "" })
        }
        CallbackRole::Room { .. } => "int".into(),
        CallbackRole::Handle { handle, nullable, .. } => {
            format!("{}{}", object(names, handle), if *nullable { " | None" } else { "" })
        }
        CallbackRole::Handles { handle, .. } => format!("list[{}]", object(names, handle)),
        _ => number(names, &param.ty, false),
    }
}

fn sequence(of: &str) -> String {
    format!("_Sequence[{of}]")
}

fn number(names: &Names, ty: &CType, goes_in: bool) -> String {
    match &ty.kind {
        Type::Bool => "bool".into(),
        Type::Float { .. } => "float".into(),
        Type::Enum { name, .. } if goes_in && names.enums.contains_key(name) => {
            format!("{} | int", names.enums[name].name)
        }
        _ => "int".into(),
    }
}

/// A text; one of no known encoding goes in as either, and comes out as bytes.
fn text(encoding: Encoding, goes_in: bool) -> String {
    match (encoding, goes_in) {
        (Encoding::Bytes, true) => "bytes | str".into(),
        (Encoding::Bytes, false) => "bytes".into(),
        (Encoding::Utf8, true) => "str | bytes".into(),
        _ => "str".into(),
    }
}

fn is_byte(element: &CType) -> bool {
    matches!(element.kind, Type::Void | Type::Char | Type::Int { bits: 8, signed: false })
}

fn data_in(names: &Names, element: &CType) -> String {
    match is_byte(element) {
        true => "_Buffer".into(),
        false => format!("_Buffer | {}", sequence(&number(names, element, true))),
    }
}

fn data_out(element: &CType) -> String {
    if is_byte(element) { "bytes".into() } else { numbers(element) }
}

/// Several numbers.
fn numbers(element: &CType) -> String {
    match &element.kind {
        Type::Bool => "list[bool]".into(),
        Type::Float { .. } => "_array[float]".into(),
        _ => "_array[int]".into(),
    }
}

fn structure(names: &Names, record: &str) -> String {
    names.structs.get(record).map_or("object".into(), |it| it.name.clone())
}

fn object(names: &Names, handle: &str) -> String {
    let resident = || names.structs.get(handle).map(|it| it.name.clone());
    names.objects.get(handle).map(|it| it.name.clone()).or_else(resident).unwrap_or_else(|| "object".into())
}

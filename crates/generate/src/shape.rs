//! What holds for packages in every language: whose method a function is, what things are called by, what is done with
//! structures, what a header's comments say.

use std::collections::BTreeMap;

use hotcell_model::Interface;
use hotcell_model::interface::{Fails, FieldRole, Function, Param, Role, Struct, StructField, Told};
use hotcell_model::layout::{Block, Carries, WireKind};
use hotcell_model::types::{CType, Type};

use crate::Error;

pub(crate) mod comments;
pub(crate) mod deeds;
pub(crate) mod doxygen;
pub(crate) mod fields;
pub(crate) mod libraries;
pub(crate) mod naming;
pub(crate) mod owner;
pub(crate) mod releases;

/// Whether a call of this function can be in a batch, or a pipeline. All that it needs is known when it is put there, and all that it
/// changes comes out of it: so it calls nothing back that it is passed, and changes no structure of the caller.
pub(crate) fn is_batched(function: &Function) -> bool {
    function.params.iter().all(|param| match &param.role.value {
        Role::Callback { .. } | Role::Resident { .. } => false,
        Role::Struct { direction, .. } => !(param.role.value.is_argument() && direction.goes_out()),
        // Such a place is counted with the text at hand.
        Role::OffsetOut { param: of, .. } => function.params.get(*of).is_none_or(
            |of| !matches!(&of.role.value, Role::Text { encoding, .. } if encoding.is_converted()),
        ),
        _ => true,
    })
}

/// Whether a function is passed numbers alone, one at least.
pub(crate) fn takes_numbers(function: &Function) -> bool {
    let mut arguments =
        function.params.iter().map(|it| &it.role.value).filter(|it| it.is_argument()).peekable();
    arguments.peek().is_some() && arguments.all(|it| matches!(it, Role::Value | Role::ValueInOut { .. }))
}

/// Where a value lies in a block.
pub(crate) fn offset(function: &Function, block: &Block, carries: Carries) -> Result<u32, Error> {
    block.field(carries).map(|field| field.offset).ok_or_else(|| {
        let what = "its layout is not the one its roles demand".into();
        Error::Inconsistent { function: function.name.clone(), what }
    })
}

/// That a parameter's role has no generator.
pub(crate) fn unsupported(function: &Function, param: &Param) -> Error {
    let what = format!("parameter `{}` ({})", param.name, param.ty.written);
    Error::Unsupported { function: function.name.clone(), what }
}

/// That the interface names something that it does not have.
pub(crate) fn missing(function: &str, what: &str, key: &str) -> Error {
    let what = format!("it names the {what} `{key}`, which is not there");
    Error::Inconsistent { function: function.to_owned(), what }
}

/// That the interface contradicts itself at a function.
pub(crate) fn inconsistent(function: &Function, what: String) -> Error {
    Error::Inconsistent { function: function.name.clone(), what }
}

/// Whether callers get something from a parameter that is a result by itself: what is an argument as well is changed in place.
pub(crate) fn comes_out(param: &Param) -> bool {
    let role = &param.role.value;
    let in_place = matches!(role, Role::Resident { .. } | Role::Struct { .. }) && role.is_argument();
    role.is_result() && !in_place
}

/// Whether a call changes the value of a structure that stays: one of which nothing travels only gets its object.
pub(crate) fn changes(interface: &Interface, param: &Param) -> bool {
    match &param.role.value {
        Role::Resident { record, starts, .. } => {
            starts.is_some() || interface.structs.get(record).is_none_or(Struct::travels)
        }
        _ => false,
    }
}

/// When the library's own errors are, in words behind "when"; nothing where it reports none.
pub(crate) fn fails(function: &Function) -> Option<&'static str> {
    function.error.as_ref().map(|rule| match &rule.value.fails {
        Fails::Nonzero => "the result is not 0",
        Fails::Zero => "the result is 0",
        Fails::Negative => "the result is negative",
        Fails::Null => "the result is NULL",
        Fails::When { .. } => "the contract says that the call failed",
    })
}

/// A function's declaration on one line.
pub(crate) fn signature(function: &Function) -> String {
    function.signature.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Integer types of the enumerations whose values are seen by callers.
pub(crate) fn enums(interface: &Interface) -> BTreeMap<String, WireKind> {
    let mut integers = BTreeMap::new();
    let mut see = |ty: &CType| {
        let ty = ty.pointee().map_or(ty, |(pointee, _)| pointee);
        if let Type::Enum { name, .. } = &ty.kind
            && let Some(kind) = WireKind::of_scalar(ty, &interface.target)
            && interface.enums.contains_key(name)
        {
            integers.insert(name.clone(), kind);
        }
    };
    for function in &interface.functions {
        see(&function.result_type);
        for param in &function.params {
            see(&param.ty);
            if let Role::Callback { callback, .. } = &param.role.value {
                callback.params.iter().map(|param| &param.ty).chain([&callback.result]).for_each(&mut see);
            }
        }
    }
    let fields = interface.structs.values().flat_map(|record| &record.fields);
    fields.filter(|field| field.role.value == FieldRole::Value).for_each(|field| see(&field.ty));
    integers
}

/// The structure that a union is in, its field, and what says which member is there.
pub(crate) fn union_holder<'a>(
    interface: &'a Interface,
    key: &str,
) -> Result<(&'a Struct, &'a StructField, &'a Told), Error> {
    let holder = interface.structs.values().find_map(|holder| {
        holder.fields.iter().find_map(|field| match &field.role.value {
            FieldRole::Union { record, told, .. } if record == key => Some((holder, field, told)),
            _ => None,
        })
    });
    holder.ok_or_else(|| Error::Inconsistent {
        function: key.to_owned(),
        what: "it is a union that no structure has".into(),
    })
}

/// How a union is called.
pub(crate) fn union_of(holder: &Struct, field: &StructField) -> String {
    match &field.role.value {
        FieldRole::Union { anonymous: true, .. } => format!("the union in `{}`", holder.c_name),
        _ => format!("the union `{}` of `{}`", field.name, holder.c_name),
    }
}

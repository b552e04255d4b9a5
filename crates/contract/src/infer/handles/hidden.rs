//! The rule `made-and-ended` for `void` with a name of its own: `typedef void CURL`.
//!
//! A name that stands for `void` behind a pointer is there to tell objects of one kind from all else; where a function returns
//! such a pointer and another one ends what it points to, it is an object. `GLvoid` is `void` and no more.

use std::collections::{BTreeMap, BTreeSet};

use hotcell_model::api::{Api, Function};
use hotcell_model::types::{CType, Type};

use crate::infer::handles::InferredHandle;
use crate::infer::handles::defined::ends_first;
use crate::type_names::unqualified;

/// The names of `void` that are objects. Nothing is concluded about their releases.
pub(super) fn types(api: &Api, exports: Option<&BTreeSet<String>>) -> Vec<InferredHandle> {
    let there = |function: &&Function| exports.is_none_or(|exports| exports.contains(&function.name));
    let mut found: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
    for function in api.functions.iter().filter(there) {
        if let Some(name) = named_void(&function.result) {
            found.entry(name).or_default().0 = true;
        }
        let first = function.params.first().filter(|_| ends_first(function));
        if let Some(name) = first.and_then(|param| named_void(&param.ty)) {
            found.entry(name).or_default().1 = true;
        }
    }
    let object = |(name, (returned, ended)): (&str, (bool, bool))| {
        (returned && ended).then(|| InferredHandle {
            name: name.to_owned(),
            c_type: format!("{name} *"),
            release: None,
            rule: "made-and-ended",
        })
    };
    found.into_iter().filter_map(object).collect()
}

/// The name of a `void` that a pointer shows, where it says more than that it is one.
fn named_void(ty: &CType) -> Option<&str> {
    let (pointee, constant) = ty.pointee()?;
    let name = unqualified(&pointee.written);
    let shown = ty.written.contains('*');
    let says = !name.to_ascii_lowercase().contains("void");
    (pointee.kind == Type::Void && !constant && shown && says).then_some(name)
}

//! Structures of which nothing says what they are to callers: functions wait for one line about the type.

use std::collections::BTreeMap;

use hotcell_model::interface::LeftOut;

use crate::check::Link;
use crate::infer::{self, Known};
use crate::type_names::TypeNames;

/// A structure that is neither a handle type nor one whose fields can travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenType {
    /// As a contract names it.
    pub name: String,
    /// The functions that wait for it, in the order of the headers.
    pub functions: Vec<String>,
    /// The line that makes it an object, which callers hold and never look into.
    pub handle: String,
    /// The lines that make it a structure, whose fields go with every call; none when no lines would.
    pub structure: Option<String>,
}

/// The types that functions wait for, those of most functions first.
pub(crate) fn find(
    known: Known<'_>,
    names: &TypeNames,
    link: Link<'_>,
    left_out: &[LeftOut],
) -> Vec<OpenType> {
    let mut waiting: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for function in left_out {
        for key in &function.open_types {
            waiting.entry(key).or_default().push(function.name.clone());
        }
    }
    if waiting.is_empty() {
        return Vec::new();
    }
    let keys = |key: &str| waiting.contains_key(key);
    let named = infer::handles::of_records(known.api, link.exports, known.handles.pairs(), &keys);
    let mut types: Vec<OpenType> = named
        .into_iter()
        .filter_map(|(key, handle)| {
            let release = handle.release.map(|name| format!(" release = \"{name}\" ")).unwrap_or_default();
            let name = names.typedef_of(key).map_or(handle.name, str::to_owned);
            Some(OpenType {
                handle: format!("handle.{name} = {{{release}}}"),
                name,
                functions: waiting.get(key)?.clone(),
                structure: known.structs.why_not(key).and_then(|unfit| unfit.help.clone()),
            })
        })
        .collect();
    types.sort_by(|a, b| b.functions.len().cmp(&a.functions.len()).then_with(|| a.name.cmp(&b.name)));
    types
}

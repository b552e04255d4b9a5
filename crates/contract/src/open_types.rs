//! Structures of which nothing says what they are to callers: functions wait for one line about the type.

mod made;

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
    /// The line that makes it an object, which callers hold and never look into; none where nothing gives callers one.
    pub handle: Option<String>,
    /// Whether a function gives callers one, so that it is more likely an object than anything else.
    pub given: bool,
    /// The lines that have it stay in the worker between calls; none where the headers do not show what begins and what ends one.
    pub resident: Option<String>,
    /// The lines that make it a structure, whose fields go with every call; none when no lines would.
    pub structure: Option<String>,
}

/// What a structure may be to callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    /// What it is then, as in *an object, which …*.
    pub what: &'static str,
    /// When that is right, as in *when callers …*.
    pub when: &'static str,
    /// The lines that say so.
    pub lines: &'a str,
}

impl OpenType {
    /// What it may be, what is likelier first.
    pub fn answers(&self) -> Vec<Answer<'_>> {
        let handle = self.handle.as_deref().map(|lines| Answer {
            what: "an object, which callers hold and never look into",
            when: "when callers hold it and never look into it",
            lines,
        });
        let resident = self.resident.as_deref().map(|lines| Answer {
            what: "a structure that callers make, and that stays with the library between calls",
            when: "when callers make it, and it stays with the library between calls",
            lines,
        });
        let structure = self.structure.as_deref().map(|lines| Answer {
            what: "a structure, whose fields go with every call",
            when: "when its fields go with every call (`zero` hides one: NULL goes in, and nothing comes out)",
            lines,
        });
        let (first, last) = if self.given { (handle, None) } else { (None, handle) };
        first.into_iter().chain(resident).chain(structure).chain(last).collect()
    }
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
    let named =
        infer::handles::of_records(known.api, known.functions, link.library(), known.handles.pairs(), &keys);
    let mut types: Vec<OpenType> = named
        .into_iter()
        .filter_map(|(key, handle)| {
            let release = handle.release.map(|name| format!(" release = \"{name}\" ")).unwrap_or_default();
            let name = names.typedef_of(key).map_or(handle.name, str::to_owned);
            let structure = known.structs.why_not(key).and_then(|unfit| unfit.help.clone());
            let given = made::is_given(known.api, key);
            let resident =
                if given { None } else { made::resident(known.api, waiting.get(key)?, key, &name) };
            // What is in another structure can be got from there.
            let got = resident.is_none() && (structure.is_none() || made::is_in_another(known.api, key));
            let handle = (given || got).then(|| format!("handle.{name} = {{{release}}}"));
            let functions = waiting.get(key)?.clone();
            Some(OpenType { name, functions, handle, given, resident, structure })
        })
        .collect();
    types.sort_by(|a, b| b.functions.len().cmp(&a.functions.len()).then_with(|| a.name.cmp(&b.name)));
    types
}

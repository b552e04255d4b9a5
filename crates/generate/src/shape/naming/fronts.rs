//! What names of a library are worth without what they all start with, in words: a language joins them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use hotcell_model::Interface;

use super::prefix::{Prefix, shared, type_words};
use super::words;
use crate::shape::is_batched;
use crate::shape::owner::Owner;

/// What stands in front of names.
pub(crate) struct Fronts {
    pub(crate) functions: Option<Prefix>,
    pub(crate) constants: Option<Prefix>,
}

/// What something may go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Candidate {
    /// These words, and whether a `_` stands behind the last, as in C.
    Words(Vec<String>, bool),
    /// What C calls it.
    AsInC(String),
}

/// The type whose method a function is: its key, and the letters that all its methods start with.
pub(crate) type Of<'a> = Option<(&'a str, Option<usize>)>;

impl Fronts {
    /// Those of a library.
    pub(crate) fn of(interface: &Interface) -> Fronts {
        let left_out = interface.left_out.iter().map(|function| function.name.as_str());
        let functions = interface.functions.iter().map(|function| function.name.as_str()).chain(left_out);
        let constants = interface.constants.keys().map(String::as_str);
        Fronts {
            functions: Prefix::of_functions(&interface.library, functions),
            constants: Prefix::before_underscore(constants),
        }
    }

    /// Words of a type, whose name in C is `written` where that is not its key.
    pub(crate) fn types(&self, key: &str, written: &str) -> Vec<Vec<String>> {
        let own = type_words(written);
        let short = self.functions.as_ref().and_then(|prefix| prefix.strip(&own)).map(<[String]>::to_vec);
        short.into_iter().chain([own.clone(), words(written), words(key)]).collect()
    }

    /// Names of methods, by function: without the library's words and those of their type. `choose` gives those of one
    /// type, which has this key, their names.
    pub(crate) fn methods(
        &self,
        interface: &Interface,
        choose: impl Fn(Option<&str>, &[Vec<Candidate>]) -> Vec<String>,
    ) -> Vec<String> {
        let functions = &interface.functions;
        let mut names = vec![String::new(); functions.len()];
        let mut owners = BTreeMap::<Option<&str>, Vec<usize>>::new();
        for (index, function) in functions.iter().enumerate() {
            owners.entry(Owner::of(function).key()).or_default().push(index);
        }
        for (owner, indices) in owners {
            let all: Vec<&str> = indices.iter().map(|&at| functions[at].name.as_str()).collect();
            let glued = owner.and_then(|key| glued(written(interface, key), &all));
            let candidates: Vec<_> =
                all.iter().map(|name| self.method(name, owner.map(|key| (key, glued)))).collect();
            let chosen = choose(owner, &candidates);
            indices.into_iter().zip(chosen).for_each(|(index, name)| names[index] = name);
        }
        names
    }

    /// Names of a batch's methods, by function, without the library's words; empty where there is none.
    pub(crate) fn batch(
        &self,
        interface: &Interface,
        choose: impl Fn(&[Vec<Candidate>]) -> Vec<String>,
    ) -> Vec<String> {
        let functions = &interface.functions;
        let mut names = vec![String::new(); functions.len()];
        let taken: Vec<usize> = (0..functions.len()).filter(|&at| is_batched(&functions[at])).collect();
        let candidates: Vec<_> = taken.iter().map(|&at| self.method(&functions[at].name, None)).collect();
        let chosen = choose(&candidates);
        taken.into_iter().zip(chosen).for_each(|(index, name)| names[index] = name);
        names
    }

    /// What a function may go by, as a method of a type.
    pub(crate) fn method(&self, name: &str, owner: Of<'_>) -> Vec<Candidate> {
        let full = words(name);
        let unglued = owner.and_then(|(_, glued)| glued).map(|glued| words(&name[glued..]));
        let strip = |words: &[String]| {
            self.functions.as_ref().and_then(|prefix| prefix.strip(words)).map(<[String]>::to_vec)
        };
        let short = strip(&full);
        let own = owner.map(|(key, _)| type_words(key)).and_then(|own| {
            let behind = |words: &[String], own: &[String]| {
                words.strip_prefix(own).filter(|rest| !rest.is_empty()).map(<[String]>::to_vec)
            };
            let short = short.as_deref().and_then(|words| behind(words, &strip(&own)?));
            short.or_else(|| behind(&full, &own))
        });
        let all = unglued.into_iter().chain(own).chain(short).chain([full]);
        let all = all.map(|words| Candidate::Words(words, name.ends_with('_')));
        // Functions whose names differ in the case of letters only are called as in C.
        all.chain([Candidate::AsInC(name.trim_start_matches('_').to_owned())]).collect()
    }

    /// Constants that belong to no type of these enumerations, with what they may go by.
    pub(crate) fn constants<'a, 'i>(
        &self,
        interface: &'i Interface,
        enums: impl Iterator<Item = &'a str>,
    ) -> Vec<(&'i str, Vec<&'i str>)> {
        let of_types: HashSet<&str> = enums
            .flat_map(|key| interface.enums[key].enumerators.iter().map(|(name, _)| name.as_str()))
            .collect();
        let names = interface.constants.keys().map(String::as_str).filter(|name| !of_types.contains(name));
        names.map(|name| (name, self.constant(name, 0))).collect()
    }

    /// What the values of an enumeration may go by.
    pub(crate) fn enumerators<'i>(&self, interface: &'i Interface, key: &str) -> Vec<Vec<&'i str>> {
        let names: Vec<&str> =
            interface.enums[key].enumerators.iter().map(|(name, _)| name.as_str()).collect();
        let start = shared(&names);
        names.into_iter().map(|name| self.constant(name, start)).collect()
    }

    /// What a constant may go by; the first `start` bytes of its name are those of all of its enumeration.
    pub(crate) fn constant<'n>(&self, name: &'n str, start: usize) -> Vec<&'n str> {
        let fronts = [&self.constants, &self.functions].into_iter().flatten();
        let short = fronts.filter_map(|prefix| prefix.strip_raw(name));
        Some(&name[start..]).filter(|_| start > 0).into_iter().chain(short).chain([name]).collect()
    }
}

/// How C writes a type, without `struct` and stars; its key where it has no name.
pub(crate) fn written<'a>(interface: &'a Interface, key: &'a str) -> &'a str {
    let of_object = interface.handles.get(key).map(|handle| handle.c_type.as_str());
    // A union goes by the structure that it is in, which may be its name in C, too.
    let of_structure =
        || interface.structs.get(key).filter(|record| !record.union).map(|record| record.c_name.as_str());
    let written = of_object.or_else(of_structure).unwrap_or(key).trim_end_matches([' ', '*']);
    match written.rsplit(' ').next() {
        Some(name) if name != "void" && !name.is_empty() => name,
        _ => key,
    }
}

/// Letters that all methods of a type start with, which are its first word: those of `gzFile` are `gzread`, `gzwrite`…
pub(crate) fn glued(written: &str, methods: &[&str]) -> Option<usize> {
    let words = words(written);
    let first = words.first().filter(|word| word.len() > 1 && words.len() > 1)?;
    let mut starts = BTreeSet::new();
    for method in methods {
        starts.insert(method.strip_prefix(first.as_str())?.chars().next()?);
    }
    // As many as would not be the rest of one longer word.
    (starts.len() > 3 && starts.iter().all(char::is_ascii_lowercase)).then_some(first.len())
}

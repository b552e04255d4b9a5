//! Names of everything in a package, chosen together.

use std::collections::BTreeMap;

use hotcell_model::Interface;

use super::{
    BATCH_METHODS, FILES, KNOWN_METHODS, METHODS, OBJECT_METHODS, PACKAGE, RESTORED_METHODS, RULES, Scope,
    camel, camel_of, file,
};
use crate::shape::naming::choice::choose;
use crate::shape::naming::fronts::{Candidate, Fronts, written};
use crate::shape::naming::words;

/// Names of everything in a package.
pub(crate) struct Names {
    /// Types of objects, by handle.
    pub(crate) objects: BTreeMap<String, String>,
    /// Files of objects, by handle, without what stands behind the dot.
    pub(crate) files: BTreeMap<String, String>,
    /// Types of structures, by record; a resident one is the object of the same key.
    pub(crate) structs: BTreeMap<String, String>,
    /// Types of enumerations.
    pub(crate) enums: BTreeMap<String, String>,
    /// Constants of enumerations, in the order of their enumerators.
    pub(crate) enumerators: BTreeMap<String, Vec<String>>,
    /// Constants that belong to no enumeration, with their names in C.
    pub(crate) constants: Vec<(String, String)>,
    /// Errors of the library, by set and code.
    pub(crate) errors: BTreeMap<String, Vec<String>>,
    /// Methods, by function.
    pub(crate) methods: Vec<String>,
    /// Methods of a batch, by function; empty where there is none.
    pub(crate) batch: Vec<String>,
    /// Methods that call by columns, by function.
    pub(crate) rows: Vec<String>,
    /// Methods beside those of functions are chosen as they are needed.
    twins: Scope,
    /// Constants for the indices of functions.
    pub(crate) indices: Vec<String>,
    /// Types of what functions with several results give back are chosen as they are needed.
    types: Scope,
}

impl Names {
    /// Names for an interface; `enums` are the enumerations that become types.
    pub(crate) fn of<'a>(interface: &'a Interface, enums: impl Iterator<Item = &'a str> + Clone) -> Names {
        let front = Fronts::of(interface);
        let structs = interface.structs.keys().filter(|key| !interface.handles.contains_key(*key));
        let keys = interface.handles.keys().chain(structs).map(String::as_str).chain(enums.clone());
        let keys: Vec<&str> = keys.collect();
        let types = |key: &str| {
            front.types(key, written(interface, key)).iter().map(|words| camel_of(words)).collect::<Vec<_>>()
        };
        let candidates: Vec<_> = keys.iter().map(|key| types(key)).collect();
        let chosen = choose(&candidates, PACKAGE, RULES);
        let named = |from: usize, count: usize| -> BTreeMap<String, String> {
            let named = keys.iter().zip(&chosen).skip(from).take(count);
            named.map(|(key, name)| ((*key).to_owned(), name.clone())).collect()
        };
        let first_enum = keys.len() - enums.clone().count();
        let objects = named(0, interface.handles.len());
        let mut structs = named(objects.len(), first_enum - objects.len());
        let residents = objects.iter().filter(|(key, _)| interface.structs.contains_key(*key));
        structs.extend(residents.map(|(key, name)| (key.clone(), name.clone())));
        let enum_types = named(first_enum, keys.len());

        // What makes structures that live in the worker is a function of the package.
        let makers: Vec<String> = structs.values().map(|name| format!("New{name}")).collect();
        let mut taken: Vec<&str> = PACKAGE.to_vec();
        taken.extend(chosen.iter().chain(&makers).map(String::as_str));
        let values = Values::of(&front, interface, &enum_types, &taken);

        let mut types = Scope::with(&taken);
        values.all().for_each(|name| drop(types.take_type(name.clone())));
        let mut files = Scope::with(FILES);
        let files = objects.iter().map(|(key, name)| (key.clone(), files.take_type(file(name)))).collect();
        let mut indices = Scope::default();
        let methods = front.methods(interface, |owner, candidates| {
            let restores = |key: &str| interface.handles.get(key).is_some_and(|it| it.restore.is_some());
            let own = match owner {
                Some(key) if restores(key) => &[OBJECT_METHODS, RESTORED_METHODS].concat(),
                Some(_) => OBJECT_METHODS,
                None => METHODS,
            };
            choose(&methods(candidates), &[own, KNOWN_METHODS].concat(), RULES)
        });
        let batch = front.batch(interface, |candidates| {
            choose(&self::methods(candidates), &[BATCH_METHODS, KNOWN_METHODS].concat(), RULES)
        });
        let own = METHODS.iter().chain(OBJECT_METHODS).chain(RESTORED_METHODS);
        let taken = own.copied().chain(methods.iter().map(String::as_str));
        let mut twins = Scope::with(&taken.collect::<Vec<_>>());
        let rows = methods.iter().map(|name| twins.take_type(format!("{name}Rows"))).collect();
        let functions = interface.functions.iter();
        Names {
            objects,
            files,
            structs,
            enums: enum_types,
            enumerators: values.enumerators,
            constants: values.constants,
            errors: values.errors,
            methods,
            batch,
            rows,
            twins,
            indices: functions.map(|it| indices.take(format!("fn_{}", camel(&it.name)))).collect(),
            types,
        }
    }

    /// A type for what a method with several results gives back.
    pub(crate) fn take_result(&mut self, method: &str, function: &str) -> String {
        let names = [method.to_owned(), camel(function)].map(|name| format!("{name}Result"));
        let free = names.iter().find(|name| !self.types.taken.contains(*name));
        self.types.take_type(free.unwrap_or(&names[1]).clone())
    }

    /// The name of a method's twin that lends buffers to the library: it changes them, or fills them only.
    pub(crate) fn take_lending(&mut self, method: &str, changes: bool) -> String {
        self.twins.take_type(format!("{method}{}", if changes { "InPlace" } else { "Into" }))
    }

    /// A type for a member of a union.
    pub(crate) fn take_member(&mut self, union: &str, member: &str) -> String {
        self.types.take_type(format!("{union}{}", camel(member)))
    }

    /// The constant with the number of a type of objects.
    pub(crate) fn kind(&self, key: &str) -> String {
        format!("kind_{}", self.objects.get(key).map_or("", String::as_str))
    }
}

/// Names of the values in a package.
struct Values {
    enumerators: BTreeMap<String, Vec<String>>,
    constants: Vec<(String, String)>,
    errors: BTreeMap<String, Vec<String>>,
}

impl Values {
    /// Those of all of an interface, chosen together: they share one scope.
    fn of(front: &Fronts, interface: &Interface, enums: &BTreeMap<String, String>, taken: &[&str]) -> Values {
        let mut candidates: Vec<Vec<String>> = Vec::new();
        for (key, ty) in enums {
            let of_type = |names: Vec<&str>| {
                let typed = names.first().map(|name| format!("{ty}{}", camel_of(&words(name))));
                typed.into_iter().chain(constants(&names)).collect()
            };
            candidates.extend(front.enumerators(interface, key).into_iter().map(of_type));
        }
        let plain = front.constants(interface, enums.keys().map(String::as_str));
        candidates.extend(plain.iter().map(|(_, names)| constants(names)));
        for codes in interface.symbols.values() {
            candidates.extend(codes.iter().map(|(_, name)| errors(&front.constant(name, 0))));
        }
        let mut chosen = choose(&candidates, taken, RULES).into_iter();
        let mut take = |count: usize| chosen.by_ref().take(count).collect::<Vec<_>>();
        let enumerators = enums.keys().map(|key| (key.clone(), interface.enums[key].enumerators.len()));
        let enumerators = enumerators.map(|(key, count)| (key, take(count))).collect();
        let names = take(plain.len());
        let constants = plain.into_iter().map(|(name, _)| name.to_owned()).zip(names).collect();
        let sets = interface.symbols.iter();
        let errors = sets.map(|(key, codes)| (key.clone(), take(codes.len()))).collect();
        Values { enumerators, constants, errors }
    }

    fn all(&self) -> impl Iterator<Item = &String> {
        let constants = self.constants.iter().map(|(_, name)| name);
        self.enumerators.values().flatten().chain(constants).chain(self.errors.values().flatten())
    }
}

/// Names of methods.
fn methods(candidates: &[Vec<Candidate>]) -> Vec<Vec<String>> {
    let name = |candidate: &Candidate| match candidate {
        Candidate::Words(words, tail) => camel_of(words) + if *tail { "_" } else { "" },
        // As in C but for its first letter.
        Candidate::AsInC(name) => {
            let mut letters = name.chars();
            letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
        }
    };
    candidates.iter().map(|all| all.iter().map(name).collect()).collect()
}

/// Names of a constant.
fn constants(names: &[&str]) -> Vec<String> {
    let as_in_c = names.last().map(|name| format!("C_{name}"));
    names.iter().map(|name| camel_of(&words(name))).chain(as_in_c).collect()
}

/// Names of an error: `Z_DATA_ERROR` is `ErrData`.
fn errors(names: &[&str]) -> Vec<String> {
    let name = |name: &&str| {
        let words = words(name);
        let mut words = words.as_slice();
        if let [rest @ .., last] = words
            && !rest.is_empty()
            && matches!(last.as_str(), "error" | "err")
        {
            words = rest;
        }
        if let [first, rest @ ..] = words
            && !rest.is_empty()
            && matches!(first.as_str(), "error" | "err")
        {
            words = rest;
        }
        format!("Err{}", camel_of(words))
    };
    let long = names.last().map(|name| format!("Err{}", camel_of(&words(name))));
    names.iter().map(name).chain(long).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_lose_the_word_for_what_they_are() {
        let check = |names: &[&str], expect: &str| assert_eq!(errors(names)[0], expect, "{names:?}");
        check(&["DATA_ERROR", "Z_DATA_ERROR"], "ErrData");
        check(&["ERROR", "SQLITE_ERROR"], "ErrError");
        check(&["error_dstSize_tooSmall", "ZSTD_error_dstSize_tooSmall"], "ErrDstSizeTooSmall");
        check(&["BUSY", "SQLITE_BUSY"], "ErrBusy");
    }

    #[test]
    fn methods_that_differ_in_case_only_are_called_as_in_c() {
        let candidates = [
            vec![Candidate::Words(vec!["j0".into()], false), Candidate::AsInC("gsl_J0".into())],
            vec![Candidate::Words(vec!["j0".into()], false), Candidate::AsInC("gsl_j0".into())],
            vec![Candidate::Words(vec!["init".into()], true)],
        ];
        let chosen = choose(&methods(&candidates), &[], RULES);
        assert_eq!(chosen, ["Gsl_J0", "Gsl_j0", "Init_"]);
    }
}

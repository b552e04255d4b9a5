//! Names of everything in a package, chosen together.

use std::collections::BTreeMap;

use hotcell_model::Interface;

use super::{
    BATCH_METHODS, METHODS, MODULES, OBJECT_METHODS, PRELUDE, RESTORED_METHODS, RULES, Scope, TYPES, camel,
    camel_of, constant, screaming, snake, type_of,
};
use crate::shape::naming::choice::choose;
use crate::shape::naming::fronts::{Candidate, Fronts, written};

/// Names of everything in a package.
pub(crate) struct Names {
    /// The type of the library.
    pub(crate) library: String,
    /// Types of objects, by handle.
    pub(crate) objects: BTreeMap<String, String>,
    /// Modules of objects, by handle.
    pub(crate) modules: BTreeMap<String, String>,
    /// Types of structures, by record; a resident one is the object of the same key.
    pub(crate) structs: BTreeMap<String, String>,
    /// Types of enumerations.
    pub(crate) enums: BTreeMap<String, String>,
    /// Constants of enumerations, in the order of their enumerators.
    pub(crate) enumerators: BTreeMap<String, Vec<String>>,
    /// Constants that belong to no enumeration.
    pub(crate) constants: BTreeMap<String, String>,
    /// Methods, by function.
    pub(crate) methods: Vec<String>,
    /// Methods of a batch, by function; empty where there is none.
    pub(crate) batch: Vec<String>,
    /// Constants for the indices of functions.
    pub(crate) indices: Vec<String>,
    types: Scope,
    twins: Scope,
}

impl Names {
    /// Names for an interface; `enums` are the enumerations that become types.
    pub(crate) fn of<'a>(interface: &'a Interface, enums: impl Iterator<Item = &'a str> + Clone) -> Names {
        let library = &interface.library;
        let front = Fronts::of(interface);

        let structs = interface.structs.keys().filter(|key| !interface.handles.contains_key(*key));
        let keys = interface.handles.keys().chain(structs).map(String::as_str).chain(enums.clone());
        let keys: Vec<&str> = keys.collect();
        let candidates: Vec<_> = keys.iter().map(|key| types(&front, key, written(interface, key))).collect();
        let chosen = choose(&candidates, PRELUDE, TYPES);
        let name = |key: &str, position: usize| (key.to_owned(), chosen[position].clone());
        let named = |from: usize, count: usize| -> BTreeMap<String, String> {
            keys.iter().enumerate().skip(from).take(count).map(|(at, key)| name(key, at)).collect()
        };
        let first_enum = keys.len() - enums.clone().count();
        let objects = named(0, interface.handles.len());
        let mut structs = named(objects.len(), first_enum - objects.len());
        structs.extend(objects.iter().filter(|(key, _)| interface.structs.contains_key(*key)).map(owned));

        let mut types = Scope::with(PRELUDE);
        chosen.iter().for_each(|name| drop(types.take_type(name.clone())));
        let taken = chosen.iter().any(|name| name.eq_ignore_ascii_case(&camel(library)));
        let library = types.take_type(if taken { "Library".into() } else { camel(library) });

        let mut modules = Scope::with(MODULES);
        let module = |(key, name): (&String, &String)| (key.clone(), modules.take(snake(name)));
        let modules = objects.iter().map(module).collect();
        let enumerators = |key: &str| choose(&constants(&front.enumerators(interface, key)), &[], RULES);
        let enumerators = enums.clone().map(|key| (key.to_owned(), enumerators(key)));
        let mut indices = Scope::default();
        let methods = front.methods(interface, |owner, candidates| {
            let restores = |key: &str| interface.handles.get(key).is_some_and(|it| it.restore.is_some());
            let reserved = match owner {
                Some(key) if restores(key) => &[OBJECT_METHODS, RESTORED_METHODS].concat(),
                Some(_) => OBJECT_METHODS,
                None => METHODS,
            };
            choose(&methods(candidates), reserved, RULES)
        });
        let (names, candidates): (Vec<&str>, Vec<_>) = front.constants(interface, enums).into_iter().unzip();
        let chosen = choose(&constants(&candidates), &[], RULES);
        let constants = names.into_iter().map(str::to_owned).zip(chosen).collect();
        let twins = Scope::with(&methods.iter().map(String::as_str).collect::<Vec<_>>());
        Names {
            library,
            objects,
            modules,
            structs,
            enums: named(first_enum, keys.len()),
            enumerators: enumerators.collect(),
            constants,
            methods,
            twins,
            batch: front
                .batch(interface, |candidates| choose(&self::methods(candidates), BATCH_METHODS, RULES)),
            indices: interface.functions.iter().map(|f| indices.take(screaming(&f.name))).collect(),
            types,
        }
    }

    /// The name of a method's twin, which leaves results where the library wrote them: that of no method of any type.
    pub(crate) fn take_twin(&mut self, method: &str) -> String {
        self.twins.take(format!("{}_shared", method.trim_end_matches('_')))
    }

    /// The name of a method's twin, which lends buffers to the library: it changes them, or fills them only.
    pub(crate) fn take_lending(&mut self, method: &str, changes: bool) -> String {
        let how = if changes { "in_place" } else { "into" };
        self.twins.take(format!("{}_{how}", method.trim_end_matches('_')))
    }

    /// The name of the method that makes a call of this one once, where that may make it again.
    pub(crate) fn take_once(&mut self, method: &str) -> String {
        self.twins.take(format!("{}_once", method.trim_end_matches('_')))
    }

    /// A type for what a method with several results gives back.
    pub(crate) fn take_output(&mut self, method: &str, function: &str) -> String {
        let names = [method, function].map(|name| format!("{}Output", camel(name)));
        let free = names.iter().find(|name| !self.types.taken.contains(*name));
        self.types.take_type(free.unwrap_or(&names[1]).clone())
    }
}

/// Names of a type.
fn types(front: &Fronts, key: &str, written: &str) -> Vec<String> {
    let all = front.types(key, written);
    // What is short of words goes on to the longer ones.
    let short = all.len() - 2;
    let name = |(at, words): (usize, &Vec<String>)| {
        if at < short { camel_of(words) } else { type_of(camel_of(words)) }
    };
    all.iter().enumerate().map(name).collect()
}

/// Names of a method.
fn methods(candidates: &[Vec<Candidate>]) -> Vec<Vec<String>> {
    let name = |candidate: &Candidate| match candidate {
        Candidate::Words(words, tail) => words.join("_") + if *tail { "_" } else { "" },
        Candidate::AsInC(name) => name.clone(),
    };
    candidates.iter().map(|all| all.iter().map(name).collect()).collect()
}

/// Names of constants.
fn constants(candidates: &[Vec<&str>]) -> Vec<Vec<String>> {
    let names = |all: &Vec<&str>| {
        let as_in_c = all.last().map(|&name| name.to_owned());
        all.iter().map(|&name| constant(name)).chain(as_in_c).collect()
    };
    candidates.iter().map(names).collect()
}

fn owned((key, name): (&String, &String)) -> (String, String) {
    (key.clone(), name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::naming::fronts::glued;
    use crate::shape::naming::prefix::Prefix;

    /// Checks the methods of a type, or of the library, among the functions of a library.
    fn check(library: &str, all: &[&str], owner: Option<&str>, expect: &[(&str, &str)]) {
        let functions = Prefix::of_functions(library, all.iter().copied());
        let front = Fronts { functions, constants: None };
        let names: Vec<&str> = expect.iter().map(|(name, _)| *name).collect();
        let owner = owner.map(|key| (key, glued(key, &names)));
        let candidates: Vec<_> = names.iter().map(|name| front.method(name, owner)).collect();
        let reserved = if owner.is_some() { OBJECT_METHODS } else { METHODS };
        let chosen = choose(&methods(&candidates), reserved, RULES);
        let expected: Vec<&str> = expect.iter().map(|(_, name)| *name).collect();
        assert_eq!(chosen, expected, "{library}");
    }

    #[test]
    fn methods_lose_what_their_library_and_their_type_say_already() {
        let sqlite =
            ["sqlite3_open", "sqlite3_close", "sqlite3_column_int", "sqlite3_finalize", "sqlite3_sleep"];
        let of_a_statement = [("sqlite3_column_int", "column_int"), ("sqlite3_finalize", "finalize")];
        check("sqlite3", &sqlite, Some("sqlite3_stmt"), &of_a_statement);
        check("sqlite3", &sqlite, Some("sqlite3"), &[("sqlite3_close", "close")]);
        // Every package has a method `open`.
        check("sqlite3", &sqlite, None, &[("sqlite3_open", "sqlite3_open"), ("sqlite3_sleep", "sleep")]);

        let zstd = ["ZSTD_compressBound", "ZSTD_CCtx_reset", "ZSTD_freeCCtx", "ZSTD_createCCtx"];
        check(
            "zstd",
            &zstd,
            None,
            &[("ZSTD_compressBound", "compress_bound"), ("ZSTD_createCCtx", "create_c_ctx")],
        );
        check(
            "zstd",
            &zstd,
            Some("ZSTD_CCtx"),
            &[("ZSTD_CCtx_reset", "reset"), ("ZSTD_freeCCtx", "free_c_ctx")],
        );

        let json = ["cJSON_GetArraySize", "cJSON_Delete", "cJSON_Parse"];
        let of_an_item = [("cJSON_GetArraySize", "get_array_size"), ("cJSON_Delete", "delete")];
        check("cjson", &json, Some("cJSON"), &of_an_item);

        let lists = ["foo_list_append", "foo_list_length", "foo_version", "foo_listing"];
        let of_a_list =
            [("foo_list_append", "append"), ("foo_list_length", "length"), ("foo_listing", "listing")];
        check("foo", &lists, Some("foo_list_t"), &of_a_list);
    }

    #[test]
    fn methods_keep_what_they_need() {
        // Without a common prefix; a type's own word counts in whole words only.
        let zlib = ["gzread", "gzclose", "deflate", "deflateInit_", "deflateEnd", "crc32"];
        check("zlib", &zlib, Some("gzFile"), &[("gzread", "gzread"), ("gzclose", "gzclose")]);
        check("zlib", &zlib, None, &[("deflateInit_", "deflate_init_"), ("crc32", "crc32")]);
        let files = [("gzread", "read"), ("gzclose_r", "close_r"), ("gzeof", "eof"), ("gztell", "tell")];
        check("zlib", &zlib, Some("gzFile"), &files);
        // Reserved words, digits, and the type's name alone.
        let foo = ["foo_match", "foo_2d", "foo_list", "foo_x"];
        check("foo", &foo, None, &[("foo_match", "foo_match"), ("foo_2d", "foo_2d"), ("foo_x", "x")]);
        check("foo", &foo, Some("foo_list"), &[("foo_list", "list")]);
        // Two that would be the same, and what every object has.
        let bar = ["bar_get", "bar_item_get", "bar_item_clone", "bar_Clone"];
        let of_an_item =
            [("bar_get", "bar_get"), ("bar_item_get", "item_get"), ("bar_item_clone", "item_clone")];
        check("bar", &bar, Some("bar_item"), &of_an_item);
    }

    #[test]
    fn methods_whose_names_differ_in_case_only_are_called_as_in_c() {
        let all = ["gsl_sf_bessel_J0", "gsl_sf_bessel_j0", "gsl_sf_bessel_J1"];
        let expect = [
            ("gsl_sf_bessel_J0", "gsl_sf_bessel_J0"),
            ("gsl_sf_bessel_j0", "gsl_sf_bessel_j0"),
            ("gsl_sf_bessel_J1", "sf_bessel_j1"),
        ];
        check("gsl", &all, None, &expect);
        let turned = [expect[1], expect[0], expect[2]];
        check("gsl", &all, None, &turned);
    }

    fn check_types(functions: &[&str], expect: &[(&str, &str)]) {
        let functions = Prefix::of_functions("some", functions.iter().copied());
        let front = Fronts { functions, constants: None };
        let candidates: Vec<_> = expect.iter().map(|(key, _)| types(&front, key, key)).collect();
        let expected: Vec<&str> = expect.iter().map(|(_, name)| *name).collect();
        assert_eq!(choose(&candidates, PRELUDE, TYPES), expected);
    }

    #[test]
    fn types_are_named_from_their_own_names() {
        let sqlite = ["sqlite3_open", "sqlite3_close"];
        check_types(&sqlite, &[("sqlite3", "Sqlite3"), ("sqlite3_stmt", "Stmt"), ("gzFile", "GzFile")]);
        check_types(&["cJSON_Parse", "cJSON_Delete"], &[("cJSON", "CJson"), ("cJSON_Hooks", "Hooks")]);
        let foo = ["foo_a", "foo_b"];
        check_types(&foo, &[("foo_list_t", "List"), ("foo_option", "FooOption"), ("foo_Vec", "FooVec")]);
        check_types(&foo, &[("foo_item", "FooItem"), ("item", "Item"), ("foo_t", "Foo")]);
        check_types(&[], &[("fx_color", "FxColor"), ("fxColor", "FxColor2"), ("_", "Lib")]);
    }

    #[test]
    fn constants_lose_what_most_of_them_start_with() {
        let check = |all: &[&str], name: &str, start: usize, expect: &str| {
            let front = Fronts { functions: None, constants: Prefix::before_underscore(all.iter().copied()) };
            assert_eq!(constants(&[front.constant(name, start)])[0][0], expect, "{name}");
        };
        let all = ["Z_OK", "Z_ERRNO", "ZLIB_VERSION"];
        check(&all, "Z_OK", 0, "OK");
        check(&all, "ZLIB_VERSION", 0, "ZLIB_VERSION");
        check(&all, "ZSTD_c_windowLog", "ZSTD_c_".len(), "WINDOW_LOG");
        check(&["E2BIG"], "E2BIG", 0, "E2BIG");
        check(&["lower"], "lower", 0, "LOWER");
    }
}

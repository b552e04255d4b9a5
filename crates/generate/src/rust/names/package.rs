//! Names of everything in a package, chosen together.

use std::collections::{BTreeMap, BTreeSet};

use hotcell_model::Interface;

use super::prefix::{Prefix, shared, type_words};
use super::{
    BATCH_METHODS, METHODS, MODULES, OBJECT_METHODS, PRELUDE, RESTORED_METHODS, Scope, camel, camel_of,
    choice, constant, screaming, snake, words,
};
use crate::rust::batch;
use crate::rust::owner::Owner;

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
        let left_out = interface.left_out.iter().map(|function| function.name.as_str());
        let functions = interface.functions.iter().map(|function| function.name.as_str()).chain(left_out);
        let library = &interface.library;
        let prefix = Prefix::of_functions(library, functions);
        let all_constants = interface.constants.keys().map(String::as_str);
        let front = Fronts { functions: prefix, constants: Prefix::before_underscore(all_constants) };

        let structs = interface.structs.keys().filter(|key| !interface.handles.contains_key(*key));
        let keys = interface.handles.keys().chain(structs).map(String::as_str).chain(enums.clone());
        let keys: Vec<&str> = keys.collect();
        let candidates: Vec<_> = keys.iter().map(|key| front.types(key, written(interface, key))).collect();
        let chosen = choice::choose(&candidates, PRELUDE, Scope::take_type);
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
        let enumerators = enums.clone().map(|key| (key.to_owned(), front.enumerators(interface, key)));
        let mut indices = Scope::default();
        let methods = front.methods(interface);
        let twins = Scope::with(&methods.iter().map(String::as_str).collect::<Vec<_>>());
        Names {
            library,
            objects,
            modules,
            structs,
            enums: named(first_enum, keys.len()),
            enumerators: enumerators.collect(),
            constants: front.constants(interface, enums),
            methods,
            twins,
            batch: front.batch(interface),
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

/// What stands in front of names.
struct Fronts {
    functions: Option<Prefix>,
    constants: Option<Prefix>,
}

impl Fronts {
    /// Names of a type, whose name in C is `written` where that is not its key.
    fn types(&self, key: &str, written: &str) -> Vec<String> {
        let words = type_words(written);
        let short = self.functions.as_ref().and_then(|prefix| prefix.strip(&words));
        let long = [camel_of(&words), camel(written), camel(key)];
        short.map(camel_of).into_iter().chain(long).collect()
    }

    /// Methods of each type, without the library's words and those of the type itself.
    fn methods(&self, interface: &Interface) -> Vec<String> {
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
            let restores = |key: &str| interface.handles.get(key).is_some_and(|it| it.restore.is_some());
            let reserved = match owner {
                Some(key) if restores(key) => &[OBJECT_METHODS, RESTORED_METHODS].concat(),
                Some(_) => OBJECT_METHODS,
                None => METHODS,
            };
            let chosen = choice::choose(&candidates, reserved, Scope::take);
            indices.into_iter().zip(chosen).for_each(|(index, name)| names[index] = name);
        }
        names
    }

    /// Methods of a batch, without the library's words.
    fn batch(&self, interface: &Interface) -> Vec<String> {
        let functions = &interface.functions;
        let mut names = vec![String::new(); functions.len()];
        let taken: Vec<usize> = (0..functions.len()).filter(|&at| batch::takes(&functions[at])).collect();
        let candidates: Vec<_> = taken.iter().map(|&at| self.method(&functions[at].name, None)).collect();
        let chosen = choice::choose(&candidates, BATCH_METHODS, Scope::take);
        taken.into_iter().zip(chosen).for_each(|(index, name)| names[index] = name);
        names
    }

    /// Names of a function, as a method of the type with this key and with what all methods start with.
    fn method(&self, name: &str, owner: Option<(&str, Option<usize>)>) -> Vec<String> {
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
        let tail = if name.ends_with('_') { "_" } else { "" };
        unglued
            .into_iter()
            .chain(own)
            .chain(short)
            .chain([full])
            .map(|words| words.join("_") + tail)
            // Functions whose names differ in the case of letters only are called as in C.
            .chain([name.trim_start_matches('_').to_owned()])
            .collect()
    }

    fn constants<'a>(
        &self,
        interface: &Interface,
        enums: impl Iterator<Item = &'a str>,
    ) -> BTreeMap<String, String> {
        let of_types: Vec<&str> = enums
            .flat_map(|key| interface.enums[key].enumerators.iter().map(|(name, _)| name.as_str()))
            .collect();
        let names = interface.constants.keys().filter(|name| !of_types.contains(&name.as_str()));
        let names: Vec<&String> = names.collect();
        let candidates: Vec<_> = names.iter().map(|name| self.constant(name, 0)).collect();
        let chosen = choice::choose(&candidates, &[], Scope::take);
        names.into_iter().cloned().zip(chosen).collect()
    }

    fn enumerators(&self, interface: &Interface, key: &str) -> Vec<String> {
        let names: Vec<&str> =
            interface.enums[key].enumerators.iter().map(|(name, _)| name.as_str()).collect();
        let start = shared(&names);
        let candidates: Vec<_> = names.iter().map(|name| self.constant(name, start)).collect();
        choice::choose(&candidates, &[], Scope::take)
    }

    fn constant(&self, name: &str, start: usize) -> Vec<String> {
        let fronts = [&self.constants, &self.functions].into_iter().flatten();
        let short = fronts.filter_map(|prefix| prefix.strip_raw(name));
        let shared = Some(&name[start..]).filter(|_| start > 0);
        let short = shared.into_iter().chain(short).map(constant);
        short.chain([constant(name), name.to_owned()]).collect()
    }
}

/// How C writes a type, without `struct` and stars; its key where it has no name.
fn written<'a>(interface: &'a Interface, key: &'a str) -> &'a str {
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
fn glued(written: &str, methods: &[&str]) -> Option<usize> {
    let words = words(written);
    let first = words.first().filter(|word| word.len() > 1 && words.len() > 1)?;
    let mut starts = BTreeSet::new();
    for method in methods {
        starts.insert(method.strip_prefix(first.as_str())?.chars().next()?);
    }
    // As many as would not be the rest of one longer word.
    (starts.len() > 3 && starts.iter().all(char::is_ascii_lowercase)).then_some(first.len())
}

fn owned((key, name): (&String, &String)) -> (String, String) {
    (key.clone(), name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the methods of a type, or of the library, among the functions of a library.
    fn methods(library: &str, all: &[&str], owner: Option<&str>, expect: &[(&str, &str)]) {
        let functions = Prefix::of_functions(library, all.iter().copied());
        let front = Fronts { functions, constants: None };
        let names: Vec<&str> = expect.iter().map(|(name, _)| *name).collect();
        let owner = owner.map(|key| (key, glued(key, &names)));
        let candidates: Vec<_> = names.iter().map(|name| front.method(name, owner)).collect();
        let reserved = if owner.is_some() { OBJECT_METHODS } else { METHODS };
        let chosen = choice::choose(&candidates, reserved, Scope::take);
        let expected: Vec<&str> = expect.iter().map(|(_, name)| *name).collect();
        assert_eq!(chosen, expected, "{library}");
    }

    #[test]
    fn methods_lose_what_their_library_and_their_type_say_already() {
        let sqlite =
            ["sqlite3_open", "sqlite3_close", "sqlite3_column_int", "sqlite3_finalize", "sqlite3_sleep"];
        let of_a_statement = [("sqlite3_column_int", "column_int"), ("sqlite3_finalize", "finalize")];
        methods("sqlite3", &sqlite, Some("sqlite3_stmt"), &of_a_statement);
        methods("sqlite3", &sqlite, Some("sqlite3"), &[("sqlite3_close", "close")]);
        // Every package has a method `open`.
        methods("sqlite3", &sqlite, None, &[("sqlite3_open", "sqlite3_open"), ("sqlite3_sleep", "sleep")]);

        let zstd = ["ZSTD_compressBound", "ZSTD_CCtx_reset", "ZSTD_freeCCtx", "ZSTD_createCCtx"];
        methods(
            "zstd",
            &zstd,
            None,
            &[("ZSTD_compressBound", "compress_bound"), ("ZSTD_createCCtx", "create_c_ctx")],
        );
        methods(
            "zstd",
            &zstd,
            Some("ZSTD_CCtx"),
            &[("ZSTD_CCtx_reset", "reset"), ("ZSTD_freeCCtx", "free_c_ctx")],
        );

        let json = ["cJSON_GetArraySize", "cJSON_Delete", "cJSON_Parse"];
        let of_an_item = [("cJSON_GetArraySize", "get_array_size"), ("cJSON_Delete", "delete")];
        methods("cjson", &json, Some("cJSON"), &of_an_item);

        let lists = ["foo_list_append", "foo_list_length", "foo_version", "foo_listing"];
        let of_a_list =
            [("foo_list_append", "append"), ("foo_list_length", "length"), ("foo_listing", "listing")];
        methods("foo", &lists, Some("foo_list_t"), &of_a_list);
    }

    #[test]
    fn methods_keep_what_they_need() {
        // Without a common prefix; a type's own word counts in whole words only.
        let zlib = ["gzread", "gzclose", "deflate", "deflateInit_", "deflateEnd", "crc32"];
        methods("zlib", &zlib, Some("gzFile"), &[("gzread", "gzread"), ("gzclose", "gzclose")]);
        methods("zlib", &zlib, None, &[("deflateInit_", "deflate_init_"), ("crc32", "crc32")]);
        let files = [("gzread", "read"), ("gzclose_r", "close_r"), ("gzeof", "eof"), ("gztell", "tell")];
        methods("zlib", &zlib, Some("gzFile"), &files);
        // Reserved words, digits, and the type's name alone.
        let foo = ["foo_match", "foo_2d", "foo_list", "foo_x"];
        methods("foo", &foo, None, &[("foo_match", "foo_match"), ("foo_2d", "foo_2d"), ("foo_x", "x")]);
        methods("foo", &foo, Some("foo_list"), &[("foo_list", "list")]);
        // Two that would be the same, and what every object has.
        let bar = ["bar_get", "bar_item_get", "bar_item_clone", "bar_Clone"];
        let of_an_item =
            [("bar_get", "bar_get"), ("bar_item_get", "item_get"), ("bar_item_clone", "item_clone")];
        methods("bar", &bar, Some("bar_item"), &of_an_item);
    }

    #[test]
    fn methods_whose_names_differ_in_case_only_are_called_as_in_c() {
        let all = ["gsl_sf_bessel_J0", "gsl_sf_bessel_j0", "gsl_sf_bessel_J1"];
        let expect = [
            ("gsl_sf_bessel_J0", "gsl_sf_bessel_J0"),
            ("gsl_sf_bessel_j0", "gsl_sf_bessel_j0"),
            ("gsl_sf_bessel_J1", "sf_bessel_j1"),
        ];
        methods("gsl", &all, None, &expect);
        let turned = [expect[1], expect[0], expect[2]];
        methods("gsl", &all, None, &turned);
    }

    fn types(functions: &[&str], expect: &[(&str, &str)]) {
        let functions = Prefix::of_functions("some", functions.iter().copied());
        let front = Fronts { functions, constants: None };
        let candidates: Vec<_> = expect.iter().map(|(key, _)| front.types(key, key)).collect();
        let expected: Vec<&str> = expect.iter().map(|(_, name)| *name).collect();
        assert_eq!(choice::choose(&candidates, PRELUDE, Scope::take_type), expected);
    }

    #[test]
    fn types_are_named_from_their_own_names() {
        let sqlite = ["sqlite3_open", "sqlite3_close"];
        types(&sqlite, &[("sqlite3", "Sqlite3"), ("sqlite3_stmt", "Stmt"), ("gzFile", "GzFile")]);
        types(&["cJSON_Parse", "cJSON_Delete"], &[("cJSON", "CJson"), ("cJSON_Hooks", "Hooks")]);
        let foo = ["foo_a", "foo_b"];
        types(&foo, &[("foo_list_t", "List"), ("foo_option", "FooOption"), ("foo_Vec", "FooVec")]);
        types(&foo, &[("foo_item", "FooItem"), ("item", "Item"), ("foo_t", "Foo")]);
        types(&[], &[("fx_color", "FxColor"), ("fxColor", "FxColor2"), ("_", "Lib")]);
    }

    #[test]
    fn constants_lose_what_most_of_them_start_with() {
        let check = |all: &[&str], name: &str, start: usize, expect: &str| {
            let constants = Prefix::before_underscore(all.iter().copied());
            let front = Fronts { functions: None, constants };
            assert_eq!(front.constant(name, start)[0], expect, "{name}");
        };
        let all = ["Z_OK", "Z_ERRNO", "ZLIB_VERSION"];
        check(&all, "Z_OK", 0, "OK");
        check(&all, "ZLIB_VERSION", 0, "ZLIB_VERSION");
        check(&all, "ZSTD_c_windowLog", "ZSTD_c_".len(), "WINDOW_LOG");
        check(&["E2BIG"], "E2BIG", 0, "E2BIG");
        check(&["lower"], "lower", 0, "LOWER");
    }
}

//! Functions that are each other's mirror: `BrotliEncoderCreateInstance` and `BrotliEncoderDestroyInstance`, `FT_New_Face` and
//! `FT_Done_Face`.
//!
//! Called the same but for the word that makes and the word that ends, one hands out the object, and the other takes it and
//! nothing else. What the one makes the other releases, unless something else ends such an object: a `git_reference` that was
//! created may be deleted from the repository, and freed.

use std::collections::{BTreeMap, BTreeSet};

use hotcell_model::api::{Api, Function, Param};
use hotcell_model::types::{CType, Type};

use crate::infer::endings::ending;
use crate::infer::functions::{Functions, Named};
use crate::infer::handles::{Library, shows_again};
use crate::infer::names::words;
use crate::infer::words::objects::{
    ACQUIRES, ENDS_BESIDES, FREES_MADE, GIVES_UP, LOOKS, MIRROR_ENDS, MIRROR_EXITS, MIRROR_MAKES, NO_RELEASES,
};
use crate::infer::{allocators, comments};

/// Functions that make objects, with those that release them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pairs {
    ends: BTreeMap<String, String>,
    /// The same, with those beside which something else ends such an object: of what says that it frees what the other one makes.
    frees: BTreeMap<String, String>,
    /// Functions that close what the one of the same name opens, whatever else ends it.
    closes: BTreeSet<String>,
    /// Those of them that hand out what they open.
    opened: BTreeSet<String>,
    /// All that is called like the mirror of what makes an object, whatever its comment says and whatever else ends one.
    mirrors: BTreeMap<String, BTreeSet<String>>,
}

impl Pairs {
    /// Of the functions that the library exports, and those that the headers define.
    pub(crate) fn of(api: &Api, all: &Functions<'_>, library: Library<'_>) -> Pairs {
        let there = |Named { function, .. }: &&Named<'_>| {
            library.has(function) && !function.variadic && function.prototyped
        };
        let functions: Vec<&Named<'_>> = all.iter().filter(there).collect();
        let mut ends: BTreeMap<(String, &str), Vec<(&str, &str)>> = BTreeMap::new();
        let mut mirrored: BTreeMap<(String, &str), Vec<&str>> = BTreeMap::new();
        let mut ended: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for Named { function, name } in &functions {
            // `lzma_index_end(index, allocator)`.
            let mut own =
                function.params.iter().filter(|param| !allocators::is_default(api, function, param));
            let (Some(only), None) = (own.next(), own.next()) else { continue };
            let Some(object) = object(&only.ty) else { continue };
            let result = &function.result;
            let status =
                result.kind == Type::Void || result.is_integer() || matches!(result.kind, Type::Enum { .. });
            if status && (name.closes() || name.has(ENDS_BESIDES)) {
                ended.entry(object).or_default().push(&function.name);
            }
            let position = function.params.iter().position(|param| std::ptr::eq(param, only));
            let frees = position.is_some_and(|at| library.frees(function, at));
            for (rest, _) in [MIRROR_ENDS, MIRROR_EXITS]
                .iter()
                .flat_map(|list| without(&function.name, list))
                .filter(|_| status && !shows_again(all, function, name))
            {
                mirrored.entry((rest, object)).or_default().push(&function.name);
            }
            let ends_none = comments::is_no_end(function) && !frees || shows_again(all, function, name);
            for (rest, word) in
                without(&function.name, MIRROR_ENDS).into_iter().filter(|_| status && !ends_none)
            {
                ends.entry((rest, object)).or_default().push((&function.name, word));
            }
        }
        // `frame_free(frame **)` releases frames, and `frame_unref(frame *)` what is in them. `FT_Init_FreeType(FT_Library *)` makes one.
        let makes = |function: &Function| {
            made(function).is_some() && !without(&function.name, MIRROR_MAKES).is_empty()
        };
        let through: BTreeSet<&str> = functions
            .iter()
            .filter(|named| named.name.releases() && !makes(named.function))
            .flat_map(|named| &named.function.params)
            .filter(|param| !is_array(param))
            .filter_map(|param| param.ty.pointee().and_then(|(pointer, _)| object(pointer)))
            .collect();
        // `lock_release` undoes `lock_acquire`.
        let acquired: BTreeSet<&str> = functions
            .iter()
            .filter(|named| named.name.has(ACQUIRES))
            .flat_map(|named| &named.function.params)
            .filter_map(|param| object(&param.ty))
            .collect();
        let mut found: Vec<(&str, &str, &str)> = Vec::new();
        let mut allocated: BTreeSet<&str> = BTreeSet::new();
        let mut closes: BTreeSet<String> = BTreeSet::new();
        let mut opened: BTreeSet<&str> = BTreeSet::new();
        let mut by_maker: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for Named { function, .. } in functions {
            let Some(object) = made(function).filter(|object| !through.contains(object)) else { continue };
            for (rest, makes) in without(&function.name, MIRROR_MAKES) {
                let ends_it = mirrored.get(&(rest.clone(), object)).into_iter().flatten();
                let known = by_maker.entry(function.name.clone()).or_default();
                known.extend(ends_it.map(|end| (*end).to_owned()));
                let Some(all) = ends.get(&(rest, object)) else { continue };
                // What is allocated is freed, though something closes it before.
                let allocates = ["alloc", "allocate", "create", "malloc", "new"].contains(&makes);
                if !allocates {
                    closes.extend(all.iter().map(|(end, _)| (*end).to_owned()));
                }
                let called =
                    |list: &[&str]| all.iter().filter(|(_, word)| list.contains(word)).collect::<Vec<_>>();
                let (frees, shuts) = (called(FREES_MADE), called(&["close"]));
                match (&all[..], &frees[..]) {
                    (_, []) if makes == "open" && shuts.len() == 1 => {
                        found.push((&function.name, shuts[0].0, object));
                        opened.insert(shuts[0].0);
                    }
                    (_, [(end, _)]) if allocates => {
                        found.push((&function.name, end, object));
                        allocated.insert(*end);
                    }
                    ([(_, "release")], _) if acquired.contains(object) => {}
                    ([(end, _)], _) => found.push((&function.name, end, object)),
                    _ => {}
                }
            }
        }
        // What else ends such an object may be its release, and the mirror another thing: `record_delete` beside `record_decref`.
        // Other mirrors are not meant, nor are others of the same name: `gzclose_r`.
        let mirrors: Vec<&str> = found.iter().map(|(_, end, _)| *end).collect();
        let alone = |end: &str, object: &str| {
            let others = ended.get(object).into_iter().flatten();
            others.into_iter().all(|other| {
                // `archive_read_free` for what `archive_read_new` makes, beside `archive_free`.
                let leaves = allocated.contains(end) && (only_closes(other) || is_wider(other, end));
                other.starts_with(end) || mirrors.contains(other) || leaves
            })
        };
        // What is opened is closed, whatever else ends something of it: `TIFFOpen` and `TIFFClose`, beside `TIFFCleanup`. Of two that close
        // it, `sqlite3_close` and `sqlite3_close_v2`, either may be meant.
        let one = |end: &str, object: &str| {
            let others = ended.get(object).into_iter().flatten();
            !others.into_iter().any(|other| *other != end && other.starts_with(end))
        };
        opened.retain(|end| found.iter().all(|(_, other, object)| other != end || one(end, object)));
        let plain = |name: &str| frees_plainly(&words(name));
        let frees = found.iter().filter(|(_, end, _)| plain(end));
        let frees = frees.map(|(maker, end, _)| ((*maker).to_owned(), (*end).to_owned())).collect();
        let ends = found.iter().filter(|(_, end, object)| opened.contains(end) || alone(end, object));
        let ends = ends.map(|(maker, end, _)| ((*maker).to_owned(), (*end).to_owned())).collect();
        let opened = opened.into_iter().map(str::to_owned).collect();
        Pairs { ends, frees, closes, opened, mirrors: by_maker }
    }

    /// Whether a function is called like the mirror of one that makes an object, whatever else ends those.
    pub(crate) fn is_mirror(&self, maker: &str, end: &str) -> bool {
        self.mirrors.get(maker).is_some_and(|ends| ends.contains(end))
    }

    /// Whether something else is called like the mirror of a function that makes an object: `blob_mmap_close` of `blob_mmap_open`, beside `blob_destroy`.
    pub(crate) fn has_other_mirror(&self, maker: &str, end: &str) -> bool {
        self.mirrors.get(maker).is_some_and(|ends| !ends.is_empty() && !ends.contains(end))
    }

    /// Whether an object that something releases is made by its mirror, which is another function than this.
    pub(crate) fn has_other_maker(&self, maker: &str, end: &str) -> bool {
        self.mirrors.iter().any(|(other, ends)| other != maker && ends.contains(end))
    }

    /// Whether a function is called like the mirror of any that makes an object.
    pub(super) fn mirrors_any(&self, end: &str) -> bool {
        self.mirrors.values().any(|ends| ends.contains(end))
    }

    /// Whether a function is the mirror of one that opens or begins an object and hands it out: `snd_mixer_close`, beside `snd_mixer_free`.
    pub(super) fn closes(&self, function: &str) -> bool {
        self.closes.contains(function)
    }

    /// Whether a function closes what the one of the same name hands out open.
    pub(super) fn closes_opened(&self, function: &str) -> bool {
        self.opened.contains(function)
    }

    /// What releases the objects that a function makes.
    pub(crate) fn end(&self, maker: &str) -> Option<&str> {
        self.ends.get(maker).map(String::as_str)
    }

    /// What says that it frees the objects that a function makes, whatever else ends some of the type: `archive_match_free` beside `archive_free`.
    pub(crate) fn frees(&self, maker: &str) -> Option<&str> {
        self.frees.get(maker).map(String::as_str)
    }

    /// Whether a function releases what another one makes.
    pub(crate) fn ends(&self, function: &str) -> bool {
        self.ends.values().any(|end| end == function)
    }

    /// The functions that release objects of this kind, each once.
    pub(super) fn releases<'a>(&'a self, is_it: &dyn Fn(&str) -> bool) -> BTreeSet<&'a str> {
        self.ends.values().filter(|end| is_it(end)).map(String::as_str).collect()
    }
}

/// Whether a function is called like one that ends what an object does, and not the object: beside `xmlNewTextReader` and
/// `xmlFreeTextReader` there is `xmlTextReaderClose`, after which the reader is still to be freed.
fn only_closes(function: &str) -> bool {
    let closes = ["abort", "cancel", "close", "disconnect", "finish", "shutdown", "stop"];
    let all = words(function);
    let ends = all.iter().filter(|word| ending(word).is_some());
    ends.clone().count() > 0
        && ends.into_iter().all(|word| closes.contains(&word.as_str()))
        && !all.iter().any(|word| ENDS_BESIDES.contains(&word.as_str()))
}

/// Whether a function frees any of a type of which another one frees what is made in one way: `archive_free` beside `archive_read_free`.
fn is_wider(function: &str, other: &str) -> bool {
    let (all, narrower) = (words(function), words(other));
    frees_plainly(&all) && all.len() < narrower.len() && all.iter().all(|word| narrower.contains(word))
}

/// Whether a name says that something is freed, and not that a reference is given up.
fn frees_plainly(name: &[String]) -> bool {
    name.iter().any(|word| FREES_MADE.contains(&word.as_str()) && !GIVES_UP.contains(&word.as_str()))
}

/// Whether a pointer to pointers is called like what has several: `release_factors(mpi_t *factors)`, not `bus_free(bus **bus)`.
fn is_array(param: &Param) -> bool {
    let own = param.ty.pointee().and_then(|(pointer, _)| object(pointer)).map(words).unwrap_or_default();
    let several = |last: &String| {
        let one = last.strip_suffix('s').filter(|one| one.len() > 2 && !one.ends_with('s'));
        one.is_some_and(|one| !own.iter().any(|word| word == last || word == one))
    };
    param.array_length.is_some()
        || param.name.as_deref().and_then(|name| words(name).pop()).is_some_and(|last| several(&last))
}

/// The structure, or the name of `void`, behind a pointer that may be written through.
fn object(ty: &CType) -> Option<&str> {
    match ty.pointee()? {
        (CType { kind: Type::Record { name }, .. }, false) => Some(name),
        (CType { kind: Type::Void, written, .. }, false) if written != "void" => Some(written),
        // `typedef void *cmsHTRANSFORM`.
        (CType { kind: Type::Void, .. }, false) if !ty.written.contains(['*', ' ']) => Some(&ty.written),
        _ => None,
    }
}

/// What a function hands out: it is returned, or comes out through the only pointer to a pointer.
fn made(function: &Function) -> Option<&str> {
    let out = |ty: &'_ CType| {
        ty.pointee().is_some_and(|(pointer, constant)| !constant && pointer.pointee().is_some())
    };
    let mut outs = function.params.iter().filter(|param| out(&param.ty));
    match (object(&function.result), outs.next(), outs.next()) {
        (Some(object), None, None) => Some(object),
        (None, Some(param), None) if function.result.pointee().is_none() => {
            object(param.ty.pointee().map(|(pointer, _)| pointer)?)
        }
        _ => None,
    }
}

/// A name without one of these words, and the word: once for each that is in it.
fn without<'a>(name: &str, list: &[&'a str]) -> Vec<(String, &'a str)> {
    let mut all = split(name);
    all.retain(|word| !word.is_empty());
    if all.iter().any(|word| LOOKS.contains(&word.as_str()) || NO_RELEASES.contains(&word.as_str())) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, word) in all.iter().enumerate() {
        // `gzopen`, `gzclose`.
        let glued = |known: &&&str| known.len() > 3 && word.len() > known.len() && word.ends_with(**known);
        if let Some(known) = list.iter().find(glued) {
            let rest: Vec<&str> = all.iter().map(String::as_str).collect();
            let rest =
                [&rest[..at], &[word.strip_suffix(known).unwrap_or_default()], &rest[at + 1..]].concat();
            found.push((rest.concat(), *known));
        }
        if let Some(known) = list.iter().find(|known| **known == word) {
            let rest: Vec<&str> = all
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != at)
                .map(|(_, word)| word.as_str())
                .collect();
            found.push((rest.concat(), *known));
        }
    }
    found
}

/// The words of a function's name, and those behind an acronym instead of the word that both are.
fn split(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (index, &letter) in letters.iter().enumerate() {
        let lower = |at: Option<&char>| at.is_some_and(char::is_ascii_lowercase);
        let before = index.checked_sub(1).and_then(|before| letters.get(before));
        let begins = letter.is_ascii_uppercase()
            && (before.is_some_and(|before| !before.is_ascii_uppercase()) || lower(letters.get(index + 1)));
        if letter == '_' || begins {
            words.push(String::new());
        }
        if letter != '_' {
            words.last_mut().expect("there is one from the start").push(letter.to_ascii_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn names_split_before_each_capital_that_begins_a_word() {
        for (name, expect) in [
            ("FT_New_Face", "ft new face"),
            ("ZSTD_createCCtx", "zstd create c ctx"),
            ("xmlFreeTextReader", "xml free text reader"),
            ("XMLParserFree", "xml parser free"),
        ] {
            let words: Vec<String> = split(name).into_iter().filter(|word| !word.is_empty()).collect();
            assert_eq!(words.join(" "), expect);
        }
    }
}

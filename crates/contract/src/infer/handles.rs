//! Which types are handles, as the headers show it: `opaque-handle`, `only-release` and `made-and-ended`.
//!
//! *opaque-handle*: a structure that the headers declare and never define can only be held by a pointer.
//! *only-release*: of the functions that take it, exactly one is called like a release, is called after the
//! type, and takes nothing else. `snd_mixer_free` empties what `snd_mixer_close` releases, and
//! `git_reference_delete` deletes a branch: where two may be the release, neither is concluded.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use hotcell_code::Code;
use hotcell_model::api::{Api, Function, Param};
use hotcell_model::types::{CType, Type};

use crate::infer::endings::{Ending, ending};
use crate::infer::functions::{Functions, Name, Named};
use crate::infer::names::words;
use crate::infer::words::objects::{
    ACQUIRES, CLOSES, ENDS_BESIDES, GIVES_UP, NO_RELEASES, PAUSES, REFERENCES, SAYS_RELEASE, STARTS,
};
use crate::infer::{allocators, code, comments};
use crate::type_names::unqualified;

mod defined;
mod hidden;
mod pairs;

pub(crate) use pairs::Pairs;

/// A type that is passed back to the library and never looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InferredHandle {
    /// A tag or typedef, as a contract would name it.
    pub name: String,
    /// The pointer's C type: `sqlite3 *`, `gzFile`.
    pub c_type: String,
    /// The function that releases an object somebody owns, where there is evidence for one.
    pub release: Option<String>,
    /// The rule that says so.
    pub rule: &'static str,
}

/// What the library's file shows, where it was read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Library<'a> {
    /// The functions that it exports.
    pub(crate) exports: Option<&'a BTreeSet<String>>,
    /// What its machine code does.
    pub(crate) code: &'a [Rc<Code>],
}

impl Library<'_> {
    /// Whether a function can be called: the library exports it, or the headers define it.
    fn has(self, function: &Function) -> bool {
        function.inline || self.exports.is_none_or(|exports| exports.contains(&function.name))
    }

    /// Whether a function that says that it frees what it is given hands that to C's `free`, and its comment does not leave it to others. What is
    /// called by a weaker word (`delete`, `release`) is of what an object stands for as often, and its comment has to say more.
    fn frees(self, function: &Function, index: usize) -> bool {
        says_free(&words(&function.name))
            && !comments::is_for_others(function)
            && code::frees(function, self.code, index)
    }
}

/// Whether a name says by a word of its own that what it is about is freed.
fn says_free(name: &[String]) -> bool {
    name.iter().any(|word| word != "finalize" && SAYS_RELEASE.contains(&word.as_str()))
}

/// The handle types of the headers.
pub(crate) fn types(
    api: &Api,
    functions: &Functions<'_>,
    library: Library<'_>,
    pairs: &Pairs,
) -> Vec<InferredHandle> {
    let opaque = |key: &str| api.records.get(key).is_some_and(|record| record.layout.is_none());
    let made = defined::Made::of(api, library);
    let wanted = |key: &str| opaque(key) || made.object(key).is_some();
    let found =
        of_records(api, functions, library, pairs, &wanted).into_iter().map(|(key, handle)| {
            match made.object(key) {
                Some(rule) if !opaque(key) => InferredHandle { rule, ..handle },
                _ => handle,
            }
        });
    let prefix = prefix(api);
    let all = hidden::types(api, library, prefix.as_deref()).into_iter().chain(found);
    all.map(|handle| mirrored(functions, pairs, prefix.as_deref(), handle)).collect()
}

/// The same type with the release that is the mirror of what makes one, where no other is known: of those that take the type by this name
/// the one that is called after it, or the only one where nothing else is called like a release.
fn mirrored(
    functions: &Functions<'_>,
    pairs: &Pairs,
    prefix: Option<&str>,
    handle: InferredHandle,
) -> InferredHandle {
    if handle.release.is_some() {
        return handle;
    }
    let own: BTreeSet<String> = words(&handle.name).into_iter().collect();
    let takes = |function: &Function| {
        let [only] = &function.params[..] else { return false };
        // `FT_Init_FreeType(FT_Library *)` takes none.
        let object = only.ty.pointee().filter(|(pointee, _)| pointee.pointee().is_none());
        let Some((pointee, _)) = object else { return false };
        let written = unqualified(&pointee.written);
        let tag = written.strip_prefix("struct ").unwrap_or(written);
        [tag, unqualified(&only.ty.written)].contains(&handle.name.as_str())
    };
    let is_it = |name: &str| functions.get(name).is_some_and(|named| takes(named.function));
    let fits = |name: &str| {
        let known = |word: &String| own.contains(word) || prefix == Some(word.as_str());
        ending(name).is_some_and(|(_, rest)| rest.iter().all(known) || own.contains(&rest.concat()))
    };
    let found = pairs.releases(&is_it);
    let mut fitting = found.iter().filter(|name| fits(name));
    let release = match (fitting.next(), fitting.next(), found.len()) {
        (Some(only), None, _) => Some(*only),
        (None, None, 1) => {
            let other = |Named { function, name }: &Named<'_>| {
                name.releases() && takes(function) && !found.contains(function.name.as_str())
            };
            let alone = || !functions.iter().any(other);
            found.first().copied().filter(|function| pairs.closes_opened(function) || alone())
        }
        // Several are called after it: the shortest name says nothing else.
        (Some(_), Some(_), _) => {
            found.iter().copied().filter(|name| fits(name)).min_by_key(|name| (name.len(), *name))
        }
        _ => None,
    };
    let release = release.map(str::to_owned);
    let opaque = handle.rule == "opaque-handle" && release.is_some();
    let rule = if opaque { "mirrored-release" } else { handle.rule };
    InferredHandle { release, rule, ..handle }
}

/// Structures that functions point to as handle types would be, by their keys.
pub(crate) fn of_records<'a>(
    api: &'a Api,
    functions: &Functions<'_>,
    library: Library<'_>,
    pairs: &Pairs,
    wanted: &dyn Fn(&str) -> bool,
) -> Vec<(&'a str, InferredHandle)> {
    let mut spellings: BTreeMap<&str, Spellings> = BTreeMap::new();
    for function in &api.functions {
        for ty in function.params.iter().map(|param| &param.ty).chain([&function.result]) {
            for pointer in [Some(ty), ty.pointee().map(|(pointee, _)| pointee)].into_iter().flatten() {
                if let Some(key) = pointed_record(pointer) {
                    spellings.entry(key).or_default().add(pointer);
                }
            }
        }
    }
    let prefix = prefix(api);
    let endings = Endings::of(api, functions);
    let found = spellings.iter().filter(|(key, _)| wanted(key)).map(|(key, spelled)| {
        let c_name = api.records.get(*key).map_or(*key, |record| record.c_name.as_str());
        let (name, c_type) = spelled.name(key, c_name);
        let own: BTreeSet<String> = spelled.all().chain([*key]).flat_map(words).collect();
        let release =
            Releases { endings: &endings, library, pairs, key, own, prefix: prefix.as_deref() }.release();
        let rule = if release.is_some() { "only-release" } else { "opaque-handle" };
        (*key, InferredHandle { name, c_type, release, rule })
    });
    found.collect()
}

/// The record behind a pointer.
fn pointed_record(ty: &CType) -> Option<&str> {
    match &ty.pointee()?.0.kind {
        Type::Record { name } => Some(name),
        _ => None,
    }
}

/// How functions write a type.
#[derive(Default)]
struct Spellings {
    /// Typedefs of the structure, with how often.
    structures: BTreeMap<String, usize>,
    /// Typedefs of the pointer, with how often.
    pointers: BTreeMap<String, usize>,
    /// How often the tag is written.
    tag: usize,
}

impl Spellings {
    fn add(&mut self, pointer: &CType) {
        let name = |written: &str| {
            let name = unqualified(written);
            let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            letters.then(|| name.to_owned())
        };
        let structure = pointer.pointee().and_then(|(pointee, _)| name(&pointee.written));
        match (name(&pointer.written), structure) {
            (Some(typedef), _) => *self.pointers.entry(typedef).or_default() += 1,
            (None, Some(typedef)) => *self.structures.entry(typedef).or_default() += 1,
            (None, None) => self.tag += 1,
        }
    }

    /// The name, and how C writes the pointer: what most functions write.
    fn name(&self, key: &str, c_name: &str) -> (String, String) {
        let most = |names: &BTreeMap<String, usize>| {
            let found = names.iter().rev().max_by_key(|(_, times)| **times);
            found.map_or((String::new(), 0), |(name, times)| (name.clone(), *times))
        };
        let (structure, pointer) = (most(&self.structures), most(&self.pointers));
        if structure.1 > 0 && structure.1 >= pointer.1.max(self.tag) {
            let c_type = format!("{} *", structure.0);
            return (structure.0, c_type);
        }
        match pointer.1 > self.tag {
            true => (pointer.0.clone(), pointer.0),
            false => (key.to_owned(), format!("{c_name} *")),
        }
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        self.structures.keys().chain(self.pointers.keys()).map(String::as_str)
    }
}

/// The word that most functions of the headers begin with.
fn prefix(api: &Api) -> Option<String> {
    let mut firsts: BTreeMap<String, usize> = BTreeMap::new();
    for function in api.functions.iter().filter(|function| function.location.primary) {
        if let Some(first) = words(&function.name).into_iter().next() {
            *firsts.entry(first).or_default() += 1;
        }
    }
    firsts.into_iter().max_by_key(|(_, times)| *times).map(|(first, _)| first)
}

/// The functions that may end or begin something, by their names.
struct Endings<'a> {
    api: &'a Api,
    functions: &'a Functions<'a>,
    /// Those that may end one, by the types that they take or take a pointer to, in the order of the headers.
    ends: BTreeMap<&'a str, Vec<&'a Named<'a>>>,
    /// All, by the type that they take first.
    first: BTreeMap<&'a str, Vec<&'a Named<'a>>>,
    /// The types that functions take which are called like ones that acquire.
    acquired: BTreeSet<&'a str>,
    /// The types that functions return or hand out.
    made: BTreeSet<&'a str>,
}

impl<'a> Endings<'a> {
    fn of(api: &'a Api, functions: &'a Functions<'a>) -> Endings<'a> {
        let (mut ends, mut first) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        let mut acquired = BTreeSet::new();
        for named in functions.iter() {
            let types = || named.function.params.iter().map(|param| &param.ty);
            let taken = || types().filter_map(pointed_record);
            if named.name.ending.is_some() {
                let through = types().filter_map(|ty| pointed_record(ty.pointee()?.0));
                for key in taken().chain(through).collect::<BTreeSet<&str>>() {
                    ends.entry(key).or_default().push(named);
                }
            }
            if let Some(key) = types().next().and_then(pointed_record) {
                first.entry(key).or_default().push(named);
            }
            if named.name.words.iter().any(|word| word != "retain" && ACQUIRES.contains(&word.as_str())) {
                acquired.extend(taken());
            }
        }
        let made = api.functions.iter().flat_map(|function| {
            let out = function.params.iter().filter_map(|param| param.ty.pointee());
            let out = out.filter(|(_, constant)| !constant).map(|(pointer, _)| pointer);
            out.chain([&function.result]).filter_map(pointed_record)
        });
        Endings { api, functions, ends, first, acquired, made: made.collect() }
    }

    /// Those that may end one of this type.
    fn ends(&self, key: &str) -> impl Iterator<Item = (&'a Function, Ending, &'a Name)> {
        let ends = self.ends.get(key).into_iter().flatten();
        ends.filter_map(|named| Some((named.function, named.name.ending?, &named.name)))
    }

    /// Those whose first parameter is of this type.
    fn first(&self, key: &str) -> &[&'a Named<'a>] {
        self.first.get(key).map_or(&[], Vec::as_slice)
    }
}

/// Whether something shows again what a function closes: `win_close(win)` beside `win_show(win)`.
pub(super) fn shows_again(functions: &Functions<'_>, function: &Function, name: &Name) -> bool {
    let (name, shows) = (&name.words, ["reopen", "show"]);
    let Some(close) = name.iter().position(|word| word == "close") else { return false };
    let own = function.params.first().map(|param| &param.ty.canonical);
    functions.with_any(&shows).any(|Named { function: other, name: shown }| {
        let shown = &shown.words;
        let same =
            |at: usize| if at == close { shows.contains(&shown[at].as_str()) } else { shown[at] == name[at] };
        other.params.len() == 1
            && shown.len() == name.len()
            && (0..name.len()).all(same)
            && other.params.first().map(|param| &param.ty.canonical) == own
    })
}

/// Whether a function that takes an object first frees something else that it is given behind that: `lib_free(session, memory)`.
fn frees_besides(function: &Function, position: usize) -> bool {
    let last = function.params.last().is_some_and(|param| param.ty.pointee().is_some());
    position == 0 && function.params.len() > 1 && last
}

/// Whether a function takes several of a type, or is told besides what becomes of them: `list_free(thing **, int deep)`, `three_free(thing *[3])`.
fn takes_several(function: &Function) -> bool {
    function.params.len() > 1 || function.params.iter().any(|param| param.array_length.is_some())
}

/// The search for the release of one type.
struct Releases<'a> {
    endings: &'a Endings<'a>,
    library: Library<'a>,
    pairs: &'a Pairs,
    key: &'a str,
    /// The words of the type's names.
    own: BTreeSet<String>,
    /// The library's prefix.
    prefix: Option<&'a str>,
}

impl Releases<'_> {
    /// The one function that can be the release.
    fn release(&self) -> Option<String> {
        self.only().or_else(|| self.given_up()).or_else(|| self.shown()).or_else(|| self.mirrored())
    }

    /// The mirror of what makes the object, by their names, of which the library's code shows that it frees that: whatever else is called like what ends
    /// one, or takes away something of it. None where another one that takes the object alone is seen to free it, or says that it does.
    fn mirrored(&self) -> Option<String> {
        let alone = || self.endings.first(self.key).iter().filter(|named| self.is_all_of(named.function));
        let frees = |function: &Function| code::frees(function, self.library.code, 0);
        let mirrors = |named: &&&Named<'_>| {
            let Named { function, name } = named;
            self.pairs.mirrors_any(&function.name)
                && self.can_be(function, name)
                && frees(function)
                && !comments::is_for_others(function)
                && !comments::outlived(function)
                && !comments::is_more_than_freeing(function)
        };
        let mut found = alone().filter(mirrors);
        let (Some(only), None) = (found.next(), found.next()) else { return None };
        let rival = |named: &&Named<'_>| {
            let Named { function, name } = named;
            let says = name.releases() && self.fits(&name.rest) && !comments::is_no_end(function);
            function.name != only.function.name && (name.ending.is_some() && says || frees(function))
        };
        (!self.is_counted() && !alone().any(rival)).then(|| only.function.name.clone())
    }

    /// Whether the object is all that a function takes.
    fn is_all_of(&self, function: &Function) -> bool {
        matches!(&function.params[..], [only] if pointed_record(&only.ty) == Some(self.key))
    }

    /// The functions that take the object alone and are called after it, with what their names say, whatever their comments say.
    fn alone(&self) -> impl Iterator<Item = (&Function, Ending, &Name)> {
        self.endings.ends(self.key).filter(|(function, _, name)| {
            self.is_all_of(function) && self.fits(&name.rest) && self.can_be(function, name)
        })
    }

    /// The one that gives up a reference, where something takes one, and the others say that they free the object, which others may hold, or
    /// are not for callers: `exif_data_unref` beside `exif_data_free`.
    fn given_up(&self) -> Option<String> {
        let releases = self.alone().filter(|(_, ending, _)| *ending == Ending::Releases);
        let (given_up, others): (Vec<_>, Vec<_>) = releases.partition(|(.., name)| name.has(GIVES_UP));
        let [(only, _, name)] = &given_up[..] else { return None };
        let taken = self.endings.first(self.key).iter().any(|Named { function, name }| {
            let takes = ["addref", "incref", "ref", "reference", "retain"];
            function.params.len() == 1 && name.ending.is_none() && name.has(&takes)
        });
        let other = |(function, _, name): &(&Function, Ending, &Name)| {
            name.has(SAYS_RELEASE) || comments::is_for_others(function)
        };
        let frees = taken && !others.is_empty() && others.iter().all(other);
        (frees && self.usable(only, name)).then(|| only.name.clone())
    }

    /// The one of which the library's code shows it: it takes the object alone, is called after it, and frees it. None where anything else is
    /// called like what ends one, but for what the code shows to leave it.
    fn shown(&self) -> Option<String> {
        let mut releases = self.alone().filter(|(_, ending, _)| *ending == Ending::Releases);
        let (Some((only, _, name)), None) = (releases.next(), releases.next()) else { return None };
        let says = says_free(&name.words);
        let is_one = says && !comments::is_for_others(only) || !comments::is_no_end(only);
        let rival = |(function, ending, name): (&Function, Ending, &Name)| {
            let is_it = |param: &Param| pointed_record(&param.ty) == Some(self.key);
            let Some(position) = function.params.iter().position(is_it) else {
                return !takes_several(function);
            };
            let alone = function.params.len() == 1;
            let fits = self.fits(&name.rest);
            match ending {
                Ending::GivesAway => false,
                Ending::Closes if alone => {
                    fits && !name.has(NO_RELEASES) && !code::spares(function, self.library.code, 0)
                }
                Ending::Closes => fits,
                Ending::Releases if alone => fits || !says || self.is_counted(),
                Ending::Releases => fits && !frees_besides(function, position),
            }
        };
        let mut others = self.endings.ends(self.key).filter(|(function, ..)| function.name != only.name);
        (is_one && code::frees(only, self.library.code, 0) && !others.any(rival)).then(|| only.name.clone())
    }

    /// The same by names and comments.
    fn only(&self) -> Option<String> {
        let mut found = None;
        let said = self.is_said();
        let freed = said && self.alone().any(|(.., name)| says_free(&name.words));
        // `TclFreeObj(object)` beside `Tcl_DbIncrRefCount(object, …)`: what is counted is let go of and not freed.
        let named = said && !self.is_counted();
        for (function, ending, name) in self.endings.ends(self.key) {
            let rest = &name.rest;
            let is_it = |param: &Param| pointed_record(&param.ty) == Some(self.key);
            // `zf_destroy(zf **)` is a release of another shape, `list_free_all(list **)` one of several.
            let through = |param: &Param| {
                param.ty.pointee().is_some_and(|(pointer, _)| pointed_record(pointer) == Some(self.key))
            };
            let several = takes_several(function) && !self.fits(rest);
            if ending == Ending::Releases && function.params.iter().any(through) && !several {
                return None;
            }
            let Some(position) = function.params.iter().position(is_it) else { continue };
            // `lzma_index_end(index, allocator)`.
            let others = function.params.iter().enumerate().filter(|(other, _)| *other != position);
            let alone = others
                .into_iter()
                .all(|(_, other)| allocators::is_default(self.endings.api, function, other));
            let fits = self.fits(rest);
            // `XFreeFontSet(display, set)` releases the set, `git_config_delete_entry(config, name)` no config.
            let rival = match ending {
                Ending::GivesAway => false,
                // `cairo_close_path(cr)` beside `cairo_destroy(cr)`, `modbus_close(ctx)` beside `modbus_free(ctx)`.
                Ending::Closes => alone && (!said || self.ends_it(function, name, fits)),
                // `xmlXPathFreeNodeSetList(object)` beside `xmlXPathFreeObject(object)` says what else it frees, `lib_free(session, memory)` beside
                // `lib_session_free(session)` frees something else.
                Ending::Releases if !alone && fits => !freed || !frees_besides(function, position),
                Ending::Releases => fits || if alone { !named } else { position > 0 },
            };
            if !rival {
                continue;
            }
            // `lua_resume(state)` is undone by no `lua_close(state)`.
            let closes = function.name.to_ascii_lowercase().contains("close");
            let again = ending == Ending::Closes && !closes && self.starts_again(rest);
            if found.is_some()
                || !alone
                || !fits
                || again
                || self.unlocks(name)
                || !self.usable(function, name)
            {
                return None;
            }
            found = Some(function.name.clone());
        }
        found
    }

    /// Whether a function says that it releases this type: in a word of its own, called after the type or the library alone.
    fn is_said(&self) -> bool {
        self.alone().any(|(function, ending, name)| {
            name.has(SAYS_RELEASE) && ending == Ending::Releases && !comments::is_no_end(function)
        })
    }

    /// Whether functions count who holds such an object.
    fn is_counted(&self) -> bool {
        let counts = |word: &String| {
            let part = ["incref", "addref", "retain"].iter().any(|part| word.contains(part));
            part || REFERENCES.contains(&word.as_str())
        };
        self.endings.first(self.key).iter().any(|named| named.name.words.iter().any(counts))
    }

    /// Whether a function may end the object itself, where another one says that it releases it: it is the mirror of what hands the object
    /// out, says behind the word that it ends this type, or is called after the type in a word that says that nothing is left.
    fn ends_it(&self, function: &Function, name: &Name, fits: bool) -> bool {
        let leaves = name.has(PAUSES) && self.endings.made.contains(self.key) && !self.ends_besides();
        fits && !leaves || self.closes_it(name) || self.pairs.closes(&function.name)
    }

    /// Whether something else takes the object alone that may end it for good: `thing_unload(thing)`.
    fn ends_besides(&self) -> bool {
        self.endings.ends(self.key).any(|(function, ending, name)| {
            self.is_all_of(function) && name.has(ENDS_BESIDES) && ending == Ending::GivesAway
        })
    }

    /// Whether a function says, behind the word, that it closes this type: `mailbox_close_message(message)`.
    fn closes_it(&self, name: &Name) -> bool {
        let name = &name.words;
        let verb = name.iter().position(|word| CLOSES.contains(&word.as_str()));
        verb.is_some_and(|verb| name[verb + 1..].iter().any(|word| self.own.contains(word)))
    }

    /// Whether a function lets go of what another one has acquired, so that the object outlives it: `lock_release` beside `lock_acquire`.
    fn unlocks(&self, name: &Name) -> bool {
        name.has(&["drop", "rele", "release"]) && self.endings.acquired.contains(self.key)
    }

    /// Whether a function without its ending is called after the type or the library and nothing else.
    fn fits(&self, rest: &[String]) -> bool {
        let known = |word: &String| self.own.contains(word) || self.prefix == Some(word.as_str());
        rest.iter().all(known) || self.own.contains(&rest.concat())
    }

    /// Whether another function begins again what this one ends, so that the object outlives it:
    /// `queue_start(queue)` and `queue_stop(queue)`. One that returns or hands out an object makes it.
    fn starts_again(&self, rest: &[String]) -> bool {
        let is_it = |ty: &CType| pointed_record(ty) == Some(self.key);
        self.endings.first(self.key).iter().any(|Named { function, name }| {
            let handed_out = |param: &Param| param.ty.pointee().is_some_and(|(behind, _)| is_it(behind));
            let others = name.words.iter().filter(|word| !STARTS.contains(&word.as_str()));
            name.has(STARTS)
                && others.eq(rest)
                && !is_it(&function.result)
                && !function.params.iter().any(handed_out)
        })
    }

    fn usable(&self, function: &Function, name: &Name) -> bool {
        // What gives up a reference and frees nothing leaves that to something else.
        let frees_none = || name.has(GIVES_UP) && code::spares(function, self.library.code, 0);
        self.can_be(function, name) && !comments::is_no_end(function) && !frees_none()
    }

    /// Whether a function can be a release, whatever its comment says.
    fn can_be(&self, function: &Function, name: &Name) -> bool {
        let result = &function.result;
        let status =
            matches!(result.kind, Type::Void | Type::Bool | Type::Enum { .. }) || result.is_integer();
        let exported = self.library.has(function);
        let words = &name.words;
        let is_end = |word: &String| word == "end";
        // `gtk_print_operation_preview_end_preview` ends a preview, `elf_end` the object.
        let begun = words.iter().any(is_end) && !words.last().is_some_and(is_end);
        let harmless = !begun && !name.has(NO_RELEASES);
        status
            && exported
            && harmless
            && !function.variadic
            && function.prototyped
            && !shows_again(self.endings.functions, function, name)
    }
}

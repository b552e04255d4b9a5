//! The rule `made-and-ended` for `void` with a name of its own: `typedef void CURL`.
//!
//! A name that stands for `void` behind a pointer is there to tell objects of one kind from all else; where a function returns
//! such a pointer and another one ends what it points to, it is an object. `GLvoid` is `void` and no more.

use std::collections::{BTreeMap, BTreeSet};

use hotcell_model::api::{Api, Function};
use hotcell_model::types::{CType, Type};

use crate::infer::comments;
use crate::infer::endings::ending;
use crate::infer::functions::Name;
use crate::infer::handles::defined::ends_first;
use crate::infer::handles::{InferredHandle, Library};
use crate::infer::names::words;
use crate::infer::words::objects::{ENDS_BESIDES, MIRROR_MAKES, NO_RELEASES, SAYS_RELEASE};
use crate::type_names::unqualified;

/// The names of `void`, and of pointers to it, that are objects. Something is concluded about the releases of the latter.
pub(super) fn types(api: &Api, library: Library<'_>, prefix: Option<&str>) -> Vec<InferredHandle> {
    let there = |function: &&Function| library.has(function);
    let mut found: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
    for function in api.functions.iter().filter(there) {
        // `Pa_OpenStream(PaStream **stream, …)`.
        let out = function.params.iter().filter_map(|param| param.ty.pointee());
        let out = out.filter(|(_, constant)| !constant).map(|(pointer, _)| pointer);
        for name in out.chain([&function.result]).filter_map(named_void) {
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
    let pointers = pointers(api, library, prefix).into_iter().map(|name| InferredHandle {
        name: name.to_owned(),
        c_type: name.to_owned(),
        release: only_end(api, library, name, prefix),
        rule: "made-and-ended",
    });
    found.into_iter().filter_map(object).chain(pointers).collect()
}

/// The names of pointers to `void` that are objects: a function that is called after the type makes one, and another one, called
/// after it as well, ends it and takes nothing else. `lo_address_new`, `lo_address_free(lo_address)`.
fn pointers<'a>(api: &'a Api, library: Library<'_>, prefix: Option<&str>) -> BTreeSet<&'a str> {
    let there = |function: &&Function| library.has(function);
    let (mut made, mut ended) = (BTreeSet::new(), BTreeSet::new());
    for function in api.functions.iter().filter(there) {
        let makes = words(&function.name).iter().any(|word| MIRROR_MAKES.contains(&word.as_str()));
        if let Some(name) =
            named_pointer(&function.result).filter(|name| makes && called_after(function, name, prefix))
        {
            made.insert(name);
        }
        let first = function.params.first().filter(|_| ends_first(function));
        if let Some(name) = first
            .and_then(|param| named_pointer(&param.ty))
            .filter(|name| called_after(function, name, prefix))
        {
            ended.insert(name);
        }
    }
    made.intersection(&ended).copied().collect()
}

/// The only function that takes an object of a type and is called like one that ends it, where it takes nothing else: `cmsCloseProfile(cmsHPROFILE)`.
fn only_end(api: &Api, library: Library<'_>, name: &str, prefix: Option<&str>) -> Option<String> {
    let takes = |function: &&Function| {
        let own = |ty: &CType| named_pointer(ty) == Some(name);
        let through = |ty: &CType| ty.pointee().is_some_and(|(pointer, _)| own(pointer));
        function.params.iter().any(|param| own(&param.ty) || through(&param.ty))
    };
    let mut ends = api.functions.iter().filter(takes).filter(|function| {
        words(&function.name).iter().any(|word| ENDS_BESIDES.contains(&word.as_str()))
            || ending(&function.name).is_some()
    });
    let (only, None) = (ends.next()?, ends.next()) else { return None };
    let status = only.result.kind == Type::Void
        || only.result.is_integer()
        || matches!(only.result.kind, Type::Enum { .. });
    let alone = ends_first(only) && named_pointer(&only.params[0].ty) == Some(name);
    let called = Name::of(&only.name);
    // What is released, ended or disconnected may be there for another round.
    let plain = called.has(SAYS_RELEASE) || called.has(&["close", "deinit", "delete", "uninit"]);
    (status
        && plain
        && alone
        && library.has(only)
        && !only.variadic
        && called_after(only, name, prefix)
        && !called.has(NO_RELEASES)
        && !comments::is_no_end(only))
    .then(|| only.name.clone())
}

/// Whether all words of a type's name are in that of a function, and one says which of the library's types it is: a `handle_t`, or the
/// `db_handle` of a library `db`, may be of everything.
fn called_after(function: &Function, name: &str, prefix: Option<&str>) -> bool {
    let called = words(&function.name);
    let own: Vec<String> =
        words(name).into_iter().filter(|word| !["handle", "ptr", "t"].contains(&word.as_str())).collect();
    // `cmsHPROFILE` is the handle of a profile, as names for Windows say.
    let is_there = |word: &String| {
        let of = word.strip_prefix('h').filter(|of| of.len() > 2 && name.contains(&word.to_uppercase()));
        called.contains(word) || of.is_some_and(|of| called.iter().any(|word| word == of))
    };
    own.iter().any(|word| prefix != Some(word.as_str())) && own.iter().all(is_there)
}

/// The name of a pointer to `void` that hides it, where it says more than that it is a pointer.
fn named_pointer(ty: &CType) -> Option<&str> {
    let (pointee, constant) = ty.pointee()?;
    let name = unqualified(&ty.written);
    let says = !["any", "data", "pointer", "ptr", "void"]
        .iter()
        .any(|part| name.to_ascii_lowercase().contains(part));
    let hides = !ty.written.contains(['*', '[']) && pointee.written == "void";
    (pointee.kind == Type::Void && !constant && hides && says).then_some(name)
}

/// The name of a `void` that a pointer shows, where it says more than that it is one.
fn named_void(ty: &CType) -> Option<&str> {
    let (pointee, constant) = ty.pointee()?;
    let name = unqualified(&pointee.written);
    let shown = ty.written.contains('*');
    let says = !name.to_ascii_lowercase().contains("void");
    (pointee.kind == Type::Void && !constant && shown && says).then_some(name)
}

//! The rule `internal-object`: `X509_get0_pubkey(x)` returns what `x` has.
//!
//! A function that is called `get0` hands out a pointer to something inside of its object, beside `get1`, which hands out what is the
//! caller's. It lives as long as the object does, or until that is changed: whatever is called to change one makes what was
//! lent by it stale. `PKCS7_get0_signers` is an exception, whose list is the caller's: what is called like several is left open.

use std::collections::BTreeSet;

use hotcell_model::Fact;
use hotcell_model::api::Function;
use hotcell_model::interface::{Ownership, ResultRole};
use hotcell_model::types::CType;

use crate::infer::endings::ending;
use crate::infer::functions::Named;
use crate::infer::names::{function_words, words};
use crate::infer::view::{View, plain_text};
use crate::infer::words::objects::{COMPARES, LOOKS};
use crate::infer::{Draft, Known, comments};

pub(super) mod unowned;
pub(super) mod walks;

const RULE: &str = "internal-object";

/// Finds returned objects that are inside of the one that goes in.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft) {
    let handles = view.known.handles;
    let Some(handle) = handles.of_pointer(&view.function.result).filter(|_| draft.result.is_none()) else {
        return;
    };
    let found = lender(view.function, view.known).map(|parent| (parent, RULE));
    let walked = || walks::lender(view.function, view.known).map(|parent| (parent, walks::RULE));
    let added = || walks::adds(view.function, view.known).map(|parent| (parent, walks::ADDED));
    let unowned = || unowned::lender(view.function, view.known).map(|parent| (parent, unowned::RULE));
    let found = found.or_else(walked).or_else(added).or_else(unowned);
    let Some((parent, rule)) = found.filter(|_| !handles.says_makers(handle)) else {
        return;
    };
    let role = ResultRole::Handle {
        handle: handle.to_owned(),
        ownership: Ownership::Library,
        parent: Some(parent),
        nullable: true,
    };
    draft.result = Some(Fact::inferred(role, rule));
}

/// Whether what this object has lent is stale after the call: some function lends what is inside of one, and this one may change it.
pub(super) fn stales(view: &View<'_>, index: usize) -> bool {
    let Some(param) = view.param(index) else { return false };
    let constant = param.ty.pointee().is_some_and(|(_, constant)| constant);
    let own = view.handle(index);
    let looks = [LOOKS, COMPARES, LOOKED].iter().any(|list| view.function_has_word(list));
    let walks = || walks::lender(view.function, view.known).is_some();
    let lends = || own.is_some_and(|own| view.known.uses.lends(view.known, own));
    !constant && !looks && lends() && !walks()
}

/// The types of objects of which some function lends what is inside of one.
pub(super) fn lending(known: Known<'_>) -> BTreeSet<String> {
    let lent = known.functions.iter().filter_map(|Named { function, .. }| {
        let lender = lender(function, known)
            .or_else(|| walks::undecided(function, known))
            .or_else(|| unowned::lender(function, known))?;
        known.handles.of_pointer(&function.params[lender].ty)
    });
    lent.map(str::to_owned).collect()
}

/// Words of functions that leave an object as it is, besides those that get something of it.
const LOOKED: &[&str] = &["check", "dump", "get0", "get1", "print", "test", "verify", "write"];

/// The object that lends what a function returns: the only one, beside numbers and names.
fn lender(function: &Function, known: Known<'_>) -> Option<usize> {
    known.handles.of_pointer(&function.result)?;
    let name = function_words(&function.name);
    let last = words(&function.name).pop()?;
    let plural = last.ends_with('s') && !last.ends_with("ss");
    if !name.iter().any(|word| word == "get0")
        || plural
        || ending(&function.name).is_some()
        || comments::owned(function)
    {
        return None;
    }
    only_object(function, known)
}

/// The only object that goes in, beside numbers and names.
fn only_object(function: &Function, known: Known<'_>) -> Option<usize> {
    let objects = |ty: &CType| known.handles.of_pointer(ty).is_some();
    let mut found = function.params.iter().enumerate().filter(|(_, param)| objects(&param.ty));
    let ((index, _), None) = (found.next()?, found.next()) else { return None };
    let others = function.params.iter().enumerate().filter(|(other, _)| *other != index);
    let harmless = others.into_iter().all(|(_, param)| param.ty.is_scalar() || plain_text(&param.ty));
    harmless.then_some(index)
}

//! The rule `found-object`: `xmlDocGetRootElement(doc)`, `cJSON_GetArrayItem(array, index)`.
//!
//! A function that is called like one that goes from an object to its child, item, parent, root or sibling returns what is there already.
//! Libraries that count who holds an object may count the caller, too (`g_file_get_parent`): where the headers have such a function,
//! for whatever type, nothing is concluded. What is found is lent by the object that goes in, as by `internal-object`.

use hotcell_model::api::Function;

use crate::infer::comments;
use crate::infer::endings::ending;
use crate::infer::functions::{Functions, Name, Named};
use crate::infer::lent::only_object;
use crate::infer::names::words;
use crate::infer::view::View;
use crate::infer::words::objects::{CONSTRUCTORS, COPIES, MAKES, REFERENCES, STORES};
use crate::infer::{Known, has_word};

pub(super) const RULE: &str = "found-object";

pub(super) const ADDED: &str = "added-object";

/// What is found in an object, or around it.
const PLACES: &[&str] = &["child", "element", "item", "parent", "root", "sibling"];

/// What a function does that finds it.
const WALKS: &[&str] = &["first", "get", "last", "next", "nth", "prev", "previous"];

/// Words of functions that hand out what is then the caller's.
const TAKES: &[&str] = &["dequeue", "extract", "pop", "ref", "steal", "take"];

/// The object around which a function finds what it returns.
pub(super) fn lender(function: &Function, known: Known<'_>) -> Option<usize> {
    let result = known.handles.of_pointer(&function.result)?;
    let name = words(&function.name);
    let has = |list: &[&str]| name.iter().any(|word| list.contains(&word.as_str()));
    let last = name.last()?;
    let plural = last.ends_with('s') && !last.ends_with("ss");
    let made = [CONSTRUCTORS, COPIES, MAKES, STORES].iter().any(|list| has_word(function, list));
    let open = plural || made || has(TAKES) || ending(&function.name).is_some() || comments::owned(function);
    if open || !has(PLACES) || !has(WALKS) || known.uses.counts() {
        return None;
    }
    // What is found in another type may be made for the caller: `list_model_get_item(model, n)` of what the model computes.
    let index = only_object(function, known)?;
    let from = known.handles.of_pointer(&function.params[index].ty)?;
    let kin = from == result || contains(function, known, from, result);
    kin.then_some(index)
}

/// The same where no contract says what makes objects of the type.
pub(super) fn undecided(function: &Function, known: Known<'_>) -> Option<usize> {
    let handle = known.handles.of_pointer(&function.result)?;
    let lends = lender(function, known).or_else(|| adds(function, known));
    lends.filter(|_| !known.handles.says_makers(handle))
}

/// Words of functions that put something into an object.
const PUTS: &[&str] = &["add", "append", "insert", "prepend"];

/// The object to which a function adds what it returns, by its name: `cJSON_AddNullToObject(object, name)`, whose `object` it is. A list
/// that is longer afterwards is another (`slist_append(list, data)`): what is returned then may stand for all of it.
pub(in crate::infer) fn adds(function: &Function, known: Known<'_>) -> Option<usize> {
    let result = known.handles.of_pointer(&function.result)?;
    let name = words(&function.name);
    let verb = name.iter().position(|word| PUTS.contains(&word.as_str()))?;
    let to = name.iter().rposition(|word| word == "to").filter(|to| *to > verb + 1)?;
    let index = only_object(function, known).filter(|index| *index == 0)?;
    let from = known.handles.of_pointer(&function.params[index].ty)?;
    let called = |text: &str| words(text) == name[to + 1..];
    let holder = function.params[index].name.as_deref().is_some_and(called) || called(from);
    // What is of the same type may be the holder itself, which has moved, unless it has a name there and the holder is called otherwise.
    let named = function
        .params
        .iter()
        .any(|param| param.ty.pointee().is_some_and(|(ty, constant)| constant && ty.is_byte()));
    let told = from == result && named && !called(from);
    let kin = told || from != result && contains(function, known, from, result);
    (holder && kin && !known.uses.counts() && ending(&function.name).is_none() && !comments::owned(function))
        .then_some(index)
}

/// Whether the headers show that the structure of the one type points to the other: a document to its nodes.
fn contains(function: &Function, known: Known<'_>, from: &str, result: &str) -> bool {
    let of_type = |handle: &str| {
        let params = function.params.iter().map(|param| &param.ty).chain([&function.result]);
        let mut records = params.filter(|ty| known.handles.of_pointer(ty) == Some(handle));
        records.find_map(|ty| ty.pointee()?.0.record().map(str::to_owned))
    };
    let (Some(from), Some(result)) = (of_type(from), of_type(result)) else { return false };
    let layout = known.api.records.get(&from).and_then(|record| record.layout.as_ref());
    layout.is_some_and(|layout| {
        layout
            .fields
            .iter()
            .any(|field| field.ty.pointee().and_then(|(behind, _)| behind.record()) == Some(result.as_str()))
    })
}

/// Whether the library counts who holds an object that a function takes or returns: it may be there when its caller's handle has gone.
pub(in crate::infer) fn counts_any(view: &View<'_>) -> bool {
    let types = view.function.params.iter().map(|param| &param.ty).chain([&view.function.result]);
    types.filter_map(|ty| view.known.handles.of_pointer(ty)).any(|handle| counts_of(view.known, handle))
}

/// Whether the library counts who holds objects of this type: [`counts`], of the type, or what releases it is called so.
fn counts_of(known: Known<'_>, handle: &str) -> bool {
    let release = known.handles.get(handle).and_then(|known| known.release.as_deref());
    let alone = |named: &&&Named<'_>| named.function.params.len() == 1;
    let counts = |named: &&Named<'_>| is_counting(&named.name);
    release.is_some_and(|release| is_counting(&Name::of(release)))
        || known.uses.first(handle).iter().filter(alone).any(counts)
}

/// Whether a function of the library counts who holds the only thing that it takes: `widget_ref(widget)`, `X509_up_ref(x)`.
pub(in crate::infer) fn counts(functions: &Functions<'_>) -> bool {
    let takes = |function: &Function| matches!(&function.params[..], [only] if only.ty.pointee().is_some());
    functions.iter().any(|Named { function, name }| takes(function) && is_counting(name))
}

/// Whether a function is called as one that counts references.
fn is_counting(name: &Name) -> bool {
    let parts = ["addref", "decref", "incref", "retain", "unref"];
    let letters = name.words.concat();
    name.ends_with(REFERENCES) || parts.iter().any(|part| letters.contains(part))
}

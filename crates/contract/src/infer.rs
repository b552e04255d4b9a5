//! What headers let us conclude: named rules that fill the facts a contract leaves open.
//!
//! A rule that could be fooled into a wrong answer does not fire: it leaves a gap with the reason and the line
//! that would decide it. docs/reference/inference.md and objects.md list the rules for users.

mod allocators;
mod answers;
mod arrays;
pub(crate) mod begun;
mod code;
mod comments;
pub(crate) mod constants;
pub(crate) mod copies;
mod counted;
mod destructors;
mod documented;
mod elements;
mod endings;
pub(crate) mod fresh;
pub(crate) mod functions;
mod gaps;
mod getters;
pub mod handles;
mod inplace;
mod keeping;
mod later;
mod lengths;
mod lent;
mod made;
mod names;
mod objects;
mod outputs;
pub(crate) mod parents;
mod results;
mod scalars;
mod sharing;
mod stdio;
#[cfg(test)]
mod tests;
mod texts;
mod twins;
mod unsupported;
pub(crate) mod uses;
mod view;
pub(crate) mod walls;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use hotcell_code::Code;
use hotcell_model::Fact;
use hotcell_model::api::{Api, Function, Param};
use hotcell_model::interface::{ResultRole, Role};
use hotcell_model::types::Type;

use crate::handles::Handles;
pub(crate) use crate::infer::answers::answers;
pub(crate) use crate::infer::code::shown;
use crate::infer::functions::Functions;
pub(crate) use crate::infer::gaps::only_waits;
pub(crate) use crate::infer::unsupported::shape;
use crate::infer::uses::Uses;
use crate::infer::view::View;
use crate::infer::words::objects::{BEGINS, CONSTRUCTORS, COPIES, ENDS_BEGUN, MAKES, STORES};
use crate::structs::Structs;

/// The facts of a function: those a contract decided are filled before inference, and kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// By parameter position.
    pub params: Vec<Option<Fact<Role>>>,
    /// Of the returned value.
    pub result: Option<Fact<ResultRole>>,
}

/// What is known about the library as a whole.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Everything the headers declare.
    pub api: &'a Api,
    /// Its functions, with what their names say.
    pub functions: &'a Functions<'a>,
    /// What they are about.
    pub uses: &'a Uses<'a>,
    /// Its handle types.
    pub handles: &'a Handles,
    /// Its structures that can travel.
    pub structs: &'a Structs,
    /// Functions that the library exports, when its file was read.
    pub exports: Option<&'a BTreeSet<String>>,
    /// Names that are another library's in the worker.
    pub shadowed: Option<&'a BTreeSet<String>>,
    /// What the library's machine code does, as far as it was read.
    pub code: &'a [Rc<Code>],
    /// The same, wherever it speaks against what names say: always there where it was read.
    pub against: &'a [Rc<Code>],
}

/// What inference leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No line of a contract would help, for this reason.
    Unsupported(String),
    /// These facts are missing; none: the function can be bound.
    Open(Vec<Gap>),
}

/// A missing fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Position of the parameter; `None` for the returned value.
    pub param: Option<usize>,
    /// Why no rule applies.
    pub reason: String,
    /// The line of the contract that would decide it, for `[function.NAME]`.
    pub help: Option<String>,
    /// The structure of which nothing says what it is to callers: what decides that stands outside of the function.
    pub open_type: Option<String>,
    /// Whether that line makes a length of the returned number.
    pub returns_length: bool,
}

impl Gap {
    /// That a parameter's role is missing, without a line that would decide it.
    pub(crate) fn of_param(index: usize, reason: String) -> Gap {
        Gap { param: Some(index), reason, help: None, returns_length: false, open_type: None }
    }

    /// That something about the returned value is missing, without a line that would decide it.
    pub(crate) fn of_result(reason: String) -> Gap {
        Gap { param: None, reason, help: None, returns_length: false, open_type: None }
    }
}

/// Fills what rules can fill. `names` are the parameters' names as the contract writes them.
///
/// Rules run from the strongest evidence to the weakest: a written length, a length parameter, none. Each
/// keeps what is there. Those that do not apply for a reason leave a note, which becomes the gap's reason.
pub fn infer(function: &Function, names: &[String], known: Known<'_>, draft: &mut Draft) -> Verdict {
    draft.params.resize(function.params.len(), None);
    let view = View::new(function, names, known, draft);
    if let Some(reason) = unsupported::reason(&view, draft) {
        return Verdict::Unsupported(reason);
    }
    let mut notes = Notes::default();
    objects::apply(&view, draft, &mut notes);
    begun::apply(&view, draft, &mut notes);
    stdio::apply(&view, draft);
    arrays::apply(&view, draft, &mut notes);
    lengths::apply(&view, draft, &mut notes);
    outputs::apply(&view, draft, &mut notes);
    elements::apply(&view, draft, &mut notes);
    documented::apply(&view, draft, &mut notes);
    inplace::apply(&view, draft, &mut notes);
    texts::apply(&view, draft, &mut notes);
    twins::params(&view, draft);
    destructors::apply(&view, draft);
    allocators::apply(&view, draft);
    later::apply(&view, draft, &mut notes);
    code::apply(&view, draft);
    scalars::apply(&view, draft, &mut notes);
    lent::apply(&view, draft);
    made::apply(&view, draft, &mut notes);
    constants::apply(&view, draft);
    counted::apply(&view, draft);
    twins::result(&view, draft);
    fresh::apply(&view, draft);
    results::apply(&view, draft, &mut notes);
    documented::nulls(&view, draft);
    code::agree(&view, draft, &mut notes);
    Verdict::Open(gaps::find(&view, draft, &notes))
}

/// Why a parameter may be something else than what a contract says of all of its type: a text that a NUL ends, or one
/// number that comes out.
pub(crate) fn doubt(
    function: &Function,
    names: &[String],
    known: Known<'_>,
    draft: &Draft,
    index: usize,
    text: bool,
) -> Option<String> {
    let view = View::new(function, names, known, draft);
    match text {
        true => texts::doubt(&view, draft, &view.param(index)?.ty, index),
        false => documented::doubt(&view, draft, index, ""),
    }
}

/// Whether the number right behind a pointer may say how much is there.
pub(crate) fn may_be_counted(function: &Function, names: &[String], known: Known<'_>, index: usize) -> bool {
    let draft = Draft { params: vec![None; names.len()], result: None };
    let view = View::new(function, names, known, &draft);
    let number = view.param(index + 1).is_some_and(|param| param.ty.is_integer());
    number && view.may_be_length(index + 1)
}

/// Whether a function may take over or end an object that it is given, by its name: it is called like one that ends what
/// it is given, or like one that keeps what follows its first object.
pub(crate) fn may_take(function: &Function, known: Known<'_>, index: usize) -> bool {
    let object = |param: &Param| {
        let pointee = param.ty.pointee().map(|(pointee, _)| &pointee.kind);
        known.handles.of_pointer(&param.ty).is_some()
            || matches!(pointee, Some(Type::Record { .. } | Type::Void))
    };
    let first = function.params.iter().position(object);
    endings::ending(&function.name).is_some() || has_word(function, STORES) && first != Some(index)
}

/// Whether a function is called like one that makes an object, or copies one.
pub(crate) fn may_make(function: &Function) -> bool {
    [CONSTRUCTORS, COPIES, MAKES].iter().any(|list| has_word(function, list))
}

/// Whether a function is called like one that ends what it is given.
pub(crate) fn may_end(name: &str) -> bool {
    let last = names::words(name).pop().unwrap_or_default();
    ENDS_BEGUN.contains(&last.as_str())
        || endings::ending(name).is_some_and(|(ending, _)| ending >= endings::Ending::Closes)
}

/// Whether a function is called like one that begins something by that name: `ds_init`.
pub(crate) fn initializes(name: &str) -> bool {
    names::words(name).last().is_some_and(|last| BEGINS.contains(&last.as_str()))
}

/// Whether a function is called like one that begins a structure of the caller's, and no part of one (`flow_create_child`), or its
/// comment says that it fills that.
pub(crate) fn may_begin(function: &Function, index: usize) -> bool {
    let last = names::words(&function.name).pop().unwrap_or_default();
    let begins = CONSTRUCTORS.contains(&last.as_str()) || BEGINS.contains(&last.as_str()) || last == "open";
    !has_word(function, COPIES) && (begins || documented::is_out(function, index))
}

/// Whether a number says by its name that it is a length, and of nothing else than what a pointer leads to that is called `pointer`: `length`, `n_points`
/// of `points`, `avail_in` of `next_in`. A `wavelength`, a `max_length` and a `block_length` of a `key` are of something else, and what counts bytes
/// is none of wider elements.
pub(crate) fn may_size(number: &str, pointer: &str) -> bool {
    let lengths = ["count", "len", "length", "n", "num"];
    let (number, pointer) = (names::words(number), names::words(pointer));
    let is_length = |word: &String| lengths.contains(&word.as_str());
    let of: Vec<&String> = number.iter().filter(|word| !is_length(word) && *word != "avail").collect();
    let alone = matches!(&number[..], [only] if is_length(only));
    alone || of.len() == 1 && number.len() == 2 && pointer.contains(of[0])
}

/// Whether a number says by its name how much there is where a pointer leads that is called `pointer`: `preset_dict_size` of
/// `preset_dict`, `mv_size` of `mv_data`.
pub(crate) fn sizes(number: &str, pointer: &str, bytes: bool) -> bool {
    let (number, pointer) = (names::words(number), names::words(pointer));
    let Some((last, of)) = number.split_last() else { return false };
    let size = ["len", "length"].contains(&last.as_str())
        || bytes && ["bytes", "nbytes", "size"].contains(&last.as_str());
    let data =
        |word: &String| [words::RAW, words::DATA, &["base"]].iter().any(|list| list.contains(&word.as_str()));
    let of_data = pointer.split_last().is_some_and(|(last, rest)| of == rest && data(last));
    size && (of == pointer || of_data)
}

/// Whether another function counts what this one returns, or a structure may that it fills.
pub(crate) fn counts_result(function: &Function, known: Known<'_>) -> bool {
    let fills = |param: &Param| {
        let record = param
            .ty
            .pointee()
            .is_some_and(|(ty, constant)| !constant && matches!(ty.kind, Type::Record { .. }));
        record && known.handles.of_pointer(&param.ty).is_none()
    };
    counted::counts(function, known) || function.params.iter().any(fills)
}

/// Whether a parameter is called like what is said about a failure: `pzErrMsg`, `error`, `err_text`; not `error_file`.
pub(crate) fn tells_failure(name: &str) -> bool {
    let words = names::words(name);
    let failure = |word: &String| ["err", "error", "errbuf", "errmsg", "errstr"].contains(&word.as_str());
    let text = |word: &String| ["message", "msg", "str", "string", "text"].contains(&word.as_str());
    words.iter().any(failure) && words.last().is_some_and(|word| failure(word) || text(word))
}

/// Whether a function may return something else than the memory that a contract says functions of its type return:
/// a place in what it is given, which nobody may release; what a number counts, or data, which no NUL need end; or
/// memory that is the caller's where the contract says it is not.
pub(crate) fn may_return_otherwise(function: &Function, released: bool, counted: bool) -> bool {
    results::otherwise(function, released, counted)
}

fn has_word(function: &Function, list: &[&str]) -> bool {
    names::function_words(&function.name).iter().any(|word| list.contains(&word.as_str()))
}

/// Why rules did not apply: for each parameter, and for the result, the first reason.
#[derive(Debug, Default)]
struct Notes {
    params: BTreeMap<usize, String>,
    result: Option<String>,
}

impl Notes {
    fn add(&mut self, param: usize, reason: String) {
        self.params.entry(param).or_insert(reason);
    }

    /// What is noted of a parameter from now on, whatever was before.
    fn set(&mut self, param: usize, reason: String) {
        self.params.insert(param, reason);
    }

    fn add_result(&mut self, reason: String) {
        self.result.get_or_insert(reason);
    }

    fn of(&self, param: usize) -> Option<String> {
        self.params.get(&param).cloned()
    }

    fn of_result(&self) -> Option<String> {
        self.result.clone()
    }
}

//! What the library's machine code shows, where names and comments leave something open: whether a function keeps what a parameter
//! points to, and how much of it is touched.
//!
//! *code-number*: a pointer to numbers behind which the function touches one, and which it does not keep.
//! *code-structure*: the same of a structure of numbers.
//! *code-object*: an object that the function only reads, while it writes nowhere.
//!
//! It shows nothing where the code does not so much as look at what the pointer leads to, nor against what a comment says plainly.

use std::rc::Rc;

use hotcell_code::{Code, Gone, Made, Seen, Use};
use hotcell_model::api::Function;
use hotcell_model::evidence::{Evidence, Fact};
use hotcell_model::interface::{Direction, Role};
use hotcell_model::types::{CType, Type};

use crate::infer::later::{of_call, take_back};
use crate::infer::view::{View, decided};
use crate::infer::{Draft, Known, Notes, comments, copies, walls};

/// The rule's name by which an object is only used.
pub(super) const OBJECT: &str = "code-object";

/// Decides what is open of numbers and structures.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft) {
    for index in 0..view.function.params.len() {
        if decided(draft, index) {
            continue;
        }
        if let Some(fact) = number(view, index).or_else(|| structure(view, index)) {
            draft.params[index] = Some(fact);
        }
    }
}

/// A parameter of which names say that the call alone uses it, and the code that it goes somewhere.
fn contradicted(view: &View<'_>, draft: &Draft) -> Option<usize> {
    let during = |index: &usize| {
        // What the worker has copies of may be kept.
        let role = draft.params[*index].as_ref().filter(
            |fact| matches!(&fact.evidence, Evidence::Inferred { rule } if ![copies::KEPT, walls::KEPT].contains(&rule.as_str())),
        );
        role.is_some_and(|fact| match fact.value {
            Role::Handle { consumed, .. } => !consumed,
            ref role => of_call(role),
        })
    };
    (0..draft.params.len()).filter(during).find(|&index| keeps(view, index))
}

/// Whether the code speaks against nothing that names say.
pub(super) fn agrees(view: &View<'_>, draft: &Draft) -> bool {
    contradicted(view, draft).is_none()
}

/// Whether the code puts a pointer into memory on some way through the function, or releases it.
fn keeps(view: &View<'_>, index: usize) -> bool {
    used(view, index).is_some_and(|used| used.released || matches!(used.gone, Some(Gone::Stored(_))))
}

/// Takes back what names say of a parameter where the code speaks against it: of functions of which names do not say enough, both have
/// to agree.
pub(super) fn agree(view: &View<'_>, draft: &mut Draft, notes: &mut Notes) {
    while let Some(index) = contradicted(view, draft) {
        take_back(draft, index);
        notes.set(
            index,
            format!("the library keeps or releases `{}` on some way through the function", view.name(index)),
        );
    }
}

/// One number.
fn number(view: &View<'_>, index: usize) -> Option<Fact<Role>> {
    let (element, constant) = view.buffer(index)?;
    let size = element.scalar_size().filter(|_| !constant && !element.is_byte())?;
    let param = view.param(index)?;
    if param.open_array || param.array_length.is_some() || view.has_own_length(index, index) {
        return None;
    }
    let used = during_anywhere(view, index)?;
    let one = used.read.join(used.written).fits(u64::from(size)) && used.written.is_any();
    // What is not written each time has to be there before.
    let role = match used.read.is_any() || !used.fills(u64::from(size)) {
        true => Role::ValueInOut { valid_on_error: false },
        false => Role::ValueOut { valid_on_error: false },
    };
    one.then(|| Fact::inferred(role, "code-number"))
}

/// One structure of numbers.
fn structure(view: &View<'_>, index: usize) -> Option<Fact<Role>> {
    let param = view.param(index)?;
    let (pointee, constant) = param.ty.pointee()?;
    let record = pointee.record()?;
    let structs = view.known.structs;
    let several = param.open_array || param.array_length.is_some() || view.has_own_length(index, index);
    if view.handle(index).is_some() || !structs.is_plain(record) || several {
        return None;
    }
    let size = view.known.api.records.get(record)?.layout.as_ref()?.size;
    let used = during_anywhere(view, index)?;
    if !used.read.join(used.written).fits(size) {
        return None;
    }
    let direction = match (constant || !used.written.is_any(), used.read.is_any() || !used.fills(size)) {
        (true, _) => Direction::In,
        (false, true) => Direction::InOut,
        (false, false) => Direction::Out,
    };
    let role = Role::Struct { record: record.to_owned(), direction, nullable: false, valid_on_error: false };
    structs.against(record, direction).is_none().then(|| Fact::inferred(role, "code-structure"))
}

/// What the function does with a pointer that it uses, and does not keep: it goes nowhere, is not released and not returned.
fn during(view: &View<'_>, index: usize) -> Option<Use> {
    if comments::keeps_object(view.function) || comments::takes_memory(view.function) {
        return None;
    }
    let used = used(view, index)?;
    let over = used.gone.is_none() && !used.released && !(returns(view) && used.returned.is_pointer());
    let touched = used.read.is_any() || used.written.is_any();
    (over && touched).then_some(used)
}

/// Whether a function returns something that may be an address: one that does not leaves its last value where a result would be.
fn returns(view: &View<'_>) -> bool {
    let result = &view.function.result;
    matches!(result.kind, Type::Pointer { .. } | Type::FunctionPointer { .. })
        || result.scalar_size() == Some(8) && !matches!(result.kind, Type::Float { .. })
}

/// The same of memory of which it does not matter where it lies, so that a copy of it does as well.
fn during_anywhere(view: &View<'_>, index: usize) -> Option<Use> {
    during(view, index).filter(|used| !used.placed)
}

/// Whether memory without pointers in it is used during the call alone.
pub(super) fn is_over(view: &View<'_>, index: usize) -> bool {
    let Some(used) = during_anywhere(view, index) else { return false };
    // One number that may be written and is only read is there for somebody else to write: `handle_events(ctx, int *completed)`.
    let number = view.buffer(index).filter(|(element, constant)| !constant && !element.is_byte());
    let size = number.and_then(|(element, _)| element.scalar_size());
    used.written.is_any() || !size.is_some_and(|size| used.read.fits(u64::from(size)))
}

/// Whether the code shows that there is no more than one pointer behind a parameter, and that this is written.
pub(super) fn is_one(view: &View<'_>, index: usize) -> bool {
    during(view, index).is_some_and(|used| used.written.is_any() && used.read.join(used.written).fits(8))
}

/// Whether the code writes a number there, and nothing else, and reads none.
pub(super) fn fills_number(view: &View<'_>, index: usize) -> bool {
    let size = view.buffer(index).and_then(|(element, _)| element.scalar_size());
    let used = during_anywhere(view, index).filter(|used| !used.read.is_any() && used.written.is_any());
    used.zip(size).is_some_and(|(used, size)| used.written.fits(u64::from(size)))
}

/// Whether the code reads a text there, up to a NUL.
pub(super) fn is_text(view: &View<'_>, index: usize) -> bool {
    used(view, index).is_some_and(|used| used.is_text())
}

/// Whether the code looks for a NUL there on some way: where it does not on another, nobody knows which it is.
pub(super) fn may_be_text(view: &View<'_>, index: usize) -> bool {
    used(view, index).is_some_and(|used| used.may_be_text())
}

/// Whether a function does nothing with an object but read it, and writes nowhere: then it is there as before, nobody has it, nothing depends
/// on it that did not, and nothing waits to release it.
pub(super) fn leaves(view: &View<'_>, index: usize) -> bool {
    during(view, index).is_some_and(|used| {
        let goes_on = used.inner_gone.is_some() || used.inner_released || used.in_parts || !used.only_reads();
        !(goes_on || returns(view) && used.returned.is_inner())
    })
}

/// Whether the library's code shows anything of a parameter, which it uses and keeps nowhere, or of the result, which it makes.
pub(crate) fn shown(function: &Function, known: Known<'_>, param: Option<usize>) -> bool {
    let Some(index) = param else { return makes(function, known.code) };
    asked(function, known.code, index).is_some_and(|used| used.gone.is_none() && used.is_used())
}

/// What the library's code does with a parameter.
fn used(view: &View<'_>, index: usize) -> Option<Use> {
    asked(view.function, view.known.code, index)
}

/// Whether the code hands what a parameter points to to C's `free` on some way.
pub(super) fn frees(function: &Function, code: &[Rc<Code>], index: usize) -> bool {
    let Some(position) = position(function, index) else { return false };
    code.iter().any(|code| code.frees(function.symbol(), position))
}

/// Whether the code shows that a function does not release what a parameter points to: that is in sight on all ways.
pub(super) fn spares(function: &Function, code: &[Rc<Code>], index: usize) -> bool {
    asked(function, code, index).is_some_and(|used| used.gone.is_none() && !used.released)
}

/// Whether the code shows that what a function returns is memory that it has just made, and that nobody else has.
pub(super) fn makes(function: &Function, code: &[Rc<Code>]) -> bool {
    made(function, code).is_some_and(Made::is_new)
}

/// The same of a text, with a NUL in it.
pub(super) fn makes_text(function: &Function, code: &[Rc<Code>]) -> bool {
    made(function, code) == Some(Made::Text)
}

/// Whether the code shows that others may find what a function has made and returns.
pub(super) fn shares(function: &Function, code: &[Rc<Code>]) -> bool {
    made(function, code) == Some(Made::Shared)
}

fn made(function: &Function, code: &[Rc<Code>]) -> Option<Made> {
    code.iter().find_map(|code| code.makes(function.symbol()))
}

/// What of a function's code speaks against what names say of a parameter: nothing follows from what is not seen.
pub(super) fn seen(function: &Function, code: &[Rc<Code>], index: usize) -> Seen {
    let Some(position) = position(function, index) else { return Seen::default() };
    let found = code.iter().map(|code| code.seen(function.symbol(), position));
    found.fold(Seen::default(), |all, seen| Seen {
        releases_inner: all.releases_inner | seen.releases_inner,
        returns_inner: all.returns_inner | seen.returns_inner,
    })
}

/// Whether the code shows that nothing is released, or goes anywhere, that was read behind a parameter.
pub(super) fn leaves_inside(function: &Function, code: &[Rc<Code>], index: usize) -> bool {
    asked(function, code, index).is_some_and(|used| !used.inner_released && used.inner_gone.is_none())
}

/// Whether the code shows that a function stores where a parameter leads, so that the library may look there later.
pub(super) fn stores(function: &Function, code: &[Rc<Code>], index: usize) -> bool {
    asked(function, code, index).is_some_and(|used| matches!(used.gone, Some(Gone::Stored(_))))
}

/// Whether the code of one function comes to that of another one.
pub(super) fn calls(code: &[Rc<Code>], function: &Function, other: &Function) -> bool {
    code.iter().any(|code| code.calls(function.symbol(), other.symbol()))
}

fn asked(function: &Function, code: &[Rc<Code>], index: usize) -> Option<Use> {
    let position = position(function, index)?;
    code.iter().find_map(|code| code.argument(function.symbol(), position))
}

/// Which of the arguments that are no real numbers a parameter is: those go in registers of their own. `None` where what is passed by value
/// moves the others.
fn position(function: &Function, index: usize) -> Option<usize> {
    if function.variadic || !function.prototyped || function.inline || passed(&function.result).is_none() {
        return None;
    }
    let classes: Option<Vec<usize>> = function.params.iter().map(|param| passed(&param.ty)).collect();
    let before: usize = classes?.get(..index)?.iter().sum();
    // Real numbers beyond the eighth lie on the stack, among the arguments for which there is no register.
    let reals = function.params.iter().filter(|param| matches!(param.ty.kind, Type::Float { .. })).count();
    (before < 6 || reals <= 8).then_some(before)
}

/// How many general registers a value takes.
fn passed(ty: &CType) -> Option<usize> {
    match ty.kind {
        Type::Void | Type::Float { .. } => Some(0),
        Type::Bool
        | Type::Char
        | Type::Int { bits: ..=64, .. }
        | Type::Enum { .. }
        | Type::Pointer { .. }
        | Type::FunctionPointer { .. } => Some(1),
        Type::Int { .. } | Type::Array { .. } | Type::Record { .. } | Type::Unsupported { .. } => None,
    }
}

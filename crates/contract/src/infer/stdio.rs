//! The rule `like-stdio`: functions that are called like C's `fread`, `fwrite` and `fgets` and take what these take.
//!
//! Everybody who writes `gzfread` or `hgets` means the function of C. The name alone is not enough (`get_widgets`), and
//! nor are the parameters: each must be of C's kind, in C's order, beside an object that is read or written. `read` and
//! `write` of POSIX are not among them: `git_odb_stream_read(stream, buffer, len)` and `sqlite3_blob_read` return a
//! status where `read` returns how much there is.

use hotcell_model::Fact;
use hotcell_model::expr::{Expr, Op};
use hotcell_model::interface::{Capacity, Encoding, Ownership, ResultLength, ResultRole, Role, Unit};
use hotcell_model::types::{CType, Type};

use crate::infer::Draft;
use crate::infer::names::words;
use crate::infer::view::{View, decided};
use crate::infer::words::NAMES;

const RULE: &str = "like-stdio";

/// Fills what such a function reads or writes.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft) {
    if called(view, "fread") {
        counted(view, draft, false);
    } else if called(view, "fwrite") {
        counted(view, draft, true);
    } else if called(view, "fgets") || called(view, "gets") {
        line(view, draft);
    }
}

/// Whether a function is called so, perhaps behind the beginning of the name of the object it takes: `gzgets(gzFile, …)`.
fn called(view: &View<'_>, name: &str) -> bool {
    let mut own = words(&view.function.name);
    own.retain(|word| word != "unlocked");
    let Some(last) = own.last() else { return false };
    let before = last.strip_suffix(name);
    let of_object = |index: usize| {
        let object = view.handle(index).or_else(|| Some(view.param(index)?.ty.pointee()?.0.written.as_str()));
        object.is_some_and(|object| words(object).first().map(String::as_str) == before)
    };
    before == Some("") || before.is_some() && (0..view.function.params.len()).any(of_object)
}

/// Whether a type points to what is read or written.
fn is_stream(view: &View<'_>, index: usize) -> bool {
    let record = |ty: &CType| matches!(ty.pointee(), Some((CType { kind: Type::Record { .. }, .. }, _)));
    view.handle(index).is_some() || view.param(index).is_some_and(|param| record(&param.ty))
}

/// `size_t fread(void *, size_t size, size_t n, FILE *)`, and the same of `fwrite`.
fn counted(view: &View<'_>, draft: &mut Draft, goes_in: bool) {
    let params = &view.function.params;
    let integer = |index: usize| params[index].ty.is_integer();
    let bytes = |index| view.buffer(index).is_some_and(|(ty, constant)| ty.is_byte() && constant == goes_in);
    let sized =
        |index: usize| params[index].name.as_deref().is_some_and(|name| name.trim_matches('_') == "size");
    let fits = params.len() == 4 && bytes(0) && integer(1) && sized(1) && integer(2) && is_stream(view, 3);
    if !fits || !view.function.result.is_integer() || (0..3).any(|index| decided(draft, index)) {
        return;
    }
    let product =
        |left: Expr, right: Expr| Expr::Binary { op: Op::Mul, left: Box::new(left), right: Box::new(right) };
    let each = Expr::Param { index: 1 };
    let size = product(each.clone(), Expr::Param { index: 2 });
    let role = if goes_in {
        Role::BufferIn { nullable: false, length: Some(size) }
    } else {
        Role::BufferOut {
            capacity: Capacity::Elements { size },
            result: ResultLength::Elements { size: product(Expr::Result, each) },
            valid_on_error: false,
        }
    };
    draft.params[0] = Some(Fact::inferred(role, RULE));
}

/// `char *fgets(char *, int, FILE *)`, where the stream may stand first.
fn line(view: &View<'_>, draft: &mut Draft) {
    let params = &view.function.params;
    let text = |ty: &CType| matches!(ty.pointee(), Some((CType { kind: Type::Char, .. }, false)));
    let (place, stream) = if params.len() == 3 && is_stream(view, 0) { (1, 0) } else { (0, 2) };
    let fits = params.len() == 3
        && text(&params[place].ty)
        && params[place + 1].ty.is_integer()
        && (params[place + 1].name.is_none() || view.may_be_length(place + 1))
        && !view.called(place, NAMES)
        && is_stream(view, stream)
        && text(&view.function.result);
    if !fits || decided(draft, place) || decided(draft, place + 1) {
        return;
    }
    let role =
        Role::BufferOut { capacity: Capacity::Caller, result: ResultLength::Text, valid_on_error: false };
    draft.params[place] = Some(Fact::inferred(role, RULE));
    let role = Role::CapacityOf { param: place, unit: Unit::Bytes };
    draft.params[place + 1] = Some(Fact::inferred(role, RULE));
    if draft.result.is_none() {
        // What is returned is the beginning of the line, or NULL at the end.
        let text = ResultRole::Text {
            encoding: Encoding::Bytes,
            length: None,
            nullable: true,
            ownership: Ownership::Library,
        };
        draft.result = Some(Fact::inferred(text, RULE));
    }
}

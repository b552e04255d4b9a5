//! The rule `text-twin`: `sqlite3_errmsg16(db)` beside `sqlite3_errmsg(db)`.
//!
//! A library that has its texts in two encodings has most functions twice, the second time with `16` behind the name and
//! `const void *` for `const char *`. One such pair may be a coincidence (`hash` and `hash16`), so there must be several,
//! and the headers must speak of UTF-16.

use hotcell_model::Fact;
use hotcell_model::api::{Api, Function};
use hotcell_model::interface::{Encoding, Ownership, ResultRole, Role};
use hotcell_model::types::{CType, Type};

use crate::infer::view::{View, plain_text, shown};
use crate::infer::{Draft, comments, results, texts};

/// How many pairs show that it is no coincidence.
const PAIRS: usize = 3;

/// Finds texts that go in where the function of the same name has texts in UTF-8.
pub(super) fn params(view: &View<'_>, draft: &mut Draft) {
    let Some(twin) = twin(view.known.api, view.function) else { return };
    let other = View::new(twin, view.names, view.known, draft);
    for (index, param) in twin.params.iter().enumerate() {
        let open = draft.params[index].is_none() && is_twin(&param.ty, &view.function.params[index].ty);
        let own = comments::kept(view.function) || comments::unended(view.function);
        if open && !own && texts::against(&other, draft, index).is_none() && is_family(view.known.api) {
            let role = Role::Text { encoding: Encoding::Utf16, nullable: false };
            draft.params[index] = Some(Fact::inferred(role, "text-twin"));
        }
    }
}

/// Finds returned texts of which the header has the same in UTF-8.
pub(super) fn result(view: &View<'_>, draft: &mut Draft) {
    let Some(twin) = twin(view.known.api, view.function).filter(|_| draft.result.is_none()) else { return };
    let other = View::new(twin, view.names, view.known, draft);
    let text = is_twin(&twin.result, &view.function.result);
    if !text
        || results::objection(&other, draft).is_some()
        || results::whose(view).is_some()
        || !is_family(view.known.api)
    {
        return;
    }
    let text = ResultRole::Text {
        encoding: Encoding::Utf16,
        length: None,
        nullable: true,
        ownership: Ownership::Library,
    };
    draft.result = Some(Fact::inferred(text, "text-twin"));
}

/// Whether the headers have texts in both encodings: several functions return one in each, and a name says so.
fn is_family(api: &Api) -> bool {
    let returns = |function: &&Function| {
        twin(api, function).is_some_and(|twin| is_twin(&twin.result, &function.result))
    };
    speaks_of_utf16(api) && api.functions.iter().filter(returns).count() >= PAIRS
}

/// The function of the same name without `16` that takes and returns the same, but for texts.
fn twin<'a>(api: &'a Api, function: &Function) -> Option<&'a Function> {
    let name = function.name.strip_suffix("16")?;
    let same = |other: &CType, own: &CType| other.canonical == own.canonical || is_twin(other, own);
    api.functions.iter().find(|other| {
        let mut params = other.params.iter().zip(&function.params);
        other.name == name
            && other.params.len() == function.params.len()
            && params.all(|(other, own)| same(&other.ty, &own.ty))
            && same(&other.result, &function.result)
    })
}

/// Whether the first is a text in UTF-8, and the second may be one in UTF-16.
fn is_twin(text: &CType, void: &CType) -> bool {
    let hidden = matches!(void.pointee(), Some((CType { kind: Type::Void, .. }, true)));
    hidden && shown(void) && plain_text(text)
}

fn speaks_of_utf16(api: &Api) -> bool {
    let says = |name: &str| name.to_ascii_lowercase().replace('_', "").contains("utf16");
    api.constants.keys().any(|name| says(name)) || api.functions.iter().any(|function| says(&function.name))
}

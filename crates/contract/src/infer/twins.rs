//! The rule `text-twin`: `sqlite3_errmsg16(db)` beside `sqlite3_errmsg(db)`.
//!
//! A library that has its texts in two encodings has most functions twice, the second time with `16` behind the name and
//! `const void *` for `const char *`. One such pair may be a coincidence (`hash` and `hash16`), so there must be several,
//! and the headers must speak of UTF-16.

use hotcell_model::Fact;
use hotcell_model::api::{Api, Function};
use hotcell_model::interface::{Encoding, Ownership, ResultRole};
use hotcell_model::types::Type;

use crate::infer::view::{View, plain_text, shown};
use crate::infer::{Draft, results};

/// How many pairs show that it is no coincidence.
const PAIRS: usize = 3;

/// Finds returned texts of which the header has the same in UTF-8.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft) {
    let api = view.known.api;
    let Some(twin) = twin(api, view.function).filter(|_| draft.result.is_none()) else { return };
    let pairs = api.functions.iter().filter(|function| self::twin(api, function).is_some()).count();
    let twin = View::new(twin, view.names, view.known, draft);
    if pairs < PAIRS || !speaks_of_utf16(api) || results::objection(&twin, draft).is_some() {
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

/// The function of the same name without `16` that returns a text and takes the same.
fn twin<'a>(api: &'a Api, function: &Function) -> Option<&'a Function> {
    let name = function.name.strip_suffix("16")?;
    let (pointee, true) = function.result.pointee()? else { return None };
    if pointee.kind != Type::Void || !shown(&function.result) {
        return None;
    }
    let same = |other: &&Function| {
        let params = || other.params.iter().zip(&function.params);
        other.name == name
            && plain_text(&other.result)
            && other.params.len() == function.params.len()
            && params().all(|(other, own)| other.ty.canonical == own.ty.canonical)
    };
    api.functions.iter().find(same)
}

fn speaks_of_utf16(api: &Api) -> bool {
    let says = |name: &str| name.to_ascii_lowercase().replace('_', "").contains("utf16");
    api.constants.keys().any(|name| says(name)) || api.functions.iter().any(|function| says(&function.name))
}

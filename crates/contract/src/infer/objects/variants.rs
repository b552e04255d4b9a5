//! The rule `release-variant`: `gzclose_r(file)` ends what `gzclose(file)` does.
//!
//! A function that takes an object and nothing else, and is called as the release of its type is but for a word that says which variant
//! it is, ends the object as the release does: it is another way to do the same.

use hotcell_model::types::Type;

use crate::infer::view::View;

pub(super) const RULE: &str = "release-variant";

/// What says behind a name that it is a variant of it: for what is read or written, and later versions.
const VARIANTS: &[&str] = &["_r", "_w", "2", "_2", "_v2", "_ex", "ex", "Ex"];

/// Whether a function is a variant of the release of the only thing that it takes.
pub(super) fn is_variant(view: &View<'_>, handle: &str) -> bool {
    let function = view.function;
    let release = view.known.handles.get(handle).and_then(|known| known.release.as_deref());
    let behind = release.and_then(|release| function.name.strip_prefix(release));
    let status = function.result.is_integer()
        || matches!(function.result.kind, Type::Void | Type::Bool | Type::Enum { .. });
    function.params.len() == 1 && status && behind.is_some_and(|behind| VARIANTS.contains(&behind))
}

//! Parts of an object that a function empties, hands on or moves to, while the object stays.

use crate::infer::endings::{self, Ending};
use crate::infer::names::words;
use crate::infer::view::{View, plain_text};

/// Where a reader or a cursor may stand.
const POSITIONS: &[&str] = &[
    "attribute",
    "child",
    "column",
    "element",
    "first",
    "index",
    "last",
    "line",
    "next",
    "no",
    "ns",
    "parent",
    "prev",
    "previous",
    "row",
    "sibling",
];

/// What holds an object, so that it may be gone when that is cleared.
const HOLDERS: &[&str] = &[
    "handle",
    "handles",
    "holder",
    "lock",
    "owner",
    "owners",
    "pointer",
    "pointers",
    "ptr",
    "ref",
    "refcount",
    "reference",
    "references",
    "refs",
    "self",
];

/// Whether a function that is called like one which empties or hands on does so with a part of its object, or moves within it:
/// `EVP_MD_CTX_clear_flags(ctx, flags)`, `xmlTextReaderMoveToElement(reader)`. It is called after the object's type, then comes the
/// word, and then what it is about; besides it takes numbers and texts.
pub(super) fn of_part(view: &View<'_>, index: usize, ending: Ending) -> bool {
    let Some(handle) = view.handle(index).filter(|_| index == 0 && ending == Ending::GivesAway) else {
        return false;
    };
    let own: Vec<String> = words(handle).into_iter().filter(|word| word != "ptr" && word != "t").collect();
    let name = words(&view.function.name);
    let Some(verb) = name.iter().position(|word| ["clear", "move", "swap"].contains(&word.as_str())) else {
        return false;
    };
    let (before, behind) = (&name[..verb], &name[verb + 1..]);
    let others = &view.function.params[1..];
    let harmless = others.iter().all(|param| param.ty.is_scalar() || plain_text(&param.ty));
    let about = match name[verb].as_str() {
        // `message_move_to_trash(message)`.
        "move" => match behind {
            [to, place @ ..] => {
                to == "to" && !place.is_empty() && place.iter().all(|word| POSITIONS.contains(&word.as_str()))
            }
            [] => false,
        },
        _ => {
            let held = behind.iter().any(|word| HOLDERS.contains(&word.as_str()));
            !behind.is_empty() && !others.is_empty() && !held
        }
    };
    let whole = |word: &String| own.contains(word) || ["all", "and", "into", "with"].contains(&word.as_str());
    let alone = name.iter().filter(|word| endings::ending(word).is_some()).count() == 1;
    own.iter().all(|word| before.contains(word))
        && about
        && harmless
        && alone
        && !behind.iter().any(whole)
        && view.function.result.pointee().is_none()
}

//! Functions that end what an object does and leave the object: `xmlTextReaderClose(reader)` beside `xmlFreeTextReader(reader)`.
//!
//! The object is still to be released where its release says that it frees it. Where the library counts who holds something that is not
//! sure: `g_dir_close(dir)` lets go of the directory as `g_dir_unref(dir)` does.

use crate::infer::endings::{Ending, ending};
use crate::infer::lent::walks;
use crate::infer::names::words;
use crate::infer::view::View;

/// Words of functions that end what an object does. What is joined, committed or finished is often over.
const PAUSES: &[&str] = &["cancel", "close", "disconnect", "shutdown", "stop"];

/// Words of functions that free an object and are called for nothing else.
const FREES: &[&str] = &["dealloc", "deallocate", "destroy", "dispose", "free"];

/// Whether a function that is called like one which ends its object leaves it there.
pub(super) fn is_pause(view: &View<'_>, index: usize, said: Ending) -> bool {
    let function = view.function;
    let has = |name: &str, list: &[&str]| words(name).iter().any(|word| list.contains(&word.as_str()));
    let release = view.handle(index).and_then(|handle| view.known.handles.get(handle)?.release.as_deref());
    let frees = |release: &str| release != function.name && has(release, FREES);
    said == Ending::Closes
        && function.params.len() == 1
        && function.result.pointee().is_none()
        && has(&function.name, PAUSES)
        && release.is_some_and(frees)
        && !view.known.handles.pairs().closes(&function.name)
        && !walks::counts(view.known)
}

/// The same of any function: what its object has lent is gone then.
pub(super) fn pauses(view: &View<'_>, index: usize) -> bool {
    ending(&view.function.name).is_some_and(|(ending, _)| is_pause(view, index, ending))
}

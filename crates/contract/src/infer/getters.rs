//! Numbers that an object is asked for: `snd_pcm_get_params(pcm, &buffer_size, &period_size)`, a part of `number-in-place`.
//!
//! Nobody tells a function that gets something of an object how many numbers there is room for. So what it gets through a pointer
//! under the name of one thing is one number. Where it may be more, something says so: a plural, a name of memory (`out`, `data`) or of
//! what consists of several numbers (`key`, `digest`), or a number beside it that may be a count.

use hotcell_model::api::Param;
use hotcell_model::types::{CType, Type};

use crate::infer::answers::DOES;
use crate::infer::names::words;
use crate::infer::view::{View, shown};
use crate::infer::words::OUTPUTS;
use crate::infer::words::numbers::DESCRIPTORS;

/// Words of functions that get something.
const GETS: &[&str] = &["get", "lookup", "query"];

/// Last words of functions that are called after what they get: `cairo_path_extents(cr, &x1, &y1, &x2, &y2)`.
const ASKED: &[&str] = &["extent", "extents", "minmax", "progress", "stats", "status", "version"];

/// Names of memory, whatever is in it.
const MEMORY: &[&str] = &["arr", "block", "dest", "dst", "mem", "p", "ptr", "res", "result", "ret", "target"];

/// Names of what consists of several numbers; in the name of a function as well: `get_digest(ctx, h)`.
const SEVERAL: &[&str] = &[
    "color",
    "colour",
    "digest",
    "equation",
    "fingerprint",
    "hash",
    "histogram",
    "iv",
    "key",
    "limb",
    "lut",
    "mac",
    "matrix",
    "nonce",
    "position",
    "quaternion",
    "row",
    "salt",
    "secret",
    "seed",
    "signature",
    "spectrum",
    "state",
    "table",
    "transform",
    "vector",
];

/// What sounds like several things and is asked for as one, or as one each.
const PLURALS: &[&str] = &[
    "bounds",
    "channels",
    "constraints",
    "dimensions",
    "dims",
    "extents",
    "flags",
    "hints",
    "limits",
    "params",
    "pos",
    "props",
    "stats",
    "status",
    "totals",
];

/// Names of one number, each of which says what it is. What is called otherwise may be several: a `rect`, a `pair`, a `shape`, an `addr`.
const SINGLES: &[&str] = &[
    "active",
    "age",
    "amount",
    "channels",
    "code",
    "count",
    "depth",
    "dir",
    "duration",
    "enabled",
    "err",
    "errnum",
    "error",
    "exponent",
    "flag",
    "flags",
    "frequency",
    "gamma",
    "height",
    "id",
    "idx",
    "index",
    "intent",
    "kind",
    "len",
    "length",
    "level",
    "limit",
    "max",
    "memlimit",
    "min",
    "mode",
    "nid",
    "num",
    "number",
    "offset",
    "padding",
    "percent",
    "pid",
    "precision",
    "priority",
    "quality",
    "rank",
    "rate",
    "ratio",
    "rc",
    "ret",
    "revision",
    "scale",
    "serial",
    "sgn",
    "sign",
    "size",
    "speed",
    "status",
    "stride",
    "threshold",
    "time",
    "timeout",
    "timestamp",
    "total",
    "type",
    "unit",
    "usecs",
    "val",
    "value",
    "version",
    "volume",
    "weight",
    "width",
];

/// Ends of such names: `saltlen`, `mdnid`.
const GLUED_SINGLES: &[&str] = &["count", "idx", "len", "mode", "nid", "size"];

/// Whether a function is called like one that gets something.
pub(super) fn gets(name: &str) -> bool {
    got(name).is_some()
}

/// Whether a pointer is to one number that the function gets of an object.
pub(super) fn gets_one(view: &View<'_>, index: usize, element: &CType) -> bool {
    let Some(got) = got(&view.function.name) else { return false };
    let (name, Some(param)) = (view.words(index), view.param(index)) else { return false };
    let Some(last) = name.last() else { return false };
    let resident = |param: &Param| {
        let record = param.ty.pointee().and_then(|(pointee, _)| pointee.record());
        record.is_some_and(|record| view.known.structs.is_resident(record))
    };
    let asked = (0..view.function.params.len()).any(|other| view.handle(other).is_some())
        || view.function.params.iter().any(resident);
    if !asked || !shown(&param.ty) {
        return false;
    }
    let one_of = |list: &[&str], word: &String| list.contains(&word.as_str());
    let several = [Some(last), got.last()].into_iter().flatten().any(|word| one_of(SEVERAL, word));
    let plural =
        got.iter().any(|word| word.ends_with('s') && !word.ends_with("ss") && !one_of(PLURALS, word));
    let memory = one_of(MEMORY, last) || one_of(OUTPUTS, last) || name.concat().len() == 1;
    // `snd_config_get_real(config, double *value)`; three of `float` are as often a place.
    let double = matches!(element.kind, Type::Float { bits: 64 }) && one_of(&["val", "value"], last);
    let float = matches!(element.kind, Type::Float { .. }) && !double;
    let descriptor = one_of(DESCRIPTORS, last) || got.last().is_some_and(|word| one_of(DESCRIPTORS, word));
    let vague = memory || float || double && plural;
    let single = one_of(SINGLES, last) || GLUED_SINGLES.iter().any(|end| last.ends_with(end));
    let alone = !beside(view, index, element);
    // `png_get_sRGB`, `png_get_pHYs`.
    if plural && got.iter().any(|word| word.len() > 3 && word.ends_with('s')) || alone && !single {
        return false;
    }
    !several && !descriptor && !(vague && (plural || !beside(view, index, element)))
}

/// Whether another number of this type comes out, under a name of its own: `double *x, double *y`.
pub(super) fn beside(view: &View<'_>, index: usize, element: &CType) -> bool {
    (0..view.function.params.len()).filter(|&other| other != index).any(|other| {
        let same = view.buffer(other).is_some_and(|(ty, constant)| !constant && ty.kind == element.kind);
        same && !view.words(other).is_empty() && view.words(other) != view.words(index)
    })
}

/// What a function gets, in the words of its name: nothing of a `getter`, `format` of `getformat`.
fn got(name: &str) -> Option<Vec<String>> {
    let all = words(name);
    let verb = all.iter().position(|word| GETS.contains(&word.as_str()) || glued(word).is_some());
    let Some(at) = verb else {
        let asked = all.last().is_some_and(|word| ASKED.contains(&word.as_str()));
        let does = all.iter().any(|word| DOES.contains(&word.as_str()));
        return (asked && !does).then(Vec::new);
    };
    let first = glued(&all[at]).map(str::to_owned);
    Some(first.into_iter().chain(all[at + 1..].iter().cloned()).collect())
}

fn glued(word: &str) -> Option<&str> {
    word.strip_prefix("get").filter(|rest| rest.len() > 2 && *rest != "ter")
}

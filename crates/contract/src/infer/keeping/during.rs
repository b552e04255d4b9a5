//! What shows that memory is used during the call alone, where no object of the call could keep it.
//!
//! `trigger(int *)`, `feedback(int, int, float *)` and `select_into(int, unsigned *result_buffer)` may fill memory, or watch it, long after
//! they have returned: that nothing is there which could note the address says nothing, as the library itself can. So it has to be shown:
//! by what the function is called, by what the memory is called, or by what it computes.

use hotcell_model::api::Param;
use hotcell_model::types::{CType, Type};

use crate::infer::names::{function_words, words};
use crate::infer::view::{View, is_letter, sized_type};
use crate::infer::words::numbers::MULTIPLIERS;
use crate::infer::words::objects::{KEEPS_DATA, KEEPS_OBJECT};
use crate::infer::{documented, getters};

use super::{GOES_ON, done_alone, unnumbered};

/// Words of functions that change what they are given, and are over with that.
const CHANGES: &[&str] = &[
    "complement",
    "convert",
    "decrement",
    "increment",
    "invert",
    "keygen",
    "keypair",
    "negate",
    "normalise",
    "normalize",
    "parse",
    "randombytes",
    "reverse",
    "shuffle",
    "sort",
    "swab",
    "transpose",
    "unparse",
    "zero",
];

/// Words of functions that ask something of what they are given.
const ASKS: &[&str] = &["cmp", "compare", "equal", "equals", "gcd", "has", "is", "perfect", "validate"];

/// Last words of functions that make a digest of what they are given.
const MAKES: &[&str] = &["hash", "md5", "sha1", "sha256", "sha512"];

/// Words of functions that make what they write of what they read, besides those that are done with what they are given.
const TRANSFORMS: &[&str] = &[
    "add",
    "addmul",
    "andn",
    "blend",
    "com",
    "conv",
    "convert",
    "convol",
    "copyd",
    "copyi",
    "cos",
    "cross",
    "dct",
    "deflate",
    "dft",
    "diff",
    "dist",
    "distortion",
    "div",
    "divexact",
    "divrem",
    "dot",
    "eval",
    "fft",
    "gcd",
    "hash",
    "hmac",
    "inflate",
    "interpolat",
    "invert",
    "ior",
    "iorn",
    "lshift",
    "md5",
    "minmax",
    "mod",
    "mul",
    "nand",
    "neg",
    "nior",
    "normaliz",
    "pbkdf2",
    "pow",
    "powm",
    "qr",
    "resample",
    "rescale",
    "rotate",
    "rshift",
    "sha1",
    "sha256",
    "sha512",
    "sin",
    "solve",
    "sqr",
    "sqrt",
    "sqrtrem",
    "sub",
    "submul",
    "transform",
    "transpose",
    "uncompress",
    "unpack",
    "xnor",
    "xor",
];

/// Last words of functions that compute one real number of many.
const VALUES: &[&str] = &[
    "absdev",
    "autocorrelation",
    "correlation",
    "covariance",
    "det",
    "dist",
    "distance",
    "dot",
    "eval",
    "kurtosis",
    "mad",
    "max",
    "mean",
    "median",
    "min",
    "norm",
    "quantile",
    "range",
    "rms",
    "sd",
    "select",
    "skew",
    "spearman",
    "stddev",
    "sum",
    "tss",
    "variance",
];

/// Names of a whole number that is part of a real one.
const PARTS_OF_NUMBERS: &[&str] = &["e", "exp", "exponent", "quo", "quotient", "sgn", "sign", "signp"];

/// Last words of functions that return what they have counted or computed.
const COUNTS: &[&str] = &[
    "checksum", "count", "crc", "crc32", "dist", "distance", "dot", "hamdist", "hash", "len", "length",
    "mean", "norm", "popcount", "size", "sizeof", "sum",
];

/// Words of functions that something begins with which goes on: what they give may come later, whatever it is called.
const LASTS: &[&str] = &[
    "acquire", "alias", "bridge", "capture", "counter", "couple", "feedback", "flush", "later", "listen",
    "meter", "mirror", "notify", "poll", "record", "recorder", "ring", "route", "sample", "sampler", "scan",
    "select", "shadow", "stream", "sync", "tie", "trigger", "wait",
];

/// Last words of functions after which something is used as that: `ctx_read_target(ctx, slot)`, `ctx_write_source(ctx, data, size)`. What stands before
/// is a verb, or a part of what it is called.
const PARTS: &[&str] = &[
    "background",
    "bus",
    "callback",
    "font",
    "handler",
    "hook",
    "list",
    "map",
    "mask",
    "order",
    "page",
    "palette",
    "pattern",
    "pool",
    "queue",
    "ring",
    "rom",
    "screen",
    "sink",
    "slot",
    "source",
    "table",
    "target",
    "template",
    "to",
];

/// Whether a function is called after what its memory is used as from now on, and does not get that.
pub(super) fn lasts(view: &View<'_>) -> bool {
    let gets = words(&view.function.name).iter().any(|word| word.starts_with("get"));
    view.function_has_last_word(PARTS) && !gets
}

/// Words that say that something is kept, and of functions that compute what they compute.
const COMPUTES: &[&str] = &["add", "cont"];

/// Names of one number that tells what became of this call.
const TELLS: &[&str] =
    &["consumed", "err", "errcode", "errnum", "errno", "error", "nread", "nwritten", "rc", "ret", "written"];

/// The same of one number, which may tell what became of the call.
pub(super) fn number(view: &View<'_>, index: usize) -> bool {
    let error = view.words(index).last().is_some_and(|word| word.ends_with("error"));
    used(view, index, true) || (view.called(index, TELLS) || error) && !goes_on(view)
}

/// Whether memory is used during the call alone. No object is there that the function changes.
pub(super) fn shown(view: &View<'_>, index: usize) -> bool {
    used(view, index, is_sized(view, index))
}

/// The same of memory of which something says how much there is, where it is `sized`.
fn used(view: &View<'_>, index: usize, sized: bool) -> bool {
    let Some((_, constant)) = view.param(index).and_then(|param| param.ty.pointee()) else { return false };
    let any = |list: &[&str]| view.function_has_word(list);
    let last = words(&view.function.name).pop().unwrap_or_default();
    // `plot_tick_length(const float *lengths)` sets as many as there are: what is counted says how much there is, or what comes of it is no status.
    let status = view.function.result.is_integer() && !sized_type(&view.function.result);
    let counted = COUNTS.contains(&last.as_str()) && view.function.result.is_scalar() && (!status || sized);
    let asks = constant && (asks(view) || counted);
    // `frexp(double x, int *exponent)`, `mean(const double *values, int n)`.
    let float = |ty: &CType| matches!(ty.kind, Type::Float { .. });
    let integer = view.buffer(index).is_some_and(|(element, _)| element.is_integer());
    let given = view.function.params.iter().any(|param| float(&param.ty));
    let part = !constant && integer && given && view.called(index, PARTS_OF_NUMBERS);
    let computed = constant && VALUES.contains(&last.as_str()) && sized;
    let real = (part || computed) && float(&view.function.result) && !keeps(view) && !any(LASTS);
    // `sha256(data, length, out)`; a `hash_state(out)` is one.
    let all = || (0..view.function.params.len()).filter_map(|at| view.param(at)?.ty.pointee());
    let makes = MAKES.contains(&last.as_str())
        && all().any(|(_, constant)| constant)
        && all().any(|(_, constant)| !constant);
    if lasts(view) {
        return asks;
    }
    let over = constant || sized || is_read_beside(view, index) || getters::gets(&view.function.name);
    over && (done_alone(view) || makes)
        || asks
        || real
        || !constant && (any(CHANGES) || last == "clear") && over
        || !constant && documented::comes_out(view, index) && !goes_on(view)
        || is_transformed(view)
        || !constant && is_array_of(view, index) && !goes_on(view)
}

/// Whether a function is called like one that asks something, and returns a number.
fn asks(view: &View<'_>) -> bool {
    let last = words(&view.function.name).pop().unwrap_or_default();
    // `strnicmp`, `strnequal`, `mblen`.
    let compares = ["cmp", "equal", "len"].iter().any(|end| last.ends_with(end));
    view.function.result.is_scalar() && (view.function_has_word(ASKS) || compares)
}

/// Whether something says how much there is: a number beside it, or its type. Of what is set up, and filled for good, nothing does.
fn is_sized(view: &View<'_>, index: usize) -> bool {
    let Some(param) = view.param(index) else { return false };
    let rows = (0..view.function.params.len()).any(|at| view.called(at, MULTIPLIERS));
    let structure = param.ty.pointee().is_some_and(|(ty, _)| ty.record().is_some() || ty.array().is_some());
    structure
        || param.array_length.is_some()
        || view.has_lengths()
        || rows
        || view.length_pointer(index).is_some()
}

/// Whether something else is read that what is written may be made of.
fn is_read_beside(view: &View<'_>, index: usize) -> bool {
    (0..view.function.params.len()).any(|at| {
        at != index
            && view.param(at).and_then(|param| param.ty.pointee()).is_some_and(|(_, constant)| constant)
    })
}

/// Whether another function, which is called the same but for `array` or `e`, computes one such number of the same numbers, or of one integer less:
/// `gsl_sf_bessel_Jn_array(int nmin, int nmax, double x, double *result_array)` and `gsl_sf_bessel_Jn_e(int n, double x, gsl_sf_result *result)` beside
/// `double gsl_sf_bessel_Jn(int n, double x)`.
pub(super) fn is_array_of(view: &View<'_>, index: usize) -> bool {
    let function = view.function;
    let name = words(&function.name);
    let Some((last, one)) = name.split_last() else { return false };
    if !["array", "e"].contains(&last.as_str()) {
        return false;
    }
    let numbers = |params: &[Param]| -> Option<Vec<Type>> {
        params.iter().map(|param| param.ty.is_scalar().then(|| param.ty.kind.clone())).collect()
    };
    let others: Vec<Param> = function
        .params
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != index)
        .map(|(_, param)| param.clone())
        .collect();
    let pointee = view.param(index).and_then(|param| param.ty.pointee());
    let (Some(own), Some((element, false))) = (numbers(&others), pointee) else { return false };
    let fits_element = |result: &CType| match &element.kind {
        Type::Record { name } => view.known.structs.is_plain(name),
        kind => result.kind == *kind,
    };
    let is_integer = |ty: &Type| matches!(ty, Type::Int { .. });
    let fits = |other: &[Type]| {
        let less = |at: usize| is_integer(&own[at]) && [&own[..at], &own[at + 1..]].concat() == other;
        let real = other.iter().any(|ty| !is_integer(ty));
        own == other && (real || is_result(view, element)) || real && (0..own.len()).any(less)
    };
    (matches!(element.kind, Type::Float { .. }) || is_real(view, element))
        && view.known.api.functions.iter().any(|other| {
            matches!(other.result.kind, Type::Float { .. })
                && fits_element(&other.result)
                && words(&other.name) == one
                && numbers(&other.params).is_some_and(|other| fits(&other))
        })
}

/// Whether so many functions compute such a structure of real numbers that it is what a library returns: `gsl_sf_result`.
fn is_result(view: &View<'_>, element: &CType) -> bool {
    const MANY: usize = 8;
    let Some(record) = element.record() else { return false };
    let computes = |function: &&hotcell_model::api::Function| {
        let out = |param: &Param| {
            param.ty.pointee().is_some_and(|(ty, constant)| !constant && ty.record() == Some(record))
        };
        let real = |param: &Param| matches!(param.ty.kind, Type::Float { .. });
        words(&function.name).last().is_some_and(|last| last == "e")
            && function.params.last().is_some_and(out)
            && function.params.iter().any(real)
    };
    view.known.api.functions.iter().filter(computes).count() >= MANY
}

/// Whether a structure has real numbers in it and nothing else.
fn is_real(view: &View<'_>, element: &CType) -> bool {
    let layout = element.record().and_then(|name| view.known.api.records.get(name)?.layout.as_ref());
    layout.is_some_and(|layout| {
        !layout.fields.is_empty()
            && layout.fields.iter().all(|field| matches!(field.ty.kind, Type::Float { .. }))
    })
}

/// Whether a function says that it keeps, begins, or goes on with something: what memory is called shows nothing then.
fn goes_on(view: &View<'_>) -> bool {
    keeps(view) || view.function_has_word(LASTS) || lasts(view)
}

/// Whether a function makes what it writes of what it reads, both of which it is given: numbers, or an object that stays as it is. A text says
/// what something is called: `option(const char *name, int *value)` may write to that whenever it finds the option.
fn is_transformed(view: &View<'_>) -> bool {
    let all = || 0..view.function.params.len();
    let behind = |at: usize| view.param(at).and_then(|param| param.ty.pointee());
    let read = |at: usize| {
        behind(at).is_some_and(|(ty, constant)| {
            let counted = is_letter(ty) && view.has_own_length(at, at);
            constant
                && (view.handle(at).is_some() || ty.record().is_some() || ty.is_byte() || ty.is_scalar())
                && (!is_letter(ty) || counted)
        })
    };
    let written = |at: usize| behind(at).is_some_and(|(_, constant)| !constant);
    // A cipher may be one of a `stream`.
    let goes_on = function_words(&view.function.name)
        .iter()
        .any(|word| word != "stream" && LASTS.contains(&word.as_str()));
    // `OBJ_obj2txt`.
    let turns = |word: &String| {
        word.split_once('2').is_some_and(|(from, to)| {
            let letters = |part: &str| part.len() > 1 && part.chars().all(char::is_alphabetic);
            letters(from) && letters(to)
        })
    };
    let verb =
        |word: &String| TRANSFORMS.iter().any(|part| word == part || part.len() > 4 && word.contains(part));
    let said = function_words(&view.function.name).iter().any(|word| verb(word) || turns(word));
    said && all().any(read) && all().any(written) && !keeps(view) && !goes_on
}

/// Whether a function is called like one that goes on with what it is given, or begins something.
pub(super) fn keeps(view: &View<'_>) -> bool {
    let said = |word: &String| {
        let listed = [KEEPS_DATA, KEEPS_OBJECT, GOES_ON].iter().any(|list| list.contains(&word.as_str()));
        listed && !COMPUTES.contains(&word.as_str())
    };
    let all = function_words(&view.function.name);
    view.function_contains(&["async", "nonblock"])
        || all.iter().chain(&unnumbered(&view.function.name)).any(said)
}

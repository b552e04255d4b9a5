//! The rule `walled-memory`: memory of which no rule knows how much there is, where that is all that is open.
//!
//! Callers say how much there is, and nobody else has to: the function gets it before a wall, so that one which wants more ends
//! the worker, and goes on in nobody's memory. Which way it goes needs no evidence either: what may be written goes in and comes
//! out. What remains to be shown is that it is memory of numbers, that it is no part of what another pointer leads to, and that
//! nobody keeps the pointer.

use hotcell_model::Fact;
use hotcell_model::api::{Attribute, Function, Param};
use hotcell_model::interface::{Direction, Keeps, ResultLength, Role, Until};
use hotcell_model::types::{CType, Type};

use crate::infer::endings::{Ending, ending};
use crate::infer::inplace::KNOWN_BY_PLACE;
use crate::infer::names::words;
use crate::infer::view::{View, decided, shown};
use crate::infer::words::functions::CONTROLS;
use crate::infer::words::objects::CONSTRUCTORS;
use crate::infer::words::{BEGINNINGS, ENDS, OUTPUTS, PAIRS, PLACES, RAW};
use crate::infer::{Draft, Gap, Known, code, keeping, may_make};
use crate::type_names::unqualified;

mod kept;

pub(crate) use kept::KEPT;

/// The rule's name.
pub(crate) const WALLED: &str = "walled-memory";

/// Words of functions to which it matters where memory is, by itself or to other memory, and not only what is in it.
const ADDRESSES: &[&str] = &[
    "addr",
    "address",
    "align",
    "aligned",
    "alignment",
    "atomic",
    "futex",
    "lock",
    "mlock",
    "pin",
    "shmem",
    "split",
    "unlock",
];

/// Ends of names of parameters that lead to the end of what another one leads to: `dw_endptr`, `dataend`.
const GLUED_ENDS: &[&str] = &["end", "endp", "endptr", "limit"];

/// Parts of the names of types that are pointers to bytes: `png_const_bytep`.
const BYTES: &[&str] = &["byte", "char", "octet", "uint8"];

/// Concludes what is open where all of it is such memory; else nothing, and what is open stays so. What the worker has copies of
/// comes with it.
pub(crate) fn apply(
    function: &Function,
    names: &[String],
    known: Known<'_>,
    draft: &mut Draft,
    gaps: Vec<Gap>,
) -> (Vec<Gap>, Vec<Keeps>) {
    let view = View::new(function, names, known, draft);
    let open: Vec<usize> = (0..function.params.len()).filter(|&index| !decided(draft, index)).collect();
    let found: Option<Vec<_>> = open.iter().map(|&index| role(&view, draft, index)).collect();
    let result = gaps.iter().any(|gap| gap.param.is_none()) || draft.result.is_none();
    let Some(found) = found.filter(|found| !found.is_empty() && !result) else { return (gaps, Vec::new()) };
    let before = draft.clone();
    for (param, (role, until)) in open.iter().zip(&found) {
        let rule = if until.is_some() { KEPT } else { WALLED };
        draft.params[*param] = Some(Fact::inferred(role.clone(), rule));
    }
    if !code::agrees(&view, draft) {
        *draft = before;
        return (gaps, Vec::new());
    }
    let mut keeps = Vec::new();
    for (param, (_, until)) in open.into_iter().zip(found) {
        if let Some(until) = until {
            keeps.push(Keeps { param, until, replaced: false });
            kept::count(&view, draft, param);
        }
    }
    (Vec::new(), keeps)
}

/// What an open parameter is, when it is such memory, and what ends the copy that the library may keep of it.
fn role(view: &View<'_>, draft: &Draft, index: usize) -> Option<(Role, Option<Until>)> {
    let (element, constant) = memory(view, index)?;
    let fits = match &element.kind {
        Type::Record { name } => is_structure(view, name, &element, constant),
        Type::Void => is_raw(view, index),
        _ => is_numbers(view, &view.param(index)?.ty, &element),
    };
    // A text without its NUL would end at the wall.
    let text = element.kind == Type::Char && code::may_be_text(view, index);
    if !fits || text || leads_elsewhere(view, index) {
        return None;
    }
    let until = match kept(view, draft, index) {
        true if constant => Some(kept::until(view, draft, index)?),
        true => return None,
        false => None,
    };
    let role = match constant {
        true => Role::BufferIn { nullable: false, length: None },
        false => Role::BufferInOut {
            nullable: false,
            length: None,
            result: ResultLength::Full,
            valid_on_error: false,
        },
    };
    Some((role, until))
}

/// What a pointer leads to: bytes, numbers, the numbers of arrays, or structures; and whether it is `const`.
fn memory(view: &View<'_>, index: usize) -> Option<(CType, bool)> {
    let ty = &view.param(index)?.ty;
    if view.handle(index).is_some() {
        return None;
    }
    let numbers = ty.of_numbers();
    let (element, constant) = numbers.as_ref().unwrap_or(ty).pointee()?;
    Some((element.clone(), constant))
}

/// Whether there are numbers behind a type: a pointer to bytes that hides in a name may be an object's, unless the name says what they
/// are. `sqlite3_filename` is a text with more around it. So may one to wider numbers be, where the library hands out such.
fn is_numbers(view: &View<'_>, ty: &CType, element: &CType) -> bool {
    let named = || BYTES.iter().any(|part| ty.written.to_ascii_lowercase().contains(part));
    let numbers = match element.is_byte() {
        true => shown(ty) || named(),
        false => shown(ty) || !is_made(view, ty),
    };
    element.is_scalar() && numbers
}

/// Whether a function makes what a pointer under this name leads to, or something ends it: `typedef double *vec_t`, `vec_t vec_new(int)`.
/// What the library has made may have more around it, and be known by where it is. A place in an object's numbers has not
/// (`mp_ptr mpz_limbs_write(mpz_t, mp_size_t)`).
fn is_made(view: &View<'_>, ty: &CType) -> bool {
    let own = unqualified(&ty.written);
    let is_it = |other: &CType| unqualified(&other.written) == own;
    view.known.api.functions.iter().any(|function| {
        let out = |param: &Param| param.ty.pointee().is_some_and(|(ty, constant)| !constant && is_it(ty));
        let ends = matches!(&function.params[..], [only] if is_it(&only.ty))
            && ending(&function.name).is_some_and(|(ending, _)| ending >= Ending::Closes);
        may_make(function) && (is_it(&function.result) || function.params.iter().any(out)) || ends
    })
}

/// Whether `void` is raw memory: it is called so, or another function says how much such memory is, in a function that is done with
/// memory when it returns, and calls nothing that could have its own idea of it. What it is must not depend on what is asked for.
fn is_raw(view: &View<'_>, index: usize) -> bool {
    // `cmsWriteTag(profile, enum tag, const void *data)`: each tag has a type of its own.
    let decides = |param: &Param| matches!(param.ty.kind, Type::FunctionPointer { .. } | Type::Enum { .. });
    let only =
        |other: usize| other == index || !memory(view, other).is_some_and(|(ty, _)| ty.kind == Type::Void);
    view.param(index).is_some_and(|param| shown(&param.ty))
        && (view.called(index, RAW) || view.called(index, OUTPUTS) || is_sized(view, index))
        && keeping::done(view)
        && !view.function_has_word(CONTROLS)
        && !view.function.params.iter().any(decides)
        && (0..view.function.params.len()).all(only)
}

/// Whether a function that takes nothing says how large memory of this name is: `LZ4_sizeofState()` of a `void *state`. Callers make what
/// they have to ask the size of, and what it is to them is so many bytes.
fn is_sized(view: &View<'_>, index: usize) -> bool {
    let own = view.words(index).concat();
    let sizes = |function: &Function| {
        let name = words(&function.name).concat();
        let asked = [format!("sizeof{own}"), format!("{own}size"), format!("{own}bytes")];
        let last = asked.iter().any(|asked| name.ends_with(asked.as_str()));
        function.params.is_empty() && function.prototyped && function.result.is_integer() && last
    };
    own.len() > 3 && view.known.api.functions.iter().any(sizes)
}

/// Whether a structure has nothing but numbers in it, and callers have memory of one: only they, or it is set where it can be got again.
/// What others wait for is known by its place.
fn is_structure(view: &View<'_>, record: &str, element: &CType, constant: bool) -> bool {
    let structs = view.known.structs;
    let written = element.written.to_ascii_lowercase();
    let direction = if constant { Direction::In } else { Direction::InOut };
    (structs.is_callers(record) || structs.is_plain(record) && is_set_and_got(view, record))
        && structs.against(record, direction).is_none()
        && !KNOWN_BY_PLACE.iter().any(|part| written.contains(part))
}

/// Whether callers make such a structure, though the library hands some out: a function that sets something takes one that is `const`, and is
/// called as the one that hands it out, but for `set` and `get`. `png_set_tIME(png, info, const png_time *)` beside
/// `png_get_tIME(png, info, png_time **)`: what is set is what is in it.
fn is_set_and_got(view: &View<'_>, record: &str) -> bool {
    let functions = || view.known.api.functions.iter();
    let of = |ty: &CType, constant: bool| {
        ty.pointee().is_some_and(|(ty, is)| is == constant && ty.record() == Some(record))
    };
    let sets = |function: &&Function| function.params.iter().any(|param| of(&param.ty, true));
    let out = |param: &Param| {
        let pointer = param.ty.pointee().filter(|(_, constant)| !constant);
        pointer.is_some_and(|(pointer, _)| of(pointer, false))
    };
    let called = |function: &Function, verb: &str| {
        let mut name = words(&function.name);
        let at = name.iter().position(|word| word == verb)?;
        name[at].clear();
        Some(name)
    };
    functions().filter(sets).filter_map(|function| called(function, "set")).any(|name| {
        let gets = |function: &Function| {
            function.params.iter().any(out) && called(function, "get").as_ref() == Some(&name)
        };
        functions().any(gets)
    })
}

/// Whether a pointer may lead into memory that another one leads to, or where it leads is what matters.
fn leads_elsewhere(view: &View<'_>, index: usize) -> bool {
    let function = view.function;
    let kind = |other: usize| memory(view, other).map(|(element, _)| element.kind);
    let own = kind(index);
    let alike = |other: usize| other != index && own.is_some() && kind(other) == own;
    let counted = function.params.iter().any(|param| param.ty.is_integer());
    let glued = |at: usize| {
        let name = view.name(at).to_ascii_lowercase();
        GLUED_ENDS.iter().any(|end| name.ends_with(end))
    };
    // Memory of this name in another process: `get(double *target, const double *source, size_t n, int pe)`.
    let far = (0..function.params.len()).any(|at| view.called(at, &["pe"]));
    // The position of a wider number is one: `encode(vli, size_t *vli_pos, out, size_t *out_pos, out_size)`.
    let byte = |at: usize| memory(view, at).is_some_and(|(element, _)| element.is_byte());
    let number = |at: usize| !byte(at) && view.called(at, &["pos", "position"]);
    let place =
        |at: usize| [PLACES, BEGINNINGS, ENDS].iter().any(|list| view.called(at, list)) && !number(at);
    let is_place = place(index);
    let pair = |other: usize| {
        let unnamed = !view.has_words(index) && !view.has_words(other) && !counted;
        let called = |at: usize, name: &str| view.called(at, &[name]);
        let both = PAIRS.iter().any(|[one, two]| {
            called(index, one) && called(other, two) || called(index, two) && called(other, one)
        });
        unnamed || both || is_place || place(other)
    };
    function.attributes.contains(&Attribute::Format)
        || view.called(index, ENDS)
        || glued(index)
        || far
        || view.function_has_word(ADDRESSES)
        // What is in names is known, and what is in types is looked up.
        || (0..function.params.len()).any(|other| pair(other) && alike(other))
}

/// Whether a function may still need what a pointer leads to when it has returned.
fn kept(view: &View<'_>, draft: &Draft, index: usize) -> bool {
    let releases = ending(&view.function.name).is_some_and(|(ending, _)| ending == Ending::Releases);
    releases || view.function_has_word(CONSTRUCTORS) || keeping::of_walled(view, draft, index)
}

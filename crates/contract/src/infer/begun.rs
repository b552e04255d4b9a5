//! The rule `begun-and-ended`: structures that callers make, that one function begins and another one ends.
//!
//! `mpz_init(mpz_ptr)` and `mpz_clear(mpz_ptr)`, `BZ2_bzCompressInit(bz_stream *, …)` and `BZ2_bzCompressEnd(bz_stream *)`: what
//! is between the two lives at one address, and the library keeps in it what nobody else may look at. The names are the
//! evidence: the one that ends is called as the one that begins but for `init` and the word for the end, and takes nothing
//! else. Of the fields callers see the numbers, and the data of the well-known `next_in`, `avail_in`, `next_out`, `avail_out`.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use hotcell_code::Code;
use hotcell_model::Fact;
use hotcell_model::api::{Api, Function, Param};
use hotcell_model::interface::{Encoding, Role, Start};
use hotcell_model::types::{CType, Type};

use crate::handles::Handles;
use crate::infer::endings::{Ending, ending};
use crate::infer::names::words;
use crate::infer::objects::{kept, named};
use crate::infer::view::{View, decided, plain_text, shown};
use crate::infer::words::objects::{BEGINS, BORROWS, COLLECTS, COPIES, FILLS_BEGUN};
use crate::infer::{Draft, Notes, comments, documented};
use crate::type_names::unqualified;

mod ends;
mod fields;
mod initialized;
mod states;

pub(crate) use fields::roles;

const RULE: &str = "begun-and-ended";

/// The functions between which a structure lives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Begun {
    /// What begins one, by name, with what ends it; nothing does a state that is nothing but numbers.
    starts: BTreeMap<String, Option<String>>,
    /// What ends one.
    ends: BTreeSet<String>,
    /// What both are called before the words that say so.
    stems: BTreeSet<String>,
    /// What is called like an end, after which one goes on.
    pauses: BTreeSet<String>,
    /// Whose the memory is that its pointers lead to.
    pub(crate) memory: Memory,
}

/// Whose the memory is that the pointers of a structure lead to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Memory {
    /// Nothing says that it is not the callers', who would have to fill it.
    #[default]
    Callers,
    /// A function of the library allocates it.
    Library,
    /// So many functions take the structure that nobody has to look into it.
    Functions,
    /// There is none, and nothing in the structure is the callers'.
    Own,
}

/// Words of functions that may begin a structure with what they read.
const LOADS_BEGUN: &[&str] = &[
    "build",
    "clone",
    "create",
    "decode",
    "deserialize",
    "fork",
    "from",
    "import",
    "load",
    "make",
    "open",
    "parse",
    "restore",
    "snapshot",
];

/// How many functions take a structure that is all theirs.
const MANY: usize = 10;

/// How many functions take a pointer to each structure.
fn uses(api: &Api) -> BTreeMap<&str, usize> {
    let mut uses = BTreeMap::new();
    for function in &api.functions {
        let taken = function.params.iter().filter_map(|param| pointed(&param.ty));
        for record in taken.map(|(record, _)| record).collect::<BTreeSet<&str>>() {
            *uses.entry(record).or_default() += 1;
        }
    }
    uses
}

/// The structures that are begun and ended, by the record's key. `exports` are the functions of the library, `code` is what they do.
pub(crate) fn types(
    api: &Api,
    handles: &Handles,
    exports: Option<&BTreeSet<String>>,
    code: &[Rc<Code>],
) -> BTreeMap<String, Begun> {
    let there = |function: &&Function| {
        let exported = exports.is_none_or(|exports| exports.contains(&function.name));
        (exported || function.inline) && function.prototyped && !function.variadic
    };
    let mut found: BTreeMap<&str, Vec<&Function>> = BTreeMap::new();
    let mut values: BTreeSet<&str> = BTreeSet::new();
    for function in &api.functions {
        for ty in function.params.iter().map(|param| &param.ty).chain([&function.result]) {
            values.extend(by_value(ty));
        }
        // What functions hand out is made by the library.
        let out = function.params.iter().filter_map(|param| {
            param.ty.pointee().filter(|(_, constant)| !constant).map(|(pointer, _)| pointer)
        });
        for ty in out.chain([&function.result]) {
            values.extend(pointed(ty).filter(|(_, constant)| !constant).map(|(record, _)| record));
        }
        if let Some((record, false)) = function.params.first().and_then(|param| pointed(&param.ty)) {
            found.entry(record).or_default().push(function);
        }
    }
    let (filled, uses) = (filled(api), uses(api));
    let memory = |record: &str| match filled.contains(record) {
        true => Memory::Library,
        false if uses.get(record).is_some_and(|uses| *uses >= MANY) => Memory::Functions,
        false => Memory::Callers,
    };
    let kept = |record: &&str| {
        let layout = api.records.get(*record).filter(|record| !record.union);
        let fields = layout.and_then(|layout| roles(record, layout, memory(record)));
        fields.is_some() && handles.of_record(record).is_none() && !values.contains(*record)
    };
    let macros = initialized::macros(api);
    let records = found.iter().filter(|(record, _)| kept(record));
    let begun = records.map(|(record, functions)| {
        let there: Vec<&Function> = functions.iter().copied().filter(there).collect();
        let begun = match (Begun::of(&there), macros.get(&letters(record))) {
            (begun, Some(initializer)) if begun.starts.is_empty() => {
                initialized::begun(record, initializer, &there)
            }
            (begun, _) => begun,
        };
        ((*record).to_owned(), Begun { memory: memory(record), ..begun })
    });
    let states = found.iter().filter(|(record, _)| {
        states::is_state(api, record) && handles.of_record(record).is_none() && !values.contains(*record)
    });
    let states = states.map(|(record, functions)| {
        let there: Vec<&Function> = functions.iter().copied().filter(there).collect();
        ((*record).to_owned(), states::begun(&there, code))
    });
    // What has an end is no state.
    let all = states.chain(begun);
    all.filter(|(_, begun)| !begun.starts.is_empty()).collect()
}

/// The structures of which functions of the library allocate the memory behind their pointers, or read something into it:
/// `WebPPictureAlloc(picture)`.
fn filled(api: &Api) -> BTreeSet<&str> {
    let fills = |function: &&Function| {
        let name = words(&function.name);
        let own = name.iter().position(|word| FILLS_BEGUN.contains(&word.as_str()));
        own.is_some_and(|at| at > 0) && function.params.len() == 1
    };
    let first = |function: &'_ Function| match function.params.first().and_then(|param| pointed(&param.ty)) {
        Some((record, false)) => Some(record.to_owned()),
        _ => None,
    };
    let found = api.functions.iter().filter(fills).filter_map(first);
    found.filter_map(|record| api.records.get_key_value(&record)).map(|(key, _)| key.as_str()).collect()
}

impl Begun {
    /// Whether a function begins one.
    pub(super) fn begins(&self, function: &str) -> bool {
        self.starts.contains_key(function)
    }

    /// What ends one, where only one function does.
    pub(super) fn end(&self) -> Option<&str> {
        self.ends.first().filter(|_| self.ends.len() == 1).map(String::as_str)
    }

    /// Of the functions whose first parameter is the structure. Two that end what is called the same end nothing that could be relied on.
    fn of(functions: &[&Function]) -> Begun {
        let mut ends: BTreeMap<String, Vec<&Function>> = BTreeMap::new();
        for function in functions {
            if let Some(stem) = ends::stem(function, functions) {
                ends.entry(stem).or_default().push(function);
            }
        }
        let pauses = functions.iter().filter(|function| ends::pauses(function, functions));
        let pauses = pauses.map(|function| function.name.clone()).collect();
        let mut begun = Begun { pauses, ..Begun::default() };
        for function in functions {
            let name = letters(&function.name);
            let stem = BEGINS.iter().filter(|_| ends::begins(function)).find_map(|begins| {
                let stems = name.match_indices(begins).map(|(at, _)| &name[..at]);
                stems.into_iter().find(|stem| ends.contains_key(*stem))
            });
            let one = function.params.iter().skip(1).all(|param| {
                let other = pointed(&param.ty);
                other.is_none_or(|(record, constant)| {
                    constant || Some(record) != pointed(&function.params[0].ty).map(|(own, _)| own)
                })
            });
            if let Some([end]) = stem.and_then(|stem| ends.get(stem)).map(Vec::as_slice)
                && one
                && !ends::told_otherwise(function, end, functions)
            {
                begun.starts.insert(function.name.clone(), Some(end.name.clone()));
                begun.ends.insert(end.name.clone());
                begun.stems.extend(stem.map(str::to_owned));
            }
        }
        begun
    }
}

/// Finds structures that are begun, used and ended.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft, notes: &mut Notes) {
    for (index, param) in view.function.params.iter().enumerate() {
        let Some((record, _)) = pointed(&param.ty).filter(|_| !decided(draft, index)) else {
            continue;
        };
        let Some(begun) = view.known.structs.begun(record) else { continue };
        let function = view.function.name.as_str();
        let start = begun.starts.get(function).filter(|_| index == 0);
        let consumed = begun.ends.contains(function);
        let pauses = begun.pauses.contains(function);
        let doubt = match start {
            Some(None) => several(view, index),
            Some(Some(_)) => None,
            None => (!consumed).then(|| doubt(view, draft, index, pauses)).flatten(),
        };
        match doubt {
            Some(reason) => notes.add(index, reason),
            None => {
                let starts = start.map(|end| Start { release: end.clone() });
                let role = Role::Resident { record: record.to_owned(), consumed, starts };
                draft.params[index] = Some(Fact::inferred(role, RULE));
                if start.is_some() {
                    size(view, draft, &param.ty);
                }
            }
        }
    }
}

/// The number that tells the function which begins a structure how large its callers think it is: `deflateInit_(strm, …, stream_size)`.
fn size(view: &View<'_>, draft: &mut Draft, ty: &CType) {
    let Some((structure, _)) = ty.pointee() else { return };
    let own = words(unqualified(&structure.written));
    for index in 1..view.function.params.len() {
        let name = view.words(index);
        let (of, last) = name.split_at(name.len().saturating_sub(1));
        let sized = last == ["size"] && !of.is_empty() && own.ends_with(of);
        if sized && view.open_integer(draft, index) {
            let c = format!("sizeof({})", unqualified(&structure.written));
            draft.params[index] = Some(Fact::inferred(Role::Fixed { c }, RULE));
            version(view, draft);
        }
    }
}

/// The text that tells such a function, beside the size, which version of the header its callers have: it is compared.
fn version(view: &View<'_>, draft: &mut Draft) {
    let is_it = |&index: &usize| {
        let text = view.param(index).is_some_and(|param| plain_text(&param.ty));
        text && view.called(index, &["version"]) && !decided(draft, index)
    };
    if let Some(index) = (1..view.function.params.len()).find(is_it) {
        let role = Role::Text { encoding: Encoding::Utf8, nullable: false };
        draft.params[index] = Some(Fact::inferred(role, RULE));
    }
}

/// Why a function may do something else with a structure than use it.
fn doubt(view: &View<'_>, draft: &Draft, index: usize, pauses: bool) -> Option<String> {
    let (function, name) = (view.function, view.name(index));
    // In a state there is nothing to release.
    let state = view.param(index).and_then(|param| pointed(&param.ty)).is_some_and(|(record, _)| {
        view.known.structs.begun(record).is_some_and(|begun| begun.memory == Memory::Own)
    });
    let ends = ending(&function.name).filter(|(ending, _)| *ending >= Ending::Closes && !pauses && !state);
    if let Some((ending, _)) = ends {
        return Some(match ending {
            Ending::Releases => format!("the function is called like one that releases `{name}`"),
            _ => format!("the function may end `{name}`"),
        });
    }
    if view.param(index).is_some_and(|param| param.array_length.is_some_and(|length| length > 1)) {
        return Some(format!("`{name}` is an array"));
    }
    if let Some(number) = counts(view, index) {
        return Some(format!("`{}` may say how many structures `{name}` points to", view.name(number)));
    }
    if comments::owner(function) || comments::kept(function) {
        return Some(format!("the documentation speaks of who owns what; it may be about `{name}`"));
    }
    if view.param(index).and_then(|param| param.ty.pointee()).is_some_and(|(_, constant)| constant) {
        return kept::keeper(view, draft, index).map(|keeper| keeper.reason(view, draft, index));
    }
    let same = |other: usize| {
        let records = [index, other].map(|at| view.param(at).and_then(|param| pointed(&param.ty)));
        other != index && records[0].map(|(record, _)| record) == records[1].map(|(record, _)| record)
    };
    let all = || 0..view.function.params.len();
    let begins = letters(&function.name).contains("init")
        || documented::comes_out(view, index)
        || index == 0 && comments::initializes(function);
    if begins || view.function_has_word(COPIES) && all().any(same) {
        return Some(format!("`{name}` may begin with this call, and nothing says what ends it"));
    }
    // `tmr_snapshot(into, const tmr)`, `tmr_load(tmr, path)`: values are computed, and anything else may be made of what is there.
    let record = view.param(index).and_then(|param| pointed(&param.ty)).map(|(record, _)| record);
    let filled = record.and_then(|record| view.known.structs.begun(record));
    let filled = filled.is_some_and(|begun| begun.memory == Memory::Library);
    let loads = view.function_has_word(LOADS_BEGUN)
        && !filled
        && !documented::goes_both_ways(view, index)
        && !kept::computes(view, index);
    if loads
        || index == 0 && all().any(same) && !view.function_has_word(&["swap"]) && !kept::computes(view, index)
    {
        return Some(format!("`{name}` may begin with this call, and nothing says what ends it"));
    }
    // `WebPPictureView(src, …, dst)`: the second goes on with memory of the first.
    if view.function_has_word(BORROWS) && all().any(same) {
        return Some(format!("`{name}` may go on with what another one has"));
    }
    // `aec_buffer_encode(strm)` begins and ends one itself, beside `aec_encode_init`, `aec_encode` and `aec_encode_end`.
    let own = letters(&function.name);
    let called_after = |param: &Param| {
        let begun = pointed(&param.ty).and_then(|(record, _)| view.known.structs.begun(record));
        begun.is_some_and(|begun| begun.stems.iter().any(|stem| own.starts_with(stem)))
    };
    if !function.params.iter().any(called_after) {
        return Some(format!("the function is not called as what begins `{name}`, and may begin or end it"));
    }
    // What is put into something else must stay where it is.
    let other = |other: usize| {
        let record = view.param(other).and_then(|param| param.ty.pointee());
        other != index
            && !same(other)
            && record.is_some_and(|(ty, constant)| {
                !constant && matches!(ty.kind, Type::Record { .. } | Type::Void)
            })
    };
    // `flow_set_base(flow, base)`: the flow goes on using the base.
    let put = named::is_put(view);
    if put == Some(index) {
        return Some(named::reason_target(view, index));
    }
    let keeper = kept::taker(view, draft, index).filter(|keeper| {
        (index > 0 || put.is_some()) && matches!(keeper, kept::Keeper::Param(_) | kept::Keeper::Result)
    });
    if let Some(keeper) = keeper {
        return Some(keeper.reason_put(view, draft, index));
    }
    (view.function_has_word(COLLECTS) && all().any(other))
        .then(|| format!("the function may keep `{name}` in something else"))
}

/// Numbers that say how many states there are, one for each.
const LANES: &[&str] = &["bands", "channels", "lanes", "sections", "stages", "taps", "voices"];

/// Why a function may begin several states behind one pointer: `biquad_init(biquad_state *s, int channels)`.
fn several(view: &View<'_>, index: usize) -> Option<String> {
    let name = view.name(index);
    let array = view.param(index).is_some_and(|param| param.array_length.is_some_and(|length| length > 1));
    let plural = view
        .words(index)
        .last()
        .is_some_and(|last| last.len() > 2 && last.ends_with('s') && !last.ends_with("ss"));
    let lanes =
        (0..view.function.params.len()).find(|&at| view.called(at, LANES)).or_else(|| counts(view, index));
    match lanes {
        Some(number) => {
            Some(format!("`{}` may say how many structures `{name}` points to", view.name(number)))
        }
        None => (array || plural).then(|| format!("`{name}` is an array")),
    }
}

/// The number that may say how many there are. A typedef of the pointer says that there is one, as of `mpz_t`, which is an array
/// of one; a name of a count says otherwise.
fn counts(view: &View<'_>, index: usize) -> Option<usize> {
    let one = view.param(index).is_some_and(|param| !shown(&param.ty) || param.array_length == Some(1));
    let counts = |&number: &usize| {
        let integer = view.param(number).is_some_and(|param| param.ty.is_integer());
        let unnamed = !one && view.words(number).is_empty() && number == index + 1;
        let named = view.length_name(number).is_some_and(|length| {
            !one && length.of.is_empty() && number == index + 1 || view.sizes_by_name(number, index)
        });
        integer && (unnamed || named)
    };
    (0..view.function.params.len()).find(counts)
}

/// A name without what divides its words.
fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// The structure behind a pointer, and whether it is `const`.
fn pointed(ty: &CType) -> Option<(&str, bool)> {
    match ty.pointee()? {
        (CType { kind: Type::Record { name }, .. }, constant) => Some((name, constant)),
        _ => None,
    }
}

fn by_value(ty: &CType) -> Option<&str> {
    match &ty.kind {
        Type::Record { name } => Some(name),
        _ => None,
    }
}

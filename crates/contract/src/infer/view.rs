//! A function with its names and the facts so far: what guards ask.

use std::cell::OnceCell;

use hotcell_model::api::{Function, Param};
use hotcell_model::expr::Expr;
use hotcell_model::interface::{Capacity, ResultLength, Role};
use hotcell_model::types::{CType, Type};

use crate::infer::functions::Name;
use crate::infer::names::{
    LengthName, Measure, Side, capacity_name, glued_count, length_name, side, stem, words,
};
use crate::infer::words::NAMES;
use crate::infer::words::functions::DECODES;
use crate::infer::words::numbers::{HARMLESS, HARMLESS_LETTERS, HARMLESS_TYPES, VAGUE};
use crate::infer::{Draft, Known};
use crate::type_names::unqualified;

/// What is looked up of a parameter.
struct Kept<'a> {
    /// The words of its name.
    words: Vec<String>,
    /// What its name measures.
    length: Option<LengthName>,
    /// The handle type that it points to.
    handle: Option<&'a str>,
}

/// A function and what is known about it.
pub(super) struct View<'a> {
    pub(super) function: &'a Function,
    /// As the contract writes them.
    pub(super) names: &'a [String],
    /// What is known about the library as a whole.
    pub(super) known: Known<'a>,
    /// Parameters that decided sizes refer to.
    referenced: Vec<usize>,
    /// What rules ask for once for each pair of parameters.
    kept: OnceCell<Vec<Kept<'a>>>,
    /// What the function's name says.
    called: OnceCell<Name>,
    /// Whether the library gets a copy of data that goes with the object that comes out, so that nobody has to know who keeps it.
    pub(super) copies: bool,
}

impl<'a> View<'a> {
    pub(super) fn new(function: &'a Function, names: &'a [String], known: Known<'a>, draft: &Draft) -> Self {
        let mut referenced = Vec::new();
        for expr in draft.params.iter().flatten().flat_map(|fact| sizes(&fact.value)) {
            expr.walk(&mut |part| {
                if let Expr::Param { index } = part {
                    referenced.push(*index);
                }
            });
        }
        let (kept, called) = (OnceCell::new(), OnceCell::new());
        View { function, names, known, referenced, kept, called, copies: false }
    }

    /// The same where data is copied until the object goes that comes out.
    pub(super) fn with_copies(self) -> Self {
        View { copies: true, ..self }
    }

    /// Another function of the library, of which nothing is decided.
    pub(super) fn beside<'b>(&'b self, function: &'b Function) -> View<'b> {
        View {
            function,
            names: &[],
            known: self.known,
            referenced: Vec::new(),
            kept: OnceCell::new(),
            called: OnceCell::new(),
            copies: false,
        }
    }

    pub(super) fn param(&self, index: usize) -> Option<&'a Param> {
        self.function.params.get(index)
    }

    /// The name the contract uses.
    pub(super) fn name(&self, index: usize) -> String {
        self.names.get(index).cloned().unwrap_or_else(|| format!("arg{}", index + 1))
    }

    /// The handle type a parameter points to.
    pub(super) fn handle(&self, index: usize) -> Option<&'a str> {
        self.kept(index)?.handle
    }

    /// The words of the name the header gives; none when it gives none.
    pub(super) fn words(&self, index: usize) -> Vec<String> {
        self.kept_words(index).to_vec()
    }

    /// Whether the header gives a name.
    pub(super) fn has_words(&self, index: usize) -> bool {
        !self.kept_words(index).is_empty()
    }

    fn kept_words(&self, index: usize) -> &[String] {
        self.kept(index).map_or(&[], |kept| &kept.words)
    }

    fn kept(&self, index: usize) -> Option<&Kept<'a>> {
        let look = |param: &'a Param| {
            let name = param.name.as_deref();
            Kept {
                words: name.map(words).unwrap_or_default(),
                length: name.and_then(length_name),
                handle: self.known.handles.of_pointer(&param.ty),
            }
        };
        self.kept.get_or_init(|| self.function.params.iter().map(look).collect()).get(index)
    }

    /// What a comment may call a parameter: its name as it is written, and its words.
    pub(super) fn called_in_comments(&self, index: usize) -> impl Iterator<Item = String> {
        let written = self.param(index).and_then(|param| param.name.as_deref()).map(str::to_lowercase);
        let words = Some(self.words(index).join(" ")).filter(|words| !words.is_empty());
        written.into_iter().chain(words)
    }

    /// Whether the last word of a parameter's name is one of these.
    pub(super) fn called(&self, index: usize, list: &[&str]) -> bool {
        self.kept_words(index).last().is_some_and(|word| list.contains(&word.as_str()))
    }

    /// What the name of the function says.
    pub(super) fn function_name(&self) -> &Name {
        self.called.get_or_init(|| Name::of(&self.function.name))
    }

    /// Whether any word of the function's name is one of these.
    pub(super) fn function_has_word(&self, list: &[&str]) -> bool {
        self.function_name().says(list)
    }

    /// Whether the last word of the function's name is one of these.
    pub(super) fn function_has_last_word(&self, list: &[&str]) -> bool {
        self.function_name().ends_with(list)
    }

    /// Whether the function's name contains one of these.
    pub(super) fn function_contains(&self, list: &[&str]) -> bool {
        let name = self.function.name.to_ascii_lowercase().replace('_', "");
        list.iter().any(|part| name.contains(part))
    }

    /// What the name of an integer parameter measures.
    pub(super) fn length_name(&self, index: usize) -> Option<LengthName> {
        self.kept_length(index).cloned()
    }

    fn kept_length(&self, index: usize) -> Option<&LengthName> {
        self.kept(index)?.length.as_ref()
    }

    /// Whether this is an integer by value that nothing explains yet.
    pub(super) fn open_integer(&self, draft: &Draft, index: usize) -> bool {
        self.param(index).is_some_and(|param| param.ty.is_integer())
            && !self.referenced.contains(&index)
            && !decided(draft, index)
    }

    /// Integers by value that nothing explains yet.
    pub(super) fn open_integers(&self, draft: &Draft) -> Vec<usize> {
        (0..self.function.params.len()).filter(|&index| self.open_integer(draft, index)).collect()
    }

    /// Whether any integer by value may be a length.
    pub(super) fn has_lengths(&self) -> bool {
        let integer = |&index: &usize| self.param(index).is_some_and(|param| param.ty.is_integer());
        (0..self.function.params.len()).filter(integer).any(|index| self.may_be_length(index))
    }

    /// Whether this is a pointer to bytes or numbers that nothing explains yet.
    pub(super) fn open_buffer(&self, draft: &Draft, index: usize) -> bool {
        self.buffer(index).is_some() && !decided(draft, index)
    }

    /// The pointee of a pointer to bytes or numbers, and whether it is `const`.
    pub(super) fn buffer(&self, index: usize) -> Option<(&'a CType, bool)> {
        let (pointee, constant) = self.param(index)?.ty.pointee()?;
        // `typedef void CURL` is no memory.
        let memory = (pointee.is_byte() || pointee.is_scalar()) && self.handle(index).is_none();
        memory.then_some((pointee, constant))
    }

    /// Whether an integer may be a length: its name says so, or nothing says that it is none.
    pub(super) fn may_be_length(&self, index: usize) -> bool {
        let Some(param) = self.param(index) else {
            return false;
        };
        let words = self.words(index);
        let Some(last) = words.last() else { return !is_flags(&param.ty.written) };
        let vague = |word: &String| VAGUE.contains(&word.as_str()) || word.contains("bit");
        self.length_name(index).is_some()
            || sized_type(&param.ty)
            || param.ty.written.to_ascii_lowercase().contains("count")
            || vague(last)
            || glued_count(last).is_some()
            || words.len() == 1 && last.len() == 1 && !HARMLESS_LETTERS.contains(&last.as_str())
    }

    /// Whether an integer is certainly no length.
    pub(super) fn harmless(&self, index: usize) -> bool {
        let Some(param) = self.param(index) else {
            return true;
        };
        let area = self.called(index, &["width"])
            && (0..self.function.params.len()).any(|other| self.called(other, &["height"]));
        let typed = HARMLESS_TYPES.contains(&param.ty.written.as_str())
            || self.words(index).is_empty() && is_flags(&param.ty.written);
        !self.may_be_length(index) && !area && (typed || self.called(index, HARMLESS))
    }

    /// Whether a length is named after this pointer: `srcSize` of `src`, `in_len` of `in_buf`.
    pub(super) fn named_after(&self, length: &LengthName, pointer: usize) -> bool {
        self.of(&length.of, pointer)
    }

    /// Whether this integer is named as the length or the capacity of this pointer.
    pub(super) fn sizes_by_name(&self, integer: usize, pointer: usize) -> bool {
        let capacity = self.param(integer).and_then(|p| p.name.as_deref()).and_then(capacity_name);
        let of = self.length_name(integer).map(|length| length.of);
        let points = self.param(pointer).is_some_and(|param| param.ty.pointee().is_some());
        points && [of, capacity].into_iter().flatten().any(|of| self.of(&of, pointer))
    }

    /// Whether a pointer other than `except` has this integer as its own length, by name or by place.
    pub(super) fn owned_by_other(&self, integer: usize, except: usize) -> bool {
        let mut others = (0..self.function.params.len()).filter(|&other| other != except);
        let before = integer.checked_sub(1).filter(|&before| before != except);
        let buffer = |before| self.buffer(before).is_some() && !self.is_length_pointer(before);
        others.any(|other| self.sizes_by_name(integer, other))
            || self.may_be_length(integer) && before.is_some_and(buffer)
    }

    /// Whether a pointer has a length of its own, other than `except`.
    pub(super) fn has_own_length(&self, pointer: usize, except: usize) -> bool {
        let all = 0..self.function.params.len();
        let mut integers =
            all.filter(|&index| index != except && self.param(index).is_some_and(|p| p.ty.is_integer()));
        integers.any(|index| {
            self.sizes_by_name(index, pointer) || index == pointer + 1 && self.may_be_length(index)
        })
    }

    /// Whether a pointer is called so, but for words that only say that it is one.
    pub(super) fn is_named(&self, name: &[String], pointer: usize) -> bool {
        self.of(name, pointer)
    }

    fn of(&self, of: &[String], pointer: usize) -> bool {
        let name = self.words(pointer);
        let named = !of.is_empty() && !name.is_empty();
        named
            && (of.concat() == name.concat()
                || stem(of.to_vec()) == stem(name)
                || self.goes(of, pointer)
                || self.initial(of, pointer))
    }

    /// Whether the length behind a pointer is called by the first letter of its name, and no other memory begins with that: `dlen` of
    /// `data`. A `bsize` is of a block, an `flen` of the file that is named, and beside another number either may be of one element.
    fn initial(&self, of: &[String], pointer: usize) -> bool {
        let [letter] = of else { return false };
        let length = self.length_name(pointer + 1).is_some_and(|length| length.measure == Measure::Length);
        let integer = |index: &usize| self.param(*index).is_some_and(|param| param.ty.is_integer());
        let mut others = (0..self.function.params.len()).filter(integer);
        if !length
            || self.called(pointer, NAMES)
            || others.any(|other| other != pointer + 1 && !self.harmless(other))
        {
            return false;
        }
        let begins = |index: usize| {
            self.buffer(index).is_some() && self.words(index).concat().starts_with(letter.as_str())
        };
        let behind = self.length_name(pointer + 1).is_some_and(|length| length.of == of);
        let mut there = (0..self.function.params.len()).filter(|&index| begins(index));
        letter.len() == 1 && behind && there.next() == Some(pointer) && there.next().is_none()
    }

    /// Whether a length says which way what it counts goes, and this is the only pointer that goes there: `inputSize` of `source`,
    /// and `compressedSize` of what is decompressed.
    fn goes(&self, of: &[String], pointer: usize) -> bool {
        let side_of = |index: usize| side(&self.words(index)).filter(|_| self.buffer(index).is_some());
        let decoded = || of == ["compressed"] && self.function_has_word(DECODES);
        let side = side(of).or_else(|| decoded().then_some(Side::In));
        let mut there =
            (0..self.function.params.len()).filter(|&index| side.is_some() && side_of(index) == side);
        there.next() == Some(pointer) && there.next().is_none()
    }

    /// Whether this points to an integer and is named as a length.
    pub(super) fn is_length_pointer(&self, index: usize) -> bool {
        let pointee = self.param(index).and_then(|param| param.ty.pointee());
        pointee.is_some_and(|(ty, _)| ty.is_integer()) && self.length_name(index).is_some()
    }

    /// The pointer to an integer that is named as this pointer's length.
    pub(super) fn length_pointer(&self, pointer: usize) -> Option<usize> {
        (0..self.function.params.len()).find(|&index| {
            let integer =
                self.param(index).and_then(|p| p.ty.pointee()).is_some_and(|(ty, _)| ty.is_integer());
            integer && self.kept_length(index).is_some_and(|length| self.named_after(length, pointer))
        })
    }
}

/// Whether a fact is there.
pub(super) fn decided(draft: &Draft, index: usize) -> bool {
    draft.params.get(index).is_some_and(Option::is_some)
}

/// Whether an integer's type is one of sizes.
pub(super) fn sized_type(ty: &CType) -> bool {
    let written = ty.written.to_ascii_lowercase();
    written.contains("size") || written.contains("len")
}

/// Whether this is what texts consist of: `char`, or a byte under a name that says so. `xmlChar` and `FcChar8` do; `guchar`
/// is `unsigned char` and no more.
pub(super) fn is_letter(ty: &CType) -> bool {
    let written = unqualified(&ty.written).to_ascii_lowercase();
    let name = written.trim_end_matches(|c: char| c.is_ascii_digit());
    let plain = ["char", "uchar", "u_char", "guchar", "gu_char", "schar", "s_char", "gschar"];
    let named = name.ends_with("char") && !name.contains(' ') && !plain.contains(&name);
    ty.kind == Type::Char || named && matches!(ty.kind, Type::Int { bits: 8, signed: false })
}

/// Whether a pointer is plain text: `const char *`, and no name of the type says that it is something else.
pub(super) fn plain_text(ty: &CType) -> bool {
    let Some((pointee, true)) = ty.pointee() else {
        return false;
    };
    let textual = |written: &str| {
        let written = written.to_ascii_lowercase();
        ["char", "str", "text"].iter().any(|part| written.contains(part))
    };
    is_letter(pointee) && textual(&pointee.written) && (shown(ty) || textual(&ty.written))
}

/// Whether the header shows that this is a pointer instead of hiding it in a typedef, as handles do.
pub(super) fn shown(ty: &CType) -> bool {
    ty.written.contains(['*', '['])
}

fn sizes(role: &Role) -> Vec<&Expr> {
    match role {
        Role::BufferIn { length, .. } => length.iter().collect(),
        Role::BufferInOut { length, result, .. } => length.iter().chain(element_size(result)).collect(),
        Role::BufferOut { capacity, result, .. } => {
            let before = match capacity {
                Capacity::Elements { size } => Some(size),
                Capacity::Caller => None,
            };
            before.into_iter().chain(element_size(result)).collect()
        }
        _ => Vec::new(),
    }
}

fn element_size(result: &ResultLength) -> Option<&Expr> {
    match result {
        ResultLength::Elements { size } => Some(size),
        _ => None,
    }
}

/// Whether a type of numbers is called so: `zip_flags_t`.
fn is_flags(written: &str) -> bool {
    let all = words(written);
    all.iter().rfind(|word| *word != "t").is_some_and(|last| last == "flags")
}

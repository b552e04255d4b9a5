//! Whether a C type can be what an item says.

use hotcell_model::interface::{Direction, Encoding};
use hotcell_model::types::{CType, Type};

use crate::check::decide::Site;
use crate::contract::{Item, What};
use crate::diagnostic::Diagnostic;
use crate::type_names::unqualified;

const NUMBER: &str = "write `{ in = \"value\" }`, or no line at all";
const READ: &str = "write `{ in = \"buffer\", length = … }` or `{ string = \"utf-8\" }`";
const WRITTEN: &str =
    "write `{ out = \"value\" }`, `{ out = \"buffer\" }` or `{ in = \"buffer\", length = … }`";
const READS: &str = "the function only reads through it";

/// Why, in a few words, and what to write instead.
pub(crate) type Refusal = (&'static str, Option<String>);

/// What is wrong when a parameter's type cannot be what the item says.
pub(crate) fn contradiction(site: Site<'_>, index: usize, item: &Item) -> Option<Diagnostic> {
    let ty = &site.function.params[index].ty;
    let (why, help) = refusal(site, ty, item)?;
    let name = &site.names[index];
    let message = format!("`{name}` cannot be `{}`: it is `{}`", item.written, ty.written);
    Some(Diagnostic::error(message).at(item.span.clone()).label(why).help(help))
}

fn refusal(site: Site<'_>, ty: &CType, item: &Item) -> Option<Refusal> {
    let number = ty.is_scalar().then(|| NUMBER.to_owned());
    let text = |text: &str| Some(text.to_owned());
    let pointee = ty.pointee();
    match item.what {
        What::Fixed => None,
        What::Value(Direction::In) if ty.is_scalar() => None,
        What::Value(Direction::In) => match pointee {
            Some((_, constant)) => {
                Some(("a pointer is no value", text(if constant { READ } else { WRITTEN })))
            }
            None => Some(("not a number", None)),
        },
        What::Text => match pointee {
            Some((pointee, _)) => no_text(pointee, item.encoding),
            None => Some(("not a pointer", number)),
        },
        What::Buffer(direction) => match pointee {
            None => Some(("not a pointer", number)),
            Some((pointee, _)) if pointee.element_size().is_none() && ty.of_numbers().is_none() => {
                Some(("a buffer consists of numbers or bytes", None))
            }
            Some((_, true)) if direction.goes_out() => Some((READS, text(READ))),
            Some(_) => None,
        },
        What::Value(_) => match pointee {
            None => Some(("not a pointer", number)),
            Some((_, true)) => Some((READS, text(READ))),
            Some((pointee, _)) if pointee.is_scalar() => None,
            Some((pointee, _)) if pointee.kind == Type::Void => {
                Some(("bytes are a buffer", text("write `{ out = \"buffer\" }`")))
            }
            Some(_) => Some(("it does not point to a number", None)),
        },
        What::Handle | What::Consumed => object(site, ty, item, number),
        What::Owned | What::Borrowed => match pointee {
            None => Some(("not a pointer", number)),
            Some((_, true)) => Some((READS, None)),
            Some((pointer, _)) if pointer.pointee().is_none() => {
                Some(("it does not point to a pointer", None))
            }
            Some((pointer, _)) => object(site, pointer, item, None),
        },
        What::Struct(direction) => structure(site, ty, item, direction, number),
        What::Structs(direction) => match pointee {
            None => Some(("not a pointer", number)),
            Some((pointee, constant)) => structs(site, pointee, constant, direction),
        },
        What::Texts => match pointee.and_then(|(pointer, _)| pointer.pointee()) {
            Some((pointee, _)) if pointee.kind != Type::Void || item.encoding.unit() > 1 => {
                no_text(pointee, item.encoding)
            }
            _ => Some(("not a pointer to pointers to characters", number)),
        },
        What::TextOut => {
            let text = |pointee: &CType| no_text(pointee, item.encoding).is_none();
            let why = match item.encoding {
                Encoding::Utf16 => "it does not point to a pointer to 16-bit units",
                Encoding::Utf32 => "it does not point to a pointer to 32-bit units",
                _ => "it does not point to a pointer to characters",
            };
            handed_out(ty, text, why)
        }
        What::TextsOut => {
            handed_out(ty, |array| no_texts(array, item.encoding).is_none(), no_array(item.encoding))
        }
        What::Data | What::Offset => {
            let data = |pointee: &CType| pointee.element_size().is_some();
            handed_out(ty, data, "it does not point to a pointer to numbers or bytes")
        }
        What::Callback | What::Kept => match &ty.kind {
            Type::FunctionPointer { signature } if signature.variadic => {
                Some(("it takes a variable number of arguments", None))
            }
            Type::FunctionPointer { .. } => None,
            _ => Some(("not a pointer to a function", number)),
        },
        What::Handles => match pointee {
            None => Some(("not a pointer", number)),
            Some((pointer, _)) if pointer.pointee().is_none() => {
                Some(("it does not point to pointers to objects", None))
            }
            Some((pointer, _)) => object(site, pointer, item, None),
        },
        What::Status
        | What::Ignored
        | What::Own
        | What::Zero
        | What::Union
        | What::Member
        | What::UserData
        | What::Stream(..)
        | What::Told => Some(("no item of a parameter", None)),
    }
}

/// Why a text in this encoding cannot lie behind a pointer to this.
pub(crate) fn no_text(pointee: &CType, encoding: Encoding) -> Option<Refusal> {
    match encoding {
        Encoding::Utf16 | Encoding::Utf32 if encoding.lies_in(pointee) => None,
        Encoding::Utf16 if is_character(pointee) => {
            Some(("a text in UTF-16 is a pointer to 16-bit units", Some("bytes are `\"utf-8\"`".into())))
        }
        Encoding::Utf16 => Some(("a text in UTF-16 is a pointer to 16-bit units", None)),
        Encoding::Utf32 => Some(("a text in UTF-32 is a pointer to 32-bit units, such as `wchar_t`", None)),
        _ if is_character(pointee) => None,
        _ if pointee.scalar_size() == Some(Encoding::Utf16.unit()) => {
            Some(("a text is a pointer to bytes", Some("16-bit units are `\"utf-16\"`".into())))
        }
        _ if pointee.canonical == "wchar_t" || pointee.written.contains("wchar_t") => {
            Some(("a text is a pointer to bytes", Some("`wchar_t` is `\"utf-32\"`".into())))
        }
        _ => Some(("a text is a pointer to bytes", None)),
    }
}

/// Why an array of texts in this encoding cannot consist of this.
pub(crate) fn no_texts(element: &CType, encoding: Encoding) -> Option<Refusal> {
    let text = element.pointee().filter(|(text, _)| no_text(text, encoding).is_none());
    text.is_none().then(|| (no_array(encoding), None))
}

fn no_array(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf16 => "it does not point to an array of pointers to 16-bit units",
        Encoding::Utf32 => "it does not point to an array of pointers to 32-bit units",
        _ => "it does not point to an array of pointers to characters",
    }
}

/// Whether texts without a word about their encoding consist of this.
pub(crate) fn is_character(pointee: &CType) -> bool {
    pointee.is_byte() && pointee.kind != Type::Void
}

fn handed_out(ty: &CType, fits: impl Fn(&CType) -> bool, why: &'static str) -> Option<Refusal> {
    match ty.pointee() {
        Some((_, true)) => Some((READS, None)),
        Some((pointer, _)) => match pointer.pointee() {
            Some((pointee, _)) if fits(pointee) => None,
            _ => Some((why, None)),
        },
        None => Some(("not a pointer", ty.is_scalar().then(|| NUMBER.to_owned()))),
    }
}

/// Whether a pointer is one to an object; what `handle` says is checked where the handle type is looked up.
pub(crate) fn object(site: Site<'_>, ty: &CType, item: &Item, number: Option<String>) -> Option<Refusal> {
    let Some((pointee, _)) = ty.pointee() else {
        return Some(("not a pointer", number));
    };
    if site.known.handles.of_pointer(ty).is_some() {
        return None;
    }
    match &pointee.kind {
        Type::Void if item.handle.is_some() => None,
        Type::Void => {
            Some(("nothing says of which handle type", Some("add `handle = \"…\"`, its handle type".into())))
        }
        Type::Record { name } if site.known.structs.is_resident(name) => match item.what {
            What::Consumed => None,
            _ => Some((
                "a structure that the library keeps",
                Some("write `{ inout = \"struct\" }`, or no line at all".into()),
            )),
        },
        Type::Record { name } => {
            let word = pointee.written.rsplit(' ').next().unwrap_or(name);
            Some(("it points to no handle type", Some(format!("add `{word} = {{}}` to `[handle]`"))))
        }
        // Without a name of its own nothing tells such a pointer from others.
        _ => {
            let name = unqualified(&ty.written);
            let named = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let help = named.then(|| format!("add `{name} = {{}}` to `[handle]`"));
            Some(("it does not point to an object", help))
        }
    }
}

/// Why there cannot be several structures behind a pointer to this.
pub(crate) fn structs(
    site: Site<'_>,
    pointee: &CType,
    constant: bool,
    direction: Direction,
) -> Option<Refusal> {
    let Some(record) = pointee.record() else {
        return Some(("it does not point to structures", None));
    };
    if site.known.handles.of_record(record).is_some() {
        return Some(("it points to a handle type", None));
    }
    if site.known.structs.is_resident(record) {
        return Some(("a structure that the library keeps has one place", None));
    }
    if constant && direction.goes_out() {
        return Some((READS, Some("write `{ in = \"structs\", length = … }`".into())));
    }
    None
}

fn structure(
    site: Site<'_>,
    ty: &CType,
    item: &Item,
    direction: Direction,
    number: Option<String>,
) -> Option<Refusal> {
    let by_value = matches!(ty.kind, Type::Record { .. });
    let (record, constant) = match (&ty.kind, ty.pointee()) {
        (Type::Record { name }, _) => (name, false),
        (_, Some((CType { kind: Type::Record { name }, .. }, constant))) => (name, constant),
        (_, None) => return Some(("not a structure", number)),
        _ => return Some(("it does not point to a structure", None)),
    };
    let resident = site.known.structs.is_resident(record);
    let text = |text: &str| Some(text.to_owned());
    if !by_value && site.known.handles.of_pointer(ty).is_some() {
        return Some(("it points to a handle type", text("write `{ in = \"handle\" }`")));
    }
    if by_value && resident {
        return Some(("a structure that the library keeps has one place", None));
    }
    if by_value && direction != Direction::In {
        return Some((
            "a structure by value goes in",
            text("write `{ in = \"struct\" }`, or no line at all"),
        ));
    }
    if by_value && item.nullable {
        return Some(("a structure by value is always there", text("leave `nullable` out")));
    }
    if constant && direction.goes_out() && !resident {
        return Some((READS, text("write `{ in = \"struct\" }`")));
    }
    if resident && direction == Direction::Out {
        return Some((
            "a structure that the library keeps goes in and out",
            text("write `{ inout = \"struct\" }`"),
        ));
    }
    if resident && item.nullable {
        return Some(("a structure that the library keeps is always there", text("leave `nullable` out")));
    }
    None
}

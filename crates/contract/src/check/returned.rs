//! The returned value, and what means failure.

use hotcell_model::interface::{Direction, ErrorRule, Fails, Ownership, ResultRole, Role, Unit};
use hotcell_model::types::{CType, Type};

use crate::check::decide::{Decided, Purpose, Site};
use crate::check::lines::Lines;
use crate::check::types;
use crate::check::{lengths, negative, nullable, objects, resolve, structures, symbols};
use crate::contract::{ErrorLine, FailsLine, Item, What};
use crate::diagnostic::Diagnostic;
use crate::document::Text;
use crate::expression::Node;
use crate::infer;

/// Decides `result` and `error`.
pub(crate) fn decide(site: Site<'_>, lines: &Lines<'_>, decided: &mut Decided, wrong: &mut Vec<Diagnostic>) {
    let rule_line = lines.error().filter(|line| !matches!(line.fails, FailsLine::Word("never", _)));
    // Where another function counts what is returned, a line about the type is silent about how much that is.
    let counted = lines.leaves_length() && infer::counts_result(site.function, site.known);
    if let Some(item) = lines.result().filter(|_| !counted)
        && let Some(role) = role(site, rule_line, item, decided, wrong)
    {
        decided.result(site.decided(role, &item.span));
    }
    let Some(line) = rule_line else { return };
    let Some(rule) = rule(site, line, decided, wrong) else {
        return;
    };
    let result = &site.function.result;
    let number = matches!(result.kind, Type::Int { .. } | Type::Enum { .. } | Type::Bool);
    let status = match rule.fails {
        Fails::Nonzero => number,
        Fails::Zero => number && is_truth(result),
        _ => false,
    };
    if status && decided.draft.result.is_none() {
        decided.result(site.decided(ResultRole::Status, &line.span));
    }
    decided.error = Some(site.decided(rule, &line.span));
}

fn role(
    site: Site<'_>,
    rule: Option<&ErrorLine>,
    item: &Item,
    decided: &mut Decided,
    wrong: &mut Vec<Diagnostic>,
) -> Option<ResultRole> {
    let ty = &site.function.result;
    if let Some((why, help)) = refusal(site, ty, item) {
        let message = format!("the result cannot be `{}`: it is `{}`", item.written, ty.written);
        wrong.push(Diagnostic::error(message).at(item.span.clone()).label(why).help(help));
        return None;
    }
    let ownership = match &item.release {
        None => Ownership::Library,
        Some(text) => release(site, text, wrong)?,
    };
    Some(match item.what {
        What::Status if rule.is_none() => {
            let diagnostic = Diagnostic::error("a status without a rule says nothing").at(item.span.clone());
            wrong.push(diagnostic.help("add `error = { fails = … }`".to_owned()));
            return None;
        }
        What::Status => ResultRole::Status,
        What::Ignored => ResultRole::Void,
        What::Text => {
            let length = match &item.length {
                Some(node) => Some(lengths::text_after(site, node, item, decided, wrong)?),
                None => None,
            };
            ResultRole::Text { encoding: item.encoding, length, nullable: item.nullable, ownership }
        }
        What::TextsOut => {
            let counts = (Unit::Elements, 1);
            let length = match &item.length {
                Some(node) => Some(lengths::length_after(site, node, counts, decided, wrong, false)?),
                None => None,
            };
            ResultRole::Texts { length, encoding: item.encoding, nullable: item.nullable, ownership }
        }
        What::Structs(direction) => {
            let pointee = ty.pointee().map(|(pointee, _)| pointee)?;
            if let Some(why) = structures::against_several(site, pointee, direction) {
                let message = format!("the result cannot be `{}`: {why}", item.written);
                wrong.push(Diagnostic::error(message).at(item.span.clone()));
                return None;
            }
            let counts = (Unit::Elements, 1);
            let node = item.length.as_ref()?;
            let length = lengths::length_after(site, node, counts, decided, wrong, false)?;
            ResultRole::Buffer { length, nullable: item.nullable, ownership }
        }
        What::Buffer(_) => {
            let size = ty.pointed_elements().and_then(|(element, _)| element.element_size()).unwrap_or(1);
            let counts = (item.unit.unwrap_or(Unit::Elements), size);
            let node = item.length.as_ref()?;
            let length = lengths::length_after(site, node, counts, decided, wrong, false)?;
            ResultRole::Buffer { length, nullable: item.nullable, ownership }
        }
        What::Owned | What::Borrowed => match object(site, item) {
            Ok(role) => role,
            Err(diagnostic) => {
                wrong.push(*diagnostic);
                return None;
            }
        },
        What::Struct(_) => {
            let record = structures::record(ty).or_else(|| structures::record(ty.pointee()?.0))?.to_owned();
            if let Some(why) = site.known.structs.against(&record, Direction::Out) {
                let message = format!("the result cannot be `{}`: {why}", item.written);
                wrong.push(Diagnostic::error(message).at(item.span.clone()));
                return None;
            }
            ResultRole::Struct { record, nullable: item.nullable, ownership }
        }
        _ => ResultRole::Value,
    })
}

fn object(site: Site<'_>, item: &Item) -> Result<ResultRole, Box<Diagnostic>> {
    let handle = objects::handle_type(site, &site.function.result, item)?;
    let ownership = objects::ownership(site, &handle, item)?;
    let parent = objects::parent(site, &handle, item)?;
    Ok(ResultRole::Handle { handle, ownership, parent, nullable: item.nullable })
}

fn refusal(site: Site<'_>, ty: &CType, item: &Item) -> Option<(&'static str, Option<String>)> {
    let pointee = ty.pointee().map(|(pointee, _)| pointee);
    let plain = |why: Option<&'static str>| why.map(|why| (why, None));
    match item.what {
        What::Text => match pointee {
            Some(pointee) => types::no_text(pointee, item.encoding),
            None => Some(("not a pointer", None)),
        },
        What::TextsOut => match pointee {
            Some(element) => types::no_texts(element, item.encoding),
            None => Some(("not a pointer", None)),
        },
        What::Buffer(_) => plain(match ty.pointed_elements().map(|(element, _)| element) {
            Some(pointee) if pointee.element_size().is_some() => None,
            Some(_) => Some("a buffer consists of numbers or bytes"),
            None => Some("not a pointer"),
        }),
        What::Structs(direction) => match pointee {
            // What is copied need not be written to.
            Some(pointee) => types::structs(site, pointee, false, direction),
            None => Some(("not a pointer", None)),
        },
        What::Owned | What::Borrowed => types::object(site, ty, item, None),
        What::Ignored => plain((ty.kind == Type::Void).then_some("nothing is returned")),
        What::Struct(_) => {
            let by_value = structures::record(ty);
            let Some(record) = by_value.or_else(|| pointee.and_then(structures::record)) else {
                return Some(("not a structure", None));
            };
            if by_value.is_none() && site.known.handles.of_pointer(ty).is_some() {
                let help = "write `{ out = \"borrowed\" }` or `{ out = \"owned\" }`";
                return Some(("it points to a handle type", Some(help.to_owned())));
            }
            if site.known.structs.is_resident(record) {
                return Some(("the library keeps it, and callers make it", None));
            }
            (by_value.is_some() && (item.nullable || item.release.is_some())).then(|| {
                let help = "leave `nullable` and `release` out".to_owned();
                ("a structure by value is always there, and nobody releases it", Some(help))
            })
        }
        _ => plain((!ty.is_scalar()).then_some("not a number")),
    }
}

/// The function that takes memory back which was handed out.
pub(crate) fn release(site: Site<'_>, text: &Text, wrong: &mut Vec<Diagnostic>) -> Option<Ownership> {
    let owned = Ownership::Owned { release: text.value.clone() };
    let diagnostic = match resolve::declared(site, &text.value) {
        Ok(callee) => {
            let pointer = |ty: &CType| matches!(ty.kind, Type::Pointer { .. });
            if callee.params.len() == 1 && !callee.variadic && pointer(&callee.params[0].ty) {
                return Some(owned);
            }
            let message = format!("`{}` does not take the pointer alone", text.value);
            Diagnostic::error(message).help(format!("it is declared `{}`", callee.signature()))
        }
        // The shim includes <stdlib.h> itself.
        Err(_) if text.value == "free" => return Some(owned),
        Err(diagnostic) => *diagnostic,
    };
    wrong.push(diagnostic.at(text.span.clone()));
    None
}

fn rule(
    site: Site<'_>,
    line: &ErrorLine,
    decided: &mut Decided,
    wrong: &mut Vec<Diagnostic>,
) -> Option<ErrorRule> {
    let before = wrong.len();
    let fails = match &line.fails {
        FailsLine::When(node) => decided
            .expression(site, node, Purpose::Condition, wrong)
            .map(|condition| Fails::When { condition }),
        FailsLine::Word(word, span) => {
            let ty = &site.function.result;
            let fails = word_of(site, word, ty);
            if let Err(why) = fails {
                let message = format!("the result is never `{word}`: it is `{}`", ty.written);
                wrong.push(Diagnostic::error(message).at(span.clone()).label(why));
            }
            fails.ok()
        }
    };
    let said = line.message.as_ref().filter(|node| node.name() != Some("none"));
    let told_by = of_text(site, decided).filter(|_| line.message.is_none());
    let of_object = of_object(site, decided).filter(|_| line.message.is_none());
    let mut expression =
        |node: Option<&Node>, purpose| node.and_then(|node| decided.expression(site, node, purpose, wrong));
    let message = expression(said.or(of_object), Purpose::Message);
    let code = expression(line.code.as_ref(), Purpose::Code);
    let symbols = line.symbols.as_ref().and_then(|text| symbols::of_rule(site, text, line, wrong));
    (wrong.len() == before).then_some(ErrorRule { fails: fails?, told_by, message, code, symbols })
}

/// The only text that comes out also when the call fails, where it is called like what is said about a failure.
fn of_text(site: Site<'_>, decided: &Decided) -> Option<usize> {
    let texts = decided.draft.params.iter().enumerate().filter_map(|(index, fact)| {
        let role = fact.as_ref().map(|fact| &fact.value);
        match role {
            Some(Role::TextOut { encoding, valid_on_error: true, .. }) => Some((index, *encoding)),
            _ => None,
        }
    });
    let mut texts = texts
        .filter(|(index, encoding)| !encoding.is_converted() && infer::tells_failure(&site.names[*index]));
    let (index, _) = texts.next().filter(|_| texts.next().is_none())?;
    Some(index)
}

/// The message that the type of a function's object has: of the only one that goes in, or else of the only one that
/// comes out also when the call fails. Where several could be meant there is none.
fn of_object<'a>(site: Site<'a>, decided: &Decided) -> Option<&'a Node> {
    let there = |index: usize| match decided.draft.params[index].as_ref().map(|fact| &fact.value) {
        _ if nullable::says(site, index) => false,
        Some(Role::Handle { nullable, .. }) => !nullable,
        Some(Role::HandleOut { valid_on_error, .. }) => *valid_on_error,
        // An object that a rule will find.
        None => site.known.handles.of_pointer(&site.function.params[index].ty).is_some(),
        Some(_) => false,
    };
    let messages =
        site.contract.handles.iter().filter_map(|line| Some((line.name.as_str(), line.message.as_ref()?)));
    let of_one = |(name, message)| match resolve::param(site, name)[..] {
        [index] if there(index) => Some(message),
        _ => None,
    };
    let mut found = messages.filter_map(of_one);
    found.next().filter(|_| found.next().is_none())
}

/// Whether a number is true or false: `_Bool`, or a typedef that is called so, as `cJSON_bool` and `gboolean`.
fn is_truth(ty: &CType) -> bool {
    ty.kind == Type::Bool || ty.written.to_ascii_lowercase().contains("bool")
}

/// What a word says about a result of this type, or why it says nothing.
pub(crate) fn word_of(site: Site<'_>, word: &str, ty: &CType) -> Result<Fails, &'static str> {
    let pointer = matches!(ty.kind, Type::Pointer { .. } | Type::FunctionPointer { .. });
    match word {
        _ if ty.kind == Type::Void => Err("nothing is returned"),
        "null" if pointer => Ok(Fails::Null),
        "null" => Err("not a pointer"),
        _ if !pointer && !ty.is_scalar() => Err("not a number"),
        "nonzero" => Ok(Fails::Nonzero),
        "zero" if pointer => Ok(Fails::Null),
        "zero" => Ok(Fails::Zero),
        _ if negative::signed(site, ty) => Ok(Fails::Negative),
        _ => Err("it has no sign"),
    }
}

//! The returned value, and what means failure.

use hotcell_model::interface::{ErrorRule, Fails, Ownership, ResultRole};
use hotcell_model::types::{CType, Type};

use crate::check::decide::{Decided, Purpose, Site};
use crate::check::resolve;
use crate::contract::{ErrorLine, FailsLine, FunctionLines, ReturnedItem, ReturnedKind};
use crate::diagnostic::Diagnostic;
use crate::document::Text;

/// Decides `result` and `error`.
pub(crate) fn decide(
    site: Site<'_>,
    lines: &FunctionLines,
    decided: &mut Decided,
    wrong: &mut Vec<Diagnostic>,
) {
    if let Some(item) = &lines.result
        && let Some(role) = role(site, lines, item, decided, wrong)
    {
        decided.result(site.decided(role, &item.span));
    }
    let Some(line) = &lines.error else { return };
    let Some(rule) = rule(site, line, decided, wrong) else {
        return;
    };
    let status = matches!(site.function.result.kind, Type::Int { .. } | Type::Enum { .. } | Type::Bool);
    if rule.fails == Fails::Nonzero && status && decided.draft.result.is_none() {
        decided.result(site.decided(ResultRole::Status, &line.span));
    }
    decided.error = Some(site.decided(rule, &line.span));
}

fn role(
    site: Site<'_>,
    lines: &FunctionLines,
    item: &ReturnedItem,
    decided: &mut Decided,
    wrong: &mut Vec<Diagnostic>,
) -> Option<ResultRole> {
    let ty = &site.function.result;
    let written = match item.kind {
        ReturnedKind::Value => "out = \"value\"",
        ReturnedKind::Status => "out = \"status\"",
        ReturnedKind::Text(_) => "string",
        ReturnedKind::Buffer => "out = \"buffer\"",
    };
    if let Some(why) = refusal(ty, &item.kind) {
        let message = format!("the result cannot be `{written}`: it is `{}`", ty.written);
        wrong.push(Diagnostic::error(message).at(item.span.clone()).label(why));
        return None;
    }
    let ownership = match &item.release {
        None => Ownership::Library,
        Some(text) => release(site, text, wrong)?,
    };
    Some(match item.kind {
        ReturnedKind::Value => ResultRole::Value,
        ReturnedKind::Status if lines.error.is_none() => {
            let diagnostic = Diagnostic::error("a status without a rule says nothing").at(item.span.clone());
            wrong.push(diagnostic.help("add `error = { fails = … }`".to_owned()));
            return None;
        }
        ReturnedKind::Status => ResultRole::Status,
        ReturnedKind::Text(encoding) => {
            ResultRole::Text { encoding, length: None, nullable: item.nullable, ownership }
        }
        ReturnedKind::Buffer => {
            let node = item.length.as_ref()?;
            let length = decided.expression(site, node, Purpose::SizeAfter, wrong)?;
            ResultRole::Buffer { length, ownership }
        }
    })
}

fn refusal(ty: &CType, kind: &ReturnedKind) -> Option<&'static str> {
    let pointee = ty.pointee().map(|(pointee, _)| pointee);
    match kind {
        ReturnedKind::Value | ReturnedKind::Status => (!ty.is_scalar()).then_some("not a number"),
        ReturnedKind::Text(_) => match pointee {
            Some(pointee) if pointee.is_byte() && pointee.kind != Type::Void => None,
            Some(_) => Some("a text is a pointer to bytes"),
            None => Some("not a pointer"),
        },
        ReturnedKind::Buffer => match pointee {
            Some(pointee) if pointee.element_size().is_some() => None,
            Some(_) => Some("a buffer consists of numbers or bytes"),
            None => Some("not a pointer"),
        },
    }
}

/// The function that takes the returned memory back.
fn release(site: Site<'_>, text: &Text, wrong: &mut Vec<Diagnostic>) -> Option<Ownership> {
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
    let message = match &line.message {
        Some(node) => Some(decided.expression(site, node, Purpose::Message, wrong)?),
        None => None,
    };
    Some(ErrorRule { fails: fails?, message, code: None, symbols: None })
}

fn word_of(site: Site<'_>, word: &str, ty: &CType) -> Result<Fails, &'static str> {
    let pointer = matches!(ty.kind, Type::Pointer { .. } | Type::FunctionPointer { .. });
    let signed = match &ty.kind {
        Type::Int { signed, .. } | Type::Enum { signed, .. } => *signed,
        Type::Char => site.api.target.char_signed,
        Type::Float { .. } => true,
        _ => false,
    };
    match word {
        _ if ty.kind == Type::Void => Err("nothing is returned"),
        "null" if pointer => Ok(Fails::Null),
        "null" => Err("not a pointer"),
        _ if !pointer && !ty.is_scalar() => Err("not a number"),
        "nonzero" => Ok(Fails::Nonzero),
        "zero" if pointer => Ok(Fails::Null),
        "zero" => Ok(Fails::Zero),
        _ if signed => Ok(Fails::Negative),
        _ => Err("it has no sign"),
    }
}

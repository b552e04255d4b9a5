//! Results that the error rule of a pattern makes a status although they may say more: `compressBound` among functions
//! that `*compress*` matches, `sqlite3_bind_parameter_count` among those of `sqlite3_bind_*`.
//!
//! A status is dropped, so that callers would never see what such a function returns.

use std::collections::BTreeMap;

use hotcell_model::api::Function;
use hotcell_model::types::{CType, Type};

use crate::check::lines;
use crate::contract::{Contract, FailsLine};
use crate::diagnostic::Diagnostic;
use crate::infer;

/// Bits and sign of an integer.
type Class = (u16, bool);

/// What functions that return codes return: `int`, and enumerations.
const CODE: Class = (32, true);

/// Warns about results that are dropped because of a pattern, where they look like more than a status.
pub(crate) fn look(contract: &Contract, selected: &[&Function], findings: &mut Vec<Diagnostic>) {
    for table in contract.functions.iter().filter(|table| table.is_pattern()) {
        let Some(rule) = &table.error else { continue };
        let FailsLine::Word("nonzero", span) = &rule.fails else { continue };
        let dropped = selected.iter().filter_map(|function| {
            let lines = lines::of(contract, function);
            let own = lines.error().is_some_and(|error| std::ptr::eq(error, rule));
            Some((*function, class(&function.result)?)).filter(|_| own && lines.own_result().is_none())
        });
        let dropped: Vec<(&Function, Class)> = dropped.collect();
        let usual = usual(&dropped);
        for (function, class) in dropped {
            let name = &function.name;
            let why = if usual.is_some_and(|usual| usual != class) {
                format!(
                    "returns `{}`, unlike the other functions that `{}` matches",
                    function.result.written, table.name
                )
            } else if infer::answers(function) {
                "is called like one that counts something or answers a question".to_owned()
            } else {
                continue;
            };
            let message =
                format!("`{name}` {why}, and this rule makes what it returns a status, which is dropped");
            let help = format!(
                "add `function.{name}.error = {{ fails = \"never\" }}`, or, when it is a status, \
                 `function.{name}.result = {{ out = \"status\" }}`"
            );
            findings.push(Diagnostic::warning(message).at(span.clone()).help(help));
        }
    }
}

fn class(ty: &CType) -> Option<Class> {
    match ty.kind {
        Type::Int { bits, signed } => Some((bits, signed)),
        Type::Enum { .. } => Some(CODE),
        Type::Bool => Some((1, false)),
        _ => None,
    }
}

/// What most of these functions return, that of codes before another; none where no type is before the others.
fn usual(functions: &[(&Function, Class)]) -> Option<Class> {
    let mut counts: BTreeMap<Class, usize> = BTreeMap::new();
    for (_, class) in functions {
        *counts.entry(*class).or_default() += 1;
    }
    if counts.contains_key(&CODE) {
        return Some(CODE);
    }
    let most = counts.values().max().copied()?;
    let mut first = counts.iter().filter(|(_, count)| **count == most).map(|(class, _)| *class);
    first.next().filter(|_| first.next().is_none())
}

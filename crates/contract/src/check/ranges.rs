//! Comparisons that can never hold: a number beside a constant that its type does not have.

use hotcell_model::api::ConstantValue;
use hotcell_model::expr::Op;
use hotcell_model::types::{CType, Target, Type};

use crate::check::decide::Site;
use crate::diagnostic::Diagnostic;
use crate::expression::{Kind, Node};

/// The value of integer constants, and of what is computed from them.
pub(super) fn constant(site: Site<'_>, node: &Node) -> Option<i128> {
    match &node.kind {
        Kind::Int(value) => Some(*value),
        Kind::Name(name) => match site.api.constants.get(name)?.value {
            ConstantValue::Int(value) => Some(value.into()),
            ConstantValue::Uint(value) => Some(value.into()),
            ConstantValue::Float(_) | ConstantValue::Text(_) => None,
        },
        Kind::Binary(op, left, right) => {
            let (left, right) = (constant(site, left)?, constant(site, right)?);
            match op {
                Op::Add => left.checked_add(right),
                Op::Sub => left.checked_sub(right),
                Op::Mul => left.checked_mul(right),
                Op::Div => left.checked_div(right),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Says so when `number`, which has this type, cannot compare so with a constant, as C compares them.
pub(super) fn never(
    site: Site<'_>,
    whole: &Node,
    (number, ty): (&Node, &CType),
    op: Op,
    value: i128,
) -> Option<Diagnostic> {
    let (low, high) = range(ty, &site.api.target)?;
    let compared = match ty.unsigned_as_compared() {
        Some(bits) if (-(1 << (bits - 1))..0).contains(&value) => value + (1 << bits),
        _ => value,
    };
    let possible = match op {
        Op::Eq => (low..=high).contains(&compared),
        Op::Lt => low < compared,
        Op::Le => low <= compared,
        Op::Gt => high > compared,
        Op::Ge => high >= compared,
        _ => true,
    };
    if possible {
        return None;
    }
    let written = &ty.written;
    let diagnostic = Diagnostic::error(format!("`{whole}` can never hold")).at(whole.span.clone());
    let diagnostic = diagnostic.label(format!("`{number}` is `{written}`, from {low} to {high}"));
    // What the same bits are in the number's own type.
    let count = high - low + 1;
    let same = [value + count, value - count].into_iter().find(|same| (low..=high).contains(same));
    let same = same.filter(|_| op == Op::Eq && (-count / 2..count).contains(&value));
    Some(diagnostic.help(match same {
        Some(same) => format!("write `{number} == {same}`"),
        None if low == 0 && value <= 0 => {
            format!("it has no sign: write the number it has then, as in `{number} == {high}`")
        }
        None => "compare with a number that it can be".to_owned(),
    }))
}

/// The numbers of an integer type.
fn range(ty: &CType, target: &Target) -> Option<(i128, i128)> {
    let (bits, signed) = match ty.kind {
        Type::Bool => (1, false),
        Type::Char => (8, target.char_signed),
        Type::Int { bits, signed } => (bits, signed),
        Type::Enum { bits, signed, .. } => (bits, signed),
        _ => return None,
    };
    if bits > 64 {
        return None;
    }
    Some(if signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) })
}

//! Which out buffers come out only as far as the library tells that it has filled them: those need no zeros before.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{Fails, Function, Param, ResultLength, ResultRole, Role};

/// Whether all that is read of the out buffer at a position is what the library tells it has filled.
///
/// A length it leaves alone tells of nothing: where it came in, it must be known that the call succeeded. What comes out of a
/// failed call need not have been filled, and no length bounds what an expression reads.
pub(crate) fn is_told(function: &Function, index: usize) -> bool {
    let Some(Role::BufferOut { result, valid_on_error, .. }) = function.params.get(index).map(role) else {
        return false;
    };
    let said = match result {
        ResultLength::Pointer { .. } => function.error.is_some() && !valid_on_error,
        ResultLength::Returned => function.error.is_none() || !valid_on_error,
        ResultLength::Full | ResultLength::Text | ResultLength::Elements { .. } => false,
    };
    let mut read = false;
    behind(function, |expr| expr.walk(&mut |part| read |= *part == Expr::Param { index }));
    said && !read
}

fn role(param: &Param) -> &Role {
    &param.role.value
}

/// The expressions that are evaluated behind a call.
fn behind(function: &Function, mut visit: impl FnMut(&Expr)) {
    if let Some(rule) = function.error.as_ref().map(|fact| &fact.value) {
        if let Fails::When { condition } = &rule.fails {
            visit(condition);
        }
        rule.code.iter().chain(&rule.message).for_each(&mut visit);
        rule.told_by.iter().for_each(|&index| visit(&Expr::Param { index }));
    }
    match &function.result.value {
        ResultRole::Text { length: Some(length), .. }
        | ResultRole::Texts { length: Some(length), .. }
        | ResultRole::Buffer { length, .. } => visit(length),
        _ => {}
    }
    for param in &function.params {
        match role(param) {
            Role::TextsOut { length, .. } | Role::DataOut { length, .. } => visit(length),
            Role::BufferOut { result: ResultLength::Elements { size }, .. }
            | Role::BufferInOut { result: ResultLength::Elements { size }, .. } => visit(size),
            _ => {}
        }
    }
}

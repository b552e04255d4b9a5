//! Functions that bound functions need: those their expressions call, and those that release what they hand out.
//!
//! The shim converts an argument to the callee's type, and chooses how to use its result, by what the
//! interface says about the callee. Without that only calls remain that need neither.

use hotcell_model::api::Api;
use hotcell_model::expr::Expr;
use hotcell_model::interface::{Capacity, Fails, Function, LeftOut, ResultLength, ResultRole, Role, Status};

use crate::check::{releases, select};

/// Leaves the functions out that need one which is not bound, until none is left.
pub(crate) fn leave_out(api: &Api, functions: &mut Vec<Function>, left_out: &mut Vec<LeftOut>) {
    loop {
        let found = functions.iter().enumerate().find_map(|(index, function)| {
            let needs = |expr: &Expr| missing(api, functions, expr).map(computes);
            let callee = expressions(function).into_iter().find_map(needs);
            let found = callee.or_else(|| releases::missing(function, functions, left_out))?;
            Some((index, found))
        });
        let Some((index, (status, reason, help))) = found else { return };
        let Function { name, signature, .. } = functions.remove(index);
        left_out.push(LeftOut { name, signature, status, reason, help, open_types: Vec::new() });
        let order = |out: &LeftOut| api.functions.iter().position(|function| function.name == out.name);
        left_out.sort_by_key(order);
    }
}

fn computes(callee: &str) -> (Status, String, Option<String>) {
    let reason = format!("an expression computes with `{callee}`, which is not bound itself");
    let help = format!("let `include` cover `{callee}`, or pass it plain parameters");
    (Status::Undecided, reason, Some(help))
}

fn expressions(function: &Function) -> Vec<&Expr> {
    let mut found = Vec::new();
    for param in &function.params {
        let result = match &param.role.value {
            Role::BufferIn { length, .. } => {
                found.extend(length);
                continue;
            }
            Role::BufferInOut { length, result, .. } => {
                found.extend(length);
                result
            }
            Role::BufferOut { capacity, result, .. } => {
                if let Capacity::Elements { size } = capacity {
                    found.push(size);
                }
                result
            }
            Role::DataOut { length, .. } | Role::TextsOut { length, .. } => {
                found.push(length);
                continue;
            }
            _ => continue,
        };
        if let ResultLength::Elements { size } = result {
            found.push(size);
        }
    }
    match &function.result.value {
        ResultRole::Buffer { length, .. } => found.push(length),
        ResultRole::Text { length, .. } | ResultRole::Texts { length, .. } => found.extend(length),
        _ => {}
    }
    found.extend(function.requires.iter().map(|requires| &requires.condition));
    if let Some(rule) = &function.error {
        if let Fails::When { condition } = &rule.value.fails {
            found.push(condition);
        }
        found.extend(&rule.value.message);
        found.extend(&rule.value.code);
    }
    found
}

/// A callee the expression needs bound: for an argument that is computed, or a result that is no integer.
fn missing<'a>(api: &Api, functions: &[Function], expr: &'a Expr) -> Option<&'a str> {
    let bound = |name: &str| functions.iter().any(|function| function.name == name);
    let mut found = None;
    expr.walk(&mut |part| match part {
        Expr::Call { function, args }
            if !bound(function) && args.iter().any(|arg| matches!(arg, Expr::Binary { .. })) =>
        {
            found = found.or(Some(function.as_str()));
        }
        Expr::Binary { left, right, .. } => {
            for side in [left, right] {
                if let Expr::Call { function, .. } = &**side
                    && !bound(function)
                    && select::find(api, function).is_some_and(|callee| !callee.result.is_scalar())
                {
                    found = found.or(Some(function.as_str()));
                }
            }
        }
        _ => {}
    });
    found
}

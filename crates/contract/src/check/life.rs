//! Calls that belong to the life of a worker: `abi`, `init`, `health` and `shutdown`.

use hotcell_model::api::{Function, Location};
use hotcell_model::expr::{Expr, Op};
use hotcell_model::interface::{self, Fails, LifeCall, Role};
use hotcell_model::types::{CType, Type};

use crate::check::decide::{Purpose, Site, Use};
use crate::check::{Link, classify, resolve, select};
use crate::contract::{Contract, LifeLine};
use crate::diagnostic::Diagnostic;
use crate::expression::{Kind, Node};
use crate::infer::Known;

/// A place in which expressions have no parameters.
pub(crate) fn nowhere(name: &str, result: CType) -> Function {
    Function {
        name: name.to_owned(),
        params: Vec::new(),
        result,
        variadic: false,
        prototyped: true,
        inline: false,
        attributes: Vec::new(),
        doc: None,
        location: Location { file: String::new(), line: 0, primary: true },
    }
}

/// `void`.
pub(crate) fn void() -> CType {
    CType { written: "void".into(), canonical: "void".into(), kind: Type::Void }
}

/// The calls of one key, checked.
pub(crate) fn calls(
    contract: &Contract,
    known: Known<'_>,
    link: Link<'_>,
    (key, lines): (&str, &[LifeLine]),
    functions: &[interface::Function],
    findings: &mut Vec<Diagnostic>,
) -> Vec<LifeCall> {
    let mut calls = Vec::new();
    for line in lines {
        match call(contract, known, link, key, line, functions) {
            Ok(call) => calls.push(call),
            Err(diagnostic) => findings.push(*diagnostic),
        }
    }
    calls
}

fn call(
    contract: &Contract,
    known: Known<'_>,
    link: Link<'_>,
    key: &str,
    line: &LifeLine,
    functions: &[interface::Function],
) -> Result<LifeCall, Box<Diagnostic>> {
    let error = |message: String, node: &Node| Diagnostic::error(message).at(node.span.clone());
    let help = || "write a call, as in \"f()\", or what it must give, as in \"f(3) == 0\"".to_owned();
    let (node, must) = match &line.node.kind {
        Kind::Call(..) => (&line.node, None),
        Kind::Binary(op, left, right) if !op.is_arithmetic() && *op != Op::And && *op != Op::Or => {
            match (&left.kind, &right.kind) {
                (Kind::Call(..), _) => (&**left, Some((*op, &**right))),
                (_, Kind::Call(..)) => (&**right, Some((op.turned(), &**left))),
                _ => {
                    return Err(error(format!("`{}` calls nothing", line.text), &line.node)
                        .help(help())
                        .into());
                }
            }
        }
        _ => {
            let message = format!("`{}` is neither a call nor a comparison of one", line.text);
            return Err(error(message, &line.node).help(help()).into());
        }
    };
    if key == "abi" && must.is_none() {
        let help = "write what it must give, as in \"moon_size() == sizeof(struct moon)\"".to_owned();
        return Err(error(format!("`{}` compares nothing", line.text), node).help(help).into());
    }
    let Kind::Call(name, args) = &node.kind else {
        return Err(error(format!("`{node}` is no call"), node).help(help()).into());
    };
    let result = select::find(known.api, name).map_or_else(void, |callee| callee.result.clone());
    let place = nowhere(key, result);
    let site = Site {
        contract,
        api: known.api,
        known,
        exports: link.exports,
        shadowed: link.shadowed,
        function: &place,
        names: &[],
    };
    let call = resolve::resolve(site, node, Purpose::Condition)?;
    for arg in args {
        if matches!(arg.kind, Kind::Binary(..) | Kind::Call(..)) {
            let message = format!("`{arg}` is computed");
            let help = "pass integers, constants of the headers, `sizeof(…)` or `NULL`".to_owned();
            return Err(error(message, arg).help(help).into());
        }
    }
    classify::arguments(site, node)?;
    let fails = match must {
        None => own_rule(functions, name, &call).map_err(|param| {
            let message = format!("`{name}` fails by what it writes to `{param}`, which nobody passes here");
            error(message, node).help("compare what it returns, as in \"f(3) == 0\"".to_owned())
        })?,
        Some((op, value)) => {
            if !place.result.is_scalar() {
                let message = format!("`{name}` returns `{}`", place.result.written);
                return Err(error(message, node).help("compare a number".to_owned()).into());
            }
            let against = Node {
                kind: Kind::Binary(
                    op,
                    Box::new(Node { kind: Kind::Result, span: node.span.clone() }),
                    Box::new(value.clone()),
                ),
                span: line.node.span.clone(),
            };
            classify::check(site, &[], &Use { node: against, purpose: Purpose::Condition })?;
            let right = Box::new(resolve::resolve(site, value, Purpose::Condition)?);
            let condition = Expr::Binary { op: negated(op), left: Box::new(Expr::Result), right };
            Some(Fails::When { condition })
        }
    };
    Ok(LifeCall { call, fails, text: line.text.clone() })
}

/// What the function itself says about its failures, with the arguments of this call in it. `Err` names a parameter
/// that is no argument.
fn own_rule(functions: &[interface::Function], name: &str, call: &Expr) -> Result<Option<Fails>, String> {
    let function = functions.iter().find(|function| function.name == name);
    let Some((function, rule)) = function.and_then(|function| Some((function, function.error.as_ref()?)))
    else {
        return Ok(None);
    };
    let (Fails::When { condition }, Expr::Call { args, .. }) = (&rule.value.fails, call) else {
        return Ok(Some(rule.value.fails.clone()));
    };
    let mut written = None;
    condition.walk(&mut |part| {
        if let Expr::Param { index } = part {
            let param = &function.params[*index];
            let number = matches!(param.role.value, Role::Value | Role::Fixed { .. });
            written = written.take().or_else(|| (!number).then(|| param.name.clone()));
        }
    });
    match written {
        Some(param) => Err(param),
        None => Ok(Some(Fails::When { condition: with(condition, args) })),
    }
}

/// An expression with these values for its parameters.
fn with(expr: &Expr, values: &[Expr]) -> Expr {
    match expr {
        Expr::Param { index } => values.get(*index).cloned().unwrap_or(Expr::Param { index: *index }),
        Expr::Call { function, args } => Expr::Call {
            function: function.clone(),
            args: args.iter().map(|arg| with(arg, values)).collect(),
        },
        Expr::Binary { op, left, right } => {
            Expr::Binary { op: *op, left: Box::new(with(left, values)), right: Box::new(with(right, values)) }
        }
        other => other.clone(),
    }
}

/// The comparison that is true when this one is not.
fn negated(op: Op) -> Op {
    match op {
        Op::Eq => Op::Ne,
        Op::Ne => Op::Eq,
        Op::Lt => Op::Ge,
        Op::Ge => Op::Lt,
        Op::Gt => Op::Le,
        Op::Le => Op::Gt,
        other => other,
    }
}

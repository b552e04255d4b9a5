//! What the lines of a contract decide about a function, compared with its C types.

use std::collections::BTreeSet;
use std::ops::Range;

use hotcell_model::Fact;
use hotcell_model::api::{Api, Function};
use hotcell_model::expr::Expr;
use hotcell_model::interface::{ErrorRule, ResultRole, Role};
use hotcell_model::types::{CType, Type};

use crate::check::{lengths, names, returned};
use crate::contract::{Contract, Direction, Item};
use crate::diagnostic::Diagnostic;
use crate::expression::Node;
use crate::infer::{Draft, Known};
use crate::suggest::did_you_mean;

/// Where decisions are made.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    pub(crate) contract: &'a Contract,
    pub(crate) api: &'a Api,
    pub(crate) known: Known<'a>,
    pub(crate) exports: Option<&'a BTreeSet<String>>,
    pub(crate) shadowed: Option<&'a BTreeSet<String>>,
    pub(crate) function: &'a Function,
    pub(crate) names: &'a [String],
}

/// What the contract says.
pub(crate) struct Decided {
    pub(crate) draft: Draft,
    pub(crate) error: Option<Fact<ErrorRule>>,
    /// Expressions, to be checked when every role is known.
    pub(crate) uses: Vec<Use>,
}

/// An expression of the contract.
pub(crate) struct Use {
    pub(crate) node: Node,
    pub(crate) purpose: Purpose,
}

/// What an expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A number of elements, needed before the call.
    SizeBefore,
    /// A number of elements, after the call.
    SizeAfter,
    /// Whether the call failed.
    Condition,
    /// A text about the failure.
    Message,
}

impl Purpose {
    pub(crate) fn before(self) -> bool {
        self == Purpose::SizeBefore
    }
}

/// Reads the lines; `None` when one of them is wrong, which `findings` then says.
pub(crate) fn decide(site: Site<'_>, findings: &mut Vec<Diagnostic>) -> Option<Decided> {
    let draft = Draft { params: vec![None; site.function.params.len()], result: None };
    let mut decided = Decided { draft, error: None, uses: Vec::new() };
    let Some(lines) = site.contract.function(&site.function.name) else {
        return Some(decided);
    };
    let mut wrong = Vec::new();
    let mut items: Vec<(usize, &Item)> = Vec::new();
    for line in &lines.params {
        match names::position(site.function, site.names, &line.name) {
            None => wrong.push(unknown(site, &line.name).at(line.span.clone())),
            Some(index) if items.iter().any(|(other, _)| *other == index) => {
                let message = format!("`{}` has two lines", site.names[index]);
                wrong.push(Diagnostic::error(message).at(line.span.clone()).label("the second"));
            }
            Some(index) => match contradiction(site, index, &line.item) {
                Some(diagnostic) => wrong.push(diagnostic),
                None => items.push((index, &line.item)),
            },
        }
    }
    for (index, item) in &items {
        let role = match &item.direction {
            Direction::Fixed(c) => Role::Fixed { c: c.clone() },
            Direction::InValue => Role::Value,
            Direction::OutValue => Role::ValueOut { valid_on_error: item.valid_on_error },
            Direction::InOutValue => Role::ValueInOut { valid_on_error: item.valid_on_error },
            _ => continue,
        };
        decided.draft.params[*index] = Some(site.decided(role, &item.span));
    }
    lengths::decide(site, &items, &mut decided, &mut wrong);
    returned::decide(site, lines, &mut decided, &mut wrong);
    if wrong.is_empty() {
        return Some(decided);
    }
    findings.append(&mut wrong);
    None
}

/// Says that the function has no parameter of this name.
fn unknown(site: Site<'_>, name: &str) -> Diagnostic {
    let help = did_you_mean(name, site.names.iter().map(String::as_str));
    let help = help.unwrap_or_else(|| format!("it is declared `{}`", site.function.signature()));
    let message = format!("`{}` has no parameter `{name}`", site.function.name);
    Diagnostic::error(message).label("unknown parameter").help(help)
}

/// What is wrong when a parameter's type cannot be what the item says.
fn contradiction(site: Site<'_>, index: usize, item: &Item) -> Option<Diagnostic> {
    let ty = &site.function.params[index].ty;
    let (why, help) = refusal(ty, &item.direction)?;
    let name = &site.names[index];
    let message = format!("`{name}` cannot be `{}`: it is `{}`", item.direction.written(), ty.written);
    Some(Diagnostic::error(message).at(item.span.clone()).label(why).help(help.map(str::to_owned)))
}

fn refusal(ty: &CType, direction: &Direction) -> Option<(&'static str, Option<&'static str>)> {
    const NUMBER: &str = "write `{ in = \"value\" }`, or no line at all";
    const READ: &str = "write `{ in = \"buffer\", length = … }` or `{ string = \"utf-8\" }`";
    const WRITTEN: &str =
        "write `{ out = \"value\" }`, `{ out = \"buffer\" }` or `{ in = \"buffer\", length = … }`";
    let number = ty.is_scalar().then_some(NUMBER);
    let pointee = ty.pointee();
    match direction {
        Direction::Fixed(_) => None,
        Direction::InValue if ty.is_scalar() => None,
        Direction::InValue => match pointee {
            Some((_, constant)) => {
                Some(("a pointer is no value", Some(if constant { READ } else { WRITTEN })))
            }
            None => Some(("not a number", None)),
        },
        Direction::Text(_) => match pointee {
            Some((pointee, _)) if pointee.is_byte() && pointee.kind != Type::Void => None,
            Some(_) => Some(("a text is a pointer to bytes", None)),
            None => Some(("not a pointer", number)),
        },
        Direction::InBuffer | Direction::InOutBuffer | Direction::OutBuffer => match pointee {
            None => Some(("not a pointer", number)),
            Some((pointee, _)) if pointee.element_size().is_none() => {
                Some(("a buffer consists of numbers or bytes", None))
            }
            Some((_, true)) if *direction != Direction::InBuffer => {
                Some(("the function only reads through it", Some(READ)))
            }
            Some(_) => None,
        },
        Direction::OutValue | Direction::InOutValue => match pointee {
            None => Some(("not a pointer", number)),
            Some((_, true)) => Some(("the function only reads through it", Some(READ))),
            Some((pointee, _)) if pointee.is_scalar() => None,
            Some((pointee, _)) if pointee.kind == Type::Void => {
                Some(("bytes are a buffer", Some("write `{ out = \"buffer\" }`")))
            }
            Some(_) => Some(("it does not point to a number", None)),
        },
    }
}

impl Site<'_> {
    pub(crate) fn decided<T>(&self, value: T, span: &Range<usize>) -> Fact<T> {
        Fact::decided(value, self.contract.line(span))
    }
}

impl Decided {
    /// Resolves an expression and remembers it for the checks that need every role.
    pub(crate) fn expression(
        &mut self,
        site: Site<'_>,
        node: &Node,
        purpose: Purpose,
        wrong: &mut Vec<Diagnostic>,
    ) -> Option<Expr> {
        match crate::check::resolve::resolve(site, node, purpose) {
            Ok(expr) => {
                self.uses.push(Use { node: node.clone(), purpose });
                Some(expr)
            }
            Err(diagnostic) => {
                wrong.push(*diagnostic);
                None
            }
        }
    }

    pub(crate) fn result(&mut self, fact: Fact<ResultRole>) {
        self.draft.result = Some(fact);
    }
}

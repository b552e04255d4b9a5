//! What the lines of a contract decide about a function, compared with its C types.

use std::collections::BTreeSet;
use std::ops::Range;

use hotcell_model::Fact;
use hotcell_model::api::{Api, Function};
use hotcell_model::expr::Expr;
use hotcell_model::interface::{Cancel, Direction, ErrorRule, Keeps, Requirement, ResultRole, Role};

use crate::check::lines::{self, Lines};
use crate::check::{
    accessors, callback, cancels, fixed, keeps, lengths, members, names, objects, owners, resolve, returned,
    structures, types,
};
use crate::contract::{Closeness, Contract, Item, ParamLine, What};
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::Text;
use crate::expression::Node;
use crate::infer::{self, Draft, Known};
use crate::pattern;
use crate::suggest::did_you_mean;
use crate::typed;

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
    /// What must hold before the call.
    pub(crate) requires: Option<Requirement>,
    /// What stops the call.
    pub(crate) cancel: Option<Cancel>,
    /// Expressions, to be checked when every role is known.
    pub(crate) uses: Vec<Use>,
    /// What the library keeps, and until when.
    pub(crate) keeps: Vec<keeps::Said>,
    /// The same, where a rule says that a copy is right whether anything is kept or not.
    pub(crate) copied: Vec<Keeps>,
    /// Where lines about parameters stand, by position.
    pub(crate) places: Vec<Option<Range<usize>>>,
    /// Parameters about which a line gives way, since something else may be meant.
    pub(crate) doubtful: Vec<usize>,
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
    /// The code of the failure.
    Code,
    /// Whether the call may be made.
    Requirement,
    /// What stops the call, on another thread.
    Cancel,
    /// What the registering call passed, inside of a callback.
    UserData,
    /// What is called in a callback whose function has failed.
    Failure,
}

impl Purpose {
    pub(crate) fn before(self) -> bool {
        matches!(self, Purpose::SizeBefore | Purpose::Requirement | Purpose::Cancel)
    }
}

/// Reads the lines; `None` when one of them is wrong, which `findings` then says.
pub(crate) fn decide(site: Site<'_>, findings: &mut Vec<Diagnostic>) -> Option<Decided> {
    let count = site.function.params.len();
    let draft = Draft { params: vec![None; count], result: None };
    let mut decided = Decided {
        draft,
        error: None,
        requires: None,
        cancel: None,
        uses: Vec::new(),
        keeps: Vec::new(),
        copied: Vec::new(),
        places: vec![None; count],
        doubtful: Vec::new(),
    };
    let lines = lines::of(site.contract, site.function);
    let mut wrong = Vec::new();
    let mut items = items(site, &lines, &mut wrong);
    decided.doubtful = doubtful(site, &mut items);
    decided.places = items.iter().map(|line| line.map(|line| line.span.clone())).collect();
    let mut items: Vec<(usize, &Item)> =
        items.iter().enumerate().filter_map(|(index, line)| Some((index, &(*line)?.item))).collect();
    items.retain(|(index, item)| match types::contradiction(site, *index, item) {
        Some(diagnostic) => {
            wrong.push(diagnostic);
            false
        }
        None => true,
    });
    decided.keeps = keeps::said(&items, &mut wrong);
    for (index, item) in &items {
        let valid_on_error = item.valid_on_error;
        let role = match item.what {
            What::Fixed => match fixed::wrong(site, item) {
                None => Role::Fixed { c: item.c.clone() },
                Some(diagnostic) => {
                    wrong.push(diagnostic);
                    continue;
                }
            },
            What::Value(Direction::In) => Role::Value,
            What::Value(Direction::Out) => Role::ValueOut { valid_on_error },
            What::Value(Direction::InOut) => Role::ValueInOut { valid_on_error },
            What::Struct(direction) => match structures::role(site, *index, item, direction) {
                Ok(role) => role,
                Err(diagnostic) => {
                    wrong.push(*diagnostic);
                    continue;
                }
            },
            _ => continue,
        };
        decided.draft.params[*index] = Some(site.decided(role, &item.span));
    }
    structures::arrays(site, &items, &mut wrong);
    objects::decide(site, &items, &mut decided, &mut wrong);
    lengths::decide(site, &items, &mut decided, &mut wrong);
    callback::decide(site, &items, &mut decided, &mut wrong);
    returned::decide(site, &lines, &mut decided, &mut wrong);
    owners::result(site, &lines, &mut decided, &mut wrong);
    accessors::decide(site, &items, &mut decided, &mut wrong);
    requires(site, &lines, &mut decided, &mut wrong);
    decided.cancel = cancels::decide(site, &lines, &mut decided, &mut wrong);
    if wrong.is_empty() {
        return Some(decided);
    }
    findings.append(&mut wrong);
    None
}

/// What must hold before the call, as the contract says and as a bit-field does.
fn requires(site: Site<'_>, lines: &Lines<'_>, decided: &mut Decided, wrong: &mut Vec<Diagnostic>) {
    let said = lines.requires().and_then(|node| {
        let condition = decided.expression(site, node, Purpose::Requirement, wrong)?;
        Some(Requirement { condition, text: node.to_string() })
    });
    let fits = accessors::fits(site);
    decided.requires = match (said, fits) {
        (Some(said), Some(fits)) => Some(said.and(fits)),
        (said, fits) => said.or(fits),
    };
}

/// The strongest line about each parameter.
fn items<'a>(site: Site<'_>, lines: &Lines<'a>, wrong: &mut Vec<Diagnostic>) -> Vec<Option<&'a ParamLine>> {
    let mut items: Vec<Option<(&ParamLine, bool)>> = vec![None; site.function.params.len()];
    for (line, several) in lines.params() {
        let positions = names::positions(site.function, site.names, &line.name);
        if !several && typed::is_typed(&line.name) {
            if positions.is_empty() {
                wrong.push(no_type(site, line));
            }
        } else if !several && line.is_pattern() {
            wrong.extend(idle(site, line));
        } else if !several && positions.is_empty() {
            wrong.push(unknown(site, &line.name).at(line.span.clone()));
        }
        let exact = !several && !line.is_pattern();
        for index in positions {
            if exact && matches!(items[index], Some((_, true))) {
                let message = format!("`{}` has two lines", site.names[index]);
                wrong.push(Diagnostic::error(message).at(line.span.clone()).label("the second"));
            }
            items[index] = Some((line, exact));
        }
    }
    items.into_iter().map(|item| item.map(|(line, _)| line)).collect()
}

/// Leaves out what is said of a type where the function looks as if it meant something else: a text that may be
/// counted, a number that may be several.
fn doubtful(site: Site<'_>, items: &mut [Option<&ParamLine>]) -> Vec<usize> {
    let mut draft = Draft { params: vec![None; items.len()], result: None };
    for (fact, line) in draft.params.iter_mut().zip(&*items) {
        let Some(line) = line else { continue };
        let role = match line.item.what {
            What::Fixed => Role::Fixed { c: line.item.c.clone() },
            What::Value(Direction::In) => Role::Value,
            _ => continue,
        };
        *fact = Some(site.decided(role, &line.item.span));
    }
    let mut given_way = Vec::new();
    for (index, item) in items.iter_mut().enumerate() {
        let Some(line) = item.filter(|line| line.closeness() == Closeness::Type) else { continue };
        let text = match line.item.what {
            What::Text if line.item.length.is_none() => true,
            What::Value(direction) if direction.goes_out() => false,
            _ => continue,
        };
        if infer::doubt(site.function, site.names, site.known, &draft, index, text).is_some() {
            *item = None;
            given_way.push(index);
        }
    }
    given_way
}

/// Says which parts of a pattern match no parameter of the function.
fn idle(site: Site<'_>, line: &ParamLine) -> Vec<Diagnostic> {
    let text = Text { value: line.name.clone(), span: line.span.clone() };
    let raw = site.function.params.iter().filter_map(|param| param.name.as_deref());
    let names = site.names.iter().map(String::as_str).chain(raw);
    let what = format!("parameter of `{}`", site.function.name);
    let found = pattern::useless(&site.contract.text, &text, names, &what);
    found.into_iter().map(|found| Diagnostic { severity: Severity::Error, ..found }).collect()
}

/// Says that the function has no parameter of this type.
fn no_type(site: Site<'_>, line: &ParamLine) -> Diagnostic {
    let help = lines::near_type(line, &[site.function])
        .unwrap_or_else(|| format!("it is declared `{}`", site.function.signature()));
    let message = format!("`{}` has no parameter that is `{}`", site.function.name, line.name);
    Diagnostic::error(message).at(line.span.clone()).label("unknown type").help(help)
}

/// Says that the function has no parameter of this name.
fn unknown(site: Site<'_>, name: &str) -> Diagnostic {
    let help = did_you_mean(name, site.names.iter().map(String::as_str));
    let help = help.unwrap_or_else(|| format!("it is declared `{}`", site.function.signature()));
    let message = format!("`{}` has no parameter `{name}`", site.function.name);
    Diagnostic::error(message).label("unknown parameter").help(help)
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
        let called = members::called(site, node);
        match called.and_then(|node| Ok((resolve::resolve(site, &node, purpose)?, node))) {
            Ok((expr, node)) => {
                self.uses.push(Use { node, purpose });
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

//! Expressions as a contract writes them: C's precedence, names not yet resolved.

use std::fmt;
use std::ops::Range;

use hotcell_model::expr::Op;

mod lexer;
mod parser;
#[cfg(test)]
mod tests;

/// An expression and where it stands.
#[derive(Debug, Clone, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Bytes of the text that was parsed.
    pub span: Range<usize>,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An integer of 64 bits of either sign.
    Int(i128),
    /// A parameter or a constant.
    Name(String),
    /// `result`: what the function returned.
    Result,
    /// `errno`.
    Errno,
    /// `sizeof(type)`, with the type as written.
    SizeOf(String),
    /// `object.field`: the name of a parameter, and that of a field with dots where it is in a structure inside.
    Field(String, String),
    /// A call.
    Call(String, Vec<Node>),
    /// Two operands.
    Binary(Op, Box<Node>, Box<Node>),
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Where.
    pub span: Range<usize>,
    /// What.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// Parses an expression.
pub fn parse(text: &str) -> Result<Node, Wrong> {
    parser::parse(text)
}

/// Nodes are equal when they mean the same, wherever they stand.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Node {
    /// The name, when it is nothing else.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// A name in the place of this expression.
    pub(crate) fn called(&self, name: &str) -> Node {
        Node { kind: Kind::Name(name.to_owned()), span: self.span.clone() }
    }

    /// Applies `place` to every span, so that an expression of a string points into the file.
    pub(crate) fn relocate(&mut self, place: &dyn Fn(Range<usize>) -> Range<usize>) {
        self.span = place(self.span.clone());
        match &mut self.kind {
            Kind::Call(_, args) => args.iter_mut().for_each(|arg| arg.relocate(place)),
            Kind::Binary(_, left, right) => {
                left.relocate(place);
                right.relocate(place);
            }
            _ => {}
        }
    }
}

/// How tightly an operator binds, as in C.
pub(crate) fn precedence(op: Op) -> u8 {
    match op {
        Op::Or => 1,
        Op::And => 2,
        Op::Eq | Op::Ne => 3,
        Op::Lt | Op::Le | Op::Gt | Op::Ge => 4,
        Op::Add | Op::Sub => 5,
        Op::Mul | Op::Div => 6,
    }
}

/// With the parentheses that are needed.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Int(value) => write!(f, "{value}"),
            Kind::Name(name) => f.write_str(name),
            Kind::Result => f.write_str("result"),
            Kind::Errno => f.write_str("errno"),
            Kind::SizeOf(ctype) => write!(f, "sizeof({ctype})"),
            Kind::Field(object, path) => write!(f, "{object}.{path}"),
            Kind::Call(function, args) => {
                write!(f, "{function}(")?;
                for (position, arg) in args.iter().enumerate() {
                    f.write_str(if position == 0 { "" } else { ", " })?;
                    write!(f, "{arg}")?;
                }
                f.write_str(")")
            }
            Kind::Binary(op, left, right) => {
                operand(f, left, precedence(*op))?;
                write!(f, " {} ", op.symbol())?;
                operand(f, right, precedence(*op) + 1)
            }
        }
    }
}

fn operand(f: &mut fmt::Formatter<'_>, node: &Node, least: u8) -> fmt::Result {
    match &node.kind {
        Kind::Binary(op, ..) if precedence(*op) < least => write!(f, "({node})"),
        _ => write!(f, "{node}"),
    }
}

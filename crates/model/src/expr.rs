//! Expressions of a contract: sizes, failure conditions, messages. They run in the shim.

use serde::{Deserialize, Serialize};

mod integer;

/// An expression over a call's parameters and result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "expr", rename_all = "kebab-case")]
pub enum Expr {
    /// An integer.
    Int {
        /// Its value, from `i64::MIN` to `u64::MAX`.
        #[serde(with = "integer")]
        value: i128,
    },
    /// A constant of the header, by name.
    Constant {
        /// Macro or enumerator.
        name: String,
    },
    /// A parameter: for an out-parameter, what it holds after the call.
    Param {
        /// 0-based position.
        index: usize,
    },
    /// A field of a structure that is passed.
    Field {
        /// The parameter.
        of: Box<Expr>,
        /// The field's name; a dot leads into a structure inside.
        path: String,
    },
    /// What the function returned.
    Result,
    /// `errno` right after the call.
    Errno,
    /// `sizeof(type)`.
    SizeOf {
        /// The type as C writes it.
        ctype: String,
    },
    /// A call of another function of the header.
    Call {
        /// Its name.
        function: String,
        /// Its arguments.
        args: Vec<Expr>,
    },
    /// Two operands.
    Binary {
        /// The operator.
        op: Op,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
}

/// A binary operator. Arithmetic is checked: overflow refuses the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `&&`
    And,
    /// `||`
    Or,
}

impl Op {
    /// As C writes it.
    pub fn symbol(self) -> &'static str {
        match self {
            Op::Add => "+",
            Op::Sub => "-",
            Op::Mul => "*",
            Op::Div => "/",
            Op::Eq => "==",
            Op::Ne => "!=",
            Op::Lt => "<",
            Op::Le => "<=",
            Op::Gt => ">",
            Op::Ge => ">=",
            Op::And => "&&",
            Op::Or => "||",
        }
    }

    /// The same comparison with its sides exchanged.
    pub fn turned(self) -> Op {
        match self {
            Op::Lt => Op::Gt,
            Op::Le => Op::Ge,
            Op::Gt => Op::Lt,
            Op::Ge => Op::Le,
            other => other,
        }
    }

    /// Whether the result is a number rather than a truth value.
    pub fn is_arithmetic(self) -> bool {
        matches!(self, Op::Add | Op::Sub | Op::Mul | Op::Div)
    }
}

impl Expr {
    /// Whether it is an integer constant, or computed from such alone.
    pub fn is_constant(&self) -> bool {
        match self {
            Expr::Int { .. } | Expr::Constant { .. } => true,
            Expr::Binary { op, left, right } => {
                op.is_arithmetic() && left.is_constant() && right.is_constant()
            }
            _ => false,
        }
    }

    /// Calls `visit` for this expression and everything below it.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(self);
        match self {
            Expr::Field { of, .. } => of.walk(visit),
            Expr::Call { args, .. } => args.iter().for_each(|arg| arg.walk(visit)),
            Expr::Binary { left, right, .. } => {
                left.walk(visit);
                right.walk(visit);
            }
            _ => {}
        }
    }
}

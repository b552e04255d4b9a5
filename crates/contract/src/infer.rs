//! What headers let us conclude: named rules that fill the facts a contract leaves open.

use hotcell_model::Fact;
use hotcell_model::api::Function;
use hotcell_model::interface::{ResultRole, Role};

/// The facts of a function: those a contract decided are filled before inference, and kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// By parameter position.
    pub params: Vec<Option<Fact<Role>>>,
    /// Of the returned value.
    pub result: Option<Fact<ResultRole>>,
}

/// What inference leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No line of a contract would help, for this reason.
    Unsupported(String),
    /// These facts are missing; none: the function can be bound.
    Open(Vec<Gap>),
}

/// A missing fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Position of the parameter; `None` for the returned value.
    pub param: Option<usize>,
    /// Why no rule applies.
    pub reason: String,
    /// The line of the contract that would decide it, for `[function.NAME]`.
    pub help: Option<String>,
}

/// Fills what rules can fill. `names` are the parameters' names as the contract writes them.
pub fn infer(function: &Function, names: &[String], draft: &mut Draft) -> Verdict {
    let _ = (function, names, draft);
    Verdict::Open(Vec::new())
}

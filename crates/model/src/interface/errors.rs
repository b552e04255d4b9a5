//! What means failure.

use serde::{Deserialize, Serialize};

use crate::expr::Expr;

/// What means failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRule {
    /// True when the call failed.
    pub fails: Fails,
    /// Position of the text that the call itself hands out about its failure. It is the message where it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_by: Option<usize>,
    /// A text of the library about the failure, evaluated right after it.
    pub message: Option<Expr>,
    /// The code of the failure, an integer, evaluated right after it; absent: the returned value.
    pub code: Option<Expr>,
    /// Key in [`crate::Interface::symbols`]: names of the codes.
    pub symbols: Option<String>,
}

/// When a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fails", rename_all = "kebab-case")]
pub enum Fails {
    /// The result is not 0.
    Nonzero,
    /// The result is 0.
    Zero,
    /// The result is below 0.
    Negative,
    /// The result is NULL.
    Null,
    /// This is true.
    When {
        /// Evaluated right after the call.
        condition: Expr,
    },
}

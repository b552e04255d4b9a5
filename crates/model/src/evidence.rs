//! Why a fact is believed.

use serde::{Deserialize, Serialize};

/// The ground a fact stands on. Only `Proven`, `Inferred` and `Decided` facts generate code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "evidence", rename_all = "kebab-case")]
pub enum Evidence {
    /// The header says it: a type, a layout, an attribute, `const`.
    Proven,
    /// A named rule without a known counter-example says it.
    Inferred {
        /// Name of the rule, as docs/reference/inference.md and objects.md list it.
        rule: String,
    },
    /// A line of the contract says it.
    Decided {
        /// 1-based line in the contract.
        line: u32,
    },
    /// A rule that has been wrong somewhere says it: shown in drafts, never generated.
    Suggested {
        /// Name of the rule.
        rule: String,
    },
}

/// A value and why it is believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact<T> {
    /// What is believed.
    pub value: T,
    /// Why.
    #[serde(flatten)]
    pub evidence: Evidence,
}

impl<T> Fact<T> {
    /// A fact the header states.
    pub fn proven(value: T) -> Self {
        Fact { value, evidence: Evidence::Proven }
    }

    /// A fact a named rule finds.
    pub fn inferred(value: T, rule: &str) -> Self {
        Fact { value, evidence: Evidence::Inferred { rule: rule.to_owned() } }
    }

    /// A fact a line of the contract states.
    pub fn decided(value: T, line: u32) -> Self {
        Fact { value, evidence: Evidence::Decided { line } }
    }
}

impl Evidence {
    /// The word reports use.
    pub fn name(&self) -> &'static str {
        match self {
            Evidence::Proven => "proven",
            Evidence::Inferred { .. } => "inferred",
            Evidence::Decided { .. } => "decided",
            Evidence::Suggested { .. } => "suggested",
        }
    }
}

//! The facts of a bound function, each with the ground it stands on.

use std::path::Path;

use hotcell_contract::rules;
use hotcell_model::Evidence;
use hotcell_model::interface::Function;
use serde_json::{Value, json};

use crate::explain::words::{self, Names};
use crate::table::{Cell, STRONG};

/// What something is, and why that is believed.
#[derive(Debug)]
pub(super) struct Fact {
    /// A parameter, `result` or `error`.
    name: String,
    /// The C type; empty for the error rule.
    ty: String,
    /// What it is, in words.
    what: String,
    /// The fact as the interface has it.
    value: Value,
    evidence: Option<Evidence>,
    /// The line of the contract that decides it.
    text: Option<String>,
}

/// The facts of a function.
#[derive(Debug)]
pub(super) struct Facts {
    /// Of the parameters, in order.
    pub(super) params: Vec<Fact>,
    pub(super) result: Fact,
    pub(super) error: Fact,
}

impl Facts {
    /// `contract` is the text that decided facts point into.
    pub(super) fn of(function: &Function, contract: &str) -> Facts {
        let names = Names::of(function);
        let params = function.params.iter().enumerate().map(|(index, param)| {
            let value = json!(param.role.value);
            let keeps = function.keeps.iter().find(|keeps| keeps.param == index);
            let kept = keeps
                .map_or_else(String::new, |keeps| words::kept(keeps, function.keeps_object(keeps), &names));
            let what = words::role(&value, &names) + &kept;
            let (name, ty) = (&param.name, &param.ty.written);
            Fact::new(name, ty, what, value, Some(&param.role.evidence), contract)
        });
        let value = json!(function.result.value);
        let what = words::returned(&value, &names);
        let evidence = Some(&function.result.evidence);
        let result = Fact::new("result", &function.result_type.written, what, value, evidence, contract);
        let rule = function.error.as_ref();
        let value = json!(rule.map(|rule| &rule.value));
        let what = words::error(&value, &names);
        let error = Fact::new("error", "", what, value, rule.map(|rule| &rule.evidence), contract);
        Facts { params: params.collect(), result, error }
    }

    /// All of them, in the order in which they are told.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.params.iter().chain([&self.result, &self.error])
    }
}

impl Fact {
    fn new(
        name: &str,
        ty: &str,
        what: String,
        value: Value,
        evidence: Option<&Evidence>,
        contract: &str,
    ) -> Fact {
        let line = match evidence {
            Some(Evidence::Decided { line }) => usize::try_from(*line).ok().and_then(|it| it.checked_sub(1)),
            _ => None,
        };
        let text = line.and_then(|line| contract.lines().nth(line)).map(|text| text.trim().to_owned());
        Fact { name: name.into(), ty: ty.into(), what, value, evidence: evidence.cloned(), text }
    }

    /// For people. `file` is the contract.
    pub(super) fn row(&self, file: &Path) -> Vec<Cell> {
        let ground = self.evidence.as_ref().map(|evidence| {
            let ground = match evidence {
                Evidence::Proven => "its C type".to_owned(),
                Evidence::Inferred { rule } | Evidence::Suggested { rule } => match rules::meaning(rule) {
                    Some(meaning) => format!("{rule}: {meaning}"),
                    None => rule.clone(),
                },
                Evidence::Decided { line } => {
                    format!("{}:{line}: {}", file.display(), self.text.as_deref().unwrap_or_default())
                }
            };
            format!("\n  {}: {ground}", evidence.name())
        });
        let text = format!("{}{}", self.what, ground.unwrap_or_default());
        vec![Cell::new(format!("  {}", self.name), STRONG), Cell::plain(&self.ty), Cell::plain(text)]
    }

    /// For programs.
    pub(super) fn to_json(&self) -> Value {
        let (rule, line) = match &self.evidence {
            Some(Evidence::Inferred { rule } | Evidence::Suggested { rule }) => (Some(rule.as_str()), None),
            Some(Evidence::Decided { line }) => (None, Some(*line)),
            _ => (None, None),
        };
        json!({
            "name": self.name, "type": self.ty, "what": self.what, "fact": self.value,
            "evidence": self.evidence.as_ref().map(Evidence::name),
            "rule": rule, "meaning": rule.and_then(rules::meaning),
            "line": line, "text": self.text,
        })
    }
}

//! `errors.toml`: its schema and its rules.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::names;

pub(crate) mod go;
pub(crate) mod markdown;
pub(crate) mod python;
pub(crate) mod rust;

/// Exit statuses free for errors: 0 to 2 are success, failure and wrong usage of any command, and those
/// from 126 mean something to a shell.
const EXITS: std::ops::RangeInclusive<u8> = 3..=125;

/// The canonical gRPC codes an error can have.
const GRPC: &[&str] = &[
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The whole table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Errors {
    #[serde(rename = "error")]
    pub errors: Vec<ErrorRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorRow {
    pub name: String,
    pub code: u16,
    pub exit: u8,
    pub fault: bool,
    pub retry: Retry,
    pub grpc: String,
    pub http: u16,
    pub summary: String,
    pub advice: String,
    pub cause: String,
    #[serde(default)]
    pub reasons: Vec<String>,
}

/// The same three words as `hotcell_protocol::Retry`, which this crate cannot depend on: it writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Retry {
    Never,
    Idempotent,
    Later,
}

impl Retry {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Retry::Never => "never",
            Retry::Idempotent => "idempotent",
            Retry::Later => "later",
        }
    }
}

impl Errors {
    /// Reads the table and checks it.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let table: Errors = toml::from_str(text)?;
        names::all_different("error", table.errors.iter().map(|it| it.name.as_str()))?;
        for (at, row) in table.errors.iter().enumerate() {
            row.check(&table.errors[..at]).with_context(|| format!("error `{}`", row.name))?;
        }
        Ok(table)
    }
}

impl ErrorRow {
    fn check(&self, before: &[ErrorRow]) -> Result<()> {
        ensure!(names::is_camel(&self.name), "the name must be CamelCase");
        ensure!(self.code > 0, "code 0 means no error");
        for other in before {
            ensure!(self.code != other.code, "code {} belongs to `{}`", self.code, other.name);
            ensure!(self.exit != other.exit, "exit status {} belongs to `{}`", self.exit, other.name);
        }
        ensure!(EXITS.contains(&self.exit), "exit status {} is not in {EXITS:?}", self.exit);
        ensure!(GRPC.contains(&self.grpc.as_str()), "`{}` is no gRPC code", self.grpc);
        ensure!((400..=599).contains(&self.http), "HTTP status {} is no error", self.http);
        for (key, text) in [("summary", &self.summary), ("advice", &self.advice), ("cause", &self.cause)] {
            ensure!(!text.trim().is_empty(), "`{key}` is empty");
            ensure!(!text.contains('\n'), "`{key}` must be one line");
        }
        names::all_different("reason", self.reasons.iter().map(String::as_str))?;
        for reason in &self.reasons {
            ensure!(names::is_snake(reason), "reason `{reason}` must be snake_case");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

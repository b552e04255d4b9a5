//! bind.toml to checked interface: parsing, inference rules, diagnostics with source spans.
//!
//! [`Contract::parse`] reads the decisions, [`check`] joins them with what a header says and with what
//! [`infer`] concludes. What comes out is either callable or left out with the reason.
#![forbid(unsafe_code)]

mod check;
mod contract;
mod decided;
mod diagnostic;
mod document;
mod draft;
pub mod expression;
mod forms;
pub mod handles;
pub mod infer;
mod open_types;
mod pattern;
pub mod rules;
mod schema;
pub mod structs;
mod suggest;
mod type_names;
mod typed;

pub use check::{Checked, Link, Selection, check};
pub use contract::{Contract, parse_duration};
pub use decided::{decided_lines, decided_values};
pub use diagnostic::{Diagnostic, Severity, render, render_each};
pub use draft::{Head, draft, draft_with};
pub use forms::{Exports, add_forms, not_c};
pub use open_types::{Answer, OpenType};
pub use pattern::matches;
pub use schema::schema;

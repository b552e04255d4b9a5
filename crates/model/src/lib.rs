//! The checked interface: types, functions, ownership, size expressions, wire layout, fingerprints.
//!
//! Two levels: [`api::Api`] is what a header says, without opinion; [`interface::Interface`] is what a
//! header and a contract say together, checked, with the evidence of every fact. Generators and clients
//! read only the second, as Rust values or as JSON ([`Interface::to_json`]).
#![forbid(unsafe_code)]

pub mod api;
pub mod evidence;
pub mod expr;
pub mod fingerprint;
pub mod interface;
pub mod layout;
pub mod spelling;
pub mod types;

pub use evidence::{Evidence, Fact};
pub use interface::Interface;

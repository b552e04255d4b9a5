//! Interface to shim and packages.
//!
//! Every generator reads [`hotcell_model::Interface`] and nothing else, and returns text: the same
//! interface gives the same bytes. [`write`] puts the files where they belong.
#![forbid(unsafe_code)]

mod error;
mod templates;

pub mod shim;

pub use error::Error;

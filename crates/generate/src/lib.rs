//! Interface to shim and packages.
//!
//! Every generator reads [`hotcell_model::Interface`] and nothing else, and returns text: the same
//! interface gives the same bytes. [`write()`] puts the files where they belong.
#![forbid(unsafe_code)]

mod error;
mod files;
mod templates;

pub mod prebuilt;
pub mod rust;
pub mod shim;

pub use error::Error;
pub use files::write;

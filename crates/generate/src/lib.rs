//! Interface to shim and packages.
//!
//! Every generator reads [`hotcell_model::Interface`] and nothing else, and returns text: the same
//! interface gives the same bytes. [`package::put`] puts them where they belong.
#![forbid(unsafe_code)]

mod checksum;
mod error;
mod files;
mod shape;
mod templates;

pub mod go;
pub mod package;
pub mod prebuilt;
pub mod python;
pub mod rust;
pub mod shim;

pub use error::Error;
pub use files::write;

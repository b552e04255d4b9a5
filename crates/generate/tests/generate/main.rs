//! Shims and packages, compiled and called.
#![allow(clippy::unwrap_used)]

mod calls;
mod cancels;
mod files;
mod fixture;
mod go_package;
mod golden;
mod objects;
mod records;
mod refusals;
mod rust_package;
mod support;
mod tools;
mod zlib;

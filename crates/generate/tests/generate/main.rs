//! Shims and packages, compiled and called.

mod fixture;
mod support;
mod zlib;

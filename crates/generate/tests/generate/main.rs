//! Shims and packages, compiled and called.

mod support;
mod zlib;

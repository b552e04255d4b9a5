//! libclang to API model, and what a shared library exports. The only crate that knows clang.

//! Contracts against small headers: what is bound, what is left out, what is refused.

mod bound;
mod inferred;
mod left_out;
mod refused;
mod support;

pub(crate) use support::function;

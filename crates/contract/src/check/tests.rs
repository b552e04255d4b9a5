//! Contracts against small headers: what is bound, what is left out, what is refused.

mod accessors;
mod arrays;
mod bound;
mod callbacks;
mod cancels;
mod copies;
mod encodings;
mod families;
mod handed;
mod inferred;
mod keeps;
mod kept;
mod kept_memory;
mod left_out;
mod life;
mod members;
mod messages;
mod nullable;
mod objects;
mod owners;
mod patterns;
mod pointers;
mod proposed;
mod refused;
mod restores;
mod results;
mod streams;
mod structures;
mod support;
mod type_errors;
mod typed;
mod unions;
mod utf16;
mod walled;

pub(crate) use support::{api, ctype, function, record};

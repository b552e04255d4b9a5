//! Unions: a structure with the one member that is there, or with none.

use hotcell_model::interface::{Struct, Told};

use super::Value;
use super::arguments::{mismatch, refused};
use super::written::Written;
use crate::error::Result;

/// Which member a value has, counted from 1; 0 is none.
pub(super) fn which(
    call: &impl Written,
    union: &Struct,
    told: &Told,
    name: &str,
    value: Option<&Value>,
) -> Result<u64> {
    let members = match value {
        None => &[][..],
        Some(Value::Struct(members)) => members,
        Some(other) => return Err(mismatch(call, name, "a structure with one member", other)),
    };
    let names = || union.fields.iter().map(|field| field.name.as_str());
    match members {
        // What always is the same is there, and zero.
        [] => Ok(u64::from(*told == Told::Always)),
        [(member, _)] => Ok(names().position(|name| name == member).map_or(0, |at| at as u64 + 1)),
        _ => {
            let all: Vec<&str> = names().collect();
            let text = format!("is a union, and has one of {}", all.join(", "));
            Err(refused(call, name, &text))
        }
    }
}

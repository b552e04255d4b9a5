//! The objects among values: where there is a rule for threads, or some are made anew, a call is begun with them.

use super::Value;
use crate::rt::Handle;
use crate::session::Session;

/// The objects in these values, if the session wants to know.
pub(super) fn among<'a>(session: &Session, values: &'a [Value]) -> Vec<Option<&'a Handle>> {
    let mut found = Vec::new();
    if !session.has_rules() && session.restores().is_empty() {
        return found;
    }
    values.iter().for_each(|value| add(value, &mut found));
    found
}

fn add<'a>(value: &'a Value, found: &mut Vec<Option<&'a Handle>>) {
    match value {
        Value::Handle(handle) => found.push(Some(handle)),
        Value::List(values) => values.iter().for_each(|value| add(value, found)),
        Value::Struct(fields) => fields.iter().for_each(|(_, value)| add(value, found)),
        _ => {}
    }
}

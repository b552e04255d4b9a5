//! The objects among values: where there is a rule for threads, or some are made anew, a call is begun with them.

use hotcell_model::interface::{Function, Role};

use super::Value;
use crate::rt::Handle;
use crate::session::Session;

/// The objects in these values of a call, if the session wants to know: where there is no rule, those that it takes over are its own
/// matter.
pub(super) fn among<'a>(
    session: &Session,
    function: &Function,
    values: &'a [Value],
) -> Vec<Option<&'a Handle>> {
    let (mut found, rules) = (Vec::new(), session.has_rules());
    if !rules && session.restores().is_empty() {
        return found;
    }
    let params = function.params.iter().map(|param| &param.role.value).filter(|role| role.is_argument());
    for (role, value) in params.zip(values) {
        if rules || !matches!(role, Role::Handle { consumed: true, .. }) {
            add(value, &mut found);
        }
    }
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

//! Callbacks that the library keeps: the object that ends them.

use std::ops::Range;

use hotcell_model::interface::{CallbackScope, Role};
use hotcell_model::types::CType;

use crate::check::decide::{Decided, Site};
use crate::check::names;
use crate::contract::Item;
use crate::diagnostic::Diagnostic;
use crate::document::list;
use crate::suggest::did_you_mean;

/// The object with which a kept callback ends.
pub(super) fn scope(
    site: Site<'_>,
    index: usize,
    item: &Item,
    decided: &Decided,
    wrong: &mut Vec<Diagnostic>,
) -> Option<CallbackScope> {
    let found = match &item.until {
        Some(text) => named(site, &text.value, decided).map_err(|found| found.at(text.span.clone())),
        None => only(site, index, decided).map_err(|found| found.at(item.span.clone())),
    };
    match found {
        Ok(param) => Some(CallbackScope::Handle { param }),
        Err(diagnostic) => {
            wrong.push(diagnostic);
            None
        }
    }
}

/// Whether a parameter is an object, or may turn out to be one.
fn object(site: Site<'_>, decided: &Decided, index: usize) -> bool {
    match decided.draft.params[index].as_ref().map(|fact| &fact.value) {
        Some(role) => matches!(role, Role::Handle { .. }),
        None => site.known.handles.of_pointer(&site.function.params[index].ty).is_some(),
    }
}

fn named(site: Site<'_>, name: &str, decided: &Decided) -> Result<usize, Box<Diagnostic>> {
    let Some(position) = names::position(site.function, site.names, name) else {
        let message = format!("`{}` has no parameter `{name}`", site.function.name);
        let help = did_you_mean(name, site.names.iter().map(String::as_str));
        return Err(Diagnostic::error(message).label("unknown parameter").help(help).into());
    };
    if object(site, decided, position) {
        return Ok(position);
    }
    let CType { written, .. } = &site.function.params[position].ty;
    let message = format!("`{name}` is no handle that goes in: it is `{written}`");
    let help = "`until` names the object that ends the callback when it goes".to_owned();
    Err(Diagnostic::error(message).help(help).into())
}

fn only(site: Site<'_>, index: usize, decided: &Decided) -> Result<usize, Box<Diagnostic>> {
    let objects: Vec<usize> =
        (0..site.function.params.len()).filter(|&index| object(site, decided, index)).collect();
    let name = &site.names[index];
    match objects.as_slice() {
        [only] => Ok(*only),
        [] => {
            let message = format!("`{}` takes no object that could keep `{name}`", site.function.name);
            let help = "this version has callbacks that an object keeps, or that end with the call: write \
                        `{ callback = \"call\" }` or `{ fixed = \"NULL\" }`";
            Err(Diagnostic::error(message).label("until when?").help(help.to_owned()).into())
        }
        several => {
            let names: Vec<&str> = several.iter().map(|&index| site.names[index].as_str()).collect();
            let message = format!("{} may keep `{name}`", list(&names).replace(" and ", " or "));
            let help = format!("add `until = \"{}\"`, the object that ends it when it goes", names[0]);
            Err(Diagnostic::error(message).label("until when?").help(help).into())
        }
    }
}

/// The position of the object that keeps a callback.
fn keeper(role: &Role) -> Option<usize> {
    match role {
        Role::Callback { callback, .. } => match callback.scope {
            CallbackScope::Handle { param } => Some(param),
            CallbackScope::Call => None,
        },
        _ => None,
    }
}

/// What is wrong with the objects that keep callbacks, when every role is known: they are there, and stay.
pub(crate) fn ending(site: Site<'_>, roles: &[&Role], places: &[Option<Range<usize>>]) -> Option<Diagnostic> {
    let mut kept = roles.iter().enumerate().filter_map(|(index, role)| Some((index, keeper(role)?)));
    kept.find_map(|(index, keeper)| {
        let (name, object) = (&site.names[index], &site.names[keeper]);
        let (message, help) = match roles[keeper] {
            Role::Handle { consumed: true, .. } => (
                format!("`{object}` goes with the call, and cannot keep `{name}`"),
                "name another object with `until`, or write `callback = \"call\"`".to_owned(),
            ),
            Role::Handle { nullable: true, .. } => (
                format!("`{object}` may be NULL, and then nothing ends `{name}`"),
                format!("leave `nullable` out of `{object}`, or name another object with `until`"),
            ),
            Role::Handle { .. } => return None,
            _ => (
                format!("`{object}` is no handle, and cannot keep `{name}`"),
                format!("write `params.{object} = {{ in = \"handle\" }}`"),
            ),
        };
        let place = places.get(index).cloned().flatten()?;
        Some(Diagnostic::error(message).at(place).help(help))
    })
}

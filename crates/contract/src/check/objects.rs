//! Objects that callers hold by a handle: which type they are of, who owns them, and what they live in.

use hotcell_model::evidence::Fact;
use hotcell_model::interface::{Ownership, Role};
use hotcell_model::types::{CType, Type};

use crate::check::decide::{Decided, Site};
use crate::check::{lines, names, owners, releases, structures};
use crate::contract::{Item, What};
use crate::diagnostic::Diagnostic;
use crate::document::{Text, list};
use crate::suggest::did_you_mean;

/// Decides the parameters that are objects, those that take resident structures with them.
pub(crate) fn decide(
    site: Site<'_>,
    items: &[(usize, &Item)],
    decided: &mut Decided,
    wrong: &mut Vec<Diagnostic>,
) {
    let fails = lines::of(site.contract, site.function).fails();
    for (index, item) in items {
        let ty = &site.function.params[*index].ty;
        let role = match item.what {
            What::Handle | What::Consumed => taken(site, ty, item, fails),
            What::Owned | What::Borrowed => handed_out(site, *index, item),
            _ => continue,
        };
        match role {
            Ok(role) => decided.draft.params[*index] = Some(site.decided(role, &item.span)),
            Err(diagnostic) => wrong.push(*diagnostic),
        }
    }
    released(site, items, decided, wrong);
    owners::params(site, decided, wrong);
    structures::residents(site, decided, wrong);
}

fn taken(site: Site<'_>, ty: &CType, item: &Item, fails: bool) -> Result<Role, Box<Diagnostic>> {
    let consumed = item.what == What::Consumed;
    if let Some((Type::Record { name }, true)) = ty.pointee().map(|(pointee, _)| (&pointee.kind, consumed))
        && site.known.structs.is_resident(name)
    {
        if item.nullable {
            let diagnostic = Diagnostic::error("a structure that the library keeps is always there");
            return Err(diagnostic.at(item.span.clone()).help("leave `nullable` out".to_owned()).into());
        }
        if item.on_success {
            let diagnostic = Diagnostic::error("a structure that the library keeps ends with the call");
            return Err(diagnostic.at(item.span.clone()).help("leave `on_success` out".to_owned()).into());
        }
        return Ok(Role::Resident { record: name.clone(), consumed, starts: None });
    }
    if item.on_success && !fails {
        let message = "nothing says when the call did not fail";
        let help = "add `error = { fails = … }`, or leave `on_success` out".to_owned();
        return Err(Diagnostic::error(message).at(item.span.clone()).help(help).into());
    }
    let (nullable, invalidates, on_success) = (item.nullable, item.invalidates, item.on_success);
    let handle = handle_type(site, ty, item)?;
    Ok(Role::Handle { handle, consumed, on_success, nullable, invalidates })
}

fn handed_out(site: Site<'_>, index: usize, item: &Item) -> Result<Role, Box<Diagnostic>> {
    let ty = &site.function.params[index].ty;
    let pointer = ty.pointee().map_or(ty, |(pointer, _)| pointer);
    let handle = handle_type(site, pointer, item)?;
    let ownership = ownership(site, &handle, item)?;
    let parent = parent(site, &handle, item)?;
    let (nullable, valid_on_error) = (item.nullable, item.valid_on_error);
    Ok(Role::HandleOut { handle, ownership, parent, nullable, valid_on_error })
}

/// The handle type of a pointer, with what `handle` says about `void *`.
pub(crate) fn handle_type(site: Site<'_>, pointer: &CType, item: &Item) -> Result<String, Box<Diagnostic>> {
    let found = site.known.handles.of_pointer(pointer);
    match (&item.handle, found) {
        (Some(text), Some(found)) => {
            let message = format!("`{}` already is a `{found}`", pointer.written);
            let help = "leave `handle` out: it says what a `void *` points to".to_owned();
            Err(Diagnostic::error(message).at(text.span.clone()).help(help).into())
        }
        (None, Some(found)) => Ok(found.to_owned()),
        (Some(text), None) if site.known.handles.get(&text.value).is_some() => Ok(text.value.clone()),
        (Some(text), None) => {
            let help = did_you_mean(&text.value, site.known.handles.iter().map(|(name, _)| name));
            let help = help.unwrap_or_else(|| format!("add `{} = {{}}` to `[handle]`", text.value));
            let message = format!("`{}` is no handle type", text.value);
            Err(Diagnostic::error(message).at(text.span.clone()).help(help).into())
        }
        (None, None) => {
            let message = format!("`{}` points to no handle type", pointer.written);
            Err(Diagnostic::error(message).at(item.span.clone()).into())
        }
    }
}

/// Who owns an object that is handed out.
pub(crate) fn ownership(site: Site<'_>, handle: &str, item: &Item) -> Result<Ownership, Box<Diagnostic>> {
    if item.what == What::Borrowed {
        return Ok(Ownership::Library);
    }
    match site.known.handles.get(handle).and_then(|known| known.release.clone()) {
        Some(release) => Ok(Ownership::Owned { release }),
        None => {
            let message = format!("nothing releases a `{handle}`, so nobody can own one");
            let help = format!("add its release to `[handle]`: `{handle} = {{ release = \"…\" }}`");
            Err(Diagnostic::error(message).at(item.span.clone()).label("owned").help(help).into())
        }
    }
}

/// Position of the handle that must outlive an object which is handed out.
pub(crate) fn parent(site: Site<'_>, handle: &str, item: &Item) -> Result<Option<usize>, Box<Diagnostic>> {
    if let Some(text) = &item.parent {
        return named_parent(site, text);
    }
    let candidates = match parents(site, handle, item.what == What::Owned) {
        None => return Ok(None),
        Some(candidates) => candidates,
    };
    match candidates.as_slice() {
        [only] => Ok(Some(*only)),
        _ => Err(unclear(site, handle, &candidates).at(item.span.clone()).into()),
    }
}

/// The parameters in which an object that is handed out may live; `None` when it needs no parent.
pub(crate) fn parents(site: Site<'_>, handle: &str, owned: bool) -> Option<Vec<usize>> {
    let params = site.function.params.iter().enumerate();
    let objects =
        params.filter_map(|(index, param)| Some((index, site.known.handles.of_pointer(&param.ty)?)));
    if !owned {
        // What is lent lives in what went in.
        return Some(objects.map(|(index, _)| index).collect());
    }
    // What is owned lives in an object of the type that its own type names.
    let parent = site.known.handles.get(handle).and_then(|known| known.parent.as_deref())?;
    Some(objects.filter(|(_, of)| *of == parent).map(|(index, _)| index).collect())
}

/// Says that several parameters may be the parent of an object, or none.
pub(crate) fn unclear(site: Site<'_>, handle: &str, candidates: &[usize]) -> Diagnostic {
    let (message, help) = match candidates {
        [] => (
            format!("no parameter is known to be the parent of this `{handle}`"),
            "add `parent = \"…\"`, the parameter that must outlive it, or `parent = \"none\"`".to_owned(),
        ),
        several => {
            let names: Vec<&str> = several.iter().map(|&index| site.names[index].as_str()).collect();
            (
                format!("{} may be the parent of this `{handle}`", list(&names).replace(" and ", " or ")),
                format!(
                    "add `parent = \"{}\"`, the one that must outlive it, or `parent = \"none\"`",
                    names[0]
                ),
            )
        }
    };
    Diagnostic::error(message).label("its parent?").help(help)
}

fn named_parent(site: Site<'_>, text: &Text) -> Result<Option<usize>, Box<Diagnostic>> {
    match names::position(site.function, site.names, &text.value) {
        Some(index) => {
            let ty = &site.function.params[index].ty;
            let object = site.known.handles.of_pointer(ty).is_some()
                || matches!(ty.pointee(), Some((CType { kind: Type::Void, .. }, _)))
                || ty
                    .pointee()
                    .and_then(|(pointee, _)| pointee.record())
                    .is_some_and(|record| site.known.structs.is_resident(record));
            if object {
                return Ok(Some(index));
            }
            let message = format!("`{}` is no handle: it is `{}`", text.value, ty.written);
            Err(Diagnostic::error(message).at(text.span.clone()).into())
        }
        None if text.value == "none" => Ok(None),
        None => {
            let message = format!("`{}` has no parameter `{}`", site.function.name, text.value);
            let help = did_you_mean(&text.value, site.names.iter().map(String::as_str))
                .unwrap_or_else(|| "name the parameter that must outlive it, or write `none`".to_owned());
            Err(Diagnostic::error(message).at(text.span.clone()).label("its parent?").help(help).into())
        }
    }
}

/// A function that releases a handle type takes its object, whatever else says so.
fn released(site: Site<'_>, items: &[(usize, &Item)], decided: &mut Decided, wrong: &mut Vec<Diagnostic>) {
    let Some((handle, known)) = site.known.handles.released_by(&site.function.name) else { return };
    let Some(index) = releases::param(site.known.handles, site.function, handle) else { return };
    match items.iter().find(|(other, _)| *other == index) {
        Some((_, item)) if item.what == What::Consumed => {}
        // A pattern is about what the functions that it matches have in common.
        Some((_, item)) if !site.contract.is_about_several(&item.span) => {
            let name = &site.names[index];
            let message =
                format!("`{}` releases a `{handle}`, so that `{name}` is consumed", site.function.name);
            let help = "write `{ in = \"consumed\" }`, or no line at all".to_owned();
            wrong.push(Diagnostic::error(message).at(item.span.clone()).help(help));
        }
        _ => {
            let value = Role::Handle {
                handle: handle.to_owned(),
                consumed: true,
                on_success: false,
                nullable: false,
                invalidates: false,
            };
            decided.draft.params[index] = Some(Fact { value, evidence: known.evidence.clone() });
        }
    }
}

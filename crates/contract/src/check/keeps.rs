//! What the library keeps: what ends the copies that the worker has of data for it, and what lets objects go.

use std::ops::Range;

use hotcell_model::interface::{Direction, Keeps, ResultRole, Role, Threads, Until};

use crate::check::decide::Site;
use crate::check::resolve;
use crate::contract::{Item, What};
use crate::diagnostic::Diagnostic;
use crate::document::Text;
use crate::suggest::did_you_mean;

/// What a line says of a parameter.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    param: usize,
    until: Text,
    /// Where it says that a later call takes its place.
    replaced: Option<Range<usize>>,
}

/// What lines about parameters say.
pub(crate) fn said(items: &[(usize, &Item)], wrong: &mut Vec<Diagnostic>) -> Vec<Said> {
    let mut found = Vec::new();
    for (param, item) in items {
        let kept = matches!(
            item.what,
            What::Buffer(Direction::In) | What::Text | What::Handle | What::Struct(Direction::InOut)
        );
        match (&item.until, &item.replaced) {
            (Some(until), replaced) if kept => {
                found.push(Said { param: *param, until: until.clone(), replaced: replaced.clone() });
            }
            (None, Some(replaced)) => {
                let help = "add `until`, the object that keeps it".to_owned();
                wrong.push(Diagnostic::error("`replaced` goes with `until`").at(replaced.clone()).help(help));
            }
            _ => {}
        }
    }
    found
}

/// The same when every role is known.
pub(crate) fn resolve(
    site: Site<'_>,
    said: &[Said],
    roles: &[&Role],
    result: &ResultRole,
    wrong: &mut Vec<Diagnostic>,
) -> Vec<Keeps> {
    let mut keeps = Vec::new();
    for said in said {
        match one(site, said, roles, result) {
            Ok(kept) => keeps.push(kept),
            Err((message, help)) => {
                let diagnostic = Diagnostic::error(message).at(said.until.span.clone());
                wrong.push(help.into_iter().fold(diagnostic, Diagnostic::help));
            }
        }
    }
    keeps
}

/// What is wrong with a line, and what to write.
type Wrong = (String, Option<String>);

fn one(site: Site<'_>, said: &Said, roles: &[&Role], result: &ResultRole) -> Result<Keeps, Wrong> {
    let until = until(site, &said.until.value, result)?;
    let keeps = Keeps { param: said.param, until, replaced: said.replaced.is_some() };
    fits(site, &keeps, roles, result)?;
    Ok(keeps)
}

/// What cannot be kept as a rule has concluded it, and why, where the same line of a contract would be wrong.
pub(crate) fn against(
    site: Site<'_>,
    keeps: &[Keeps],
    roles: &[&Role],
    result: &ResultRole,
) -> Vec<(usize, String)> {
    let wrong = |keeps: &Keeps| fits(site, keeps, roles, result).err().map(|(message, _)| message);
    keeps.iter().filter_map(|keeps| Some((keeps.param, wrong(keeps)?))).collect()
}

/// Whether something can be kept like this.
fn fits(site: Site<'_>, keeps: &Keeps, roles: &[&Role], result: &ResultRole) -> Result<(), Wrong> {
    match (keeps.until, result) {
        (Until::Param { param }, _) => keeper(site, param, roles)?,
        (Until::Result, ResultRole::Handle { .. }) | (Until::Worker, _) => {}
        (Until::Result, _) => return Err((format!("`{}` returns no object", site.function.name), None)),
    }
    if is_object(roles[keeps.param]) {
        object(site, keeps, roles)?;
    } else if let Role::Struct { .. } = roles[keeps.param] {
        let name = &site.names[keeps.param];
        return Err((format!("`{name}` is a structure of the call's: nothing of it is kept"), None));
    }
    Ok(())
}

fn is_object(role: &Role) -> bool {
    matches!(role, Role::Handle { .. } | Role::Resident { .. })
}

/// Whether an object can be kept like this.
fn object(site: Site<'_>, keeps: &Keeps, roles: &[&Role]) -> Result<(), Wrong> {
    let name = &site.names[keeps.param];
    if let Role::Handle { consumed: true, .. } | Role::Resident { consumed: true, .. } = roles[keeps.param] {
        let help = "leave `until` out, or say that it is `in = \"handle\"`".to_owned();
        return Err((format!("`{name}` goes with the call: nothing can keep it"), Some(help)));
    }
    if let Role::Resident { starts: Some(_), .. } = roles[keeps.param] {
        return Err((
            format!("`{name}` begins with the call: it cannot be kept by what is there before"),
            None,
        ));
    }
    if keeps.until == (Until::Param { param: keeps.param }) {
        return Err((format!("`{name}` keeps itself"), Some("name the object that keeps it".to_owned())));
    }
    if site.contract.threads() == Threads::PerHandle {
        let message =
            format!("`{name}` would be used with what keeps it, and by other calls at the same time");
        let help = "objects that keep others are not for `threads = \"per-handle\"`: write \"serialized\""
            .to_owned();
        return Err((message, Some(help)));
    }
    let there = match keeps.until {
        Until::Param { param } => {
            !matches!(roles[param], Role::HandleOut { .. } | Role::Resident { starts: Some(_), .. })
        }
        Until::Result | Until::Worker => false,
    };
    if keeps.replaced && !there {
        let message = "`replaced` needs an object that is there before the call, which lets go".to_owned();
        return Err((message, Some("leave `replaced` out".to_owned())));
    }
    Ok(())
}

/// What a name in `until` means.
fn until(site: Site<'_>, name: &str, result: &ResultRole) -> Result<Until, Wrong> {
    if let [param] = resolve::param(site, name)[..] {
        return Ok(Until::Param { param });
    }
    match (name, result) {
        ("none", _) => Ok(Until::Worker),
        ("result", ResultRole::Handle { .. }) => Ok(Until::Result),
        ("result", _) => Err((format!("`{}` returns no object", site.function.name), None)),
        _ if site.known.handles.get(name).is_some() => {
            let message =
                format!("`{name}` does not say which of the parameters of `{}`", site.function.name);
            Err((message, Some("name the parameter that is the object".to_owned())))
        }
        _ => {
            let known = site.names.iter().map(String::as_str).chain(["result", "none"]);
            Err((format!("`{}` has no parameter `{name}`", site.function.name), did_you_mean(name, known)))
        }
    }
}

/// Whether a parameter is an object that ends what it keeps.
fn keeper(site: Site<'_>, param: usize, roles: &[&Role]) -> Result<(), Wrong> {
    let name = &site.names[param];
    match roles[param] {
        Role::Handle { consumed: false, nullable: false, .. }
        | Role::HandleOut { .. }
        | Role::Resident { consumed: false, .. } => Ok(()),
        Role::Handle { consumed: true, .. } | Role::Resident { .. } => {
            let help = "name an object that is there when the call has returned".to_owned();
            Err((format!("`{name}` goes with the call, and nothing would end what it keeps"), Some(help)))
        }
        Role::Handle { .. } => {
            let help = format!("leave `nullable` out of `{name}`, or name another object");
            Err((format!("`{name}` may be NULL, and then nothing ends what it keeps"), Some(help)))
        }
        _ => {
            let help = "`until` names an object: a parameter, `result`, or `none`, which keeps it as long as the worker lives";
            Err((format!("`{name}` is no object"), Some(help.to_owned())))
        }
    }
}

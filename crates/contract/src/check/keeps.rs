//! Data and texts that the library keeps: what ends the copies that the worker has for it.

use hotcell_model::interface::{Direction, Keeps, ResultRole, Role, Until};

use crate::check::decide::Site;
use crate::check::resolve;
use crate::contract::{Item, What};
use crate::diagnostic::Diagnostic;
use crate::document::Text;
use crate::suggest::did_you_mean;

/// What lines about parameters say, by position.
pub(crate) fn said(items: &[(usize, &Item)]) -> Vec<(usize, Text)> {
    let kept = items.iter().filter(|(_, item)| matches!(item.what, What::Buffer(Direction::In) | What::Text));
    kept.filter_map(|(index, item)| Some((*index, item.until.clone()?))).collect()
}

/// The same when every role is known.
pub(crate) fn resolve(
    site: Site<'_>,
    said: &[(usize, Text)],
    roles: &[&Role],
    result: &ResultRole,
    wrong: &mut Vec<Diagnostic>,
) -> Vec<Keeps> {
    let mut keeps = Vec::new();
    for (param, text) in said {
        match until(site, &text.value, roles, result) {
            Ok(until) => keeps.push(Keeps { param: *param, until }),
            Err((message, help)) => {
                let diagnostic = Diagnostic::error(message).at(text.span.clone());
                wrong.push(help.into_iter().fold(diagnostic, Diagnostic::help));
            }
        }
    }
    keeps
}

fn until(
    site: Site<'_>,
    name: &str,
    roles: &[&Role],
    result: &ResultRole,
) -> Result<Until, (String, Option<String>)> {
    let [param] = resolve::param(site, name)[..] else {
        return match (name, result) {
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
                Err((
                    format!("`{}` has no parameter `{name}`", site.function.name),
                    did_you_mean(name, known),
                ))
            }
        };
    };
    match roles[param] {
        Role::Handle { consumed: false, nullable: false, .. } | Role::HandleOut { .. } => {
            Ok(Until::Param { param })
        }
        Role::Handle { consumed: true, .. } => {
            let help = "name an object that is there when the call has returned".to_owned();
            Err((format!("`{name}` goes with the call, and nothing would end the copy"), Some(help)))
        }
        Role::Handle { .. } => {
            let help = format!("leave `nullable` out of `{name}`, or name another object");
            Err((format!("`{name}` may be NULL, and then nothing ends the copy"), Some(help)))
        }
        _ => {
            let help = "`until` names an object: a parameter, `result`, or `none`, which keeps it as long as the worker lives";
            Err((format!("`{name}` is no object"), Some(help.to_owned())))
        }
    }
}

//! `measured`: a function that is called twice for one call makes nothing of its own, and takes nothing, that is there once.

use hotcell_model::interface::{Direction, Ownership, ResultRole, Role};

use crate::check::decide::Site;
use crate::contract::size_of;
use crate::diagnostic::Diagnostic;

/// What does not go with a call that is made twice.
pub(crate) fn check(site: Site<'_>, roles: &[&Role], result: &ResultRole) -> Option<Diagnostic> {
    let form = site.contract.added_function(&site.function.name)?;
    let measured = form.measured.first()?;
    let own =
        |name: &str| form.measured.iter().any(|text| *text.value == *name || size_of(&text.value) == *name);
    let named = site.names.iter().zip(roles).filter(|(name, _)| !own(name));
    let found = { named }.find_map(|(name, role)| Some((name.as_str(), once(role)?)));
    let (name, why) = found.or_else(|| Some(("result", made(result)?)))?;
    let message = format!("`{}` is called twice, and `{name}` is there for one call", site.function.name);
    let help = "write `out = \"buffer\"` with a capacity that is known before".to_owned();
    Some(Diagnostic::error(message).at(measured.span.clone()).label(why).help(help))
}

/// Why a parameter serves one call.
fn once(role: &Role) -> Option<&'static str> {
    const MADE: &str = "what the first call makes would be lost";
    const GONE: &str = "the first call takes it";
    const CHANGED: &str = "the second call would get what the first has made of it";
    const ASKED: &str = "the application would be called by both";
    match role {
        Role::Handle { consumed: true, .. } | Role::Resident { consumed: true, .. } => Some(GONE),
        Role::Resident { starts: Some(_), .. } => Some(MADE),
        Role::TextOut { ownership, .. }
        | Role::TextsOut { ownership, .. }
        | Role::DataOut { ownership, .. }
        | Role::HandleOut { ownership, .. } => is_owned(ownership).then_some(MADE),
        Role::BufferInOut { .. } | Role::ValueInOut { .. } | Role::LengthPointerOf { .. } => Some(CHANGED),
        Role::Struct { direction: Direction::InOut, .. } => Some(CHANGED),
        Role::Callback { .. } => Some(ASKED),
        _ => None,
    }
}

/// Why a result serves one call.
fn made(result: &ResultRole) -> Option<&'static str> {
    let (ResultRole::Text { ownership, .. }
    | ResultRole::Texts { ownership, .. }
    | ResultRole::Struct { ownership, .. }
    | ResultRole::Buffer { ownership, .. }
    | ResultRole::Handle { ownership, .. }) = result
    else {
        return None;
    };
    is_owned(ownership).then_some("what the first call returns would be lost")
}

fn is_owned(ownership: &Ownership) -> bool {
    *ownership != Ownership::Library
}

//! What stops a call that is under way: another call of the library, made on another thread.

use std::collections::BTreeSet;

use hotcell_model::interface::{CANCEL_OBJECTS, Cancel, Role};

use crate::check::decide::{Decided, Purpose, Site, Use};
use crate::check::lines::Lines;
use crate::check::resolve;
use crate::diagnostic::Diagnostic;
use crate::expression::{Kind, Node};

/// What the contract says of it.
pub(crate) fn decide(
    site: Site<'_>,
    lines: &Lines<'_>,
    decided: &mut Decided,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Cancel> {
    let node = lines.cancel()?;
    let Kind::Call(function, _) = &node.kind else {
        let message = format!("`{node}` is no call");
        let help = "write the call that stops one which is under way, as in \"stop(db)\"".to_owned();
        wrong.push(Diagnostic::error(message).at(node.span.clone()).help(help));
        return None;
    };
    if *function == site.function.name {
        let message = format!("`{function}` cannot stop itself");
        wrong.push(
            Diagnostic::error(message).at(node.span.clone()).label("the function that is to be stopped"),
        );
        return None;
    }
    let call = decided.expression(site, node, Purpose::Cancel, wrong)?;
    Some(Cancel { call, text: node.to_string() })
}

/// Whether what is passed to it is there on another thread while the call is under way.
pub(crate) fn check(site: Site<'_>, roles: &[&Role], uses: &[Use]) -> Option<Diagnostic> {
    let used = uses.iter().find(|used| used.purpose == Purpose::Cancel)?;
    let mut objects = BTreeSet::new();
    argument(site, roles, &used.node, &mut objects).err().map(|found| *found).or_else(|| {
        let message = format!(
            "`{}` is passed {} objects, and at most {CANCEL_OBJECTS} can be",
            used.node,
            objects.len()
        );
        (objects.len() > CANCEL_OBJECTS).then(|| Diagnostic::error(message).at(used.node.span.clone()))
    })
}

fn argument(
    site: Site<'_>,
    roles: &[&Role],
    node: &Node,
    objects: &mut BTreeSet<usize>,
) -> Result<(), Box<Diagnostic>> {
    let wrong = |message: String, help: &str| {
        Err(Box::new(Diagnostic::error(message).at(node.span.clone()).help(help.to_owned())))
    };
    if let Some(name) = node.name()
        && let [index] = resolve::param(site, name).as_slice()
    {
        return match roles[*index] {
            Role::Handle { consumed: false, .. } => {
                objects.insert(*index);
                Ok(())
            }
            Role::Handle { .. } => {
                wrong(format!("`{node}` goes with the call"), "what stops a call needs an object that stays")
            }
            _ => wrong(format!("`{node}` is no object"), "what stops a call is passed objects and constants"),
        };
    }
    match &node.kind {
        Kind::Call(function, _) if site.known.handles.released_by(function).is_some() => wrong(
            format!("`{function}` releases its object"),
            "what stops a call leaves objects to those who have them",
        ),
        Kind::Call(_, args) => args.iter().try_for_each(|arg| argument(site, roles, arg, objects)),
        Kind::Int(_) | Kind::Name(_) | Kind::SizeOf(_) => Ok(()),
        Kind::Binary(..) | Kind::Field(..) | Kind::Result | Kind::Errno => {
            wrong(format!("`{node}` is computed"), "what stops a call is passed objects and constants")
        }
    }
}

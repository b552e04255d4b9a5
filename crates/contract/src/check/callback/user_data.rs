//! What the library hands back to a callback, and where it does.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{CallbackScope, Role};
use hotcell_model::types::{CType, Type};

use crate::check::callback::is_void_pointer;
use crate::check::decide::{Decided, Purpose, Site, Use};
use crate::check::{classify, names, resolve, select};
use crate::contract::{Item, What};
use crate::diagnostic::Diagnostic;
use crate::expression::{Kind, Node};
use crate::infer;
use crate::suggest::did_you_mean;

/// The parameter of the registering function that comes back to the callback. Callbacks of one function that live
/// alike may share it.
pub(super) fn param(
    site: Site<'_>,
    item: &Item,
    decided: &Decided,
    wrong: &mut Vec<Diagnostic>,
) -> Option<usize> {
    let Some(text) = &item.user_data else {
        return only(site, decided).map_err(|found| wrong.push(found.at(item.span.clone()))).ok();
    };
    let error = |message: String| Diagnostic::error(message).at(text.span.clone());
    if is_none(item) {
        if item.what == What::Kept {
            let message = "a callback that the library keeps is told from others by its user data".to_owned();
            let help =
                "`user_data = \"none\"` is for what the library calls until the call returns".to_owned();
            wrong.push(error(message).help(help));
        }
        return None;
    }
    let Some(position) = names::position(site.function, site.names, &text.value) else {
        let message = format!("`{}` has no parameter `{}`", site.function.name, text.value);
        let help = did_you_mean(&text.value, site.names.iter().map(String::as_str));
        wrong.push(error(message).label("unknown parameter").help(help));
        return None;
    };
    let ty = &site.function.params[position].ty;
    if !is_void_pointer(ty) {
        let message = format!("`{}` is no user data: it is `{}`", text.value, ty.written);
        let help = "user data is the `void *` that the library hands back to the callback".to_owned();
        wrong.push(error(message).help(help));
        return None;
    }
    match decided.draft.params[position].as_ref().map(|fact| &fact.value) {
        None => Some(position),
        Some(Role::UserData { callback }) => {
            let other = decided.draft.params[*callback].as_ref().map(|fact| &fact.value);
            let kept = |callback: &CallbackScope| *callback != CallbackScope::Call;
            let alike = matches!(other, Some(Role::Callback { callback, .. })
                if kept(&callback.scope) == (item.what == What::Kept));
            if !alike {
                let other = &site.names[*callback];
                let message =
                    format!("`{}` is the user data of `{other}`, which lives otherwise", text.value);
                let help = "callbacks that share it are all `kept`, or all `call`".to_owned();
                wrong.push(error(message).help(help));
            }
            alike.then_some(position)
        }
        Some(_) => {
            let help = "user data has no line of its own".to_owned();
            wrong.push(error(format!("`{}` already is something else", text.value)).help(help));
            None
        }
    }
}

/// Whether the callback has no user data: it is known by the call in progress.
pub(super) fn is_none(item: &Item) -> bool {
    item.user_data.as_ref().is_some_and(|text| text.value == "none")
}

/// The only `void *` that may be the user data: no line is about it, and no number right behind it says how much is
/// there.
fn only(site: Site<'_>, decided: &Decided) -> Result<usize, Box<Diagnostic>> {
    let role = |index: usize| decided.draft.params[index].as_ref().map(|fact| &fact.value);
    let plain = |index: &usize| {
        let ty = &site.function.params[*index].ty;
        matches!(ty.pointee(), Some((CType { kind: Type::Void, .. }, false)))
            && site.known.handles.of_pointer(ty).is_none()
            && matches!(role(*index), None | Some(Role::UserData { .. }))
    };
    let found: Vec<usize> = (0..site.names.len()).filter(plain).collect();
    let (message, help) = match found.as_slice() {
        [only] if !infer::may_be_counted(site.function, site.names, site.known, *only) => return Ok(*only),
        [] => (
            format!("`{}` takes no user data", site.function.name),
            "where it is called before the call returns, add `user_data = \"none\"`; without a callback write `{ fixed = \"NULL\" }`".to_owned(),
        ),
        [first, ..] => (
            format!("nothing says which `void *` of `{}` the library hands back", site.function.name),
            format!("add `user_data = \"{}\"`, if it is that one", site.names[*first]),
        ),
    };
    Err(Diagnostic::error(message).label("its user data?").help(help).into())
}

/// How a callback finds its user data where no parameter is it. `inside` is the callback.
pub(super) fn from(inside: Site<'_>, item: &Item, wrong: &mut Vec<Diagnostic>) -> Option<Expr> {
    let node = item.user_data_from.as_ref()?;
    match checked(inside, node) {
        Ok(expr) => Some(expr),
        Err(diagnostic) => {
            wrong.push(*diagnostic);
            None
        }
    }
}

fn checked(inside: Site<'_>, node: &Node) -> Result<Expr, Box<Diagnostic>> {
    let Kind::Call(name, _) = &node.kind else {
        let message = format!("`{node}` does not ask the library for the user data");
        let help = "write a call over the parameters of the callback, as in `user_of(context)`".to_owned();
        return Err(Diagnostic::error(message).at(node.span.clone()).help(help).into());
    };
    let expr = call(inside, node, Purpose::UserData, "to find the user data")?;
    match select::find(inside.api, name).map(|callee| &callee.result) {
        Some(result) if !is_void_pointer(result) => {
            let CType { written, .. } = result;
            let message = format!("`{name}` returns `{written}`, and user data is a `void *`");
            Err(Diagnostic::error(message).at(node.span.clone()).into())
        }
        _ => Ok(expr),
    }
}

/// A call over the parameters of a callback, which passes them as they are.
pub(super) fn call(
    inside: Site<'_>,
    node: &Node,
    purpose: Purpose,
    why: &str,
) -> Result<Expr, Box<Diagnostic>> {
    if let Some(computed) = computed(node) {
        let diagnostic = Diagnostic::error(format!("nothing is computed {why}"));
        let help = "pass parameters of the callback, integers and constants as they are".to_owned();
        return Err(diagnostic.at(computed.span.clone()).help(help).into());
    }
    let expr = resolve::resolve(inside, node, purpose)?;
    let roles = vec![&Role::Value; inside.function.params.len()];
    classify::check(inside, &roles, &Use { node: node.clone(), purpose })?;
    Ok(expr)
}

fn computed(node: &Node) -> Option<&Node> {
    match &node.kind {
        Kind::Binary(..) => Some(node),
        Kind::Call(_, args) => args.iter().find_map(computed),
        _ => None,
    }
}

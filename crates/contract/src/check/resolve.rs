//! Names of an expression: parameters first, then constants of the headers.

use hotcell_model::expr::Expr;
use hotcell_model::types::CType;

use crate::check::decide::{Purpose, Site};
use crate::check::{names, select};
use crate::diagnostic::Diagnostic;
use crate::document::list;
use crate::expression::{Kind, Node};
use crate::suggest::did_you_mean;

/// The expression over positions and known names.
pub(crate) fn resolve(site: Site<'_>, node: &Node, purpose: Purpose) -> Result<Expr, Box<Diagnostic>> {
    let error = |message: String| Diagnostic::error(message).at(node.span.clone());
    Ok(match &node.kind {
        Kind::Int(value) => Expr::Int { value: *value },
        Kind::Result | Kind::Errno => {
            let word = if node.kind == Kind::Result { "result" } else { "errno" };
            if names::position(site.function, site.names, word).is_some() {
                let message =
                    format!("`{word}` is ambiguous: `{}` has a parameter of that name", site.function.name);
                return Err(error(message).label("the returned value or the parameter?").into());
            }
            if matches!(purpose, Purpose::UserData | Purpose::Failure) {
                let message = format!("`{word}` is not known in a callback");
                return Err(error(message).label("known after the call").into());
            }
            if purpose.before() {
                let message = format!("`{word}` is not known before the call");
                let help = "this is needed before the call is made: use parameters and constants".to_owned();
                return Err(error(message).label("known after the call").help(help).into());
            }
            if node.kind == Kind::Result { Expr::Result } else { Expr::Errno }
        }
        Kind::SizeOf(ctype) => {
            if names::position(site.function, site.names, ctype).is_some() {
                let help = "write the type, as in `sizeof(int)`".to_owned();
                return Err(error(format!("`sizeof` takes a type, and `{ctype}` is a parameter"))
                    .help(help)
                    .into());
            }
            Expr::SizeOf { ctype: ctype.clone() }
        }
        Kind::Field(..) => {
            let help = "write a call: the function that `get` adds for the field".to_owned();
            return Err(error(format!("`{node}`: fields have no names here")).help(help).into());
        }
        Kind::Name(name) => name_of(site, name).map_err(|found| Box::new(found.at(node.span.clone())))?,
        Kind::Call(function, args) => {
            let place = node.span.start..node.span.start + function.len();
            callable(site, function, args.len()).map_err(|found| Box::new(found.at(place)))?;
            let args = args.iter().map(|arg| resolve(site, arg, purpose)).collect::<Result<_, _>>()?;
            Expr::Call { function: function.clone(), args }
        }
        Kind::Binary(op, left, right) => Expr::Binary {
            op: *op,
            left: Box::new(resolve(site, left, purpose)?),
            right: Box::new(resolve(site, right, purpose)?),
        },
    })
}

fn name_of(site: Site<'_>, name: &str) -> Result<Expr, Box<Diagnostic>> {
    match param(site, name).as_slice() {
        [index] => return Ok(Expr::Param { index: *index }),
        [] => {}
        several => {
            let several: Vec<&str> = several.iter().map(|&index| site.names[index].as_str()).collect();
            let message = format!("`{name}` may be {}: `{}` has several", list(&several), site.function.name);
            let help = "write the name of the parameter".to_owned();
            return Err(Diagnostic::error(message).label("which one?").help(help).into());
        }
    }
    let known = name == "NULL" || site.api.constants.contains_key(name);
    let constant = known.then(|| Expr::Constant { name: name.to_owned() });
    constant.ok_or_else(|| unknown(site, name).into())
}

/// The parameters that a name stands for: the one of this name, or else those of the handle type of this name, what
/// goes in before what comes out.
pub(crate) fn param(site: Site<'_>, name: &str) -> Vec<usize> {
    if let Some(index) = names::position(site.function, site.names, name) {
        return vec![index];
    }
    let handles = site.known.handles;
    let positions = |of: &dyn Fn(&CType) -> bool| -> Vec<usize> {
        let params = site.function.params.iter().enumerate();
        params.filter(|(_, param)| of(&param.ty)).map(|(index, _)| index).collect()
    };
    let ins = positions(&|ty| handles.of_pointer(ty) == Some(name));
    match ins.is_empty() {
        true => positions(&|ty| handles.of_pointer_pointer(ty) == Some(name)),
        false => ins,
    }
}

fn unknown(site: Site<'_>, name: &str) -> Diagnostic {
    if site.known.handles.get(name).is_some() {
        let message = format!("`{}` has no parameter of the handle type `{name}`", site.function.name);
        return Diagnostic::error(message).label("no such object");
    }
    let diagnostic = Diagnostic::error(format!(
        "`{name}` is neither a parameter of `{}` nor a constant",
        site.function.name
    ));
    if select::find(site.api, name).is_some() {
        return diagnostic.label("a function").help(format!("write `{name}(…)` to call it"));
    }
    let known = site.names.iter().chain(site.api.constants.keys()).map(String::as_str);
    diagnostic.label("unknown name").help(did_you_mean(name, known.chain(["result", "errno"])))
}

/// Whether an expression can call this function with so many arguments.
fn callable(site: Site<'_>, name: &str, args: usize) -> Result<(), Box<Diagnostic>> {
    let callee = declared(site, name)?;
    let count = callee.params.len();
    if args != count && !(callee.variadic && args > count) {
        let message =
            format!("`{name}` takes {count} argument{}, not {args}", if count == 1 { "" } else { "s" });
        let help = format!("it is declared `{}`", callee.signature());
        return Err(Diagnostic::error(message).help(help).into());
    }
    Ok(())
}

/// A function that the shim calls beside the bound one.
pub(crate) fn declared<'a>(
    site: Site<'a>,
    name: &str,
) -> Result<&'a hotcell_model::api::Function, Box<Diagnostic>> {
    let callee = select::find(site.api, name).ok_or_else(|| select::unknown(site.api, name))?;
    let missing = site.exports.is_some_and(|exports| !exports.contains(name));
    // Functions of other headers come from other libraries.
    if missing && !callee.inline && callee.location.primary {
        let message = format!("the headers declare `{name}`, and the library does not export it");
        return Err(Diagnostic::error(message).label("not exported").into());
    }
    if site.shadowed.is_some_and(|shadowed| shadowed.contains(name)) && !callee.inline {
        let message = format!(
            "another library in the worker has a function `{name}` too, which would be called instead"
        );
        return Err(Diagnostic::error(message).label("not the library's").into());
    }
    Ok(callee)
}

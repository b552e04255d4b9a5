//! Functions that return, in their form, what they hand out by a parameter: all that can be said of a result can be said of it.

use hotcell_model::api::Function;
use hotcell_model::types::Type;

use crate::contract::RETURNED;
use crate::diagnostic::Diagnostic;
use crate::document::Text;
use crate::forms::c::{Handed, Written, pointed};
use crate::forms::given_back;
use crate::forms::ways::{self, Way};
use crate::pattern;

/// How a pointer is handed out: through a variable, which is NULL before. What the function returns goes to a parameter of its own.
pub(super) fn of<'f>(
    function: &'f Function,
    own: &[String],
    returns: &Text,
    written: &mut Written,
) -> Result<(Way, given_back::Returned<'f>), Box<Diagnostic>> {
    let wrong = |message: String, help: &str| {
        Box::new(Diagnostic::error(message).at(returns.span.clone()).help(help.to_owned()))
    };
    let named: Vec<usize> = (0..own.len()).filter(|&at| pattern::matches(&returns.value, &own[at])).collect();
    let index = match named[..] {
        [index] => index,
        [] => ways::position(function, own, returns)?,
        _ => {
            let message = format!("`{}` is several parameters of `{}`", returns.value, function.name);
            return Err(wrong(message, "a function returns one thing"));
        }
    };
    let (name, ty) = (own[index].as_str(), &function.params[index].ty);
    let handed = ty.pointee().filter(|(inner, constant)| inner.pointee().is_some() && !constant);
    let Some((inner, _)) = handed else {
        let message = format!("`{name}` is `{}`, by which nothing is handed out", ty.written);
        return Err(wrong(message, "what hands something out is a pointer to a pointer"));
    };
    let nothing = function.result.kind == Type::Void;
    if !nothing && !function.result.is_scalar() {
        let message = format!("`{}` returns `{}` besides", function.name, function.result.written);
        return Err(wrong(message, "`returns` is for functions that return a number, or nothing"));
    }
    if own.iter().any(|own| own == RETURNED) {
        let message = format!("`{}` has a parameter `{RETURNED}` already", function.name);
        return Err(wrong(message, "what the function returns would have this name"));
    }
    let local = format!("hotcell_{name}");
    let own = (!nothing).then(|| (function.result.written.clone(), RETURNED));
    written.result.clone_from(&inner.written);
    written.handed = Some(Handed { local: local.clone(), own });
    let way = Way {
        param: name.to_owned(),
        declared: String::new(),
        other: None,
        before: format!("{} = 0; ", pointed(&inner.written, &local)),
        between: String::new(),
        arg: format!("&{local}"),
        after: String::new(),
    };
    Ok((way, given_back::Returned { ty: inner, param: Some(index) }))
}

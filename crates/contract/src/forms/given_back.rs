//! Memory that is given back by a call with more than its pointer: a function in C that has the other arguments from the call that
//! handed the memory out. It is called right after that one, on the same thread.

use hotcell_model::api::{Api, Function};
use hotcell_model::types::{CType, Type};

use crate::contract::GiveLine;
use crate::diagnostic::Diagnostic;
use crate::expression::{Kind, Node};
use crate::forms::c::pointed;
use crate::forms::ways::Way;
use crate::suggest::did_you_mean;

/// What is returned in the form of a function: by the function itself, or by a parameter of it.
#[derive(Clone, Copy)]
pub(super) struct Returned<'f> {
    pub(super) ty: &'f CType,
    /// The parameter that hands it out.
    pub(super) param: Option<usize>,
}

/// What keeps the other arguments, behind the call of this function. Its definitions are added to `given`.
pub(super) fn of(
    api: &Api,
    function: &Function,
    own: &[String],
    (line, result): (&GiveLine, Returned<'_>),
    given: &mut Vec<String>,
) -> Result<Way, Box<Diagnostic>> {
    let wrong = |message: String, node: &Node, help: Option<String>| {
        Box::new(Diagnostic::error(message).at(node.span.clone()).help(help))
    };
    let Kind::Call(name, args) = &line.call.kind else {
        return Err(wrong(format!("`{}` calls no function", line.call), &line.call, None));
    };
    let Some(callee) = api.functions.iter().find(|function| function.name == *name) else {
        let help = did_you_mean(name, api.functions.iter().map(|function| function.name.as_str()));
        return Err(wrong(format!("the headers declare no function `{name}`"), &line.call, help));
    };
    if callee.params.len() != args.len() || callee.variadic {
        let help = format!("it is declared `{}`", callee.signature());
        let message = format!("`{name}` does not take {} arguments", args.len());
        return Err(wrong(message, &line.call, Some(help)));
    }
    let place = line.param.as_ref().and_then(|param| own.iter().position(|own| own == param));
    let ty = place.map_or(result.ty, |place| &function.params[place].ty);
    // What a parameter points to is handed out; what is returned is it.
    let memory = if line.param.is_some() { ty.pointee().map(|(pointee, _)| pointee) } else { Some(ty) };
    let Some(memory) = memory.filter(|memory| memory.pointee().is_some()) else {
        return Err(wrong(format!("`{}` hands out no memory", function.name), &line.call, None));
    };
    let (mut kept, mut saved, mut passed, mut itself) = (String::new(), String::new(), Vec::new(), false);
    for (at, (arg, param)) in args.iter().zip(&callee.params).enumerate() {
        let position = match &arg.kind {
            Kind::Name(name) => own.iter().position(|own| own == name),
            _ => None,
        };
        // By its own name, the parameter that hands out the result is the result too.
        let is_result = arg.kind == Kind::Result || (position.is_some() && position == result.param);
        let is_memory = match is_result {
            true => line.param.is_none(),
            false => position.is_some() && position == place,
        };
        let value = match (&arg.kind, position) {
            _ if is_memory => {
                itself = true;
                let address = line.param.is_some() && param.ty.canonical == ty.canonical;
                passed.push(if address { "&memory".to_owned() } else { "memory".to_owned() });
                continue;
            }
            _ if is_result && result.ty.kind == Type::Void => {
                return Err(wrong(format!("`{}` returns nothing", function.name), arg, None));
            }
            _ if is_result => Some("hotcell_returned".to_owned()),
            (_, Some(position)) => {
                // As in every expression, a pointer to a number is the number it points to.
                let number = param.ty.pointee().is_none() && function.params[position].ty.pointee().is_some();
                Some(if number { format!("*{}", own[position]) } else { own[position].clone() })
            }
            (Kind::Int(_) | Kind::SizeOf(_), None) => None,
            (Kind::Name(name), None) if api.constants.contains_key(name) => None,
            _ => {
                let help = "arguments are parameters, `result`, integers and constants".to_owned();
                return Err(wrong(format!("`{arg}` is no argument of a `release`"), arg, Some(help)));
            }
        };
        match value {
            Some(value) => {
                let variable = format!("{}_{at}", line.c);
                let ty = unqualified(&param.ty.written);
                kept.push_str(&format!("static __thread {}; ", pointed(ty, &variable)));
                saved.push_str(&format!("{variable} = {value}; "));
                passed.push(variable);
            }
            None => passed.push(arg.to_string()),
        }
    }
    if !itself {
        let what = line.param.as_deref().unwrap_or("result");
        return Err(wrong(format!("`{}` does not take `{what}`", line.call), &line.call, None));
    }
    let definition = format!(
        "{kept}static inline void {}(void *given) {{ {} = ({})given; ({name})({}); }}",
        line.c,
        pointed(&memory.written, "memory"),
        memory.written,
        passed.join(", ")
    );
    let same = format!("static inline void {}(", line.c);
    match given.iter().find(|other| other.contains(&same)) {
        None => given.push(definition),
        Some(other) if *other == definition => {}
        Some(_) => {
            let message = format!("`{}` has arguments of other types in `{}`", line.call, function.name);
            let help = "say it of these functions in a table of their own".to_owned();
            return Err(wrong(message, &line.call, Some(help)));
        }
    }
    Ok(Way {
        param: String::new(),
        declared: String::new(),
        other: None,
        before: String::new(),
        between: String::new(),
        arg: String::new(),
        after: saved,
    })
}

/// A type whose values can be assigned to.
fn unqualified(ty: &str) -> &str {
    match ty.contains('*') {
        true => ty.trim_end().trim_end_matches("const").trim_end(),
        false => ty.trim_start().trim_start_matches("const "),
    }
}

#[test]
fn what_is_kept_can_be_assigned_to() {
    let cases = [
        ("const int", "int"),
        ("char *const", "char *"),
        ("const char *", "const char *"),
        ("size_t", "size_t"),
    ];
    for (ty, expect) in cases {
        assert_eq!(unqualified(ty), expect);
    }
}

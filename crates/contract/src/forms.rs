//! Functions that a contract adds to those of the headers: forms of variadic functions, macros by their prototypes, and what
//! reads and writes variables.
//!
//! Each becomes an inline function in C, behind the headers: the parser reads it as it reads theirs, and everything else
//! a contract says about functions can be said of it.

use std::collections::BTreeSet;
use std::ops::Range;

use hotcell_model::api::{Api, ConstantValue, Function};
use hotcell_model::interface::SandboxProfile;
use hotcell_model::types::Type;

use crate::check::names;
use crate::contract::{Contract, Each, FormLine, Stream, StreamLine};
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::Text;
use crate::pattern;
use crate::suggest::did_you_mean;

mod c;
pub(crate) mod fields;
mod given_back;
mod handed;
mod own;
mod told;
mod variables;
mod ways;
mod with;

use c::Written;
use fields::Access;
use ways::Way;
pub(crate) use ways::is_file;

/// A function that a contract adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form {
    /// Its name.
    pub(crate) name: String,
    /// Its name in C: another one where it stands for a function of the headers.
    pub(crate) c_name: String,
    /// The function of the headers that it calls.
    pub(crate) of: Option<String>,
    /// What of the contract it comes from.
    pub(crate) span: Range<usize>,
    /// Its definition.
    pub(crate) c: String,
    /// What it does, where it is about a field of an object or a variable.
    pub(crate) access: Option<Access>,
    /// The parameters whose memory is measured: it calls its function twice.
    pub(crate) measured: Vec<Text>,
}

impl Form {
    /// Whether it stands for the function of the headers that has its name.
    pub(crate) fn is_own(&self) -> bool {
        self.name != self.c_name
    }
}

/// What the library's files export.
#[derive(Debug, Clone, Copy)]
pub struct Exports<'a> {
    /// Functions.
    pub functions: Option<&'a BTreeSet<String>>,
    /// Variables.
    pub variables: Option<&'a BTreeSet<String>>,
}

/// Works out the functions that the contract adds: [`Contract::added`] has them afterwards, to be read behind the headers.
/// What comes back are warnings.
///
/// # Errors
///
/// Lines of the contract that cannot be true, in the order of the file.
pub fn add_forms(
    contract: &mut Contract,
    api: &Api,
    exports: Exports<'_>,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let (mut forms, mut given, mut findings) = (Vec::new(), Vec::new(), Vec::new());
    for lines in &contract.functions {
        let form = &lines.form;
        let name = Text { value: lines.name.clone(), span: lines.span.clone() };
        let made = match (&form.declare, &form.of) {
            (Some(declare), _) => of_macro(api, &name, declare).map(|form| vec![form]),
            (None, Some(of)) => {
                of_function(contract, api, exports, (&name, of, form), (&mut given, &mut findings))
            }
            (None, None) => continue,
        };
        match made {
            Ok(made) => forms.extend(made),
            Err(diagnostic) => findings.push(*diagnostic),
        }
    }
    own::add(contract, api, exports, &mut forms, &mut given, &mut findings);
    findings.extend(descriptors(contract));
    let mut needs = told::functions(contract, api, &mut findings);
    variables::add(contract, api, exports, &mut forms, &mut findings);
    fields::add(contract, api, &mut forms, &mut findings);
    twice(api, &forms, &mut findings);
    findings.iter_mut().for_each(|finding| finding.file = contract.file.clone());
    findings.sort_by_key(|finding| finding.span.as_ref().map(|span| span.start));
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(findings);
    }
    let ways = contract.functions.iter().flat_map(|lines| &lines.form.streams).map(|line| line.stream);
    needs.splice(0..0, ways::needs(ways).map(str::to_owned));
    needs.extend(given);
    contract.say_returned(api);
    contract.set_forms(needs, forms);
    Ok(findings)
}

/// What a C compiler says of an added function, as a remark on the contract. `line` is that of the text behind the headers,
/// from 1.
pub fn not_c(contract: &Contract, line: u32, message: &str) -> Diagnostic {
    let form = contract.form_of_line(line);
    let text = match form {
        Some(form) => format!("`{}` is not what C understands: {message}", form.name),
        None => message.to_owned(),
    };
    let diagnostic = Diagnostic::error(text);
    let diagnostic = Diagnostic { file: contract.file.clone(), ..diagnostic };
    match form {
        Some(form) => diagnostic
            .at(form.span.clone())
            .help("write types and names as the headers do; every parameter has a name".to_owned()),
        None => diagnostic,
    }
}

/// Descriptors of data in memory need a system call that `compute` does not have.
fn descriptors(contract: &Contract) -> Option<Diagnostic> {
    let streams = contract.functions.iter().flat_map(|lines| &lines.form.streams);
    let first = { streams }.find(|line| line.stream == Stream::Descriptor)?;
    let sandbox = &contract.sandbox;
    let walled = sandbox.profile != SandboxProfile::Basic;
    if !walled || sandbox.allow.iter().any(|call| call.starts_with("memfd_create")) {
        return None;
    }
    let message = "the sandbox does not let the worker make descriptors of data in memory";
    let help = "add `memfd_create` to `allow` of the sandbox: `sandbox = { profile = \"custom\", allow = [\"memfd_create\"] }`";
    Some(Diagnostic::error(message).at(first.param.span.clone()).help(help.to_owned()))
}

/// A macro, which is called by its name.
fn of_macro(api: &Api, name: &Text, declare: &Text) -> Result<Form, Box<Diagnostic>> {
    let wrong = |message: String, help: String| {
        Err(Box::new(Diagnostic::error(message).at(declare.span.clone()).help(help)))
    };
    let Some(params) = api.function_macros.get(&name.value) else {
        let message = format!("the headers define no macro `{}` with arguments", name.value);
        let known = did_you_mean(&name.value, api.function_macros.keys().map(String::as_str));
        let declared = api.functions.iter().any(|function| function.name == name.value);
        let help = match declared {
            true => "it is a function: leave `declare` out".to_owned(),
            false => known.unwrap_or_else(|| "name the header that does in `headers`".to_owned()),
        };
        return Err(Box::new(Diagnostic::error(message).at(name.span.clone()).help(help)));
    };
    let example = || {
        let params: Vec<String> = params.iter().map(|param| format!("TYPE {param}")).collect();
        format!("write its prototype: `TYPE {}({})`", name.value, params.join(", "))
    };
    let written = match c::prototype(&declare.value, &name.value) {
        Ok(written) => written,
        Err(why) => return wrong(format!("this is no prototype of `{}`: {why}", name.value), example()),
    };
    let variadic = params.last().is_some_and(|param| param.ends_with("..."));
    if written.params.len() != params.len() && !variadic {
        let message = format!(
            "the macro `{}` takes {} arguments, not {}",
            name.value,
            params.len(),
            written.params.len()
        );
        return wrong(message, example());
    }
    let doc = format!("The macro `{}`.", name.value);
    let c = c::function(&name.value, &written, &name.value, &written.names(), &[], &doc);
    let c_name = name.value.clone();
    let (of, access, measured) = (None, None, Vec::new());
    Ok(Form { name: name.value.clone(), c_name, of, span: declare.span.clone(), c, access, measured })
}

/// The function of the headers that a form calls.
fn called<'a>(api: &'a Api, exports: Exports<'_>, of: &Text) -> Result<&'a Function, Box<Diagnostic>> {
    let wrong = |message: String, help: Option<String>| {
        Err(Box::new(Diagnostic::error(message).at(of.span.clone()).help(help)))
    };
    let Some(function) = api.functions.iter().find(|function| function.name == of.value) else {
        let help = did_you_mean(&of.value, api.functions.iter().map(|function| function.name.as_str()));
        return wrong(format!("the headers declare no function `{}`", of.value), help);
    };
    if !function.inline && exports.functions.is_some_and(|all| !all.contains(&of.value)) {
        return wrong(format!("the library does not export `{}`", of.value), None);
    }
    Ok(function)
}

/// Forms of a function.
fn of_function(
    contract: &Contract,
    api: &Api,
    exports: Exports<'_>,
    (name, of, form): (&Text, &Text, &FormLine),
    (given, findings): (&mut Vec<String>, &mut Vec<Diagnostic>),
) -> Result<Vec<Form>, Box<Diagnostic>> {
    let function = called(api, exports, of)?;
    if !function.prototyped && form.further.is_none() {
        let message = format!("`{}` is declared without a prototype", of.value);
        let help =
            "say what it takes: `further = \"const char *text, int n\"`, or `further = \"\"`".to_owned();
        return Err(Box::new(Diagnostic::error(message).at(of.span.clone()).help(help)));
    }
    let (mut written, ways) = head(api, function, form, given)?;
    let callee = c::callee(function, &written);
    let own = names::names(function);
    let doc = |what: &str| {
        let own = function.doc.as_deref().map(|doc| format!("\n\n{doc}")).unwrap_or_default();
        format!("{what}{own}")
    };
    let form_of = |name: String, args: &[String], written: &Written, what: &str| Form {
        c: c::function(&name, written, &callee, args, &ways, &doc(what)),
        c_name: name.clone(),
        name,
        of: Some(of.value.clone()),
        span: of.span.clone(),
        access: None,
        measured: form.measured(),
    };
    let Some(each) = &form.each else {
        let what = format!("Calls `{}`.", of.value);
        return Ok(vec![form_of(name.value.clone(), &written.names(), &written, &what)]);
    };
    let Some(index) = own.iter().position(|own| *own == each.param.value) else {
        let message = format!("`{}` has no parameter `{}`", of.value, each.param.value);
        let help = did_you_mean(&each.param.value, own.iter().map(String::as_str));
        return Err(Box::new(Diagnostic::error(message).at(each.param.span.clone()).help(help)));
    };
    let mut args = written.names();
    written.params.remove(index);
    let constants = chosen(contract, api, each, findings);
    let made = constants.into_iter().map(|(constant, rest)| {
        args[index].clone_from(&constant);
        let what = format!("Calls `{}` with `{constant}`.", of.value);
        form_of(name.value.replace('*', &rest.to_ascii_lowercase()), &args, &written, &what)
    });
    Ok(made.collect())
}

/// What a function takes in this form, and how that becomes what it takes in the headers.
fn head(
    api: &Api,
    function: &Function,
    form: &FormLine,
    given: &mut Vec<String>,
) -> Result<(Written, Vec<Way>), Box<Diagnostic>> {
    let own = names::names(function);
    let types = function.params.iter().map(|param| param.ty.written.as_str());
    let mut written = Written {
        result: function.result.written.clone(),
        params: types.zip(&own).map(|(ty, name)| c::Param::of(ty, name)).collect(),
        handed: None,
    };
    let wrong = |message: String, at: &Text, help: &str| {
        Box::new(Diagnostic::error(message).at(at.span.clone()).help(help.to_owned()))
    };
    let declared = |text: &Text, key: &str| {
        c::params(&text.value).map_err(|why| {
            let message = format!("these are no parameters in C: {why}");
            wrong(
                message,
                text,
                &format!("write types and names, as in `{key} = \"const char *text, int n\"`"),
            )
        })
    };
    if let Some(typed) = &form.typed {
        for param in declared(typed, "as")? {
            let Some(index) = own.iter().position(|name| *name == param.name) else {
                let message = format!("`{}` has no parameter `{}`", function.name, param.name);
                let help = did_you_mean(&param.name, own.iter().map(String::as_str));
                return Err(Box::new(Diagnostic::error(message).at(typed.span.clone()).help(help)));
            };
            let ty = &function.params[index].ty;
            if !ty.pointee().is_some_and(|(pointee, _)| pointee.kind == Type::Void) {
                let message = format!("`{}` is `{}`, which says what it points to", param.name, ty.written);
                return Err(wrong(message, typed, "`as` is about parameters that are `void *`"));
            }
            written.params[index] = param;
        }
    }
    if let Some(further) = &form.further {
        if !function.variadic && function.prototyped {
            let message = format!("`{}` takes no further arguments", function.name);
            return Err(wrong(
                message,
                further,
                "only a function that ends in `...` does, or one that is declared with `()`",
            ));
        }
        let more = declared(further, "further")?;
        if let Some(twice) = more.iter().find(|param| own.contains(&param.name)) {
            let message = format!("`{}` has a parameter `{}` already", function.name, twice.name);
            return Err(wrong(message, further, "give it another name"));
        }
        written.params.extend(more);
    }
    let made = |name: &str| {
        form.streams.iter().any(|line| line.stream == Stream::Fields && line.param.value == name)
    };
    let with = |name: &str| form.with.iter().any(|line| line.param.value == name);
    let travel = |line: &&StreamLine| line.stream != Stream::Fields || !with(&line.param.value);
    let ways = form.streams.iter().filter(travel).map(|line| ways::of(api, function, &own, line));
    let mut ways: Vec<Way> = ways.collect::<Result<_, _>>()?;
    for line in &form.with {
        ways.push(with::of(api, function, &own, line, made(&line.param.value))?);
    }
    let result = match &form.returns {
        Some(returns) => {
            let (way, result) = handed::of(function, &own, returns, &mut written)?;
            ways.push(way);
            result
        }
        None => given_back::Returned { ty: &function.result, param: None },
    };
    for line in &form.gives {
        ways.push(given_back::of(api, function, &own, (line, result), given)?);
    }
    once(function, form, &ways)?;
    Ok((written, ways))
}

/// What is made for one call does not go with memory that is measured by another call. What is released is seen to where all
/// parameters are known.
fn once(function: &Function, form: &FormLine, ways: &[Way]) -> Result<(), Box<Diagnostic>> {
    let idle = |way: &Way| way.before.is_empty() && way.after.is_empty();
    let mut ways = ways.iter().filter(|way| !way.param.is_empty() && way.between.is_empty());
    let twice = form.streams.iter().find(|line| line.stream == Stream::Measured);
    let (Some(line), Some(once)) = (twice, ways.find(|way| !idle(way))) else { return Ok(()) };
    let message = format!("`{}` is called twice, and `{}` is there for one call", function.name, once.param);
    let help = "write `out = \"buffer\"` with a capacity that is known before".to_owned();
    Err(Box::new(Diagnostic::error(message).at(line.param.span.clone()).help(help)))
}

/// The integer constants that are meant, each with what is different in it.
fn chosen(
    contract: &Contract,
    api: &Api,
    each: &Each,
    findings: &mut Vec<Diagnostic>,
) -> Vec<(String, String)> {
    let integer = |value: &ConstantValue| matches!(value, ConstantValue::Int(_) | ConstantValue::Uint(_));
    let integers = api.constants.iter().filter(|(_, constant)| integer(&constant.value));
    let names: Vec<&str> = integers.map(|(name, _)| name.as_str()).collect();
    let mut found: Vec<(String, String)> = Vec::new();
    for text in &each.constants {
        let what = "integer constant of the headers";
        findings.extend(pattern::useless(&contract.text, text, names.iter().copied(), what));
        let before = text.value.find(['*', '{']).unwrap_or(0);
        for name in names.iter().filter(|name| pattern::matches(&text.value, name)) {
            if !found.iter().any(|(other, _)| other == name) {
                found.push(((*name).to_owned(), name[before..].to_owned()));
            }
        }
    }
    found
}

/// Says which names are taken.
fn twice(api: &Api, forms: &[Form], findings: &mut Vec<Diagnostic>) {
    for (at, form) in forms.iter().enumerate() {
        let wrong = |message: String| {
            let help = "give it another name".to_owned();
            Diagnostic::error(message).at(form.span.clone()).help(help)
        };
        if form.is_own() {
            continue;
        }
        if api.functions.iter().any(|function| function.name == form.name) {
            findings.push(wrong(format!("the headers have a function `{}` already", form.name)));
        } else if forms[..at].iter().any(|other| other.name == form.name) {
            findings.push(wrong(format!("two functions would be called `{}`", form.name)));
        }
    }
}

#[cfg(test)]
mod tests;

//! `object.field` in an expression, where the object is no structure that travels: the function that `get` adds for the field, called with the object. A field that only `has` names
//! is whether it is there.

use hotcell_model::types::CType;

use crate::check::decide::Site;
use crate::check::{resolve, select};
use crate::diagnostic::Diagnostic;
use crate::expression::{Kind, Node};
use crate::suggest::did_you_mean;

/// The expression with calls in place of fields.
pub(crate) fn called(site: Site<'_>, node: &Node) -> Result<Node, Box<Diagnostic>> {
    let kind = match &node.kind {
        Kind::Field(object, _) if travels(site, object) => node.kind.clone(),
        Kind::Field(object, path) => Kind::Call(reader(site, node, object, path)?, vec![node.called(object)]),
        Kind::Call(function, args) => {
            let args = args.iter().map(|arg| called(site, arg)).collect::<Result<_, _>>()?;
            Kind::Call(function.clone(), args)
        }
        Kind::Binary(op, left, right) => {
            Kind::Binary(*op, Box::new(called(site, left)?), Box::new(called(site, right)?))
        }
        other => other.clone(),
    };
    Ok(Node { kind, span: node.span.clone() })
}

/// Whether a parameter is a structure that travels with the call: its fields are at hand.
fn travels(site: Site<'_>, name: &str) -> bool {
    let [index] = resolve::param(site, name)[..] else { return false };
    let ty = &site.function.params[index].ty;
    let record = ty.pointee().map_or(ty, |(pointee, _)| pointee).record();
    let known = record.and_then(|record| site.known.structs.get(record));
    known.is_some_and(|structure| !structure.resident)
}

/// The function that reads a field of what a parameter points to.
fn reader(site: Site<'_>, node: &Node, object: &str, path: &str) -> Result<String, Box<Diagnostic>> {
    let wrong = |message: String| Diagnostic::error(message).at(node.span.clone());
    let [index] = resolve::param(site, object)[..] else {
        let message = format!("`{object}` is no parameter: only what is passed has fields");
        let help = did_you_mean(object, site.names.iter().map(String::as_str));
        return Err(wrong(message).help(help).into());
    };
    let ty = &site.function.params[index].ty;
    if ty.pointee().is_none() {
        return Err(wrong(format!("`{object}` is no structure whose fields go with the call")).into());
    }
    let lines = site.contract.handles.iter().map(|line| &line.name);
    let lines = lines.chain(site.contract.structs.iter().map(|lines| &lines.name));
    let field = path.replace('.', "_");
    let named = lines.flat_map(|name| ["get", "has"].map(|word| format!("{name}_{word}_{field}")));
    let reads = |name: &String| {
        let function = site.contract.added_function(name).and_then(|_| select::find(site.api, name));
        function.is_some_and(|function| function.params.first().is_some_and(|own| same(&own.ty, ty)))
    };
    { named }.find(reads).ok_or_else(|| {
        let message = format!("`{object}` is `{}`, and no function reads `{path}` of it", ty.written);
        let help = format!("add `get = [\"{path}\"]` to the line of `[handle]` or `[struct]` about it");
        wrong(message).help(help).into()
    })
}

/// Whether both point to the same structure.
fn same(one: &CType, other: &CType) -> bool {
    let record = |ty: &CType| Some(ty.pointee()?.0.record()?.to_owned());
    record(one).is_some() && record(one) == record(other)
}

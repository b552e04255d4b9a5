//! Batches and pipelines: which functions can be in one, and the methods that put them there.

use crate::Error;
use crate::rust::arguments::Arguments;
use crate::rust::context::Context;
use crate::rust::format;
use crate::rust::function::Method;
use crate::rust::names::{self, Scope};
use crate::rust::results::{add, outcomes};
use crate::shape::owner::Owner;

/// The method that puts a call of this function into a batch, or a pipeline. There is no other.
pub(crate) fn methods<'a>(context: &mut Context<'a>, index: usize) -> Result<Vec<Method>, Error> {
    let function = &context.interface.functions[index];
    let name = context.names.batch[index].clone();
    let mut scope = Scope::with(names::LOCALS);
    let mut arguments = Arguments::of(context, function, Owner::Library, &mut scope)?;
    arguments.params[0] = "&mut self".into();
    let outcomes = outcomes(context, function, &arguments)?;
    let ty = match outcomes.as_slice() {
        [] => "()".to_owned(),
        [one] => one.ty.clone(),
        _ => context.output(index),
    };
    let constant = format!("table::{}", context.names.indices[index]);
    let variable = if arguments.puts.is_empty() { "call" } else { "mut call" };
    let mut body = Vec::new();
    match arguments.objects(context, function, &mut scope, false) {
        None => body.extend(format::start(8, variable, ("batch", "entry"), &constant)),
        Some((name, statement)) => {
            body.extend(statement);
            let args = format!("{constant}, &{name}");
            body.extend(format::start(8, variable, ("batch", "entry_of"), &args));
        }
    }
    body.extend(arguments.puts.iter().cloned());
    add(&mut body, outcomes, &ty, &mut scope);
    let owner = Owner::of(function).key();
    let owner = owner.map_or(&context.names.library, |key| &context.names.objects[key]);
    let method = format!("{owner}::{}", context.names.methods[index]);
    let mut docs = vec![format!("[`{method}`](crate::{method}) in this batch, or pipeline.")];
    docs.extend(arguments.notes.iter().flat_map(|note| [String::new(), note.clone()]));
    let result = format!("hotcell::Result<hotcell::Ticket<{ty}>>");
    let opening = format::signature(4, &format!("pub fn {name}"), &arguments.params, &result);
    Ok(vec![Method { docs, opening, body, once: None, output: None }])
}

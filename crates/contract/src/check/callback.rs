//! Functions of the application that the library calls: their parameters, and what comes with them.

use hotcell_model::api::{Function, Param};
use hotcell_model::interface::{Callback, CallbackScope, Role};
use hotcell_model::layout::Block;
use hotcell_model::types::{CType, Signature, Type};

use crate::check::decide::{Decided, Site};
use crate::check::{life, names};
use crate::contract::{Item, What};
use crate::diagnostic::Diagnostic;

mod failure;
mod kept;
mod params;
mod stream;
mod threads;
mod user_data;

pub(super) use kept::ending;

/// Decides the callbacks, each with the parameter that carries its user data.
pub(crate) fn decide(
    site: Site<'_>,
    items: &[(usize, &Item)],
    decided: &mut Decided,
    wrong: &mut Vec<Diagnostic>,
) {
    for (index, item) in items.iter().filter(|(_, item)| matches!(item.what, What::Callback | What::Kept)) {
        let Type::FunctionPointer { signature } = &site.function.params[*index].ty.kind else { continue };
        let function = function(&site.names[*index], signature);
        let names = names::names(&function);
        let inside = Site { function: &function, names: &names, ..site };
        let before = wrong.len();
        let user_data = user_data::param(site, item, decided, wrong);
        let scope = match item.what {
            What::Kept => kept::scope(site, *index, item, decided, wrong),
            _ => Some(CallbackScope::Call),
        };
        let params = params::params(inside, item, wrong);
        let threads = threads::of(inside, item, &params, wrong);
        let stream = stream::of(inside, item, &params, wrong);
        let user_data_from = user_data::from(inside, item, wrong);
        let on_failure = failure::value(site, *index, item, &signature.result, wrong);
        let failure_call = failure::call(inside, item, &signature.result, wrong);
        if wrong.len() > before {
            continue;
        }
        let args = match Block::of_callback(&params, &site.api.target) {
            Ok(args) => args,
            Err(reason) => {
                wrong.push(Diagnostic::error(reason).at(item.span.clone()));
                continue;
            }
        };
        let Some(scope) = scope else { continue };
        let result = signature.result.clone();
        let callback = Callback {
            params,
            args,
            result,
            scope,
            threads,
            stream,
            on_failure,
            failure_call,
            user_data,
            user_data_from,
        };
        let role = Role::Callback { callback: Box::new(callback), nullable: item.nullable };
        decided.draft.params[*index] = Some(site.decided(role, &item.span));
        if let Some(position) = user_data {
            let span = item.user_data.as_ref().map_or(&item.span, |text| &text.span);
            let role = Role::UserData { callback: *index };
            decided.draft.params[position].get_or_insert(site.decided(role, span));
        }
    }
}

/// The callback as a function, in which its parameters have their names.
fn function(name: &str, signature: &Signature) -> Function {
    let param = |(name, ty): &(Option<String>, CType)| Param {
        name: name.clone(),
        ty: ty.clone(),
        array_length: None,
        open_array: false,
    };
    let params = signature.params.iter().map(param).collect();
    Function { params, ..life::nowhere(name, signature.result.clone()) }
}

fn is_void_pointer(ty: &CType) -> bool {
    matches!(ty.pointee(), Some((CType { kind: Type::Void, .. }, _)))
}

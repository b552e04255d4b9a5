//! Function declarations, each function once.

use std::collections::HashMap;

use clang::{Entity, TypeKind};
use hotcell_model::api::{Attribute, Function, Param};
use hotcell_model::spelling::is_name;

use crate::attributes;
use crate::comments;
use crate::types::{Context, Types};

/// All declarations of each function, in the order of the first ones.
#[derive(Default)]
pub(crate) struct Declarations<'tu> {
    functions: Vec<Vec<Entity<'tu>>>,
    positions: HashMap<String, usize>,
}

impl<'tu> Declarations<'tu> {
    pub(crate) fn add(&mut self, declaration: Entity<'tu>) {
        let Some(name) = declaration.get_name() else {
            return;
        };
        let position = *self.positions.entry(name).or_insert_with(|| {
            self.functions.push(Vec::new());
            self.functions.len() - 1
        });
        self.functions[position].push(declaration);
    }

    pub(crate) fn convert(&self, types: &mut Types<'tu, '_>) -> Vec<Function> {
        self.functions.iter().filter_map(|declarations| function(declarations, types)).collect()
    }
}

fn function<'tu>(declarations: &[Entity<'tu>], types: &mut Types<'tu, '_>) -> Option<Function> {
    let origins = types.origins;
    let best = *declarations.iter().rev().max_by_key(|declaration| rank(declaration))?;
    let places: Vec<_> = declarations.iter().map(|declaration| origins.location(declaration)).collect();
    let location = places.iter().find(|place| place.primary).or(places.first())?.clone();
    let ty = best.get_type()?;
    let params = best.get_arguments().unwrap_or_default();
    let params = params.into_iter().filter_map(|param| {
        let written = param.get_type()?;
        let (ty, array_length) = types.parameter(written, &Context::of(Some(param)));
        let name = param.get_name().filter(|name| is_name(name));
        let kind = written.get_canonical_type().get_kind();
        let open_array = matches!(kind, TypeKind::IncompleteArray | TypeKind::VariableArray);
        Some(Param { name, ty, array_length, open_array })
    });
    let params: Vec<_> = params.collect();
    let attributes = declarations.iter().flat_map(attributes::attributes).collect();
    // Another declaration may name parameters of one that has none.
    let is_of_params = |attribute: &Attribute| match attribute {
        Attribute::Nonnull { params: named } => named.iter().all(|index| (*index as usize) < params.len()),
        _ => true,
    };
    let mut attributes = attributes::merge(attributes);
    attributes.retain(is_of_params);
    Some(Function {
        name: best.get_name()?,
        params,
        result: types.convert(ty.get_result_type()?, &Context::of(None)),
        // libclang calls `int f()` variadic too.
        variadic: prototyped(&best) && ty.is_variadic(),
        prototyped: prototyped(&best),
        inline: declarations.iter().any(|declaration| declaration.is_definition()),
        attributes,
        doc: declarations.iter().find_map(|declaration| comments::doc_of_function(declaration, origins)),
        location,
    })
}

/// The declaration to take types and names from is the one with most names, the first among equals.
fn rank(declaration: &Entity<'_>) -> (bool, usize) {
    let params = declaration.get_arguments().unwrap_or_default();
    let named = params.iter().filter(|param| param.get_name().is_some_and(|name| !name.is_empty()));
    (prototyped(declaration), named.count())
}

fn prototyped(declaration: &Entity<'_>) -> bool {
    let kind = declaration.get_type().map(|ty| ty.get_canonical_type().get_kind());
    kind != Some(TypeKind::FunctionNoPrototype)
}

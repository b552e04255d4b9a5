//! Variables that headers declare `extern`, each once.

use std::collections::HashSet;

use clang::{Entity, StorageClass};
use hotcell_model::api::Variable;

use crate::comments;
use crate::types::{Context, Types};

/// The declared variables, in the order of their first declarations.
pub(crate) fn convert<'tu>(declarations: &[Entity<'tu>], types: &mut Types<'tu, '_>) -> Vec<Variable> {
    let mut seen = HashSet::new();
    let external = declarations.iter().filter(|it| it.get_storage_class() == Some(StorageClass::Extern));
    let variable = |declaration: &Entity<'tu>| {
        let name = declaration.get_name().filter(|name| seen.insert(name.clone()))?;
        let ty = declaration.get_type()?;
        // An array's qualifiers are those of its elements.
        let element = ty.get_canonical_type().get_element_type();
        let constant = ty.is_const_qualified() || element.is_some_and(|element| element.is_const_qualified());
        let location = types.origins.location(declaration);
        let doc = comments::doc(declaration, types.origins);
        let ty = types.convert(ty, &Context::of(Some(*declaration)));
        Some(Variable { name, ty, constant, doc, location })
    };
    external.filter_map(variable).collect()
}

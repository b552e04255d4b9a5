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

/// How the result of a function's type is qualified, `const int (void)`, where it is: of a pointer behind its last star. What a pointer
/// to a function is qualified by is not looked for.
fn result_qualifiers(ty: &str) -> Option<String> {
    let (result, _) = ty.split_once('(')?;
    let own = result.rsplit_once('*').map_or(result, |(_, behind)| behind);
    let words = own.split_whitespace().take_while(|word| ["const", "volatile", "restrict"].contains(word));
    Some(words.collect::<Vec<_>>().join(" ")).filter(|words| !words.is_empty())
}

fn function<'tu>(declarations: &[Entity<'tu>], types: &mut Types<'tu, '_>) -> Option<Function> {
    let origins = types.origins;
    let best = *declarations.iter().rev().max_by_key(|declaration| rank(declaration))?;
    let places: Vec<_> = declarations.iter().map(|declaration| origins.location(declaration)).collect();
    let location = places.iter().find(|place| place.primary).or(places.first())?.clone();
    let ty = best.get_type()?;
    let is_prototyped = prototyped(&best);
    // Names without a prototype are what its definition calls what callers pass, and no types that it could be called with.
    let params = best.get_arguments().filter(|_| is_prototyped).unwrap_or_default();
    let params = params.into_iter().filter_map(|param| {
        let written = param.get_type()?;
        let (ty, array_length) = types.parameter(written, &Context::of(Some(param)));
        let name = param.get_name().filter(|name| is_name(name));
        let kind = written.get_canonical_type().get_kind();
        let open_array = matches!(kind, TypeKind::IncompleteArray | TypeKind::VariableArray);
        Some(Param { name, ty, array_length, open_array })
    });
    let params: Vec<_> = params.collect();
    let name = best.get_name()?;
    let mut attributes: Vec<_> = declarations.iter().flat_map(attributes::attributes).collect();
    let symbol = declarations.iter().rev().find_map(|declaration| symbol(declaration, &name));
    attributes.extend(symbol.map(|name| Attribute::Symbol { name }));
    let words = result_qualifiers(&ty.get_canonical_type().get_display_name());
    attributes.extend(words.map(|words| Attribute::QualifiedResult { words }));
    // Another declaration may name parameters of one that has none.
    let is_of_params = |attribute: &Attribute| match attribute {
        Attribute::Nonnull { params: named } => named.iter().all(|index| (*index as usize) < params.len()),
        _ => true,
    };
    let mut attributes = attributes::merge(attributes);
    attributes.retain(is_of_params);
    Some(Function {
        name,
        params,
        result: types.convert(ty.get_result_type()?, &Context::of(None)),
        // libclang calls `int f()` variadic too.
        variadic: is_prototyped && ty.is_variadic(),
        prototyped: is_prototyped,
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
    kind != Some(TypeKind::FunctionNoPrototype) && !is_old_style(declaration)
}

/// Whether it is defined with names alone in its parentheses: `int f(a) char a; { … }`. To the parser it has a prototype then; to
/// compilers it has none, and takes what `char` is promoted to.
fn is_old_style(declaration: &Entity<'_>) -> bool {
    if !declaration.is_definition() {
        return false;
    }
    let params = declaration.get_arguments().unwrap_or_default();
    let names: Vec<_> = params.iter().filter_map(Entity::get_name).collect();
    let Some(name) = declaration.get_name().filter(|_| !names.is_empty()) else { return false };
    // Printed as it was written: with a prototype a type stands before each name.
    let printed = without_texts(&declaration.get_pretty_printer().print());
    let names = names.join(", ");
    let stands = |head: &str, may_stand_before: fn(char) -> bool| {
        printed.match_indices(head).any(|(at, _)| {
            let before = &printed[..at];
            before.chars().next_back().is_none_or(may_stand_before) && !before.contains(['{', ';'])
        })
    };
    stands(&format!("{name}({names})"), |before| !before.is_alphanumeric() && !matches!(before, '_' | '('))
        || stands(&format!("({name})({names})"), |before| !before.is_alphanumeric() && before != '_')
}

/// What is printed, but for what is in quotes: attributes have texts, which may be anything.
fn without_texts(printed: &str) -> String {
    let mut parts = printed.split('"');
    let mut kept = parts.next().unwrap_or_default().to_owned();
    while let (Some(_), Some(behind)) = (parts.next(), parts.next()) {
        kept.push_str(behind);
    }
    kept
}

/// The name of its symbol, where that is another.
fn symbol(declaration: &Entity<'_>, name: &str) -> Option<String> {
    let symbol = declaration.get_mangled_name()?;
    // What no prefix of the system's is to be put before begins so.
    let symbol = symbol.strip_prefix('\u{1}').unwrap_or(&symbol);
    (!symbol.is_empty() && symbol != name).then(|| symbol.to_owned())
}

#[cfg(test)]
mod tests {
    use super::result_qualifiers;

    #[test]
    fn results_are_qualified_by_themselves_and_not_by_what_they_point_to() {
        let said = |ty| result_qualifiers(ty).unwrap_or_default();
        assert_eq!(["const int (void)", "const volatile long (long)"].map(said), ["const", "const volatile"]);
        assert_eq!(["int *const (int)", "char **const volatile ()"].map(said), ["const", "const volatile"]);
        assert_eq!(["int (void)", "struct constant (void)", "void (*(int))(void)"].map(said), ["", "", ""]);
    }
}

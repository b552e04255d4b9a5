//! Typedefs, which a canonical type forgets: what the header wrote behind a name.

use std::collections::HashMap;

use clang::{Entity, Type, TypeKind};

/// A type without typedefs, and what they said on the way.
#[derive(Clone, Copy)]
pub(crate) struct Sugar<'tu> {
    /// What is behind the typedefs.
    pub(crate) plain: Type<'tu>,
    /// The last typedef.
    pub(crate) declaration: Option<Entity<'tu>>,
    /// Whether one of the typedefs was `va_list`.
    pub(crate) va_list: bool,
}

/// What is behind typedefs, by their declarations: each one of a chain is gone through once.
#[derive(Default)]
pub(crate) struct Sugars<'tu> {
    known: HashMap<Entity<'tu>, Sugar<'tu>>,
}

impl<'tu> Sugars<'tu> {
    pub(crate) fn of(&mut self, ty: Type<'tu>) -> Sugar<'tu> {
        let mut sugar = Sugar { plain: ty, declaration: None, va_list: false };
        // Typedefs on the way, with whether they are `va_list`.
        let mut passed = Vec::new();
        loop {
            let next = match sugar.plain.get_kind() {
                TypeKind::Typedef => sugar.plain.get_declaration().and_then(|declaration| {
                    if let Some(known) = self.known.get(&declaration) {
                        sugar = *known;
                        return None;
                    }
                    let name = declaration.get_name().unwrap_or_default();
                    let is_list = matches!(name.as_str(), "va_list" | "__gnuc_va_list" | "__builtin_va_list");
                    passed.push((declaration, is_list));
                    sugar.declaration = Some(declaration);
                    declaration.get_typedef_underlying_type()
                }),
                TypeKind::Elaborated => sugar.plain.get_elaborated_type(),
                TypeKind::Attributed => sugar.plain.get_modified_type(),
                _ => None,
            };
            match next {
                Some(next) => sugar.plain = next,
                None => break,
            }
        }
        for (declaration, is_list) in passed.into_iter().rev() {
            sugar.va_list |= is_list;
            self.known.insert(declaration, sugar);
        }
        sugar
    }
}

impl<'tu> Sugar<'tu> {
    /// The pointee as it is written, if the pointer itself is not hidden behind something else.
    pub(crate) fn pointee(&self, canonical: Type<'tu>) -> Type<'tu> {
        let written = (self.plain.get_kind() == TypeKind::Pointer).then(|| self.plain.get_pointee_type());
        written.flatten().unwrap_or(canonical)
    }

    /// The element as it is written, likewise.
    pub(crate) fn element(&self, canonical: Type<'tu>) -> Option<Type<'tu>> {
        let array = matches!(
            self.plain.get_kind(),
            TypeKind::ConstantArray | TypeKind::IncompleteArray | TypeKind::VariableArray
        );
        array.then(|| self.plain.get_element_type()).flatten().or_else(|| canonical.get_element_type())
    }
}

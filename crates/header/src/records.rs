//! Structures, unions and enumerations: their names, layouts and values.

use clang::{Entity, EntityKind, Type as ClangType, TypeKind};
use hotcell_model::api::{DEEPEST_RECORD, Enum, Field, MOST_PARTS, Record, RecordLayout};
use hotcell_model::spelling::{is_key, is_type};
use hotcell_model::types::Type;

use crate::comments;
use crate::error::{Error, ErrorKind};
use crate::spelling::{is_identifier, tag, unnamed_place};
use crate::types::{Context, Place, Types, because};

/// How a record or enumeration is called.
struct Named {
    key: String,
    /// Empty when C has no words for it.
    c_name: String,
}

impl<'tu> Types<'tu, '_> {
    /// The key of a record, which is read when it is met for the first time.
    pub(crate) fn record(&mut self, declaration: Entity<'tu>, context: &Context<'tu>) -> String {
        let id = declaration.get_canonical_entity();
        if let Some(key) = self.keys.get(&id) {
            return key.clone();
        }
        let taken = |types: &Self, key: &str| types.records.contains_key(key);
        let Named { key, c_name } = self.name(declaration, context, taken);
        self.keys.insert(id, key.clone());
        let body = declaration.get_definition();
        let entity = body.unwrap_or(id);
        let record = Record {
            c_name: c_name.clone(),
            union: entity.get_kind() == EntityKind::UnionDecl,
            layout: None,
            doc: comments::doc_of_type(&entity, self.origins),
            location: self.origins.location(&entity),
        };
        // Before its fields, which may point back to it.
        self.records.insert(key.clone(), record);
        if let Some(ty) = body.and_then(|body| body.get_type()) {
            let owner = match &context.place {
                // Its fields are reached through what it is a member of.
                Some(place) if place.anonymous => place.expression.clone(),
                _ => (!c_name.is_empty()).then(|| format!("*({c_name} *)0")),
            };
            let layout = self.layout(ty, &key, owner.as_deref());
            if let Some(record) = self.records.get_mut(&key) {
                record.layout = layout;
            }
        }
        key
    }

    /// Fields of a record, those of records in it among them, each as often as it is there; and how many records are within each other.
    /// libclang visits each of the fields for each of the record's own.
    fn parts_of(&mut self, ty: ClangType<'tu>, depth: usize) -> (u64, usize) {
        let (ty, is_array) = innermost(ty.get_canonical_type());
        let (TypeKind::Record, Some(declaration)) = (ty.get_kind(), ty.get_declaration()) else {
            return (1, 0);
        };
        let id = declaration.get_canonical_entity();
        let (parts, height) = match self.parts.get(&id) {
            Some(&known) => known,
            None if depth > DEEPEST_RECORD => (u64::MAX, depth),
            None => {
                let fields = ty.get_fields().unwrap_or_default();
                let types = fields.into_iter().filter_map(|field| field.get_type());
                let (mut sum, mut height) = (0_u64, 0);
                for ty in types {
                    let (parts, levels) = self.parts_of(ty, depth + 1);
                    (sum, height) = (sum.saturating_add(parts), height.max(levels));
                }
                self.parts.insert(id, (sum, height));
                (sum, height)
            }
        };
        (if is_array { 1 } else { parts }, height + 1)
    }

    fn layout(&mut self, ty: ClangType<'tu>, key: &str, owner: Option<&str>) -> Option<RecordLayout> {
        let ty = ty.get_canonical_type();
        let (parts, height) = self.parts_of(ty, 0);
        if parts > MOST_PARTS || height > DEEPEST_RECORD + 1 {
            let what = format!(
                "`{key}` has more than {MOST_PARTS} fields with those of the structures in it, or more than {DEEPEST_RECORD} \
                 structures within each other"
            );
            let help = "a header like this cannot be read: name the headers that have what is to be called, without it";
            self.too_many.get_or_insert_with(|| Error::new(ErrorKind::HeaderInvalid, what).help(help));
            return None;
        }
        let (size, align) = (ty.get_sizeof().ok()? as u64, ty.get_alignof().ok()? as u64);
        let mut fields = Vec::new();
        for (index, field) in ty.get_fields()?.into_iter().enumerate() {
            // Since clang 16 a member without a name is spelled with its place.
            let name = field.get_name().filter(|name| !name.is_empty() && !name.contains('('));
            let bit_width = field.is_bit_field().then(|| field.get_bit_field_width()).flatten();
            if name.is_none() && bit_width.is_some() {
                continue; // Padding.
            }
            let place = Place {
                key: format!("{key}.{}", name.clone().unwrap_or_else(|| index.to_string())),
                expression: match &name {
                    Some(name) => owner.map(|owner| format!("({owner}).{name}")),
                    None => owner.map(str::to_owned),
                },
                anonymous: name.is_none(),
            };
            let context = Context { declaration: Some(field), place: Some(place), depth: 0 };
            fields.push(Field {
                name,
                ty: self.convert(field.get_type()?, &context),
                offset_bits: field.get_offset_of_field().ok()? as u64,
                bit_width: bit_width.map(|width| width as u32),
            });
        }
        Some(RecordLayout { size, align, fields })
    }

    /// The type of an enumeration, which is read when it is met for the first time.
    pub(crate) fn enumeration(&mut self, declaration: Entity<'tu>, context: &Context<'tu>) -> Type {
        let id = declaration.get_canonical_entity();
        let entity = declaration.get_definition().unwrap_or(id);
        let Some(ty) = entity.get_enum_underlying_type().map(|ty| ty.get_canonical_type()) else {
            return because("its enumeration has no integer type");
        };
        let Ok(bytes @ (1 | 2 | 4 | 8)) = ty.get_sizeof() else {
            return because("its enumeration has an integer type of unusual size");
        };
        let signed = ty.is_signed_integer();
        let name = self.keys.get(&id).cloned().unwrap_or_else(|| {
            let taken = |types: &Self, key: &str| types.enums.contains_key(key);
            let Named { key, c_name } = self.name(declaration, context, taken);
            self.keys.insert(id, key.clone());
            let value = Enum {
                c_name,
                enumerators: enumerators(entity, signed),
                doc: comments::doc_of_type(&entity, self.origins),
                location: self.origins.location(&entity),
            };
            self.enums.insert(key.clone(), value);
            key
        });
        Type::Enum { name, bits: bytes as u16 * 8, signed }
    }

    fn name(
        &mut self,
        declaration: Entity<'tu>,
        context: &Context<'tu>,
        taken: impl Fn(&Self, &str) -> bool,
    ) -> Named {
        let spelling = declaration.get_type().map(|ty| ty.get_canonical_type().get_display_name());
        let spelling = spelling.unwrap_or_default();
        let named = if let Some(tag) = tag(&spelling) {
            Named { key: tag.to_owned(), c_name: spelling.clone() }
        } else if is_identifier(&spelling) {
            // A tag and a typedef of the same name may be different types.
            let key =
                if self.tags.contains(&spelling) { format!("typedef {spelling}") } else { spelling.clone() };
            Named { key, c_name: spelling.clone() }
        } else {
            let place = context.place.clone();
            let key = place.as_ref().map(|place| place.key.clone()).filter(|key| is_key(key));
            let key = key.unwrap_or_else(|| "unnamed".into());
            let expression = place.filter(|place| !place.anonymous).and_then(|place| place.expression);
            let c_name = expression.map(|expression| format!("__typeof__({expression})"));
            let c_name = c_name.filter(|c_name| is_type(c_name));
            Named { key, c_name: c_name.unwrap_or_default() }
        };
        let Named { key, c_name } = named;
        if let Some(place) = unnamed_place(&spelling) {
            self.unnamed.insert(place.to_owned(), c_name.clone());
        }
        let numbered = (2..).map(|n| format!("{key}.{n}"));
        let key = std::iter::once(key.clone()).chain(numbered).find(|key| !taken(self, key));
        Named { key: key.unwrap_or_default(), c_name }
    }
}

/// What an array of arrays consists of in the end, and whether it is one.
fn innermost(mut ty: ClangType<'_>) -> (ClangType<'_>, bool) {
    let mut is_array = false;
    while let Some(element) = ty
        .get_element_type()
        .filter(|_| matches!(ty.get_kind(), TypeKind::ConstantArray | TypeKind::IncompleteArray))
    {
        (ty, is_array) = (element.get_canonical_type(), true);
    }
    (ty, is_array)
}

fn enumerators(entity: Entity<'_>, signed: bool) -> Vec<(String, i64)> {
    let constants = entity.get_children().into_iter();
    constants
        .filter(|child| child.get_kind() == EntityKind::EnumConstantDecl)
        .filter_map(|child| {
            let (value, bits) = child.get_enum_constant_value()?;
            Some((child.get_name()?, if signed { value } else { bits as i64 }))
        })
        .collect()
}

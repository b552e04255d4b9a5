//! libclang's types to the model's.

use std::collections::{BTreeMap, HashMap, HashSet};

use clang::{Entity, EntityKind, Type as ClangType, TypeKind};
use hotcell_model::api::{DEEPEST_TYPE, Enum, Record};
use hotcell_model::spelling::is_name;
use hotcell_model::types::{CType, Signature, Type};

use crate::error::Error;
use crate::origin::Origins;
use crate::spelling::{Unnamed, pointer_to, spell};
use crate::sugar::{Sugar, Sugars};

/// Types seen so far, with the records and enumerations they led to.
pub(crate) struct Types<'tu, 'o> {
    pub(crate) origins: &'o Origins<'o>,
    pub(crate) records: BTreeMap<String, Record>,
    pub(crate) enums: BTreeMap<String, Enum>,
    /// Keys of records and enumerations by their canonical declarations.
    pub(crate) keys: HashMap<Entity<'tu>, String>,
    /// Tags the headers declare: a typedef's name that is also a tag is no key.
    pub(crate) tags: HashSet<String>,
    pub(crate) unnamed: Unnamed,
    pub(crate) sugars: Sugars<'tu>,
    /// Fields of records, those of records in them among them, and how many of those are within each other.
    pub(crate) parts: HashMap<Entity<'tu>, (u64, usize)>,
    /// A record with more of them than can be read.
    pub(crate) too_many: Option<Error>,
}

/// Where a type stands, for what has no name of its own.
#[derive(Clone)]
pub(crate) struct Context<'tu> {
    /// Declaration whose children name a function pointer's parameters.
    pub(crate) declaration: Option<Entity<'tu>>,
    pub(crate) place: Option<Place>,
    /// Pointers, arrays and functions around it.
    pub(crate) depth: u32,
}

/// What to call a record or enumeration without a name.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) key: String,
    /// A C expression of its type or, for an anonymous member, of what it is a member of.
    pub(crate) expression: Option<String>,
    /// Whether it is an anonymous member, whose type C has no words for.
    pub(crate) anonymous: bool,
}

impl<'tu> Context<'tu> {
    /// A declaration that gives nothing a name but a function pointer's parameters.
    pub(crate) fn of(declaration: Option<Entity<'tu>>) -> Self {
        Context { declaration, place: None, depth: 0 }
    }

    /// The same, so many pointers, arrays and functions deep.
    fn within(self, depth: u32) -> Self {
        Context { depth, ..self }
    }

    fn target(&self) -> Self {
        self.step(|expression| format!("*({expression})"))
    }

    fn element(&self) -> Self {
        self.step(|expression| format!("({expression})[0]"))
    }

    fn step(&self, step: impl Fn(&String) -> String) -> Self {
        let place = self
            .place
            .clone()
            .map(|place| Place { expression: place.expression.as_ref().map(step), ..place });
        Context { declaration: self.declaration, place, depth: self.depth + 1 }
    }
}

impl<'tu> Types<'tu, '_> {
    /// A type as a value, a field, a pointee or an element.
    pub(crate) fn convert(&mut self, ty: ClangType<'tu>, context: &Context<'tu>) -> CType {
        // The kind first: it names what the spellings then use.
        let kind = match context.depth {
            0..=DEEPEST_TYPE => self.kind(ty, context),
            _ => because("it has too many pointers, arrays and functions within each other"),
        };
        let written = spell(ty, &self.unnamed);
        CType { written, canonical: spell(ty.get_canonical_type(), &self.unnamed), kind }
    }

    /// A type as a parameter: arrays and functions decay. Also the number of elements in brackets.
    pub(crate) fn parameter(&mut self, ty: ClangType<'tu>, context: &Context<'tu>) -> (CType, Option<u64>) {
        let canonical = ty.get_canonical_type();
        let sugar = self.sugars.of(ty);
        let context = Context { declaration: sugar.declaration.or(context.declaration), ..context.clone() };
        if sugar.va_list {
            return (self.convert(ty, &context), None);
        }
        match canonical.get_kind() {
            TypeKind::ConstantArray | TypeKind::IncompleteArray | TypeKind::VariableArray => {}
            TypeKind::FunctionPrototype | TypeKind::FunctionNoPrototype => {
                let kind = self.function_pointer(sugar.plain, canonical, &context);
                let pointer = |ty| pointer_to(&spell(ty, &self.unnamed));
                return (CType { written: pointer(ty), canonical: pointer(canonical), kind }, None);
            }
            _ => return (self.convert(ty, &context), None),
        }
        let length = canonical.get_size().filter(|_| canonical.get_kind() == TypeKind::ConstantArray);
        let (Some(element), Some(plain)) = (sugar.element(canonical), canonical.get_element_type()) else {
            return (unsupported(ty, &self.unnamed, "its elements are unknown"), None);
        };
        let pointee = self.convert(element, &context.clone().within(context.depth + 1));
        // The canonical array, not its element, carries the element's qualifiers.
        let constant = plain.is_const_qualified() || canonical.is_const_qualified();
        let constant = if constant { "const " } else { "" };
        let ty = CType {
            written: decayed(constant, &pointee.written),
            canonical: decayed(constant, &pointee.canonical),
            kind: match unsafe_to_touch(plain).or_else(|| unsafe_to_touch(canonical)) {
                Some(reason) => Type::Unsupported { reason },
                None => Type::Pointer { pointee: Box::new(pointee), constant: !constant.is_empty() },
            },
        };
        (ty, length.map(|length| length as u64))
    }

    fn kind(&mut self, ty: ClangType<'tu>, context: &Context<'tu>) -> Type {
        let canonical = ty.get_canonical_type();
        let sugar = self.sugars.of(ty);
        if sugar.va_list {
            return because("it is a `va_list`");
        }
        let int = |signed| match canonical.get_sizeof() {
            Ok(bytes @ (1 | 2 | 4 | 8)) => Type::Int { bits: bytes as u16 * 8, signed },
            _ => because("it is an integer of unusual size"),
        };
        use TypeKind as K;
        match canonical.get_kind() {
            K::Void => Type::Void,
            K::Bool => Type::Bool,
            K::CharS | K::CharU => Type::Char,
            K::SChar | K::Short | K::Int | K::Long | K::LongLong => int(true),
            K::UChar | K::UShort | K::UInt | K::ULong | K::ULongLong => int(false),
            K::WChar | K::Char16 | K::Char32 => int(canonical.is_signed_integer()),
            K::Float => Type::Float { bits: 32 },
            K::Double => Type::Float { bits: 64 },
            K::Enum => match canonical.get_declaration() {
                Some(declaration) => self.enumeration(declaration, context),
                None => because("its enumeration is not declared"),
            },
            K::Record => match canonical.get_declaration() {
                Some(declaration) if is_va_list_record(declaration) => because("it is a `va_list`"),
                Some(declaration) if is_of_a_parameter_list(declaration) => {
                    because("its structure is declared inside a parameter list, where no caller can name it")
                }
                Some(declaration) => Type::Record { name: self.record(declaration, context) },
                None => because("its structure is not declared"),
            },
            K::Pointer => self.pointer(&sugar, canonical, context),
            K::ConstantArray | K::IncompleteArray => match sugar.element(canonical) {
                Some(element) => {
                    let constant = canonical.get_kind() == K::ConstantArray;
                    let length = canonical.get_size().filter(|_| constant).map(|length| length as u64);
                    Type::Array { element: Box::new(self.convert(element, &context.element())), length }
                }
                None => because("its elements are unknown"),
            },
            K::FunctionPrototype | K::FunctionNoPrototype => {
                because("it is a function, not a pointer to one")
            }
            kind => because(refusal(kind, &canonical.get_display_name())),
        }
    }

    fn pointer(&mut self, sugar: &Sugar<'tu>, canonical: ClangType<'tu>, context: &Context<'tu>) -> Type {
        let Some(plain) = canonical.get_pointee_type() else {
            return because("what it points to is unknown");
        };
        let pointee = sugar.pointee(plain);
        if matches!(plain.get_kind(), TypeKind::FunctionPrototype | TypeKind::FunctionNoPrototype) {
            let inner = self.sugars.of(pointee);
            let declaration = inner.declaration.or(sugar.declaration).or(context.declaration);
            let context = Context { declaration, ..context.clone() };
            return self.function_pointer(inner.plain, plain, &context);
        }
        if let Some(reason) = unsafe_to_touch(plain) {
            return Type::Unsupported { reason };
        }
        let context = Context { declaration: sugar.declaration.or(context.declaration), ..context.target() };
        let constant = plain.is_const_qualified();
        Type::Pointer { pointee: Box::new(self.convert(pointee, &context)), constant }
    }

    fn function_pointer(
        &mut self,
        function: ClangType<'tu>,
        canonical: ClangType<'tu>,
        context: &Context<'tu>,
    ) -> Type {
        let depth = context.depth + 1;
        if canonical.get_kind() == TypeKind::FunctionNoPrototype {
            return because("it points to a function without a prototype");
        }
        let function = if function.get_argument_types().is_some() { function } else { canonical };
        let types = function.get_argument_types().unwrap_or_default();
        // Only when the numbers agree are these the parameters of this pointer, and not of a function
        // that returns it or that it returns.
        let named: Vec<_> = context
            .declaration
            .map(|declaration| declaration.get_children())
            .unwrap_or_default()
            .into_iter()
            .filter(|child| child.get_kind() == EntityKind::ParmDecl)
            .collect();
        let named = (named.len() == types.len()).then_some(named);
        let params = types
            .into_iter()
            .enumerate()
            .map(|(index, ty)| {
                let entity = named.as_ref().map(|named| named[index]);
                let ty = entity.and_then(|entity| entity.get_type()).unwrap_or(ty);
                let name = entity.and_then(|entity| entity.get_name()).filter(|name| is_name(name));
                (name, self.parameter(ty, &Context::of(entity).within(depth)).0)
            })
            .collect();
        let result = function.get_result_type().unwrap_or(canonical);
        let result = self.convert(result, &Context::of(None).within(depth));
        Type::FunctionPointer {
            signature: Box::new(Signature { params, result, variadic: canonical.is_variadic() }),
        }
    }
}

/// Why memory of this type cannot be copied in and out.
fn unsafe_to_touch(pointee: ClangType<'_>) -> Option<String> {
    if pointee.is_volatile_qualified() {
        return Some("it points to volatile memory".into());
    }
    // `__seg_gs`: the same number is another place there.
    if pointee.get_address_space() != 0 {
        return Some("it points into another address space".into());
    }
    pointee.get_display_name().contains("_Atomic(").then(|| "it points to an atomic".into())
}

/// Whether a structure has no declaration outside of a function's parameters: then it is another type than any of
/// that name elsewhere.
fn is_of_a_parameter_list(declaration: Entity<'_>) -> bool {
    let parent = declaration.get_canonical_entity().get_semantic_parent();
    parent.is_some_and(|parent| parent.get_kind() == EntityKind::FunctionDecl)
}

fn is_va_list_record(declaration: Entity<'_>) -> bool {
    // The record behind `va_list`: x86-64's, then AArch64's.
    declaration.get_name().is_some_and(|name| name == "__va_list_tag" || name == "__va_list")
}

fn decayed(constant: &str, element: &str) -> String {
    // `const` goes to the pointer when the element is one, else before the element.
    match (constant.is_empty(), element.ends_with('*')) {
        (false, true) => format!("{element}const *"),
        _ => pointer_to(&format!("{constant}{element}")),
    }
}

fn refusal(kind: TypeKind, spelling: &str) -> &'static str {
    match kind {
        TypeKind::LongDouble => "it is a `long double`",
        TypeKind::Float128 => "it is a 128-bit floating-point number",
        TypeKind::Half | TypeKind::Float16 => "it is a 16-bit floating-point number",
        TypeKind::Int128 | TypeKind::UInt128 => "it is a 128-bit integer",
        TypeKind::Vector | TypeKind::ExtVector => "it is a vector",
        TypeKind::BlockPointer => "it is a block",
        TypeKind::VariableArray => "it is an array of variable length",
        _ if spelling.contains("_Complex ") => "it is a complex number",
        _ if spelling.contains("_Atomic(") => "it is atomic",
        _ if spelling.contains("_BitInt(") => "it is a `_BitInt`",
        _ if spelling.contains("vector") => "it is a vector",
        _ => "it is of a kind that is not known",
    }
}

pub(crate) fn because(reason: &str) -> Type {
    Type::Unsupported { reason: reason.into() }
}

fn unsupported(ty: ClangType<'_>, unnamed: &Unnamed, reason: &str) -> CType {
    let canonical = spell(ty.get_canonical_type(), unnamed);
    CType { written: spell(ty, unnamed), canonical, kind: because(reason) }
}

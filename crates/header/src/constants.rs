//! Object-like macros and enumerators with constant values.
//!
//! libclang evaluates declarations, not macros. So the headers are parsed once more with one declaration
//! per macro behind them: `__auto_type v = MACRO;`. What is no constant expression is an error there, and
//! no constant.

use std::collections::{BTreeMap, HashMap};

use clang::{Entity, EntityKind, EvaluationResult, Index, TypeKind, Unsaved};
use hotcell_model::api::{Constant, ConstantValue, Location};

use crate::error::{Error, ErrorKind};
use crate::job::{MAIN_FILE, Source};
use crate::macros::{self, Lengths};
use crate::origin::Origins;

const VALUE: &str = "hotcell_value_";
const SIZE: &str = "hotcell_size_";

/// Most words and signs of a macro, when the macros in it stand for theirs, that is tried as a constant. libclang takes a
/// level of its stack for each operator, and twenty lines that each name the one before twice are a million of them.
const LONGEST: u64 = 4096;

/// Macros of a translation unit.
#[derive(Debug, Default)]
pub(crate) struct Macros {
    /// Object-like macros that may be constants, at their last definition.
    objects: BTreeMap<String, Location>,
    /// Parameters of the function-like macros of primary files.
    pub(crate) functions: BTreeMap<String, Vec<String>>,
    /// Initial values in braces, of the object-like macros of primary files.
    pub(crate) initializers: BTreeMap<String, String>,
}

impl Macros {
    pub(crate) fn read(children: &[Entity<'_>], origins: &Origins<'_>) -> Self {
        let mut macros = Macros::default();
        let mut lengths = Lengths::default();
        for entity in children.iter().filter(|child| child.get_kind() == EntityKind::MacroDefinition) {
            let location = origins.location(entity);
            // Those of the compiler and of the command line are in no file.
            let Some(definition) = entity.get_range().and_then(|range| origins.text(range)) else {
                continue;
            };
            let Some(name) = entity.get_name() else { continue };
            lengths.add(&name, &definition);
            macros.objects.remove(&name);
            macros.functions.remove(&name);
            macros.initializers.remove(&name);
            if entity.is_function_like_macro() {
                if location.primary {
                    macros.functions.insert(name, macros::parameters(&definition));
                }
            } else if macros::may_be_constant(&name, &definition) {
                macros.objects.insert(name, location);
            } else if let Some(values) = macros::initializer(&name, &definition).filter(|_| location.primary)
            {
                macros.initializers.insert(name, values);
            }
        }
        macros.objects.retain(|name, _| lengths.of(name) <= LONGEST);
        macros
    }

    /// The macros that are constants.
    pub(crate) fn evaluate(
        self,
        index: &Index<'_>,
        arguments: &[String],
        source: &Source,
    ) -> Result<BTreeMap<String, Constant>, Error> {
        let mut text = source.text.clone();
        for (number, name) in self.objects.keys().enumerate() {
            // The semicolon on a line of its own, so that nothing in the macro can hide it.
            text.push_str(&format!("__auto_type {VALUE}{number} = {name}\n;\n"));
            text.push_str(&format!("__auto_type {SIZE}{number} = sizeof({name})\n;\n"));
        }
        let unit = index
            .parser(MAIN_FILE)
            .arguments(arguments)
            .unsaved(&[Unsaved::new(MAIN_FILE, text)])
            .skip_function_bodies(true)
            .parse()
            .map_err(|error| Error::new(ErrorKind::ParserFailed, format!("evaluating macros: {error}")))?;
        let variables: HashMap<_, _> = unit
            .get_entity()
            .get_children()
            .into_iter()
            .filter(|child| child.get_kind() == EntityKind::VarDecl)
            .filter_map(|child| Some((child.get_name()?, child)))
            .collect();
        let constants = self.objects.into_iter().enumerate().filter_map(|(number, (name, location))| {
            let size = variables.get(&format!("{SIZE}{number}"));
            let value = value(variables.get(&format!("{VALUE}{number}"))?, size)?;
            Some((name, Constant { value, location }))
        });
        Ok(constants.collect())
    }
}

/// Adds the enumerators of an enumeration.
pub(crate) fn add_enumerators(
    constants: &mut BTreeMap<String, Constant>,
    enumeration: &Entity<'_>,
    origins: &Origins<'_>,
) {
    let ty = enumeration.get_enum_underlying_type().map(|ty| ty.get_canonical_type());
    let unsigned = ty.is_some_and(|ty| ty.is_unsigned_integer());
    for child in enumeration.get_children() {
        let Some((name, (value, bits))) = child.get_name().zip(child.get_enum_constant_value()) else {
            continue;
        };
        let value = if unsigned { integer(bits) } else { ConstantValue::Int(value) };
        constants.insert(name, Constant { value, location: origins.location(&child) });
    }
}

fn value(variable: &Entity<'_>, size: Option<&Entity<'_>>) -> Option<ConstantValue> {
    let ty = variable.get_type()?.get_canonical_type();
    let scalar = ty.is_integer() || ty.get_kind() == TypeKind::Enum;
    match variable.evaluate()? {
        EvaluationResult::SignedInteger(value) if scalar && ty.get_sizeof().ok()? <= 8 => {
            Some(ConstantValue::Int(value))
        }
        EvaluationResult::UnsignedInteger(value) if scalar && ty.get_sizeof().ok()? <= 8 => {
            Some(integer(value))
        }
        // Not `long double`: its value does not fit.
        EvaluationResult::Float(value) if matches!(ty.get_kind(), TypeKind::Float | TypeKind::Double) => {
            Some(ConstantValue::Float(value))
        }
        EvaluationResult::String(text) => {
            let text = text.into_string().ok()?;
            let pointee = ty.get_pointee_type()?.get_kind();
            // libclang cuts a text at its first NUL, and wide texts too; the size tells.
            let whole = matches!(size?.evaluate()?, EvaluationResult::UnsignedInteger(size) if size == text.len() as u64 + 1);
            (whole && matches!(pointee, TypeKind::CharS | TypeKind::CharU))
                .then_some(ConstantValue::Text(text))
        }
        _ => None,
    }
}

fn integer(value: u64) -> ConstantValue {
    i64::try_from(value).map_or(ConstantValue::Uint(value), ConstantValue::Int)
}

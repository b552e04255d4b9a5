//! What a header says, before any contract: the API model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::spelling::declared;
use crate::types::{CType, Target};

mod flaw;
mod float;

pub use flaw::{DEEPEST_RECORD, DEEPEST_TYPE, MOST_PARTS};

/// A number for how this version of the model is written: programs that send an [`Api`] to each other compare it.
pub const FORM: u64 = {
    let form = form(0xcbf2_9ce4_8422_2325, include_str!("api.rs").as_bytes());
    let form = self::form(form, include_str!("api/float.rs").as_bytes());
    let form = self::form(form, include_str!("types.rs").as_bytes());
    self::form(form, include_str!("types/read.rs").as_bytes())
};

/// A number for `text` behind what `form` stands for: FNV-1a.
pub const fn form(mut form: u64, text: &[u8]) -> u64 {
    let mut at = 0;
    while at < text.len() {
        form = (form ^ text[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    form
}

/// Everything a set of headers declares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Api {
    /// The machine the layouts hold for.
    pub target: Target,
    /// Functions in the order of their first declaration.
    pub functions: Vec<Function>,
    /// Structures and unions by tag, or by typedef name when they have no tag.
    pub records: BTreeMap<String, Record>,
    /// Enumerations by tag, or by typedef name when they have no tag.
    pub enums: BTreeMap<String, Enum>,
    /// Object-like macros and enumerators with a constant value.
    pub constants: BTreeMap<String, Constant>,
    /// Names of function-like macros, with their parameter names.
    pub function_macros: BTreeMap<String, Vec<String>>,
    /// Object-like macros that are initial values in braces, with these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub initializers: BTreeMap<String, String>,
    /// Variables that are declared `extern`, in the order of their first declaration.
    #[serde(default)]
    pub variables: Vec<Variable>,
    /// Functions that are declared and that no package can have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// A function that no package can have, as its name cannot be seen for example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its name, with escapes for what cannot be seen.
    pub name: String,
    /// What no package can have.
    pub reason: String,
    /// Where it is declared.
    pub location: Location,
}

/// What [`Location::file`] says of declarations that a contract has added behind the headers.
pub const CONTRACT: &str = "<contract>";

/// A variable of the library.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type, without its own qualifiers.
    pub ty: CType,
    /// Whether it may not be written.
    pub constant: bool,
    /// The comment before it, without comment marks.
    pub doc: Option<String>,
    /// Where it is declared.
    pub location: Location,
}

/// A place in a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// File as the parser names it.
    pub file: String,
    /// 1-based line.
    pub line: u32,
    /// Whether the file is one of the headers that were asked for, not one they include.
    pub primary: bool,
}

/// A declared function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Parameters in order.
    pub params: Vec<Param>,
    /// Result type.
    pub result: CType,
    /// Whether it ends in `...`.
    pub variadic: bool,
    /// False for `int f()` without a prototype.
    pub prototyped: bool,
    /// Whether the header defines it (`static inline`), so that no library need export it.
    pub inline: bool,
    /// What attributes say.
    pub attributes: Vec<Attribute>,
    /// The comment before it, without comment marks.
    pub doc: Option<String>,
    /// Where it is declared.
    pub location: Location,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Name, when the header gives one.
    pub name: Option<String>,
    /// Type.
    pub ty: CType,
    /// Elements the header writes in brackets, as in `unsigned char digest[32]`.
    pub array_length: Option<u64>,
    /// Whether there is no number in the brackets: an array, as in `double values[]`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open_array: bool,
}

/// An attribute that says something about a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "attribute", rename_all = "kebab-case")]
pub enum Attribute {
    /// Does not return.
    Noreturn,
    /// The result is fresh memory.
    Malloc,
    /// These parameters (0-based) must not be null; empty: all pointers.
    Nonnull {
        /// 0-based parameter positions.
        params: Vec<u32>,
    },
    /// Takes a format string.
    Format,
    /// `annotate("…")`.
    Annotate {
        /// The text.
        text: String,
    },
    /// Deprecated.
    Deprecated,
    /// `__asm__("…")`: its symbol has another name than it.
    Symbol {
        /// That name, whatever it is made of.
        name: String,
    },
    /// `const int f(void)`: its result is qualified, which says nothing of a value, and is a part of the function's type for some
    /// compilers.
    QualifiedResult {
        /// By these words.
        words: String,
    },
}

/// A structure or union.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// How C names it: `struct foo`, `foo_t`.
    pub c_name: String,
    /// Whether it is a union.
    pub union: bool,
    /// Layout; absent when the header only declares it (opaque).
    pub layout: Option<RecordLayout>,
    /// The comment before it.
    pub doc: Option<String>,
    /// Where it is declared.
    pub location: Location,
}

/// Size, alignment and fields of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordLayout {
    /// Bytes.
    pub size: u64,
    /// Bytes.
    pub align: u64,
    /// Fields in order.
    pub fields: Vec<Field>,
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Name; absent for an anonymous member.
    pub name: Option<String>,
    /// Type.
    pub ty: CType,
    /// Bits from the start of the record.
    pub offset_bits: u64,
    /// Bits of a bit-field.
    pub bit_width: Option<u32>,
}

/// An enumeration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Enum {
    /// How C names it.
    pub c_name: String,
    /// Enumerators in order, with their values.
    pub enumerators: Vec<(String, i64)>,
    /// The comment before it.
    pub doc: Option<String>,
    /// Where it is declared.
    pub location: Location,
}

/// A named constant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Constant {
    /// Its value.
    pub value: ConstantValue,
    /// Where it is defined.
    pub location: Location,
}

/// The value of a constant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "kebab-case")]
pub enum ConstantValue {
    /// A signed integer.
    Int(i64),
    /// An unsigned integer above `i64::MAX`.
    Uint(u64),
    /// A floating-point number.
    Float(#[serde(with = "float")] f64),
    /// A string.
    Text(String),
}

impl Api {
    /// The first thing in it that no header says, for an API that comes from another process; `None` when it is sound. A type that names a
    /// record that is not there is such a thing, and a name that is no identifier.
    pub fn flaw(&self) -> Option<String> {
        flaw::first(self)
    }

    /// Takes out what [`Api::flaw`] would refuse though C allows it: functions, variables, constants and macros one by one, and layouts of
    /// records.
    pub fn leave_out_flaws(&mut self) {
        flaw::leave_out(self);
    }
}

impl Function {
    /// The name of its symbol: its own, unless the header says another.
    pub fn symbol(&self) -> &str {
        let said = self.attributes.iter().find_map(|attribute| match attribute {
            Attribute::Symbol { name } => Some(name.as_str()),
            _ => None,
        });
        said.unwrap_or(&self.name)
    }

    /// Whether the header says that it does not return.
    pub fn noreturn(&self) -> bool {
        self.attributes.contains(&Attribute::Noreturn)
    }

    /// The declaration on one line, as the header writes its types.
    pub fn signature(&self) -> String {
        let mut params: Vec<String> = self
            .params
            .iter()
            .map(|p| match &p.name {
                Some(name) => declared(&p.ty.written, name),
                None => p.ty.written.clone(),
            })
            .collect();
        if self.variadic {
            params.push("...".into());
        }
        if params.is_empty() && self.prototyped {
            params.push("void".into());
        }
        let qualified = self.attributes.iter().find_map(|attribute| match attribute {
            Attribute::QualifiedResult { words } if self.result.written.ends_with('*') => {
                Some(format!("{}{words}", self.result.written))
            }
            Attribute::QualifiedResult { words } => Some(format!("{words} {}", self.result.written)),
            _ => None,
        });
        let result = qualified.as_deref().unwrap_or(&self.result.written);
        declared(result, &format!("{}({})", self.name, params.join(", ")))
    }
}

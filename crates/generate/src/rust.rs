//! Rust packages: a crate with a method for every function, which compiles its shim when it is built.

use std::path::PathBuf;

use hotcell_model::Interface;
use hotcell_model::api::ConstantValue;
use serde::Serialize;

use crate::rust::function::{Context, Method};
use crate::rust::types::Enums;
use crate::{Error, shim, templates};

mod docs;
mod format;
mod function;
mod names;
mod results;
mod types;

/// How a package is made.
#[derive(Debug, Clone)]
pub struct RustOptions {
    /// The package's name in `Cargo.toml`.
    pub crate_name: String,
    /// What stands behind `hotcell =` in `Cargo.toml`: `"0.1"`, `{ path = "…" }`.
    pub runtime: String,
}

/// What the templates of a package print.
#[derive(Serialize)]
struct Model<'a> {
    version: &'static str,
    fingerprint: String,
    crate_name: &'a str,
    runtime: &'a str,
    library: &'a str,
    library_literal: String,
    environment: String,
    sonames: String,
    package: String,
    fingerprint_rows: Vec<String>,
    table: Vec<String>,
    methods: Vec<Method>,
    enums: Vec<EnumModel>,
    constants: Vec<String>,
}

/// An enumeration as a type of its own.
#[derive(Serialize)]
struct EnumModel {
    name: String,
    integer: &'static str,
    docs: Vec<String>,
    c_name: String,
    values: Vec<String>,
}

/// Renders the package of an interface: paths within it, and texts.
///
/// # Errors
///
/// [`Error::Unsupported`] names the first function this version does not generate.
pub fn render(interface: &Interface, options: &RustOptions) -> Result<Vec<(PathBuf, String)>, Error> {
    let shim = shim::render(interface)?;
    let mut scope = names::Scope::with(names::PRELUDE);
    let package = scope.take_type(names::camel(&interface.library));
    let (enums, integers) = types::enums(interface, &mut scope);
    let enum_models =
        integers.iter().map(|(key, integer)| enumeration(interface, &enums, key, integer)).collect();
    let mut context =
        Context { interface, enums: &enums, methods: names::Scope::with(names::METHODS), types: scope };
    let methods = interface.functions.iter().enumerate();
    let methods = methods.map(|(index, function)| context.method(index, function));
    let model = Model {
        version: env!("CARGO_PKG_VERSION"),
        fingerprint: interface.fingerprint.to_string(),
        crate_name: &options.crate_name,
        runtime: &options.runtime,
        library: &interface.library,
        library_literal: format!("{:?}", interface.library),
        environment: names::screaming(&interface.library),
        sonames: format::constant(0, "const SONAMES: &str", &format!("{:?}", interface.link.join(" ")))
            .join("\n"),
        package,
        fingerprint_rows: format::rows(8, &interface.fingerprint.0),
        table: format::structures(
            &format!("static FUNCTIONS: [rt::Function; {}] = ", interface.functions.len()),
            "rt::Function",
            &interface.functions.iter().map(function::row).collect::<Vec<_>>(),
        ),
        methods: methods.collect::<Result<_, _>>()?,
        enums: enum_models,
        constants: constants(interface),
    };
    let mut files = vec![
        (PathBuf::from("Cargo.toml"), templates::render("Cargo.toml", &model)?),
        (PathBuf::from("build.rs"), templates::render("build.rs", &model)?),
        (PathBuf::from("interface.json"), interface.to_json()),
        (PathBuf::from("rustfmt.toml"), include_str!("../templates/rust/rustfmt.toml").to_owned()),
        (PathBuf::from("src/lib.rs"), templates::render("lib.rs", &model)?),
    ];
    files.extend(shim.files.into_iter().map(|(name, text)| (PathBuf::from("shim").join(name), text)));
    Ok(files)
}

fn enumeration(interface: &Interface, enums: &Enums, key: &str, integer: &'static str) -> EnumModel {
    let (item, name) = (&interface.enums[key], &enums[key]);
    let value = |(enumerator, value): &(String, i64)| {
        let head = format!("pub const {}: {name}", names::constant(enumerator));
        format::constant(4, &head, &format!("{name}({value})")).join("\n")
    };
    EnumModel {
        name: name.clone(),
        integer,
        docs: item.doc.as_deref().map(docs::from_header).unwrap_or_default(),
        c_name: item.c_name.clone(),
        values: item.enumerators.iter().map(value).collect(),
    }
}

/// The constants, in the smaller of `i32` and `i64` where they are integers.
fn constants(interface: &Interface) -> Vec<String> {
    let constants = interface.constants.iter().map(|(name, constant)| {
        let (ty, value) = match &constant.value {
            ConstantValue::Int(value) if i32::try_from(*value).is_ok() => ("i32", value.to_string()),
            ConstantValue::Int(value) => ("i64", value.to_string()),
            ConstantValue::Uint(value) => ("u64", value.to_string()),
            ConstantValue::Float(value) => ("f64", float(*value)),
            ConstantValue::Text(value) => ("&str", format!("{value:?}")),
        };
        format::constant(4, &format!("pub const {}: {ty}", names::constant(name)), &value).join("\n")
    });
    constants.collect()
}

fn float(value: f64) -> String {
    if value.is_nan() {
        "f64::NAN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "f64::INFINITY".into() } else { "f64::NEG_INFINITY".into() }
    } else {
        format!("{value:?}")
    }
}

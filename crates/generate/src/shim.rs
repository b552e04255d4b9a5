//! The shim: C that turns a request into a call of the library and its outcome into a reply.

use hotcell_model::Interface;
use serde::Serialize;

use crate::Error;
use crate::shim::function::FunctionModel;
use crate::shim::types::literal;
use crate::templates;

mod arguments;
mod arrays;
mod body;
mod callbacks;
mod cancels;
mod checks;
mod compile;
mod expr;
mod function;
mod handles;
mod images;
mod jumps;
mod keeps;
mod layouts;
mod life;
mod memory;
mod results;
mod structs;
mod texts;
mod told;
mod types;
mod walls;

pub use compile::{CompileOptions, compile, inputs};

/// The files of a shim. They compile in one directory: `cc -std=gnu17 -fPIC -shared shim.c …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShimSource {
    /// Names and texts: `shim.c`, `hotcell_shim.h`, `hotcell_wire.h`.
    pub files: Vec<(&'static str, String)>,
}

/// What `shim.c.j2` prints.
#[derive(Serialize)]
struct Model {
    version: &'static str,
    library: String,
    library_literal: String,
    fingerprint: String,
    fingerprint_bytes: Vec<String>,
    defines: Vec<String>,
    prelude: Option<String>,
    headers: Vec<String>,
    added: Vec<String>,
    checks: Vec<String>,
    layouts: Vec<String>,
    arrays: bool,
    calls_back: bool,
    cancels: bool,
    jumps: bool,
    walls: bool,
    structs: Vec<Vec<String>>,
    functions: Vec<FunctionModel>,
    init: Vec<String>,
    shutdown: Vec<String>,
    health: Vec<String>,
    abi: Vec<String>,
}

impl ShimSource {
    /// The text of `shim.c`.
    pub fn c(&self) -> &str {
        &self.files[0].1
    }
}

/// Renders the shim of an interface.
///
/// # Errors
///
/// [`Error::Unsupported`] names the first function whose roles this version does not generate: nothing is
/// left out in silence. [`Error::Inconsistent`] when the interface names what it does not have.
pub fn render(interface: &Interface) -> Result<ShimSource, Error> {
    handles::check(interface)?;
    let structs = images::render(interface)?;
    let functions = interface.functions.iter().enumerate();
    let functions = functions.map(|(index, function)| function::model(interface, index, function));
    let functions = functions.collect::<Result<Vec<_>, _>>()?;
    if functions.is_empty() || functions.len() >= usize::from(hotcell_protocol::wire::BATCH_FUNCTION) {
        let what = format!("an interface of {} functions", functions.len());
        return Err(Error::Unsupported { function: interface.library.clone(), what });
    }
    let model = Model {
        version: env!("CARGO_PKG_VERSION"),
        library: interface.library.clone(),
        library_literal: literal(&interface.library),
        fingerprint: interface.fingerprint.to_string(),
        fingerprint_bytes: function::bytes(&interface.fingerprint),
        defines: interface.source.defines.iter().map(|text| define(text)).collect(),
        prelude: interface.source.prelude.as_ref().map(|text| text.trim_end().to_owned()),
        headers: interface.source.headers.iter().map(|name| include(name)).collect(),
        added: interface.source.added.clone(),
        checks: checks::of_interface(interface),
        layouts: layouts::of_interface(interface),
        arrays: arrays::any(interface),
        calls_back: callbacks::any(interface),
        cancels: interface.functions.iter().any(|function| function.cancel.is_some()),
        jumps: interface.functions.iter().any(|function| !jumps::of(interface, function).is_empty()),
        walls: interface.functions.iter().any(walls::any),
        structs,
        functions,
        init: life::init(interface)?,
        shutdown: life::shutdown(interface)?,
        health: life::health(interface)?,
        abi: life::abi(interface)?,
    };
    let files = vec![
        ("shim.c", templates::render("shim.c", model)?),
        ("hotcell_shim.h", include_str!("../templates/shim/hotcell_shim.h").to_owned()),
        ("hotcell_wire.h", include_str!("../templates/shim/hotcell_wire.h").to_owned()),
    ];
    Ok(ShimSource { files })
}

/// What stands behind `#define` for a `-D` option.
fn define(option: &str) -> String {
    match option.split_once('=') {
        Some((name, value)) => format!("{name} {value}").trim_end().to_owned(),
        None => format!("{option} 1"),
    }
}

/// What stands behind `#include` for a header.
fn include(name: &str) -> String {
    if name.starts_with(['<', '"']) {
        name.to_owned()
    } else if name.starts_with('/') {
        format!("\"{name}\"")
    } else {
        format!("<{name}>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_defines() {
        let check = |option, expect: &str| assert_eq!(define(option), expect);
        check("NDEBUG", "NDEBUG 1");
        check("LEVEL=3", "LEVEL 3");
        check("EMPTY=", "EMPTY");
        check("F(x)=(x)", "F(x) (x)");
    }

    #[test]
    fn headers_become_includes() {
        let check = |name, expect: &str| assert_eq!(include(name), expect);
        check("zlib.h", "<zlib.h>");
        check("/opt/a.h", "\"/opt/a.h\"");
        check("\"a.h\"", "\"a.h\"");
    }
}

//! Go packages: a module with a type for the library and for each kind of its objects, which needs no cgo.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hotcell_model::Interface;
use hotcell_model::interface::Threads;
use serde::Serialize;

use crate::go::context::Context;
use crate::go::function::Method;
use crate::go::names::Names;
use crate::go::objects::Object;
use crate::go::structs::Record;
use crate::go::table::Table;
use crate::go::values::{Enumeration, Failure, Value};
use crate::shape::libraries::{self, LibraryFile};
use crate::shape::owner::Owner;
use crate::{Error, shape, shim};

mod arguments;
mod callbacks;
mod context;
mod docs;
mod file;
mod function;
mod names;
mod objects;
mod results;
mod runtime;
mod structs;
mod table;
mod texts;
mod types;
mod unions;
mod values;

pub use names::{check_module, module_name};
pub use runtime::FOLDER as CARRIED;

/// The folder of a package with its compiled shim.
pub const COMPILED: &str = "compiled";

/// The version of Go that packages need: their objects have `runtime.AddCleanup`.
pub const VERSION: &str = "1.24.0";

/// How a package is made.
#[derive(Debug, Clone)]
pub struct GoOptions {
    /// The path of its module.
    pub module: String,
    /// Where it finds the runtime.
    pub runtime: Runtime,
    /// The library files, in the order in which they are loaded; none for those of the interface, by their sonames.
    pub libraries: Vec<LibraryFile>,
}

/// Where a package finds the runtime's module, `hotcell`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runtime {
    /// In a folder of the package's own, with which it comes.
    Carried,
    /// As what is published: `v0.1.0`.
    Version(String),
    /// In a folder, from the package's own or absolute.
    Folder(String),
}

/// A package.
#[derive(Debug)]
pub struct Package {
    /// Paths within it, and texts.
    pub files: Vec<(PathBuf, String)>,
    /// Functions that have no method in it, and why: each is an [`Error::Unsupported`].
    pub left_out: Vec<Error>,
}

/// What the templates of a package print.
#[derive(Serialize)]
struct Model<'a> {
    version: &'static str,
    module: &'a str,
    package: String,
    go: &'static str,
    runtime_version: &'a str,
    runtime_path: Option<&'a str>,
    library: &'a str,
    library_literal: String,
    /// What becomes of calls of several goroutines.
    sharing: &'static str,
    /// The command that compiles the shim.
    compile: String,
    table: Table,
    /// Functions that belong to no object.
    methods: Vec<Method>,
    /// What can be put into a batch.
    batch: Vec<Method>,
    has_batch: bool,
    objects: Vec<Object>,
    records: Vec<Record>,
    enums: Vec<Enumeration>,
    constants: Vec<Value>,
    /// Values that no constant can have.
    variables: Vec<Value>,
    failures: Vec<Failure>,
    lists_objects: bool,
}

/// Renders the package of an interface. A function of which something cannot be generated is left out.
///
/// # Errors
///
/// [`Error::Inconsistent`] where the interface contradicts itself, [`Error::Unsupported`] where a structure cannot be
/// generated, or the shim.
pub fn render(interface: &Interface, options: &GoOptions) -> Result<Package, Error> {
    let shim = shim::render(interface)?;
    let mut package = package(interface, options)?;
    let shim = shim.files.into_iter().map(|(name, text)| (PathBuf::from("shim").join(name), text));
    package.files.extend(shim);
    if options.runtime == Runtime::Carried {
        package.files.extend(runtime::files());
    }
    Ok(package)
}

/// A package without its shim.
fn package(interface: &Interface, options: &GoOptions) -> Result<Package, Error> {
    let integers = shape::enums(interface);
    let names = Names::of(interface, integers.keys().map(String::as_str));
    let context = Context::new(interface, names);

    let (mut by_owner, mut left_out) = (BTreeMap::<Option<String>, Vec<Method>>::new(), Vec::new());
    let mut batch = Vec::new();
    for (index, function) in interface.functions.iter().enumerate() {
        let owner = Owner::of(function).key().map(str::to_owned);
        match function::method(&context, index) {
            Ok(method) => {
                let methods = by_owner.entry(owner).or_default();
                methods.push(method);
                methods.extend(function::lending(&context, index)?);
                methods.extend(function::by_columns(&context, index)?);
            }
            Err(unsupported @ Error::Unsupported { .. }) => {
                left_out.push(unsupported);
                continue;
            }
            Err(error) => return Err(error),
        }
        if shape::is_batched(function) {
            batch.push(function::batched(&context, index)?);
        }
    }
    let methods = by_owner.remove(&None).unwrap_or_default();

    let deeds = context.deeds();
    let mut objects = Vec::new();
    for key in interface.handles.keys() {
        let methods = by_owner.remove(&Some(key.clone())).unwrap_or_default();
        if methods.is_empty() && !context.has_object(key) {
            continue;
        }
        let record = match interface.structs.contains_key(key) {
            true => {
                let names = names_of(&context, interface, key);
                Some(structs::record(&context, key, deeds.get(key).copied().unwrap_or_default(), &names)?)
            }
            false => None,
        };
        objects.push(objects::object(&context, key, methods, record)?);
    }
    let plain = deeds.iter().filter(|(key, _)| !interface.handles.contains_key(*key));
    let records = plain.map(|(key, deeds)| structs::record(&context, key, *deeds, &[]));
    let records = records.collect::<Result<Vec<Record>, _>>()?;

    let lists_objects = context.lists_objects.get();
    let names = context.names.into_inner();
    let enums =
        integers.iter().map(|(key, kind)| values::enumeration(interface, &names, key, *kind)).collect();
    let (variables, constants) =
        values::constants(interface, &names).into_iter().partition(values::is_variable);
    let libraries = libraries::of(interface, &options.libraries);
    let carried = format!("./{}", runtime::FOLDER);
    let (runtime_version, runtime_path) = match &options.runtime {
        Runtime::Carried => (concat!("v", env!("CARGO_PKG_VERSION")), Some(carried.as_str())),
        Runtime::Version(version) => (version.as_str(), None),
        Runtime::Folder(folder) => ("v0.0.0", Some(folder.as_str())),
    };
    let model = Model {
        version: env!("CARGO_PKG_VERSION"),
        module: &options.module,
        package: names::package_name(&options.module),
        go: VERSION,
        runtime_version,
        runtime_path,
        library: &interface.library,
        library_literal: values::text(&interface.library),
        sharing: sharing(interface),
        compile: compile(&libraries),
        table: table::table(interface, &names, &libraries)?,
        methods,
        has_batch: !batch.is_empty(),
        batch,
        objects,
        records,
        enums,
        constants,
        variables,
        failures: values::failures(interface, &names),
        lists_objects,
    };
    Ok(Package { files: file::all(&model, interface)?, left_out })
}

/// The methods of a type.
fn names_of(context: &Context<'_>, interface: &Interface, key: &str) -> Vec<String> {
    let functions = interface.functions.iter().enumerate();
    let own = functions.filter(|(_, function)| Owner::of(function).key() == Some(key));
    own.map(|(index, _)| context.method(index)).collect()
}

/// What becomes of calls of several goroutines.
fn sharing(interface: &Interface) -> &'static str {
    match (interface.threads, interface.affine_handles().is_empty()) {
        (Threads::Reentrant, true) => "calls of several run at once",
        (Threads::PerHandle, true) => {
            "calls of several run at once, but one with each object and what belongs to it"
        }
        _ => "calls of several take turns",
    }
}

/// A word of a command, as `go generate` reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/+".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { values::text(word) }
}

/// The command that compiles the shim.
fn compile(libraries: &[LibraryFile]) -> String {
    let mut words = vec![format!(
        "cc -std=gnu17 -O2 -fno-builtin -fPIC -fvisibility=hidden -shared -Wall -Wextra -I shim -o {COMPILED}/shim.so \
         shim/shim.c -Wl,-z,defs -Wl,-z,now -Wl,-z,relro -Wl,--no-as-needed"
    )];
    for library in libraries {
        if let Some(folder) = &library.folder {
            words.push(format!("-L {}", quoted(folder)));
        }
        if library.linked {
            words.push(quoted(&format!("-l:{}", library.name)));
        }
    }
    words.join(" ")
}

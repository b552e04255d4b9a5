//! Rust packages: a crate with a type for the library and for each kind of its objects, which compiles its
//! shim when it is built.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hotcell_model::Interface;
use hotcell_model::interface::Threads;
use serde::Serialize;

use crate::rust::aio::Tasks;
use crate::rust::context::Context;
use crate::rust::methods::{Methods, Part};
use crate::rust::names::Names;
use crate::rust::objects::Object;
use crate::rust::structs::Record;
use crate::rust::table::Table;
use crate::rust::values::{Enumeration, Value};
use crate::shape::is_batched;
use crate::shape::libraries;
use crate::shape::owner::Owner;
use crate::{Error, shape, shim, templates};

mod again;
mod aio;
mod arguments;
mod batch;
mod callbacks;
mod context;
mod docs;
mod format;
mod function;
mod methods;
pub(crate) mod names;
mod objects;
mod results;
mod structs;
mod table;
mod texts;
pub(crate) mod types;
mod unions;
mod values;

pub use crate::shape::libraries::{LibraryFile, library_variable};
pub use names::{check_crate_name, crate_name};

/// How a package is made.
#[derive(Debug, Clone)]
pub struct RustOptions {
    /// The package's name in `Cargo.toml`.
    pub crate_name: String,
    /// What stands behind `hotcell =` in `Cargo.toml`: `"0.1"`, `{ path = "…" }`.
    pub runtime: String,
    /// The library files, in the order in which they are loaded; none for those of the interface, by their sonames.
    pub libraries: Vec<LibraryFile>,
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
    libraries: Vec<String>,
    library_files: Vec<String>,
    package: String,
    fingerprint_rows: Vec<String>,
    reentrant: bool,
    /// What becomes of calls of several threads.
    sharing: &'static str,
    /// The package's path in Rust.
    crate_path: String,
    /// A variable for the library.
    variable: String,
    table: Table,
    /// Functions that belong to no object.
    methods: Methods,
    /// What can be put into a batch.
    batch: Methods,
    has_batch: bool,
    /// Imports of the file with its type.
    batch_uses: Vec<String>,
    /// Calls that are awaited, by type.
    tasks: Vec<Tasks>,
    /// The types, whether calls change them, whether calls take them over.
    views: Vec<(String, bool, bool)>,
    /// Imports of the file with their view.
    aio_uses: Vec<String>,
    objects: Vec<Object>,
    records: Vec<Record>,
    /// Imports of the file with `records`.
    record_uses: Vec<String>,
    enums: Vec<Enumeration>,
    constants: Vec<Value>,
    modules: Vec<String>,
    exports: Vec<String>,
}

/// Renders the package of an interface: paths within it, and texts.
///
/// # Errors
///
/// [`Error::Unsupported`] names the first function this version does not generate.
pub fn render(interface: &Interface, options: &RustOptions) -> Result<Vec<(PathBuf, String)>, Error> {
    let shim = shim::render(interface)?;
    let mut files = package(interface, options)?;
    files.extend(shim.files.into_iter().map(|(name, text)| (PathBuf::from("shim").join(name), text)));
    Ok(files)
}

/// The files of a package but for its shim.
fn package(interface: &Interface, options: &RustOptions) -> Result<Vec<(PathBuf, String)>, Error> {
    let integers = shape::enums(interface);
    let names = Names::of(interface, integers.keys().map(String::as_str));
    let mut context = Context::new(interface, names);

    let mut by_owner = BTreeMap::<Option<&str>, Vec<usize>>::new();
    for (index, function) in interface.functions.iter().enumerate() {
        by_owner.entry(Owner::of(function).key()).or_default().push(index);
    }
    let mut made = BTreeMap::new();
    for (owner, indices) in &by_owner {
        let name = owner.map_or(&context.names.library, |key| &context.names.objects[key]).clone();
        made.insert(owner.map(str::to_owned), Methods::of(&mut context, &name, indices)?);
    }
    let tasks = by_owner.values().map(|indices| Tasks::of(&mut context, indices));
    let mut tasks = tasks.collect::<Result<Vec<_>, _>>()?;
    tasks.sort_by(|a, b| format::order(&a.module, &b.module));
    let methods = made.remove(&None).unwrap_or_default();
    let batched: Vec<usize> =
        (0..interface.functions.len()).filter(|&at| is_batched(&interface.functions[at])).collect();
    let batch = Methods::of_batch(&mut context, &batched)?;

    let deeds = context.deeds();
    let mut objects = Vec::new();
    for key in interface.handles.keys() {
        let methods = made.remove(&Some(key.clone())).unwrap_or_default();
        if methods.is_empty() && !context.has_object(key) {
            continue;
        }
        context.take_mentioned();
        let record = match interface.structs.contains_key(key) {
            true => Some(structs::record(&context, key, deeds.get(key).copied().unwrap_or_default())?),
            false => None,
        };
        objects.push(objects::object(&context, key, methods, record)?);
    }
    context.take_mentioned();
    let plain = deeds.iter().filter(|(key, _)| !interface.handles.contains_key(*key));
    let records = plain.map(|(key, deeds)| structs::record(&context, key, *deeds));
    let records = records.collect::<Result<Vec<Record>, _>>()?;
    let mut record_uses = context.take_mentioned();
    record_uses.retain(|name| records.iter().all(|record| record.name != *name));

    let enums: Vec<_> = integers
        .iter()
        .map(|(key, kind)| values::enumeration(interface, &context.names, key, types::primitive(*kind)))
        .collect();
    let (modules, exports) = layout((&methods, &batch), &objects, &records, &enums);
    let constants = values::constants(interface, &context.names);
    let views: Vec<_> = tasks.iter().map(Tasks::view).collect();
    let libraries = libraries::of(interface, &options.libraries);
    let model = Model {
        version: env!("CARGO_PKG_VERSION"),
        fingerprint: interface.fingerprint.to_string(),
        crate_name: &options.crate_name,
        runtime: &options.runtime,
        library: &interface.library,
        library_literal: format!("{:?}", interface.library),
        environment: libraries::environment(&interface.library),
        libraries: libraries.iter().map(link_row).collect(),
        library_files: libraries.iter().enumerate().map(load_row).collect(),
        fingerprint_rows: format::rows(8, &interface.fingerprint.0),
        reentrant: interface.threads == Threads::Reentrant && !interface.has_thread_rules(),
        sharing: sharing(interface),
        crate_path: options.crate_name.replace('-', "_"),
        variable: names::snake(&context.names.library),
        table: table::table(interface, &context.names)?,
        batch_uses: imports(&batch.own.mentioned),
        has_batch: !batch.is_empty(),
        batch,
        methods,
        aio_uses: imports(&views.iter().map(|view| view.0.clone()).collect::<Vec<_>>()),
        views,
        tasks,
        objects,
        record_uses: imports(&record_uses.into_iter().collect::<Vec<_>>()),
        records,
        enums,
        constants,
        modules,
        exports,
        package: context.names.library,
    };
    let mut files = vec![
        (PathBuf::from("Cargo.toml"), templates::render("Cargo.toml", &model)?),
        (PathBuf::from("build.rs"), templates::render("build.rs", &model)?),
        (PathBuf::from("interface.json"), interface.to_json()),
        (PathBuf::from("rustfmt.toml"), include_str!("../templates/rust/rustfmt.toml").to_owned()),
    ];
    files.extend(sources(&model)?);
    Ok(files)
}

/// The row of a library in the build script.
fn link_row(library: &LibraryFile) -> String {
    format!("({:?}, {:?}, {}),", library.name, library.folder.as_deref().unwrap_or_default(), library.linked)
}

/// The row of a library in the table, with the variable in which the build script says where it was.
fn load_row((index, library): (usize, &LibraryFile)) -> String {
    format!(
        "rt::LibraryFile {{ name: {:?}, built: option_env!(\"HOTCELL_LIBRARY_{index}\") }},",
        library.name
    )
}

/// What becomes of calls of several threads.
fn sharing(interface: &Interface) -> &'static str {
    match (interface.threads, interface.has_thread_rules()) {
        (Threads::Serialized, _) => "calls of several threads take turns",
        (Threads::PerHandle, _) => {
            "calls of several threads run at once, but with what\n/// belongs together they take turns"
        }
        (Threads::Reentrant, false) => "calls of several threads run at once",
        (Threads::Reentrant, true) => {
            "calls of several threads run at once, but with what is\n/// bound to a thread they take turns"
        }
    }
}

/// The Rust files.
fn sources(model: &Model<'_>) -> Result<Vec<(PathBuf, String)>, Error> {
    #[derive(Serialize)]
    struct ForObject<'a> {
        version: &'static str,
        library: &'a str,
        object: &'a Object,
    }
    #[derive(Serialize)]
    struct ForTasks<'a> {
        version: &'static str,
        library: &'a str,
        tasks: &'a Tasks,
    }
    let named = [
        ("lib.rs", true),
        ("table.rs", true),
        ("functions.rs", !model.methods.is_empty()),
        ("batch.rs", model.has_batch),
        ("structs.rs", !model.records.is_empty()),
        ("enums.rs", !model.enums.is_empty()),
        ("constants.rs", !model.constants.is_empty()),
    ];
    let mut files = Vec::new();
    for (name, _) in named.into_iter().filter(|(_, wanted)| *wanted) {
        files.push((PathBuf::from("src").join(name), templates::render(name, model)?));
    }
    let methods_of = |name: &str| (name.to_owned(), format!(" {name}"));
    files.extend(groups(model, "functions", methods_of(&model.package), &model.methods)?);
    files.extend(groups(model, "batch", (names::BATCH.into(), names::BATCHES.into()), &model.batch)?);
    if !model.tasks.is_empty() {
        files.push((PathBuf::from("src/aio.rs"), templates::render("aio.rs", model)?));
    }
    for tasks in &model.tasks {
        let (version, library) = (model.version, model.library);
        let text = templates::render("tasks.rs", ForTasks { version, library, tasks })?;
        files.push((PathBuf::from("src/aio").join(format!("{}.rs", tasks.module)), text));
    }
    for object in &model.objects {
        let (version, library) = (model.version, model.library);
        let template = if object.is_resident() { "resident.rs" } else { "object.rs" };
        let text = templates::render(template, ForObject { version, library, object })?;
        files.push((PathBuf::from("src").join(format!("{}.rs", object.module)), text));
        files.extend(groups(model, &object.module, methods_of(&object.name), &object.methods)?);
    }
    Ok(files)
}

/// The files of methods beside the one of their type, which goes by this name, and which they are implemented for in these words.
fn groups(
    model: &Model<'_>,
    module: &str,
    (name, implemented): (String, String),
    methods: &Methods,
) -> Result<Vec<(PathBuf, String)>, Error> {
    #[derive(Serialize)]
    struct ForGroup<'a> {
        version: &'static str,
        name: &'a str,
        implemented: &'a str,
        /// Whether that is what collects calls.
        collects: bool,
        part: &'a Part,
    }
    let (name, implemented, version) = (name.as_str(), implemented.as_str(), model.version);
    let collects = name == names::BATCH;
    let file = |part| {
        let group = ForGroup { version, name, implemented, collects, part };
        let text = templates::render("group.rs", group)?;
        Ok((PathBuf::from("src").join(module).join(format!("{}.rs", part.module)), text))
    };
    methods.groups.iter().map(file).collect()
}

/// Modules, and what the crate's root exports of them.
fn layout(
    (methods, batch): (&Methods, &Methods),
    objects: &[Object],
    records: &[Record],
    enums: &[Enumeration],
) -> (Vec<String>, Vec<String>) {
    let mut modules = vec![("table".to_owned(), Vec::new())];
    if !methods.is_empty() {
        modules.push(("functions".into(), methods.outputs()));
    }
    if !batch.is_empty() {
        modules.push(("batch".into(), vec![names::BATCH.into(), names::PIPELINE.into()]));
    }
    for object in objects {
        let mut names = object.methods.outputs();
        names.push(object.name.clone());
        modules.push((object.module.clone(), names));
    }
    if !records.is_empty() {
        modules.push(("structs".into(), records.iter().map(|record| record.name.clone()).collect()));
    }
    if !enums.is_empty() {
        modules.push(("enums".into(), enums.iter().map(|item| item.name.clone()).collect()));
    }
    modules.sort_by(|(a, _), (b, _)| format::order(a, b));
    let exported = modules.iter().filter(|(_, names)| !names.is_empty());
    let exports =
        exported.flat_map(|(module, names)| format::uses(&format!("pub use {module}"), names)).collect();
    (modules.into_iter().map(|(module, _)| module).collect(), exports)
}

/// The imports of these names of the crate.
fn imports(names: &[String]) -> Vec<String> {
    if names.is_empty() { Vec::new() } else { format::uses("use crate", names) }
}

//! Python packages: data, which the runtime makes classes and functions of, and stubs that say it in words.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hotcell_model::Interface;
use hotcell_model::api::ConstantValue;
use hotcell_model::interface::FieldRole;
use serde::{Deserialize, Serialize};

use crate::rust::names::Names as RustNames;
use crate::shape::libraries::LibraryFile;
use crate::shape::owner::Owner;
use crate::{Error, shim, templates};

mod docs;
mod names;
mod stubs;
mod types;

pub use names::{check_package_name, package_name};

/// Version of [`Names`] as JSON.
const FORMAT: u32 = 1;

/// Everything that a package names, as Python has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Names {
    /// Version of this form.
    pub format: u32,
    /// The library's class.
    pub library: String,
    /// The class of the errors that the library reports itself.
    pub error: String,
    /// Functions, by index.
    pub functions: Vec<NamedFunction>,
    /// Classes of objects, by handle type.
    pub objects: BTreeMap<String, NamedType>,
    /// Classes of structures, by record. A structure that stays is one, too.
    pub structs: BTreeMap<String, NamedStruct>,
    /// Enumerations.
    pub enums: BTreeMap<String, NamedEnum>,
    /// Constants by name.
    pub constants: BTreeMap<String, ConstantValue>,
    /// Classes of errors, by the symbol of their code.
    pub errors: BTreeMap<String, NamedError>,
}

/// A function.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NamedFunction {
    /// Its name.
    pub name: String,
    /// What the header says, and its declaration.
    pub doc: String,
    /// The type whose method it is.
    pub owner: Option<String>,
    /// Position in C of the parameter that the object is passed as.
    pub own: Option<usize>,
    /// Parameters that callers pass, in the order of C.
    pub params: Vec<String>,
}

/// A type of objects.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NamedType {
    /// Its class.
    pub name: String,
    /// What it is.
    pub doc: String,
}

/// A structure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NamedStruct {
    /// Its class.
    pub name: String,
    /// What it is.
    pub doc: String,
    /// Whether its object stays in the worker.
    pub resident: bool,
    /// The fields that callers see: as C and as Python has them, and the record that a field holds.
    pub fields: Vec<(String, String, Option<String>)>,
}

/// An enumeration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NamedEnum {
    /// Its class.
    pub name: String,
    /// What it is.
    pub doc: String,
    /// Members and their values.
    pub members: Vec<(String, i64)>,
}

/// A code that the library reports.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NamedError {
    /// Its class.
    pub name: String,
    /// The code.
    pub code: i64,
}

/// How a package is made.
#[derive(Debug, Clone)]
pub struct PythonOptions {
    /// The name by which it is imported.
    pub package: String,
    /// The library files, in the order in which they are loaded; none for those of the interface, by their sonames.
    pub libraries: Vec<LibraryFile>,
}

/// What the templates of a package print.
#[derive(Serialize)]
struct Model<'a> {
    version: &'static str,
    fingerprint: String,
    library: &'a str,
    package: &'a str,
    names: &'a Names,
    variable: String,
    stubs: stubs::Stubs,
    /// Their names and folders, as Python writes them.
    libraries: Vec<(String, String)>,
}

impl Names {
    /// The names of an interface.
    pub fn of(interface: &Interface) -> Names {
        let integers = crate::shape::enums(interface);
        let rust = RustNames::of(interface, integers.keys().map(String::as_str));
        let mut module = names::Scope::of_module();
        let library = module.take(&rust.library);
        let doc = |doc: &Option<String>| docs::from_header(doc.as_deref().unwrap_or_default());
        let mut objects = BTreeMap::new();
        let mut structs = BTreeMap::new();
        let mut scopes = BTreeMap::new();
        for (key, handle) in &interface.handles {
            if !interface.structs.contains_key(key) {
                let name = module.take(&rust.objects[key]);
                let doc = format!("An object of the library: `{}`.", handle.c_type);
                objects.insert(key.clone(), NamedType { name, doc });
            }
        }
        for (key, record) in interface.structs.iter().filter(|(_, record)| !record.union) {
            let name = module.take(rust.structs.get(key).unwrap_or(key));
            let mut scope = names::Scope::of_struct();
            let seen = record.fields.iter().filter(|field| field.offset.is_some());
            let fields = seen.map(|field| {
                let record = match &field.role.value {
                    FieldRole::Struct { record }
                    | FieldRole::Structs { record, .. }
                    | FieldRole::Pointer { record, .. }
                    | FieldRole::Data { record: Some(record), .. } => Some(record.clone()),
                    _ => None,
                };
                (field.name.clone(), scope.take(&field.name), record)
            });
            let (fields, resident) = (fields.collect(), record.resident);
            scopes.insert(Some(key.as_str()), scope);
            let said = doc(&record.doc);
            let doc = if said.is_empty() { format!("The structure `{}`.", record.c_name) } else { said };
            structs.insert(key.clone(), NamedStruct { name, doc, resident, fields });
        }
        let enums = integers.keys().map(|key| {
            let item = &interface.enums[key];
            let mut scope = names::Scope::default();
            let values = item.enumerators.iter().map(|(_, value)| *value);
            let members = rust.enumerators[key].iter().map(|name| scope.take(name)).zip(values).collect();
            let said = doc(&item.doc);
            let doc = if said.is_empty() { format!("The enumeration `{}`.", item.c_name) } else { said };
            (key.clone(), NamedEnum { name: module.take(&rust.enums[key]), doc, members })
        });
        let enums: BTreeMap<String, NamedEnum> = enums.collect();
        let error = module.take(&format!("{library}Error"));
        let symbols = interface.symbols.values().flatten();
        let mut errors = BTreeMap::new();
        for (code, symbol) in symbols {
            // What is a success somewhere else is in the same set.
            if !errors.contains_key(symbol) && !is_success(interface, *code) {
                let name = module.take(&format!("{}Error", crate::rust::names::camel(symbol)));
                errors.insert(symbol.clone(), NamedError { name, code: *code });
            }
        }
        let constants = interface.constants.iter().filter_map(|(key, constant)| {
            let name = rust.constants.get(key)?;
            Some((module.take(name), constant.value.clone()))
        });
        let constants = constants.collect();
        let functions = functions(interface, &rust, scopes);
        Names { format: FORMAT, library, error, functions, objects, structs, enums, constants, errors }
    }

    /// The serialised form.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain data with string keys serialises");
        text.push('\n');
        text
    }

    /// Reads the serialised form.
    ///
    /// # Errors
    ///
    /// What is wrong, in words.
    pub fn from_json(text: &str) -> Result<Names, String> {
        let names: Names = serde_json::from_str(text).map_err(|error| format!("no names: {error}"))?;
        match names.format {
            FORMAT => Ok(names),
            other => Err(format!("names of format {other} are not {FORMAT}: generate the package again")),
        }
    }
}

/// Whether no function fails with this code, as far as its rule says it plainly.
fn is_success(interface: &Interface, code: i64) -> bool {
    use hotcell_model::interface::Fails;
    let mut rules = interface.functions.iter().filter_map(|function| function.error.as_ref());
    code == 0 && rules.all(|rule| matches!(rule.value.fails, Fails::Nonzero | Fails::Negative))
}

/// `scopes` are those of structures, whose functions stand beside their fields.
fn functions<'i>(
    interface: &'i Interface,
    rust: &RustNames,
    mut scopes: BTreeMap<Option<&'i str>, names::Scope>,
) -> Vec<NamedFunction> {
    let functions = interface.functions.iter().zip(&rust.methods).map(|(function, method)| {
        let (owner, own) = match Owner::of(function) {
            Owner::Library => (None, None),
            Owner::Object { key, param, .. } => (Some(key), Some(param)),
        };
        let scope = scopes.entry(owner).or_insert_with(|| match owner {
            None => names::Scope::of_library(),
            Some(_) => names::Scope::of_object(),
        });
        let mut params = names::Scope::of_parameters();
        let shown = function.params.iter().filter(|param| param.role.value.is_argument());
        NamedFunction {
            name: scope.take(&names::of_rust(method, &function.name)),
            doc: docs::of_function(function),
            owner: owner.map(str::to_owned),
            own,
            params: shown.map(|param| params.take(&param.name)).collect(),
        }
    });
    functions.collect()
}

/// Renders the package of an interface: paths within it, and texts.
///
/// # Errors
///
/// [`Error::Unsupported`] names the first function this version does not generate.
pub fn render(interface: &Interface, options: &PythonOptions) -> Result<Vec<(PathBuf, String)>, Error> {
    let source = shim::render(interface)?;
    let names = Names::of(interface);
    // What JSON has as a text, Python has.
    let literal = |text: &String| serde_json::to_string(text).expect("a text serialises");
    let folder = |it: &LibraryFile| it.folder.as_ref().map_or_else(|| "None".to_owned(), literal);
    let libraries = match options.libraries.is_empty() {
        true => interface.link.iter().map(|soname| (literal(soname), "None".to_owned())).collect(),
        false => options.libraries.iter().map(|it| (literal(&it.name), folder(it))).collect(),
    };
    let model = Model {
        version: env!("CARGO_PKG_VERSION"),
        fingerprint: interface.fingerprint.to_string(),
        library: &interface.library,
        package: &options.package,
        variable: crate::shape::libraries::library_variable(&interface.library),
        stubs: stubs::Stubs::of(interface, &names),
        names: &names,
        libraries,
    };
    let folder = PathBuf::from(&options.package);
    let mut files = vec![
        (PathBuf::from("pyproject.toml"), templates::render("pyproject.toml", &model)?),
        (folder.join("__init__.py"), templates::render("__init__.py", &model)?),
        (folder.join("__init__.pyi"), templates::render("__init__.pyi", &model)?),
        (folder.join("interface.json"), interface.to_json()),
        (folder.join("names.json"), names.to_json()),
        (folder.join("py.typed"), String::new()),
    ];
    files.extend(source.files.into_iter().map(|(name, text)| (folder.join("shim").join(name), text)));
    Ok(files)
}

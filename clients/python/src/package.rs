//! A package: what is known of a library, and the classes that Python has for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use hotcell::rt::{self, Handle};
use hotcell::{Options, Session, dynamic};
use hotcell_generate::python::Names;
use hotcell_model::Interface;
use hotcell_model::api::ConstantValue;
use hotcell_model::interface::{CallbackScope, Function as Called, Param, Role};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use crate::call;
use crate::errors;
use crate::ffi;
use crate::function::Function;
use crate::hears::Hears;
use crate::library::Library;
use crate::making;
use crate::object::{self, Object};
use crate::options;
use crate::plan::Plan;

/// What is known of a library. It lives until the process ends, as what a package is made of does.
pub(crate) struct Loaded {
    pub(crate) interface: Arc<Interface>,
    pub(crate) names: Names,
    pub(crate) plans: Vec<Arc<Plan>>,
    /// Whether the library keeps functions that are passed to it.
    pub(crate) keeps: bool,
    /// Its classes and constants, by their names.
    namespace: Py<PyDict>,
    /// The module that its classes are in.
    pub(crate) module: String,
    /// What the runtime has of it, from the first session on, and what gives the compiled shim that it needs.
    package: PyOnceLock<(&'static rt::Package, &'static [rt::Restore])>,
    shim: Py<PyAny>,
    rules: Option<&'static rt::ThreadRules>,
    libraries: &'static rt::Libraries,
    /// The files of a library that was bound at run time.
    files: Vec<PathBuf>,
    /// The library's class.
    own: Py<PyType>,
    /// Classes of objects, by the number of their type less one.
    objects: Vec<Option<Py<PyType>>>,
    /// Classes of structures, by record.
    pub(crate) structs: BTreeMap<String, Py<PyType>>,
    /// The class of what the library reports itself, and those of its codes by their symbols.
    error: Py<PyType>,
    errors: BTreeMap<String, Py<PyType>>,
}

impl Loaded {
    /// The library's name.
    pub(crate) fn library(&self) -> &str {
        &self.interface.library
    }

    /// The object of a handle.
    pub(crate) fn object(self: &Arc<Self>, py: Python<'_>, handle: Handle) -> PyResult<Py<PyAny>> {
        let position = self.interface.handle_number(handle.type_name()).unwrap_or(0);
        let class = usize::from(position).checked_sub(1).and_then(|at| self.objects.get(at)?.as_ref());
        let any = || py.get_type::<Object>();
        Object::make(&class.map_or_else(any, |class| class.bind(py).clone()), self, handle)
    }

    /// The class of what the library reports by this symbol.
    pub(crate) fn error_class<'py>(
        &self,
        py: Python<'py>,
        symbol: Option<&str>,
    ) -> Option<Bound<'py, PyType>> {
        let of_symbol = symbol.and_then(|symbol| self.errors.get(symbol));
        Some(of_symbol.unwrap_or(&self.error).bind(py).clone())
    }

    /// The class of objects, or of structures, that has this name.
    pub(crate) fn class(&self, name: &str) -> Option<&Py<PyType>> {
        let of_objects = self.interface.handles.keys().zip(&self.objects);
        let mut objects =
            of_objects.filter_map(|(key, class)| Some((&self.names.objects.get(key)?.name, class.as_ref()?)));
        let object = objects.find(|(own, _)| *own == name).map(|(_, class)| class);
        let structure = || self.structs.iter().find(|(key, _)| self.names.structs[*key].name == name);
        object.or_else(|| structure().map(|(_, class)| class))
    }

    /// The names of its constants, and of all of its classes.
    pub(crate) fn known(&self) -> impl Iterator<Item = &str> {
        let names = &self.names;
        let enums = names.enums.values().map(|of| &of.name);
        let errors = names.errors.values().map(|of| &of.name).chain([&names.error]);
        let others = names.constants.keys().chain(enums).chain(errors).map(String::as_str);
        self.class_names().into_iter().chain(others)
    }

    /// The constant that has this name, also in C, or the class.
    pub(crate) fn named(&self, py: Python<'_>, name: &str) -> PyResult<Option<Py<PyAny>>> {
        if self.known().any(|known| known == name) {
            return Ok(self.namespace.bind(py).get_item(name)?.map(Bound::unbind));
        }
        let Some(constant) = self.interface.constants.get(name) else { return Ok(None) };
        let value = match &constant.value {
            ConstantValue::Int(value) => value.into_pyobject(py)?.into_any(),
            ConstantValue::Uint(value) => value.into_pyobject(py)?.into_any(),
            ConstantValue::Float(value) => value.into_pyobject(py)?.into_any(),
            ConstantValue::Text(value) => value.into_pyobject(py)?.into_any(),
        };
        Ok(Some(value.unbind()))
    }

    /// The names of those classes.
    pub(crate) fn class_names(&self) -> Vec<&str> {
        let objects = self.names.objects.values().map(|of| of.name.as_str());
        objects.chain(self.names.structs.values().map(|of| of.name.as_str())).collect()
    }

    /// Opens a session: an object of the library's class.
    pub(crate) fn open(self: &Arc<Self>, py: Python<'_>, options: Options) -> PyResult<Py<PyAny>> {
        Library::make(self.own.bind(py), self, self.session(py, options)?)
    }

    fn session(&self, py: Python<'_>, mut options: Options) -> PyResult<Session> {
        if options.libraries.is_empty() {
            options.libraries.clone_from(&self.files);
        }
        let &(package, restores) = self.package.get_or_try_init(py, || -> PyResult<_> {
            let shim: Vec<u8> = ffi::ends::call(self.shim.bind(py), ())?.extract()?;
            Ok((dynamic::package(&self.interface, shim), dynamic::restores(&self.interface)))
        })?;
        let options = dynamic::recycle(&self.interface).with(options);
        let options = dynamic::leaving(&self.interface, options);
        let options = dynamic::trying(&self.interface, options);
        let options = rt::restoring(options, restores);
        let hears = Hears::new();
        let opened = ffi::aside(py, || {
            rt::open_cancelled_by(package, self.rules, self.libraries, options, hears.cancel())
        });
        match (opened, hears.raised()) {
            (Ok(session), None) => Ok(session),
            (Ok(session), Some(raised)) => {
                ffi::let_go(session);
                Err(raised)
            }
            (Err(error), raised) => Err(call::instead(py, errors::exception(py, None, &error), raised)),
        }
    }
}

/// A package, for the Python that defines its classes.
#[pyclass(frozen, module = "hotcell._native")]
pub(crate) struct Package {
    pub(crate) loaded: Arc<Loaded>,
}

#[pymethods]
impl Package {
    /// `shim` gives the compiled shim. `namespace` has the classes by their names. `libraries` are names of files, with where they were when the package was made.
    #[new]
    fn new(
        py: Python<'_>,
        interface: &str,
        names: &str,
        shim: Py<PyAny>,
        namespace: &Bound<'_, PyDict>,
        libraries: Vec<(String, Option<String>)>,
        variable: String,
    ) -> PyResult<Package> {
        let interface = Interface::from_json(interface).map_err(PyValueError::new_err)?;
        let names = Names::from_json(names).map_err(PyValueError::new_err)?;
        if interface.functions.len() != names.functions.len() {
            return Err(PyValueError::new_err(
                "the names are those of another interface: generate the package again",
            ));
        }
        let libraries = leaked(libraries, variable);
        Package::make(py, (interface, names), shim, namespace, (libraries, Vec::new()))
    }

    /// Opens a session: an object of the library's class.
    #[pyo3(signature = (**options))]
    pub(crate) fn open(&self, py: Python<'_>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Py<PyAny>> {
        self.loaded.open(py, options::read(options)?)
    }
}

impl Package {
    pub(crate) fn make(
        py: Python<'_>,
        (interface, names): (Interface, Names),
        shim: Py<PyAny>,
        namespace: &Bound<'_, PyDict>,
        (libraries, files): (&'static rt::Libraries, Vec<PathBuf>),
    ) -> PyResult<Package> {
        let class = |name: &str| -> PyResult<Py<PyType>> {
            let found = namespace.get_item(name)?;
            let found = found.ok_or_else(|| PyValueError::new_err(format!("there is no class `{name}`")))?;
            Ok(found.cast_into::<PyType>()?.unbind())
        };
        let mut objects = Vec::new();
        for key in interface.handles.keys() {
            objects.push(names.objects.get(key).map(|named| class(&named.name)).transpose()?);
        }
        let structs = names.structs.iter().map(|(key, named)| Ok((key.clone(), class(&named.name)?)));
        let structs = structs.collect::<PyResult<BTreeMap<_, _>>>()?;
        let by_symbol = names.errors.iter().map(|(symbol, named)| Ok((symbol.clone(), class(&named.name)?)));
        let by_symbol = by_symbol.collect::<PyResult<BTreeMap<_, _>>>()?;
        let plans = 0..names.functions.len();
        let plans = plans.map(|at| Arc::new(Plan::of(&interface, &names, at as u16))).collect();
        let module: Option<String> = namespace.get_item("__name__")?.and_then(|name| name.extract().ok());
        let (error, own) = (class(&names.error)?, class(&names.library)?);
        let loaded = Arc::new(Loaded {
            keeps: interface.functions.iter().any(keeps),
            package: PyOnceLock::new(),
            shim,
            rules: dynamic::thread_rules(&interface),
            libraries,
            files,
            own,
            objects,
            structs,
            error,
            errors: by_symbol,
            plans,
            namespace: namespace.clone().unbind(),
            module: module.unwrap_or_default(),
            interface: Arc::new(interface),
            names,
        });
        let classes = loaded.interface.handles.keys().zip(&loaded.objects);
        for (key, class) in classes.filter_map(|(key, class)| Some((key, class.as_ref()?))) {
            let how = making::of_objects(&loaded.interface, &loaded.names, key).how;
            class.bind(py).setattr(object::HOW, how)?;
        }
        methods(py, &loaded)?;
        Ok(Package { loaded })
    }
}

/// Whether a function is passed one that the library keeps.
fn keeps(function: &Called) -> bool {
    let is_kept = |param: &Param| match &param.role.value {
        Role::Callback { callback, .. } => callback.scope != CallbackScope::Call,
        _ => false,
    };
    function.params.iter().any(is_kept)
}

/// Gives the classes of objects and structures their methods.
fn methods(py: Python<'_>, loaded: &Arc<Loaded>) -> PyResult<()> {
    for (plan, named) in loaded.plans.iter().zip(&loaded.names.functions) {
        let Some(owner) = &named.owner else { continue };
        let position = loaded.interface.handle_number(owner).unwrap_or(0);
        let object = usize::from(position).checked_sub(1).and_then(|at| loaded.objects.get(at)?.as_ref());
        let Some(class) = object.or_else(|| loaded.structs.get(owner)) else { continue };
        let function = Function {
            plan: Arc::clone(plan),
            loaded: Arc::clone(loaded),
            session: None,
            own: None,
            maps: false,
        };
        class.bind(py).setattr(plan.name.as_str(), ffi::function_object(py, function)?)?;
    }
    Ok(())
}

/// Where the library's files are. It lives as long as the package.
pub(crate) fn leaked(files: Vec<(String, Option<String>)>, variable: String) -> &'static rt::Libraries {
    let files = files.into_iter().map(|(name, built)| {
        let built = built.map(|folder| &*PathBuf::from(folder).join(&name).display().to_string().leak());
        rt::LibraryFile { name: name.leak(), built }
    });
    Box::leak(Box::new(rt::Libraries { variable: variable.leak(), files: files.collect::<Vec<_>>().leak() }))
}

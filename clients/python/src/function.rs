//! A function of a library, as Python calls it.

use std::sync::Arc;

use hotcell::Session;
use pyo3::Borrowed;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyList, PyString, PyTuple};

use crate::arguments::Given;
use crate::object::Object;
use crate::package::Loaded;
use crate::plan::Plan;
use crate::{arguments, batch, by_value, call, ffi, raised, structs};

/// A function, bound to a session or to an object, or a method that is not bound.
pub(crate) struct Function {
    pub(crate) plan: Arc<Plan>,
    pub(crate) loaded: Arc<Loaded>,
    /// The session, of a function that is no method.
    pub(crate) session: Option<Session>,
    /// The object that it is bound to.
    pub(crate) own: Option<Py<PyAny>>,
    /// Whether it maps columns.
    pub(crate) maps: bool,
}

impl Function {
    /// Whether it takes and gives numbers, texts and data alone.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.plan.plain && !self.maps && !self.loaded.keeps
    }

    /// Whether it is a method that has no object yet.
    pub(crate) fn is_unbound(&self) -> bool {
        self.plan.own.is_some() && self.own.is_none() && self.session.is_none()
    }

    /// Calls it.
    #[inline]
    pub(crate) fn call(&self, py: Python<'_>, given: ffi::Arguments<'_, '_>) -> PyResult<Py<PyAny>> {
        match self.loaded.keeps {
            true => raised::during(py, || self.call_now(py, given)),
            false => self.call_now(py, given),
        }
    }

    #[inline]
    fn call_now(&self, py: Python<'_>, given: ffi::Arguments<'_, '_>) -> PyResult<Py<PyAny>> {
        let plan = &*self.plan;
        let own = self.own.as_ref().map(|own| own.bind_borrowed(py));
        if self.maps {
            return batch::map(py, self, own, given);
        }
        if plan.numeric
            && let Some(session) = &self.session
            && given.names().is_none()
            && given.positional() == plan.params.len()
        {
            return call::call_numeric(py, self, session, given);
        }
        let given = arguments::sorted(plan, own, given)?;
        let of_object;
        let session = match (&self.session, plan.own) {
            (Some(session), _) => session,
            (None, Some(own)) => {
                of_object = session_of(py, self, &given[own])?;
                &of_object
            }
            (None, None) => unreachable!("a function has a session, or an object that has one"),
        };
        match plan.by_value {
            false => call::call(py, self, session, &given),
            true => by_value::call(py, self, session, &given),
        }
    }

    /// The function of this plan, called in the session and in the order of C.
    pub(crate) fn by_c_name(plan: &Arc<Plan>, loaded: &Arc<Loaded>, session: Session) -> Function {
        let (plan, loaded) = (Arc::clone(plan), Arc::clone(loaded));
        Function { plan, loaded, session: Some(session), own: None, maps: false }
    }

    /// Calls it with all that it is passed in C.
    pub(crate) fn call_in_order(&self, py: Python<'_>, args: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        let Some(own) = self.plan.own.filter(|own| *own < args.len()) else {
            return ffi::with_arguments(args, None, |given| self.call(py, given));
        };
        let object = args.get_item(own)?;
        let rest = args.iter().enumerate().filter(|(at, _)| *at != own).map(|(_, arg)| arg);
        let rest = PyTuple::new(py, rest.collect::<Vec<_>>())?;
        let bound = Function {
            plan: Arc::clone(&self.plan),
            loaded: Arc::clone(&self.loaded),
            session: self.session.clone(),
            own: Some(object.unbind()),
            maps: false,
        };
        ffi::with_arguments(&rest, None, |given| bound.call(py, given))
    }

    /// Sorts arguments that come as a tuple and a dictionary.
    pub(crate) fn bind_arguments(
        &self,
        py: Python<'_>,
        args: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Vec<Py<PyAny>>> {
        let own = self.own.as_ref().map(|own| own.bind_borrowed(py));
        ffi::with_arguments(args, named, |given| {
            let sorted = arguments::sorted(&self.plan, own, given)?;
            Ok(sorted.iter().map(|object| (**object).clone().unbind()).collect())
        })
    }

    /// The session of a call with these arguments.
    pub(crate) fn session_for(&self, py: Python<'_>, given: &Given<'_, '_>) -> PyResult<Session> {
        match (&self.session, self.plan.own) {
            (Some(session), _) => Ok(session.clone()),
            (None, Some(own)) => session_of(py, self, &given[own]),
            (None, None) => unreachable!("a function has a session, or an object that has one"),
        }
    }

    /// It cannot be pickled, and says what to do: a session, and its objects, are of their process.
    pub(crate) fn reduced(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let name = &self.plan.name;
        let of = match &self.own {
            Some(own) => {
                let class = own.bind(py).get_type().name()?.to_string();
                format!("its {class} lives in the worker of a session")
            }
            None => "its session belongs to its process".to_owned(),
        };
        Err(PyTypeError::new_err(format!(
            "{name}() cannot be pickled: {of}. Pass a function of your own, from the top of a module, which calls it there with a library \
             that each process opens, as in the `initializer` of a pool"
        )))
    }

    pub(crate) fn repr(&self) -> String {
        let names: Vec<&str> = self.plan.shown().map(|(_, param)| param.name.as_str()).collect();
        let (name, names, library) = (&self.plan.name, names.join(", "), self.loaded.library());
        let by_columns = if self.maps { ", by columns" } else { "" };
        format!("<hotcell function {name}({names}) of {library}{by_columns}>")
    }

    /// An attribute, if it is one of its own.
    pub(crate) fn attribute(&self, own: &Bound<'_, PyAny>, name: &str) -> PyResult<Option<Py<PyAny>>> {
        let py = own.py();
        let text = |text: &str| Ok(Some(PyString::new(py, text).into_any().unbind()));
        match name {
            "__name__" | "__qualname__" => text(&self.plan.name),
            "__doc__" => text(&self.plan.doc),
            "__module__" => text(&self.loaded.module),
            "__c_name__" => text(&self.plan.c_name),
            "__signature__" => self.signature(py).map(Some),
            "map" if !self.maps => {
                let mapping = Function {
                    plan: Arc::clone(&self.plan),
                    loaded: Arc::clone(&self.loaded),
                    session: self.session.clone(),
                    own: self.own.as_ref().map(|own| own.clone_ref(py)),
                    maps: true,
                };
                ffi::function_object(py, mapping).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// What `inspect.signature` tells.
    fn signature(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let inspect = py.import("inspect")?;
        let parameter = inspect.getattr("Parameter")?;
        let kind = parameter.getattr("POSITIONAL_OR_KEYWORD")?;
        let list = PyList::empty(py);
        if self.plan.own.is_some() && self.own.is_none() {
            list.append(parameter.call1(("self", parameter.getattr("POSITIONAL_ONLY")?))?)?;
        }
        for (_, param) in self.plan.shown() {
            list.append(parameter.call1((param.name.as_str(), &kind))?)?;
        }
        Ok(inspect.getattr("Signature")?.call1((list,))?.unbind())
    }
}

/// The session of the object that a method is called on.
fn session_of(py: Python<'_>, function: &Function, own: &Bound<'_, PyAny>) -> PyResult<Session> {
    match own.cast::<Object>() {
        Ok(object) => object.get().session(py),
        Err(_) => structs::session(py, function, own),
    }
}

/// A method that is bound to an object.
pub(crate) fn bound(
    method: &Borrowed<'_, '_, PyAny>,
    instance: &Borrowed<'_, '_, PyAny>,
) -> PyResult<Py<PyAny>> {
    let py = method.py();
    let Some(function) = ffi::function_of(method) else { return Ok((**method).clone().unbind()) };
    let bound = Function {
        plan: Arc::clone(&function.plan),
        loaded: Arc::clone(&function.loaded),
        session: function.session.clone(),
        own: Some((**instance).clone().unbind()),
        maps: function.maps,
    };
    ffi::function_object(py, bound)
}

/// The functions of a library that belong to no object, into a dictionary.
pub(crate) fn fill(
    py: Python<'_>,
    loaded: &Arc<Loaded>,
    session: &Session,
    into: &Bound<'_, PyDict>,
) -> PyResult<()> {
    for plan in loaded.plans.iter().filter(|plan| plan.own.is_none()) {
        let function = Function {
            plan: Arc::clone(plan),
            loaded: Arc::clone(loaded),
            session: Some(session.clone()),
            own: None,
            maps: false,
        };
        into.set_item(&plan.name, ffi::function_object(py, function)?)?;
    }
    Ok(())
}

//! Options of a session, as named arguments.

use std::path::PathBuf;
use std::time::Duration;

use hotcell::rt::{Guard, Profile};
use hotcell::serve::options;
use hotcell::{Options, Sandbox, Waiting};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde_json::{Map, Value as Json};

use crate::unknown;

/// The options that were named.
pub(crate) fn read(named: Option<&Bound<'_, PyDict>>) -> PyResult<Options> {
    read_beside(named, &[])
}

/// The same, of what takes others besides, by these names.
pub(crate) fn read_beside(named: Option<&Bound<'_, PyDict>>, besides: &[&'static str]) -> PyResult<Options> {
    let (mut tables, mut others) = (Map::new(), Vec::new());
    for (name_of, value) in named.into_iter().flat_map(|named| named.iter()) {
        let name = name_of.cast::<PyString>()?.to_string();
        let is_table =
            TABLES.contains(&name.as_str()) || name == "sandbox" && value.is_instance_of::<PyDict>();
        if !is_table && !NAMES.contains(&name.as_str()) {
            let known: Vec<_> = besides.iter().chain(NAMES.iter()).chain(&TABLES).copied().collect();
            let like = unknown::like(name_of.py(), &name, known.clone());
            let text = format!("there is no option `{name}`{like}; there are {}", known.join(", "));
            return Err(PyTypeError::new_err(text));
        }
        match is_table {
            true => {
                let table = table(&value).map_err(|error| naming(&name, &value, error))?;
                tables.insert(name, table);
            }
            false => others.push((name, value)),
        }
    }
    let mut options = options::read(&Json::Object(tables)).map_err(PyValueError::new_err)?;
    options.worker = Python::attach(own_worker);
    others.iter().try_for_each(|(name, value)| set(&mut options, name, value))?;
    Ok(options)
}

/// The names of all.
const NAMES: [&str; 17] = [
    "deadline",
    "start_deadline",
    "cancel_grace",
    "worker",
    "libraries",
    "directory",
    "environment",
    "sandbox",
    "control_groups",
    "guard",
    "waiting",
    "callers",
    "spares",
    "max_input",
    "max_output",
    "max_objects",
    "max_callbacks",
];

/// Sets one. What is wrong with its value says which it is.
fn set(options: &mut Options, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    set_to(options, name, value).map_err(|error| naming(name, value, error))
}

/// What is wrong with a value, with the option that it is the value of.
fn naming(name: &str, value: &Bound<'_, PyAny>, error: PyErr) -> PyErr {
    let py = value.py();
    let text = || format!("option `{name}`: {}", error.value(py));
    match (error.is_instance_of::<PyTypeError>(py), error.is_instance_of::<PyOverflowError>(py)) {
        (true, _) => PyTypeError::new_err(text()),
        (_, true) => PyOverflowError::new_err(text()),
        _ => error,
    }
}

fn set_to(options: &mut Options, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    match name {
        "deadline" => options.deadline = seconds(name, value.extract()?)?,
        "start_deadline" => options.start_deadline = seconds(name, value.extract()?)?,
        "cancel_grace" => options.cancel_grace = seconds(name, value.extract()?)?,
        "worker" => options.worker = Some(value.extract::<PathBuf>()?),
        "libraries" => options.libraries = value.extract()?,
        "directory" => options.directory = value.extract()?,
        "environment" => {
            let given = value.cast::<PyDict>()?.iter();
            let pairs = given.map(|(name, value)| Ok((name.extract()?, value.extract()?)));
            options.environment = pairs.collect::<PyResult<_>>()?;
        }
        "sandbox" => {
            let word: String = value.extract()?;
            let profile = Profile::from_name(&word);
            let profile =
                profile.ok_or_else(|| unknown(name, &word, "basic, compute, files, network, custom"))?;
            options.sandbox = Some(Sandbox::of(profile));
        }
        "guard" => {
            options.guard = Some(match value.extract::<String>()?.as_str() {
                "none" => Guard::None,
                "sampled" => Guard::Sampled,
                "all" => Guard::All,
                other => return Err(unknown(name, other, "none, sampled, all")),
            });
        }
        "waiting" => {
            options.waiting = match value.extract::<String>()?.as_str() {
                "latency" => Waiting::Latency,
                "balanced" => Waiting::Balanced,
                "economy" => Waiting::Economy,
                other => return Err(unknown(name, other, "latency, balanced, economy")),
            };
        }
        "control_groups" => options.control_groups = value.extract::<Vec<PathBuf>>()?,
        "callers" => options.callers = value.extract()?,
        "spares" => options.spares = value.extract()?,
        "max_input" => options.max_input = value.extract()?,
        "max_output" => options.max_output = value.extract()?,
        "max_objects" => options.max_objects = value.extract()?,
        "max_callbacks" => options.max_callbacks = value.extract()?,
        _ => unreachable!("the names are looked at before"),
    }
    Ok(())
}

/// Options that are tables: as docs/reference/serve.md has them, but for times, which are in seconds.
const TABLES: [&str; 3] = ["limits", "recycle", "restart"];

/// What of them is a time.
const TIMES: [&str; 9] =
    ["every", "age", "memory_for", "patience", "probe", "cpu", "within", "pause", "longest_pause"];

/// A table, or a part of one, in the form that is read.
fn table(value: &Bound<'_, PyAny>) -> PyResult<Json> {
    if let Ok(fields) = value.cast::<PyDict>() {
        let field = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| -> PyResult<_> {
            let name: String = name.extract()?;
            if name.ends_with("_ms") {
                return Err(PyValueError::new_err(format!(
                    "options: there is no `{name}`: times are in seconds"
                )));
            }
            match TIMES.contains(&name.as_str()) && !value.is_none() {
                true => Ok((format!("{name}_ms"), (value.extract::<f64>()? * 1e3).into())),
                false if TIMES.contains(&name.as_str()) => Ok((format!("{name}_ms"), Json::Null)),
                false => {
                    let named = |error: PyErr| match error.is_instance_of::<PyOverflowError>(value.py()) {
                        true => PyOverflowError::new_err(format!("{name}: {}", error.value(value.py()))),
                        false => error,
                    };
                    let value = table(&value).map_err(named)?;
                    Ok((name, value))
                }
            }
        };
        return fields.iter().map(field).collect::<PyResult<Map<_, _>>>().map(Json::Object);
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        return value.try_iter()?.map(|item| table(&item?)).collect();
    }
    Ok(match value {
        none if none.is_none() => Json::Null,
        truth if truth.is_instance_of::<PyBool>() => truth.extract::<bool>()?.into(),
        number if number.is_instance_of::<PyInt>() => {
            let fits = number.extract::<u64>();
            fits.map_err(|_| PyOverflowError::new_err(format!("{number} is not from 0 to {}", u64::MAX)))?
                .into()
        }
        number if number.is_instance_of::<PyFloat>() => number.extract::<f64>()?.into(),
        text => text.extract::<String>()?.into(),
    })
}

/// A time.
pub(crate) fn seconds(name: &str, seconds: f64) -> PyResult<Duration> {
    let time = Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero());
    time.ok_or_else(|| {
        let what = if seconds > 0.0 { "longer than any time" } else { "no time in seconds above 0" };
        PyValueError::new_err(format!("`{name}` is {seconds:?}, and {what}"))
    })
}

fn unknown(name: &str, word: &str, known: &str) -> PyErr {
    PyValueError::new_err(format!("`{name}` is `{word}`; it may be one of {known}"))
}

/// The worker program that came with the package, unless the environment or the options name another.
fn own_worker(py: Python<'_>) -> Option<PathBuf> {
    if std::env::var_os("HOTCELL_WORKER").is_some() { None } else { own_program(py, "hotcell-worker") }
}

/// A program that came with the package.
pub(crate) fn own_program(py: Python<'_>, name: &str) -> Option<PathBuf> {
    let package = py.import("hotcell").ok()?.getattr("__file__").ok()?.extract::<PathBuf>().ok()?;
    Some(package.parent()?.join("bin").join(name)).filter(|program| program.is_file())
}

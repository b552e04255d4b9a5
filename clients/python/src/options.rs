//! Options of a session, as named arguments.

use std::path::PathBuf;
use std::time::Duration;

use hotcell::rt::{Guard, Profile};
use hotcell::{Options, Sandbox, Waiting};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// The options that were named.
pub(crate) fn read(named: Option<&Bound<'_, PyDict>>) -> PyResult<Options> {
    let mut options = Options { worker: Python::attach(own_worker), ..Options::default() };
    for (name, value) in named.into_iter().flat_map(|named| named.iter()) {
        let name = name.cast::<PyString>()?.to_string();
        set(&mut options, &name, &value)?;
    }
    Ok(options)
}

fn set(options: &mut Options, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
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
        "callers" => options.callers = value.extract()?,
        "spares" => options.spares = value.extract()?,
        "max_input" => options.max_input = value.extract()?,
        "max_output" => options.max_output = value.extract()?,
        "max_objects" => options.max_objects = value.extract()?,
        "max_callbacks" => options.max_callbacks = value.extract()?,
        _ => return Err(PyTypeError::new_err(format!("there is no option `{name}`"))),
    }
    Ok(())
}

/// A time.
pub(crate) fn seconds(name: &str, seconds: f64) -> PyResult<Duration> {
    let time = Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero());
    time.ok_or_else(|| {
        PyValueError::new_err(format!("`{name}` is {seconds}, and no time in seconds above 0"))
    })
}

fn unknown(name: &str, word: &str, known: &str) -> PyErr {
    PyValueError::new_err(format!("`{name}` is `{word}`; it may be one of {known}"))
}

/// The worker program that came with the package, unless the environment or the options name another.
fn own_worker(py: Python<'_>) -> Option<PathBuf> {
    if std::env::var_os("HOTCELL_WORKER").is_some() {
        return None;
    }
    let package = py.import("hotcell").ok()?.getattr("__file__").ok()?.extract::<PathBuf>().ok()?;
    Some(package.parent()?.join("bin/hotcell-worker")).filter(|worker| worker.is_file())
}

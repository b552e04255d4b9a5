//! The native module of the package `hotcell`: sessions, and functions that Python calls without a wrapper.
//!
//! What a function takes and gives is known from the interface of its library ([`plan`]). [`arguments`] writes what Python passes
//! into a call, [`results`] makes objects of the reply; what they do not know goes by the values of `hotcell::dynamic` ([`values`]).

mod aio;
mod arguments;
mod batch;
mod by_value;
mod cache;
mod call;
mod cycles;
mod ending;
mod errors;
mod ffi;
mod flight;
mod function;
mod hears;
mod library;
mod load;
mod making;
mod numbers;
mod object;
mod options;
mod package;
mod pipeline;
mod plan;
mod raised;
mod records;
mod restorable;
mod results;
mod stack;
mod structs;
mod unknown;
mod values;

use pyo3::prelude::*;

/// The module.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<library::Library>()?;
    module.add_class::<object::Object>()?;
    module.add_class::<restorable::Restorable>()?;
    module.add_class::<package::Package>()?;
    module.add_class::<ffi::buffer::Buffer>()?;
    module.add_class::<aio::Aio>()?;
    module.add_class::<pipeline::Pipeline>()?;
    module.add_class::<pipeline::Coming>()?;
    module.add_class::<stack::Stack>()?;
    ending::register(module)?;
    module.add_function(wrap_pyfunction!(cache::kept, module)?)?;
    module.add_function(wrap_pyfunction!(cache::keep, module)?)?;
    module.add_function(wrap_pyfunction!(load::load, module)?)
}

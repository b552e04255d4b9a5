//! A program in Python: a generated package of the library, and the driver, which needs nothing compiled.

use std::path::{Path, PathBuf};
use std::process::Command;

use hotcell_faulty::{SHIM, carried};
use hotcell_generate::python::{self, PythonOptions};
use hotcell_generate::{prebuilt, shim};

use super::{Made, run, told, write};

/// The package, as it is imported.
const PACKAGE: &str = "faulty_hotcell";

/// The driver, and the program that calls directly.
const PROGRAMS: &[(&str, &str)] = &[
    ("driver.py", include_str!("../../via/python/driver.py")),
    ("direct.py", include_str!("../../via/python/direct.py")),
];

const PYTHON: &str = "`hotcell lab --via python` needs Python 3.11 or later as `python3` on $PATH, and in it the package `hotcell` of the same \
     version: install that, or name its folder in $PYTHONPATH";

pub(super) fn make(folder: &Path) -> Result<Made, String> {
    let interface = &carried().interface;
    // Where it is, by its own word: what is on $PATH may be a script that starts another. Modules of the folder that this runs in are none.
    let asks = "import sys, hotcell; print(sys.executable); print(hotcell.__version__)";
    let said = run(Command::new("python3").args(["-P", "-c", asks]), PYTHON)?;
    let (python, version) = said.split_once('\n').unwrap_or_default();
    if version != env!("CARGO_PKG_VERSION") {
        let own = env!("CARGO_PKG_VERSION");
        return Err(format!(
            "the package `hotcell` of {python} is {version}, and this is {own}\nhelp: {PYTHON}"
        ));
    }
    let options = PythonOptions { package: PACKAGE.into(), libraries: Vec::new() };
    let package = python::render(interface, &options).map_err(told("the package"))?;
    let source = shim::render(interface).map_err(told("the shim"))?;
    let compiled = PathBuf::from(PACKAGE).join("shim");
    write(folder, package)?;
    write(folder, prebuilt::files(&compiled, interface, &source, SHIM.to_vec()))?;
    write(folder, PROGRAMS.iter().map(|(path, text)| (PathBuf::from(path), text)))?;
    let starts = |program: &str| vec![python.into(), "-B".into(), folder.join(program).into()];
    Ok(Made { driver: starts("driver.py"), direct: starts("direct.py"), variables: Vec::new() })
}

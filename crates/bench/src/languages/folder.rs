//! The folder that programs are built and run in: the library, its packages, and their sources, all of which this program has.

use std::fs;
use std::path::{Path, PathBuf};

use hotcell_generate::go::{self, GoOptions};
use hotcell_generate::python::{self, PythonOptions};
use hotcell_generate::{prebuilt, shim};
use hotcell_model::Interface;
use tempfile::TempDir;

use crate::LIBRARY;
use crate::plan::Stop;

const HEADER: &str = include_str!("../../measured/library/measured.h");
const INTERFACE: &str = include_str!("../../measured/interface.json");
/// The compiled shim, of which the packages of all languages have the same.
const SHIM: &[u8] = include_bytes!(env!("MEASURED_SHIM"));

/// Programs, by their place in the folder.
const PROGRAMS: &[(&str, &str)] = &[
    ("python/program.py", include_str!("../../programs/python/program.py")),
    ("python/contained.py", include_str!("../../programs/python/contained.py")),
    ("python/direct_ctypes.py", include_str!("../../programs/python/direct_ctypes.py")),
    ("python/direct_cffi.py", include_str!("../../programs/python/direct_cffi.py")),
    ("python/processes.py", include_str!("../../programs/python/processes.py")),
    ("go/programs/program/program.go", include_str!("../../programs/go/program/program.go")),
    ("go/programs/contained/main.go", include_str!("../../programs/go/contained/main.go")),
    ("go/programs/cgo/main.go", include_str!("../../programs/go/cgo/main.go")),
];

/// What the programs import.
const PYTHON_PACKAGE: &str = "measured_hotcell";
const GO_MODULE: &str = "hotcell-measured";

/// It is removed when this is dropped.
pub(super) struct Folder(TempDir);

impl Folder {
    /// Makes it, with the library and all programs.
    pub(super) fn make() -> Result<Folder, Stop> {
        let made = tempfile::Builder::new().prefix("hotcell-bench-").tempdir();
        let folder = Folder(made.map_err(Stop::refused("making a folder for programs"))?);
        folder.write("library/libhotcell_measured.so", LIBRARY)?;
        folder.write("library/measured.h", HEADER)?;
        for (place, text) in PROGRAMS {
            folder.write(place, text)?;
        }
        Ok(folder)
    }

    pub(super) fn path(&self, place: &str) -> PathBuf {
        self.0.path().join(place)
    }

    /// The folder of the library and its header.
    pub(super) fn library(&self) -> PathBuf {
        self.path("library")
    }

    /// Puts the package for Python beside the programs.
    pub(super) fn python_package(&self) -> Result<(), Stop> {
        let interface = interface()?;
        let options = PythonOptions { package: PYTHON_PACKAGE.into(), libraries: Vec::new() };
        let files = python::render(&interface, &options).map_err(broken)?;
        self.package(&interface, "python", &files, &Path::new(PYTHON_PACKAGE).join("shim"))
    }

    /// The same for Go, and a workspace that joins it with the programs and with a runtime: that of the package, or one in a folder.
    pub(super) fn go_package(&self, runtime: Option<&Path>) -> Result<(), Stop> {
        let interface = interface()?;
        let (runtime, place) = match runtime {
            None => (go::Runtime::Carried, format!("./measured/{}", go::CARRIED)),
            Some(folder) => {
                let text = folder.to_str().ok_or_else(|| {
                    Stop::LeftOut(format!("{} is no text, and cannot stand in go.work", folder.display()))
                })?;
                (go::Runtime::Folder(text.into()), text.to_owned())
            }
        };
        let options = GoOptions { module: GO_MODULE.into(), runtime, libraries: Vec::new() };
        let package = go::render(&interface, &options).map_err(broken)?;
        self.package(&interface, "go/measured", &package.files, Path::new(go::COMPILED))?;
        let version = go::VERSION;
        self.write("go/programs/go.mod", format!("module hotcell-bench\n\ngo {version}\n"))?;
        let work = format!("go {version}\n\nuse (\n\t./programs\n\t./measured\n\t{place:?}\n)\n");
        self.write("go/go.work", work)
    }

    /// A package with its compiled shim.
    fn package(
        &self,
        interface: &Interface,
        place: &str,
        files: &[(PathBuf, String)],
        compiled: &Path,
    ) -> Result<(), Stop> {
        let folder = self.path(place);
        hotcell_generate::write(&folder, files, false).map_err(broken)?;
        let source = shim::render(interface).map_err(broken)?;
        let shim = prebuilt::files(compiled, interface, &source, SHIM.to_vec());
        hotcell_generate::write(&folder, &shim, false).map_err(broken)
    }

    fn write(&self, place: &str, content: impl AsRef<[u8]>) -> Result<(), Stop> {
        let path = self.path(place);
        let folder = path.parent().unwrap_or(Path::new("."));
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, content));
        written.map_err(Stop::refused("writing programs"))
    }
}

/// The interface of the library, whose shim was compiled for the machine that this program runs on.
fn interface() -> Result<Interface, Stop> {
    let mut interface = Interface::from_json(INTERFACE).map_err(Stop::Program)?;
    let behind = interface.target.triple.split_once('-').map_or("unknown-linux-gnu", |it| it.1).to_owned();
    interface.target.triple = format!("{}-{behind}", std::env::consts::ARCH);
    Ok(interface)
}

fn broken(error: hotcell_generate::Error) -> Stop {
    Stop::Program(format!("its package cannot be made: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_lie_where_programs_look_for_them_and_go_with_the_folder() {
        let folder = Folder::make().ok().unwrap();
        folder.python_package().ok().unwrap();
        folder.go_package(None).ok().unwrap();
        for place in [
            "library/measured.h",
            "python/contained.py",
            "python/measured_hotcell/__init__.py",
            "python/measured_hotcell/shim/shim.so",
            "go/programs/cgo/main.go",
            "go/measured/compiled/shim.stamp",
            "go/measured/hotcell/go.mod",
        ] {
            assert!(folder.path(place).is_file(), "{place}");
        }
        let work = || fs::read_to_string(folder.path("go/go.work")).unwrap();
        assert!(work().contains("\t\"./measured/hotcell\"\n"), "{}", work());
        folder.go_package(Some(Path::new("/usr/lib/hotcell go"))).ok().unwrap();
        assert!(work().contains("\t\"/usr/lib/hotcell go\"\n"), "{}", work());
        let stamp = fs::read_to_string(folder.path("go/measured/compiled/shim.stamp")).unwrap();
        assert!(stamp.contains(&format!("machine {}\n", std::env::consts::ARCH)), "{stamp}");
        let path = folder.path("");
        drop(folder);
        assert!(!path.exists());
    }
}

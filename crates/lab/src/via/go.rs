//! A program in Go: a generated package of the library, which carries the client's runtime, and the driver, compiled here.

use std::path::{Path, PathBuf};
use std::process::Command;

use hotcell_faulty::{SHIM, carried};
use hotcell_generate::go::{self, GoOptions, Runtime};
use hotcell_generate::{prebuilt, shim};

use super::{Made, run, told, write};

/// The driver, and the program that calls directly.
const PROGRAMS: &[(&str, &str)] = &[
    ("driver/main.go", include_str!("../../via/go/driver/main.go")),
    ("driver/call.go", include_str!("../../via/go/driver/call.go")),
    ("driver/options.go", include_str!("../../via/go/driver/options.go")),
    ("driver/pool.go", include_str!("../../via/go/driver/pool.go")),
    ("driver/values.go", include_str!("../../via/go/driver/values.go")),
    ("direct/main.go", include_str!("../../via/go/direct/main.go")),
    ("direct/callbacks.go", include_str!("../../via/go/direct/callbacks.go")),
];

const GO: &str = "`hotcell lab --via go` needs Go 1.24 or later as `go` on $PATH";

const CGO: &str = "the program that calls directly uses cgo, which needs a C compiler: install gcc or clang, or name yours in $CC";

pub(super) fn make(folder: &Path) -> Result<Made, String> {
    let interface = &carried().interface;
    let options = GoOptions { module: "faulty".into(), runtime: Runtime::Carried, libraries: Vec::new() };
    let package = go::render(interface, &options).map_err(told("the package"))?;
    let source = shim::render(interface).map_err(told("the shim"))?;
    let shim = prebuilt::files(Path::new(go::COMPILED), interface, &source, SHIM.to_vec());
    write(&folder.join("package"), package.files)?;
    write(&folder.join("package"), shim)?;
    write(folder, PROGRAMS.iter().map(|(path, text)| (PathBuf::from(path), text)))?;
    write(folder, modules().map(|(path, text)| (PathBuf::from(path), text)))?;
    let build = |module: &str, program: &Path| {
        let mut go = Command::new("go");
        go.arg("build").arg("-o").arg(program).arg(".").current_dir(folder.join(module));
        go.env("GOFLAGS", "-mod=readonly").env("GOWORK", "off").env("CGO_ENABLED", "0");
        go
    };
    let (driver, direct) = (folder.join("lab-driver"), folder.join("lab-direct"));
    run(build("driver", &driver).env("GOWORK", folder.join("go.work")), GO)?;
    run(build("direct", &direct).env("CGO_ENABLED", "1"), CGO)?;
    let own = std::env::current_exe().map_err(told("where this program is"))?;
    Ok(Made {
        driver: vec![driver.into()],
        direct: vec![direct.into()],
        variables: vec![("HOTCELL", own.into())],
    })
}

/// What makes modules of the programs, and joins the driver with the package and the runtime that this carries.
fn modules() -> [(&'static str, String); 3] {
    let (version, runtime) = (go::VERSION, go::CARRIED);
    [
        ("driver/go.mod", format!("module driver\n\ngo {version}\n")),
        ("direct/go.mod", format!("module direct\n\ngo {version}\n")),
        ("go.work", format!("go {version}\n\nuse (\n\t./driver\n\t./package\n\t./package/{runtime}\n)\n")),
    ]
}

//! Figures of Go: contained calls without cgo, and the same by cgo.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

use super::{Means, Place, Programs, Sample, each, sample};
use crate::plan::{Bench, Figure, Probe, Samples, Stop};

const CGO: Means = Means { name: "go.cgo", command: |it| it.go("cgo", true) };
const CONTAINED: Means = Means { name: "go.contained", command: |it| it.go("contained", false) };

const SPIN: &[&str] = &["raw.spin"];
const ADD: &[&str] = &["go.cgo.add"];
const CRC32: &[&str] = &["go.cgo.crc32.1k"];

/// Every probe with its figures.
pub(crate) const PROBES: &[Probe] = &[
    each(|it| cgo(it, "add", 1000), &[Figure::plain("go.cgo.add")]),
    each(|it| cgo(it, "crc32.1k", 100), &[Figure::plain("go.cgo.crc32.1k")]),
    each(|it| cgo(it, "callback", 1), &[Figure::plain("go.cgo.callback")]),
    each(
        |it| contained(it, "add", 500),
        &[Figure::plain("go.contained.add").over(SPIN).beside(ADD).bar(1.5)],
    ),
    each(
        |it| contained(it, "crc32.1k", 100),
        &[Figure::plain("go.contained.crc32.1k")
            .over(&["raw.move.1k"])
            .less(&["direct.crc32.1k"])
            .beside(CRC32)],
    ),
    each(
        |it| contained(it, "callback", 1),
        &[Figure::plain("go.contained.callback").over(SPIN).beside(&["go.cgo.callback"])],
    ),
    each(
        |it| contained(it, "batch.64.add", 20),
        &[Figure::plain("go.contained.batch.64.add").over(ADD).bar(1.0)],
    ),
    each(
        |it| contained(it, "rows.64.add", 20),
        &[Figure::plain("go.contained.rows.64.add").over(ADD).bar(1.0)],
    ),
    each(
        |it| contained(it, "batch.64.crc32.1k", 5),
        &[Figure::plain("go.contained.batch.64.crc32.1k").over(CRC32)],
    ),
];

fn cgo(bench: &mut Bench, figure: &'static str, calls: u32) -> Samples {
    sample(bench, &CGO, &Sample { figure, place: Place::Near, blocks: 40, calls }, 1)
}

fn contained(bench: &mut Bench, figure: &'static str, calls: u32) -> Samples {
    sample(bench, &CONTAINED, &Sample { figure, place: Place::TwoCores, blocks: 40, calls }, 1)
}

impl Programs {
    /// Builds one of the programs, with cgo or without, and gives what runs it.
    fn go(&mut self, name: &str, cgo: bool) -> Result<Command, Stop> {
        let runtime = self.go_runtime()?;
        let folder = self.folder()?;
        folder.go_package(runtime.as_deref())?;
        let (library, built) = (folder.library(), folder.path("go").join(name));
        let mut build = Command::new("go");
        build.args(["build", "-o"]).arg(&built).arg(format!("./{name}"));
        build.current_dir(folder.path("go/programs"));
        build.env("GOWORK", folder.path("go/go.work")).env("GOFLAGS", "-mod=readonly");
        build.env("CGO_ENABLED", if cgo { "1" } else { "0" });
        let place = library.display();
        build.env("CGO_CFLAGS", format!("-O2 -I{place}"));
        build.env("CGO_LDFLAGS", format!("-L{place} -Wl,-rpath,{place}"));
        match build.output() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Stop::LeftOut("there is no `go`".into()));
            }
            Err(error) => return Err(Stop::LeftOut(format!("`go` cannot be started: {error}"))),
            Ok(output) if !output.status.success() => {
                let said = String::from_utf8_lossy(&output.stderr);
                return Err(Stop::LeftOut(format!("`go` could not build it: {}", said.trim())));
            }
            Ok(_) => {}
        }
        // Workers of programs in Go are those of the program `hotcell`: of this one.
        let own = std::env::current_exe().map_err(Stop::refused("finding this program"))?;
        let mut command = Command::new(built);
        command.arg(library).env("HOTCELL", own).env_remove("HOTCELL_SERVE");
        Ok(command)
    }

    /// The folder of another runtime than the one that packages carry.
    fn go_runtime(&self) -> Result<Option<PathBuf>, Stop> {
        let Some(folder) = &self.toolchains.go_runtime else { return Ok(None) };
        let whole = folder.canonicalize().ok().filter(|it| it.join("go.mod").is_file());
        whole.map(Some).ok_or_else(|| {
            Stop::LeftOut(format!("{} is not the folder of the runtime for Go", folder.display()))
        })
    }
}

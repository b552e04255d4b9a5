//! `cargo dev setup`: what the build needs of the system, found or installed.

use anyhow::{Context, Result, bail, ensure};

mod apt;
mod examples;
mod libclang;
mod machine;

use apt::{Apt, Packages};
use examples::EXAMPLES;
use machine::Machine;

/// One thing the build needs. Adding a need is adding a row.
struct Requirement {
    name: &'static str,
    why: &'static str,
    /// Where it was found, or what was looked for in vain. Looks for the thing itself: what a package
    /// database says is no proof, and not every system has one.
    find: fn(&Machine) -> Result<String, String>,
    packages: Packages,
}

const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        name: "a C compiler (`cc`)",
        why: "links the build and compiles the shims",
        find: |machine| machine.program("cc"),
        packages: Packages::Named(&["gcc"]),
    },
    Requirement {
        name: "the C library's headers",
        why: "shims include them",
        find: |machine| machine.header("stdio.h"),
        packages: Packages::Named(&["libc6-dev"]),
    },
    Requirement {
        name: "libclang 14 to 21 with its built-in headers",
        why: "parses the headers of the libraries",
        find: libclang::find,
        packages: Packages::Newest {
            versions: &[19, 18, 17, 16, 15, 14],
            names: |version| vec![format!("libclang1-{version}"), format!("libclang-common-{version}-dev")],
            otherwise: "libclang-dev",
        },
    },
    Requirement {
        name: "Go 1.21 or later",
        why: "builds and tests the runtime for Go; it fetches the version that the module asks for, which older ones do not",
        find: go,
        packages: Packages::Named(&["golang-go"]),
    },
    Requirement {
        name: "Python 3.11 or later, with venv and pip",
        why: "runs the Python client and its tests",
        find: python,
        packages: Packages::Named(&["python3", "python3-venv", "python3-pip"]),
    },
    Requirement {
        name: "the DejaVu fonts",
        why: "the example of FreeType draws letters of one",
        find: |machine| machine.file("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
        packages: Packages::Named(&["fonts-dejavu-core"]),
    },
    Requirement {
        name: "Python's headers",
        why: "cffi compiles modules with them, for an example and for the benchmark",
        find: headers_of_python,
        packages: Packages::Named(&["python3-dev"]),
    },
];

fn go(machine: &Machine) -> Result<String, String> {
    let found = machine.program("go")?;
    crate::go::fetches_versions().map(|()| found).map_err(|error| error.to_string())
}

fn python(machine: &Machine) -> Result<String, String> {
    machine.program("python3")?;
    crate::python::interpreter().map(|found| found.display().to_string()).map_err(|error| error.to_string())
}

fn headers_of_python(machine: &Machine) -> Result<String, String> {
    machine.program("python3")?;
    crate::python::headers().map_err(|error| error.to_string())
}

/// What `cargo dev fuzz` needs besides.
const FUZZING: &[Requirement] = &[Requirement {
    name: "a C++ compiler (`c++`)",
    why: "compiles libFuzzer",
    find: |machine| machine.program("c++"),
    packages: Packages::Named(&["g++"]),
}];

/// Checks this machine and installs what is missing, where that is possible without a question.
pub(crate) fn run() -> Result<()> {
    ensure_here(&[REQUIREMENTS, EXAMPLES])
}

/// As [`run`], and what only fuzzing needs.
pub(crate) fn for_fuzzing() -> Result<()> {
    run()?;
    ensure_here(&[FUZZING])
}

fn ensure_here(requirements: &[&[Requirement]]) -> Result<()> {
    let machine = Machine::this();
    let apt = apt::System::find(&machine);
    ensure_all(&machine, requirements, apt.as_ref().map(|it| it as &dyn Apt))
}

fn ensure_all(machine: &Machine, requirements: &[&[Requirement]], apt: Option<&dyn Apt>) -> Result<()> {
    let missing = look(machine, requirements);
    if missing.is_empty() {
        return Ok(());
    }
    let Some(apt) = apt else {
        bail!("install by hand, with this system's own means:\n{}", in_words(&missing));
    };
    let wanted: Vec<&Packages> = missing.iter().map(|it| &it.0.packages).collect();
    if !apt.may_install() {
        let packages = apt::choose(apt, &wanted).join(" ");
        bail!(
            "missing:\n{}\nThis needs root; run\n\n    sudo apt-get update && sudo apt-get install -y {packages}\n",
            in_words(&missing)
        );
    }
    apt::install(apt, &wanted).context("installing what is missing")?;
    let missing = look(machine, requirements);
    ensure!(missing.is_empty(), "apt-get ended well, and yet there is missing:\n{}", in_words(&missing));
    Ok(())
}

type Missing<'a> = (&'a Requirement, String);

/// Prints what is there and returns what is not, with the reason.
fn look<'a>(machine: &Machine, requirements: &[&'a [Requirement]]) -> Vec<Missing<'a>> {
    let mut missing = Vec::new();
    for requirement in requirements.iter().copied().flatten() {
        match (requirement.find)(machine) {
            Ok(place) => println!("   {}: {place}", requirement.name),
            Err(reason) => missing.push((requirement, reason)),
        }
    }
    missing
}

fn in_words(missing: &[Missing<'_>]) -> String {
    let lines = missing.iter().map(|(it, reason)| format!("  - {}: {} ({reason})\n", it.name, it.why));
    lines.collect()
}

#[cfg(test)]
mod tests;

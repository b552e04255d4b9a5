//! `cargo dev python [ARGUMENT…]`: the Python client, built and tested: pytest with these arguments, and mypy.
//!
//! Its tools lie in a virtual environment below `target/`, in the versions of clients/python/requirements.txt. The package is put
//! together beside it, as a wheel would have it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{cargo, output, show, step};

/// Versions of Python that the client is for.
const OLDEST: &str = "3.11";

pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let place = Place::of(root);
    step("python: tools", || place.environment())?;
    step("python: build", || place.build())?;
    match arguments {
        [wheel] if wheel == "--wheel" => step("python: wheel", || place.wheel()),
        _ => {
            step("python: pytest", || place.pytest(arguments))?;
            if !arguments.is_empty() {
                return Ok(());
            }
            step("python: mypy", || place.mypy())
        }
    }
}

/// Runs the conformance grid, whose cases that passed are written into a file.
pub(crate) fn conformance(root: &Path, file: &Path) -> Result<()> {
    let place = Place::of(root);
    place.environment()?;
    place.build()?;
    let mut pytest = place.pytest_of(&["tests/test_conformance.py".to_owned()]);
    show(pytest.env(crate::conformance::VARIABLE, file))
}

/// Builds the client. What comes starts its Python, which finds the packages in these folders, too.
pub(crate) fn with_packages(root: &Path, folders: &[PathBuf]) -> Result<impl Fn() -> Command> {
    let place = Place::of(root);
    place.environment()?;
    place.build()?;
    let all = std::iter::once(&place.packages).chain(folders);
    let path = std::env::join_paths(all).context("a folder has a name that no list of them can have")?;
    Ok(move || {
        let mut python = place.python();
        // Nothing is written into the repository.
        python.env("PYTHONPATH", &path).args(["-B", "-P"]);
        python
    })
}

/// The client as it is measured: built for release.
pub(crate) struct Released {
    /// Python, with what the tests need.
    pub(crate) interpreter: PathBuf,
    /// The folder with the package.
    pub(crate) packages: PathBuf,
}

/// Builds that.
pub(crate) fn released(root: &Path) -> Result<Released> {
    let mut place = Place::of(root);
    place.environment()?;
    show(&mut cargo(root, PROGRAMS.into_iter().chain(["--release"])))?;
    place.built = place.built.with_file_name("release");
    place.packages = place.packages.with_file_name("released");
    place.put_together()?;
    Ok(Released { interpreter: place.program("python"), packages: place.packages })
}

/// Where the headers of the interpreter lie.
pub(crate) fn headers() -> Result<String> {
    let asks = "import sysconfig; print(sysconfig.get_path('include'))";
    let folder = output(Command::new(interpreter()?).args(["-c", asks]))?;
    let header = Path::new(folder.trim()).join("Python.h");
    ensure!(header.is_file(), "{} is not there", header.display());
    Ok(header.display().to_string())
}

/// Where everything lies.
struct Place {
    root: PathBuf,
    client: PathBuf,
    /// The folder with what is built.
    built: PathBuf,
    /// The virtual environment.
    environment: PathBuf,
    /// The folder with the package.
    packages: PathBuf,
}

impl Place {
    fn of(root: &Path) -> Place {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |it| root.join(it));
        Place {
            root: root.to_owned(),
            client: root.join("clients/python"),
            built: target.join("debug"),
            environment: target.join("python/venv"),
            packages: target.join("python/packages"),
        }
    }

    fn program(&self, name: &str) -> PathBuf {
        self.environment.join("bin").join(name)
    }

    /// Makes the virtual environment, unless it is there with what is asked for.
    fn environment(&self) -> Result<()> {
        let wanted = self.client.join("requirements.txt");
        let wanted_text =
            fs::read_to_string(&wanted).with_context(|| format!("reading {}", wanted.display()))?;
        let stamp = self.environment.join("requirements.txt");
        if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted_text) {
            return Ok(());
        }
        let python = interpreter()?;
        show(Command::new(&python).args(["-m", "venv", "--clear"]).arg(&self.environment))?;
        let mut pip = Command::new(self.program("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&wanted);
        show(&mut pip)?;
        fs::write(&stamp, wanted_text).with_context(|| format!("writing {}", stamp.display()))
    }

    /// Builds the package, and puts it together.
    fn build(&self) -> Result<()> {
        programs(&self.root)?;
        self.put_together()
    }

    fn put_together(&self) -> Result<()> {
        let package = self.packages.join("hotcell");
        if package.exists() {
            fs::remove_dir_all(&package).with_context(|| format!("removing {}", package.display()))?;
        }
        fs::create_dir_all(package.join("bin")).with_context(|| format!("making {}", package.display()))?;
        let source = self.client.join("hotcell");
        for entry in fs::read_dir(&source).with_context(|| format!("reading {}", source.display()))? {
            let file = entry?.path();
            if file.is_file() {
                copy(&file, &package.join(file.file_name().unwrap_or_default()))?;
            }
        }
        copy(&self.built.join("libhotcell_native.so"), &package.join("_native.abi3.so"))?;
        for program in ["hotcell", "hotcell-worker"] {
            copy(&self.built.join(program), &package.join("bin").join(program))?;
        }
        Ok(())
    }

    fn python(&self) -> Command {
        let mut python = Command::new(self.program("python"));
        python.env("PYTHONPATH", &self.packages).env_remove("HOTCELL_WORKER").current_dir(&self.client);
        python
    }

    fn pytest(&self, arguments: &[String]) -> Result<()> {
        show(&mut self.pytest_of(arguments))
    }

    fn pytest_of(&self, arguments: &[String]) -> Command {
        let mut pytest = self.python();
        // Nothing is written into the repository.
        pytest.args(["-B", "-P", "-m", "pytest", "-p", "no:cacheprovider"]).args(arguments);
        pytest
    }

    fn mypy(&self) -> Result<()> {
        let mut mypy = self.python();
        mypy.env("MYPYPATH", &self.packages).args(["-P", "-m", "mypy", "--strict", "--cache-dir"]);
        show(mypy.arg(self.environment.join("mypy")).args(["-p", "hotcell"]))
    }

    /// The wheel, as it is published: with the programs in it.
    fn wheel(&self) -> Result<()> {
        let programs = self.client.join("hotcell/bin");
        fs::create_dir_all(&programs).with_context(|| format!("making {}", programs.display()))?;
        show(&mut cargo(&self.root, ["build", "--release", "-p", "hotcell-worker", "-p", "hotcell-cli"]))?;
        let release = self.built.with_file_name("release");
        for program in ["hotcell", "hotcell-worker"] {
            copy(&release.join(program), &programs.join(program))?;
        }
        let mut maturin = Command::new(self.program("maturin"));
        maturin.args(["build", "--release", "--out"]).arg(self.packages.with_file_name("wheels"));
        let made = show(maturin.current_dir(&self.client));
        fs::remove_dir_all(&programs).with_context(|| format!("removing {}", programs.display()))?;
        made
    }
}

/// Builds the native module and the programs, for other languages too: fewer packages would have other features, and be built again.
pub(crate) fn programs(root: &Path) -> Result<()> {
    show(&mut cargo(root, PROGRAMS))
}

const PROGRAMS: [&str; 7] = ["build", "-p", "hotcell-python", "-p", "hotcell-worker", "-p", "hotcell-cli"];

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map(drop).with_context(|| format!("copying {} to {}", from.display(), to.display()))
}

/// A Python that is new enough, with what makes virtual environments.
pub(crate) fn interpreter() -> Result<PathBuf> {
    let asks =
        format!("import sys, venv, ensurepip; assert sys.version_info >= ({})", OLDEST.replace('.', ", "));
    for name in ["python3", "python3.13", "python3.12", "python3.11"] {
        if output(Command::new(name).args(["-c", &asks])).is_ok() {
            return Ok(PathBuf::from(name));
        }
    }
    bail!("there is no Python {OLDEST} or later with venv and pip")
}

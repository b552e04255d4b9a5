//! `cargo dev python [ARGUMENT…]`: the Python client, built and tested: pytest with these arguments; without any, mypy as well, of the client
//! and of its tests.
//!
//! Its tools lie in a virtual environment below `target/`, in the versions of clients/python/requirements.txt. What is tested is a wheel,
//! installed beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::install::{Environment, User};
use crate::process::{cargo, output, show, step};
use wheel::{Making, PROGRAMS};

mod licences;
mod wheel;

/// Versions of Python that the client is for.
const OLDEST: &str = "3.11";

pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let place = Place::of(root);
    step("python: tools", || place.environment())?;
    match arguments {
        [wheel] if wheel == "--wheel" => step("python: wheel", || place.release()),
        _ => {
            step("python: build", || place.build())?;
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
    place.packages = place.packages.with_file_name("released");
    let wheel = place.released()?;
    place.install(&wheel)?;
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

    /// Makes a wheel and installs it.
    fn build(&self) -> Result<()> {
        programs(&self.root)?;
        let wheel = self.wheel("wheel", &self.built, false)?;
        self.install(&wheel)
    }

    fn install(&self, wheel: &Path) -> Result<()> {
        if self.packages.exists() {
            fs::remove_dir_all(&self.packages)
                .with_context(|| format!("removing {}", self.packages.display()))?;
        }
        let mut pip = Command::new(self.program("python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-index",
            "--target",
        ]);
        show(pip.arg(&self.packages).arg(wheel))
    }

    /// The wheel as it is published.
    fn release(&self) -> Result<()> {
        println!("   {}", self.released()?.display());
        Ok(())
    }

    fn released(&self) -> Result<PathBuf> {
        show(&mut cargo(&self.root, ["build", "--release", "-p", "hotcell-worker", "-p", "hotcell-cli"]))?;
        self.wheel("release", &self.built.with_file_name("release"), true)
    }

    fn wheel(&self, out: &str, built: &Path, release: bool) -> Result<PathBuf> {
        let making = Making {
            root: &self.root,
            maturin: self.program("maturin"),
            built,
            source: self.packages.with_file_name("source"),
            out: self.packages.with_file_name(out),
            release,
        };
        making.wheel()
    }

    /// A folder with what is installed beside the wheel: all that the tools are, so that nothing is asked of a registry.
    fn offline(&self) -> Result<PathBuf> {
        let folder = self.packages.with_file_name("downloads");
        let wanted = self.client.join("requirements.txt");
        let wanted_text =
            fs::read_to_string(&wanted).with_context(|| format!("reading {}", wanted.display()))?;
        let stamp = folder.join("requirements.txt");
        if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted_text) {
            return Ok(folder);
        }
        let mut pip = Command::new(self.program("python"));
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest"]);
        show(pip.arg(&folder).arg("-r").arg(&wanted))?;
        fs::write(&stamp, wanted_text).with_context(|| format!("writing {}", stamp.display()))?;
        Ok(folder)
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

    /// Checks the types of the client, and of its tests.
    fn mypy(&self) -> Result<()> {
        [["-p", "hotcell"].as_slice(), &["tests"]].into_iter().try_for_each(|checked| {
            let mut mypy = self.python();
            mypy.env("MYPYPATH", &self.packages).args(["-P", "-m", "mypy", "--strict", "--cache-dir"]);
            show(mypy.arg(self.environment.join("mypy")).args(checked))
        })
    }
}

/// The wheel and the programs, for who installs them.
pub(crate) fn built(root: &Path) -> Result<()> {
    let place = Place::of(root);
    step("python: tools", || place.environment())?;
    step("python: build", || place.build())
}

/// What a new user of the client has: its wheel, Python, and somewhere to install other packages from.
pub(crate) fn given(root: &Path, user: &User) -> Result<Environment> {
    let place = Place::of(root);
    let wheels = fs::read_dir(place.packages.with_file_name("wheel")).context("looking for the wheel")?;
    for wheel in wheels {
        let wheel = wheel?.path();
        copy(&wheel, &user.folder.join(wheel.file_name().unwrap_or_default()))?;
    }
    // The interpreter itself: what stands for it may need more of the environment than a user has.
    let asks = "import sys, pathlib; print(pathlib.Path(sys.base_prefix, 'bin'))";
    let bin = output(Command::new(place.program("python")).args(["-c", asks]))?;
    let bin = Path::new(bin.trim());
    ensure!(bin.join("python3").is_file(), "{} has no python3", bin.display());
    let mut path = bin.as_os_str().to_owned();
    path.push(":/usr/bin:/bin");
    Ok(vec![
        ("PATH", path),
        ("PIP_NO_INDEX", "1".into()),
        ("PIP_FIND_LINKS", place.offline()?.into_os_string()),
        ("PIP_DISABLE_PIP_VERSION_CHECK", "1".into()),
    ])
}

/// Copies the programs, as they are in the wheel, into a folder.
pub(crate) fn copy_programs(root: &Path, folder: &Path) -> Result<()> {
    let from = Place::of(root).packages.with_file_name("source/hotcell/bin");
    PROGRAMS.iter().try_for_each(|program| copy(&from.join(program), &folder.join(program)))
}

/// Builds the programs, for other languages too: fewer packages would have other features, and be built again.
pub(crate) fn programs(root: &Path) -> Result<()> {
    show(&mut cargo(root, ["build", "-p", "hotcell-worker", "-p", "hotcell-cli"]))
}

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

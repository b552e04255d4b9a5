//! `cargo dev install [python|go]`: what the README of a client says is done as a new user would: in an empty folder, with the wheel, or
//! with both programs, and with nothing else of this repository. What is printed is compared with what the page says.

mod page;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{output, step};
use crate::{go, python};

/// A client with a page that is followed.
struct Client {
    name: &'static str,
    page: &'static str,
    /// What the user has: files that lie in the empty folder, and the environment.
    given: fn(&Path, &User) -> Result<Environment>,
}

const CLIENTS: &[Client] = &[
    Client { name: "python", page: "clients/python/README.md", given: python::given },
    Client { name: "go", page: "clients/go/README.md", given: go::given },
];

/// Variables and their values.
pub(crate) type Environment = Vec<(&'static str, OsString)>;

/// Somebody with an empty folder.
pub(crate) struct User {
    pub(crate) folder: PathBuf,
    /// Where programs lie that the user has installed.
    pub(crate) programs: PathBuf,
}

pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let clients: Vec<&Client> = match arguments {
        [] => CLIENTS.iter().collect(),
        [name] => CLIENTS.iter().filter(|client| client.name == name).collect(),
        _ => Vec::new(),
    };
    if clients.is_empty() {
        bail!("unexpected arguments; usage: cargo dev install [python|go]");
    }
    python::built(root)?;
    clients
        .into_iter()
        .try_for_each(|client| step(&format!("install: {}", client.name), || follow(root, client)))
}

/// As [`run`], with the wheel that is there.
pub(crate) fn test(root: &Path) -> Result<()> {
    CLIENTS.iter().try_for_each(|client| step(&format!("install: {}", client.name), || follow(root, client)))
}

/// Does what a page says.
fn follow(root: &Path, client: &Client) -> Result<()> {
    let file = root.join(client.page);
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let page = page::read(&text).with_context(|| format!("in {}", client.page))?;
    let place = Place::new(client.name)?;
    let user = User { folder: place.0.join("user"), programs: place.0.join("programs") };
    for folder in [&user.folder, &user.programs, &place.0.join("home")] {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let given = (client.given)(root, &user)?;
    let script = place.0.join("script");
    fs::write(&script, page.script()).with_context(|| format!("writing {}", script.display()))?;
    let mut shell = Command::new("sh");
    shell.arg(&script).current_dir(&user.folder).env_clear();
    shell
        .env("HOME", place.0.join("home"))
        .env("LANG", "C.UTF-8")
        .env("PATH", "/usr/local/bin:/usr/bin:/bin");
    let printed = output(shell.envs(given))?;
    let commands = page.compare(&printed).with_context(|| format!("what {} says is not so", client.page))?;
    println!("   {commands} commands print what {} says", client.page);
    Ok(())
}

/// A folder outside of the repository, which goes when this goes.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Result<Place> {
        let folder = std::env::temp_dir().join(format!("hotcell-install-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(Place(folder))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What stays behind is in the way of nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

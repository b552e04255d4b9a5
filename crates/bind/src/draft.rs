//! The draft of a contract from headers and a library: `hotcell init`.

use std::cell::RefCell;
use std::path::{Component, Path, PathBuf};
use std::time::Instant;

use hotcell_contract::{Contract, Diagnostic, Head, Selection};
use hotcell_header::{Reader, library};

use crate::error::Error;
use crate::files::Files;
use crate::read::{self, Checked, Wrong, check_of};
use crate::{Job, Source, prelude};

/// What a draft is made of. Paths are those of the caller's working directory.
#[derive(Debug, Clone)]
pub struct DraftJob {
    /// Paths, or names as in `#include <name>`.
    pub headers: Vec<String>,
    /// The library's name: `z`, `libz.so.1`, or a path.
    pub library: String,
    /// Directories to search for headers, as with `-I`.
    pub include_dirs: Vec<PathBuf>,
    /// Macros to define, as with `-D`.
    pub defines: Vec<String>,
    /// Directories to search for libraries, as with `-L`.
    pub library_dirs: Vec<PathBuf>,
    /// C text before the first `#include`; absent: standard headers, where they are needed.
    pub prelude: Option<String>,
    /// The file the contract will be: its relative paths start there.
    pub place: PathBuf,
}

/// A draft that passes its own check.
#[derive(Debug)]
pub struct Draft {
    /// The text of the contract.
    pub text: String,
    /// What it says before the first function.
    pub head: Head,
    /// What becomes of every function with it.
    pub checked: Checked,
}

/// Drafts a contract. Nothing is written.
///
/// # Errors
///
/// When headers or library cannot be read; the draft itself is valid.
pub fn draft(job: &DraftJob) -> Result<Draft, Error> {
    let reader = &Reader::new();
    let files = &Files::once(reader);
    let folder = job.place.parent().unwrap_or(Path::new(""));
    let mut head = Head {
        library: name(&job.library),
        headers: job.headers.iter().map(|header| header_from(folder, header)).collect(),
        link: vec![link(folder, job)?],
        include_dirs: job.include_dirs.iter().map(|dir| from(folder, dir)).collect(),
        defines: job.defines.clone(),
        prelude: job.prelude.clone(),
        include: Vec::new(),
    };
    if head.prelude.is_none() {
        head.prelude = prelude(files, &contract(&head.text(), &job.place))?;
    }
    let mut checked = check_of(files, &contract(&head.text(), &job.place))?;
    head.include = narrowed(&checked);
    if !head.include.is_empty() {
        checked = check_of(files, &contract(&head.text(), &job.place))?;
    }
    // Lines that make functions of their own are read with the headers.
    let stopped = RefCell::new(None);
    let trial = |text: &str| tried(files, text, folder_or_here(folder), &checked, &stopped);
    let known = (&checked.interface, checked.open_types.clone());
    let text = hotcell_contract::draft_with(&head, &checked.api, checked.libraries.link(), known, &trial);
    if let Some(error) = stopped.into_inner() {
        return Err(Error::from_header(error));
    }
    // What a user is given must not be wrong from the first line.
    let checked = check_of(files, &contract(&text, &job.place))?;
    Ok(Draft { text, head, checked })
}

/// What headers expect before them, where they do not compile by themselves.
fn prelude(files: &Files<'_>, job: &Job) -> Result<Option<String>, Error> {
    let (contract, _, folder) = read::contract(&job.source)?;
    let headers = read::headers(job, &contract, &folder);
    let begun = Instant::now();
    match files.headers(&headers) {
        Ok(_) => Ok(None),
        Err(failure) => prelude::needed(files.reader, headers, (failure, begun.elapsed())).map(Some),
    }
}

/// What becomes of every function with a text, or what is wrong with it. Once the reader has failed, there is nothing to try.
fn tried(
    files: &Files<'_>,
    text: &str,
    folder: &Path,
    checked: &Checked,
    stopped: &RefCell<Option<hotcell_header::Error>>,
) -> Result<hotcell_contract::Checked, Vec<Diagnostic>> {
    if stopped.borrow().is_some() {
        return Err(Vec::new());
    }
    let mut contract = Contract::parse(text, "the draft")?;
    let mut headers = read::headers(&self::contract(text, folder), &contract, folder);
    let api = checked.api.clone();
    let read = |job: &hotcell_header::Job| files.headers(job);
    let (api, _) =
        read::with_forms(&read, &mut contract, api, &mut headers, &checked.libraries).map_err(|wrong| {
            match wrong {
                Wrong::Contract(diagnostics) => diagnostics,
                Wrong::Header(error) => {
                    if !prelude::is_of_headers(error.kind) {
                        *stopped.borrow_mut() = Some(error);
                    }
                    Vec::new()
                }
            }
        })?;
    hotcell_contract::check(&contract, &api, checked.libraries.link(), Selection::Contract)
}

fn contract(text: &str, place: &Path) -> Job {
    Job {
        source: Source::Text { text: text.to_owned(), path: place.to_owned() },
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: Vec::new(),
    }
}

/// A name for the library that packages can be called after.
fn name(library: &str) -> String {
    let name = Contract::bare(&[], library).library().to_owned();
    let known = |c: char| c.is_ascii_alphanumeric() || "_-+.".contains(c);
    let name: String = name.chars().map(|c| if known(c) { c } else { '-' }).collect();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    if name.is_empty() { "library".to_owned() } else { name.to_owned() }
}

/// How the contract names a header: by its name where the compiler finds it by that, else by its path.
fn header_from(folder: &Path, header: &str) -> String {
    let path = Path::new(header);
    if !path.is_file() {
        return header.to_owned();
    }
    let multiarch = format!("/usr/include/{}-linux-gnu", std::env::consts::ARCH);
    let roots = [multiarch.as_str(), "/usr/include", "/usr/local/include"];
    let name = roots.iter().find_map(|root| path.strip_prefix(root).ok());
    match name.filter(|name| !folder.join(name).is_file()) {
        Some(name) => name.display().to_string(),
        None => from(folder, path),
    }
}

/// How the contract names the library: as it was given, or by its path where that name would not be enough.
fn link(folder: &Path, job: &DraftJob) -> Result<String, Error> {
    let found = library::find(&job.library, &job.library_dirs).map_err(Error::from_header)?;
    if job.library.contains('/') {
        return Ok(from(folder, Path::new(&job.library)));
    }
    let own = job.library_dirs.iter().find(|dir| found.parent() == Some(dir));
    Ok(own.map_or_else(|| job.library.clone(), |_| from(folder, &found)))
}

/// A path as a contract in `folder` writes it: absolute ones stay so, others start at the folder.
fn from(folder: &Path, path: &Path) -> String {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if path.is_absolute() {
        return path.display().to_string();
    }
    let (base, path) = (absolute(folder_or_here(folder)), absolute(path));
    let clean = |path: &Path| -> Vec<PathBuf> {
        let parts = path.components().filter(|part| *part != Component::CurDir);
        parts.map(|part| PathBuf::from(part.as_os_str())).collect()
    };
    let (base, parts) = (clean(&base), clean(&path));
    // `..` in front of a link is another folder: such a path is kept as it is.
    if base.iter().chain(&parts).any(|part| part.as_os_str() == "..") {
        return path.display().to_string();
    }
    let shared = base.iter().zip(&parts).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n(PathBuf::from(".."), base.len() - shared);
    let relative: PathBuf = up.chain(parts[shared..].iter().cloned()).collect();
    match relative.as_os_str().is_empty() {
        true => ".".to_owned(),
        false => relative.display().to_string(),
    }
}

fn folder_or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// Patterns of the library's own functions, where the headers declare more of others than of it; none otherwise.
fn narrowed(checked: &Checked) -> Vec<String> {
    let interface = &checked.interface;
    let left_out = interface.left_out.iter().map(|function| function.name.as_str());
    let all = interface.functions.iter().map(|function| function.name.as_str()).chain(left_out);
    let (own, others): (Vec<&str>, Vec<&str>) =
        all.partition(|name| checked.libraries.exports.contains(*name));
    patterns(&own, &others)
}

/// A pattern for every prefix that is the library's own for the greater part; names for the rest.
fn patterns(own: &[&str], others: &[&str]) -> Vec<String> {
    if others.len() <= own.len() {
        return Vec::new();
    }
    let prefix = |name: &str| name.find('_').filter(|at| *at > 0).map(|at| name[..=at].to_owned());
    let count = |names: &[&str], prefix: &str| names.iter().filter(|name| name.starts_with(prefix)).count();
    let mut patterns = Vec::new();
    for name in own {
        let pattern = match prefix(name) {
            Some(prefix) if count(own, &prefix) > count(others, &prefix).max(1) => format!("{prefix}*"),
            _ => (*name).to_owned(),
        };
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    patterns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_libraries() {
        for (library, expect) in [
            ("z", "z"),
            ("libz.so.1", "z"),
            ("./build/libmoon.so", "moon"),
            ("/opt/x/libmy lib.so", "my-lib"),
            ("plugin.so", "plugin"),
            ("./__.so", "library"),
        ] {
            assert_eq!(name(library), expect, "{library}");
        }
    }

    #[test]
    fn paths_start_at_the_contract() {
        let check = |folder: &str, path: &str, expect: &str| {
            assert_eq!(from(Path::new(folder), Path::new(path)), expect, "{path} from {folder}");
        };
        check("", "a.h", "a.h");
        check("", "./a.h", "a.h");
        check(".", "include/a.h", "include/a.h");
        check("contracts", "include/a.h", "../include/a.h");
        check("a/b", "a/c.h", "../c.h");
        check("a", "a", ".");
        check("a", "/usr/include/a.h", "/usr/include/a.h");
    }

    #[test]
    fn functions_of_others_are_not_selected() {
        let check = |own: &[&str], others: &[&str], expect: &[&str]| {
            assert_eq!(patterns(own, others), expect, "{own:?} among {others:?}");
        };
        check(&["moon_a", "moon_b"], &["x", "y", "z"], &["moon_*"]);
        check(&["moon_a", "moon_b"], &["x", "y"], &[]);
        check(&["moon_a", "moon_b"], &["moon_x", "y", "z"], &["moon_*"]);
        check(&["moon_a", "moon_b"], &["moon_x", "moon_y", "z"], &["moon_a", "moon_b"]);
        check(&["moon_a", "sun", "moon_b"], &["x", "y", "z", "v"], &["moon_*", "sun"]);
        check(&["moon_a", "_b"], &["x", "y", "z"], &["moon_a", "_b"]);
        check(&[], &["x"], &[]);
    }
}

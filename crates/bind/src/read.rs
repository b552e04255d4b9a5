//! From files to a checked interface.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use hotcell::ErrorKind;
use hotcell_contract::{Contract, Diagnostic, Exports, OpenType, Selection};
use hotcell_header::Reader;
use hotcell_model::Interface;
use hotcell_model::api::{Api, CONTRACT, Function};

use crate::error::Error;
use crate::files::Files;
use crate::libraries::Libraries;
use crate::{Job, Source, prelude};

/// A checked interface and where its files are.
#[derive(Debug)]
pub struct Checked {
    /// What can be called, and what cannot and why.
    pub interface: Interface,
    /// Everything the headers declare.
    pub api: Api,
    /// The text of the contract, which decided facts name by their lines; empty when there is none.
    pub text: String,
    /// Directories with the library's headers.
    pub include_dirs: Vec<PathBuf>,
    /// The library files.
    pub libraries: Libraries,
    /// Remarks on the contract, rendered.
    pub warnings: Vec<String>,
    /// Structures of which nothing says what they are to callers, those that most functions wait for first.
    pub open_types: Vec<OpenType>,
}

/// Reads contract, header and library, and checks them against each other. Nothing is generated.
pub fn check(job: &Job) -> Result<Checked, Error> {
    check_by(&Reader::new(), job)
}

/// The same, by a process for headers that reads others, too.
pub fn check_by(reader: &Reader, job: &Job) -> Result<Checked, Error> {
    check_of(&Files::anew(reader), job)
}

/// The same of files that other checks go by, too.
pub(crate) fn check_of(files: &Files<'_>, job: &Job) -> Result<Checked, Error> {
    let (mut contract, text, folder) = contract(&job.source)?;
    // It becomes ready while libraries are looked at.
    files.reader.start();
    let mut library_dirs = job.library_dirs.clone();
    library_dirs.push(folder.clone());
    let names: Vec<String> = contract.link().iter().map(|name| beside(&folder, name)).collect();
    let mut libraries = files.libraries(&names, &library_dirs)?;
    libraries.set_places(contract.link(), &folder);
    let mut headers = headers(job, &contract, &folder);
    // A contract says what its headers expect; for headers alone it is tried.
    let alone = matches!(job.source, Source::Headers { .. });
    let begun = Instant::now();
    let api = match files.headers(&headers) {
        Err(failure) if alone => {
            let failure = (failure, begun.elapsed());
            headers.prelude = Some(prelude::needed(files.reader, headers.clone(), failure)?);
            files.headers(&headers).map_err(Error::from_header)?
        }
        read => read.map_err(Error::from_header)?,
    };
    libraries.follow(&api.functions);
    let (api, remarks) = with_forms(&|job| files.headers(job), &mut contract, api, &mut headers, &libraries)
        .map_err(|error| error.rendered(&text))?;
    let selection = job.only.as_deref().map_or(Selection::Contract, Selection::Only);
    let checked = hotcell_contract::check(&contract, &api, libraries.link(), selection)
        .map_err(|diagnostics| Error::from_contract(&diagnostics, &text))?;
    let mut interface = checked.interface;
    interface.source.defines = headers.defines;
    interface.source.prelude = headers.prelude;
    let mut warnings = hotcell_contract::render_each(remarks.iter().chain(&checked.warnings), &text);
    if interface.functions.is_empty() && interface.left_out.is_empty() && job.only.is_none() {
        warnings.push(none_selected(&api, libraries.link().exports));
    }
    let open_types = checked.open_types;
    Ok(Checked { interface, api, text, include_dirs: headers.include_dirs, libraries, warnings, open_types })
}

/// What went wrong with added functions.
pub(crate) enum Wrong {
    Contract(Vec<Diagnostic>),
    Header(hotcell_header::Error),
}

impl Wrong {
    fn rendered(self, text: &str) -> Error {
        match self {
            Wrong::Contract(diagnostics) => Error::from_contract(&diagnostics, text),
            Wrong::Header(error) => Error::from_header(error),
        }
    }
}

/// The API with the functions that the contract adds, and remarks on these.
pub(crate) fn with_forms(
    read: &dyn Fn(&hotcell_header::Job) -> Result<Api, hotcell_header::Error>,
    contract: &mut Contract,
    api: Api,
    headers: &mut hotcell_header::Job,
    libraries: &Libraries,
) -> Result<(Api, Vec<Diagnostic>), Wrong> {
    let exports = Exports { functions: Some(&libraries.exports), variables: Some(&libraries.variables) };
    let remarks = hotcell_contract::add_forms(contract, &api, exports).map_err(Wrong::Contract)?;
    if contract.added().is_empty() {
        return Ok((api, remarks));
    }
    headers.added = contract.added().to_vec();
    let mut api = read(headers).map_err(|error| {
        let places = error.diagnostics.iter();
        let added = places.filter(|place| place.file.as_deref() == Some(CONTRACT));
        let said: Vec<Diagnostic> =
            added.map(|place| hotcell_contract::not_c(contract, place.line, &place.message)).collect();
        if said.is_empty() { Wrong::Header(error) } else { Wrong::Contract(said) }
    })?;
    contract.adopt(&mut api);
    Ok((api, remarks))
}

/// What to say when no function is selected: which the headers declare, or which of those that they include declare some of the library.
fn none_selected(api: &Api, exports: Option<&BTreeSet<String>>) -> String {
    let there = |function: &&Function| exports.is_none_or(|exports| exports.contains(&function.name));
    let own: Vec<&str> = api
        .functions
        .iter()
        .filter(there)
        .filter(|it| it.location.primary)
        .map(|it| it.name.as_str())
        .collect();
    if let [first, ..] = own[..] {
        let count = own.len();
        return format!(
            "help: the headers declare {count} of the library's functions, `{first}` among them, and `include` and `exclude` select \
             none: they match whole names, and `*` stands for any letters"
        );
    }
    let mut files: BTreeMap<&str, usize> = BTreeMap::new();
    for function in api.functions.iter().filter(there) {
        *files.entry(&function.location.file).or_default() += 1;
    }
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_by_key(|&(file, count)| (Reverse(count), file));
    let named: Vec<String> =
        files.iter().take(5).map(|(file, count)| format!("  {file} ({count})")).collect();
    match named[..] {
        [] => "help: neither the headers nor what they include declare a function of the library".into(),
        _ => format!(
            "help: the headers declare none themselves; name these, which they include\n{}",
            named.join("\n")
        ),
    }
}

/// What the parser is asked to read.
pub(crate) fn headers(job: &Job, contract: &Contract, folder: &Path) -> hotcell_header::Job {
    let mut include_dirs: Vec<PathBuf> = job.include_dirs.clone();
    include_dirs.extend(contract.include_dirs().iter().map(|dir| folder.join(dir)));
    if contract.headers().iter().any(|header| folder.join(header).is_file()) {
        include_dirs.push(folder.to_owned());
    }
    let mut defines = contract.defines().to_vec();
    defines.extend(job.defines.iter().cloned());
    hotcell_header::Job {
        headers: contract.headers().iter().map(|header| beside(folder, header)).collect(),
        include_dirs,
        defines,
        prelude: contract.prelude().map(str::to_owned),
        added: Vec::new(),
    }
}

/// The contract, its text, and the folder its relative paths start from.
pub(crate) fn contract(source: &Source) -> Result<(Contract, String, PathBuf), Error> {
    let (text, path) = match source {
        Source::Headers { headers, library, any_null } => {
            let headers: Vec<String> = headers.iter().map(|header| existing(header)).collect();
            let bare = Contract::bare(&headers, library);
            let contract = if *any_null { bare.taking_null() } else { bare };
            return Ok((contract, String::new(), PathBuf::from(".")));
        }
        Source::Contract(path) => {
            let wrong = |why: String| {
                let message = format!("cannot read the contract {}: {why}", path.display());
                Error::new(ErrorKind::InvalidArgument, message)
            };
            let bytes = fs::read(path).map_err(|error| wrong(error.to_string()))?;
            let text = String::from_utf8(bytes).map_err(|error| {
                let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                wrong(format!("line {line} is not UTF-8, and a contract is"))
            })?;
            (text, path)
        }
        Source::Text { text, path } => (text.clone(), path),
    };
    let contract = Contract::parse(&text, &path.display().to_string())
        .map_err(|diagnostics| Error::from_contract(&diagnostics, &text))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok((contract, text, folder.unwrap_or(Path::new(".")).to_owned()))
}

/// A header that is a file, as an absolute path; otherwise a name for `#include <…>`.
fn existing(header: &str) -> String {
    let path = Path::new(header);
    match std::path::absolute(path) {
        Ok(absolute) if path.is_file() => absolute.display().to_string(),
        _ => header.to_owned(),
    }
}

/// A file beside the contract, if there is one of this name; otherwise the name.
fn beside(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    match std::path::absolute(&path) {
        Ok(absolute) if path.is_file() => absolute.display().to_string(),
        _ => name.to_owned(),
    }
}

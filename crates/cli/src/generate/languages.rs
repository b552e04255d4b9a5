//! The languages that packages are generated for.

use std::path::PathBuf;

use hotcell_bind::Checked;
use hotcell_generate::go::{self, GoOptions};
use hotcell_generate::python::{self, PythonOptions};
use hotcell_generate::rust::{self, RustOptions};

use crate::args::{Lang, PackageArgs};
use crate::fail::Failure;
use crate::generate::{places, runtime};

/// A package with its shim: where that lies, and what else there is with it.
pub(super) struct Compiled {
    pub(super) folder: PathBuf,
    pub(super) beside: Option<(PathBuf, String)>,
}

/// A package: paths within it and texts, and the functions that its language has no method for.
pub(super) struct Made {
    pub(super) files: Vec<(PathBuf, String)>,
    pub(super) left_out: Vec<hotcell_generate::Error>,
}

/// What a package is made with, checked before anything is read.
pub(super) struct Making<'a> {
    args: &'a PackageArgs,
    language: &'static Language,
    /// Where the package finds the runtime, as it is written into it.
    runtime: String,
}

/// A language that packages are generated for.
struct Language {
    lang: Lang,
    /// What is wrong with a package's name, in words that fit behind "because".
    check_name: fn(&str) -> Result<(), &'static str>,
    /// A name, as an example.
    name: &'static str,
    /// `--runtime`, or what stands in its place.
    runtime: fn(Option<&str>) -> Result<String, Failure>,
    render: fn(&Checked, &Making<'_>) -> Result<Made, hotcell_generate::Error>,
    /// The folder of a package with its compiled shim.
    compiled: fn(&Checked, &Making<'_>) -> PathBuf,
    /// What else a package has with it.
    beside: fn(&Checked) -> Option<(PathBuf, String)>,
    /// What has the shim of a package compiled that has none, in words that fit behind "its shim is compiled".
    compiles: &'static str,
    /// How a program takes the package, where its language does not find it by itself.
    taken: fn(&Checked, &Making<'_>) -> Option<String>,
}

/// All of them.
const LANGUAGES: &[Language] = &[
    Language {
        lang: Lang::Rust,
        check_name: rust::check_crate_name,
        name: "moon-hotcell",
        runtime: |text| match text {
            Some(text) => runtime::dependency(text),
            None => Ok(concat!("\"", env!("CARGO_PKG_VERSION"), "\"").into()),
        },
        render: |checked, making| {
            let (args, runtime) = (making.args, making.runtime.clone());
            let name = args.name.clone();
            let crate_name = name.unwrap_or_else(|| rust::crate_name(&checked.interface.library));
            let libraries = places::libraries(checked, &args.out);
            let options = RustOptions { crate_name, runtime, libraries };
            rust::render(&checked.interface, &options).map(|files| Made { files, left_out: Vec::new() })
        },
        compiled: |_, _| PathBuf::from("shim"),
        beside: |_| None,
        compiles: "when it is built",
        taken: |_, _| None,
    },
    Language {
        lang: Lang::Go,
        check_name: go::check_module,
        name: "example.org/moon",
        runtime: |text| match text {
            Some(text) => runtime::of_module(text).map(|()| text.to_owned()),
            None => Ok(String::new()),
        },
        render: |checked, making| {
            let module = making.go_module(checked);
            let runtime = match making.runtime.clone() {
                none if none.is_empty() => go::Runtime::Carried,
                folder if runtime::is_folder(&folder) => go::Runtime::Folder(folder),
                version => go::Runtime::Version(version),
            };
            let libraries = places::libraries(checked, &making.args.out);
            let options = GoOptions { module, runtime, libraries };
            let package = go::render(&checked.interface, &options)?;
            Ok(Made { files: package.files, left_out: package.left_out })
        },
        compiled: |_, _| PathBuf::from(go::COMPILED),
        beside: |_| None,
        compiles: "by `go generate` in that folder, and before that it cannot be opened",
        taken: |checked, making| {
            let (module, folder) = (making.go_module(checked), making.args.out.display().to_string());
            let folder = if folder.starts_with(['/', '.']) { folder } else { format!("./{folder}") };
            let carried =
                making.runtime.is_empty().then(|| format!(" -replace=hotcell={folder}/{}", go::CARRIED));
            let runtime = carried.unwrap_or_default();
            Some(format!("a module here takes it by `go mod edit -replace={module}={folder}{runtime}`"))
        },
    },
    Language {
        lang: Lang::Python,
        check_name: python::check_package_name,
        name: "moon_hotcell",
        runtime: |text| match text {
            Some(text) => Err(Failure::Usage(format!(
                "`--runtime {text}` is for packages of other languages\n\
                 help: leave it out: a package of Python imports `hotcell`"
            ))),
            None => Ok(String::new()),
        },
        render: |checked, making| {
            let libraries = places::libraries(checked, &making.args.out);
            let options = PythonOptions { package: making.python_package(checked), libraries };
            python::render(&checked.interface, &options).map(|files| Made { files, left_out: Vec::new() })
        },
        compiled: |checked, making| PathBuf::from(making.python_package(checked)).join("shim"),
        beside: |checked| Some(python::machine(&checked.interface)),
        compiles: "when it is opened first",
        taken: |_, _| None,
    },
];

impl<'a> Making<'a> {
    /// What these arguments ask for.
    pub(super) fn of(args: &'a PackageArgs) -> Result<Making<'a>, Failure> {
        let language = LANGUAGES.iter().find(|language| language.lang == args.lang);
        let language = language.expect("every language has a row");
        if let Some(name) = &args.name {
            (language.check_name)(name).map_err(|why| {
                let help = format!("write a name such as `{}`", language.name);
                Failure::Usage(format!(
                    "`{name}` cannot be the name of a package, because {why}\nhelp: {help}"
                ))
            })?;
        }
        let runtime = (language.runtime)(args.runtime.as_deref())?;
        Ok(Making { args, language, runtime })
    }

    /// The files of the package.
    pub(super) fn render(&self, checked: &Checked) -> Result<Made, hotcell_generate::Error> {
        (self.language.render)(checked, self)
    }

    /// What it has with its compiled shim.
    pub(super) fn compiled(&self, checked: &Checked) -> Compiled {
        Compiled { folder: (self.language.compiled)(checked, self), beside: (self.language.beside)(checked) }
    }

    /// What is to be done before a package without it can be used.
    pub(super) fn tell_shim(&self) -> String {
        format!(
            "its shim is compiled {}: that needs a C compiler, the library and its header; `hotcell build` makes a package that has it\n",
            self.language.compiles
        )
    }

    /// How a program takes it, where that is to be said.
    pub(super) fn tell_taken(&self, checked: &Checked) -> String {
        (self.language.taken)(checked, self).map_or(String::new(), |text| text + "\n")
    }

    /// The path of the package's module.
    fn go_module(&self, checked: &Checked) -> String {
        let name = self.args.name.clone();
        name.unwrap_or_else(|| go::module_name(&checked.interface.library))
    }

    /// The package that is imported, which lies in a folder of its name.
    fn python_package(&self, checked: &Checked) -> String {
        let name = self.args.name.clone();
        name.unwrap_or_else(|| python::package_name(&checked.interface.library))
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_language_has_one_row() {
        for lang in Lang::value_variants() {
            assert_eq!(LANGUAGES.iter().filter(|language| language.lang == *lang).count(), 1, "{lang:?}");
        }
    }

    #[test]
    fn examples_of_names_are_names() {
        for language in LANGUAGES {
            assert_eq!((language.check_name)(language.name), Ok(()), "{}", language.name);
        }
    }
}

//! C libraries of tests, compiled and bound at run time.

use hotcell_bind::{Bound, Job, Source};

use crate::cli::Folder;

/// Compiles a library of this name, and binds it by a contract. It lies in the folder.
///
/// # Panics
///
/// Where it cannot be bound.
pub fn bind(name: &str, header: &str, code: &str, contract: &str) -> (Folder, Bound) {
    let folder = Folder::new();
    folder.write(&format!("{name}.h"), header);
    folder.write(&format!("{name}.c"), code);
    folder.write("bind.toml", contract);
    let soname = format!("-Wl,-soname,lib{name}.so");
    folder.compile_with(name, &["-O2", "-Wextra", "-Werror", &soname]);
    let job = Job {
        source: Source::Contract(folder.path().join("bind.toml")),
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: vec![folder.path().to_owned()],
    };
    let bound = hotcell_bind::bind(&job).unwrap_or_else(|error| panic!("{name} is not bound: {error}"));
    (folder, bound)
}

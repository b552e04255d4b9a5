//! C libraries of tests, compiled and bound at run time.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use hotcell_bind::{Bound, Job, Source};

use crate::cli::Folder;

/// A library that the tests of a program share for as long as one of them has it.
pub struct Shared<T>(Mutex<Weak<T>>);

impl<T> Shared<T> {
    /// Nobody has one yet.
    #[expect(clippy::new_without_default, reason = "it is a static, which takes no default")]
    pub const fn new() -> Shared<T> {
        Shared(Mutex::new(Weak::new()))
    }

    /// The one that is there, or a new one.
    pub fn get(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let made = Arc::new(make());
            *shared = Arc::downgrade(&made);
            made
        })
    }
}

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
    folder.compile_with(name, &["-O2", "-Wextra", "-Werror", &soname, "-Wl,--as-needed", "-lm"]);
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

//! The output for a small interface, byte for byte. `HOTCELL_UPDATE_GOLDEN=1` writes it anew.

use std::path::{Path, PathBuf};

use hotcell_generate::rust::{self, RustOptions};
use hotcell_generate::write;
use hotcell_model::Interface;

use crate::go_package;
use crate::rust_package::kit::kit;
use crate::zlib::zlib;

fn package(name: &str, interface: &Interface) -> Vec<(PathBuf, String)> {
    let runtime = "{ version = \"0.1\" }".into();
    let options = RustOptions { crate_name: name.into(), runtime, libraries: Vec::new() };
    rust::render(interface, &options).unwrap()
}

/// Compares the files that `counts` takes with the committed ones.
fn check(name: &str, interface: &Interface, counts: fn(&Path) -> bool) {
    compare(name, package(name, interface), counts);
}

fn compare(name: &str, files: Vec<(PathBuf, String)>, counts: fn(&Path) -> bool) {
    let files: Vec<_> = files.into_iter().filter(|(path, _)| counts(path)).collect();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let update = std::env::var_os("HOTCELL_UPDATE_GOLDEN").is_some();
    if let Err(error) = write(&dir, &files, !update) {
        panic!("{error}\nlook at the differences, then run with HOTCELL_UPDATE_GOLDEN=1");
    }
}

#[test]
fn the_package_of_zlib_is_stable() {
    // The two headers are this crate's own files.
    check("zlib", &zlib(), |path| path.extension().is_some_and(|extension| extension != "h"));
}

#[test]
fn the_package_of_a_library_with_every_role_is_stable() {
    check("kit", &kit(), |path| path.starts_with("src"));
}

/// Shim and interface are those of the other packages.
fn is_go(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "go" || extension == "mod")
}

#[test]
fn the_go_package_of_zlib_is_stable() {
    compare("go/zlib", go_package::package("zlib", &zlib()), is_go);
}

#[test]
fn the_go_package_of_a_library_with_every_role_is_stable() {
    compare("go/kit", go_package::package("kit", &kit()), is_go);
}

#[test]
fn the_same_interface_gives_the_same_bytes() {
    assert_eq!(package("zlib", &zlib()), package("zlib", &zlib()));
    assert_eq!(package("kit", &kit()), package("kit", &kit()));
    assert_eq!(go_package::package("kit", &kit()), go_package::package("kit", &kit()));
}

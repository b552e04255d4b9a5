//! The output for a small interface, byte for byte. `HOTCELL_UPDATE_GOLDEN=1` writes it anew.

use std::path::{Path, PathBuf};

use hotcell_generate::rust::{self, RustOptions};
use hotcell_generate::write;

use crate::zlib::zlib;

fn package() -> Vec<(PathBuf, String)> {
    let options = RustOptions { crate_name: "zlib".into(), runtime: "{ version = \"0.1\" }".into() };
    rust::render(&zlib(), &options).unwrap()
}

#[test]
fn the_package_of_zlib_is_stable() {
    // The two headers are this crate's own files.
    let copied = |path: &Path| path.extension().is_some_and(|extension| extension == "h");
    let files: Vec<_> = package().into_iter().filter(|(path, _)| !copied(path)).collect();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/zlib");
    let update = std::env::var_os("HOTCELL_UPDATE_GOLDEN").is_some();
    if let Err(error) = write(&dir, &files, !update) {
        panic!("{error}\nlook at the differences, then run with HOTCELL_UPDATE_GOLDEN=1");
    }
}

#[test]
fn the_same_interface_gives_the_same_bytes() {
    assert_eq!(package(), package());
}

//! The package is what the contract gives. `HOTCELL_UPDATE_GOLDEN=1` writes it anew.

use std::path::{Path, PathBuf};

use hotcell_bind::{Job, Source};
use hotcell_generate::rust::{self, RustOptions};

#[test]
fn the_package_is_what_the_contract_gives() {
    // Where cargo runs tests: relative, so that no path of this machine gets into the package.
    let folder = Path::new(".");
    let checked = hotcell_bind::check(&Job {
        source: Source::Contract("bind.toml".into()),
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: vec![env!("MEASURED_DIR").into()],
    });
    let interface = checked.unwrap().interface;
    assert!(interface.left_out.is_empty(), "{:?}", interface.left_out);
    // Cargo.toml and build script are this folder's own: the library is compiled here, too.
    let options = RustOptions {
        crate_name: "hotcell-measured".into(),
        runtime: "\"0.1.0\"".into(),
        libraries: Vec::new(),
    };
    let own = |path: &Path| !["Cargo.toml", "build.rs"].map(Path::new).contains(&path);
    let files: Vec<(PathBuf, String)> = rust::render(&interface, &options).unwrap();
    let files: Vec<_> = files.into_iter().filter(|(path, _)| own(path)).collect();
    assert!(
        files
            .iter()
            .any(|(path, _)| path == Path::new("shim/shim.c"))
    );
    let update = std::env::var_os("HOTCELL_UPDATE_GOLDEN").is_some();
    if let Err(error) = hotcell_generate::write(folder, &files, !update) {
        panic!("{error}\nlook at the differences, then run with HOTCELL_UPDATE_GOLDEN=1");
    }
}

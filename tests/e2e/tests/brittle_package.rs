//! A generated package of a library that breaks, used as an application would use it.

use hotcell_e2e::cli::{Folder, committed};
use hotcell_e2e::packages::{run_app, write_app};

/// What is asserted is in the application: calls that are made again, awaited ones too, and inputs that are refused.
#[test]
fn a_package_makes_calls_again_and_refuses_inputs() {
    let folder = Folder::new();
    folder.write("brittle.h", include_str!("../src/brittle/brittle.h"));
    folder.write("brittle.c", include_str!("../src/brittle/brittle.c"));
    folder.write("bind.toml", include_str!("../src/brittle/bind.toml"));
    folder.compile_with("brittle", &["-Wextra", "-Werror", "-Wl,-soname,libbrittle.so"]);
    let runtime = format!("{{ path = {:?} }}", committed("crates/hotcell"));
    folder
        .hotcell(["gen", "bind.toml", "-I", ".", "-L", ".", "--out", "package", "--runtime", &runtime])
        .succeeds()
        .mentions("package is written");
    let package = String::from_utf8(folder.read("package/src/functions.rs")).unwrap();
    assert!(package.contains("Idempotent: a call whose worker ends may be made again."), "{package}");
    assert!(!package.contains("fn sum_once") && !package.contains("fn ask_once"), "{package}");

    let dependencies = format!(
        "brittle-hotcell = {{ path = \"../package\", features = [\"tokio\"] }}\nhotcell = {runtime}\n\
         tokio = {{ version = \"1\", features = [\"rt-multi-thread\"] }}"
    );
    write_app(&folder, &dependencies, include_str!("../src/brittle/app.rs"));
    let here = folder.path().display().to_string();
    let library = folder.path().join("libbrittle.so").display().to_string();
    let variables =
        [("HOTCELL_BRITTLE_INCLUDE", &*here), ("HOTCELL_BRITTLE_LIB", &here), ("BRITTLE", &library)];
    assert_eq!(run_app(&folder, "brittle-hotcell", &variables), "all is well\n");
}

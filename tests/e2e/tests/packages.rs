//! A generated package of a library with objects, used as an application would use it.

use hotcell_e2e::cli::{Folder, committed};
use hotcell_e2e::packages::{run_app, write_app};

/// What is asserted is in the application: closures that run on the dispatcher thread, what they return and fail with, and
/// the end of the object that they go with.
#[test]
fn threads_of_a_library_call_closures_of_its_package() {
    let folder = Folder::new();
    folder.write("ticker.h", include_str!("../src/ticker/ticker.h"));
    folder.write("ticker.c", include_str!("../src/ticker/ticker.c"));
    folder.write("bind.toml", include_str!("../src/ticker/bind.toml"));
    folder.compile_with("ticker", &["-Wextra", "-Werror", "-pthread", "-Wl,-soname,libticker.so"]);
    let runtime = format!("{{ path = {:?} }}", committed("crates/hotcell"));
    folder
        .hotcell(["gen", "bind.toml", "-I", ".", "-L", ".", "--out", "package", "--runtime", &runtime])
        .succeeds()
        .mentions("package is written: 18 functions");
    let package = String::from_utf8(folder.read("package/src/ticker.rs")).unwrap();
    assert!(package.contains("that runs on the dispatcher thread of the session"), "{package}");

    let dependencies = format!("ticker-hotcell = {{ path = \"../package\" }}\nhotcell = {runtime}");
    write_app(&folder, &dependencies, include_str!("../src/ticker/app.rs"));
    let here = folder.path().display().to_string();
    let library = folder.path().join("libticker.so").display().to_string();
    let variables = [("HOTCELL_TICKER_INCLUDE", &*here), ("HOTCELL_TICKER_LIB", &here), ("TICKER", &library)];
    assert_eq!(run_app(&folder, "ticker-hotcell", &variables), "all is well\n");
}

/// What is asserted is in the application: objects with parents and what becomes of them, drops in any order, symbols
/// of errors, callbacks, callbacks that are kept, structures, texts, a structure that stays, and a worker that is killed.
#[test]
fn a_package_is_used_like_a_library_of_its_language() {
    let folder = Folder::new();
    folder.write("shelf.h", include_str!("../src/shelf/shelf.h"));
    folder.write("shelf.c", include_str!("../src/shelf/shelf.c"));
    folder.write("bind.toml", include_str!("../src/shelf/bind.toml"));
    folder.compile_with("shelf", &["-Wextra", "-Werror", "-Wl,-soname,libshelf.so"]);
    let runtime = format!("{{ path = {:?} }}", committed("crates/hotcell"));
    folder
        .hotcell(["gen", "bind.toml", "-I", ".", "-L", ".", "--out", "package", "--runtime", &runtime])
        .succeeds()
        .mentions("package is written: 35 functions");

    let dependencies = format!("shelf-hotcell = {{ path = \"../package\" }}\nhotcell = {runtime}");
    write_app(&folder, &dependencies, include_str!("../src/shelf/app.rs"));
    let here = folder.path().display().to_string();
    let library = folder.path().join("libshelf.so").display().to_string();
    let variables = [("HOTCELL_SHELF_INCLUDE", &*here), ("HOTCELL_SHELF_LIB", &here), ("SHELF", &library)];
    assert_eq!(run_app(&folder, "shelf-hotcell", &variables), "all is well\n");
}

/// Where there is a rule for threads, a method names all objects of its call before that waits: those of lists, too.
#[test]
fn a_package_keeps_to_a_rule_for_threads() {
    let folder = Folder::new();
    folder.write("clan.h", include_str!("../src/clan/clan.h"));
    folder.write("clan.c", include_str!("../src/clan/clan.c"));
    folder.write("bind.toml", include_str!("../src/clan/bind.toml"));
    folder.compile_with("clan", &["-Wextra", "-Werror", "-pthread", "-Wl,-soname,libclan.so"]);
    let runtime = format!("{{ path = {:?} }}", committed("crates/hotcell"));
    folder
        .hotcell(["gen", "bind.toml", "-I", ".", "-L", ".", "--out", "package", "--runtime", &runtime])
        .succeeds()
        .mentions("package is written");

    let dependencies = format!("clan-hotcell = {{ path = \"../package\" }}\nhotcell = {runtime}");
    write_app(&folder, &dependencies, include_str!("../src/clan/app.rs"));
    let here = folder.path().display().to_string();
    let library = folder.path().join("libclan.so").display().to_string();
    let variables = [("HOTCELL_CLAN_INCLUDE", &*here), ("HOTCELL_CLAN_LIB", &here), ("CLAN", &library)];
    assert_eq!(run_app(&folder, "clan-hotcell", &variables), "all is well\n");
}

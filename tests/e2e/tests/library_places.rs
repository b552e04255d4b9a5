//! Packages whose library lies in a folder of its own: they find it where they were built, and where they are told.

use std::fs;

use hotcell_e2e::cli::{Folder, committed};
use hotcell_e2e::packages::{run_app, run_build_script, write_app};

const HEADER: &str = "int star_light(int years);\n";
const CODE: &str = "int dust(int);\nint star_light(int years) { return dust(years) + 1; }\n";
const MAIN: &str = r#"fn main() {
    match star_hotcell::Star::open() {
        Ok(star) => println!("{}", star.star_light(41).unwrap()),
        Err(error) => println!("{}", error.message()),
    }
}"#;

/// A library in `sky`, with one that it needs beside it, and a contract that names it by its path.
fn star(soname: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.write("dust.c", "int dust(int x) { return x; }\n");
    folder.compile_with("dust", &["-Wl,-soname,libdust.so"]);
    folder.write("star.h", HEADER);
    folder.write("star.c", CODE);
    folder.compile_with("star", &[&["libdust.so"], soname].concat());
    folder.move_file("libdust.so", "sky/libdust.so");
    folder.move_file("libstar.so", "sky/libstar.so");
    let head = "hotcell = 1\nlibrary = \"star\"\nheaders = [\"star.h\"]\n";
    folder.write("bind.toml", format!("{head}link = [\"sky/libstar.so\"]\n"));
    folder
}

fn make(folder: &Folder, command: &str) {
    let runtime = format!("{{ path = {:?} }}", committed("crates/hotcell"));
    folder.hotcell([command, "bind.toml", "--out", "packages/star", "--runtime", &runtime]).succeeds();
    write_app(folder, "star-hotcell = { path = \"../packages/star\" }", MAIN);
}

#[test]
fn a_package_finds_its_library_where_it_was_built_and_where_it_is_told() {
    let folder = star(&["-Wl,-soname,libstar.so"]);
    make(&folder, "gen");
    // As the contract has it: from the package, so that both can move together.
    let script = String::from_utf8(folder.read("packages/star/build.rs")).expect("code is text");
    assert!(
        script
            .contains("(\"libdust.so\", \"../../sky\", false),\n    (\"libstar.so\", \"../../sky\", true),")
    );
    let headers = folder.path().display().to_string();
    let built = [("HOTCELL_STAR_INCLUDE", headers.as_str())];
    assert_eq!(run_app(&folder, "star-hotcell", &built), "42\n");
    // Elsewhere, and told so.
    let other = folder.path().join("elsewhere");
    fs::create_dir(&other).expect("a folder of the test's own");
    for name in ["libdust.so", "libstar.so"] {
        folder.move_file(&format!("sky/{name}"), &format!("elsewhere/{name}"));
    }
    let other = other.display().to_string();
    let told = [built[0], ("HOTCELL_STAR_LIB", other.as_str())];
    assert_eq!(run_app(&folder, "star-hotcell", &told), "42\n");
}

#[test]
fn a_compiled_package_says_where_it_looked() {
    let folder = star(&["-Wl,-soname,libstar.so"]);
    make(&folder, "build");
    assert_eq!(run_app(&folder, "star-hotcell", &[]), "42\n");
    fs::remove_dir_all(folder.path().join("sky")).expect("it was made");
    let said = run_app(&folder, "star-hotcell", &[]);
    assert!(said.contains("libstar.so") && said.contains("$HOTCELL_STAR_LIB"), "{said}");
}

#[test]
fn a_library_without_a_soname_or_with_a_path_for_one_is_found_too() {
    for soname in [&[][..], &["-Wl,-soname,/opt/star/libstar.so.2"]] {
        let folder = star(soname);
        make(&folder, "gen");
        let headers = folder.path().display().to_string();
        assert_eq!(run_app(&folder, "star-hotcell", &[("HOTCELL_STAR_INCLUDE", &headers)]), "42\n");
    }
    // What is compiled beforehand needs it where it was, and says so.
    let folder = star(&[]);
    let built = folder.hotcell(["build", "bind.toml", "--out", "package"]).succeeds();
    built.says("sky/libstar.so at that very place, since it has no soname");
}

#[test]
fn a_folder_of_the_command_line_is_not_kept_and_that_is_said() {
    let folder = star(&["-Wl,-soname,libstar.so"]);
    let head = "hotcell = 1\nlibrary = \"star\"\nheaders = [\"star.h\"]\n";
    folder.write("bind.toml", head);
    let generated = folder.hotcell(["gen", "bind.toml", "--out", "package", "-L", "sky"]).succeeds();
    generated.says("note: libstar.so was found in ").says("name it in $HOTCELL_STAR_LIB");
    let ended = run_build_script(&folder.path().join("package"));
    assert!(
        !String::from_utf8_lossy(&ended.stdout).contains("HOTCELL_LIBRARY_"),
        "a folder of one machine is kept"
    );
}

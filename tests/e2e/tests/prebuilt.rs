//! `hotcell build` from the outside: packages that need no C compiler, and shims that belong to another package.

use std::fs;

use hotcell_direct::zlib as direct;
use hotcell_e2e::cli::{Folder, Hotcell, committed};
use hotcell_e2e::packages::{run_app, run_build_script, write_app};

/// The contract of the example into a folder.
fn build(folder: &Folder, out: &str) -> Hotcell {
    folder.hotcell(["build", &committed("examples/zlib/bind.toml"), "--out", out])
}

#[test]
fn a_package_with_its_shim_needs_no_compiler_and_works() {
    let folder = Folder::new();
    let runtime = format!("{{ path = {:?} }}", committed("crates/hotcell"));
    let built = build(&folder, "zlib").and(["--name", "built-zlib", "--runtime", &runtime]).succeeds();
    let machine = std::env::consts::ARCH;
    built
        .mentions("zlib is written: 100 functions\n")
        .mentions(&format!("shim/shim.so needs {machine}, glibc 2."))
        .mentions(" or later, and libz.so.1\n");
    let main = r#"fn main() {
        let zlib = built_zlib::Zlib::open().unwrap();
        println!("{}", zlib.crc32(0, b"hello").unwrap());
    }"#;
    write_app(&folder, "built-zlib = { path = \"../zlib\" }", main);
    // Neither for the shim, nor for anything the package stands on.
    let without = [("CC", "no-such-compiler"), ("LIBCLANG_PATH", "nowhere")];
    let run = run_app(&folder, "built-zlib", &without);
    assert_eq!(run, format!("{}\n", direct::checksum(0, b"hello")));
}

#[test]
fn a_shim_that_does_not_belong_to_the_package_is_refused() {
    let folder = Folder::new();
    let package = folder.path().join("zlib");
    build(&folder, "zlib").succeeds();
    let taken = run_build_script(&package);
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
    assert_eq!(folder.read("zlib/shim.so"), folder.read("zlib/shim/shim.so"));
    let refused = |what: &str| {
        let output = run_build_script(&package);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "the shim was taken, and its {what} is another");
        let expect = format!("shim/shim.so does not belong to this package: its {what} is ");
        assert!(said.contains(&expect) && said.contains("Run `hotcell build` again"), "{what}: {said}");
    };
    let (shim, stamp) = (folder.read("zlib/shim/shim.so"), folder.read("zlib/shim/shim.stamp"));
    let mut other = shim.clone();
    other.push(0);
    folder.write("zlib/shim/shim.so", other);
    refused("shim");
    folder.write("zlib/shim/shim.so", &shim);
    let stamped = String::from_utf8(stamp.clone()).expect("a stamp is text");
    folder.write("zlib/shim/shim.stamp", stamped.replace(std::env::consts::ARCH, "vax"));
    refused("machine");
    fs::remove_file(package.join("shim/shim.stamp")).expect("it was written");
    refused("interface");
    folder.write("zlib/shim/shim.stamp", &stamp);
    let source = String::from_utf8(folder.read("zlib/shim/shim.c")).expect("C is text");
    folder.write("zlib/shim/shim.c", format!("{source}\n"));
    refused("source");
    folder.write("zlib/shim/shim.c", source);
    // Generated anew from another contract.
    let contract = fs::read_to_string(committed("examples/zlib/bind.toml")).expect("it is committed");
    folder.write("bind.toml", contract.replacen("exclude = [", "exclude = [ \"adler32\",", 1));
    folder.hotcell(["gen", "bind.toml", "--out", "zlib"]).succeeds();
    refused("interface");
    folder.hotcell(["build", "bind.toml", "--out", "zlib"]).succeeds();
    assert!(run_build_script(&package).status.success(), "built again, it is the package's own");
    // Without one it is compiled as ever.
    fs::remove_file(package.join("shim/shim.so")).expect("it was written");
    let said = String::from_utf8_lossy(&run_build_script(&package).stderr).into_owned();
    assert!(said.contains("no C compiler") && said.contains("no-such-compiler"), "{said}");
}

#[test]
fn what_cannot_be_built_is_not_half_written() {
    let folder = Folder::with_moon();
    folder.write("file", "mine");
    folder.write(
        "none.toml",
        "hotcell = 1\nlibrary = \"moon\"\nheaders = [\"moon.h\"]\ninclude = [\"moon_print\"]\n",
    );
    let before = folder.files();
    let build = |contract: &str, out: &str| folder.hotcell(["build", contract, "--out", out]);
    build("bind.toml", "out")
        .env("CC", "no-such-compiler")
        .fails(117)
        .says("`no-such-compiler` did not start");
    build("bind.toml", "out").env("LIBCLANG_PATH", "nowhere").fails(117).says("libclang cannot be loaded");
    build("bind.toml", "file").fails(113).says("cannot ").says("file");
    build("none.toml", "out").fails(125).says("variable number of arguments");
    build("missing.toml", "out").fails(113).says("cannot read the contract missing.toml");
    assert_eq!(folder.files(), before);
    assert!(!folder.path().join("out").exists());
}

//! Compiles the faulty library with the guards a distribution's build has, its shim, and the program that calls it directly.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use hotcell_generate::shim::{self, CompileOptions};
use hotcell_model::Interface;

/// Of the library.
const C: [&str; 6] = ["faulty.c", "blocks.c", "objects.c", "rows.c", "attacks.c", "state.c"];
const CPP: [&str; 1] = ["rows.cpp"];

/// Of the program, besides.
const DIRECT_C: [&str; 2] = ["direct.c", "direct_state.c"];
const DIRECT_CPP: [&str; 1] = ["direct.cpp"];

const HEADERS: [&str; 6] = ["faulty.h", "objects.h", "rows.h", "attacks.h", "state.h", "direct.h"];

/// The compiler must not see through a fault and remove it.
const FLAGS: [&str; 7] = [
    "-O1",
    "-g",
    "-fPIC",
    "-w",
    "-fstack-protector-strong",
    "-fno-optimize-sibling-calls",
    "-fno-delete-null-pointer-checks",
];

/// What the library has of C++ is its own: another copy in a process is another matter.
const LINK: [&str; 5] = [
    "-pthread",
    "-static-libstdc++",
    "-static-libgcc",
    "-Wl,--exclude-libs,ALL",
    "-Wl,-u,__cxa_pure_virtual",
];

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let cc = env::var("CC").unwrap_or_else(|_| "cc".into());
    let cxx = env::var("CXX").unwrap_or_else(|_| "c++".into());
    let objects = |compiler: &str, standard: &str, files: &[&str]| -> Vec<PathBuf> {
        let compile = |file: &&str| {
            let object = out.join(format!("{file}.o"));
            let mut command = command(compiler);
            command.args(FLAGS).args([standard, "-pthread", "-c", file, "-o"]).arg(&object);
            run(command);
            object
        };
        files.iter().map(compile).collect()
    };
    let library = [objects(&cc, "-std=gnu17", &C), objects(&cxx, "-std=gnu++17", &CPP)].concat();
    let link_library = |file: &str, objects: &[PathBuf]| {
        let mut link = command(&cxx);
        link.args(["-shared", "-Wl,-soname,libfaulty.so", "-o"]).arg(out.join(file)).args(objects).args(LINK);
        run(link);
    };
    link_library("libfaulty.so", &library);
    let other = out.join("objects-of-another-layout.o");
    let mut compile = command(&cc);
    compile
        .args(FLAGS)
        .args(["-std=gnu17", "-pthread", "-DFAULTY_OTHER_LAYOUT", "-c", "objects.c", "-o"])
        .arg(&other);
    run(compile);
    let is_other = |object: &PathBuf| object.ends_with("objects.c.o");
    let replaced = library.iter().map(|object| if is_other(object) { other.clone() } else { object.clone() });
    link_library("libfaulty-of-another-layout.so", &replaced.collect::<Vec<_>>());

    let direct = [objects(&cc, "-std=gnu17", &DIRECT_C), objects(&cxx, "-std=gnu++17", &DIRECT_CPP)].concat();
    let mut link = command(&cxx);
    link.arg("-o").arg(out.join("faulty-direct")).args(&library).args(&direct).args(LINK).arg("-ldl");
    run(link);

    let mut link = command(&cxx);
    link.arg("-shared").arg("-o").arg(out.join("libfaulty-direct.so")).args(&library).args(&direct);
    link.args(LINK).arg("-ldl");
    run(link);

    let interface = fs::read_to_string("interface.json").expect("it is beside this script");
    let interface = Interface::from_json(&interface).expect("the test of this crate writes it");
    let source = shim::render(&interface).unwrap_or_else(|error| panic!("no shim: {error}"));
    let options = CompileOptions {
        cc: Some(cc),
        include_dirs: vec![".".into()],
        libraries: vec![out.join("libfaulty.so")],
        out: out.join("shim.so"),
        work_dir: out.clone(),
    };
    shim::compile(&source, &options).unwrap_or_else(|error| panic!("the shim: {error}"));

    for path in C.iter().chain(&CPP).chain(&DIRECT_C).chain(&DIRECT_CPP).chain(&HEADERS) {
        println!("cargo::rerun-if-changed={path}");
    }
    for path in ["build.rs", "interface.json"] {
        println!("cargo::rerun-if-changed={path}");
    }
    for variable in ["CC", "CXX"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    println!("cargo::rustc-env=FAULTY_DIR={}", out.display());
}

/// A compiler, which may be named with options.
fn command(compiler: &str) -> Command {
    let mut words = compiler.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("cc"));
    command.args(words);
    command
}

fn run(mut command: Command) {
    match command.status() {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("{command:?} ended with {status}; its text is above"),
        Err(error) => panic!(
            "{command:?} did not start ({error}): install gcc and g++ or clang, or name yours in $CC and $CXX"
        ),
    }
}

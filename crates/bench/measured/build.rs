//! Compiles the library, as a shared object and to be linked, and its shim, as `hotcell gen` would have it done.

use std::env;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let cc = env::var("CC").unwrap_or_default();
    let mut words = cc.split_whitespace();
    let compiler = words.next().unwrap_or("cc").to_owned();
    let options: Vec<&str> = words.collect();
    let compile = |arguments: &str| {
        let mut command = Command::new(&compiler);
        command
            .args(&options)
            .args(arguments.split_whitespace())
            .current_dir(&out);
        run(command);
    };
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    for file in ["measured.c", "measured.h"] {
        let from = PathBuf::from(&root).join("library").join(file);
        std::fs::copy(&from, out.join(file)).expect("cargo made OUT_DIR for this");
    }
    for file in ["shim.c", "hotcell_shim.h", "hotcell_wire.h"] {
        let from = PathBuf::from(&root).join("shim").join(file);
        std::fs::copy(&from, out.join(file)).expect("cargo made OUT_DIR for this");
    }
    // The same code both ways, so that calls alone make the difference.
    compile("-std=gnu17 -O3 -fPIC -Wall -Wextra -c measured.c -o measured.o");
    compile("-shared -Wl,-soname,libhotcell_measured.so -o libhotcell_measured.so measured.o");
    let mut archive = Command::new(env::var("AR").unwrap_or_else(|_| "ar".into()));
    archive
        .args(["rcs", "libhotcell_measured_direct.a", "measured.o"])
        .current_dir(&out);
    run(archive);
    compile(
        "-std=gnu17 -O2 -fno-builtin -fPIC -fvisibility=hidden -shared -Wall -Wextra -I . -o shim.so shim.c \
         -Wl,-z,defs -Wl,-z,now -Wl,-z,relro -Wl,--no-as-needed -L . -l:libhotcell_measured.so",
    );
    println!("cargo::rustc-link-search=native={}", out.display());
    println!("cargo::rustc-link-lib=static=hotcell_measured_direct");
    // For the program that carries both, and for the test of this package.
    for (what, file) in [("LIBRARY", "libhotcell_measured.so"), ("SHIM", "shim.so")] {
        println!("cargo::metadata={what}={}", out.join(file).display());
    }
    println!("cargo::rustc-env=MEASURED_DIR={}", out.display());
    for path in ["build.rs", "library", "shim"] {
        println!("cargo::rerun-if-changed={path}");
    }
    for variable in ["CC", "AR"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
}

fn run(mut command: Command) {
    match command.status() {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("{command:?} ended with {status}; its text is above"),
        Err(error) => panic!(
            "{command:?} did not start ({error}): install gcc or clang, or name yours in $CC"
        ),
    }
}

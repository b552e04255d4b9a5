//! Compiles the faulty library, with the guards a distribution's build has.

use std::env;
use std::path::PathBuf;
use std::process::Command;

const SOURCES: [&str; 3] = ["faulty.c", "blocks.c", "objects.c"];

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("libfaulty.so");
    let cc = env::var("CC").unwrap_or_else(|_| "cc".into());
    let status = Command::new(&cc)
        .args(["-std=gnu17", "-O1", "-g", "-fPIC", "-shared", "-pthread", "-fstack-protector-strong", "-w"])
        // The compiler must not see through a fault and remove it.
        .args(["-fno-optimize-sibling-calls", "-fno-delete-null-pointer-checks", "-Wl,-soname,libfaulty.so"])
        .arg("-o")
        .arg(&out)
        .args(SOURCES)
        .status()
        .unwrap_or_else(|error| panic!("the C compiler `{cc}` did not start: {error}"));
    assert!(status.success(), "the C compiler `{cc}` refused {SOURCES:?}");
    for file in SOURCES.iter().chain(&["faulty.h", "objects.h"]) {
        println!("cargo::rerun-if-changed={file}");
    }
    println!("cargo::rerun-if-env-changed=CC");
    println!("cargo::rustc-env=FAULTY_DIR={}", env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
}

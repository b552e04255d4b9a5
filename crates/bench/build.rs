//! Hands on where the measured library and its shim were compiled to.

fn main() {
    for what in ["LIBRARY", "SHIM"] {
        let place = std::env::var(format!("DEP_HOTCELL_MEASURED_{what}"));
        let place = place.expect("the measured library's build says it");
        println!("cargo::rustc-env=MEASURED_{what}={place}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}

//! Hands on where the measured library was compiled to.

fn main() {
    let library =
        std::env::var("DEP_HOTCELL_MEASURED_LIBRARY").expect("the measured library's build says it");
    println!("cargo::rustc-env=MEASURED_LIBRARY={library}");
    println!("cargo::rerun-if-changed=build.rs");
}

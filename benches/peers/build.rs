//! Client and server of `proto/calls.proto`, as `tonic-prost-build` makes them; protox reads it in the place of `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = protox::compile(["proto/calls.proto"], ["proto"])?;
    tonic_prost_build::compile_fds(files)?;
    Ok(())
}

//! The child process that holds the library.
fn main() {}

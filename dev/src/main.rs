//! `cargo dev …`: the repository's own commands.
use std::path::Path;
mod generate;
fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("dev/ lies in the root");
    let check = std::env::args().any(|it| it == "--check");
    generate::run(
        root,
        if check {
            generate::Mode::Check
        } else {
            generate::Mode::Write
        },
    )
}

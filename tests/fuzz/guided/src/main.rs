//! libFuzzer with the targets of `hotcell-fuzz`: `HOTCELL_FUZZ_TARGET` names the one that is run.
#![no_main]

use std::sync::OnceLock;

use hotcell_fuzz::{Target, target};

libfuzzer_sys::fuzz_target!(|input: &[u8]| (chosen().run)(input));

fn chosen() -> &'static Target {
    static CHOSEN: OnceLock<&Target> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let name = std::env::var("HOTCELL_FUZZ_TARGET").unwrap_or_default();
        target(&name).unwrap_or_else(|| panic!("HOTCELL_FUZZ_TARGET is no target: `{name}`"))
    })
}

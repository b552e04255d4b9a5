//! The interface is what the contract gives. `HOTCELL_UPDATE_GOLDEN=1` writes it anew.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use hotcell_bind::{Job, Source};

#[test]
fn the_interface_is_what_the_contract_gives() {
    let job = Job { source: Source::Contract("bind.toml".into()), ..hotcell_faulty::job() };
    let interface = hotcell_bind::check(&job).unwrap().interface;
    let left: Vec<&str> = interface.left_out.iter().map(|left| left.name.as_str()).collect();
    assert_eq!(
        left,
        ["faulty_format"],
        "a row of the lab needs it to be left out, and all others to be bound"
    );
    // Where headers lie is told beside structures: from this folder, so that no path of this machine gets into it.
    let folder = format!("{}/", hotcell_faulty::folder().display());
    let right = interface.to_json().replace(&folder, "");
    if std::env::var_os("HOTCELL_UPDATE_GOLDEN").is_some() {
        fs::write("interface.json", &right).unwrap();
    }
    let committed = fs::read_to_string("interface.json").unwrap();
    assert!(committed == right, "lab/faulty/interface.json is stale: run `cargo dev golden --update`");
}

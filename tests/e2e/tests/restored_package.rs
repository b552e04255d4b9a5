//! A generated package of SQLite whose connections are made anew, used as an application would use it.

use hotcell_e2e::cli::{Folder, committed};
use hotcell_e2e::packages::{run_app, write_app};

/// What is asserted is in the application.
#[test]
fn a_connection_is_opened_again_with_what_was_set() {
    let folder = Folder::new();
    let contract =
        String::from_utf8(std::fs::read(committed("examples/sqlite3/bind.toml")).expect("it is committed"))
            .expect("it is text");
    // The example's contract, of some functions, with the line that the page on this shows.
    let restore = "restore = { by = [\"sqlite3_open{,_v2}\"], configure = [\"sqlite3_busy_timeout\", \"sqlite3_extended_result_codes\"] }";
    let contract = contract.replacen("handle.sqlite3 = { ", &format!("handle.sqlite3 = {{ {restore}, "), 1);
    let include = "sqlite3_{open,open_v2,close,exec,busy_timeout,extended_result_codes,limit,prepare_v2,step,column_int,db_handle,get_autocommit}";
    let contract = contract.replacen("exclude = [", &format!("include = [{include:?}]\nexclude = ["), 1);
    folder.write("bind.toml", contract);
    let runtime = format!("{{ path = {:?} }}", committed("crates/hotcell"));
    folder
        .hotcell(["gen", "bind.toml", "--out", "package", "--runtime", &runtime])
        .succeeds()
        .mentions("package is written");
    let object = String::from_utf8(folder.read("package/src/sqlite3.rs")).expect("it is text");
    for part in [
        "[`Self::restored`] counts that",
        "session.call_of(table::SQLITE3_BUSY_TIMEOUT, &objects)",
        // What takes the object over makes none anew.
        "session.call(table::SQLITE3_CLOSE)",
    ] {
        assert!(object.contains(part), "{part}: {object}");
    }
    let dependencies = format!("sqlite3-hotcell = {{ path = \"../package\" }}\nhotcell = {runtime}");
    write_app(&folder, &dependencies, include_str!("../src/vault/sqlite3.rs"));
    let databases = folder.path().join("databases");
    std::fs::create_dir(&databases).expect("a new folder");
    let databases = databases.display().to_string();
    assert_eq!(run_app(&folder, "sqlite3-hotcell", &[("DATABASES", &databases)]), "all is well\n");
}

//! Looking at a process that makes up what it says: it forges nothing, and nobody else's order reaches it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use hotcell_e2e::cli::Folder;
use serde_json::json;

/// Its name and its number are what it says, and a file says another.
#[test]
fn a_process_that_lies_forges_no_line_and_is_loaded_anew_by_no_other_number() {
    let own = std::process::id();
    let name = format!("hotcell-watch/{own}/{own:016x}");
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    std::thread::spawn(move || {
        for peer in listener.incoming() {
            let mut peer = peer.unwrap();
            let mut asked = String::new();
            BufReader::new(&peer).read_line(&mut asked).unwrap();
            let sessions = if asked.contains("reload") { vec![] } else { vec![json!({ "library": "a\nb" })] };
            let program = "4712345\n1  forged";
            let answer = json!({ "host": { "pid": 4712345, "program": program }, "sessions": sessions, "left_out": 2,
                "reloaded": [{ "library": "a", "workers": [] }] });
            let _ = peer.write_all(answer.to_string().as_bytes());
        }
    });
    let folder = Folder::new();
    let hotcell = |words: &[&str]| folder.hotcell(words);
    let number = own.to_string();
    let seen = hotcell(&["ps", &number]).succeeds().mentions("a\\nb").mentions("4712345\\n1  forged");
    assert_eq!(seen.stdout().lines().count(), 2, "{seen}");
    let seen = seen.says("2 more sessions");
    assert!(!format!("{seen}").contains("\n1  forged"));
    assert_eq!(hotcell(&["ps", &number]).json()[1]["left_out"], 2);
    hotcell(&["ps", "4712345"]).succeeds().prints_nothing().says("no process `4712345`");
    hotcell(&["reload", "4712345"]).error(113, "InvalidArgument");
    hotcell(&["reload", &number]).succeeds().mentions("no session is open");
}

//! Callers in another process: a client that speaks the lanes' protocol itself, and `hotcell serve`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell_e2e::crew;
use hotcell_e2e::served::{Arg, Fault, Server};
use serde_json::json;

#[test]
fn calls_give_what_they_give_and_faults_are_told() {
    let library = crew::library();
    let interface = &library.1.interface;
    let server = Server::start();
    let client = server.open(&library.1, &json!({ "callers": 3 })).unwrap();
    assert_eq!(client.opened()["callers"], 3);
    let generation = client.worker().unwrap();
    let mut lane = client.lane(generation, 0).unwrap();
    assert_eq!(lane.int(interface, "crew_add", &[2, 40]).unwrap(), 42);
    let data: Vec<u8> = (0..5_000_000_u32).map(|number| number as u8).collect();
    let sum: i64 = data.iter().map(|byte| i64::from(*byte)).sum();
    assert_eq!(lane.call(interface, "crew_sum", &[Arg::Bytes(&data)]).unwrap().0, sum);
    let room = [Arg::Room(3 << 20), Arg::Int(0), Arg::Int(0x5a)];
    let Err(Fault::Ended(ended)) = lane.int(interface, "crew_fault", &[0]) else { panic!("it crashes") };
    assert_eq!(ended["fault"]["kind"], "Crashed");
    let _ = room;
}

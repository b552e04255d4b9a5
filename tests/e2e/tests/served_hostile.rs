//! A client of `hotcell serve` that is mad, or whose worker is, is no other client's trouble.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use hotcell_bind::Bound;
use hotcell_e2e::process::{alive, go_on, process, stop, wait_until, workers_of};
use hotcell_e2e::served::{Client, Server};
use hotcell_e2e::{crew, halt};
use hotcell_shm::{Access, SegmentFile};
use rustix::io::Errno;
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

const YEAR_NS: u64 = 365 * 24 * 3600 * 1_000_000_000;

fn kill(pid: u32) {
    kill_process(process(pid), Signal::KILL).unwrap();
}

fn options(bound: &Bound) -> Value {
    let libraries: Vec<_> = bound.libraries.iter().map(|path| path.to_string_lossy()).collect();
    json!({ "libraries": libraries })
}

#[test]
fn a_client_can_neither_shorten_what_the_server_has_mapped_nor_lead_it_astray() {
    let (server, library) = (Server::start(), crew::library());
    let well = server.open(&library.1, &json!({})).unwrap();
    let mut lane = well.lane(well.worker().unwrap(), 0).unwrap();
    let mut mine = workers_of(server.pid());
    for word in [0, 1, u32::MAX] {
        let client = Client::of(server.session());
        client.state().maps_later = Some(Duration::from_millis(300));
        let (generation, map) = std::thread::scope(|scope| {
            let opening = scope.spawn(|| client.order_open(&library.1, &options(&library.1)));
            let number = client.wait("an offer", |state| state.channels.keys().next().copied());
            let channel = client.channel_before(number);
            let (request, reply) = channel.files();
            for file in [request, reply] {
                assert_eq!(rustix::fs::ftruncate(file, 0), Err(Errno::PERM), "it can be shortened");
            }
            let length = request.length();
            let file = request.as_fd().try_clone_to_owned().unwrap();
            let map = SegmentFile::received(file, length as u64).unwrap().map(Access::ReadWrite).unwrap();
            opening.join().unwrap().unwrap();
            (number, (map, length))
        });
        let theirs = workers_of(server.pid()).into_iter().find(|pid| !mine.contains(pid)).unwrap();
        for offset in (0..map.1).step_by(4) {
            map.0.store(offset, word);
        }
        client.order(json!({ "kind": "stats" }), &[]).unwrap();
        kill(theirs);
        client.ended(generation);
        assert_eq!(lane.int(&library.1.interface, "crew_add", &[3, 4]).unwrap(), 7);
        client.close();
        wait_until("the worker of the mad one stays", || workers_of(server.pid()).len() == 1);
        mine = workers_of(server.pid());
    }
    // Ends are told yet.
    kill(mine[0]);
    well.ended(lane.generation());
    assert_eq!(well.worker().unwrap(), lane.generation() + 1);
}

#[test]
fn a_worker_that_answers_nothing_keeps_no_session_and_no_server() {
    for way in ["hang up", "close", "leave"] {
        let (server, library) = (Server::start(), crew::library());
        let client = server.open(&library.1, &json!({ "callers": 2 })).unwrap();
        let generation = client.worker().unwrap();
        let worker = workers_of(server.pid())[0];
        stop(worker);
        let of = |kind: &str, id: u64| {
            json!({
                "kind": kind, "id": id, "generation": generation.to_string(), "lane": 1, "left_ns": YEAR_NS,
                "direction": "request", "bytes": 4096,
            })
        };
        client.say(&of("lane", 1001));
        client.say(&of("grow", 1002));
        // Both are under way when it has been heard behind them.
        client.order(json!({ "kind": "stats" }), &[]).unwrap();
        assert!(alive(worker), "it has ended before");
        let began = Instant::now();
        match way {
            "hang up" => {
                client.hang_up();
                wait_until("a worker that is stopped stays", || !alive(worker));
            }
            "close" => client.close(),
            _ => assert_eq!(server.leave(), Some(0)),
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{way}: {:?}", began.elapsed());
        wait_until("a worker that is stopped stays", || !alive(worker));
    }
}

#[test]
fn a_client_that_stops_calls_of_no_lane_of_its_or_two_of_one_ends_its_session() {
    let (server, library) = (Server::start(), halt::library());
    let well = server.open(&library.1, &json!({})).unwrap();
    // A call of a lane that another one is to be stopped of, of that for threads of the library, and of none.
    for (lane, call) in [(0, 8), (1, 7), (u32::MAX, 7)] {
        let before = workers_of(server.pid());
        let client = server.open(&library.1, &json!({})).unwrap();
        assert_eq!(client.opened()["callers"], 1);
        let generation = client.worker().unwrap();
        let cancel = |id: u64, lane: u32, call: u64| {
            json!({
                "kind": "cancel", "id": id, "generation": generation, "lane": lane, "call": call, "left_ns": YEAR_NS,
            })
        };
        // There are no such calls. One may be asked about again, and the next one when the answer is there.
        for call in [6, 6, 7] {
            let (answer, _) = client.order(cancel(0, 0, call), &[]).unwrap();
            assert_eq!(answer["outcome"], "not-under-way", "{answer}");
        }
        let worker = workers_of(server.pid()).into_iter().find(|pid| !before.contains(pid)).unwrap();
        // From now on it owes every answer.
        stop(worker);
        client.say(&cancel(1001, 0, 7));
        client.say(&cancel(1002, 0, 7));
        client.order(json!({ "kind": "stats" }), &[]).unwrap();
        assert!(alive(worker) && !client.state().is_over, "the same one, again");
        client.say(&cancel(1003, lane, call));
        client.wait("the end of its socket", |state| state.is_over.then_some(()));
        wait_until("its worker stays", || !alive(worker));
    }
    assert_eq!(well.worker().unwrap(), 1, "another client pays for that");
}

#[test]
fn behind_a_kill_another_worker_serves() {
    let (server, library) = (Server::start(), crew::library());
    let client = server.open(&library.1, &json!({ "restart": { "faults": 0 }, "spares": 1 })).unwrap();
    for call in 1..=20 {
        let generation = client.worker().unwrap();
        client.say(&json!({
            "kind": "kill", "generation": generation, "lane": 0, "function": "crew_add", "call": call,
            "why": "deadline",
        }));
        let next = client.worker().unwrap();
        assert_ne!(next, generation, "the one that is being ended serves");
        let mut lane = client.lane(next, 0).unwrap();
        assert_eq!(lane.int(&library.1.interface, "crew_add", &[call, 1]).unwrap(), call + 1);
        let ended = client.ended(generation);
        assert_eq!((&ended["fault"]["kind"], &ended["lane"]), (&json!("Hung"), &json!(0)), "{ended}");
    }
}

#[test]
fn a_kill_that_comes_behind_the_end_is_not_why() {
    let (server, library) = (Server::start(), crew::library());
    let client = server.open(&library.1, &json!({})).unwrap();
    let generation = client.worker().unwrap();
    let worker = workers_of(server.pid())[0];
    // It sees both at once: an end that is older than the order to bring it about.
    stop(server.pid());
    kill(worker);
    std::thread::sleep(Duration::from_millis(100));
    client.say(&json!({
        "kind": "kill", "generation": generation, "lane": 0, "function": "crew_add", "call": 7, "why": "deadline",
    }));
    go_on(server.pid());
    let ended = client.ended(generation);
    assert_eq!((&ended["why"], &ended["lane"]), (&Value::Null, &Value::Null), "{ended}");
    assert_eq!(ended["fault"]["cause"]["signal"], "SIGKILL", "{ended}");
    assert_eq!(client.worker().unwrap(), generation + 1);
}

#[test]
fn options_that_would_fill_a_packet_are_refused_and_the_session_may_be_opened_yet() {
    let (server, library) = (Server::start(), crew::library());
    let client = Client::of(server.session());
    let mut long = options(&library.1);
    long["environment"] = json!({ "LONG": "x".repeat(60 << 10) });
    let refused = client.order_open(&library.1, &long).unwrap_err();
    assert_eq!(refused["kind"], "InvalidArgument", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("bytes, of 49152"), "{refused}");
    client.order_open(&library.1, &options(&library.1)).unwrap();
}

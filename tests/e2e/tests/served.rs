//! Callers in another process: a client that speaks the lanes' protocol itself, and `hotcell serve`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use hotcell_bind::Bound;
use hotcell_e2e::cli::Folder;
use hotcell_e2e::crew;
use hotcell_e2e::process::{wait_until, workers_of};
use hotcell_e2e::served::{Arg, Client, Fault, Lane, Server, number};
use hotcell_faulty as faulty;
use hotcell_model::interface::Interface;
use hotcell_shm::Seals;
use serde_json::{Value, json};

/// A session of crew, and its first worker.
struct Crew {
    server: Server,
    library: Arc<(Folder, Bound)>,
    client: Arc<Client>,
}

impl Crew {
    fn open(options: &Value) -> Crew {
        let (server, library) = (Server::start(), crew::library());
        let client = server.open(&library.1, options).unwrap();
        Crew { server, library, client }
    }

    fn interface(&self) -> &Interface {
        &self.library.1.interface
    }

    /// A lane of the worker that serves.
    fn lane(&self, lane: u32) -> Lane {
        self.client.lane(self.client.worker().unwrap(), lane).unwrap()
    }

    /// Has a worker end by a call; what is said of that.
    fn fault(&self, how: i64) -> Value {
        self.fault_of(self.lane(0), how)
    }

    fn fault_of(&self, mut lane: Lane, how: i64) -> Value {
        let ended = ended(lane.int(self.interface(), "crew_fault", &[how]));
        assert_eq!(number(&ended["generation"]), lane.generation(), "{ended}");
        assert_eq!((&ended["lane"], &ended["function"]), (&json!(0), &json!("crew_fault")), "{ended}");
        assert!(number(&ended["call"]) > 0, "{ended}");
        ended
    }
}

#[track_caller]
fn ended<T: std::fmt::Debug>(called: Result<T, Fault>) -> Value {
    match called {
        Err(Fault::Ended(ended)) => ended,
        other => panic!("its worker ends: {other:?}"),
    }
}

#[test]
fn calls_give_what_they_give() {
    let crew = Crew::open(&json!({ "callers": 3, "deadline_ms": 1500 }));
    let opened = crew.client.opened();
    assert_eq!(
        (&opened["kind"], &opened["callers"], &opened["session"]),
        (&json!("opened"), &json!(3), &json!(1))
    );
    assert_eq!(number(&opened["time_ns"]), 1_500_000_000);
    assert_eq!(opened["options"]["deadline_ms"], 1500);
    assert_eq!(opened["options"]["max_output"], 1 << 30, "what was not said is as in Rust");
    assert_eq!(number(&opened["generation"]), crew.client.worker().unwrap());
    let mut lane = crew.lane(0);
    assert_eq!(lane.int(crew.interface(), "crew_add", &[2, 40]).unwrap(), 42);
    assert_eq!(lane.int(crew.interface(), "crew_add", &[-7, 3]).unwrap(), -4);
    // In its slot, then in a segment, then in a larger one.
    for length in [0, 10, 900, 5_000, 3_000_000] {
        let data: Vec<u8> = (0..length).map(|at: u32| (at * 7) as u8).collect();
        let sum: i64 = data.iter().map(|byte| i64::from(*byte)).sum();
        let summed = lane.call(crew.interface(), "crew_sum", &[Arg::Bytes(&data)]).unwrap();
        assert_eq!(summed.0, sum, "{length} bytes");
    }
    // The same way back.
    for size in [10, 5_000, 3_000_000] {
        let args = [Arg::Room(size), Arg::Skipped, Arg::Int(0x5a)];
        let (_, filled) = lane.call(crew.interface(), "crew_fill", &args).unwrap();
        assert_eq!(filled, vec![0x5a; size as usize]);
    }
    crew.client.close();
    wait_until("its worker stays", || workers_of(crew.server.pid()).is_empty());
    assert_eq!(crew.server.leave(), Some(0));
}

#[test]
fn calls_of_two_lanes_are_made_at_a_time() {
    let crew = Crew::open(&json!({ "callers": 2 }));
    let lanes = [crew.lane(0), crew.lane(1)];
    std::thread::scope(|scope| {
        let meet = |mut lane: Lane| lane.int(crew.interface(), "crew_meet", &[2, 20_000]).unwrap();
        let both = lanes.map(|lane| scope.spawn(move || meet(lane)));
        assert_eq!(both.map(|one| one.join().unwrap()), [0, 0]);
    });
    for lane in [0, 2, 64] {
        let ask = json!({ "kind": "lane", "generation": 1, "lane": lane, "left_ns": 1_000_000_000 });
        let refused = crew.client.order(ask, &[]).unwrap_err();
        assert_eq!(refused["kind"], "InvalidArgument", "{lane}: {refused}");
    }
}

#[test]
fn faults_are_told_and_the_next_worker_serves() {
    let crew = Crew::open(&json!({ "restart": { "faults": 0 } }));
    let crashed = crew.fault(0);
    assert_eq!(crashed["fault"]["kind"], "Crashed", "{crashed}");
    assert_eq!(crashed["fault"]["cause"]["signal"], "SIGSEGV", "{crashed}");
    assert_eq!(crashed["fault"]["cause"]["address"], "0x0", "{crashed}");
    assert_eq!((&crashed["why"], &crashed["fault"]["executed"]), (&Value::Null, &json!("maybe")));
    let mut lane = crew.lane(0);
    assert_eq!(lane.generation(), 2);
    assert_eq!(lane.int(crew.interface(), "crew_add", &[1, 1]).unwrap(), 2);
    assert_eq!(crew.fault_of(lane, 1)["fault"]["cause"]["signal"], "SIGABRT");
    let exited = crew.fault(2);
    assert_eq!(
        (&exited["fault"]["kind"], &exited["fault"]["cause"]["status"]),
        (&json!("Exited"), &json!(3))
    );
    let overflow = crew.fault(4);
    assert_eq!(overflow["fault"]["cause"]["stack_overflow"], true, "{overflow}");
    let hung = crew.fault_of(crew.lane(0).within(Duration::from_millis(50)), 3);
    assert_eq!((&hung["fault"]["kind"], &hung["why"]), (&json!("Hung"), &json!("deadline")), "{hung}");
    assert_eq!(crew.lane(0).int(crew.interface(), "crew_add", &[2, 2]).unwrap(), 4);
    let (stats, files) = crew.client.order(json!({ "kind": "stats" }), &[]).unwrap();
    let stats = text_of(&files[0], number(&stats["bytes"]));
    assert_eq!((&stats["library"], &stats["client_pid"]), (&json!("crew"), &json!(std::process::id())));
    assert_eq!(
        (&stats["generation"], &stats["restarts"], &stats["state"]),
        (&json!(6), &json!(5), &json!("serving"))
    );
    assert_eq!(stats["faults"], json!({ "Crashed": 3, "Hung": 1, "Exited": 1 }));
    assert_eq!(stats["calls"], 7);
}

#[test]
fn who_asks_is_told_where_a_worker_ended() {
    let crew = Crew::open(&json!({ "restart": { "faults": 0 } }));
    let frames = |generation: u64| {
        let ask = json!({ "kind": "frames", "generation": generation });
        let (answer, files) = crew.client.order(ask, &[]).unwrap();
        text_of(&files[0], number(&answer["bytes"]))
    };
    assert_eq!(frames(1), json!([]), "it has not ended");
    let crashed = crew.fault(0);
    assert_eq!(crashed["fault"]["kind"], "Crashed", "{crashed}");
    assert_eq!(crew.fault(2)["fault"]["kind"], "Exited");
    assert_eq!(frames(2), json!([]), "it left no stack");
    let is_in_library = |frames: &Value| {
        let frame = frames.as_array().unwrap().iter().find(|frame| frame["function"] == "crew_fault");
        frame.and_then(|frame| frame["module"].as_str()).is_some_and(|module| module.ends_with(".so"))
    };
    let crashed = frames(1);
    assert!(is_in_library(&crashed) && crashed[0]["offset"].as_str().unwrap().starts_with("0x"), "{crashed}");
    // What hangs has 20 ms to leave its stack, which a busy machine may not give it.
    let left = (3..23).any(|generation| {
        let hung = crew.fault_of(crew.lane(0).within(Duration::from_millis(50)), 3);
        assert_eq!(hung["fault"]["kind"], "Hung", "{hung}");
        is_in_library(&frames(generation))
    });
    assert!(left);
    assert_eq!(frames(u64::MAX), json!([]));
}

/// A memory file, as JSON.
fn text_of(file: &std::os::fd::OwnedFd, bytes: u64) -> Value {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::from(file.try_clone().unwrap());
    let mut text = vec![0; bytes as usize];
    file.read_exact_at(&mut text, 0).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn what_the_library_printed_comes_with_the_fault() {
    let server = Server::start();
    let bound = faulty::bound().unwrap();
    let client = server.open(bound, &json!({})).unwrap();
    let mut lane = client.lane(client.worker().unwrap(), 0).unwrap();
    let fault = ended(lane.int(&bound.interface, "faulty_assert", &[0]))["fault"].take();
    assert_eq!((&fault["kind"], &fault["cause"]["signal"]), (&json!("Crashed"), &json!("SIGABRT")));
    let printed = fault["output"].as_str().unwrap();
    assert!(printed.contains("Assertion") && printed.contains("value"), "{printed:?}");
}

#[test]
fn a_call_of_another_lane_is_to_blame() {
    let crew = Crew::open(&json!({ "callers": 2 }));
    let (mut first, mut second) = (crew.lane(0), crew.lane(1));
    let crew = &crew;
    std::thread::scope(|scope| {
        let waits = scope.spawn(move || ended(first.int(crew.interface(), "crew_meet", &[3, 20_000])));
        let waiting = scope.spawn(move || {
            while second.int(crew.interface(), "crew_waiting", &[]).unwrap() == 0 {}
            ended(second.int(crew.interface(), "crew_fault", &[0]))
        });
        let (one, other) = (waits.join().unwrap(), waiting.join().unwrap());
        assert_eq!(one, other, "both are told the same");
        assert_eq!((&one["lane"], &one["function"]), (&json!(1), &json!("crew_fault")), "{one}");
    });
}

#[test]
fn a_worker_is_ended_for_what_its_client_says() {
    let crew = Crew::open(&json!({ "restart": { "faults": 0 } }));
    let cases = [
        ("given-up", "Cancelled", "given up"),
        ("violation", "ProtocolViolation", "it has lied"),
        ("invalid-reply", "InvalidReply", "contract"),
        ("callbacks", "LimitExceeded", "called back"),
    ];
    for (why, kind, message) in cases {
        let generation = crew.client.worker().unwrap();
        crew.client.say(&json!({
            "kind": "kill", "generation": generation, "lane": 0, "function": "crew_add", "call": "77", "why": why,
            "rule": "it has lied",
        }));
        let ended = crew.client.ended(generation);
        assert_eq!((&ended["fault"]["kind"], &ended["why"]), (&json!(kind), &json!(why)), "{ended}");
        assert_eq!((&ended["function"], &ended["call"]), (&json!("crew_add"), &json!("77")), "{ended}");
        assert!(ended["fault"]["message"].as_str().unwrap().contains(message), "{ended}");
    }
    // Of one that has ended nothing happens.
    crew.client.say(&json!({
        "kind": "kill", "generation": 1, "lane": 0, "function": "", "call": 1, "why": "deadline",
    }));
    assert_eq!(crew.client.worker().unwrap(), 5);
    assert_eq!(crew.lane(0).int(crew.interface(), "crew_add", &[1, 2]).unwrap(), 3);
}

#[test]
fn the_breaker_opens() {
    let crew = Crew::open(&json!({ "restart": { "faults": 2, "pause_ms": 600_000 } }));
    crew.fault(1);
    crew.fault(1);
    let refused = crew.client.worker().unwrap_err();
    assert_eq!(
        (&refused["kind"], &refused["cause"]["reason"]),
        (&json!("Unavailable"), &json!("breaker_open"))
    );
}

#[test]
fn spares_are_offered_ahead_of_their_time() {
    let crew = Crew::open(&json!({ "spares": 2, "restart": { "faults": 0 } }));
    for generation in 1..6 {
        // Spares are begun behind the answer.
        assert_eq!(crew.client.worker().unwrap(), generation);
        let sealed = |generation| {
            move |state: &mut hotcell_e2e::served::State| {
                (generation..generation + 3).all(|each| state.sealed.contains(&each)).then_some(())
            }
        };
        crew.client.wait("the channels of spares", sealed(generation));
        wait_until("spares come up", || workers_of(crew.server.pid()).len() == 3);
        assert_eq!(number(&crew.fault(1)["generation"]), generation);
    }
    // One that ends before its time is forgotten, and another takes its place.
    wait_until("spares come up", || {
        workers_of(crew.server.pid()).len() == 3 || crew.client.worker().is_err()
    });
    let spare = *workers_of(crew.server.pid()).iter().max().unwrap();
    let spare = rustix::process::Pid::from_raw(spare.cast_signed()).unwrap();
    rustix::process::kill_process(spare, rustix::process::Signal::KILL).unwrap();
    crew.fault(1);
    crew.client.worker().unwrap();
    crew.client.wait("what is said of a spare that ended", |state| (state.gone.len() == 1).then_some(()));
    let state = crew.client.state();
    assert!(state.ended.keys().all(|ended| !state.gone.contains(ended)), "{state:?}");
}

#[test]
fn segments_are_sealed_before_they_are_ready() {
    let crew = Crew::open(&json!({}));
    let generation = crew.client.worker().unwrap();
    // The client of these tests looks at the seals itself.
    let (first, _map) = crew.client.grow(generation, Seals::Request, 1 << 20).unwrap();
    let (second, _map) = crew.client.grow(generation, Seals::Reply, 12_345).unwrap();
    assert_eq!((first, second), (2, 3));
    let refused = crew.client.grow(generation, Seals::Reply, 0).unwrap_err();
    assert_eq!(refused["kind"], "InvalidArgument");
    let refused = crew.client.grow(99, Seals::Reply, 1).unwrap_err();
    assert_eq!(refused["kind"], "WorkerLost");
    // A library without a function for that stops no call, nor does a worker that is not there.
    let cancel = |generation: u64| {
        let order = json!({ "kind": "cancel", "generation": generation, "lane": 0, "call": "7", "left_ns": 1_000_000 });
        crew.client.order(order, &[])
    };
    let (answer, _) = cancel(generation).unwrap();
    assert_eq!((&answer["kind"], &answer["outcome"]), (&json!("cancelled"), &json!("impossible")));
    assert_eq!(cancel(99).unwrap_err()["kind"], "WorkerLost");
    for number in 4..511 {
        assert_eq!(crew.client.grow(generation, Seals::Request, 4096).unwrap().0, number);
    }
    let refused = crew.client.grow(generation, Seals::Request, 4096).unwrap_err();
    assert_eq!((&refused["kind"], &refused["cause"]["limit"]), (&json!("LimitExceeded"), &json!("memory")));
    // One without room is let go of, and another serves.
    crew.client.say(&json!({ "kind": "left", "generation": generation }));
    let next = crew.client.worker().unwrap();
    assert_eq!(next, generation + 1);
    wait_until("the one that was left stays", || workers_of(crew.server.pid()).len() == 1);
    assert!(crew.client.state().ended.is_empty(), "nothing is said of one that was let go of");
}

#[test]
fn a_channel_has_its_seals_before_there_is_a_worker() {
    let server = Server::start();
    let library = crew::library();
    let client = Client::of(server.session());
    client.state().maps_later = Some(Duration::from_millis(300));
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| client.order_open(&library.1, &json!({})));
        client.wait("an offer", |state| state.channels.keys().next().copied());
        let channel = Arc::clone(&client.state().channels[&1]);
        while !client.state().has_said_mapped {
            assert!(!channel.is_sealed().unwrap(), "it is to be mapped first");
            assert!(workers_of(server.pid()).is_empty(), "there is a worker, and no seal");
            std::thread::sleep(Duration::from_millis(10));
        }
        // What is heard of seals is looked at there and then.
        client.wait("its seals", |state| state.sealed.contains(&1).then_some(()));
        let opened = opening.join().unwrap().unwrap_err();
        assert_eq!(opened["kind"], "LoadFailed", "no library was named: {opened}");
    });
}

#[test]
fn a_client_that_does_not_map_loses_its_session_and_no_other() {
    let server = Server::start();
    let library = crew::library();
    let well = server.open(&library.1, &json!({})).unwrap();
    let client = Client::of(server.session());
    client.state().maps_nothing = true;
    let refused = client.order_open(&library.1, &json!({})).unwrap_err();
    assert_eq!(refused["kind"], "LoadFailed", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("did not map what it was offered"), "{refused}");
    client.wait("the end of its socket", |state| state.is_over.then_some(()));
    let mut lane = well.lane(well.worker().unwrap(), 0).unwrap();
    assert_eq!(lane.int(&library.1.interface, "crew_add", &[3, 4]).unwrap(), 7);
    wait_until("a worker that nobody maps", || workers_of(server.pid()).len() == 1);
}

#[test]
fn options_are_refused_by_what_is_wrong_and_a_session_may_be_opened_again() {
    let server = Server::start();
    let library = crew::library();
    let client = Client::of(server.session());
    for (options, kind, message) in [
        (json!({ "spare": 1 }), "InvalidArgument", "unknown field `spare`"),
        (json!({ "sandbox": { "profile": "compute", "read": ["/x"] } }), "InvalidArgument", "read"),
        (json!({ "libraries": ["/nowhere/libcrew.so"] }), "LoadFailed", "/nowhere/libcrew.so"),
        (json!({ "directory": "tmp" }), "InvalidArgument", "no absolute path"),
    ] {
        let refused = client.order_open(&library.1, &options).unwrap_err();
        assert_eq!(refused["kind"], kind, "{refused}");
        assert!(refused["message"].as_str().unwrap().contains(message), "{refused}");
        assert_eq!(refused["executed"], "no", "{refused}");
    }
    let libraries: Vec<_> = library.1.libraries.iter().map(|path| path.to_string_lossy()).collect();
    let opened =
        client.order_open(&library.1, &json!({ "libraries": libraries, "sandbox": "basic" })).unwrap();
    assert_eq!(opened["options"]["sandbox"]["profile"], "basic", "{opened}");
    assert_eq!(client.order_open(&library.1, &json!({})).unwrap_err(), "over", "it is opened once");
}

//! A client of `hotcell serve` that goes through one scenario and says what came of it, as `hotcell-countdown-host` is a host. Its supervisor is another
//! process, which `hotcell-countdown` may end as well. A client whose supervisor has gone starts another one for its next call, as those of other languages do.
//!
//!     hotcell-countdown-client served SCENARIO [warm]

use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use hotcell_bind::Bound;
use hotcell_e2e::cli::program;
use hotcell_e2e::left::Counts;
use hotcell_e2e::process::wait_until;
use hotcell_e2e::served::{Arg, Client, Fault, Lane, VERSION, pair, receive, send, session_of, spawn};
use hotcell_faulty::{LIBRARY, carried};
use serde_json::{Value, json};

/// System calls that no kernel has: where a scenario begins, and where it is over.
const BEGINS: i64 = 0x7fff_0001;
const IS_OVER: i64 = 0x7fff_0002;

/// Bytes that need segments beside the channel's first ones.
const LARGE: usize = 3 << 20;

/// Calls behind a scenario.
const FEWEST: usize = 2;
const MOST: usize = 5;

/// What a call came to; else the kind of its error, and what was said of it.
type Came = Result<bool, (String, String)>;

struct Host {
    bound: Bound,
    _library: OwnedFd,
    scenario: String,
    supervisor: Option<Supervisor>,
}

/// The other process, with this one as its client, and the session.
struct Supervisor {
    child: Child,
    /// The end of its life, in this process.
    first: Option<OwnedFd>,
    client: Option<Arc<Client>>,
    /// A lane of the worker that served last.
    lane: Option<Lane>,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let scenario = words.first().expect("a scenario").clone();
    let is_warm = words.get(1).is_some_and(|word| word == "warm");
    let mut host = Host::new(scenario.clone());
    let before = is_warm.then(|| host.warm());
    if scenario != "start" {
        assert!(host.is_right().expect("a first call"));
    }
    mark(BEGINS);
    let came = told(host.act(&scenario));
    let mut next: Vec<String> = Vec::new();
    // Behind a call that has failed there is another one.
    while next.len() < FEWEST || next.len() < MOST && next.last().is_some_and(|last| last != "right") {
        next.push(told(host.is_right()));
    }
    host.supervisor = None;
    mark(IS_OVER);
    println!("{}", json!({ "came": came, "next": next, "left": before.map(|before| before.more()) }));
}

impl Host {
    fn new(scenario: String) -> Host {
        let library = hotcell_shm::sealed_copy(LIBRARY).expect("a file in memory");
        let path = format!("/proc/{}/fd/{}", std::process::id(), library.as_raw_fd());
        let bound = Bound {
            interface: carried().interface.clone(),
            package: carried().package,
            rules: None,
            restores: &[],
            libraries: vec![path.into()],
            warnings: Vec::new(),
        };
        Host { bound, _library: library, scenario, supervisor: None }
    }

    /// Goes through the scenario. Whether all answers were right.
    fn act(&mut self, scenario: &str) -> Came {
        match scenario {
            "start" | "call" => Ok(self.is_right()? && self.is_right()?),
            "growth" => self.grow(),
            "reload" => self.reload(),
            // The first call of the next worker; with spares, of one that was there before.
            "recovery" | "spares" => {
                let (kind, text) = self.call("faulty_abort", &[]).expect_err("it does not return");
                // Whoever ends it before it does so itself is heard of as well.
                if kind == "Crashed" { self.is_right() } else { Err((kind, text)) }
            }
            other => panic!("there is no scenario `{other}`"),
        }
    }

    /// Data and results that have no room in what a channel has at first.
    fn grow(&mut self) -> Came {
        let text = "x".repeat(LARGE);
        let printed = self.called("faulty_print", &[Arg::Text(&text), Arg::Int(0)])?.0;
        let long = self.called("faulty_long_text", &[Arg::Int(LARGE as i64)])?.1;
        Ok(printed == 0 && long.len() == LARGE)
    }

    /// Somebody has the server load the library anew, and the next call is made on another worker.
    fn reload(&mut self) -> Came {
        let supervisor = self.supervisor()?;
        let before = supervisor.lane.as_ref().map(Lane::generation);
        let mut order = Command::new(program("hotcell"));
        order.arg("reload").arg(supervisor.child.id().to_string());
        order.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut ordered = order.spawn().expect("the program is there");
        let came = self.until_another(before);
        // It waits until nobody has the worker before any more. This client lets go of one with its next call, which may come behind this.
        let _ = ordered.kill();
        let _ = ordered.wait();
        came
    }

    /// Calls until another worker serves.
    fn until_another(&mut self, before: Option<u64>) -> Came {
        let (mut is_right, mut tries) = (true, 0);
        loop {
            is_right &= self.is_right()?;
            let now = self.supervisor.as_ref().and_then(|it| it.lane.as_ref()).map(Lane::generation);
            // Where the server has gone nothing is loaded anew any more.
            if now != before || tries == 200 {
                return Ok(is_right);
            }
            tries += 1;
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether a call gives what it must.
    fn is_right(&mut self) -> Came {
        Ok(self.call("faulty_add", &[Arg::Int(2), Arg::Int(3)])? == 5)
    }

    fn call(&mut self, name: &str, args: &[Arg<'_>]) -> Result<i64, (String, String)> {
        self.called(name, args).map(|(number, _)| number)
    }

    /// What a function returns, and what it filled. Behind a server that has gone there is another one for the next call.
    fn called(&mut self, name: &str, args: &[Arg<'_>]) -> Result<(i64, Vec<u8>), (String, String)> {
        let called = match self.supervisor().and_then(Supervisor::lane) {
            Err(error) => Err(error),
            Ok(mut lane) => {
                let called =
                    lane.call(&self.bound.interface, name, args).map_err(|fault| of_fault(fault, &lane));
                if let (Some(supervisor), true) = (&mut self.supervisor, called.is_ok()) {
                    supervisor.lane = Some(lane);
                }
                called
            }
        };
        if self.supervisor.as_ref().is_some_and(Supervisor::is_over) {
            self.supervisor = None;
        }
        called
    }

    /// The server with a session, started when it is first needed.
    fn supervisor(&mut self) -> Result<&mut Supervisor, (String, String)> {
        if self.supervisor.is_none() {
            self.supervisor = Some(Supervisor::start(&self.bound, &self.options())?);
        }
        Ok(self.supervisor.as_mut().expect("it was started"))
    }

    fn options(&self) -> Value {
        // No call of a scenario takes that long. Who waits sleeps: that is what is counted.
        let mut options = json!({ "deadline_ms": 60_000, "start_deadline_ms": 60_000, "waiting": "economy" });
        match self.scenario.as_str() {
            "start" => {
                (options["sandbox"], options["watch"]) = (json!({ "profile": "files" }), json!("look"))
            }
            "reload" => options["watch"] = json!("reload"),
            "spares" => options["spares"] = json!(1),
            _ => {}
        }
        options
    }

    /// Has and gives up all that scenarios do, and counts what stays.
    fn warm(&mut self) -> Counts {
        assert!(self.grow().expect("a scenario that nobody disturbs"));
        self.supervisor = None;
        Counts::settled()
    }
}

impl Supervisor {
    fn start(bound: &Bound, options: &Value) -> Result<Supervisor, (String, String)> {
        let (first, theirs) = pair();
        let child = spawn(theirs, &[]);
        let mut supervisor = Supervisor { child, first: Some(first), client: None, lane: None };
        let first = supervisor.first.as_ref().expect("it is there");
        send(first, &json!({ "kind": "hello", "version": VERSION, "client": "countdown" }), &[]);
        receive(first).ok_or_else(gone)?;
        let client = Client::of(session_of(first));
        let mut options = options.clone();
        options["libraries"] = bound.libraries.iter().map(|path| json!(path.to_string_lossy())).collect();
        let opened = client.order_open(bound, &options);
        supervisor.client = Some(client);
        opened.map(|_| supervisor).map_err(|error| of_refusal(&error))
    }

    fn client(&self) -> &Arc<Client> {
        self.client.as_ref().expect("its session is open")
    }

    /// A lane of the worker that serves; that of the last call, where that is it.
    fn lane(&mut self) -> Result<Lane, (String, String)> {
        let client = Arc::clone(self.client());
        let generation = client.worker().map_err(|error| of_refusal(&error))?;
        match self.lane.take() {
            Some(lane) if lane.generation() == generation => Ok(lane),
            before => {
                // Nothing of it is used any more.
                if let Some(before) = before {
                    client.say(&json!({ "kind": "left", "generation": before.generation() }));
                }
                client.lane(generation, 0).map_err(|error| of_refusal(&error))
            }
        }
    }

    fn is_over(&self) -> bool {
        self.client.as_ref().is_none_or(|client| client.state().is_over)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.lane = None;
        if let Some(client) = self.client.take() {
            client.hang_up();
            client.wait("the end of the socket", |state| state.is_over.then_some(()));
            // The thread that hears has its part of it until it ends.
            wait_until("it is heard of a session that is over", || Arc::strong_count(&client) == 1);
        }
        // It ends with its client.
        self.first = None;
        let _ = self.child.wait();
    }
}

fn gone() -> (String, String) {
    ("SupervisorGone".into(), "its socket has ended".into())
}

/// What became of a call whose worker has ended, or that was refused what it needs: because of that end, where it has.
fn of_fault(fault: Fault, lane: &Lane) -> (String, String) {
    let fault = match fault {
        Fault::Refused(error) if error["kind"] == "WorkerLost" => Fault::Ended(lane.ended()),
        fault => fault,
    };
    match fault {
        Fault::Ended(ended) if ended["kind"] == "over" => gone(),
        Fault::Ended(ended) => of_error(&ended["fault"]),
        Fault::Refused(error) => of_refusal(&error),
        Fault::State(head) => ("in another state".into(), format!("{head:?}")),
    }
}

/// The answer of a server, or that there is none.
fn of_refusal(error: &Value) -> (String, String) {
    if error == "over" { gone() } else { of_error(error) }
}

fn of_error(error: &Value) -> (String, String) {
    (error["kind"].as_str().unwrap_or_default().to_owned(), error.to_string())
}

/// `right`, `wrong`, or the error.
fn told(came: Came) -> String {
    match came {
        Ok(true) => "right".into(),
        Ok(false) => "wrong".into(),
        Err((kind, text)) => format!("{kind}: {text}"),
    }
}

fn mark(place: i64) {
    // SAFETY: there is no such call, and so it does nothing.
    unsafe { libc::syscall(place) };
}

//! A host that goes through one scenario and says what came of it, while `hotcell-countdown` counts its system calls, and those of its
//! workers, and ends one of them at the one that was asked for.
//!
//!     hotcell-countdown-host SCENARIO [warm]
//!
//! `warm`: what a process has for good once it has made calls is there before the scenario begins, so that what is left can be counted.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use hotcell::dynamic::{self, Value};
use hotcell::watch::Watch;
use hotcell::{ErrorKind, Options, Profile, Reload, Result, Sandbox, Session, Waiting};
use hotcell_e2e::left::Counts;
use hotcell_e2e::ticker::Ticker;
use hotcell_faulty::{LIBRARY, carried};
use serde_json::json;

/// No call of a scenario takes that long. What hangs is ended by the test's own watchdog.
const LONG: Duration = Duration::from_secs(60);

/// Where the library lies whose threads call back.
const TICKER: &str = "HOTCELL_COUNTDOWN_TICKER";

/// System calls that no kernel has: where a scenario begins, and where it is over.
const BEGINS: i64 = 0x7fff_0001;
const IS_OVER: i64 = 0x7fff_0002;

/// Bytes that need segments beside the channel's first ones.
const LARGE: usize = 3 << 20;

/// Calls behind a scenario.
const FEWEST: usize = 2;
const MOST: usize = 5;

struct Host {
    /// The library, in two files that are the same.
    files: [OwnedFd; 2],
    session: Option<Session>,
    scenario: String,
    /// The other library, where that is the one of the scenario.
    ticker: Option<Ticker>,
}

fn main() {
    let mut words = std::env::args().skip(1);
    let scenario = words.next().expect("a scenario");
    let is_warm = words.next().is_some_and(|word| word == "warm");
    let copy = || hotcell_shm::sealed_copy(LIBRARY).expect("a file in memory");
    let mut host = Host { files: [copy(), copy()], session: None, scenario: scenario.clone(), ticker: None };
    carried();
    let before = is_warm.then(|| host.warm());
    if scenario != "start" {
        host.is_right().expect("a first call");
        // Files are read by a thread, which has ended then.
        host.open().expect("it is open").loaded();
    }
    mark(BEGINS);
    let came = told(host.act(&scenario));
    let mut next: Vec<String> = Vec::new();
    // Behind a call that has failed there is another one.
    while next.len() < FEWEST || next.len() < MOST && next.last().is_some_and(|last| last != "right") {
        next.push(told(host.is_right()));
    }
    host.close();
    mark(IS_OVER);
    println!("{}", json!({ "came": came, "next": next, "left": before.map(|before| before.more()) }));
}

impl Host {
    /// Goes through the scenario. Whether all answers were right.
    fn act(&mut self, scenario: &str) -> Result<bool> {
        match scenario {
            "start" | "call" => Ok(self.is_right()? && self.is_right()?),
            "growth" => self.grow(),
            "callbacks" => self.call_back(),
            "reload" => {
                let libraries = Some(vec![self.path(1)]);
                let reload = Reload { libraries, ..Reload::default() };
                self.session()?.reload(&reload).map(|reloaded| reloaded.generation > 0)
            }
            "recovery" => {
                // Whoever ends the worker before it does so itself is heard of as well.
                let ended = self.call("abort", &[]).expect_err("it does not return");
                Ok(matches!(ended.kind(), ErrorKind::Crashed) && self.is_right()?)
            }
            // The first call of the next worker, which was there before.
            "spares" => {
                let ended = self.call("abort", &[]).expect_err("it does not return");
                Ok(matches!(ended.kind(), ErrorKind::Crashed) && self.is_right()? && self.is_right()?)
            }
            "threads" => self.tick(),
            other => panic!("there is no scenario `{other}`"),
        }
    }

    /// Data and results that have no room in what a channel has at first.
    fn grow(&mut self) -> Result<bool> {
        let printed = self.call("print", &[Value::Text("x".repeat(LARGE)), Value::Int(0)])?;
        let text = self.call("long_text", &[Value::Int(LARGE as i128)])?;
        let is_long = matches!(text, Value::Text(text) if text.len() == LARGE);
        Ok(printed == Value::Int(0) && is_long)
    }

    /// Callbacks, each with a call in it.
    fn call_back(&mut self) -> Result<bool> {
        let session = self.session()?;
        let interface = &carried().interface;
        // What a callback does not return.
        let mut inside = None;
        let mut visit = |_: &str, _: &[(String, Value)]| match add(&session, 20, 22) {
            Ok(true) => Ok(Value::Int(4)),
            other => {
                inside = Some(other);
                Err("the call in it".into())
            }
        };
        let outer = interface.function("faulty_outer").expect("it is bound");
        let twice = dynamic::call_with(&session, interface, outer, &[Value::Callback], &mut visit);
        // The call inside may be the first to hear of an end, and the outer one has its own word of it.
        Ok(twice?.returned == Some(Value::Int(8)) && inside.unwrap_or(Ok(true))?)
    }

    /// Threads of the library call back.
    fn tick(&mut self) -> Result<bool> {
        let library = self.ticker()?;
        let ticker = library.ticker()?;
        library.on_tick(&ticker, |number, _| Ok(number))?;
        library.number("ticker_run", &ticker, &[2, 10])?;
        let ticks = library.number("ticker_ticks", &ticker, &[])?;
        Ok((ticks, library.number("ticker_sum", &ticker, &[])?) == (20, 2 * (0..10).sum::<i128>()))
    }

    /// Whether a call gives what it must.
    fn is_right(&mut self) -> Result<bool> {
        match self.is_other() {
            true => Ok(self.ticker()?.call("ticker_interruptions", &[])? == Value::Int(0)),
            false => add(&self.session()?, 2, 3),
        }
    }

    /// Whether it is the scenario of the other library.
    fn is_other(&self) -> bool {
        self.scenario == "threads"
    }

    /// The session of whichever library.
    fn open(&mut self) -> Result<Session> {
        if self.is_other() { Ok(self.ticker()?.session) } else { self.session() }
    }

    fn close(&mut self) {
        drop((self.session.take(), self.ticker.take()));
    }

    /// The other library, opened when it is first needed.
    fn ticker(&mut self) -> Result<Ticker> {
        if self.ticker.is_none() {
            let folder = std::env::var_os(TICKER).expect("the test says where it lies");
            self.ticker = Some(Ticker::open_prepared(folder.as_ref(), self.options())?);
        }
        Ok(self.ticker.clone().expect("it was opened"))
    }

    fn options(&self) -> Options {
        let mut options = Options {
            deadline: LONG,
            start_deadline: LONG,
            // Whoever waits sleeps: that is what is counted.
            waiting: Waiting::Economy,
            ..Options::default()
        };
        if self.scenario == "start" {
            options.sandbox = Some(Sandbox::of(Profile::Files));
            options.watch = Some(Watch::Look);
        }
        if self.scenario == "spares" {
            options.spares = 1;
        }
        options
    }

    fn call(&mut self, name: &str, args: &[Value]) -> Result<Value> {
        call(&self.session()?, name, args)
    }

    /// The session, opened when it is first needed.
    fn session(&mut self) -> Result<Session> {
        if self.session.is_none() {
            let options = Options { libraries: vec![self.path(0)], ..self.options() };
            self.session = Some(Session::open(carried().package, options)?);
        }
        Ok(self.session.clone().expect("it was opened"))
    }

    fn path(&self, file: usize) -> PathBuf {
        format!("/proc/self/fd/{}", self.files[file].as_raw_fd()).into()
    }

    /// Has and gives up a session with all that scenarios do, and counts what stays.
    fn warm(&mut self) -> Counts {
        let scenarios: &[&str] = if self.is_other() { &["threads"] } else { &["callbacks", "growth"] };
        for scenario in scenarios {
            assert!(self.act(scenario).expect("a scenario that nobody disturbs"), "{scenario}");
        }
        self.close();
        Counts::settled()
    }
}

fn add(session: &Session, a: i128, b: i128) -> Result<bool> {
    Ok(call(session, "add", &[Value::Int(a), Value::Int(b)])? == Value::Int(a + b))
}

fn call(session: &Session, name: &str, args: &[Value]) -> Result<Value> {
    let interface = &carried().interface;
    let function = interface.function(&format!("faulty_{name}")).expect("it is bound");
    Ok(dynamic::call(session, interface, function, args)?.returned.unwrap_or(Value::Null))
}

/// `right`, `wrong`, or the error.
fn told(came: Result<bool>) -> String {
    match came {
        Ok(true) => "right".into(),
        Ok(false) => "wrong".into(),
        Err(error) => format!("{}: {}", error.kind(), error.message()),
    }
}

fn mark(place: i64) {
    // SAFETY: there is no such call, and so it does nothing.
    unsafe { libc::syscall(place) };
}

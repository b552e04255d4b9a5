//! What a process answers to who looks at it: one line that asks, and JSON that answers.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hotcell_shm::OfProcess;
use serde_json::{Value, json};

use super::{VERSION, Watch};
use crate::error::Error;
use crate::session::reload::{Switched, drain};
use crate::session::watched::{pools, sessions};
use crate::session::{Reload, Reloaded};

/// How long a peer may take to ask, and to take the answer.
const TIME: Duration = Duration::from_secs(1);

/// Bytes that a question has at most.
const LONGEST: usize = 64 << 10;

/// Bytes of an answer: sessions beyond them are left out, and counted.
const MOST: usize = 4 << 20;

/// What is asked.
enum Ask {
    Look,
    Reload { library: Option<String>, reload: Reload },
}

/// Hears what a peer asks, and answers.
pub(super) fn to(mut peer: UnixStream) {
    let Ok(line) = hear(&mut peer, Instant::now() + TIME) else { return };
    match Ask::read(&line) {
        Ok(Ask::Look) => tell(&mut peer, &look()),
        Ok(Ask::Reload { library, reload }) => load_anew(peer, library, reload),
        Err(why) => tell(&mut peer, &refusal(why)),
    }
}

/// A line, which has to come as a whole before that time.
fn hear(peer: &mut UnixStream, until: Instant) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut part = [0; 4096];
    loop {
        peer.set_read_timeout(Some(left(until)?))?;
        let count = peer.read(&mut part)?;
        line.extend_from_slice(&part[..count]);
        if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            line.truncate(end);
            return Ok(line);
        }
        if count == 0 || line.len() > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

/// Sends it, and ends the connection, which a child that was forked meanwhile has too. A peer that does not take it in time has a part of
/// it, which is no JSON.
fn tell(peer: &mut UnixStream, answer: &Value) {
    let (text, until) = (format!("{answer}\n"), Instant::now() + TIME);
    let mut rest = text.as_bytes();
    while let Ok(left) = left(until)
        && !rest.is_empty()
        && peer.set_write_timeout(Some(left)).is_ok()
    {
        match peer.write(rest) {
            Ok(count @ 1..) => rest = &rest[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => break,
        }
    }
    let _ = peer.shutdown(Shutdown::Both);
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

impl Ask {
    fn read(line: &[u8]) -> Result<Ask, &'static str> {
        let ask: Value = serde_json::from_slice(line).map_err(|_| "what is asked is no JSON")?;
        if ask["hotcell_watch"] != VERSION {
            return Err("another version is asked for");
        }
        match ask["ask"].as_str() {
            Some("look") => Ok(Ask::Look),
            Some("reload") => Ask::read_reload(&ask).ok_or("the order to load anew is not one"),
            _ => Err("nothing is asked that is known here"),
        }
    }

    fn read_reload(ask: &Value) -> Option<Ask> {
        let library = match &ask["library"] {
            Value::Null => None,
            name => Some(name.as_str()?.to_owned()),
        };
        let libraries = match &ask["libraries"] {
            Value::Null => None,
            Value::Array(paths) => {
                let path = |path: &Value| path.as_str().map(PathBuf::from).filter(|path| path.is_absolute());
                Some(paths.iter().map(path).collect::<Option<Vec<_>>>()?)
            }
            _ => return None,
        };
        let drain = Duration::from_millis(ask["drain_ms"].as_u64()?);
        Some(Ask::Reload { library, reload: Reload { libraries, drain } })
    }
}

/// What all answers have.
fn head() -> Value {
    let program = std::env::current_exe().ok();
    let name = program.as_ref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy());
    json!({
        "hotcell_watch": VERSION,
        "host": { "pid": std::process::id(), "program": name, "hotcell": env!("CARGO_PKG_VERSION") },
    })
}

fn refusal(why: &str) -> Value {
    let mut answer = head();
    answer["error"] = json!(why);
    answer
}

/// All sessions and pools, as many as there is room for.
fn look() -> Value {
    let (mut answer, mut bytes, mut left_out) = (head(), 0, 0);
    let mut fitting = |value: Value| {
        let more = value.to_string().len();
        let fits = bytes + more <= MOST;
        bytes += if fits { more } else { 0 };
        left_out += u64::from(!fits);
        fits.then_some(value)
    };
    let told: Vec<Value> =
        sessions().map(|session| session.stats().to_json()).filter_map(&mut fitting).collect();
    let pools: Vec<Value> = pools().map(|pool| pool.to_json()).filter_map(&mut fitting).collect();
    answer["sessions"] = json!(told);
    answer["pools"] = json!(pools);
    answer["left_out"] = json!(left_out);
    answer
}

/// Loads anew on a thread of its own, for it takes long; one at a time.
fn load_anew(mut peer: UnixStream, library: Option<String>, reload: Reload) {
    static UNDER_WAY: OfProcess<AtomicBool> = OfProcess::new();
    struct Over(&'static AtomicBool);
    impl Drop for Over {
        fn drop(&mut self) {
            self.0.store(false, Ordering::Release);
        }
    }
    let Some(under_way) = UNDER_WAY.get().ok().filter(|it| !it.swap(true, Ordering::AcqRel)) else {
        return tell(&mut peer, &refusal("a library is being loaded anew"));
    };
    let over = Over(under_way);
    let thread = thread::Builder::new().name("hotcell-reload".into());
    // What cannot be done is heard of by the socket's end.
    let _ = thread.spawn(move || {
        let _over = over;
        let mut answer = head();
        answer["reloaded"] = json!(load_all(library.as_deref(), &reload));
        tell(&mut peer, &answer);
    });
}

/// A session or a pool that was to be loaded anew.
struct Loaded {
    library: &'static str,
    sessions: Vec<u64>,
    /// How many workers of all serve for it that have the new file, or why none does.
    workers: Result<usize, Value>,
}

/// What became of each session or pool that was to be loaded anew. Workers that were replaced are drained together, so that all of it takes
/// no longer than who has asked waits for.
fn load_all(library: Option<&str>, reload: &Reload) -> Vec<Value> {
    let (mut done, mut all) = (Vec::new(), Vec::new());
    let is_meant = |of: &str| library.is_none_or(|library| library == of);
    for pool in pools().filter(|pool| is_meant(pool.library())) {
        let (library, numbers, watch) = (pool.library(), pool.numbers(), pool.watch());
        done.push(Loaded::of(&mut all, (library, numbers), watch, || pool.load_anew(reload)));
    }
    let pooled: Vec<u64> = done.iter().flat_map(|loaded| loaded.sessions.iter().copied()).collect();
    for session in sessions().filter(|it| is_meant(it.library()) && !pooled.contains(&it.id())) {
        let load = || session.load_for_others(reload).map(|switched| vec![switched]);
        done.push(Loaded::of(&mut all, (session.library(), vec![session.id()]), session.watch(), load));
    }
    drain(&mut all, reload.drain);
    let mut switched = all.iter().map(Switched::reloaded);
    done.into_iter().map(|loaded| loaded.to_json(&mut switched)).collect()
}

impl Loaded {
    fn of(
        all: &mut Vec<Switched>,
        (library, sessions): (&'static str, Vec<u64>),
        watch: Watch,
        load: impl FnOnce() -> Result<Vec<Switched>, Error>,
    ) -> Loaded {
        let loaded = match watch {
            Watch::Reload => load().map_err(|error| error.to_json()),
            _ => Err(json!({ "message": "it lets others look, and not load anew" })),
        };
        let workers = loaded.map(|switched| {
            let count = switched.len();
            all.extend(switched);
            count
        });
        Loaded { library, sessions, workers }
    }

    /// With the workers of all that are left.
    fn to_json(&self, switched: &mut impl Iterator<Item = Reloaded>) -> Value {
        let Loaded { library, sessions, workers } = self;
        match workers {
            Ok(count) => {
                let told = |it: Reloaded| json!({ "generation": it.generation, "before": it.before, "drained": it.drained });
                let workers: Vec<Value> = switched.take(*count).map(told).collect();
                json!({ "library": library, "sessions": sessions, "workers": workers })
            }
            Err(error) => json!({ "library": library, "sessions": sessions, "error": error }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> &'static str {
        Ask::read(line.as_bytes()).err().unwrap_or("it is taken")
    }

    #[test]
    fn what_is_asked_wrongly_is_refused() {
        let cases = [
            ("", "what is asked is no JSON"),
            ("look", "what is asked is no JSON"),
            ("{}", "another version is asked for"),
            (r#"{"hotcell_watch":2,"ask":"look"}"#, "another version is asked for"),
            (r#"{"hotcell_watch":1,"ask":"kill"}"#, "nothing is asked that is known here"),
            (r#"{"hotcell_watch":1,"ask":"look"}"#, "it is taken"),
            (r#"{"hotcell_watch":1,"ask":"reload","drain_ms":5}"#, "it is taken"),
        ];
        cases.iter().for_each(|(line, expect)| assert_eq!(refused(line), *expect, "{line}"));
        for wrong in [
            r#""library":7,"drain_ms":1"#,
            r#""libraries":["libz.so"],"drain_ms":1"#,
            r#""libraries":"/a","drain_ms":1"#,
            r#""drain_ms":-1"#,
            r#""library":"z""#,
        ] {
            let line = format!(r#"{{"hotcell_watch":1,"ask":"reload",{wrong}}}"#);
            assert_eq!(refused(&line), "the order to load anew is not one", "{line}");
        }
    }

    #[test]
    fn a_peer_that_says_nothing_or_too_much_is_let_go() {
        let (mut here, mut there) = UnixStream::pair().unwrap();
        let silent = hear(&mut here, Instant::now() + Duration::from_millis(20));
        assert!(silent.is_err());
        let writes = thread::spawn(move || {
            let long = vec![b'x'; LONGEST * 2];
            there.write_all(&long).is_err()
        });
        assert_eq!(hear(&mut here, Instant::now() + TIME).unwrap_err().kind(), io::ErrorKind::InvalidData);
        drop(here);
        writes.join().unwrap();
    }

    #[test]
    fn who_asks_is_answered_by_one_line_of_json() {
        let (here, mut there) = UnixStream::pair().unwrap();
        there.write_all(b"{\"hotcell_watch\":1,\"ask\":\"look\"}\n").unwrap();
        to(here);
        let mut text = String::new();
        there.read_to_string(&mut text).unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["hotcell_watch"], VERSION);
        assert_eq!(answer["host"]["pid"], std::process::id());
        assert_eq!((&answer["sessions"], &answer["left_out"]), (&json!([]), &json!(0)));
    }
}

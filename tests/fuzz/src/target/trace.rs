//! What was seen of a library, and the profile that is written of it.

use std::ffi::CString;
use std::path::{Path, PathBuf};

use hotcell_sandbox::Sandbox;
use hotcell_sandbox::seam::{self, Allowed};
use hotcell_sandbox::trace::{Needs, Seen};

use crate::Target;
use crate::script::Script;

pub(crate) const TARGET: Target = Target {
    name: "trace",
    about: "what any call with any path is noted as is read as it was written, and names what a profile can name; any text as a trace is read; of anything that was seen a profile is made that is one, allows each call that any profile can allow, and names each path and port",
    longest: 2048,
    short: 1_000,
    run,
};

const PATHS: [&str; 8] =
    ["/data", "/data/a", "/data/a/b", "/database", "/etc/x y", "/var/tmp/\"quoted\"", "/opt/x", "/dev/null"];

fn run(input: &[u8]) {
    let any = String::from_utf8_lossy(input);
    let _ = Needs::read(&any).0.proposal(&Sandbox::default());
    let mut script = Script::new(input);
    let mut lines = Vec::new();
    while !script.is_over() && lines.len() < 32 {
        match script.below(8) {
            0 => lines.extend(noted(&mut script)),
            _ => lines.push(seen(&mut script)),
        }
    }
    let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let (needs, other) = Needs::read(&text.join("\n"));
    assert!(other.is_empty(), "it was written as it is read: {other:?}");
    let sandbox = needs.proposal(&Sandbox::default()).sandbox;
    assert_eq!(sandbox.misplaced(), None, "{sandbox:?}");
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let named = |list: &[PathBuf], path: &Path| {
        list.iter().any(|place| path.starts_with(place) || real(path).starts_with(real(place)))
    };
    let allowed = Allowed::by(&sandbox).expect("its rules are read");
    for seen in &lines {
        let holds = match seen {
            Seen::Call { name, arguments } => allowed.call(name, arguments) != Some(false),
            Seen::Read(path) => named(&sandbox.read, path) || named(&sandbox.write, path),
            Seen::Write(path) => named(&sandbox.write, path),
            Seen::Load(path) => {
                [&sandbox.load, &sandbox.read, &sandbox.write].iter().any(|list| named(list, path))
            }
            Seen::Connect(port) => sandbox.connect.contains(port),
            Seen::Bind(port) => sandbox.bind.contains(port),
            Seen::Temporary => sandbox.has_files(),
            Seen::Worker | Seen::Refused(_) | Seen::Unnamed(_) | Seen::Hidden(_) => true,
        };
        assert!(holds, "{seen:?} does not pass under {sandbox:?}");
    }
}

/// Parts of paths that lead somewhere.
const PARTS: [&str; 16] = [
    "/",
    "..",
    ".",
    "proc",
    "self",
    "fd",
    "0",
    "dev",
    "stdin",
    "etc",
    "hosts",
    "usr",
    "own-temporary",
    "a\tb",
    "\u{fffd}",
    "thread-self",
];

/// What is noted of a call that nobody makes, with paths that nobody used.
fn noted(script: &mut Script<'_>) -> Vec<Seen> {
    let path = |script: &mut Script<'_>| {
        let mut path: Vec<u8> = Vec::new();
        for _ in 0..script.below(8) {
            path.extend(PARTS[script.below(PARTS.len())].as_bytes());
            path.extend(if script.below(2) == 0 { &b"/"[..] } else { &[] });
        }
        path.extend(script.take(script.clone().below(3)));
        path.retain(|&byte| byte != 0);
        CString::new(path).expect("there is no NUL in it")
    };
    let paths = [path(script), path(script)];
    let places = paths.each_ref().map(|path| path.as_ptr().addr() as u64);
    let calls = seam::system_calls();
    let call = &calls[usize::from(script.u16()) % calls.len()];
    let words = [places[0], places[0], places[1], AT_CWD, 0, 0o1101, 2, 0x1000];
    let seen = seam::noted(call, std::array::from_fn(|_| script.near(&words)));
    for seen in &seen {
        assert_eq!(seen.to_string().parse().as_ref(), Ok(seen), "it is read as it was written");
    }
    seen
}

const AT_CWD: u64 = -100_i64 as u64;

fn seen(script: &mut Script<'_>) -> Seen {
    let path = |script: &mut Script<'_>| script.one_of(&PATHS).into();
    match script.below(10) {
        0 => Seen::Read(path(script)),
        1 => Seen::Write(path(script)),
        2 => Seen::Load(path(script)),
        3 => Seen::Connect(script.u16()),
        4 => Seen::Bind(script.u16()),
        5 => Seen::Temporary,
        _ => {
            let calls = seam::system_calls();
            let name = calls[script.below(calls.len())].name;
            let arguments = std::array::from_fn(|_| script.near(&[0, 1, 2, 10, 0x80000, 0x5401, u64::MAX]));
            Seen::Call { name, arguments }
        }
    }
}

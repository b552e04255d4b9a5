//! Replies: whatever a worker writes and sends, a session gives results or a typed error, and the next call is made.
//!
//! The session is a real one, and its worker a process that does what each call's data say (`peer.rs`).

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hotcell::rt::{
    Callback, Field, Function, Handle, HandleType, Invocation, Kind, OutputField, OutputKind, OwnedField,
    Package, Release, SandboxLines,
};
use hotcell::{ErrorKind, Options, Restart, Result, Session, Waiting};

use crate::Target;
use crate::peer::ARGUMENTS;
use crate::script::Script;

mod reads;

use reads::read;

pub(crate) const TARGET: Target = Target {
    name: "replies",
    about: "a session and a worker process that lies in its memory and on its socket: calls, callbacks, nested calls and batches give results or a typed error of the kinds that a worker may cause, and the next call is made",
    longest: 2048,
    short: 200,
    run,
};

/// Types of objects.
const THING: u16 = 1;
const PART: u16 = 2;

const RELEASE: u16 = 3;

const fn function(name: &'static str, result_size: u16) -> Function {
    Function {
        name,
        args_size: ARGUMENTS as u16,
        result_size,
        deadline_ms: 0,
        idempotent: false,
        inputs: &[],
        lets_go: false,
        returned: None,
        code: None,
        message: None,
        symbols: &[],
        owned: &[],
        outputs: &[],
    }
}

static FUNCTIONS: &[Function] = &[
    Function {
        returned: Some(Field { offset: 0, kind: Kind::I32 }),
        message: Some(8),
        symbols: &[(1, "ONE"), (8, "EIGHT")],
        outputs: OUTPUTS,
        ..function("fails", 64)
    },
    Function {
        owned: &[
            OwnedField { offset: 0, kind: THING, image: 0, release: None },
            OwnedField { offset: 8, kind: PART, image: 0, release: Some(RELEASES) },
            OwnedField { offset: 16, kind: PART, image: 24, release: None },
        ],
        code: Some(40),
        ..function("gives", 48)
    },
    Function { idempotent: true, ..function("long", 256) },
    function("release", 8),
];

const RELEASES: Release = Release { function: RELEASE, offset: 0, image: 0 };

/// An output of each kind, one after the other in what follows the message.
static OUTPUTS: &[OutputField] = &[
    OutputField { name: "truth", offset: 24, kind: OutputKind::Bool },
    OutputField { name: "number", offset: 32, kind: OutputKind::Number(Kind::F32) },
    OutputField { name: "text", offset: 40, kind: OutputKind::Text },
    OutputField { name: "wide", offset: 40, kind: OutputKind::WideText },
    OutputField { name: "bytes", offset: 40, kind: OutputKind::Bytes },
    OutputField { name: "texts", offset: 40, kind: OutputKind::Texts },
    OutputField { name: "wides", offset: 40, kind: OutputKind::WideTexts },
    OutputField { name: "widest", offset: 40, kind: OutputKind::Utf32Text },
    OutputField { name: "narrow", offset: 40, kind: OutputKind::Latin1Text },
    OutputField { name: "all widest", offset: 40, kind: OutputKind::Utf32Texts },
    OutputField { name: "all narrow", offset: 40, kind: OutputKind::Latin1Texts },
    OutputField { name: "all", offset: 40, kind: OutputKind::ByteTexts },
    OutputField { name: "truths", offset: 40, kind: OutputKind::Bools },
    OutputField { name: "numbers", offset: 40, kind: OutputKind::Elements(Kind::U16) },
    OutputField { name: "offset", offset: 56, kind: OutputKind::Offset { of: 0, size: 1 } },
];

static PACKAGE: Package = Package {
    runtime: 1,
    library: "fuzzed",
    fingerprint: [7; 32],
    reentrant: false,
    guard: hotcell::Guard::None,
    functions: FUNCTIONS,
    handles: &[
        HandleType { name: "thing", release: Some(RELEASES) },
        HandleType { name: "part", release: None },
    ],
    sandbox: SandboxLines::DEFAULT,
    shim: b"",
};

/// What a worker can do to a call.
const KINDS: [ErrorKind; 17] = [
    ErrorKind::OutOfMemory,
    ErrorKind::ProtocolViolation,
    ErrorKind::InvalidReply,
    ErrorKind::BadEncoding,
    ErrorKind::Hung,
    ErrorKind::Crashed,
    ErrorKind::Exited,
    ErrorKind::WorkerLost,
    ErrorKind::LimitExceeded,
    ErrorKind::LibraryError,
    ErrorKind::InvalidArgument,
    ErrorKind::StaleHandle,
    ErrorKind::UnknownHandle,
    ErrorKind::WrongHandleType,
    ErrorKind::Unsupported,
    ErrorKind::CallbackFailed,
    ErrorKind::Unavailable,
];

/// The worker's program: `HOTCELL_RANDOM_PEER`, or beside this one.
fn program() -> PathBuf {
    let beside = || {
        let own = std::env::current_exe().expect("a process has a program");
        let folders = own.ancestors().skip(1).take(2);
        let mut programs = folders.map(|folder| folder.join("hotcell-random-peer"));
        programs
            .find(|program| program.is_file())
            .expect("`cargo build -p hotcell-fuzz` builds hotcell-random-peer")
    };
    std::env::var_os("HOTCELL_RANDOM_PEER").map_or_else(beside, PathBuf::from)
}

/// The session, and the objects that it has given.
struct Scene {
    session: Session,
    things: Vec<Handle>,
}

fn scene() -> &'static Mutex<Scene> {
    static SCENE: OnceLock<Mutex<Scene>> = OnceLock::new();
    SCENE.get_or_init(|| {
        let options = Options {
            worker: Some(program()),
            deadline: Duration::from_millis(500),
            start_deadline: Duration::from_secs(60),
            max_output: 4 << 20,
            max_callbacks: 100,
            waiting: Waiting::Economy,
            // Most inputs end the worker.
            restart: Restart::ALWAYS,
            ..Options::default()
        };
        let session = Session::open(&PACKAGE, options).expect("the worker comes up");
        Mutex::new(Scene { session, things: Vec::new() })
    })
}

fn run(input: &[u8]) {
    let mut scene = scene().lock().unwrap_or_else(PoisonError::into_inner);
    let Scene { session, things } = &mut *scene;
    // What was given for one input is not there for the next.
    things.clear();
    let mut script = Script::new(input);
    for _ in 0..8 {
        if script.is_over() {
            return;
        }
        let outcome = match script.below(4) {
            0 => batch(session, &mut script),
            _ => call(session, &mut script, things),
        };
        if let Err(error) = outcome {
            assert!(KINDS.contains(&error.kind()), "no worker can cause this: {error}");
            // All of it can be shown.
            let _ = (error.to_string(), format!("{error:?}"), error.outputs().len());
        }
        // So can be what the worker says of itself, which lies in the same memory.
        let stats = session.stats();
        let _ = (stats.to_json().to_string(), format!("{stats:?}"), session.refused(), session.worn());
    }
}

/// The data of a call, which say what its worker does.
fn said<'a>(script: &mut Script<'a>) -> &'a [u8] {
    let length = script.below(160);
    script.take(length)
}

fn call<'s>(session: &'s Session, script: &mut Script<'s>, things: &mut Vec<Handle>) -> Result<()> {
    let index = script.below(FUNCTIONS.len()) as u16;
    let mut call = session.call(index)?;
    match things.get(script.below(4)) {
        _ if index != RELEASE => call.put_callback(0, 1, BLOCK),
        Some(thing) if script.below(2) == 0 => call.put_consumed(0, "thing", thing, THING)?,
        Some(thing) => call.put_handle(0, "thing", thing, THING)?,
        None => call.put_no_callback(0),
    }
    call.put_buffer(8, "said", said(script))?;
    let mut answers = Script::new(script.take(64));
    let mut back = |invocation: &mut Invocation<'_>| called_back(session, &mut answers, invocation);
    let mut none: [&mut Callback<'_>; 0] = [];
    let mut one: [&mut Callback<'_>; 1] = [&mut back];
    let mut reply = call.finish_with(if index == RELEASE { &mut none } else { &mut one })?;
    let size = usize::from(FUNCTIONS[usize::from(index)].result_size);
    for _ in 0..1 + script.below(6) {
        read(&mut reply, script, size, things)?;
    }
    Ok(())
}

/// Bytes of a callback's arguments.
const BLOCK: u16 = 24;

/// Reads the arguments of a callback in some way, and may call the library.
fn called_back(session: &Session, answers: &mut Script<'_>, invocation: &mut Invocation<'_>) -> Result<u64> {
    let offset = 8 * answers.below(2);
    match answers.below(12) {
        0 => drop(invocation.opt_texts(offset)?),
        1 => drop(invocation.texts_utf16(offset)?),
        2 => drop(invocation.texts_bytes(offset)?),
        3 => drop(invocation.opt_handle(offset, THING)?),
        4 => drop(invocation.handles(offset, PART)?),
        5 => drop(invocation.opt_text(offset)?),
        6 => drop(invocation.elements::<u32>(offset)?),
        7 => return Err(invocation.failed("as it was to be")),
        10 => {
            let room = invocation.room::<u16>(offset)?;
            let filled = answers.below(255);
            invocation.fill_to(&room, filled);
            return Ok(filled as u64);
        }
        8 | 9 => {
            let index = answers.below(FUNCTIONS.len() - 1) as u16;
            let mut call = session.call(index)?;
            call.put_no_callback(0);
            let said = answers.take(24);
            let text: Vec<u8> = said.iter().map(|byte| byte.max(&1)).copied().collect();
            call.put_text_bytes(8, "said", &text)?;
            drop(call.finish()?);
        }
        _ => return Ok(invocation.get_u64(offset)),
    }
    Ok(0)
}

/// Makes a batch. Its worker does what its packed entries say.
fn batch(session: &Session, script: &mut Script<'_>) -> Result<()> {
    let mut batch = session.batch();
    let (mut numbers, mut texts) = (Vec::new(), Vec::new());
    for _ in 0..1 + script.below(5) {
        let index = script.below(FUNCTIONS.len() - 1) as u16;
        let mut entry = batch.entry(index)?;
        entry.put_buffer(8, "said", said(script))?;
        match script.below(2) {
            0 => numbers.push(entry.values(|values| values.get_u64(8))),
            _ => texts.push(entry.read(|reply| reply.opt_text(8))),
        }
    }
    let mut done = batch.run()?;
    let mut first = Ok(());
    for ticket in numbers {
        first = first.and(done.take(ticket).map(drop));
    }
    for ticket in texts {
        first = first.and(done.take(ticket).map(drop));
    }
    first
}

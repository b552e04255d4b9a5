//! Replies: whatever a worker writes and sends, a session gives results or a typed error, and the next call is made.
//!
//! The session is a real one, and its worker a process that does what each call's data say (`peer.rs`).

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hotcell::rt::{
    Callback, Field, Function, Handle, HandleType, Invocation, Kind, OutputField, OutputKind, OwnedField,
    Package, Release, Reply, SandboxLines, Utf8, Utf16,
};
use hotcell::{ErrorKind, Options, Restart, Result, Session, Waiting};

use crate::Target;
use crate::peer::ARGUMENTS;
use crate::script::Script;

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

/// Reads a result in some way.
fn read(reply: &mut Reply<'_>, script: &mut Script<'_>, size: usize, things: &mut Vec<Handle>) -> Result<()> {
    if size < 24 {
        return Ok(());
    }
    let offset = 8 * script.below((size - 16) / 8);
    match script.below(25) {
        0 => drop(reply.opt_buffer(offset)?),
        1 => drop(reply.promised_buffer(offset)?),
        2 => drop(reply.elements::<u16>(offset)?),
        3 => drop(reply.promised_elements::<f64>(offset)?),
        4 => drop(reply.opt_text(offset)?),
        5 => drop(reply.text_utf16(offset)?),
        6 => drop(reply.text_bytes(offset)?),
        7 => drop(reply.opt_text_list::<Utf8>(offset)?),
        8 => drop(reply.ended_text_list::<Utf16>(offset)?),
        9 => {
            // Shared with a worker that may write there: whatever it says, it is as long as it was.
            let shared = reply.shared_buffer(offset)?;
            assert_eq!(shared.to_vec().len(), shared.len());
        }
        10 => assert!(reply.offset(offset, 10)?.is_none_or(|at| at <= 10)),
        11 => {
            let text = "aä\u{1f332}";
            let at = reply.offset_utf16(offset, text)?;
            assert!(at.is_none_or(|at| text.is_char_boundary(at)));
        }
        12 => things.extend(reply.opt_handle(offset, THING, script.below(2) == 0, None)?),
        13 => {
            let parent = things.last().cloned();
            drop(reply.handle(offset, PART, script.below(2) == 0, parent.as_ref())?);
        }
        14 => {
            let image = reply.image(offset, 40)?;
            drop(image.opt_text(reply, 0)?);
            drop(image.elements::<i64>(reply, 16)?);
        }
        15 => {
            if let Some(image) = reply.opt_image(offset, 24)? {
                drop(image.text_utf16(reply, 0)?);
                assert!(image.advanced(reply, 16, 7)? <= 7);
            }
        }
        20 => {
            if let Some((images, count)) = reply.opt_images(offset, 16)? {
                assert!(count <= 4 << 20, "more than there may be");
                if count > 0 {
                    let _ = images.array::<u32, 2>(0);
                    drop(images.bytes_array(reply, 0, 8)?);
                    drop(images.text_array(reply, 8, 8)?);
                }
            }
        }
        21 => {
            let image = reply.image(offset, 40)?;
            if let Some(part) = image.image(reply, 0, 8)? {
                let _ = part.get_u64(0);
            }
            if let Some((parts, count)) = image.images(reply, 0, 8)? {
                let _ = (0..count).fold(0, |sum, index| sum ^ parts.get_u64(8 * index));
            }
            drop(image.texts::<Utf8>(reply, 16)?);
            drop(image.ended_texts::<Utf16>(reply, 16)?);
            drop(image.buffer(reply, 0)?);
        }
        22 => drop(reply.promised_images(offset, 24)?),
        23 => {
            // Both numbers may be anything: they come from the worker, and from the caller.
            let filled = reply.buffer(offset)?;
            let (start, room) = (reply.get_u64(offset), reply.get_u64(offset + 8));
            let mut data = vec![1];
            reply.append(&mut data, filled, start as usize, room as usize)?;
        }
        _ => {
            let _ = (reply.get_u64(offset), reply.get_f32(offset), reply.get_i8(offset));
        }
    }
    Ok(())
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

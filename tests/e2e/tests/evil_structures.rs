//! What a lying worker says in structures: where earlier data end, and how long what a field points to is.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;

use hotcell::dynamic::{self, Value};
use hotcell::rt::{Function, Package, SandboxLines};
use hotcell::{ErrorKind, Guard, Options, Result, Session};
use hotcell_e2e::bound::bind;

/// A worker that answers its first call with these words, each at an offset of its result block. `@N` is the place N
/// bytes behind the start of the block.
fn options(words: &str) -> Options {
    Options {
        worker: Some(PathBuf::from(env!("CARGO_BIN_EXE_hotcell-evil-worker"))),
        environment: vec![
            ("HOTCELL_EVIL".into(), "says".into()),
            ("HOTCELL_EVIL_WORDS".into(), words.into()),
        ],
        ..Options::default()
    }
}

static PACKAGE: Package = Package {
    runtime: 1,
    library: "filled",
    fingerprint: [7; 32],
    reentrant: false,
    guard: Guard::None,
    functions: &[Function {
        name: "fill",
        args_size: 0,
        result_size: 16,
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
    }],
    handles: &[],
    sandbox: SandboxLines::DEFAULT,
    shim: b"",
};

/// `struct { void *dst; size_t cap, used; }`, whose memory calls fill behind what they filled before.
struct Filled {
    dst: Vec<u8>,
    cap: u64,
    used: u64,
}

impl Filled {
    /// Brings it up to date with a worker's reply, as generated packages do.
    fn fill(&mut self, words: &str) -> Result<()> {
        let session = Session::open(&PACKAGE, options(words)).unwrap();
        let mut reply = session.call(0)?.finish()?;
        let image = reply.image(0, 32)?;
        let filled = image.buffer(&mut reply, 0)?;
        let start = usize::try_from(self.used).unwrap_or(0);
        let room = usize::try_from(self.cap).unwrap_or(0);
        reply.append(&mut self.dst, filled, start, room)?;
        self.cap = image.get_u64(16);
        self.used = image.get_u64(24);
        Ok(())
    }
}

/// The words of a reply: so many bytes are new, and so much is filled.
fn words(new: u64, cap: u64, used: u64) -> String {
    format!("0=@64,8=32,64=@128,72={new},80={cap},88={used},128={}", u64::from_ne_bytes(*b"abcdefgh"))
}

#[test]
fn what_a_worker_says_was_filled_is_no_more_than_there_is_room_for() {
    let new = |cap: u64| Filled { dst: Vec::new(), cap, used: 0 };
    // What is honest: three bytes, and two behind them.
    let mut filled = new(8);
    filled.fill(&words(3, 8, 3)).unwrap();
    filled.fill(&words(2, 8, 5)).unwrap();
    assert_eq!((&filled.dst[..], filled.used), (&b"abcab"[..], 5));
    // The first reply says where the second begins: behind all memory, at its end, and where numbers wrap.
    for (used, new_bytes) in [(1 << 45, 1), (8, 1), (7, 2), (u64::MAX, 1), (usize::MAX as u64, 8)] {
        let mut filled = new(8);
        filled.fill(&words(0, 8, used)).unwrap();
        let error = filled.fill(&words(new_bytes, 8, used)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidReply, "{used}: {error}");
        assert_eq!(filled.dst, b"");
    }
    // It says how much room there is, too: what is missing in front counts as what comes out does.
    for used in [1 << 45, u64::MAX - 1] {
        let mut filled = new(8);
        filled.fill(&words(0, u64::MAX, used)).unwrap();
        let error = filled.fill(&words(1, 8, used)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{used}: {error}");
    }
}

#[test]
fn one_structure_is_as_long_as_one() {
    let header = "
        struct style { int weight; };
        struct page { int n; struct style *style; };
        int page_look(struct page *p);
    ";
    let code = "#include \"pages.h\"\nint page_look(struct page *p) { return p->n; }\n";
    let contract = r#"
        hotcell = 1
        library = "pages"
        headers = ["pages.h"]
        link = ["pages"]
        [struct.page]
        fields.style = { out = "struct" }
        [function.page_look]
        params.p = { inout = "struct" }
    "#;
    let (_folder, bound) = bind("pages", header, code, contract);
    let function = bound.interface.function("page_look").unwrap();
    let at = function.1.layout.result.fields[0].offset;
    let page = &bound.interface.structs["page"];
    let style = page.fields.iter().find(|field| field.name == "style").unwrap().offset.unwrap();
    let look = |length: u64| {
        let words =
            format!("{at}=@64,{}={},{}=@256,{}={length},256=9", at + 8, page.size, 64 + style, 72 + style);
        let session = bound.open(options(&words)).unwrap();
        dynamic::call(&session, &bound.interface, function, &[Value::Struct(vec![])])
    };
    let size = u64::from(bound.interface.structs["style"].size);
    let seen = format!("{:?}", look(size).unwrap());
    assert!(seen.contains("(\"weight\", Int(9))"), "{seen}");
    for length in [0, size - 1, size + 1, 2 * size] {
        let error = look(length).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ProtocolViolation, "{length}: {error}");
    }
}

//! A library of objects with a shim written by hand, as a package would have it: see `objects/objects.c`.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use hotcell::rt::{
    self, Callback, Function, Handle, HandleType, Image, KeptCallback, OwnedField, Package, Release,
    SandboxLines,
};
use hotcell::{Library, Options, Result, Session};
use hotcell_protocol::wire;

mod collected;

pub use collected::Collected;

/// Numbers of the handle types.
pub const STORE: u16 = 1;
/// An item belongs to a store.
pub const ITEM: u16 = 2;
/// A view is lent by a store.
pub const VIEW: u16 = 3;
/// A resident structure.
pub const STREAM: u16 = 4;

/// Bytes of the argument block of the callback.
pub const CALLBACK: u16 = 56;

/// Bytes of the argument block of the kept callback: a view, views, a number.
pub const KEPT: u16 = 32;

/// Bytes of the image of a stream.
const STREAM_IMAGE: usize = 32;

static HANDLES: [HandleType; 4] = [
    HandleType { name: "store", release: Some(Release { function: 1, offset: 0, image: 0 }) },
    HandleType { name: "item", release: Some(Release { function: 3, offset: 0, image: 0 }) },
    HandleType { name: "view", release: None },
    HandleType { name: "stream", release: Some(Release { function: 16, offset: 0, image: 8 }) },
];

const fn function(name: &'static str, args_size: u16, result_size: u16) -> Function {
    Function {
        name,
        args_size,
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

const fn owned(offset: u16, kind: u16) -> OwnedField {
    OwnedField { offset, kind, image: 0, release: None }
}

static FUNCTIONS: [Function; 27] = [
    Function {
        returned: Some(rt::Field { offset: 8, kind: rt::Kind::I32 }),
        symbols: &[(-1, "STORE_NONE"), (7, "STORE_BUSY")],
        owned: &[owned(0, STORE)],
        ..function("open_store", 8, 16)
    },
    Function { deadline_ms: 500, ..function("close_store", 8, 0) },
    Function { owned: &[owned(0, ITEM)], ..function("make_item", 8, 8) },
    function("free_item", 8, 0),
    function("view", 16, 8),
    function("use_view", 8, 0),
    function("change", 8, 0),
    Function { returned: Some(rt::Field { offset: 0, kind: rt::Kind::I32 }), ..function("give_item", 24, 8) },
    function("read_journal", 0, 16),
    function("wait_for", 8, 0),
    function("crash", 0, 0),
    Function { owned: &[owned(16, STORE)], ..function("bad_text", 0, 24) },
    Function { owned: &[owned(16, STORE)], ..function("each", 24, 24) },
    function("lie", 16, 0),
    function("turn_round", 16, 16),
    Function {
        returned: Some(rt::Field { offset: 16, kind: rt::Kind::I32 }),
        owned: &[OwnedField { offset: 0, kind: STREAM, image: STREAM_IMAGE as u32, release: None }],
        ..function("advance", 24, 24)
    },
    function("end_stream", 16, 0),
    function("measure", 16, 8),
    function("echo", 8, 16),
    function("lend_many", 16, 8),
    function("count_living", 0, 8),
    Function { returned: Some(rt::Field { offset: 0, kind: rt::Kind::I32 }), ..function("keep", 24, 8) },
    function("poke", 24, 16),
    function("look", 8, 8),
    function("answer_early", 8, 0),
    function("ask_outside", 8, 0),
    Function { owned: &[owned(16, STORE)], ..function("give_again", 8, 24) },
];

/// The library behind a session.
#[derive(Debug, Clone)]
pub struct Objects {
    /// The session.
    pub session: Session,
}

/// A resident structure, as a package would have it.
#[derive(Debug, Default)]
pub struct Stream {
    /// Its object, once there is one.
    pub handle: Option<Handle>,
    /// A field that comes out.
    pub total: i64,
    /// A field that goes in; what is taken of it is cut off.
    pub data: Vec<u8>,
}

impl Library for Objects {
    fn package() -> &'static Package {
        static PACKAGE: OnceLock<Package> = OnceLock::new();
        PACKAGE.get_or_init(|| Package {
            runtime: 1,
            library: "objects",
            fingerprint: [0; 32],
            reentrant: false,
            functions: &FUNCTIONS,
            handles: &HANDLES,
            sandbox: SandboxLines::DEFAULT,
            guard: hotcell::Guard::None,
            shim: compile().leak(),
        })
    }

    fn open_with(options: Options) -> Result<Objects> {
        Objects::open(options)
    }

    fn session(&self) -> &Session {
        &self.session
    }
}

/// What [`Objects::turn_round`] gives back: number, ratio, text, data, array.
pub type Turned = (i64, f64, String, Vec<u8>, [i32; 3]);

impl Objects {
    /// Opens a session.
    ///
    /// # Errors
    ///
    /// When no worker can be started.
    pub fn open(options: Options) -> Result<Objects> {
        Ok(Objects { session: Session::open(Self::package(), options)? })
    }

    /// Opens a store, or fails with the code.
    pub fn store(&self, code: i32) -> Result<Handle> {
        self.store_with(code, 0)
    }

    /// Opens a store that crashes (1), hangs (2) or calls its callback (3) when it is closed, or calls it when an item is
    /// freed (4).
    pub fn store_with(&self, code: i32, temper: i32) -> Result<Handle> {
        let mut call = self.session.call(0)?;
        call.put_i32(0, code);
        call.put_i32(4, temper);
        call.finish()?.handle(0, STORE, true, None)
    }

    /// Closes it.
    pub fn close(&self, store: &Handle) -> Result<()> {
        let mut call = self.session.call(1)?;
        call.put_consumed(0, "store", store, STORE)?;
        call.finish().map(drop)
    }

    /// Makes an item of a store.
    pub fn item(&self, store: &Handle) -> Result<Handle> {
        let mut call = self.session.call(2)?;
        call.put_handle(0, "store", store, STORE)?;
        call.finish()?.handle(0, ITEM, true, Some(store))
    }

    /// Frees it.
    pub fn free(&self, item: &Handle) -> Result<()> {
        let mut call = self.session.call(3)?;
        call.put_consumed(0, "item", item, ITEM)?;
        call.finish().map(drop)
    }

    /// A view that a store lends; none for a number below 0.
    pub fn view(&self, store: &Handle, which: i32) -> Result<Option<Handle>> {
        let mut call = self.session.call(4)?;
        call.put_handle(0, "store", store, STORE)?;
        call.put_i32(8, which);
        call.finish()?.opt_handle(0, VIEW, false, Some(store))
    }

    /// Uses a view.
    pub fn use_view(&self, view: &Handle) -> Result<()> {
        let mut call = self.session.call(5)?;
        call.put_handle(0, "view", view, VIEW)?;
        call.finish().map(drop)
    }

    /// Changes a store: its views are gone.
    pub fn change(&self, store: &Handle) -> Result<()> {
        let mut call = self.session.call(6)?;
        call.put_handle(0, "store", store, STORE)?;
        call.finish().map(drop)
    }

    /// Gives an item away, to a store or to nobody, unless it fails with the code.
    pub fn give(&self, item: &Handle, to: Option<&Handle>, code: i32) -> Result<()> {
        let mut call = self.session.call(7)?;
        call.put_opt_handle(8, "to", to, STORE)?;
        call.put_consumed_on_success(0, "item", item, ITEM)?;
        call.put_i32(16, code);
        call.finish().map(drop)
    }

    /// How many stores and items there are.
    pub fn living(&self) -> Result<i64> {
        Ok(self.session.call(20)?.finish()?.get_i64(0))
    }

    /// What happened since it was last asked.
    pub fn journal(&self) -> Result<String> {
        Ok(self.session.call(8)?.finish()?.text(0)?.trim_end().to_owned())
    }

    /// Sleeps.
    pub fn wait(&self, milliseconds: i32) -> Result<()> {
        let mut call = self.session.call(9)?;
        call.put_i32(0, milliseconds);
        call.finish().map(drop)
    }

    /// Crashes.
    pub fn crash(&self) -> Result<()> {
        self.session.call(10)?.finish().map(drop)
    }

    /// A text that is none, and behind it a store.
    pub fn bad_text(&self) -> Result<(String, Handle)> {
        let mut reply = self.session.call(11)?.finish()?;
        Ok((reply.text(0)?, reply.handle(16, STORE, true, None)?))
    }

    /// Has the library call back; the sum of what came back, and how often it failed.
    pub fn each(&self, times: i64, fill: u64, callback: &mut Callback<'_>) -> Result<(i64, i64)> {
        let mut call = self.session.call(12)?;
        call.put_callback(0, 1, CALLBACK);
        call.put_i64(8, times);
        call.put_u64(16, fill);
        let mut run = |invocation: &mut rt::Invocation<'_>| callback(invocation);
        let reply = call.finish_with(&mut [&mut run])?;
        Ok((reply.get_i64(0), reply.get_i64(8)))
    }

    /// The same with NULL as callback.
    pub fn each_without(&self, times: i64) -> Result<(i64, i64)> {
        let mut call = self.session.call(12)?;
        call.put_no_callback(0);
        call.put_i64(8, times);
        call.put_u64(16, 0);
        let reply = call.finish()?;
        Ok((reply.get_i64(0), reply.get_i64(8)))
    }

    /// Has a store keep a callback, or NULL; fails with the code, but keeps it.
    pub fn keep(&self, store: &Handle, code: i32, callback: Option<Box<KeptCallback>>) -> Result<()> {
        let mut call = self.session.call(21)?;
        call.put_handle(0, "store", store, STORE)?;
        call.put_kept(8, "callback", KEPT, callback, store)?;
        call.put_i32(16, code);
        call.finish().map(drop)
    }

    /// Has the library call what a store keeps, or what was kept last, with these numbers; the sum of what came back,
    /// and how often it failed.
    pub fn poke(&self, store: Option<&Handle>, turns: std::ops::Range<i64>) -> Result<(i64, i64)> {
        let mut call = self.session.call(22)?;
        call.put_opt_handle(0, "store", store, STORE)?;
        call.put_i64(8, turns.start);
        call.put_i64(16, turns.end);
        let reply = call.finish()?;
        Ok((reply.get_i64(0), reply.get_i64(8)))
    }

    /// The number of a view.
    pub fn look(&self, view: &Handle) -> Result<i64> {
        let mut call = self.session.call(23)?;
        call.put_handle(0, "view", view, VIEW)?;
        Ok(call.finish()?.get_i64(0))
    }

    /// Has the worker reply before its reply.
    pub fn answer_early(&self, how: i32) -> Result<()> {
        let mut call = self.session.call(24)?;
        call.put_i32(0, how);
        call.put_u32(4, (wire::LANES_OFFSET + wire::lane_worker::BELL) as u32);
        call.finish().map(drop)
    }

    /// Has the library ask the host for something in a call that this one is nested in.
    pub fn ask_outside(&self, how: i32) -> Result<()> {
        let mut call = self.session.call(25)?;
        call.put_i32(0, how);
        call.finish().map(drop)
    }

    /// Has the worker lie about a callback.
    pub fn lie(&self, how: i32, callback: &mut Callback<'_>) -> Result<()> {
        let mut call = self.session.call(13)?;
        call.put_callback(0, 1, CALLBACK);
        call.put_i32(8, how);
        let mut run = |invocation: &mut rt::Invocation<'_>| callback(invocation);
        call.finish_with(&mut [&mut run]).map(drop)
    }

    /// A structure there and back.
    pub fn turn_round(&self, number: i64, text: &str, data: &[u8], array: [i32; 3]) -> Result<Turned> {
        let mut call = self.session.call(14)?;
        let mut image = Image::new(64);
        image.put_i64(0, number);
        image.put_f64(8, 5.0);
        image.put_text(&mut call, 16, "text", text)?;
        image.put_buffer(&mut call, 32, "data", data)?;
        image.put_array(48, &array);
        call.put_image(0, "image", &image)?;
        let mut reply = call.finish()?;
        let image = reply.image(0, 64)?;
        let text = image.text(&mut reply, 16)?;
        let data = image.buffer(&mut reply, 32)?;
        Ok((image.get_i64(0), image.get_f64(8), text, data, image.array(48)))
    }

    /// Advances a resident structure, or fails with the code.
    pub fn advance(&self, stream: &mut Stream, code: i32) -> Result<()> {
        let mut call = self.session.call(15)?;
        let mut image = Image::new(STREAM_IMAGE);
        image.put_resident(&mut call, "stream", stream.handle.as_ref(), STREAM)?;
        image.put_buffer(&mut call, 16, "data", &stream.data)?;
        call.put_image(0, "stream", &image)?;
        call.put_i32(16, code);
        let mut reply = call.finish()?;
        let image = reply.image(0, STREAM_IMAGE)?;
        image.resident(&mut reply, STREAM, &mut stream.handle, None)?;
        stream.total = image.get_i64(8);
        let advanced = image.advanced(&mut reply, 16, stream.data.len())?;
        stream.data.drain(..advanced);
        Ok(())
    }

    /// Ends a resident structure.
    pub fn end(&self, stream: &mut Stream) -> Result<()> {
        let mut call = self.session.call(16)?;
        if let Some(handle) = &stream.handle {
            let mut image = Image::new(8);
            image.put_consumed(&mut call, "stream", handle, STREAM)?;
            call.put_image(0, "stream", &image)?;
        }
        call.finish()?;
        stream.handle = None;
        Ok(())
    }

    /// The bytes of texts, with one for each.
    pub fn measure(&self, texts: &[&str]) -> Result<i64> {
        let mut call = self.session.call(17)?;
        call.put_texts(0, "texts", texts)?;
        Ok(call.finish()?.get_i64(0))
    }

    /// How far the library claims to have come in an argument.
    pub fn offset(&self, claim: i64, most: usize) -> Result<Option<usize>> {
        let mut call = self.session.call(18)?;
        call.put_i64(0, claim);
        call.finish()?.offset(0, most)
    }

    /// An object of a handle the worker made up.
    pub fn made_up(&self, raw: u64) -> Result<Handle> {
        let mut call = self.session.call(18)?;
        call.put_u64(0, raw);
        call.finish()?.handle(8, STORE, true, None)
    }

    /// The last of so many objects that a store lends.
    pub fn lend_many(&self, store: &Handle, count: i64) -> Result<Handle> {
        let mut call = self.session.call(19)?;
        call.put_handle(0, "store", store, STORE)?;
        call.put_i64(8, count);
        call.finish()?.handle(0, VIEW, false, Some(store))
    }
}

fn compile() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("the test may make a directory");
    let (here, out) = (Path::new(env!("CARGO_MANIFEST_DIR")), folder.path().join("shim.so"));
    let status = Command::new("cc")
        .args(["-std=gnu17", "-O1", "-shared", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror"])
        .arg("-I")
        .arg(here.join("../../crates/generate/templates/shim"))
        .arg("-o")
        .arg(&out)
        .arg(here.join("src/objects/objects.c"))
        .status();
    assert!(status.expect("the C compiler starts").success(), "the shim of the objects compiles");
    std::fs::read(out).expect("the compiler has written the shim")
}

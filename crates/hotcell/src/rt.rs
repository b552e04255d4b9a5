//! The runtime under generated packages, version 1. Applications do not need it.
//!
//! A package is data ([`Package`]): a shim and the functions in it. A generated method writes its arguments
//! into a [`Call`] at the offsets of the function's argument block, finishes it, and reads the results from
//! the [`Reply`] at the offsets of the result block. Version 1 stays as it is; what a later generator needs
//! is added, and a package says in [`Package::runtime`] what it was made for.

use hotcell_shm::Solid;

mod arguments;
mod aside;
#[cfg(feature = "tokio")]
mod awaited;
mod batch;
mod call;
mod collects;
mod ends;
mod failed;
mod finish;
mod handle;
mod image;
mod input;
mod invocation;
mod lending;
mod libraries;
mod passed;
mod pipeline;
mod pool;
pub(crate) mod reading;
mod recycle;
mod references;
mod reply;
mod restore;
mod sandbox;
mod stop;
mod texts;

pub use arguments::{Arguments, check_bits};
#[cfg(feature = "tokio")]
pub use awaited::TaskCallback;
pub(crate) use batch::Spare;
pub use batch::{Batch, Columns, Done, Entry, FailedRow, Rows, Ticket, Values};
pub use call::Call;
pub(crate) use call::State;
pub use collects::{Collects, Puts};
pub(crate) use finish::Released;
#[cfg(feature = "tokio")]
pub(crate) use finish::Space;
pub use finish::{Callback, KeptCallback};
pub use handle::Handle;
pub(crate) use handle::Object;
pub use hotcell_protocol::wire::Guard;
pub use hotcell_sandbox::{Profile, Require};
pub use image::Image;
pub use input::Input;
pub use invocation::Invocation;
pub use libraries::{Libraries, LibraryFile, open, open_by, open_cancelled_by};
pub(crate) use passed::{Outer as OuterPassed, Passed};
pub use pipeline::{Pipeline, Sending};
pub(crate) use reading::Bad;
pub use recycle::{RecycleLines, leaving, trying};
pub use reply::Reply;
pub(crate) use restore::Wanted;
pub use restore::{Repeated, Restore, Restores, restoring};
pub use sandbox::SandboxLines;
pub use texts::{Bytes, Converts, Latin1, TextKind, Utf8, Utf16, Utf32};

/// A generated package.
#[derive(Debug)]
pub struct Package {
    /// Version of this module the package was generated for: 1.
    pub runtime: u32,
    /// The library's name.
    pub library: &'static str,
    /// Fingerprint of the interface; the shim carries the same.
    pub fingerprint: [u8; 32],
    /// Whether several threads may be inside the library at once, in any functions and with any objects. Where there are
    /// [`ThreadRules`] that is said there.
    pub reentrant: bool,
    /// Functions by index.
    pub functions: &'static [Function],
    /// Handle types by number, which counts from 1.
    pub handles: &'static [HandleType],
    /// What the contract says of the sandbox.
    pub sandbox: SandboxLines,
    /// Which blocks of the library's memory the contract wants guarded.
    pub guard: Guard,
    /// The compiled shim.
    pub shim: &'static [u8],
}

/// What a contract says of threads where several may be inside the library, but not everywhere.
#[derive(Debug)]
pub struct ThreadRules {
    /// Whether calls that use objects of one family take turns.
    pub per_handle: bool,
    /// Numbers of the handle types whose objects are used by the thread that made them only.
    pub bound: &'static [u16],
}

/// A type of objects of the library.
#[derive(Debug, Clone)]
pub struct HandleType {
    /// Its name in the contract.
    pub name: &'static str,
    /// How an object that is owned is released; `None` when none ever is.
    pub release: Option<Release>,
}

/// A function that takes the last of an object, and nothing else.
#[derive(Debug, Clone, Copy)]
pub struct Release {
    /// Its index.
    pub function: u16,
    /// Where in its argument block the object goes.
    pub offset: u16,
    /// 0: the handle itself lies there. Else a reference to the image of a resident structure lies there: the
    /// image has so many bytes, and the handle is its first eight.
    pub image: u32,
}

/// A function of a package.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name in C.
    pub name: &'static str,
    /// Bytes of the fixed part of its argument block.
    pub args_size: u16,
    /// Bytes of the fixed part of its result block.
    pub result_size: u16,
    /// Deadline of its own, milliseconds; 0 for the session's.
    pub deadline_ms: u64,
    /// Whether a call may be repeated after a fault.
    pub idempotent: bool,
    /// What of the argument block tells one input from another; nothing where no data go in.
    pub inputs: &'static [Input],
    /// Whether objects that could not go, for another one kept them, may be free to go behind a call.
    pub lets_go: bool,
    /// Where the returned value lies, for the code of a library error.
    pub returned: Option<Field>,
    /// Where the code of a library error lies, an `i64`, when it is not the returned value.
    pub code: Option<u16>,
    /// Where the reference to the library's error text lies.
    pub message: Option<u16>,
    /// Names of codes, ascending by code.
    pub symbols: &'static [(i64, &'static str)],
    /// Every object in the result block that the caller owns. What the package does not take out of a reply is
    /// released: after a failure, or when another result could not be read.
    pub owned: &'static [OwnedField],
    /// What means something when the function has failed: it comes with the error. Structures do not, which the
    /// package brings up to date itself.
    pub outputs: &'static [OutputField],
}

/// What comes with the error of a failed call.
#[derive(Debug, Clone, Copy)]
pub struct OutputField {
    /// The parameter's name.
    pub name: &'static str,
    /// Bytes from the start of the result block.
    pub offset: u16,
    /// What lies there.
    pub kind: OutputKind,
}

/// What comes with the error of a failed call, as it lies in the result block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// A truth value.
    Bool,
    /// A number.
    Number(Kind),
    /// A reference to a text that should be UTF-8.
    Text,
    /// A reference to a text that should be UTF-16.
    WideText,
    /// A reference to a text that should be UTF-32.
    Utf32Text,
    /// A reference to a text in Latin-1.
    Latin1Text,
    /// A reference to bytes.
    Bytes,
    /// A reference to references to texts that should be UTF-8.
    Texts,
    /// A reference to references to texts that should be UTF-16.
    WideTexts,
    /// A reference to references to texts that should be UTF-32.
    Utf32Texts,
    /// A reference to references to texts in Latin-1.
    Latin1Texts,
    /// A reference to references to bytes.
    ByteTexts,
    /// A reference to truth values.
    Bools,
    /// A reference to numbers.
    Elements(Kind),
    /// A place in data that went in, counted in elements.
    Offset {
        /// Where in the argument block the reference to the data is.
        of: u16,
        /// Bytes of an element.
        size: u16,
    },
}

/// Where an object lies that the caller owns.
#[derive(Debug, Clone, Copy)]
pub struct OwnedField {
    /// Bytes from the start of the result block.
    pub offset: u16,
    /// Number of its handle type.
    pub kind: u16,
    /// 0: the handle itself lies there. Else a reference to the image of a resident structure, as in
    /// [`Release::image`].
    pub image: u32,
    /// How it is released, where that is not as its handle type says.
    pub release: Option<Release>,
}

/// A number in a block.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Bytes from the start of the block.
    pub offset: u16,
    /// Its encoding.
    pub kind: Kind,
}

/// Encoding of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the types")]
pub enum Kind {
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F32,
    F64,
}

/// A number or truth value that buffers may hold.
pub trait Element: Copy + Solid + sealed::Sealed {
    /// Bytes of one.
    const SIZE: usize;
    /// Reads one from exactly `SIZE` bytes.
    fn read(bytes: &[u8]) -> Self;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! element {
    ($($t:ty),*) => { $(
        impl sealed::Sealed for $t {}
        impl Element for $t {
            const SIZE: usize = size_of::<$t>();
            #[inline]
            fn read(bytes: &[u8]) -> Self {
                let mut number = [0; size_of::<$t>()];
                number.copy_from_slice(bytes);
                <$t>::from_ne_bytes(number)
            }
        }
    )* };
}
impl sealed::Sealed for bool {}
impl Element for bool {
    const SIZE: usize = 1;
    fn read(bytes: &[u8]) -> Self {
        bytes != [0]
    }
}

element!(u8, u16, u32, u64, i8, i16, i32, i64, f32, f64);

impl Kind {
    /// A number as the code of a library error.
    fn code(self, bytes: &[u8]) -> i64 {
        match self {
            Kind::U8 => i64::from(u8::read(bytes)),
            Kind::U16 => i64::from(u16::read(bytes)),
            Kind::U32 => i64::from(u32::read(bytes)),
            Kind::U64 => u64::read(bytes) as i64,
            Kind::I8 => i64::from(i8::read(bytes)),
            Kind::I16 => i64::from(i16::read(bytes)),
            Kind::I32 => i64::from(i32::read(bytes)),
            Kind::I64 => i64::read(bytes),
            Kind::F32 => f32::read(bytes) as i64,
            Kind::F64 => f64::read(bytes) as i64,
        }
    }

    fn size(self) -> usize {
        match self {
            Kind::U8 | Kind::I8 => 1,
            Kind::U16 | Kind::I16 => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::U64 | Kind::I64 | Kind::F64 => 8,
        }
    }
}

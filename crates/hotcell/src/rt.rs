//! The runtime under generated packages, version 1. Applications do not need it.
//!
//! A package is data ([`Package`]): a shim and the functions in it. A generated method writes its arguments
//! into a [`Call`] at the offsets of the function's argument block, finishes it, and reads the results from
//! the [`Reply`] at the offsets of the result block. Version 1 stays as it is; what a later generator needs
//! is added, and a package says in [`Package::runtime`] what it was made for.

mod call;
mod reply;

pub use call::Call;
pub use reply::Reply;

/// A generated package.
#[derive(Debug)]
pub struct Package {
    /// Version of this module the package was generated for: 1.
    pub runtime: u32,
    /// The library's name.
    pub library: &'static str,
    /// Fingerprint of the interface; the shim carries the same.
    pub fingerprint: [u8; 32],
    /// Functions by index.
    pub functions: &'static [Function],
    /// The compiled shim.
    pub shim: &'static [u8],
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
    /// Where the returned value lies, for the code of a library error.
    pub returned: Option<Field>,
    /// Where the reference to the library's error text lies.
    pub message: Option<u16>,
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
    Reference,
}

/// A number type that buffers may hold.
pub trait Element: Copy + sealed::Sealed {
    /// Bytes of one.
    const SIZE: usize;
    /// Appends it to `bytes`.
    fn write(self, bytes: &mut Vec<u8>);
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
            fn write(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_ne_bytes());
            }
            fn read(bytes: &[u8]) -> Self {
                let mut number = [0; size_of::<$t>()];
                number.copy_from_slice(bytes);
                <$t>::from_ne_bytes(number)
            }
        }
    )* };
}
element!(u8, u16, u32, u64, i8, i16, i32, i64, f32, f64);

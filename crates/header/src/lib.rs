//! libclang to API model, and what a shared library exports. The only crate that knows clang.
//!
//! [`parse`] reads headers into an [`Api`]: what they say, without opinion. A [`Reader`] has that done in another process. [`library::find`] finds the
//! shared library a name means, [`library::inspect`] lists what it exports.
//!
//! Every declaration says whether it is *primary*, that is, part of what was asked for. A file is primary
//! when one of these holds:
//!
//! 1. it is one of the job's headers, or the job's prelude;
//! 2. one of the job's headers lies outside the system's include roots, and the file lies in that header's
//!    directory or below it (`curl/curl.h` and `curl/easy.h`);
//! 3. a primary file includes it with quotes, and it lies in the including file's directory or below it
//!    (`zlib.h` and `"zconf.h"`);
//! 4. a primary file of the C library includes it from a `bits` directory (`math.h` and
//!    `<bits/mathcalls.h>`);
//! 5. one of the job's headers lies in a root, a primary file includes it, and it is called after that header
//!    (`tomcrypt.h` and `<tomcrypt_hash.h>`, `pcap.h` and `<pcap/pcap.h>`).
//!
//! A root is a directory the compiler searches by itself, such as `/usr/include`; the directories that the
//! C library and the kernel share there (`sys`, `bits`, `net`, `linux`, …) count as roots too.
#![forbid(unsafe_code)]

pub mod apart;
mod attributes;
mod comments;
mod constants;
mod diagnose;
mod elf;
mod error;
mod functions;
mod job;
pub mod library;
mod linker_script;
mod macros;
mod origin;
mod parse;
mod parser;
mod records;
mod spelling;
mod sugar;
mod suggest;
mod toolchain;
mod types;
mod variables;

use hotcell_model::api::Api;

pub use apart::{Reader, Trials};
pub use error::{Diagnostic, Error, ErrorKind};
pub use job::Job;
pub use parser::Parser;

/// Reads the headers of a job. One job runs at a time in a process; others wait.
///
/// Anything the parser calls an error fails the job: what it returns then has wrong layouts.
///
/// ```
/// let api = hotcell_header::parse(&hotcell_header::Job::new(["string.h"]))?;
/// let strlen = api.functions.iter().find(|function| function.name == "strlen");
/// assert_eq!(strlen.map(|f| f.signature()).as_deref(), Some("size_t strlen(const char *__s)"));
/// # Ok::<(), hotcell_header::Error>(())
/// ```
pub fn parse(job: &Job) -> Result<Api, Error> {
    parser::run(job)
}

/// The parser that is used on this machine.
///
/// # Errors
///
/// When there is none that can be used: every job would fail with the same error.
pub fn parser() -> Result<Parser, Error> {
    parser::describe()
}

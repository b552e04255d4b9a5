//! The library files of a session, before a worker loads them.

use std::path::PathBuf;

use hotcell_protocol::ErrorKind;
use hotcell_sandbox::Level;
use hotcell_supervisor::{Libraries, Unfit};

use crate::error::{Cause, Error};
use crate::session::context::Context;

/// Opens them. They have to be what the package's shim was compiled for, and to do with what will be in force.
///
/// # Errors
///
/// What is wrong with one of them; `stays` is said behind it.
pub(super) fn open(
    paths: &[PathBuf],
    required: Level,
    shim: &[u8],
    context: Context,
    stays: &str,
) -> Result<Libraries, Error> {
    let wrong = |kind, message| context.not_executed(kind, Cause::None, message);
    let libraries = Libraries::open(paths)
        .map_err(|error| wrong(ErrorKind::LoadFailed, format!("open the library: {error}{stays}")))?;
    libraries.fit(required, shim).map_err(|unfit| match unfit {
        Unfit::WritesCode(why) => wrong(ErrorKind::LoadFailed, format!("{why}{stays}")),
        Unfit::OtherLayout(why) => wrong(ErrorKind::AbiMismatch, format!("{why}{stays}")),
    })
}

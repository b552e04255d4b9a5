//! The interfaces that clients have sent, as packages: each once, for they live until the process ends.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use hotcell_model::interface::{FORMAT, Interface};
use hotcell_protocol::ErrorKind;
use hotcell_shm::lock::Mutex;

use super::refusal;
use crate::dynamic;
use crate::error::{Cause, Error};
use crate::rt::{Package, ThreadRules};

/// Different interfaces that a server takes in its life.
const MOST: usize = 256;

/// Bytes that an interface or a shim may have.
const LARGEST: u64 = 256 << 20;

/// All that there are.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Vec<&'static KnownPackage>>);

/// An interface with its shim, as sessions need it.
#[derive(Debug)]
pub(super) struct KnownPackage {
    text: Vec<u8>,
    pub(super) interface: Interface,
    pub(super) package: &'static Package,
    pub(super) rules: Option<&'static ThreadRules>,
}

impl Known {
    /// The package of an interface, as JSON, and its shim.
    pub(super) fn package(
        &self,
        interface: (OwnedFd, u64),
        shim: (OwnedFd, u64),
    ) -> Result<&'static KnownPackage, Error> {
        let (text, shim) = (whole("interface", interface)?, whole("shim", shim)?);
        let mut known = self.0.lock();
        if let Some(known) = known.iter().find(|known| known.text == text && known.package.shim == shim) {
            return Ok(known);
        }
        if known.len() >= MOST {
            let message = format!("this server has had {MOST} interfaces already: start another");
            return Err(refusal(ErrorKind::LimitExceeded, Cause::None, "", message));
        }
        let interface = read(&text)?;
        let package = dynamic::package(&interface, shim);
        let rules = dynamic::thread_rules(&interface);
        let another = Box::leak(Box::new(KnownPackage { text, interface, package, rules }));
        known.push(another);
        Ok(another)
    }
}

fn read(text: &[u8]) -> Result<Interface, Error> {
    /// What is looked at before all the rest is.
    #[derive(serde::Deserialize)]
    struct Head {
        format: u32,
    }
    let wrong = |kind, message| refusal(kind, Cause::None, "", message);
    let no_interface =
        |error: serde_json::Error| wrong(ErrorKind::InvalidArgument, format!("no interface: {error}"));
    let Head { format } = serde_json::from_slice(text).map_err(no_interface)?;
    if format != FORMAT {
        let message = format!("the interface has format {format}, and this server reads {FORMAT}");
        return Err(wrong(ErrorKind::AbiMismatch, message));
    }
    serde_json::from_slice(text).map_err(no_interface)
}

/// The bytes of a memory file.
fn whole(what: &str, (file, bytes): (OwnedFd, u64)) -> Result<Vec<u8>, Error> {
    let wrong = |message| Err(refusal(ErrorKind::InvalidArgument, Cause::None, "", message));
    let file = File::from(file);
    let has = file.metadata().ok().filter(|data| data.is_file()).map(|data| data.len());
    if bytes > LARGEST || has.is_none_or(|has| has < bytes) {
        return wrong(format!("the {what} is no file of {bytes} bytes"));
    }
    let mut text = vec![0; bytes as usize];
    match file.read_exact_at(&mut text, 0) {
        Ok(()) => Ok(text),
        Err(error) => wrong(format!("the {what} cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(bytes: &[u8]) -> OwnedFd {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.into()
    }

    #[track_caller]
    fn refused(text: &str, length: u64, kind: ErrorKind, expect: &str) {
        let known = Known::default();
        let error = known.package((file(text.as_bytes()), length), (file(b"shim"), 4)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(expect), "{error}");
    }

    #[test]
    fn what_is_no_interface_is_refused() {
        let invalid = ErrorKind::InvalidArgument;
        refused("{", 1, invalid, "no interface");
        refused("{}", 2, invalid, "no interface: missing field `format`");
        refused("{\"format\":2}", 12, invalid, "no interface: missing field");
        refused("{\"format\":1}", 12, ErrorKind::AbiMismatch, "has format 1, and this server reads 2");
        refused("{}", 3, invalid, "is no file of 3 bytes");
        refused("{}", LARGEST + 1, invalid, "is no file of");
        let (pipe, _end) = rustix::pipe::pipe().unwrap();
        let error = Known::default().package((pipe, 0), (file(b""), 0)).unwrap_err();
        assert!(error.message().contains("is no file"), "{error}");
    }
}

//! Anonymous memory files and their seals.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create};
use rustix::io::{Errno, Result};

use crate::mapping::{Access, Mapping};

/// A memory file that is, or is about to be, shared with a worker.
#[derive(Debug)]
pub struct SegmentFile {
    fd: OwnedFd,
    length: usize,
}

/// What a seal must forbid before the other side may have the descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seals {
    /// The worker reads: no new writable map, no resizing. Only the maps made before stay writable.
    Request,
    /// The worker writes: no resizing.
    Reply,
}

impl Seals {
    fn flags(self) -> SealFlags {
        let fixed_size = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        match self {
            Seals::Request => fixed_size | SealFlags::FUTURE_WRITE,
            Seals::Reply => fixed_size,
        }
    }
}

impl SegmentFile {
    /// Makes a file of `length` bytes, maps it for the host and seals it, in this order: the host's own
    /// writable map must exist before `F_SEAL_FUTURE_WRITE` forbids any further one.
    pub fn create(length: usize, seals: Seals) -> Result<(SegmentFile, Mapping)> {
        let file = SegmentFile::fixed(length)?;
        let mapping = file.map(Access::ReadWrite)?;
        file.seal(seals)?;
        Ok((file, mapping))
    }

    /// Makes a file of `length` bytes, for good, that anybody who has it can map for writing. Who is to do that does it before it
    /// is [sealed](SegmentFile::seal); until then a worker does not have it. Its length is sealed here: who has it could else
    /// shorten it, and end whoever has mapped it already.
    pub fn fixed(length: usize) -> Result<SegmentFile> {
        let fd = create("hotcell-segment")?;
        ftruncate(&fd, length as u64)?;
        fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW)?;
        Ok(SegmentFile { fd, length })
    }

    /// Takes a descriptor that came from another process of the host's side, which seals it when it is mapped here.
    pub fn received(fd: OwnedFd, length: u64) -> Result<SegmentFile> {
        let length = usize::try_from(length).map_err(|_| Errno::OVERFLOW)?;
        match u64::try_from(fstat(&fd)?.st_size) {
            Ok(size) if size == length as u64 => Ok(SegmentFile { fd, length }),
            _ => Err(Errno::INVAL),
        }
    }

    /// Seals it, for good. What is mapped for writing by then stays so.
    pub fn seal(&self, seals: Seals) -> Result<()> {
        fcntl_add_seals(&self.fd, seals.flags())
    }

    /// Whether it has these seals.
    pub fn is_sealed(&self, seals: Seals) -> Result<bool> {
        Ok(fcntl_get_seals(&self.fd)?.contains(seals.flags()))
    }

    /// Takes a descriptor that came from a host, after checking its size and that it is sealed: a file that
    /// could still shrink would be a SIGBUS waiting to happen.
    pub fn adopt(fd: OwnedFd, length: u64, seals: Seals) -> Result<SegmentFile> {
        let file = SegmentFile::received(fd, length).map_err(|_| Errno::PERM)?;
        if file.is_sealed(seals)? { Ok(file) } else { Err(Errno::PERM) }
    }

    /// Maps the whole file.
    pub fn map(&self, access: Access) -> Result<Mapping> {
        Mapping::new(self.fd.as_fd(), self.length, access)
    }

    /// Bytes.
    pub fn length(&self) -> usize {
        self.length
    }
}

impl AsFd for SegmentFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A memory file that holds `bytes` and can never change again: how a shim travels to its worker.
pub fn sealed_copy(bytes: &[u8]) -> Result<OwnedFd> {
    let fd = create("hotcell-shim")?;
    let mut rest = bytes;
    while !rest.is_empty() {
        let written = rustix::io::retry_on_intr(|| rustix::io::write(&fd, rest))?;
        rest = &rest[written..];
    }
    fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL)?;
    Ok(fd)
}

/// A memory file nobody can execute by path; kernels before 6.3 do not know that flag.
fn create(name: &str) -> Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match memfd_create(name, flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => memfd_create(name, flags),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_segment_stays_writable_for_the_host_alone() {
        let (file, host) = SegmentFile::create(4096, Seals::Request).unwrap();
        host.copy_in(8, b"host");
        assert_eq!(file.map(Access::ReadWrite).unwrap_err(), Errno::PERM);
        let worker = file.map(Access::ReadOnly).unwrap();
        let mut seen = [0; 4];
        worker.copy_out(8, &mut seen);
        assert_eq!(&seen, b"host");
    }

    #[test]
    fn a_segment_cannot_be_resized() {
        for seals in [Seals::Request, Seals::Reply] {
            let (file, _host) = SegmentFile::create(8192, seals).unwrap();
            assert_eq!(ftruncate(&file, 0), Err(Errno::PERM));
            assert_eq!(ftruncate(&file, 1 << 20), Err(Errno::PERM));
        }
    }

    #[test]
    fn a_file_that_is_not_sealed_yet_has_its_length_for_good() {
        let file = SegmentFile::fixed(8192).unwrap();
        let mapping = file.map(Access::ReadWrite).unwrap();
        for length in [0, 4096, 1 << 20] {
            assert_eq!(ftruncate(&file, length), Err(Errno::PERM), "{length}");
        }
        mapping.copy_in(8000, b"host");
        file.map(Access::ReadWrite).unwrap();
        assert!(!file.is_sealed(Seals::Reply).unwrap());
        file.seal(Seals::Request).unwrap();
        assert!(file.is_sealed(Seals::Request).unwrap());
    }

    #[test]
    fn an_unsealed_or_differently_sized_file_is_not_adopted() {
        let bare = create("bare").unwrap();
        ftruncate(&bare, 4096).unwrap();
        assert_eq!(SegmentFile::adopt(bare, 4096, Seals::Reply).unwrap_err(), Errno::PERM);
        let (file, _host) = SegmentFile::create(4096, Seals::Reply).unwrap();
        let copy = file.fd.try_clone().unwrap();
        assert_eq!(SegmentFile::adopt(copy, 8192, Seals::Reply).unwrap_err(), Errno::PERM);
    }

    #[test]
    fn a_sealed_copy_cannot_be_written() {
        let fd = sealed_copy(b"shim").unwrap();
        assert_eq!(rustix::io::write(&fd, b"x"), Err(Errno::PERM));
    }
}

//! The library that works: zlib, bound from the system's own header.

use std::fmt::Write;

use hotcell_direct::zlib as direct;
use zlib_hotcell::Zlib;

use crate::screen::Screen;

/// Bytes of the file that is compressed.
const SIZE: usize = 8 << 20;

pub(crate) fn show(screen: &Screen) -> Result<(), String> {
    screen.heading("zlib, contained: the package was generated from the system's zlib.h");
    let zlib = screen.step("start a worker and load zlib into it", || Zlib::open().map_err(text))?;
    let version = zlib.zlib_version().map_err(text)?.unwrap_or_default();
    let pid = zlib.session().worker_pid().unwrap_or(0);
    println!(
        "  {}",
        screen.dim(&format!("zlib {version} runs in process {pid}, this is {}", std::process::id()))
    );
    let data = log_file();
    let mib = SIZE >> 20;
    let packed = screen.step(&format!("compress a file of {mib} MiB, contained"), || {
        zlib.compress2(&data, 6).map_err(text)
    })?;
    let expected = screen.step("compress it with a direct call", || {
        direct::compress(&data, 6).map_err(|code| format!("zlib says {code}"))
    })?;
    screen.step(&format!("compare: {} bytes, equal to the direct call's", packed.len()), || {
        equal(&packed, &expected)
    })?;
    let restored =
        screen.step("restore it, contained", || zlib.uncompress(data.len(), &packed).map_err(text))?;
    screen.step("compare with the original", || equal(&restored, &data))?;
    screen.step("crc32 of it, contained and direct", || {
        let contained = zlib.crc32(0, &data).map_err(text)?;
        equal(&contained, &direct::checksum(0, &data))
    })
}

pub(crate) fn equal<T: PartialEq + ?Sized>(got: &T, expected: &T) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err("contained and direct differ".into()) }
}

/// Text that looks like a service's log: it compresses as real files do.
pub(crate) fn log_file() -> Vec<u8> {
    let mut log = String::with_capacity(SIZE + 200);
    let mut state = 1u32;
    while log.len() < SIZE {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (status, path) = ([200, 200, 404, 500][(state >> 30) as usize], state >> 20);
        let _ = writeln!(log, "{:010} GET /items/{path} {status} {}us", log.len(), state % 10_000);
    }
    log.truncate(SIZE);
    log.into_bytes()
}

pub(crate) fn text(error: hotcell::Error) -> String {
    error.to_string()
}

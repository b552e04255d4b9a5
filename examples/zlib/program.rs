//! zlib at work: a log goes into a stream piece by piece, comes back, and a damaged copy of it is refused.
//! `cargo run --bin zlib-example`
#![forbid(unsafe_code)]

use std::fmt::Write as _;

use zlib_hotcell::constants::{BEST_COMPRESSION, FINISH, NO_FLUSH, STREAM_END};
use zlib_hotcell::{ZStream, Zlib};

/// Bytes that are passed with one call, and room for what comes out of it.
const PIECE: u32 = 16 << 10;

fn main() -> hotcell::Result<()> {
    let zlib = Zlib::open()?;
    let log = log();
    println!("a log of {} bytes, checksum {:08x}", log.len(), zlib.crc32(0, log.as_bytes())?);

    let packed = deflate(&zlib, log.as_bytes())?;
    println!("smaller than a third: {}", packed.len() * 3 < log.len());

    let restored = zlib.uncompress(log.len(), &packed)?;
    println!("restored: {}", restored == log.as_bytes());

    // What zlib refuses is an error value, and so would be a crash of zlib.
    let mut damaged = packed;
    damaged[100] ^= 0xff;
    match zlib.uncompress(log.len(), &damaged) {
        Ok(_) => println!("taken for intact"),
        Err(error) => println!("damaged: {error}"),
    }
    Ok(())
}

/// Compresses data in pieces, as if it came from a socket.
fn deflate(zlib: &Zlib, data: &[u8]) -> hotcell::Result<Vec<u8>> {
    let mut stream = ZStream::new(zlib);
    stream.deflate_init_(BEST_COMPRESSION)?;
    let mut packed = Vec::new();
    let mut pieces = data.chunks(PIECE as usize).peekable();
    while let Some(piece) = pieces.next() {
        let flush = if pieces.peek().is_some() { NO_FLUSH } else { FINISH };
        stream.next_in = Some(piece.to_vec());
        loop {
            stream.avail_out = PIECE;
            let status = stream.deflate(flush)?;
            packed.append(&mut stream.next_out);
            // Room that is left says that zlib has nothing more to give for now.
            if status == STREAM_END || (flush == NO_FLUSH && stream.avail_out > 0) {
                break;
            }
        }
    }
    stream.deflate_end()?;
    Ok(packed)
}

/// Lines as a service writes them.
fn log() -> String {
    let mut log = String::new();
    for request in 0..5_000 {
        let (id, milliseconds) = (request % 97, request * 7 % 31);
        let _ = writeln!(log, "{request:05} GET /catalogue/items/{id} 200 {milliseconds} ms");
    }
    log
}

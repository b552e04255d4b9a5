//! bzip2 at work: a text goes into a file and a stream, comes back from both, and a damaged copy of it is refused.
//! `cargo dev examples bzip2`
#![forbid(unsafe_code)]

use std::fs;

use bzip2_hotcell::constants::{FINISH, OK, RUN, STREAM_END};
use bzip2_hotcell::{BzStream, Bzip2};
use hotcell::{Options, Profile, Sandbox};

const TEXT: &[u8] = include_bytes!("../../LICENSE-APACHE");

/// Bytes that are passed with one call, and room for what comes out of it.
const PIECE: u32 = 2000;

fn main() -> hotcell::Result<()> {
    let folder = std::env::temp_dir().join(format!("bzip2-example-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder can be made");
    let done = work(&folder);
    let _ = fs::remove_dir_all(&folder);
    done
}

fn work(folder: &std::path::Path) -> hotcell::Result<()> {
    // bzip2 may write to this folder, and to nothing else.
    let sandbox = Sandbox { write: vec![folder.to_owned()], ..Sandbox::of(Profile::Files) };
    let bzip2 = Bzip2::open_with(Options { sandbox: Some(sandbox), ..Options::default() })?;
    let packed = compress(&bzip2, TEXT)?;
    println!("a text of {} bytes, smaller than half: {}", TEXT.len(), packed.len() * 2 < TEXT.len());
    println!(
        "restored from the stream: {}",
        bzip2.bz_buff_to_buff_decompress(TEXT.len(), &packed, 0, 0)? == TEXT
    );

    let target = folder.join("text.bz2");
    let path = target.display().to_string();
    let file = bzip2.bzopen(&path, "w9")?;
    for line in TEXT.split_inclusive(|byte| *byte == b'\n') {
        file.bz_write(line)?;
    }
    file.bzclose()?;
    let size = fs::metadata(&target).expect("bzip2 has written it").len();
    println!("the file holds {size} bytes");
    let file = bzip2.bzopen(&path, "r")?;
    let mut restored = Vec::new();
    loop {
        let piece = file.bz_read(PIECE as usize)?;
        restored.extend(piece.buf);
        if piece.bzerror == STREAM_END {
            break;
        }
    }
    println!("restored from the file: {}", restored == TEXT);

    // What bzip2 refuses is an error value with its name.
    let mut damaged = packed;
    damaged[1000] ^= 0xff;
    match bzip2.bz_buff_to_buff_decompress(TEXT.len() * 2, &damaged, 0, 0) {
        Ok(_) => println!("taken for intact"),
        Err(error) => println!("damaged: {error}"),
    }
    match bzip2.bz_buff_to_buff_compress(100, TEXT, 9, 0, 0) {
        Ok(_) => println!("there was room"),
        Err(error) => println!("too little room: {error}"),
    }
    Ok(())
}

/// Compresses data in pieces, as if it came from a socket.
fn compress(bzip2: &Bzip2, data: &[u8]) -> hotcell::Result<Vec<u8>> {
    let mut stream = BzStream::new(bzip2);
    stream.bz_compress_init(9, 0, 0)?;
    let mut packed = Vec::new();
    let mut pieces = data.chunks(PIECE as usize).peekable();
    let mut status = OK;
    while let Some(piece) = pieces.next() {
        let action = if pieces.peek().is_some() { RUN } else { FINISH };
        stream.next_in = Some(piece.to_vec());
        while status != STREAM_END
            && (action == FINISH || stream.next_in.as_ref().is_some_and(|rest| !rest.is_empty()))
        {
            stream.avail_out = PIECE;
            status = stream.bz_compress(action)?;
            packed.append(&mut stream.next_out);
        }
    }
    stream.bz_compress_end()?;
    Ok(packed)
}

//! LZ4 at work: records are compressed as blocks with a dictionary, and a text as a frame that says when it is damaged.
//! `cargo dev examples lz4`
#![forbid(unsafe_code)]

use lz4_hotcell::{FContentChecksum, FFrameInfo, FPreferences, Lz4};

const TEXT: &[u8] = include_bytes!("../../LICENSE-APACHE");

/// What all records have in common.
const DICTIONARY: &[u8] = br#"{"id":0,"name":"","roles":["reader","writer"],"active":true,"plan":"free"}"#;

fn main() -> hotcell::Result<()> {
    let lz4 = Lz4::open()?;
    let mut sizes = (0, 0);
    for (id, name) in [(1, "Grace"), (2, "Barbara"), (3, "Søren")] {
        let record = format!(
            r#"{{"id":{id},"name":"{name}","roles":["reader","writer"],"active":true,"plan":"free"}}"#
        );
        let record = record.as_bytes();
        let room = lz4.compress_bound(record.len() as i32)? as usize;
        let Some(stream) = lz4.create_stream()? else {
            println!("no memory for a stream");
            return Ok(());
        };
        stream.load_dict(DICTIONARY)?;
        let packed = stream.compress_fast_continue(record, room, 1)?;
        sizes.0 += lz4.compress_default(record, room)?.len();
        sizes.1 += packed.len();
        let restored = lz4.decompress_safe_using_dict(&packed, record.len(), DICTIONARY)?;
        println!("{}", String::from_utf8_lossy(&restored));
    }
    println!("less than half with a dictionary: {}", sizes.1 * 2 < sizes.0);

    // A frame with a checksum, of high compression, read in pieces.
    let frame_info = FFrameInfo { content_checksum_flag: FContentChecksum(1), ..FFrameInfo::default() };
    let preferences = FPreferences { frame_info, compression_level: 9, ..FPreferences::default() };
    let room = lz4.f_compress_frame_bound(TEXT.len() as u64, Some(&preferences))? as usize;
    let mut frame = lz4.f_compress_frame(room, TEXT, Some(&preferences))?;
    println!("a text of {} bytes, smaller than half: {}", TEXT.len(), frame.len() * 2 < TEXT.len());
    println!("restored: {}", decompress(&lz4, &frame)? == TEXT);

    // What LZ4 refuses is an error value with LZ4's own words.
    if let Some(last) = frame.last_mut() {
        *last ^= 0xff;
    }
    match decompress(&lz4, &frame) {
        Ok(_) => println!("taken for intact"),
        Err(error) => println!("damaged: {error}"),
    }
    match lz4.compress_default(TEXT, 100) {
        Ok(_) => println!("there was room"),
        Err(error) => println!("too little room: {error}"),
    }
    Ok(())
}

/// Decompresses a frame piece by piece, as if it came from a socket.
fn decompress(lz4: &Lz4, frame: &[u8]) -> hotcell::Result<Vec<u8>> {
    let context = lz4.f_create_decompression_context()?;
    let mut text = Vec::new();
    let mut rest = frame;
    while !rest.is_empty() {
        let piece = &rest[..rest.len().min(1000)];
        let done = context.f_decompress(4 << 10, piece, piece.len() as u64, None)?;
        text.extend(done.dst_buffer);
        rest = &rest[done.src_size_ptr as usize..];
    }
    Ok(text)
}

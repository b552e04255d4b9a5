//! Brotli at work: a page is compressed as a server would, comes back, and what is no stream of Brotli is refused.
//! `cargo dev examples brotli`
#![forbid(unsafe_code)]

use brotli_hotcell::constants::{DEFAULT_WINDOW, MAX_QUALITY};
use brotli_hotcell::{Brotli, EncoderMode};

const TEXT: &[u8] = include_bytes!("../../LICENSE-APACHE");

fn main() -> hotcell::Result<()> {
    let brotli = Brotli::open()?;
    let room = brotli.encoder_max_compressed_size(TEXT.len() as u64)? as usize;
    let mut sizes = Vec::new();
    let mut packed = Vec::new();
    for quality in [2, MAX_QUALITY] {
        packed = brotli.encoder_compress(quality, DEFAULT_WINDOW, EncoderMode::TEXT, TEXT, room)?;
        sizes.push(packed.len());
    }
    println!("a text of {} bytes, smaller than a third: {}", TEXT.len(), packed.len() * 3 < TEXT.len());
    println!("better with more effort: {}", sizes[1] < sizes[0]);
    println!("restored: {}", brotli.decoder_decompress(&packed, TEXT.len())? == TEXT);

    // What Brotli refuses is an error value.
    match brotli.encoder_compress(MAX_QUALITY, DEFAULT_WINDOW, EncoderMode::TEXT, TEXT, 100) {
        Ok(_) => println!("there was room"),
        Err(error) => println!("too little room: {error}"),
    }
    let mut damaged = packed;
    damaged.truncate(1000);
    match brotli.decoder_decompress(&damaged, TEXT.len()) {
        Ok(_) => println!("taken for intact"),
        Err(error) => println!("cut off: {error}"),
    }
    Ok(())
}

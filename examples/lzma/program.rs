//! liblzma at work: a text becomes an .xz file in memory, comes back piece by piece, and a damaged copy of it is refused.
//! `cargo dev examples lzma`
#![forbid(unsafe_code)]

use lzma_hotcell::{Action, Check, Lzma, Ret, Stream};

const TEXT: &[u8] = include_bytes!("../../LICENSE-APACHE");

/// `LZMA_FILTER_LZMA2`.
const FILTER_LZMA2: u64 = 0x21;

/// More memory than decoding may take.
const MEMORY: u64 = 64 << 20;

fn main() -> hotcell::Result<()> {
    let lzma = Lzma::open()?;
    let room = lzma.stream_buffer_bound(TEXT.len() as u64)? as usize;
    let packed = lzma.easy_buffer_encode(6, Check::CRC64, TEXT, room, 0)?.out;
    println!("a text of {} bytes, smaller than half: {}", TEXT.len(), packed.len() * 2 < TEXT.len());
    let whole = lzma.stream_buffer_decode(MEMORY, 0, &packed, 0, TEXT.len(), 0)?;
    println!("restored: {}, with {} bytes left", whole.out == TEXT, packed.len() as u64 - whole.in_pos);
    println!("restored in pieces: {}", decode(&lzma, &packed)? == TEXT);

    // What liblzma refuses is an error value with its name.
    let mut damaged = packed;
    damaged[1000] ^= 0xff;
    match decode(&lzma, &damaged) {
        Ok(_) => println!("taken for intact"),
        Err(error) => println!("damaged: {error}"),
    }
    match lzma.stream_buffer_decode(1, 0, &damaged, 0, TEXT.len(), 0) {
        Ok(_) => println!("no memory was needed"),
        Err(error) => println!("too little memory: {error}"),
    }

    // A chain of filters: the differences of bytes that are three apart, and what LZMA makes of them.
    let chain = lzma.chain_new()?;
    chain.chain_add_delta(3)?;
    chain.chain_add_lzma(FILTER_LZMA2, &lzma.lzma_preset(6)?)?;
    println!("filters: {}", chain.str_from_filters(0)?.str.unwrap_or_default());
    let slope: Vec<u8> = (0..30_000u32).map(|at| (at / 3 + at % 3 * 50) as u8).collect();
    let packed = chain.raw_buffer_encode(&slope, 40_000, 0)?.out;
    println!("{} bytes became less than 200: {}", slope.len(), packed.len() < 200);
    println!("and come back: {}", chain.raw_buffer_decode(&packed, 0, slope.len(), 0)?.out == slope);
    chain.chain_read("arm64 lzma2:preset=0", 0)?;
    println!("filters that were read: {}", chain.str_from_filters(0)?.str.unwrap_or_default());
    match chain.chain_decode_properties(FILTER_LZMA2, b"") {
        Ok(_) => println!("no properties were needed"),
        Err(error) => println!("what cannot be decoded leaves {} filters: {error}", chain.chain_length()?),
    }
    match chain.chain_add_bcj(1, 0) {
        Ok(()) => println!("taken for a filter"),
        Err(error) => println!("no filter: {}", error.kind()),
    }

    // A stream goes on reading the index that it encodes: dropped before, that is released behind it.
    let index = lzma.index_init()?.expect("there is memory for an index");
    index.append(100, 1000)?;
    index.append(57, 4)?;
    let size = index.size()?;
    let mut stream = Stream::new(&lzma);
    stream.index_encoder(&index)?;
    match index.append(1, 1) {
        Ok(_) => println!("changed under the stream"),
        Err(error) => println!("an index that a stream reads is not changed: {}", error.kind()),
    }
    drop(index);
    stream.avail_out = 4 << 10;
    let status = stream.code(Action::RUN)?;
    println!("an index of {size} bytes: {}, {}", stream.next_out.len() as u64 == size, status == Ret::STREAM_END);
    stream.end()?;
    Ok(())
}

/// Decodes a file piece by piece, as if it came from a socket.
fn decode(lzma: &Lzma, file: &[u8]) -> hotcell::Result<Vec<u8>> {
    let mut stream = Stream::new(lzma);
    stream.decoder(MEMORY, 0)?;
    let mut text = Vec::new();
    let mut status = Ret::OK;
    for piece in file.chunks(500) {
        stream.next_in = Some(piece.to_vec());
        while status != Ret::STREAM_END && stream.next_in.as_ref().is_some_and(|rest| !rest.is_empty()) {
            stream.avail_out = 4 << 10;
            status = stream.code(Action::RUN)?;
            text.append(&mut stream.next_out);
        }
    }
    while status != Ret::STREAM_END {
        stream.avail_out = 4 << 10;
        status = stream.code(Action::FINISH)?;
        text.append(&mut stream.next_out);
    }
    stream.end()?;
    Ok(text)
}

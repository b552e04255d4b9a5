//! Zstandard: a stream compressed chunk by chunk, and restored.

use hotcell_direct::zstd as direct;
use zstd_hotcell::{EndDirective, InBuffer, OutBuffer, Zstd};

use crate::screen::Screen;
use crate::work::{equal, log_file, text};

/// Bytes that are passed with one call.
const CHUNK: usize = 64 << 10;

pub(crate) fn show(screen: &Screen) -> Result<(), String> {
    screen.heading("Zstandard, contained: a stream keeps its state in the worker from call to call");
    let zstd = screen.step("start a worker and load Zstandard into it", || Zstd::open().map_err(text))?;
    let data = log_file();
    let mib = data.len() >> 20;
    let kib = CHUNK >> 10;
    let packed = screen
        .step(&format!("compress {mib} MiB in chunks of {kib} KiB, contained"), || compress(&zstd, &data))?;
    let restored =
        screen.step("restore them in chunks, contained", || restore(&zstd, &packed, data.len()))?;
    let expected = screen.step("restore them with a direct call", || {
        direct::restore(&packed, data.len()).map_err(|name| format!("Zstandard says {name}"))
    })?;
    screen.step(&format!("compare: {} bytes became the original, on both ways", packed.len()), || {
        equal(&restored, &expected)?;
        equal(&restored, &data)
    })
}

fn compress(zstd: &Zstd, data: &[u8]) -> Result<Vec<u8>, String> {
    let context = zstd.create_c_ctx().map_err(text)?.ok_or("no memory for a context")?;
    let mut packed = Vec::new();
    let mut chunks = data.chunks(CHUNK).peekable();
    while let Some(chunk) = chunks.next() {
        let last = chunks.peek().is_none();
        let how = if last { EndDirective::END } else { EndDirective::CONTINUE };
        let mut input = InBuffer { src: chunk.to_vec(), ..Default::default() };
        loop {
            let mut output = room();
            let left = context.compress_stream2(&mut output, &mut input, how).map_err(text)?;
            packed.extend(output.dst);
            let taken = input.pos == chunk.len() as u64;
            if if last { left == 0 } else { taken } {
                break;
            }
        }
    }
    Ok(packed)
}

fn restore(zstd: &Zstd, packed: &[u8], size: usize) -> Result<Vec<u8>, String> {
    let context = zstd.create_d_ctx().map_err(text)?.ok_or("no memory for a context")?;
    let mut data = Vec::with_capacity(size);
    let mut pending = 1;
    for chunk in packed.chunks(CHUNK) {
        let mut input = InBuffer { src: chunk.to_vec(), ..Default::default() };
        loop {
            let mut output = room();
            pending = context.decompress_stream(&mut output, &mut input).map_err(text)?;
            let full = output.pos == output.size;
            data.extend(output.dst);
            // A full buffer may have left something behind, unless the frame has ended.
            if input.pos == chunk.len() as u64 && (pending == 0 || !full) {
                break;
            }
        }
    }
    if pending == 0 { Ok(data) } else { Err("the stream has no end".into()) }
}

/// Room for what a call writes.
fn room() -> OutBuffer {
    OutBuffer { size: CHUNK as u64, ..Default::default() }
}

//! Zstandard at work: small records compressed with a dictionary of what they have in common.
//! `cargo run --bin zstd-example`
#![forbid(unsafe_code)]

use zstd_hotcell::Zstd;

const LEVEL: i32 = 19;

fn main() -> hotcell::Result<()> {
    let zstd = Zstd::open()?;
    let (Some(compressor), Some(decompressor)) = (zstd.create_c_ctx()?, zstd.create_d_ctx()?) else {
        println!("no memory for a context");
        return Ok(());
    };
    let dictionary = record(0, "Ada");

    let mut plain = 0;
    let mut packed = Vec::new();
    for (id, name) in [(1, "Grace"), (2, "Barbara"), (3, "Søren")] {
        let record = record(id, name);
        plain += zstd.compress(zstd.compress_bound(record.len() as u64)? as usize, &record, LEVEL)?.len();
        let capacity = zstd.compress_bound(record.len() as u64)? as usize;
        packed.push(compressor.compress_using_dict(capacity, &record, &dictionary, LEVEL)?);
    }
    let with_dictionary: usize = packed.iter().map(Vec::len).sum();
    println!("less than half with a dictionary: {}", with_dictionary * 2 < plain);

    for frame in &packed {
        let size = zstd.get_frame_content_size(frame)? as usize;
        let record = decompressor.decompress_using_dict(size, frame, &dictionary)?;
        println!("{}", String::from_utf8_lossy(&record));
    }

    // What Zstandard refuses is an error value with Zstandard's own words.
    match zstd.decompress(1 << 10, b"not a frame of Zstandard") {
        Ok(_) => println!("taken for a frame"),
        Err(error) => println!("{error}"),
    }
    Ok(())
}

/// A record as a service would store it.
fn record(id: u32, name: &str) -> Vec<u8> {
    format!(r#"{{"id":{id},"name":"{name}","roles":["reader","writer"],"active":true,"plan":"free"}}"#).into()
}

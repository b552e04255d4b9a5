//! libtiff at work: a picture is written with its tags, read back by rows, strips and as pixels, and a damaged file is met.
//! `cargo dev examples tiff`
#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hotcell::{Options, Profile, Sandbox};
use tiff_hotcell::{Library, Stream, Tiff};

const WIDTH: u32 = 64;
const HEIGHT: u32 = 48;
const COMPRESSION_LZW: i32 = 5;
const PHOTOMETRIC_RGB: i32 = 2;
const PREDICTOR_HORIZONTAL: i32 = 2;

fn main() -> hotcell::Result<()> {
    let folder = std::env::temp_dir().join(format!("tiff-example-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder can be made");
    let done = work(&folder);
    let _ = fs::remove_dir_all(&folder);
    done
}

fn work(folder: &Path) -> hotcell::Result<()> {
    // libtiff may read and write this folder, and nothing else.
    let sandbox = Sandbox { write: vec![folder.to_owned()], ..Sandbox::of(Profile::Files) };
    let library = Library::open_with(Options { sandbox: Some(sandbox), ..Options::default() })?;
    library.set_error_handler()?;
    let path = folder.join("picture.tif").display().to_string();

    // Two pictures in a file: one by rows and compressed, the other by tiles.
    let file = library.tiff_open(&path, "w")?;
    describe(&file)?;
    file.set_field_short_compression(COMPRESSION_LZW)?;
    file.set_field_short_predictor(PREDICTOR_HORIZONTAL)?;
    file.set_field_long_rowsperstrip(16)?;
    for row in 0..HEIGHT {
        file.write_scanline(&pixels(row..row + 1, 0..WIDTH), row, 0)?;
    }
    file.write_directory()?;
    describe(&file)?;
    file.set_field_long_tilewidth(32)?;
    file.set_field_long_tilelength(32)?;
    for (x, y) in [(0, 0), (32, 0), (0, 32), (32, 32)] {
        file.write_tile(&pixels(y..y + 32, x..x + 32), x, y, 0, 0)?;
    }
    file.close()?;

    let file = library.tiff_open(&path, "r")?;
    println!("{} pictures", file.number_of_directories()?);
    let (width, height) = (file.get_field_long_imagewidth()?, file.get_field_long_imagelength()?);
    println!(
        "{width} x {height}, {} bytes a row, {} strips",
        file.scanline_size()?,
        file.number_of_strips()?
    );
    println!("by {}", file.get_field_text_artist()?.unwrap_or_default());
    println!("{:.1} dots an inch", file.get_field_real_xresolution()?);
    let mut rows = Vec::new();
    for row in 0..height {
        rows.extend(file.read_scanline(row, 0)?);
    }
    println!("the rows are what was written: {}", rows == pixels(0..HEIGHT, 0..WIDTH));
    let strip = file.read_encoded_strip(1, 16 * 64 * 3)?;
    println!("so is a strip: {}", strip == pixels(16..32, 0..WIDTH));
    let image = file.read_rgba_image(width, height, 1)?;
    // From the lowest row up, red in the low bits.
    println!("the first pixel of the last row: {:#010x}", image[0]);

    file.set_directory(1)?;
    let tile = file.read_tile(32, 0, 0, 0)?;
    println!("a tile: {}", tile == pixels(0..32, 32..64));
    match file.get_field_text_software() {
        Ok(text) => println!("made by {text:?}"),
        Err(error) => println!("a tag that is not there: {}", error.kind()),
    }
    file.close()?;

    // The same file, of which the application reads what the library asks for.
    let whole = fs::read(&path).expect("the file is there");
    let stream = stream_of(&library, whole.clone())?;
    let file = stream.client_open("in memory", "r")?;
    // It calls the stream for as long as it is there.
    drop(stream);
    let image = file.read_rgba_image(width, height, 1)?;
    println!("the first pixel of what was streamed: {:#010x}", image[0]);
    file.close()?;

    // A file that ends too early.
    let short = folder.join("short.tif");
    fs::write(&short, &whole[..100]).expect("a file can be written there");
    match library.tiff_open(&short.display().to_string(), "r") {
        Ok(_) => println!("a whole file"),
        Err(error) => {
            println!("a damaged file: {}", error.message().replace(&folder.display().to_string(), "FOLDER"))
        }
    }
    Ok(())
}

/// A stream of bytes that are here.
fn stream_of(library: &Library, bytes: Vec<u8>) -> hotcell::Result<Stream> {
    let stream = library.stream_new()?;
    let (bytes, place) = (Arc::new(bytes), Arc::new(AtomicUsize::new(0)));
    let (data, at) = (Arc::clone(&bytes), Arc::clone(&place));
    stream.on_read(move |into| {
        let start = at.load(Ordering::Relaxed).min(data.len());
        let count = into.len().min(data.len() - start);
        into[..count].copy_from_slice(&data[start..start + count]);
        at.store(start + count, Ordering::Relaxed);
        Ok(count as i64)
    })?;
    let size = bytes.len();
    stream.on_seek(move |offset, whence| {
        let from = [0, place.load(Ordering::Relaxed), size][whence as usize % 3];
        let to = from.wrapping_add(offset as usize);
        place.store(to, Ordering::Relaxed);
        Ok(to as i64)
    })?;
    stream.on_size(move || Ok(size as u64))?;
    Ok(stream)
}

/// The tags of the picture.
fn describe(file: &Tiff) -> hotcell::Result<()> {
    file.set_field_long_imagewidth(WIDTH)?;
    file.set_field_long_imagelength(HEIGHT)?;
    file.set_field_short_bitspersample(8)?;
    file.set_field_short_samplesperpixel(3)?;
    file.set_field_short_photometric(PHOTOMETRIC_RGB)?;
    file.set_field_short_planarconfig(1)?;
    file.set_field_text_artist("Anna")?;
    file.set_field_real_xresolution(300.0)
}

/// A part of the picture: red grows to the right, green downwards.
fn pixels(rows: std::ops::Range<u32>, columns: std::ops::Range<u32>) -> Vec<u8> {
    let pixel = |row: u32, column: u32| [(column * 4) as u8, (row * 5) as u8, 128];
    rows.flat_map(|row| columns.clone().flat_map(move |column| pixel(row, column))).collect()
}

//! libpng at work: a picture is written and read by both of its interfaces, with its notes, and damaged ones are met.
//! `cargo dev examples png`
#![forbid(unsafe_code)]

use std::sync::{Arc, Mutex, PoisonError};

use png_hotcell::constants::{COLOR_TYPE_RGB, FORMAT_GRAY, FORMAT_RGB, IMAGE_VERSION};
use png_hotcell::{Image, Png, Text};

const WIDTH: u32 = 32;
const HEIGHT: u32 = 20;

fn main() -> hotcell::Result<()> {
    let png = Png::open()?;
    let pixels: Vec<u8> =
        (0..HEIGHT).flat_map(|y| (0..WIDTH).flat_map(move |x| [x as u8 * 8, y as u8 * 12, 100])).collect();

    // All that can be told about a picture, and what is written comes piece by piece.
    let file = write(&png, &pixels)?;
    println!("a file of {} bytes", file.len());

    let reading = png.create_read_struct_2()?;
    let info = reading.new_info()?;
    reading.set_source(&file)?;
    reading.read_png(&info, 0)?;
    let (width, height) = (reading.get_image_width(&info)?, reading.get_image_height(&info)?);
    println!(
        "{width} x {height}, {} channels of {} bits",
        reading.get_channels(&info)?,
        reading.get_bit_depth(&info)?
    );
    println!("{} dots a meter, gamma {:.3}", reading.get_pixels_per_meter(&info)?, reading.get_g_ama(&info)?);
    println!("the pixels are what was written: {}", reading.get_picture(&info)? == pixels);

    // A picture that comes in pieces says what it is as soon as it is known.
    let coming = png.create_read_struct_2()?;
    let info = coming.new_info()?;
    let known = Arc::new(Mutex::new(false));
    let set = Arc::clone(&known);
    let told = move |_: &png_hotcell::Struct, _: &png_hotcell::Info| {
        *set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        Ok(())
    };
    coming.set_progressive_read_fn(Some(Box::new(told)), None)?;
    for (number, piece) in file.chunks(40).enumerate() {
        coming.process_data(&info, piece)?;
        if *known.lock().unwrap_or_else(PoisonError::into_inner) {
            println!("piece {number}: it is {} wide", coming.get_image_width(&info)?);
            break;
        }
    }

    // The simplified interface.
    let mut image = Image { version: IMAGE_VERSION as u32, ..Image::default() };
    png.image_look(&mut image, &file)?;
    println!("simply: {} x {}", image.width, image.height);
    image.format = FORMAT_GRAY as u32;
    let gray = png.image_read(&mut image, &file, None, 0)?;
    println!("{} gray pixels, the last of them {}", gray.len(), gray[gray.len() - 1]);
    let mut small = Image { width: 2, height: 1, format: FORMAT_RGB as u32, ..image.clone() };
    let again = png.image_write_to_memory(&mut small, 1000, 0, &[255, 0, 0, 0, 0, 255], 0)?;
    println!("a small file of {} bytes", again.len());

    // Damaged files: libpng leaves the call by a jump, and the next one works.
    let mut damaged = file.clone();
    damaged[20] ^= 0x40;
    for (what, data) in [
        ("a damaged file", &damaged[..]),
        ("half a file", &file[..file.len() / 2]),
        ("no picture", b"no picture at all"),
    ] {
        let reading = png.create_read_struct_2()?;
        let info = reading.new_info()?;
        reading.set_source(data)?;
        match reading.read_png(&info, 0) {
            Ok(()) => println!("{what}: read"),
            Err(error) => println!("{what}: {error}"),
        }
    }
    match png.image_look(&mut image, b"no picture either") {
        Ok(()) => println!("a picture"),
        Err(_) => println!("simply: {}", String::from_utf8_lossy(&image.message)),
    }
    Ok(())
}

/// A picture with what is told about it.
fn write(png: &Png, pixels: &[u8]) -> hotcell::Result<Vec<u8>> {
    let writing = png.create_write_struct_2()?;
    let info = writing.new_info()?;
    let file = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&file);
    let write = move |_: &png_hotcell::Struct, data: &[u8]| {
        into.lock().unwrap_or_else(PoisonError::into_inner).extend(data);
        Ok(())
    };
    writing.set_write_fn(write, |_: &png_hotcell::Struct| Ok(()))?;
    writing.set_ihdr(&info, WIDTH, HEIGHT, 8, COLOR_TYPE_RGB, 0, 0, 0)?;
    writing.set_g_ama(&info, 0.45455)?;
    writing.set_p_h_ys(&info, 3000, 3000, 1)?;
    let title = Text {
        key: Some(b"Title".to_vec()),
        text: Some(b"Red and green".to_vec()),
        compression: -1,
        ..Text::default()
    };
    writing.set_text(&info, &[title])?;
    writing.set_picture(&info, pixels)?;
    writing.write_png(&info, 0)?;
    let file = file.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(file.clone())
}

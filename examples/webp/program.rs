//! libwebp at work: a picture is encoded with and without loss, comes back at once, piece by piece, smaller and upside down, and what is
//! none is refused.
//! `cargo dev examples webp`
#![forbid(unsafe_code)]

use webp_hotcell::{DecoderConfig, MemoryWriter, Picture, Webp, WebpCspMode};

const WIDTH: i32 = 160;
const HEIGHT: i32 = 120;

fn main() -> hotcell::Result<()> {
    let webp = Webp::open()?;
    let picture = picture();
    let stride = WIDTH * 4;
    let exact = webp.encode_lossless_rgba(&picture, WIDTH, HEIGHT, stride)?.output.unwrap_or_default();
    let lossy = webp.encode_rgba(&picture, WIDTH, HEIGHT, stride, 60.0)?.output.unwrap_or_default();
    println!("without loss smaller than a half: {}", exact.len() * 2 < picture.len());
    println!("with loss smaller than a tenth: {}", lossy.len() * 10 < picture.len());

    let decoded = webp.decode_rgba(&exact)?;
    println!("{} by {}, the same picture: {}", decoded.width, decoded.height, decoded.returned == picture);
    let features = webp.get_features(&lossy)?.features;
    println!("transparent: {}, animated: {}", features.has_alpha != 0, features.has_animation != 0);
    let decoded = webp.decode_rgba(&lossy)?;
    println!("nearly the same picture: {}", distance(&decoded.returned, &picture) < 8);

    // As it comes from a socket: rows are there before the end is.
    if let Some(decoder) = webp.web_pi_new_rgb(WebpCspMode::RGBA)? {
        let (first, rest) = exact.split_at(exact.len() / 2);
        decoder.web_pi_append(first)?;
        let rows = decoder.web_pi_dec_get_rgb()?.last_y;
        decoder.web_pi_append(rest)?;
        let whole = decoder.web_pi_dec_get_rgb()?;
        println!("rows first: {}, then {} rows", rows < HEIGHT, whole.last_y);
        println!("the same picture: {}", whole.returned.is_some_and(|rows| rows == picture));
    }
    let half = of_half_the_size(&webp, &picture)?;
    upside_down(&webp, &exact, &picture)?;
    println!("the half is a picture: {}", webp.get_info(&half)?.width == WIDTH / 2);
    match webp.decode_rgba(&exact[..100]) {
        Ok(_) => println!("taken for a picture"),
        Err(error) => println!("cut off: {error}"),
    }
    Ok(())
}

/// A picture with settings of its own: it is made smaller, and encoded into memory of the library's.
fn of_half_the_size(webp: &Webp, pixels: &[u8]) -> hotcell::Result<Vec<u8>> {
    let mut picture = Picture::new(webp);
    picture.init()?;
    picture.set_width(WIDTH)?;
    picture.set_height(HEIGHT)?;
    picture.set_use_argb(1)?;
    picture.import_rgba(pixels, WIDTH * 4)?;
    picture.rescale(WIDTH / 2, HEIGHT / 2)?;
    let argb = picture.get_argb()?.unwrap_or_default();
    println!("{} by {}: {} pixels", picture.get_width()?, picture.get_height()?, argb.len());
    // Its memory is as large as it was said to be: what says so does not change any more.
    if let Err(error) = picture.set_width(10 * WIDTH) {
        println!("refused: {error}");
    }
    let mut config = webp.config_init()?.config;
    config.lossless = 1;
    let mut writer = MemoryWriter::new(webp);
    writer.init()?;
    picture.encode(&config, &writer)?;
    Ok(writer.get_mem()?.unwrap_or_default())
}

/// A picture is decoded from its last row to its first.
fn upside_down(webp: &Webp, file: &[u8], pixels: &[u8]) -> hotcell::Result<()> {
    let mut config = DecoderConfig::new(webp);
    config.init_decoder_config()?;
    config.set_output_colorspace(WebpCspMode::RGBA)?;
    config.set_options_flip(1)?;
    config.decode(file)?;
    let turned = config.get_output_u_rgba_rgba()?;
    let row = (WIDTH * 4) as usize;
    println!("upside down: {}", turned.chunks(row).rev().eq(pixels.chunks(row)));
    // There are no planes of colours in a picture of pixels.
    if let Err(error) = config.get_output_u_yuva_y() {
        println!("refused: {error}");
    }
    Ok(())
}

/// Waves of colours, with a hole in the middle.
fn picture() -> Vec<u8> {
    let pixel = |at: i32| {
        let (x, y) = (at % WIDTH, at / WIDTH);
        let (dx, dy) = (x - WIDTH / 2, y - HEIGHT / 2);
        let far = dx * dx + dy * dy;
        [
            (x * 255 / WIDTH) as u8,
            (y * 255 / HEIGHT) as u8,
            (far / 40) as u8,
            if far < 400 { 128 } else { 255 },
        ]
    };
    (0..WIDTH * HEIGHT).flat_map(pixel).collect()
}

/// How far values are apart on average.
fn distance(one: &[u8], other: &[u8]) -> u64 {
    let sum: u64 = one.iter().zip(other).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum / one.len().max(1) as u64
}

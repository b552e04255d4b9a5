//! libwebp at work: a picture is encoded with and without loss, comes back at once and piece by piece, and what is none is refused.
//! `cargo dev examples webp`
#![forbid(unsafe_code)]

use webp_hotcell::{Webp, WebpCspMode};

const WIDTH: i32 = 160;
const HEIGHT: i32 = 120;

fn main() -> hotcell::Result<()> {
    let webp = Webp::open()?;
    let picture = picture();
    let stride = WIDTH * 4;
    let exact = webp.p_encode_lossless_rgba(&picture, WIDTH, HEIGHT, stride)?.output.unwrap_or_default();
    let lossy = webp.p_encode_rgba(&picture, WIDTH, HEIGHT, stride, 60.0)?.output.unwrap_or_default();
    println!("without loss smaller than a half: {}", exact.len() * 2 < picture.len());
    println!("with loss smaller than a tenth: {}", lossy.len() * 10 < picture.len());

    let decoded = webp.p_decode_rgba(&exact)?;
    println!("{} by {}, the same picture: {}", decoded.width, decoded.height, decoded.returned == picture);
    let features = webp.p_get_features(&lossy)?.features;
    println!("transparent: {}, animated: {}", features.has_alpha != 0, features.has_animation != 0);
    let decoded = webp.p_decode_rgba(&lossy)?;
    println!("nearly the same picture: {}", distance(&decoded.returned, &picture) < 8);

    // As it comes from a socket: rows are there before the end is.
    if let Some(decoder) = webp.pi_new_rgb(WebpCspMode::RGBA)? {
        let (first, rest) = exact.split_at(exact.len() / 2);
        decoder.pi_append(first)?;
        let rows = decoder.pi_dec_get_rgb()?.last_y;
        decoder.pi_append(rest)?;
        let whole = decoder.pi_dec_get_rgb()?;
        println!("rows first: {}, then {} rows", rows < HEIGHT, whole.last_y);
        println!("the same picture: {}", whole.returned.is_some_and(|rows| rows == picture));
    }
    match webp.p_decode_rgba(&exact[..100]) {
        Ok(_) => println!("taken for a picture"),
        Err(error) => println!("cut off: {error}"),
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

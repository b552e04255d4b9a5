//! FreeType at work: a face of a system font, how far its letters are apart, their outlines, and a word that is drawn.
//! `cargo dev examples freetype`
#![forbid(unsafe_code)]

use freetype_hotcell::constants::{FT_KERNING_UNSCALED, LOAD_DEFAULT, LOAD_RENDER};
use freetype_hotcell::{Encoding, Face, Freetype, GlyphSlot};

const FONT: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";

fn main() -> hotcell::Result<()> {
    let freetype = Freetype::open()?;
    let library = freetype.init_free_type()?;
    let font = std::fs::read(FONT).unwrap_or_default();
    // The worker has the font from here; nobody opens it there.
    let face = library.new_memory_face(&font, 0)?;
    println!("{}, {}", name(face.get_family_name()?), name(face.get_style_name()?));
    println!("{} units to the em, {} above the line", face.get_units_per_em()?, face.get_ascender()?);
    face.select_charmap(Encoding::UNICODE)?;
    face.set_pixel_sizes(0, 16)?;
    if let Some(size) = face.get_size()? {
        let metrics = size.get_metrics()?;
        println!("lines are {} pixels apart", metrics.height / 64);
    }
    let (a, v) = (face.get_char_index('A'.into())?, face.get_char_index('V'.into())?);
    let kerning = face.get_kerning(a, v, FT_KERNING_UNSCALED as u32)?;
    println!("A and V are nearer by {} units", -kerning.x);

    let Some(slot) = face.get_glyph()? else { return Ok(()) };
    face.load_glyph(a, LOAD_DEFAULT)?;
    outline(&slot)?;
    // A glyph of its own stays as it is when the slot has another letter.
    let glyph = slot.get_glyph()?;
    face.load_glyph(v, LOAD_DEFAULT)?;
    println!("a glyph that was taken is {} wide", glyph.get_advance()?.x >> 16);

    draw(&face, &slot, "Hot")?;
    match face.load_glyph(1_000_000, LOAD_DEFAULT) {
        Ok(()) => println!("there is such a glyph"),
        Err(error) => println!("no such glyph: {error}"),
    }
    Ok(())
}

fn name(name: Option<Vec<u8>>) -> String {
    name.map_or_else(|| "no name".to_owned(), |name| String::from_utf8_lossy(&name).into_owned())
}

/// What the outline of a letter consists of, as it is and when it is bold.
fn outline(slot: &GlyphSlot) -> hotcell::Result<()> {
    let outline = slot.get_outline()?;
    println!("A has {} contours with {} points", outline.contours.len(), outline.points.len());
    let before = slot.outline_get_c_box()?;
    slot.outline_embolden(64)?;
    let after = slot.outline_get_c_box()?;
    println!("bold it is wider: {}", after.x_max - after.x_min > before.x_max - before.x_min);
    Ok(())
}

/// Draws a word with letters for its greys.
fn draw(face: &Face, slot: &GlyphSlot, word: &str) -> hotcell::Result<()> {
    let mut lines = vec![String::new(); 14];
    for letter in word.chars() {
        face.load_char(letter.into(), LOAD_RENDER)?;
        let (width, rows) = (slot.get_bitmap_width()? as usize, slot.get_bitmap_rows()?);
        let (pitch, top) = (slot.get_bitmap_pitch()?, slot.get_bitmap_top()?);
        let greys = slot.get_bitmap_buffer()?.unwrap_or_default();
        for (line, text) in (0..).zip(&mut lines) {
            let row = line + top - 13;
            let there = (0..rows as i32).contains(&row);
            let row = &greys[if there { (row * pitch) as usize } else { 0 }..];
            let shade = |x: usize| if there { [' ', '.', 'o', '#'][usize::from(row[x] / 64)] } else { ' ' };
            text.extend((0..width).map(shade).chain([' ']));
        }
    }
    lines.iter().for_each(|line| println!("|{}", line.trim_end()));
    Ok(())
}

//! FFTW at work: the tones of a signal, the signal without one of them, a picture's spectrum, and wisdom that goes along.
//! `cargo dev examples fftw`
#![forbid(unsafe_code)]

use std::f64::consts::TAU;

use fftw_hotcell::constants::{BACKWARD, FORWARD};
use fftw_hotcell::{Fftw, R2rKindDoNotUseMe};

const LENGTH: usize = 256;

fn main() -> hotcell::Result<()> {
    let fftw = Fftw::open()?;

    // Two tones. Complex numbers are pairs: the real part, and the imaginary part behind it.
    let tone = |number: f64, at: usize| (TAU * number * at as f64 / LENGTH as f64).sin();
    let signal: Vec<f64> = (0..LENGTH).map(|at| tone(5.0, at) + 0.5 * tone(40.0, at)).collect();
    let forward = fftw.plan_dft_r2c_1d(LENGTH as i32)?;
    let back = fftw.plan_dft_c2r_1d(LENGTH as i32)?;
    let mut spectrum = forward.execute_dft_r2c(&signal)?;
    for (number, pair) in spectrum.chunks(2).enumerate() {
        let strength = pair[0].hypot(pair[1]) * 2.0 / LENGTH as f64;
        if strength > 0.1 {
            println!("tone {number}: {strength:.3}");
        }
    }
    spectrum[80] = 0.0;
    spectrum[81] = 0.0;
    let filtered = back.execute_dft_c2r(&spectrum)?;
    let error =
        (0..LENGTH).map(|at| (filtered[at] / LENGTH as f64 - tone(5.0, at)).abs()).fold(0.0, f64::max);
    println!("without the second tone: {}", error < 1e-12);

    // The same plan again, with another signal; and there and back in two dimensions.
    let silence = forward.execute_dft_r2c(&[0.0; LENGTH])?;
    println!("silence: {}", silence.iter().all(|part| *part == 0.0));
    let picture: Vec<f64> = (0..2 * 12 * 10).map(|at| (at * at % 17) as f64).collect();
    let there = fftw.plan_dft_2d(12, 10, FORWARD)?.execute_dft(&picture)?;
    let again = fftw.plan_dft_2d(12, 10, BACKWARD)?.execute_dft(&there)?;
    println!("there and back: {}", picture.iter().zip(&again).all(|(a, b)| (a - b / 120.0).abs() < 1e-12));

    let cosines = fftw.plan_r2r_1d(8, R2rKindDoNotUseMe::REDFT10)?;
    println!("cosines of a step: {:.3?}", cosines.execute_r2r(&[1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0])?);

    // Arrays that are too short do not get as far as FFTW, and neither do those of another kind of transform.
    match forward.execute_dft_r2c(&signal[1..]) {
        Ok(_) => println!("transformed"),
        Err(error) => println!("a short signal: {}", error.kind()),
    }
    match forward.execute_r2r(&signal) {
        Ok(_) => println!("transformed"),
        Err(error) => println!("by another transform: {}", error.kind()),
    }
    match fftw.plan_dft_1d(-1, FORWARD) {
        Ok(_) => println!("planned"),
        Err(error) => println!("no such length: {}", error.kind()),
    }

    let wisdom = fftw.export_wisdom_to_string()?.unwrap_or_default();
    let other = Fftw::open()?;
    other.import_wisdom_from_string(&wisdom)?;
    match other.import_wisdom_from_string("what everybody knows") {
        Ok(()) => println!("taken for wisdom"),
        Err(error) => println!("no wisdom: {}", error.kind()),
    }
    Ok(())
}

//! GSL at work: a drum's tones from zeros of a Bessel function, polynomials, a value that does not exist, and vectors.
//! `cargo dev examples gsl`
#![forbid(unsafe_code)]

use gsl_hotcell::Gsl;

fn main() -> hotcell::Result<()> {
    let gsl = Gsl::open()?;

    // The tones of a round drum lie as the zeros of J₀ do.
    let lowest = gsl.sf_bessel_zero_j0_e(1)?;
    for number in 1..=4 {
        let zero = gsl.sf_bessel_zero_j0_e(number)?;
        println!("tone {number}: {:.6} of the lowest", zero.val / lowest.val);
        assert!(gsl.gsl_sf_bessel_J0_e(zero.val)?.val.abs() < 1e-9, "it is a zero");
    }

    let values = gsl.sf_legendre_pl_array(4, 0.5)?;
    println!("P0 to P4 at 0.5: {values:.4?}");
    println!("erf(1) = {:.10}", gsl.sf_erf(1.0)?);

    match gsl.sf_gamma_e(-1.0) {
        Ok(value) => println!("Γ(-1) = {}", value.val),
        Err(error) => println!("Γ(-1): {error}"),
    }

    let (a, b) = (gsl.vector_calloc(3)?, gsl.vector_calloc(3)?);
    for (index, value) in [3.0, -4.0, 12.0].into_iter().enumerate() {
        a.set(index as u64, value)?;
        b.set(index as u64, value * value)?;
    }
    let length = b.sum()?.sqrt();
    a.scale(1.0 / length)?;
    println!("a length of {length}, its largest part at {}", a.max_index()?);

    let short = gsl.vector_calloc(2)?;
    match a.add(&short) {
        Ok(()) => println!("added"),
        Err(error) => println!("a + short: {error}"),
    }
    Ok(())
}

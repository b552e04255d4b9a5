//! GMP at work: digits of π, a prime with 157 digits, the factors that two numbers share, and a fraction in lowest terms.
//! `cargo dev examples gmp`
#![forbid(unsafe_code)]

use gmp_hotcell::{Gmp, MpqStruct, MpzStruct};

fn main() -> hotcell::Result<()> {
    let gmp = Gmp::open()?;
    println!("π = {}", pi(&gmp, 60)?);

    // 2⁵²¹ − 1.
    let mersenne = number(&gmp, 0)?;
    mersenne.gmpz_ui_pow_ui(2, 521)?;
    mersenne.gmpz_sub_ui(&mersenne, 1)?;
    let digits = mersenne.gmpz_get_str(10)?;
    println!("{}…{}, {} digits", &digits[..12], &digits[digits.len() - 12..], digits.len());
    println!("a prime: {}", mersenne.gmpz_probab_prime_p(25)? > 0);

    let (a, b, shared) = (number(&gmp, 2_310)?, number(&gmp, 1_540)?, number(&gmp, 0)?);
    shared.gmpz_gcd(&a, &b)?;
    println!("gcd(2310, 1540) = {}", shared.gmpz_get_str(10)?);

    let mut fraction = MpqStruct::new(&gmp);
    fraction.gmpq_init()?;
    fraction.gmpq_set_num(&b)?;
    fraction.gmpq_set_den(&a)?;
    fraction.gmpq_canonicalize()?;
    println!("1540/2310 = {}, about {:.4}", fraction.gmpq_get_str(10)?, fraction.gmpq_get_d()?);

    // What is no number is an error value, and what C would divide by is one too.
    match a.gmpz_set_str("12x", 10) {
        Ok(_) => println!("taken for a number"),
        Err(error) => println!("12x: {error}"),
    }
    let zero = number(&gmp, 0)?;
    match shared.gmpz_tdiv_q(&a, &zero) {
        Ok(()) => println!("divided by 0"),
        Err(error) => println!("a / 0: {}", error.kind()),
    }
    Ok(())
}

fn number(gmp: &Gmp, value: u64) -> hotcell::Result<MpzStruct> {
    let mut number = MpzStruct::new(gmp);
    number.gmpz_init_set_ui(value)?;
    Ok(number)
}

/// So many digits of π, by Machin's formula: 16 arctan(1/5) − 4 arctan(1/239).
fn pi(gmp: &Gmp, digits: u64) -> hotcell::Result<String> {
    const GUARD: u64 = 10;
    let one = number(gmp, 0)?;
    one.gmpz_ui_pow_ui(10, digits + GUARD)?;
    let (sum, other) = (arctan(gmp, &one, 5)?, arctan(gmp, &one, 239)?);
    sum.gmpz_mul_ui(&sum, 4)?;
    sum.gmpz_sub(&sum, &other)?;
    sum.gmpz_mul_ui(&sum, 4)?;
    let text = sum.gmpz_get_str(10)?;
    Ok(format!("{}.{}", &text[..1], &text[1..=digits as usize]))
}

/// arctan(1/x), as a multiple of `one`.
fn arctan(gmp: &Gmp, one: &MpzStruct, x: u64) -> hotcell::Result<MpzStruct> {
    let (power, term, sum) = (number(gmp, 0)?, number(gmp, 0)?, number(gmp, 0)?);
    power.gmpz_tdiv_q_ui(one, x)?;
    for odd in (1..).step_by(2) {
        term.gmpz_tdiv_q_ui(&power, odd)?;
        if term.gmpz_cmp_ui(0)? == 0 {
            break;
        }
        match odd % 4 {
            1 => sum.gmpz_add(&sum, &term)?,
            _ => sum.gmpz_sub(&sum, &term)?,
        }
        power.gmpz_tdiv_q_ui(&power, x * x)?;
    }
    Ok(sum)
}

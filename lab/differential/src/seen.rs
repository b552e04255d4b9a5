//! What came of a step, in the same words for both sides.

use std::fmt;

use serde_json::Value as Json;

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// It returned.
    Returned {
        /// The returned value; null for `void` and for what only carries a status or a length.
        returned: Seen,
        /// What parameters were filled with, in C order.
        outs: Vec<(String, Seen)>,
    },
    /// The library reported failure.
    Failed {
        /// The code.
        code: i64,
        /// The library's text.
        message: Option<String>,
        /// `errno` right after the call.
        errno: i64,
    },
    /// An argument was refused; the function was not called.
    Refused,
    /// A text of the library is not in its encoding.
    BadEncoding,
    /// The library claims what cannot be.
    Lied,
    /// A signal ended the process.
    Signal(i32),
    /// The library ended the process.
    Exited(i32),
    /// It did not return in time.
    Hung,
    /// Anything else: of the contained side only.
    Other(String),
}

/// A value that came back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Seen {
    /// NULL or nothing.
    Null,
    /// An integer.
    Int(i128),
    /// The bits of a floating-point number; one pattern for all that are no number.
    Float(u64),
    /// Bytes, by their length, checksum and beginning.
    Data {
        /// Bytes.
        length: usize,
        /// FNV-1a.
        sum: u64,
        /// The first of them.
        start: Vec<u8>,
    },
}

/// Bytes of data that are kept.
const KEPT: usize = 48;

impl Seen {
    /// A floating-point number.
    pub(crate) fn float(number: f64) -> Seen {
        Seen::Float(if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() })
    }

    /// Data.
    pub(crate) fn data(bytes: &[u8]) -> Seen {
        let start = bytes[..bytes.len().min(KEPT)].to_vec();
        Seen::Data { length: bytes.len(), sum: checksum(bytes), start }
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// Reads a line of the direct side. `None` is a line that is not whole.
pub(crate) fn read(line: &str) -> Option<Outcome> {
    let line: Json = serde_json::from_str(line).ok()?;
    if line.get("refused").is_some() {
        return Some(Outcome::Refused);
    }
    if line.get("lied").is_some() {
        return Some(Outcome::Lied);
    }
    if let Some(failed) = line.get("failed") {
        let message = failed.get("message")?;
        let message = match message.is_null() {
            true => None,
            false => Some(String::from_utf8_lossy(&bytes(message.get("data")?)?).into_owned()),
        };
        let number = |key| failed.get(key)?.as_i64();
        return Some(Outcome::Failed { code: number("code")?, message, errno: number("errno")? });
    }
    let mut misread = false;
    let returned = value(line.get("returned")?, &mut misread)?;
    let outs = line.get("outs")?.as_array()?.iter().map(|out| {
        let name = out.get(0)?.as_str()?.to_owned();
        Some((name, value(out.get(1)?, &mut misread)?))
    });
    let outs = outs.collect::<Option<Vec<_>>>()?;
    Some(if misread { Outcome::BadEncoding } else { Outcome::Returned { returned, outs } })
}

/// `misread` becomes true when a text is not UTF-8.
fn value(json: &Json, misread: &mut bool) -> Option<Seen> {
    match json {
        Json::Null => return Some(Seen::Null),
        Json::Number(number) => {
            let number = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
            return number.map(Seen::Int);
        }
        _ => {}
    }
    if let Some(bits) = json.get("float") {
        return u64::from_str_radix(bits.as_str()?, 16).ok().map(|bits| Seen::float(f64::from_bits(bits)));
    }
    let text = json.get("text");
    let start = bytes(text.or_else(|| json.get("data"))?)?;
    if text.is_some() && std::str::from_utf8(&start).is_err_and(|error| error.error_len().is_some()) {
        *misread = true;
    }
    let Some(length) = json.get("length") else { return Some(Seen::data(&start)) };
    let sum = u64::from_str_radix(json.get("sum")?.as_str()?, 16).ok()?;
    let length = usize::try_from(length.as_u64()?).ok()?;
    Some(Seen::Data { length, sum, start: start[..start.len().min(KEPT)].to_vec() })
}

fn bytes(hexadecimal: &Json) -> Option<Vec<u8>> {
    let digits = hexadecimal.as_str()?.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

impl Outcome {
    /// Whether the process is gone, or its memory is not to be trusted.
    pub(crate) fn ends_process(&self) -> bool {
        matches!(self, Outcome::Lied | Outcome::Signal(_) | Outcome::Exited(_) | Outcome::Hung)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Returned { returned, outs } => {
                write!(f, "returned {returned}")?;
                outs.iter().try_for_each(|(name, value)| write!(f, ", {name} = {value}"))
            }
            Outcome::Failed { code, message, errno } => {
                write!(f, "failed with code {code}, errno {errno}")?;
                message.iter().try_for_each(|text| write!(f, ", {text:?}"))
            }
            Outcome::Refused => f.write_str("refused"),
            Outcome::BadEncoding => f.write_str("a text is not UTF-8"),
            Outcome::Lied => f.write_str("the library claims what cannot be"),
            Outcome::Signal(number) => write!(f, "ended by signal {number}"),
            Outcome::Exited(status) => write!(f, "ended with status {status}"),
            Outcome::Hung => f.write_str("did not return"),
            Outcome::Other(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Seen::Null => f.write_str("null"),
            Seen::Int(number) => write!(f, "{number}"),
            Seen::Float(bits) => write!(f, "{:?}", f64::from_bits(*bits)),
            Seen::Data { length, sum, start } => {
                write!(f, "'{}'", start.escape_ascii())?;
                if *length > start.len() { write!(f, "… ({length} bytes, {sum:016x})") } else { Ok(()) }
            }
        }
    }
}

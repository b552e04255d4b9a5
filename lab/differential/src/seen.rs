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
        /// Its name in the header.
        symbol: Option<String>,
        /// The library's text.
        message: Option<String>,
        /// `errno` right after the call.
        errno: i64,
        /// What is there all the same, in C order.
        outs: Vec<(String, Seen)>,
    },
    /// The library called the application meanwhile.
    Called {
        /// What it told, call by call.
        calls: Vec<Vec<Seen>>,
        /// What came of the call then.
        then: Box<Outcome>,
    },
    /// An argument was refused; the function was not called.
    Refused,
    /// An object that was to be passed is gone; the function was not called.
    Stale,
    /// An object that was to be passed never came to be; the function was not called.
    Absent,
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
    /// An object, by the first number it had.
    Object(usize),
    /// Fields.
    Struct(Vec<(String, Seen)>),
    /// Texts.
    List(Vec<Seen>),
    /// What came of the calls that a callback made, by the function.
    Did(Vec<(String, Outcome)>),
    /// Anything else: of the contained side only.
    Other(String),
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
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// Reads a line of the direct side. `None` is a line that is not whole.
pub(crate) fn read(line: &str) -> Option<Outcome> {
    whole(&serde_json::from_str(line).ok()?)
}

/// What came of one call.
fn whole(json: &Json) -> Option<Outcome> {
    let mut reading = Reading { misread: false };
    let outcome = reading.outcome(json)?;
    Some(if reading.misread { Outcome::BadEncoding } else { outcome })
}

struct Reading {
    /// Whether a text is not UTF-8.
    misread: bool,
}

impl Reading {
    fn outcome(&mut self, line: &Json) -> Option<Outcome> {
        for (word, outcome) in [
            ("refused", Outcome::Refused),
            ("lied", Outcome::Lied),
            ("stale", Outcome::Stale),
            ("absent", Outcome::Absent),
        ] {
            if line.get(word).is_some() {
                return Some(outcome);
            }
        }
        if let Some(calls) = line.get("calls") {
            let call = |call: &Json, it: &mut Self| {
                call.as_array()?.iter().map(|json| it.value(json)).collect::<Option<Vec<_>>>()
            };
            let calls = calls.as_array()?.iter().map(|json| call(json, self)).collect::<Option<Vec<_>>>()?;
            return Some(Outcome::Called { calls, then: Box::new(self.outcome(line.get("then")?)?) });
        }
        if let Some(failed) = line.get("failed") {
            let message = failed.get("message")?;
            let message = match message.is_null() {
                true => None,
                false => Some(String::from_utf8_lossy(&bytes(message.get("data")?)?).into_owned()),
            };
            let number = |key| failed.get(key)?.as_i64();
            let symbol = failed.get("symbol")?.as_str().map(str::to_owned);
            let (code, errno) = (number("code")?, number("errno")?);
            let outs = self.named(failed.get("outs")?)?;
            // What is not in its encoding comes with an error as bytes.
            self.misread = false;
            return Some(Outcome::Failed { code, symbol, message, errno, outs });
        }
        let returned = self.value(line.get("returned")?)?;
        Some(Outcome::Returned { returned, outs: self.named(line.get("outs")?)? })
    }

    fn named(&mut self, json: &Json) -> Option<Vec<(String, Seen)>> {
        let pairs = json.as_array()?.iter();
        pairs.map(|pair| Some((pair.get(0)?.as_str()?.to_owned(), self.value(pair.get(1)?)?))).collect()
    }

    fn value(&mut self, json: &Json) -> Option<Seen> {
        match json {
            Json::Null => return Some(Seen::Null),
            Json::Number(number) => {
                let number = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
                return number.map(Seen::Int);
            }
            Json::Array(list) => {
                return list.iter().map(|it| self.value(it)).collect::<Option<Vec<_>>>().map(Seen::List);
            }
            _ => {}
        }
        if let Some(bits) = json.get("float") {
            let bits = u64::from_str_radix(bits.as_str()?, 16).ok();
            return bits.map(|bits| Seen::float(f64::from_bits(bits)));
        }
        if let Some(number) = json.get("object") {
            return Some(Seen::Object(usize::try_from(number.as_u64()?).ok()?));
        }
        if let Some(fields) = json.get("struct") {
            return self.named(fields).map(Seen::Struct);
        }
        if let Some(calls) = json.get("did") {
            let call = |call: &Json| Some((call.get(0)?.as_str()?.to_owned(), whole(call.get(1)?)?));
            return calls.as_array()?.iter().map(call).collect::<Option<_>>().map(Seen::Did);
        }
        let text = json.get("text");
        let start = bytes(text.or_else(|| json.get("data"))?)?;
        let whole = json.get("length").is_none();
        let damaged = |error: std::str::Utf8Error| whole || error.error_len().is_some();
        self.misread |= text.is_some() && std::str::from_utf8(&start).is_err_and(damaged);
        let Some(length) = json.get("length") else { return Some(Seen::data(&start)) };
        let sum = u64::from_str_radix(json.get("sum")?.as_str()?, 16).ok()?;
        let length = usize::try_from(length.as_u64()?).ok()?;
        Some(Seen::Data { length, sum, start: start[..start.len().min(KEPT)].to_vec() })
    }
}

fn bytes(hexadecimal: &Json) -> Option<Vec<u8>> {
    let digits = hexadecimal.as_str()?.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

impl Outcome {
    /// Leaves the sign of a number that was returned.
    pub(crate) fn sign(&mut self) {
        match self {
            Outcome::Returned { returned: Seen::Int(number), .. } => *number = number.signum(),
            Outcome::Called { then, .. } => then.sign(),
            _ => {}
        }
    }

    /// Whether the function was called.
    pub(crate) fn is_call(&self) -> bool {
        !matches!(self, Outcome::Refused | Outcome::Stale | Outcome::Absent | Outcome::Other(_))
    }

    /// The functions that callbacks called, and were not kept from.
    pub(crate) fn called_inside(&self) -> Vec<&str> {
        let Outcome::Called { calls, then } = self else { return Vec::new() };
        let did = calls.iter().flatten().filter_map(|seen| match seen {
            Seen::Did(calls) => Some(calls),
            _ => None,
        });
        let mut names = then.called_inside();
        for (function, outcome) in did.flatten() {
            names.extend(outcome.is_call().then_some(function.as_str()));
            names.extend(outcome.called_inside());
        }
        names
    }

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
            Outcome::Failed { code, symbol, message, errno, outs } => {
                write!(f, "failed with code {code}, errno {errno}")?;
                symbol.iter().try_for_each(|name| write!(f, ", {name}"))?;
                message.iter().try_for_each(|text| write!(f, ", {text:?}"))?;
                outs.iter().try_for_each(|(name, value)| write!(f, ", {name} = {value}"))
            }
            Outcome::Called { calls, then } => {
                let mark = if calls.len() > 3 { ", …" } else { "" };
                let calls = calls.iter().take(3).map(|call| format!("({})", list(call))).collect::<Vec<_>>();
                write!(f, "called back with {}{mark}, then {then}", calls.join(", "))
            }
            Outcome::Refused => f.write_str("refused"),
            Outcome::Stale => f.write_str("an object is gone"),
            Outcome::Absent => f.write_str("an object was never made"),
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
            Seen::Object(number) => write!(f, "object {number}"),
            Seen::Struct(fields) => {
                let fields: Vec<String> = fields.iter().map(|(name, it)| format!("{name}: {it}")).collect();
                write!(f, "{{{}}}", fields.join(", "))
            }
            Seen::List(items) => write!(f, "[{}]", list(items)),
            Seen::Did(calls) => {
                let calls = calls.iter().map(|(function, outcome)| format!("{function}: {outcome}"));
                write!(f, "{{{}}}", calls.collect::<Vec<_>>().join("; "))
            }
            Seen::Other(text) => f.write_str(text),
        }
    }
}

fn list(items: &[Seen]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

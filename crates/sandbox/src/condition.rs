//! Comparisons of a system call's arguments, as policies and contracts write them: `arg1 & 0xf == 1 && arg2 != 0`.

use std::fmt;

/// One comparison. Arguments that point somewhere can be compared with 0 alone in a useful way: what lies in memory can
/// change after a filter has seen it, so none looks there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// Which argument, from 0.
    pub(crate) argument: u8,
    /// Whether all 64 bits count, or the 32 of C's `int`.
    pub(crate) wide: bool,
    /// The bits that count.
    pub(crate) mask: u64,
    pub(crate) operator: Operator,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// What an argument is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    Number(u64),
    /// The worker's process id, which is not known when filters are made.
    OwnPid,
}

impl Comparison {
    /// Whether it holds for these arguments, in a worker of this process id.
    pub(crate) fn holds(&self, arguments: &[u64; 6], pid: u32) -> bool {
        let argument = arguments[usize::from(self.argument)] & self.mask;
        let left = if self.wide { argument } else { argument & u64::from(u32::MAX) };
        let right = match self.value {
            Value::Number(number) => number,
            Value::OwnPid => pid.into(),
        };
        match self.operator {
            Operator::Equal => left == right,
            Operator::NotEqual => left != right,
            Operator::Less => left < right,
            Operator::AtMost => left <= right,
            Operator::Greater => left > right,
            Operator::AtLeast => left >= right,
        }
    }
}

/// What cannot be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no comparison such as `arg1 & 0xf == 1`, with arguments from arg0 to arg5", self.0)
    }
}

const OPERATORS: [(&str, Operator); 6] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// Comparisons that must all hold.
pub(crate) fn parse(text: &str) -> Result<Vec<Comparison>, Unreadable> {
    text.split("&&")
        .map(|part| comparison(part.trim()).ok_or_else(|| Unreadable(part.trim().to_owned())))
        .collect()
}

fn comparison(text: &str) -> Option<Comparison> {
    let (sign, operator) = *OPERATORS.iter().find(|(sign, _)| text.contains(sign))?;
    let (left, right) = text.split_once(sign)?;
    let (name, mask) = match left.split_once('&') {
        Some((name, mask)) => (name, number(mask)?),
        None => (left, u64::MAX),
    };
    let (name, wide) = match name.trim().split_once(':') {
        Some((name, "64")) => (name, true),
        Some(_) => return None,
        None => (name.trim(), false),
    };
    let argument: u8 = name.strip_prefix("arg")?.parse().ok().filter(|&argument| argument < 6)?;
    let value = match right.trim() {
        "self" if !wide && mask == u64::MAX => Value::OwnPid,
        "self" => return None,
        text => Value::Number(number(text)?),
    };
    let fits = |bits: u64| wide || u32::try_from(bits).is_ok();
    let compared = match value {
        Value::Number(number) => number,
        Value::OwnPid => 0,
    };
    let mask = if wide || mask != u64::MAX { mask } else { u64::from(u32::MAX) };
    (fits(mask) && fits(compared)).then_some(Comparison { argument, wide, mask, operator, value })
}

/// Decimal, or hexadecimal behind `0x`.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(argument: u8, operator: Operator, value: Value) -> Comparison {
        Comparison { argument, wide: false, mask: u32::MAX.into(), operator, value }
    }

    #[test]
    fn comparisons_are_read() {
        for (text, expect) in [
            ("arg0 == self", vec![plain(0, Operator::Equal, Value::OwnPid)]),
            ("arg5!=0x10", vec![plain(5, Operator::NotEqual, Value::Number(16))]),
            (
                "arg1 & 0xf == 1 && arg2 >= 7",
                vec![
                    Comparison { mask: 15, ..plain(1, Operator::Equal, Value::Number(1)) },
                    plain(2, Operator::AtLeast, Value::Number(7)),
                ],
            ),
            (
                "arg3:64 < 0x100000000",
                vec![Comparison {
                    wide: true,
                    mask: u64::MAX,
                    ..plain(3, Operator::Less, Value::Number(1 << 32))
                }],
            ),
        ] {
            assert_eq!(parse(text), Ok(expect), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "arg0",
            "arg6 == 1",
            "arg == 1",
            "arg0 = 1",
            "arg0 == ",
            "arg0 == one",
            "arg0:32 == 1",
            "arg0 & == 1",
            "arg0 == -1",
            "arg0 == 0x100000000",
            "arg0 & 0x100000000 == 0",
            "arg0:64 == self",
            "arg0 == 1 &&",
            "arg0 == 1 || arg0 == 2",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

//! Text to tokens.

use std::ops::Range;

use hotcell_model::expr::Op;

use crate::expression::Wrong;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Int(u64),
    Name(String),
    Op(Op),
    Open,
    Close,
    Comma,
    Dot,
    /// The text between the parentheses of `sizeof(…)`.
    SizeOf(String),
}

/// All tokens of a text.
pub(crate) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, Wrong> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (token, length) = if c.is_ascii_digit() {
            let length = run(rest, |c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
            (Token::Int(integer(&rest[..length], at)?), length)
        } else if c.is_ascii_alphabetic() || c == '_' {
            let length = run(rest, |c| c.is_ascii_alphanumeric() || c == '_');
            match &rest[..length] {
                "sizeof" => size_of(rest, at)?,
                name => (Token::Name(name.to_owned()), length),
            }
        } else {
            symbol(rest).ok_or_else(|| foreign(rest, at))?
        };
        out.push((token, at..at + length));
        at += length;
    }
    Ok(out)
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn symbol(rest: &str) -> Option<(Token, usize)> {
    let two =
        [("==", Op::Eq), ("!=", Op::Ne), ("<=", Op::Le), (">=", Op::Ge), ("&&", Op::And), ("||", Op::Or)];
    if let Some((text, op)) = two.into_iter().find(|(text, _)| rest.starts_with(text)) {
        return Some((Token::Op(op), text.len()));
    }
    if rest.starts_with("<<") || rest.starts_with(">>") {
        return None;
    }
    let token = match rest.as_bytes()[0] {
        b'+' => Token::Op(Op::Add),
        b'-' => Token::Op(Op::Sub),
        b'*' => Token::Op(Op::Mul),
        b'/' => Token::Op(Op::Div),
        b'<' => Token::Op(Op::Lt),
        b'>' => Token::Op(Op::Gt),
        b'(' => Token::Open,
        b')' => Token::Close,
        b',' => Token::Comma,
        b'.' => Token::Dot,
        _ => return None,
    };
    Some((token, 1))
}

fn foreign(rest: &str, at: usize) -> Wrong {
    let first = rest.chars().next().unwrap_or(' ');
    let help = match first {
        '=' => Some("write `==` to compare"),
        '!' => Some("write `x == 0` for `!x`"),
        '&' => Some("write `&&` for \"and\""),
        '|' => Some("write `||` for \"or\""),
        _ => None,
    };
    let known = "an expression has integers, names, fields, calls, `sizeof(type)`, + - * / == != < <= > >= && || and parentheses";
    let length = if rest.starts_with("<<") || rest.starts_with(">>") { 2 } else { first.len_utf8() };
    Wrong {
        span: at..at + length,
        message: format!("`{}` means nothing in an expression", &rest[..length]),
        help: Some(help.unwrap_or(known).to_owned()),
    }
}

fn integer(text: &str, at: usize) -> Result<u64, Wrong> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let wrong = |message: String, help: &str| {
        Err(Wrong { span: at..at + text.len(), message, help: Some(help.to_owned()) })
    };
    if radix == 10
        && digits.len() > 1
        && digits.starts_with('0')
        && digits.bytes().all(|b| b.is_ascii_digit())
    {
        return wrong(format!("`{text}` is octal in C"), "write it in decimal or as `0x…`");
    }
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return wrong(format!("`{text}` is no integer"), "write digits only, or `0x` and hexadecimal digits");
    }
    match u64::from_str_radix(digits, radix) {
        Ok(value) => Ok(value),
        Err(_) => wrong(format!("`{text}` is too big"), "integers have 64 bits"),
    }
}

/// `sizeof ( type )`.
fn size_of(rest: &str, at: usize) -> Result<(Token, usize), Wrong> {
    let after = "sizeof".len() + run(&rest["sizeof".len()..], char::is_whitespace);
    let wrong = |message: &str, end: usize| Wrong {
        span: at..at + end,
        message: message.to_owned(),
        help: Some("write `sizeof(type)`, as in `sizeof(struct stat)`".to_owned()),
    };
    if !rest[after..].starts_with('(') {
        return Err(wrong("`sizeof` needs a type in parentheses", "sizeof".len()));
    }
    let close = rest[after..].find(')').ok_or_else(|| wrong("`sizeof(` is not closed", rest.len()))?;
    let inner = &rest[after + 1..after + close];
    let ctype = inner.split_whitespace().collect::<Vec<_>>().join(" ");
    let letters = ctype.chars().all(|c| c.is_ascii_alphanumeric() || "_ *".contains(c));
    if !letters || !ctype.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Err(wrong("this is no type", after + close + 1));
    }
    Ok((Token::SizeOf(ctype), after + close + 1))
}

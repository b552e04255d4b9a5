//! Tokens to expressions, by precedence.

use std::ops::Range;

use hotcell_model::expr::Op;

use crate::expression::lexer::{Token, tokens};
use crate::expression::{Kind, Node, Wrong, precedence};

/// More would be a mistake, and deep trees exhaust the stack.
const MOST_TOKENS: usize = 256;

/// Parses the whole text.
pub(crate) fn parse(text: &str) -> Result<Node, Wrong> {
    let tokens = tokens(text)?;
    if tokens.len() > MOST_TOKENS {
        let message = format!("an expression has at most {MOST_TOKENS} parts");
        return Err(Wrong { span: tokens[MOST_TOKENS].1.clone(), message, help: None });
    }
    let mut parser = Parser { tokens, at: 0, end: text.len() };
    let node = parser.expression(1)?;
    match parser.peek() {
        None => Ok(node),
        Some((Token::Close, _)) => Err(parser.wrong("this `)` closes nothing")),
        Some(_) => Err(parser.wrong("an operator is missing before this")),
    }
}

struct Parser {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&(Token, Range<usize>)> {
        self.tokens.get(self.at)
    }

    /// An error at the next token, or behind the last.
    fn wrong(&self, message: &str) -> Wrong {
        let span = match self.peek() {
            Some((_, span)) => span.clone(),
            None => self.end..self.end,
        };
        Wrong { span, message: message.to_owned(), help: None }
    }

    fn eat(&mut self, token: &Token) -> Option<Range<usize>> {
        let span = self.peek().filter(|(next, _)| next == token).map(|(_, span)| span.clone())?;
        self.at += 1;
        Some(span)
    }

    fn expression(&mut self, least: u8) -> Result<Node, Wrong> {
        let mut left = self.operand()?;
        while let Some((Token::Op(op), _)) = self.peek() {
            let op = *op;
            if precedence(op) < least {
                break;
            }
            self.at += 1;
            let right = self.expression(precedence(op) + 1)?;
            let span = left.span.start..right.span.end;
            left = Node { kind: Kind::Binary(op, Box::new(left), Box::new(right)), span };
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Node, Wrong> {
        let Some((token, span)) = self.peek().cloned() else {
            return Err(self.wrong(if self.at == 0 {
                "an expression is missing"
            } else {
                "the expression ends too early"
            }));
        };
        let kind = match token {
            Token::Op(Op::Sub) => return self.negative(span),
            Token::Open => return self.parenthesised(span),
            Token::Int(value) => Kind::Int(value.into()),
            Token::SizeOf(ctype) => Kind::SizeOf(ctype),
            Token::Name(name) => {
                self.at += 1;
                return self.name(name, span);
            }
            _ => return Err(self.wrong("a number, a name or `(` must stand here")),
        };
        self.at += 1;
        Ok(Node { kind, span })
    }

    /// `-` and its operand: a negative integer, or 0 minus it.
    fn negative(&mut self, minus: Range<usize>) -> Result<Node, Wrong> {
        self.at += 1;
        if let Some((Token::Int(value), span)) = self.peek().cloned() {
            self.at += 1;
            let value = -i128::from(value);
            if value < i64::MIN.into() {
                let span = minus.start..span.end;
                return Err(Wrong { message: "this integer is too small".into(), ..self.at_span(span) });
            }
            return Ok(Node { kind: Kind::Int(value), span: minus.start..span.end });
        }
        let operand = self.operand()?;
        let span = minus.start..operand.span.end;
        let zero = Node { kind: Kind::Int(0), span: minus };
        Ok(Node { kind: Kind::Binary(Op::Sub, Box::new(zero), Box::new(operand)), span })
    }

    fn parenthesised(&mut self, open: Range<usize>) -> Result<Node, Wrong> {
        self.at += 1;
        let inner = self.expression(1)?;
        match self.eat(&Token::Close) {
            Some(close) => Ok(Node { span: open.start..close.end, ..inner }),
            None if self.peek().is_some() => Err(self.wrong("a `)` is missing before this")),
            None => Err(Wrong { message: "this `(` is not closed".into(), ..self.at_span(open) }),
        }
    }

    fn at_span(&self, span: Range<usize>) -> Wrong {
        Wrong { span, ..self.wrong("") }
    }

    fn name(&mut self, name: String, span: Range<usize>) -> Result<Node, Wrong> {
        if let Some((Token::Dot, _)) = self.peek() {
            return self.field(name, span);
        }
        let Some(open) = self.eat(&Token::Open) else {
            let kind = match name.as_str() {
                "result" => Kind::Result,
                "errno" => Kind::Errno,
                _ => Kind::Name(name),
            };
            return Ok(Node { kind, span });
        };
        let mut args = Vec::new();
        let close = loop {
            if args.is_empty()
                && let Some(close) = self.eat(&Token::Close)
            {
                break close;
            }
            args.push(self.expression(1)?);
            if let Some(close) = self.eat(&Token::Close) {
                break close;
            }
            if self.eat(&Token::Comma).is_none() {
                return Err(match self.peek() {
                    Some(_) => self.wrong("a `,` or `)` must stand here"),
                    None => Wrong { message: "this `(` is not closed".into(), ..self.at_span(open) },
                });
            }
        };
        Ok(Node { kind: Kind::Call(name, args), span: span.start..close.end })
    }

    /// The fields behind an object, and behind the structures inside.
    fn field(&mut self, object: String, span: Range<usize>) -> Result<Node, Wrong> {
        let (mut path, mut end) = (Vec::new(), span.end);
        while self.eat(&Token::Dot).is_some() {
            let Some((Token::Name(field), place)) = self.peek().cloned() else {
                return Err(self.wrong("the name of a field must stand here"));
            };
            self.at += 1;
            path.push(field);
            end = place.end;
        }
        Ok(Node { kind: Kind::Field(object, path.join(".")), span: span.start..end })
    }
}

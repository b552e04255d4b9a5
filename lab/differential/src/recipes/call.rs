//! The notation of a step: `name = function(1, 'text', x'00ff', A | B, $object, {field: 2}, call(0), null)`.
//! A callback may make calls itself: `call(0, object, _, list) { function($object, $list0); * }`.

/// A step as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    /// The name that the object it hands out gets.
    pub(crate) keep: Option<String>,
    pub(crate) function: String,
    pub(crate) args: Vec<Word>,
}

/// An argument as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Word {
    Null,
    Int(i128),
    Float(f64),
    /// The bytes of a text or buffer.
    Bytes(Vec<u8>),
    /// Constants joined by `|`.
    Constant(String),
    Texts(Vec<Word>),
    Struct(Vec<(String, Word)>),
    /// An object by its name, with the fields that change where it is a resident structure.
    Object(String, Option<Vec<(String, Word)>>),
    Callback(Callback),
}

/// A callback as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Callback {
    pub(crate) returns: i64,
    /// What its parameters are called in its steps.
    pub(crate) names: Vec<String>,
    pub(crate) steps: Vec<Call>,
}

/// The name of the step that stands for the call of a case.
pub(crate) const HERE: &str = "*";

impl Call {
    /// Whether the call of a case belongs inside of a callback of this one.
    pub(crate) fn holds_another(&self) -> bool {
        let mut callbacks = self.args.iter().filter_map(|word| match word {
            Word::Callback(callback) => Some(callback),
            _ => None,
        });
        callbacks.any(|it| it.steps.iter().any(|step| step.function == HERE || step.holds_another()))
    }
}

/// Reads a step.
pub(crate) fn call(text: &str) -> Result<Call, String> {
    let mut reader = Reader { rest: text, whole: text };
    let call = reader.call()?;
    reader.end()?;
    Ok(call)
}

/// Reads a value.
pub(crate) fn word(text: &str) -> Result<Word, String> {
    let mut reader = Reader { rest: text, whole: text };
    let word = reader.word()?;
    reader.end()?;
    Ok(word)
}

struct Reader<'a> {
    rest: &'a str,
    whole: &'a str,
}

impl<'a> Reader<'a> {
    fn wrong(&self, what: &str) -> String {
        let at = self.whole.len() - self.rest.len();
        format!("`{}`: {what} expected at `{}`", self.whole, &self.whole[at..])
    }

    /// Passes over a mark if it is there.
    fn skip(&mut self, mark: &str) -> bool {
        let rest = self.rest.trim_start();
        let Some(behind) = rest.strip_prefix(mark) else { return false };
        self.rest = behind;
        true
    }

    fn expect(&mut self, mark: &str) -> Result<(), String> {
        if self.skip(mark) { Ok(()) } else { Err(self.wrong(&format!("`{mark}`"))) }
    }

    fn end(&self) -> Result<(), String> {
        if self.rest.trim().is_empty() { Ok(()) } else { Err(self.wrong("the end")) }
    }

    fn run(&mut self, part: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest.trim_start();
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
        self.rest = &rest[end..];
        &rest[..end]
    }

    fn name(&mut self) -> Result<String, String> {
        let name = self.run(|c| c.is_alphanumeric() || c == '_');
        if name.is_empty() { Err(self.wrong("a name")) } else { Ok(name.to_owned()) }
    }

    fn call(&mut self) -> Result<Call, String> {
        let first = self.name()?;
        let (keep, function) = match self.skip("=") {
            true => (Some(first), self.name()?),
            false => (None, first),
        };
        self.expect("(")?;
        Ok(Call { keep, function, args: self.list(")", Reader::word)? })
    }

    /// A step of a callback.
    fn step(&mut self) -> Result<Call, String> {
        match self.skip(HERE) {
            true => Ok(Call { keep: None, function: HERE.to_owned(), args: Vec::new() }),
            false => self.call(),
        }
    }

    fn callback(&mut self) -> Result<Callback, String> {
        self.expect("(")?;
        let returns = self.integer()?;
        let returns = i64::try_from(returns).map_err(|_| self.wrong("a number of 64 bits"))?;
        let names = match self.skip(",") {
            true => self.list(")", Reader::name)?,
            false => self.expect(")").map(|()| Vec::new())?,
        };
        let steps = if self.skip("{") { self.separated("}", ";", Reader::step)? } else { Vec::new() };
        Ok(Callback { returns, names, steps })
    }

    fn list<T>(&mut self, end: &str, item: fn(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        self.separated(end, ",", item)
    }

    fn separated<T>(
        &mut self,
        end: &str,
        mark: &str,
        item: fn(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let mut items = Vec::new();
        while !self.skip(end) {
            if !items.is_empty() {
                self.expect(mark)?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn word(&mut self) -> Result<Word, String> {
        if self.skip("[") {
            return self.list("]", Reader::word).map(Word::Texts);
        }
        if self.skip("{") {
            return self.list("}", Reader::field).map(Word::Struct);
        }
        if self.skip("$") {
            // `$` alone is the object that is observed.
            let name = self.run(|c| c.is_alphanumeric() || c == '_').to_owned();
            let fields = if self.skip("{") { Some(self.list("}", Reader::field)?) } else { None };
            return Ok(Word::Object(name, fields));
        }
        if self.skip("x'") {
            let digits = self.run(|c| c.is_ascii_hexdigit() || c == ' ').replace(' ', "");
            self.expect("'")?;
            return self.hexadecimal(&digits).map(Word::Bytes);
        }
        if self.skip("'") {
            let text = self.text()?;
            let times = if self.skip("*") { self.integer()? } else { 1 };
            let times = usize::try_from(times).map_err(|_| self.wrong("a count"))?;
            return Ok(Word::Bytes(text.repeat(times)));
        }
        let plain = self.run(|c| c.is_alphanumeric() || "_.+-".contains(c));
        match plain {
            "" => Err(self.wrong("a value")),
            "null" => Ok(Word::Null),
            "call" => self.callback().map(Word::Callback),
            number if number.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') => {
                let float = || number.parse().map(Word::Float).map_err(|_| self.wrong("a number"));
                integer(number).map_or_else(float, |number| Ok(Word::Int(number)))
            }
            "inf" => Ok(Word::Float(f64::INFINITY)),
            "nan" => Ok(Word::Float(f64::NAN)),
            name => {
                let mut constant = name.to_owned();
                while self.skip("|") {
                    constant.push_str(" | ");
                    constant.push_str(&self.name()?);
                }
                Ok(Word::Constant(constant))
            }
        }
    }

    fn field(&mut self) -> Result<(String, Word), String> {
        let name = self.name()?;
        self.expect(":")?;
        Ok((name, self.word()?))
    }

    fn integer(&mut self) -> Result<i128, String> {
        let text = self.run(|c| c.is_alphanumeric() || c == '-');
        integer(text).ok_or_else(|| self.wrong("an integer"))
    }

    /// Up to the closing quote; `''` is one, and `\n`, `\t`, `\\`, `\0` are what they are in C.
    fn text(&mut self) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let mut characters = self.rest.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            match character {
                '\'' if characters.next_if(|(_, next)| *next == '\'').is_none() => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(bytes);
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => bytes.push(b'\n'),
                    Some((_, 't')) => bytes.push(b'\t'),
                    Some((_, '0')) => bytes.push(0),
                    Some((_, '\\')) => bytes.push(b'\\'),
                    _ => return Err(self.wrong("`\\n`, `\\t`, `\\0` or `\\\\`")),
                },
                other => bytes.extend(other.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        Err(self.wrong("`'`"))
    }

    fn hexadecimal(&self, digits: &str) -> Result<Vec<u8>, String> {
        let pairs = digits.as_bytes().chunks(2);
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let bytes: Option<Vec<u8>> = pairs.map(|pair| byte(pair).filter(|_| pair.len() == 2)).collect();
        bytes.ok_or_else(|| self.wrong("pairs of hexadecimal digits"))
    }
}

fn integer(text: &str) -> Option<i128> {
    match text.strip_prefix("0x") {
        Some(digits) => i128::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read() {
        let step = call(
            "db = open('a\\n''b' * 2, 0x10, -1.5, A | B, $x, [null], {n: 1}, $s{in: x'00 ff'}, call(-1))",
        );
        let step = step.unwrap();
        assert_eq!((step.keep.as_deref(), step.function.as_str()), (Some("db"), "open"));
        let object = |name: &str| Word::Object(name.into(), None);
        assert_eq!(
            step.args,
            [
                Word::Bytes(b"a\n'ba\n'b".to_vec()),
                Word::Int(16),
                Word::Float(-1.5),
                Word::Constant("A | B".into()),
                object("x"),
                Word::Texts(vec![Word::Null]),
                Word::Struct(vec![("n".into(), Word::Int(1))]),
                Word::Object("s".into(), Some(vec![("in".into(), Word::Bytes(vec![0, 255]))])),
                Word::Callback(Callback { returns: -1, names: Vec::new(), steps: Vec::new() }),
            ]
        );
        assert!(!step.holds_another());
        let step = call("keep($db, call(1, a, _, b) { x = get($a, 'ü'); put($b0, call(0) { * }) })").unwrap();
        let Word::Callback(outer) = &step.args[1] else { panic!("{step:?}") };
        assert_eq!((outer.returns, outer.names.as_slice()), (1, &["a", "_", "b"].map(str::to_owned)[..]));
        let get = Call { keep: Some("x".into()), ..call("get($a, 'ü')").unwrap() };
        assert_eq!(outer.steps[0], get);
        let Word::Callback(inner) = &outer.steps[1].args[1] else { panic!("{step:?}") };
        assert_eq!(inner.steps, [Call { keep: None, function: HERE.into(), args: vec![] }]);
        assert!(step.holds_another());
        assert_eq!(call("f()").unwrap(), Call { keep: None, function: "f".into(), args: vec![] });
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (text, expect) in [
            ("f(", "a value expected"),
            ("f(1 2)", "`,` expected at ` 2)`"),
            ("f('a)", "`'` expected"),
            ("f(x'0')", "pairs of hexadecimal digits expected"),
            ("f() g", "the end expected"),
            ("f(call(0) { g() h() })", "`;` expected"),
            ("f(call(0 a))", "`)` expected"),
            ("= f()", "a name expected"),
        ] {
            let error = call(text).unwrap_err();
            assert!(error.contains(expect), "{error}");
        }
    }
}

//! Comments that are written for Doxygen, and for those that read its commands: as prose.
//!
//! Commands that say what a paragraph is become words, those that say how a word looks go, and examples are set off. A backslash has
//! other meanings in prose about C: a word is taken for one of its commands where the comment has one that says what a paragraph is, or
//! where a name stands behind it. What is not known stays as it was typed.

/// A part of a comment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Prose, with what is indented in it.
    Words(String),
    /// An example: lines, without what all of them are indented by.
    Code(Vec<String>),
}

/// The parts of a comment. One without commands is a single one, as it is.
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    let is_written = text.lines().any(|line| {
        block(line).is_some() || lines(line).into_iter().skip(1).any(|line| line.starts_with('@'))
    });
    if !is_written {
        return vec![Piece::Words(plain(text, false))];
    }
    let mut reader = Reader::default();
    for line in text.lines() {
        if reader.example.is_some() {
            reader.line(line);
        } else {
            lines(line).into_iter().for_each(|line| reader.line(line));
        }
    }
    reader.end()
}

/// What a command says about the paragraph that begins with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Command {
    /// Nothing that would not be seen.
    Prose,
    /// What stands in front of the paragraph.
    Label(&'static str),
    /// The words on its line stand in front of the paragraph.
    Title,
    Param,
    /// One of the values that come back.
    Value,
    Item,
    Code,
    /// The line is about the documentation, or says what stands below it.
    Drop,
}

const RETURNS: &str = "Returns:";
const SEE: &str = "See also:";

fn command(word: &str) -> Option<Command> {
    Some(match word {
        "brief" | "short" | "details" => Command::Prose,
        "return" | "returns" | "result" => Command::Label(RETURNS),
        "see" | "sa" => Command::Label(SEE),
        "note" => Command::Label("Note:"),
        "warning" => Command::Label("Warning:"),
        "attention" => Command::Label("Attention:"),
        "remark" | "remarks" => Command::Label("Remark:"),
        "deprecated" => Command::Label("Deprecated:"),
        "since" => Command::Label("Since:"),
        "version" => Command::Label("Version:"),
        "author" | "authors" => Command::Label("Author:"),
        "bug" => Command::Label("Bug:"),
        "todo" => Command::Label("To do:"),
        "pre" => Command::Label("Before:"),
        "post" => Command::Label("Afterwards:"),
        "par" => Command::Title,
        "param" => Command::Param,
        "retval" => Command::Value,
        "li" | "arg" => Command::Item,
        "code" | "verbatim" => Command::Code,
        "ingroup" | "fn" | "struct" | "union" | "enum" | "typedef" | "def" | "var" => Command::Drop,
        _ => return None,
    })
}

/// The command that a line begins with, its word, and what stands behind it.
fn block(line: &str) -> Option<(Command, &str, &str)> {
    let line = line.trim();
    if matches!(line, "@{" | "@}" | "\\{" | "\\}") {
        return Some((Command::Drop, line, ""));
    }
    let named = line.strip_prefix(['@', '\\'])?;
    let end = named.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(named.len());
    let (word, rest) = named.split_at(end);
    let command = command(word)?;
    let rest = match command {
        // Tools that look for parameters by `@NAME:` have a word that can be none.
        _ if word == "return" => rest.strip_prefix(':').unwrap_or(rest),
        _ => rest,
    };
    let options = matches!(command, Command::Param | Command::Code) && rest.starts_with(['[', '{']);
    let ends = options || rest.is_empty() || rest.starts_with([' ', '\t']);
    let rest = rest.trim();
    // `@return != 0` speaks of what is returned.
    let speaks = command == Command::Label(RETURNS) && rest.starts_with(['=', '!', '<', '>']);
    let rest = match command {
        Command::Label(_) => rest.strip_prefix(": ").map_or(rest, str::trim_start),
        _ => rest,
    };
    (ends && !speaks).then_some((command, word, rest))
}

/// A line, broken in front of what says something of its own in its middle: of what is returned behind a sentence, or another command.
fn lines(line: &str) -> Vec<&str> {
    if matches!(block(line), Some((Command::Code, ..))) {
        return vec![line];
    }
    let mut out = Vec::new();
    let mut begin = 0;
    for (at, _) in line.match_indices(' ') {
        let before = line[begin..at].trim();
        let own = match block(&line[at + 1..]) {
            Some((Command::Param | Command::Value, ..)) => true,
            Some((Command::Label(RETURNS), ..)) => before.ends_with('.') || block(before).is_some(),
            _ => false,
        };
        if own && !before.is_empty() {
            out.push(&line[begin..at]);
            begin = at + 1;
        }
    }
    out.push(&line[begin..]);
    out
}

#[derive(Default)]
struct Reader {
    pieces: Vec<Piece>,
    words: Vec<String>,
    /// The command whose paragraph came last; it goes on until an empty line.
    last: Option<Command>,
    goes_on: bool,
    /// What is read of an example, and the word that ends it.
    example: Option<(String, Vec<String>)>,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let mut left = Some(line);
        while let Some(line) = left {
            left = match block(line) {
                _ if self.example.is_some() => self.example_line(line),
                Some((Command::Code, word, rest)) => self.begin_example(word, rest),
                read => {
                    self.words_line(line, read);
                    None
                }
            };
        }
    }

    fn words_line(&mut self, line: &str, read: Option<(Command, &str, &str)>) {
        match read {
            Some((command, _, rest)) => self.begin(command, &plain(rest, true)),
            None if line.trim().is_empty() => {
                self.goes_on = false;
                self.words.push(String::new());
            }
            None if self.goes_on && is_unknown(line) => {
                self.last = None;
                self.goes_on = false;
                self.paragraph(line.trim());
            }
            None => {
                let line = plain(line, true);
                match self.last.filter(|_| self.goes_on) {
                    Some(Command::Param | Command::Value | Command::Item) => {
                        self.words.push(format!("  {}", line.trim()));
                    }
                    Some(_) => {
                        self.begin_list(line.trim());
                        self.words.push(line.trim().to_owned());
                    }
                    None => {
                        self.last = None;
                        self.words.push(line.trim_end().to_owned());
                    }
                }
            }
        }
    }

    /// Begins an example, which may have its first line right there. What is in braces says in which language it is.
    fn begin_example<'l>(&mut self, word: &str, rest: &'l str) -> Option<&'l str> {
        let rest =
            rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or(rest, |it| it.1.trim());
        self.example = Some((format!("end{word}"), Vec::new()));
        self.example_line(rest)
    }

    fn begin(&mut self, command: Command, rest: &str) {
        match command {
            Command::Drop | Command::Code => return,
            Command::Prose => self.paragraph(rest),
            Command::Label(RETURNS) if rest.to_ascii_lowercase().starts_with("returns ") => {
                self.paragraph(rest)
            }
            Command::Label(label) if is_item(rest) => {
                self.paragraph(label);
                self.paragraph(rest);
            }
            Command::Label(SEE) if self.last == Some(command) && self.goes_on => {
                // Such paragraphs in a row are one.
                if let Some(line) = self.words.last_mut().filter(|line| line.ends_with(ends_name)) {
                    line.push(',');
                }
                self.words.push(rest.to_owned());
            }
            Command::Label(label) => self.paragraph(format!("{label} {rest}").trim_end()),
            Command::Title if rest.is_empty() => self.paragraph(""),
            Command::Title => self.paragraph(&format!("{rest}:")),
            Command::Param => self.item(command, &parameter(rest)),
            Command::Value => {
                if !matches!(self.last, Some(Command::Value | Command::Label(RETURNS))) {
                    self.paragraph(RETURNS);
                }
                self.item(command, &named(rest));
            }
            Command::Item => self.item(command, rest),
        }
        (self.last, self.goes_on) = (Some(command), true);
    }

    fn paragraph(&mut self, line: &str) {
        if self.words.last().is_some_and(|line| !line.is_empty()) {
            self.words.push(String::new());
        }
        if !line.is_empty() {
            self.words.push(line.to_owned());
        }
    }

    /// A list in a paragraph is one of its own.
    fn begin_list(&mut self, line: &str) {
        let paragraph = self.words.rsplit(String::is_empty).next().unwrap_or_default();
        if is_item(line) && !paragraph.is_empty() && !paragraph.iter().any(|line| is_item(line)) {
            self.words.push(String::new());
        }
    }

    /// An item of a list; one of the same kind right behind another is of the same list.
    fn item(&mut self, command: Command, text: &str) {
        if self.last == Some(command) {
            while self.words.last().is_some_and(String::is_empty) {
                self.words.pop();
            }
            self.words.push(format!("- {text}"));
        } else {
            self.paragraph(&format!("- {text}"));
        }
    }

    /// Reads a line of an example, and says what stands behind its end.
    fn example_line<'l>(&mut self, line: &'l str) -> Option<&'l str> {
        let (end, lines) = self.example.as_mut()?;
        let found = line.match_indices(['@', '\\']).find(|(at, _)| line[at + 1..].starts_with(end.as_str()));
        let Some((at, _)) = found else {
            lines.push(line.trim_end().to_owned());
            return None;
        };
        lines.push(line[..at].trim_end().to_owned());
        let behind = line[at + 1 + end.len()..].trim_start();
        self.set_off();
        (!behind.is_empty()).then_some(behind)
    }

    /// Ends the example that was read.
    fn set_off(&mut self) {
        let Some((_, mut lines)) = self.example.take() else { return };
        let words = self.words.join("\n");
        if !words.trim().is_empty() {
            self.pieces.push(Piece::Words(words));
        }
        self.words.clear();
        (self.last, self.goes_on) = (None, false);
        let filled = |lines: &[String]| lines.iter().filter(|line| !line.is_empty()).count();
        let margin =
            lines.iter().filter(|line| !line.is_empty()).map(|line| line.len() - line.trim_start().len());
        let margin = margin.min().unwrap_or(0);
        let without_margin = |line: &String| line.get(margin..).unwrap_or(line.trim_start()).to_owned();
        lines.iter_mut().for_each(|line| *line = without_margin(line));
        let begin = lines.iter().position(|line| !line.is_empty()).unwrap_or(0);
        let end = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |at| at + 1);
        if filled(&lines) > 0 {
            self.pieces.push(Piece::Code(lines[begin..end].to_vec()));
        }
    }

    fn end(mut self) -> Vec<Piece> {
        self.set_off();
        let words = self.words.join("\n");
        if !words.trim().is_empty() {
            self.pieces.push(Piece::Words(words));
        }
        self.pieces
    }
}

fn ends_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | ')')
}

/// Whether a line begins with a command that nobody here knows: what is in front of it ends there.
fn is_unknown(line: &str) -> bool {
    let named = line.trim().strip_prefix(['@', '\\']).unwrap_or_default();
    let word: &str = named.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    word.len() > 3 && !is_look(word)
}

/// Whether this says how the next word looks.
fn is_look(word: &str) -> bool {
    matches!(word, "c" | "p" | "a" | "b" | "e" | "em" | "ref")
}

fn is_item(line: &str) -> bool {
    line.starts_with("- ")
}

/// `[out] name text`, as an item.
fn parameter(rest: &str) -> String {
    let (way, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((way, rest)) => (way.replace(' ', ""), rest),
        None => (String::new(), rest),
    };
    let way = match way.as_str() {
        "out" => " (out)",
        "in,out" | "inout" | "out,in" => " (in and out)",
        _ => "",
    };
    let rest = rest.trim();
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (name, text) = rest.split_at(end);
    joined(&format!("{}{way}", name.trim_end_matches(':')), text)
}

/// `NAME text`, as an item.
fn named(rest: &str) -> String {
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (name, text) = rest.split_at(end);
    joined(name, text)
}

fn joined(name: &str, text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix("- ").or_else(|| text.strip_prefix(": ")).unwrap_or(text);
    if text.is_empty() { name.to_owned() } else { format!("{name}: {text}") }
}

/// A text without commands that say how the next word looks. In a comment of which nothing says that it `is_written` with commands, those
/// go that have a name of C behind them.
fn plain(text: &str, is_written: bool) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['@', '\\']) {
        let begins = rest[..at].chars().next_back().or(out.chars().next_back());
        let begins =
            begins.is_none_or(|before| before.is_whitespace() || matches!(before, '(' | '[' | '"' | '\''));
        let (before, named) = rest.split_at(at);
        out.push_str(before);
        let word = &named[1..];
        let end = word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len());
        let (word, behind) = word.split_at(end);
        let looks = is_look(word) && (is_written || matches!(word, "c" | "p"));
        let next = behind.strip_prefix(' ').and_then(|behind| {
            behind.split_whitespace().next().filter(|_| !behind.starts_with(char::is_whitespace))
        });
        if begins && looks && next.is_some_and(|next| is_written || is_name(next)) {
            rest = &behind[1..];
        } else {
            out.push_str(&named[..1]);
            rest = &named[1..];
        }
    }
    out + rest
}

/// Whether this is a name as C has them rather than a word.
fn is_name(word: &str) -> bool {
    let name = word.trim_end_matches(['.', ',', ';', ':', ')', '!', '?', '(']);
    let letters = name.chars().filter(char::is_ascii_uppercase).count();
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && (letters > 1 || name.contains('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Piece {
        Piece::Words(text.to_owned())
    }

    fn check(text: &str, expect: &str) {
        assert_eq!(pieces(text), [words(expect)], "{text}");
    }

    #[test]
    fn prose_stays_as_it_is() {
        for text in [
            "Matches \\p and \\P, and the \\a character.",
            "Write to someone@return.example, \\b, or @cnt.",
            "  indented\n    more\n\n\nend",
            "- @return gives the sum\n  if @return != 0, and for a: @return == 0\n@return == 0",
            "@result: where it goes\n@code: which",
            "%NULL or #GObject\n@note: the note\n@author(s) of it",
            "Never use \\return 5 here, nor \\param.",
            "\\n is a line's end, \\returning is no command",
            "",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn paragraphs_have_words_in_front() {
        check("@brief Adds numbers.\n\n\\details Slowly.", "Adds numbers.\n\nSlowly.");
        check("Adds.\n@return the sum,\n        or 0\nSee.", "Adds.\n\nReturns: the sum,\nor 0\nSee.");
        check("\\returns Returns the sum.", "Returns the sum.");
        check("@return return code", "Returns: return code");
        check("@return : the sum", "Returns: the sum");
        check("@return -1 on failure", "Returns: -1 on failure");
        check("Adds. @return the sum", "Adds.\n\nReturns: the sum");
        check("@return:\n  The sum.", "Returns:\nThe sum.");
        check("Adds.\n@note Slow.\n@sa sub(), mul()", "Adds.\n\nNote: Slow.\n\nSee also: sub(), mul()");
        check("@see sub()\n@see mul\n@stable 2.0\nSo.", "See also: sub(),\nmul\n\n@stable 2.0\nSo.");
        check("@deprecated use sum()", "Deprecated: use sum()");
        check("@par Example of it\nSo.", "Example of it:\nSo.");
        check("@ingroup numbers\n@{\n@brief Adds.", "Adds.");
        check("@enum colour\n@brief A colour.", "A colour.");
        check("@unknown Adds.\n@brief Adds.", "@unknown Adds.\n\nAdds.");
    }

    #[test]
    fn parameters_and_values_are_lists() {
        check(
            "Adds.\n@param[in] a the first\n   of two\n@param [out] b: the second\n\n@param[in, out] c - the third\n@param d",
            "Adds.\n\n- a: the first\n  of two\n- b (out): the second\n- c (in and out): the third\n- d",
        );
        check("Adds. @param a one @return the sum", "Adds.\n\n- a: one\n\nReturns: the sum");
        check(
            "@return how it went\n@retval 0 well\n@retval -1 not",
            "Returns: how it went\n\n- 0: well\n- -1: not",
        );
        check("@param a one\n@retval 0 well", "- a: one\n\nReturns:\n\n- 0: well");
        check("@return - 0: well\n   - 1: not,\n     at all", "Returns:\n\n- 0: well\n- 1: not,\nat all");
        check("@return One of:\n   - 0: well\n   - 1: not", "Returns: One of:\n\n- 0: well\n- 1: not");
        check("Is:\n@li one\n@li two\n\nBehind.", "Is:\n\n- one\n- two\n\nBehind.");
    }

    #[test]
    fn examples_are_set_off() {
        let code = |lines: &[&str]| Piece::Code(lines.iter().map(|line| (*line).to_owned()).collect());
        let text = "Adds:\n@code{.c}\n\n  int a = 1; // @param a\n    b();\n\n@endcode\nSo.";
        let expect = [words("Adds:"), code(&["int a = 1; // @param a", "  b();"]), words("So.")];
        assert_eq!(pieces(text), expect);
        assert_eq!(pieces("\\verbatim\na"), [code(&["a"])]);
        assert_eq!(pieces("So: @code f(); @endcode"), [words("So: @code f(); @endcode")]);
        assert_eq!(pieces("@code{.c} f(); @endcode So."), [code(&["f();"]), words("So.")]);
        assert_eq!(pieces("@code f();\n  g(); @endcode\n\nSo."), [code(&["f();", "  g();"]), words("\nSo.")]);
        assert_eq!(pieces("@code\n@endcode"), []);
        assert_eq!(pieces("@code\n \u{a0}a\n  b\n@endcode"), [code(&["a", "b"])]);
        let many = "@code a @endcode ".repeat(20_000);
        assert_eq!(pieces(&many).len(), 20_000);
    }

    #[test]
    fn words_lose_what_says_how_they_look() {
        check("@brief If \\a a (@c NULL) is \\em never \\ref b.", "If a (NULL) is never b.");
        check("Gets the \\c CXTranslationUnit or @c NULL.", "Gets the CXTranslationUnit or NULL.");
        check("Gets \\p a_b; \\a a_b, \\c word \\c", "Gets a_b; \\a a_b, \\c word \\c");
    }
}

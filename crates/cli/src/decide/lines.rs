//! The lines that are proposed for a function, and the readings of each.

mod readings;

use readings::Reading;

/// A line `KEY = VALUE`, of which somebody may have to choose a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// `params.NAME`, `result`, `error`.
    pub(super) key: String,
    /// What may stand behind `=`; one at least.
    readings: Vec<Reading>,
    /// What else would decide, where it is no such value.
    besides: Option<String>,
    /// The reading that is to be written.
    chosen: Option<usize>,
}

impl Line {
    /// A line that somebody types; `None` for what is none.
    pub(super) fn typed(text: &str) -> Option<Line> {
        let (key, value, _) = parts(text)?;
        let readings = vec![Reading::of(value)];
        Some(Line { key: key.to_owned(), readings, besides: None, chosen: Some(0) })
    }

    /// A line of a proposal, with what is open about the function.
    fn proposed(text: &str, reasons: &str) -> Option<Line> {
        let (key, value, comment) = parts(text)?;
        let (mut readings, besides) = readings::of(value, comment);
        let name = key.strip_prefix("params.");
        if name
            .is_some_and(|name| is_direction_open(name, reasons) || readings::differ_in_direction(&readings))
        {
            readings::add_directions(&mut readings);
        }
        let sure = readings.len() == 1 && readings[0].when.is_empty() && besides.is_none();
        Some(Line { key: key.to_owned(), readings, besides, chosen: sure.then_some(0) })
    }

    /// What is written behind `=`, when it is known.
    pub(super) fn value(&self) -> Option<&str> {
        self.chosen.map(|at| self.readings[at].value.as_str())
    }

    /// The readings with their letters, where there is something to choose, and what else would decide.
    pub(super) fn choices(&self) -> Vec<String> {
        if self.readings.len() == 1 && self.readings[0].when.is_empty() && self.besides.is_none() {
            return Vec::new();
        }
        let reading = |(letter, it): (char, &Reading)| format!("{letter}  {} {}", it.value, it.when);
        let choices = ('a'..='z').zip(&self.readings).map(reading).map(|text| text.trim_end().to_owned());
        choices.chain(self.besides.iter().map(|text| format!("or {text}"))).collect()
    }

    /// What has to be answered before the line of this number can be written.
    fn open(&self, number: usize) -> Option<String> {
        if self.chosen.is_some() {
            return None;
        }
        let answers: Vec<String> =
            ('a'..='z').zip(&self.readings).map(|(letter, _)| format!("{number}{letter}")).collect();
        Some(match &answers[..] {
            [one] => format!("line {number} is right under a condition: answer {one}, or type another"),
            [one, other] => format!("line {number} has two readings: answer {one} or {other}"),
            [all @ .., last] => {
                format!("line {number} has {} readings: answer {} or {last}", answers.len(), all.join(", "))
            }
            [] => return None,
        })
    }
}

/// Key, value and comment of a line about a function.
fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let (key, rest) = text.split_once('=')?;
    let key = key.trim();
    let names_one =
        key == "result" || key == "error" || key == "deadline" || key == "idempotent" || key == "cancel";
    if !names_one && !key.starts_with("params.") {
        return None;
    }
    let (value, comment) = readings::value(rest.trim())?;
    Some((key, value, comment.trim_start()))
}

/// Whether nothing says which way the memory behind a parameter goes.
fn is_direction_open(name: &str, reasons: &str) -> bool {
    let read = format!("nothing says whether `{name}` is read or written");
    let exact = [
        format!("nothing says what is behind `{name}`, or whether it is read or written"),
        format!("`{name}` may be filled, or changed in place"),
    ];
    reasons.split("; ").any(|reason| reason.starts_with(&read) || exact.iter().any(|exact| reason == exact))
}

/// The lines below the name of the function, with the reasons why it is undecided.
pub(super) fn of(help: &str, reasons: &str) -> Vec<Line> {
    help.lines().filter_map(|line| Line::proposed(line, reasons)).collect()
}

/// The lines as a text of a contract, or what has to be answered first.
pub(super) fn text(function: &str, lines: &[Line]) -> Result<String, String> {
    let open: Vec<String> = (1..).zip(lines).filter_map(|(number, line)| line.open(number)).collect();
    if !open.is_empty() {
        return Err(open.join("; "));
    }
    let body = lines.iter().filter_map(|line| Some(format!("{} = {}\n", line.key, line.value()?)));
    Ok(format!("[function.{function}]\n{}", body.collect::<String>()))
}

/// Takes the readings of an answer such as `2a`, or puts in the line that was typed; not when it is neither.
pub(super) fn change(lines: &mut Vec<Line>, answer: &str) -> bool {
    if let Some(line) = Line::typed(answer) {
        match lines.iter_mut().find(|it| it.key == line.key) {
            Some(there) => *there = line,
            None => lines.push(line),
        }
        return true;
    }
    let choice = |word: &str| {
        let (number, letter) = word.split_at(word.find(|c: char| !c.is_ascii_digit())?);
        let at = number.parse::<usize>().ok()?.checked_sub(1)?;
        let reading = ('a'..='z').position(|other| letter.len() == 1 && letter.starts_with(other))?;
        (reading < lines.get(at)?.readings.len()).then_some((at, reading))
    };
    let choices: Option<Vec<(usize, usize)>> = answer.split_whitespace().map(choice).collect();
    let Some(choices) = choices.filter(|choices| !choices.is_empty()) else { return false };
    for (at, reading) in choices {
        lines[at].chosen = Some(reading);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_settled() {
        let line = Line::typed("params.a = { out = \"a # } b\" } # or { inout = \"value\" }").unwrap();
        assert_eq!((line.key.as_str(), line.value()), ("params.a", Some("{ out = \"a # } b\" }")));
        assert_eq!(line.choices(), [""; 0]);
        assert_eq!(Line::typed("deadline = \"1s\"").unwrap().value(), Some("\"1s\""));
        for wrong in
            ["", "y", "[function.f]", "params.a =", "params.a = { out", "library = \"z\"", "result = }"]
        {
            assert_eq!(Line::typed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_line_with_several_readings_has_to_be_chosen() {
        let help = "[function.f]\nparams.a = { in = \"handle\" }\nparams.b = { in = \"handle\" } # or { in = \"consumed\" } when it is taken over\nerror = { fails = \"negative\" } # or \"never\", when it cannot be negative\nparams.c = { in = \"struct\" } # when it is one\n";
        let mut lines = of(help, "why");
        let error = text("f", &lines).unwrap_err();
        let expect = "line 2 has two readings: answer 2a or 2b; line 3 has two readings: answer 3a or 3b; line 4 is right under a condition: answer 4a, or type another";
        assert_eq!(error, expect);
        assert_eq!(
            lines[1].choices(),
            ["a  { in = \"handle\" }", "b  { in = \"consumed\" } when it is taken over"]
        );
        for wrong in ["2c", "5a", "0a", "2", "a", "2ab", "2a 9a", "", "2é"] {
            assert!(!change(&mut lines, wrong), "{wrong}");
        }
        assert!(change(&mut lines, "2b") && change(&mut lines, "3b 4a"));
        let expect = "[function.f]\nparams.a = { in = \"handle\" }\nparams.b = { in = \"consumed\" }\nerror = \"never\"\nparams.c = { in = \"struct\" }\n";
        assert_eq!(text("f", &lines).unwrap(), expect);
        assert!(
            change(&mut lines, "params.b = { fixed = 0 }") && change(&mut lines, "result = { out = \"x\" }")
        );
        assert!(text("f", &lines).unwrap().contains("params.b = { fixed = 0 }\n"));
        assert_eq!(lines.len(), 5);
    }

    #[test]
    fn where_nothing_says_which_way_memory_goes_all_ways_are_readings() {
        let out = "params.b = { out = \"buffer\", size = \"n\" } # or { inout = \"buffer\", length = \"n\" }";
        let open = "nothing says what is behind `b`, or whether it is read or written";
        assert_eq!(of(out, &format!("why; {open}"))[0].readings.len(), 3);
        assert_eq!(of(out, "nothing says whether `b` is read or written, and how much")[0].readings.len(), 3);
        let read = "params.b = { in = \"buffer\", length = \"n\" } # when it is only read";
        assert_eq!(of(read, open)[0].readings.len(), 3);
        assert_eq!(of(read, &open.replace("`b`", "`c`"))[0].readings.len(), 1);
        let pair = "params.b = { out = \"buffer\", length = \"n\" }";
        assert_eq!(of(pair, "`b` may be filled, or changed in place")[0].readings.len(), 3);
        assert_eq!(of(pair, "why")[0].readings.len(), 1);
        // A proposal with two ways does not know which either, whatever the reason is.
        assert_eq!(of(out, "`n` may be the length of `a` as well as of `b`")[0].readings.len(), 3);
        let object = "params.b = { in = \"handle\" } # or { in = \"consumed\" } when it is taken over";
        assert_eq!(of(object, "the function may end `b`")[0].readings.len(), 2);
    }
}

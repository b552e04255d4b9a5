//! Takes out of a contract what `hotcell init` wrote into it about what is decided now, and nothing else.

use std::ops::Range;

use hotcell_contract::OpenType;
use hotcell_model::interface::LeftOut;

/// The contract without what its draft says about a function.
pub(super) fn without_function(text: &str, function: &LeftOut) -> String {
    let signature: String =
        function.signature.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    without(text, |lines| of_function(lines, &function.name, &signature))
}

/// The contract without what its draft says about a type.
pub(super) fn without_type(text: &str, ty: &OpenType) -> String {
    without(text, |lines| of_type(lines, ty))
}

/// The text without the lines that are found in its paragraphs. What a paragraph says to the contract must be the same
/// without them: what looks like comments may be the inside of a text.
fn without(text: &str, found: impl Fn(&[&str]) -> Vec<usize>) -> String {
    let Ok(meaning) = text.parse::<toml::Table>() else { return text.to_owned() };
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut from = 0;
    while let Some(paragraph) = paragraph(&lines, from) {
        let plain: Vec<&str> =
            lines[paragraph.clone()].iter().map(|line| line.trim_end_matches('\n')).collect();
        let gone = found(&plain);
        from = paragraph.end;
        if gone.is_empty() {
            continue;
        }
        // Nothing is left of the paragraph: the blank line before or behind it goes too.
        let all = gone.len() == paragraph.len();
        let behind = (all && lines.get(paragraph.end).is_some()).then_some(paragraph.end);
        let blank = behind.or(if all { paragraph.start.checked_sub(1) } else { None });
        let goes = |at: usize| {
            at.checked_sub(paragraph.start).is_some_and(|at| gone.contains(&at)) || blank == Some(at)
        };
        let kept: Vec<&str> =
            lines.iter().enumerate().filter(|(at, _)| !goes(*at)).map(|(_, line)| *line).collect();
        if kept.concat().parse::<toml::Table>().is_ok_and(|table| table == meaning) {
            from = paragraph.end - gone.len();
            lines = kept;
        }
    }
    lines.concat()
}

/// The next lines without a blank one among them.
fn paragraph(lines: &[&str], from: usize) -> Option<Range<usize>> {
    let blank = |line: &&str| line.trim().is_empty();
    let start = from + lines.get(from..)?.iter().position(|line| !blank(line))?;
    let length = lines[start..].iter().position(blank).unwrap_or(lines.len() - start);
    Some(start..start + length)
}

/// The lines of a paragraph that a draft writes about a function.
fn of_function(lines: &[&str], name: &str, signature: &str) -> Vec<usize> {
    let mut gone = Vec::new();
    let signature = format!("# {signature}");
    let heads: Vec<usize> = (0..lines.len())
        .filter(|&at| lines.get(at + 1) == Some(&signature.as_str()))
        .filter(|&at| {
            let rest = lines[at].strip_prefix("# ").and_then(|rest| rest.strip_prefix(name));
            rest.is_some_and(|rest| rest.starts_with(": ") || rest.starts_with(", its types being objects: "))
        })
        .collect();
    for at in heads {
        // Somebody who noted something between the two has the note left where it is.
        let before = at.checked_sub(1).and_then(|at| lines[at].strip_prefix("# "));
        let twice = before.and_then(|it| it.strip_prefix(name)).is_some_and(|it| it.starts_with([':', ',']));
        if !twice {
            gone.extend([at, at + 1]);
        }
    }
    for (at, line) in lines.iter().enumerate() {
        let Some(mark) = ["#", "#   "].into_iter().find(|mark| *line == format!("{mark}[function.{name}]"))
        else {
            continue;
        };
        gone.push(at);
        let start = at.checked_sub(1).filter(|&before| mark == "#   " && is_start(lines[before]));
        gone.extend(start);
        let signed = at.checked_sub(1 + usize::from(start.is_some()));
        gone.extend(signed.filter(|&before| lines[before] == signature));
        for (at, line) in lines.iter().enumerate().skip(at + 1) {
            // Another table begins, be it a comment or not.
            if !line.starts_with('#') || line.trim_start_matches(['#', ' ']).starts_with('[') {
                break;
            }
            if is_line(line, mark) || line.starts_with("# What these lines leave open: ") {
                gone.push(at);
            }
        }
    }
    gone.sort_unstable();
    gone.dedup();
    gone
}

fn is_start(line: &str) -> bool {
    line.starts_with("# A start, to be completed (") && line.ends_with("):")
}

/// Whether it is a line about a parameter, the result or the error behind this mark.
fn is_line(line: &str, mark: &str) -> bool {
    let Some((key, _)) = line.strip_prefix(mark).and_then(|rest| rest.split_once(" = ")) else {
        return false;
    };
    key == "result" || key == "error" || key.starts_with("params.") && !key.contains(' ')
}

/// The lines of a paragraph that a draft writes about a type.
fn of_type(lines: &[&str], ty: &OpenType) -> Vec<usize> {
    let mut gone = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let title = line.strip_prefix("# ").map(|title| title.strip_prefix("Or ").unwrap_or(title));
        for answer in ty.answers() {
            let drafted: Vec<&str> = answer.lines.lines().collect();
            let bare = |line: &str| line.strip_prefix('#').map(|line| line.trim_start().to_owned());
            let is_title = title
                .and_then(|title| title.strip_suffix(':'))
                .is_some_and(|title| title.eq_ignore_ascii_case(answer.what));
            let same = lines[at + 1..]
                .iter()
                .zip(&drafted)
                .take_while(|(line, drafted)| bare(line).as_deref() == Some(**drafted))
                .count();
            if is_title && same > 0 {
                gone.extend(at..at + 1 + same);
            }
        }
    }
    if !gone.is_empty() {
        gone.extend(of_type_head(lines, &ty.name));
    }
    gone.sort_unstable();
    gone
}

/// The lines that say what waits for a type: names up to a full stop.
fn of_type_head(lines: &[&str], name: &str) -> Range<usize> {
    let head = format!("# {name}: nothing says what it is to callers. ");
    let Some(start) = lines.iter().position(|line| line.starts_with(&head)) else { return 0..0 };
    let names = |line: &str| line.chars().all(|c| c.is_alphanumeric() || " ,_".contains(c));
    for (at, line) in lines.iter().enumerate().skip(start) {
        let said = line.strip_prefix(&head).filter(|_| at == start).or_else(|| line.strip_prefix("# "));
        match said {
            Some(said) if said.strip_suffix('.').is_some() => return start..at + 1,
            Some(said) if at == start || names(said) => {}
            _ => break,
        }
    }
    0..0
}

#[cfg(test)]
mod tests {
    use hotcell_model::interface::Status;

    use super::*;

    fn function(name: &str, signature: &str) -> LeftOut {
        LeftOut {
            name: name.into(),
            signature: signature.into(),
            status: Status::Undecided,
            reason: "why".into(),
            help: None,
            open_types: Vec::new(),
        }
    }

    const BEFORE: &str =
        "hotcell = 1\n\n# e: why\n# int e(int a)\n#[function.e]\n#params.a = { fixed = 0 }\n\n";
    const BLOCK: &str = "# f: why, and more\n# int f(int *a)\n#[function.f]\n#params.a = { out = \"value\" } # or\n#result = { out = \"status\" }\n# What these lines leave open: this\n";
    const AFTER: &str = "\n# No line would make these callable:\n#   g: why\n";

    fn left(text: &str) -> String {
        without_function(text, &function("f", "int f(int *a)"))
    }

    #[test]
    fn what_a_draft_says_of_a_function_goes() {
        let text = format!("{BEFORE}{BLOCK}{AFTER}");
        assert_eq!(left(&text), format!("{BEFORE}{}", &AFTER[1..]));
        assert_eq!(left(&format!("{BEFORE}{BLOCK}")), BEFORE.trim_end().to_owned() + "\n");
        let start =
            BLOCK.replace("#[", "# A start, to be completed (no `a`):\n#   [").replace("\n#p", "\n#   p");
        let start = start.replace("\n#r", "\n#   r").replace("f: why", "f, its types being objects: why");
        assert_eq!(left(&format!("{BEFORE}{start}{AFTER}")), format!("{BEFORE}{}", &AFTER[1..]));
        assert_eq!(without_function(&text, &function("h", "int h(void)")), text);
        let decided = text.replace("#[function.f]", "[function.f]").replace("# f: why", "# Mine");
        assert_eq!(left(&decided), decided);
    }

    #[test]
    fn what_others_say_stays() {
        let other = "# g: why\n# int g(int *a)\n#[function.g]\n#params.a = { out = \"value\" }\n";
        let notes = [
            "# f: I think that it is written.\n",
            "# Ask Ann.\n",
            "#results are kept\n",
            "#params. see Ann\n",
        ];
        for note in notes {
            for before in ["# int f(", "#[function.f]", "#params.a", "#result"] {
                let noted = BLOCK.replacen(before, &format!("{note}{before}"), 1);
                let text = left(&format!("{BEFORE}{noted}{other}{AFTER}"));
                assert!(text.contains(note) && text.ends_with(&format!("{other}{AFTER}")), "{text}");
                assert!(!text.contains("#[function.f]\n") && text.starts_with(BEFORE), "{text}");
            }
        }
        let mine =
            "[function.g]\nidempotent = true\n#params.b = { fixed = 0 }\n#result = { ignored = true }\n";
        let text = left(&format!("{BEFORE}{BLOCK}{mine}"));
        assert_eq!(text, format!("{BEFORE}{mine}"));
        let open = "[function.g]\n";
        let mine = &mine[open.len()..];
        assert_eq!(left(&format!("{BEFORE}{open}{BLOCK}{mine}")), format!("{BEFORE}{open}{mine}"));
    }

    #[test]
    fn a_text_that_looks_like_a_draft_stays() {
        let text = format!("hotcell = 1\nprelude = \"\"\"\n\n{BLOCK}\n\"\"\"\n");
        assert_eq!(left(&text), text);
        let both = format!("{text}\n{BLOCK}{AFTER}");
        assert_eq!(left(&both), format!("{text}{AFTER}"));
    }

    #[test]
    fn what_a_draft_says_of_a_type_goes_and_what_others_say_stays() {
        let ty = OpenType {
            name: "t".into(),
            functions: vec!["f".into()],
            handle: Some("handle.t = {}".into()),
            given: true,
            resident: None,
            structure: Some("[struct.t]\nfields.a = { zero = true }".into()),
        };
        let block = "# t: nothing says what it is to callers. 3 functions wait for it: f, g,\n# h_2.\n# An object, which callers hold and never look into:\n#handle.t = {}\n# Or a structure, whose fields go with every call:\n#   [struct.t]\n#   fields.a = { zero = true }\n";
        let text = format!("{BEFORE}{block}{AFTER}");
        assert_eq!(without_type(&text, &ty), format!("{BEFORE}{}", &AFTER[1..]));
        for before in ["# An object", "# Or a", "#   [struct"] {
            let noted = text.replacen(before, &format!("# t: ask Ann about handle.t.\n{before}"), 1);
            assert!(without_type(&noted, &ty).contains("\n# t: ask Ann about handle.t.\n"), "{before}");
        }
        let others = text.replace(" t:", " u:").replace(".t", ".u");
        assert_eq!(without_type(&others, &ty), others);
        let own = block.replace("handle.t = {}", "handle.t = { release = \"mine\" }");
        let kept = without_type(&format!("{BEFORE}{own}{AFTER}"), &ty);
        assert!(kept.contains("#handle.t = { release = \"mine\" }"), "{kept}");
    }
}

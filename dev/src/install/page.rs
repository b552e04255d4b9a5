//! A page as a script: its fenced blocks in their order, and what each command is to print.
//!
//! - `console`: lines behind `$ ` are commands, those behind `> ` continue one, and the others are what it prints; `…` stands for
//!   anything, alone in a line for any number of lines.
//! - `pycon`: a session of Python, all of them one, run by doctest behind everything else.
//! - Others are files where their first line is a comment with nothing but a name: `# program.py`, `// main.go`.

use anyhow::{Result, bail, ensure};

/// What stands before the output of each command.
const MARK: &str = "==== command ";

/// The end of a file within the script.
const END: &str = "END-OF-THE-FILE";

/// A page.
pub(super) struct Page {
    parts: Vec<Part>,
}

enum Part {
    File { name: String, text: String },
    Command { line: usize, command: String, prints: Vec<String> },
}

/// Reads a page.
pub(super) fn read(text: &str) -> Result<Page> {
    let mut parts = Vec::new();
    let mut session = String::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        match language {
            "console" => commands(at + 2, &block, &mut parts)?,
            "pycon" => session.push_str(&format!("{}\n\n", block.join("\n"))),
            _ => parts
                .extend(named(&block).map(|name| Part::File { name, text: block[1..].join("\n") + "\n" })),
        }
    }
    if !session.is_empty() {
        parts.push(Part::File { name: "session.txt".into(), text: session });
        let command = "python -m doctest -o ELLIPSIS session.txt".to_owned();
        parts.push(Part::Command { line: 0, command, prints: Vec::new() });
    }
    ensure!(parts.iter().any(|part| matches!(part, Part::Command { .. })), "it has no commands");
    Ok(Page { parts })
}

/// The commands of a block that begins in this line.
fn commands(first: usize, block: &[&str], parts: &mut Vec<Part>) -> Result<()> {
    for (at, line) in block.iter().enumerate() {
        if let Some(command) = line.strip_prefix("$ ") {
            parts.push(Part::Command { line: first + at, command: command.into(), prints: Vec::new() });
            continue;
        }
        let Some(Part::Command { command, prints, .. }) = parts.last_mut() else {
            bail!("line {}: there is output before any command", first + at);
        };
        match line.strip_prefix("> ") {
            Some(more) if prints.is_empty() => command.push_str(&format!("\n{more}")),
            _ => prints.push((*line).to_owned()),
        }
    }
    Ok(())
}

/// The name of a file that a block is.
fn named(block: &[&str]) -> Option<String> {
    let first = block.first()?;
    let name = first.strip_prefix("# ").or_else(|| first.strip_prefix("// "))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    (name.contains('.') && !name.starts_with(['.', '/']) && name.chars().all(plain)).then(|| name.to_owned())
}

impl Page {
    /// What a shell is given: it ends at the first command that fails.
    pub(super) fn script(&self) -> String {
        let mut script = "set -e\nexec 2>&1\n".to_owned();
        for (number, part) in self.parts.iter().enumerate() {
            match part {
                Part::File { name, text } => {
                    script.push_str(&format!("cat > {name} <<'{END}'\n{text}{END}\n"))
                }
                Part::Command { command, .. } => {
                    script.push_str(&format!("echo; echo '{MARK}{number}'\n{command}\n"));
                }
            }
        }
        script
    }

    /// Compares what commands printed with what they were to print; gives their number.
    pub(super) fn compare(&self, printed: &str) -> Result<usize> {
        let mut wrong = String::new();
        let mut count = 0;
        for (number, part) in self.parts.iter().enumerate() {
            let Part::Command { line, command, prints } = part else { continue };
            let Some((_, rest)) = printed.split_once(&format!("{MARK}{number}\n")) else {
                bail!("line {line}: `{command}` did not run:\n{printed}");
            };
            let said = rest.split(&format!("\n{MARK}")).next().unwrap_or_default();
            let said: Vec<&str> = said.trim_end().lines().map(str::trim_end).collect();
            let expected: Vec<&str> = prints.iter().map(|line| line.trim_end()).collect();
            count += 1;
            if !fits(&expected, &said) {
                let (expected, said) = (expected.join("\n"), said.join("\n"));
                wrong.push_str(&format!(
                    "line {line}: `{command}` is to print\n{expected}\nand prints\n{said}\n\n"
                ));
            }
        }
        ensure!(wrong.is_empty(), "{wrong}");
        Ok(count)
    }
}

/// Whether lines are as expected.
fn fits(expected: &[&str], said: &[&str]) -> bool {
    match expected {
        [] => said.is_empty(),
        ["…"] => true,
        ["…", rest @ ..] => (0..=said.len()).any(|skipped| fits(rest, &said[skipped..])),
        [line, rest @ ..] => {
            said.split_first().is_some_and(|(first, behind)| fits_line(line, first) && fits(rest, behind))
        }
    }
}

fn fits_line(expected: &str, said: &str) -> bool {
    match expected.split_once('…') {
        None => expected == said,
        Some((before, rest)) => said.strip_prefix(before).is_some_and(|said| {
            said.char_indices().map(|(at, _)| at).chain([said.len()]).any(|at| fits_line(rest, &said[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# A page\n\n```console\n$ echo one\none\n$ printf 'a\\n\n> b\\nc'\na\n…\n```\n\n    $ echo no\n\n```go\n// main.go\nfunc main() {}\n```\n\n```go\nfunc other() {}\n```\n\n```pycon\n>>> 1\n1\n```\n";

    #[test]
    fn blocks_become_a_script() {
        let script = read(PAGE).unwrap().script();
        assert!(script.starts_with("set -e\n"), "{script}");
        for part in [
            "\necho one\n",
            "\nprintf 'a\\n\nb\\nc'\n",
            "cat > main.go <<'END-OF-THE-FILE'\nfunc main() {}\nEND-OF-THE-FILE\n",
            "cat > session.txt <<'END-OF-THE-FILE'\n>>> 1\n1\n",
        ] {
            assert!(script.contains(part), "{part:?} in {script}");
        }
        assert!(!script.contains("other") && !script.contains("echo no"), "{script}");
        assert!(read("no blocks").is_err() && read("```console\nout\n```").is_err());
    }

    #[test]
    fn what_is_printed_is_compared() {
        let page = read(PAGE).unwrap();
        let printed = |one: &str| format!("\n{MARK}0\n{one}\n\n{MARK}1\na\nx\ny\n\n{MARK}4\n");
        assert_eq!(page.compare(&printed("one")).unwrap(), 3);
        let error = page.compare(&printed("two")).unwrap_err().to_string();
        assert!(error.contains("line 4: `echo one` is to print\none\nand prints\ntwo"), "{error}");
        let error = page.compare("nothing").unwrap_err().to_string();
        assert!(error.contains("did not run"), "{error}");
    }

    #[test]
    fn dots_stand_for_anything() {
        assert!(
            fits(&["a", "…", "z"], &["a", "b", "c", "z"]) && fits(&["…"], &[]) && fits(&["…", "z"], &["z"])
        );
        assert!(!fits(&["a"], &["a", "b"]) && !fits(&["a", "…", "z"], &["a", "z", "b"]));
        assert!(fits_line("took … s", "took 1.5 s") && fits_line("…", "") && !fits_line("a…b", "ab c"));
    }
}

//! What differs in what a library may do, and in what of it is guarded: whether a state contains it less than the one before.

use std::path::Path;

use hotcell_model::interface::{GuardWord, Interface, SandboxLines, SandboxProfile, SandboxRequire};

use crate::diff::changes::{Change, Kind, Subject};

/// What is there more of, and what less.
#[derive(Default)]
struct Found {
    weaker: Vec<String>,
    stricter: Vec<String>,
    /// What is neither.
    other: Vec<String>,
}

/// What changed of the sandbox and of the guard: of each what contains less, and then what contains more.
pub(super) fn contained(old: &Interface, new: &Interface, changes: &mut Vec<Change>) {
    for (subject, found) in [
        (Subject::Sandbox, sandbox(&old.sandbox, &new.sandbox)),
        (Subject::Guard, guard(old.guard, new.guard)),
    ] {
        let Found { weaker, stricter, other } = found;
        let kinds = [(Kind::Weakened, weaker), (Kind::Tightened, stricter), (Kind::Changed, other)];
        let kinds = kinds.into_iter().filter(|(_, details)| !details.is_empty());
        let name = &new.library;
        changes.extend(kinds.map(|(kind, details)| Change {
            kind,
            subject,
            name: name.clone(),
            details,
            breaks: false,
        }));
    }
}

fn guard(was: GuardWord, is: GuardWord) -> Found {
    let rank = |guard| match guard {
        GuardWord::None => (0, "none"),
        GuardWord::Sampled => (1, "sampled"),
        GuardWord::All => (2, "all"),
    };
    let mut found = Found::default();
    found.ranked("`guard`", rank(was), rank(is));
    found
}

fn sandbox(was: &SandboxLines, is: &SandboxLines) -> Found {
    let mut found = Found::default();
    let opens = |lines: &SandboxLines| {
        let custom = lines.profile == SandboxProfile::Custom;
        let names = |paths: [bool; 2]| custom && paths.contains(&false);
        let files =
            lines.profile == SandboxProfile::Files || names([lines.read.is_empty(), lines.write.is_empty()]);
        let network = lines.profile == SandboxProfile::Network
            || names([lines.connect.is_empty(), lines.bind.is_empty()]);
        [lines.profile == SandboxProfile::Basic, files, network]
    };
    let (before, now) = (opens(was), opens(is));
    if was.profile != is.profile {
        let detail = format!("the profile was `{}` and is `{}`", was.profile.word(), is.profile.word());
        // Without a wall there is nothing that could be more.
        let more = |from: [bool; 3], to: [bool; 3]| !from[0] && (0..3).any(|it| to[it] && !from[it]);
        match (more(before, now), more(now, before)) {
            (false, false) => found.other.push(detail),
            (weaker, stricter) => {
                found.weaker.extend(weaker.then(|| detail.clone()));
                found.stricter.extend(stricter.then_some(detail));
            }
        }
    }
    let (rank, now) = (require(was.require), require(is.require));
    found.ranked("`require`", rank, now);
    // Where there is no wall on one side, what is named on the other says no more than the profile.
    if [was.profile, is.profile].contains(&SandboxProfile::Basic) {
        return found;
    }
    let seen = |lines: &SandboxLines| [&lines.read[..], &lines.write].concat();
    let loaded = |lines: &SandboxLines| [&lines.read[..], &lines.write, &lines.load].concat();
    found.named("`read`", (&was.read, &seen(was)), (&is.read, &seen(is)), is_below);
    found.named("`write`", (&was.write, &was.write), (&is.write, &is.write), is_below);
    found.named("`load`", (&was.load, &loaded(was)), (&is.load, &loaded(is)), is_below);
    found.named("`allow`", (&was.allow, &was.allow), (&is.allow, &is.allow), is_allowed);
    let ports = |ports: &[u16]| ports.iter().map(u16::to_string).collect::<Vec<_>>();
    for (key, was, is) in [("`connect`", &was.connect, &is.connect), ("`bind`", &was.bind, &is.bind)] {
        let (was, is) = (ports(was), ports(is));
        found.named(key, (&was, &was), (&is, &is), |one, other| one == other);
    }
    match (was.write_xor_execute, is.write_xor_execute) {
        (true, false) => found.weaker.push("`write_xor_execute` is gone".into()),
        (false, true) => found.stricter.push("`write_xor_execute` is new".into()),
        _ => {}
    }
    // What is refused is denied either way: the call goes on, or ends.
    let differs = |one: &[String], other: &[String]| one.iter().any(|path| !other.contains(path));
    if differs(&was.refuse, &is.refuse) || differs(&is.refuse, &was.refuse) {
        found.other.push("`refuse`: which paths end a call, and which are an error to the library".into());
    }
    found
}

impl Found {
    /// What is one of several words, from the least to the most.
    fn ranked(&mut self, key: &str, was: (u8, &str), is: (u8, &str)) {
        let detail = || format!("{key} was \"{}\" and is \"{}\"", was.1, is.1);
        match is.0.cmp(&was.0) {
            std::cmp::Ordering::Less => self.weaker.push(detail()),
            std::cmp::Ordering::Greater => self.stricter.push(detail()),
            std::cmp::Ordering::Equal => {}
        }
    }

    /// What one list has that nothing of the other covers. Each side has its list, and all that covers the other's.
    fn named(
        &mut self,
        key: &str,
        was: (&[String], &[String]),
        is: (&[String], &[String]),
        covers: fn(&str, &str) -> bool,
    ) {
        let beyond = |list: &[String], all: &[String]| -> Vec<String> {
            let fresh = list.iter().filter(|one| !all.iter().any(|other| covers(one, other)));
            fresh.map(|one| format!("`{one}`")).collect()
        };
        for (list, all, side, says) in
            [(is.0, was.1, &mut self.weaker, "has more"), (was.0, is.1, &mut self.stricter, "has no longer")]
        {
            let beyond = beyond(list, all);
            side.extend((!beyond.is_empty()).then(|| format!("{key} {says}: {}", beyond.join(", "))));
        }
    }
}

/// Whether a path is another, or lies below it, as they are written. Where one goes up again nobody knows where it is: links may be on the way.
fn is_below(path: &str, other: &str) -> bool {
    let climbs = [path, other].iter().any(|path| path.split('/').any(|part| part == ".."));
    path == other || !climbs && Path::new(path).starts_with(other)
}

/// Whether a line allows what another does, or a part of it.
fn is_allowed(line: &str, other: &str) -> bool {
    let call = line.split_once('(').map_or(line, |(call, _)| call);
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    bare(line) == bare(other) || call.trim() == other.trim()
}

fn require(word: SandboxRequire) -> (u8, &'static str) {
    match word {
        SandboxRequire::Offered => (0, "offered"),
        SandboxRequire::Strict => (1, "strict"),
        SandboxRequire::Namespaces => (2, "namespaces"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(profile: SandboxProfile) -> SandboxLines {
        SandboxLines { profile, ..SandboxLines::default() }
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    /// What is weaker, stricter, and neither.
    fn check(was: &SandboxLines, is: &SandboxLines, expect: [&[&str]; 3]) {
        let Found { weaker, stricter, other } = sandbox(was, is);
        assert_eq!([weaker, stricter, other], expect.map(texts), "{was:?}, {is:?}");
        // The other way round it is the other way round.
        let back = sandbox(is, was);
        let count = |list: &[String]| list.len();
        assert_eq!([count(&back.weaker), count(&back.stricter)], [expect[1].len(), expect[0].len()]);
    }

    #[test]
    fn profiles_are_compared_by_what_they_open() {
        use SandboxProfile::{Basic, Compute, Custom, Files, Network};
        for (was, is, expect) in [
            (Compute, Compute, [&[][..], &[], &[]]),
            (Compute, Files, [&["the profile was `compute` and is `files`"], &[], &[]]),
            (Compute, Network, [&["the profile was `compute` and is `network`"], &[], &[]]),
            (Network, Basic, [&["the profile was `network` and is `basic`"], &[], &[]]),
            (Compute, Custom, [&[], &[], &["the profile was `compute` and is `custom`"]]),
            (
                Files,
                Network,
                [
                    &["the profile was `files` and is `network`"],
                    &["the profile was `files` and is `network`"],
                    &[],
                ],
            ),
        ] {
            check(&lines(was), &lines(is), expect);
        }
        let custom = SandboxLines { read: texts(&["/etc"]), ..lines(Custom) };
        let files = SandboxLines { read: texts(&["/etc"]), ..lines(Files) };
        check(&custom, &files, [&[], &[], &["the profile was `custom` and is `files`"]]);
        check(&lines(Custom), &custom, [&["`read` has more: `/etc`"], &[], &[]]);
    }

    #[test]
    fn what_is_named_is_compared_by_what_it_covers() {
        use SandboxProfile::Custom;
        let of = |read: &[&str], write: &[&str], load: &[&str], allow: &[&str]| SandboxLines {
            read: texts(read),
            write: texts(write),
            load: texts(load),
            allow: texts(allow),
            ..lines(Custom)
        };
        let none: &[&str] = &[];
        let none = [none; 3];
        check(
            &of(&["/etc", "/b/.."], &[], &[], &[]),
            &of(&["/etc/../root", "/b/.."], &[], &[], &[]),
            [&["`read` has more: `/etc/../root`"], &["`read` has no longer: `/etc`"], &[]],
        );
        check(&of(&["/etc", "/a"], &[], &[], &[]), &of(&["/a", "/etc/"], &[], &[], &[]), none);
        check(
            &of(&["/etc"], &[], &[], &[]),
            &of(&["/etc/hosts"], &[], &[], &[]),
            [&[], &["`read` has no longer: `/etc`"], &[]],
        );
        check(
            &of(&["/etc"], &[], &[], &[]),
            &of(&["/etcetera", "/b"], &[], &[], &[]),
            [&["`read` has more: `/etcetera`, `/b`"], &["`read` has no longer: `/etc`"], &[]],
        );
        check(
            &of(&["/a"], &[], &[], &[]),
            &of(&[], &["/a"], &[], &[]),
            [&["`write` has more: `/a`"], &[], &[]],
        );
        check(&of(&["/a"], &[], &[], &[]), &of(&["/a"], &[], &["/a/b"], &[]), none);
        check(
            &of(&[], &[], &[], &["futex(arg1 == 1)"]),
            &of(&[], &[], &[], &["futex( arg1==1 )", "getrandom"]),
            [&["`allow` has more: `getrandom`"], &[], &[]],
        );
        check(
            &of(&[], &[], &[], &["futex"]),
            &of(&[], &[], &[], &["futex(arg1 == 1)"]),
            [&[], &["`allow` has no longer: `futex`"], &[]],
        );
    }

    #[test]
    fn ports_and_what_is_demanded_are_compared() {
        let of = |connect: &[u16], require, write_xor_execute| SandboxLines {
            connect: connect.to_vec(),
            require,
            write_xor_execute,
            ..lines(SandboxProfile::Network)
        };
        check(
            &of(&[80], SandboxRequire::Namespaces, true),
            &of(&[80, 443], SandboxRequire::Offered, false),
            [
                &[
                    "`require` was \"namespaces\" and is \"offered\"",
                    "`connect` has more: `443`",
                    "`write_xor_execute` is gone",
                ],
                &[],
                &[],
            ],
        );
        let refused = SandboxLines { refuse: texts(&["/etc/*"]), ..lines(SandboxProfile::Compute) };
        let expect = "`refuse`: which paths end a call, and which are an error to the library";
        check(&lines(SandboxProfile::Compute), &refused, [&[], &[], &[expect]]);
    }

    #[test]
    fn guards_are_compared() {
        let found = guard(GuardWord::All, GuardWord::Sampled);
        assert_eq!(found.weaker, ["`guard` was \"all\" and is \"sampled\""]);
        assert_eq!(guard(GuardWord::None, GuardWord::All).stricter.len(), 1);
        assert!(guard(GuardWord::All, GuardWord::All).weaker.is_empty());
    }
}

//! Whether a function is called like one after which an object may be gone.

use crate::infer::names::words;
use crate::infer::words::objects::{CLOSES, GIVES_AWAY, LOOKS, RELEASE_ENDINGS, RELEASE_PARTS, RELEASES};

/// What the name of a function says it does to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ending {
    /// It hands the object on: `reply`, `take`, `unlink`.
    GivesAway,
    /// It ends what the object does, and perhaps the object: `close`, `commit`.
    Closes,
    /// It releases the object: `free`, `unref`.
    Releases,
}

/// The strongest ending a function's name says, and the words that do not say it.
///
/// Words behind `get` or `is` are what is looked at: `SSL_get_shutdown`; `free_and_get_data` releases.
pub(super) fn ending(name: &str) -> Option<(Ending, Vec<String>)> {
    let mut strongest = None;
    let mut rest = Vec::new();
    let all = words(name);
    let looks = all.iter().position(|word| LOOKS.contains(&word.as_str()));
    let both = all.iter().any(|word| word == "and");
    for (index, word) in all.iter().enumerate() {
        let looked_at = !both && looks.is_some_and(|looks| index > looks);
        // `Z3_dec_ref(context, ast)`.
        let counts_down =
            word == "ref" && index > 0 && ["dec", "decr", "decrement"].contains(&all[index - 1].as_str());
        let said = if counts_down { Some((Ending::Releases, String::new())) } else { of_word(word) };
        match said.filter(|_| !looked_at) {
            Some((ending, left)) => {
                strongest = strongest.max(Some(ending));
                rest.extend(Some(left).filter(|left| !left.is_empty()));
            }
            None => rest.push(word.clone()),
        }
    }
    strongest.map(|ending| (ending, rest))
}

/// What one word says, and what is left of it: `closedir` is `close` and `dir`.
fn of_word(word: &str) -> Option<(Ending, String)> {
    let whole = |list: &[&str]| list.contains(&word);
    if whole(RELEASES) {
        return Some((Ending::Releases, String::new()));
    }
    if whole(CLOSES) {
        return Some((Ending::Closes, String::new()));
    }
    if whole(GIVES_AWAY) {
        return Some((Ending::GivesAway, String::new()));
    }
    // `freeze`, but `freezero(ptr, size)`.
    if word.starts_with("freez") && !word.starts_with("freezero") {
        return None;
    }
    if let Some(part) = RELEASE_PARTS.iter().find(|part| word.contains(*part)) {
        let closes = matches!(*part, "close" | "cleanup");
        let ending = if closes { Ending::Closes } else { Ending::Releases };
        return Some((ending, word.replacen(part, "", 1)));
    }
    // `PQfinish`, and `delscreen`, but neither `delay` nor `model`.
    let glued = RELEASE_ENDINGS.iter().find_map(|part| word.strip_suffix(part));
    let short = || word.strip_prefix("del").filter(|rest| !rest.starts_with(['a', 'e', 'i', 't']));
    if let Some(rest) = glued {
        return Some((Ending::Closes, rest.to_owned()));
    }
    short().map(|rest| (Ending::Releases, rest.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_end_objects() {
        for (name, expect) in [
            ("cJSON_Delete", Some(Ending::Releases)),
            ("ZSTD_freeCCtx", Some(Ending::Releases)),
            ("XFreeGC", Some(Ending::Releases)),
            ("delscreen", Some(Ending::Releases)),
            ("gst_byte_writer_free_and_get_data", Some(Ending::Releases)),
            ("json_decref", Some(Ending::Releases)),
            ("Z3_dec_ref", Some(Ending::Releases)),
            ("Z3_inc_ref", None),
            ("gzclose", Some(Ending::Closes)),
            ("PQfinish", Some(Ending::Closes)),
            ("PQclear", Some(Ending::Closes)),
            ("mdb_txn_commit", Some(Ending::Closes)),
            ("sqlite3_clear_bindings", Some(Ending::GivesAway)),
            ("evhttp_send_reply", Some(Ending::GivesAway)),
            ("X509_VERIFY_PARAM_add0_table", Some(Ending::GivesAway)),
            ("SSL_get_shutdown", None),
            ("event_base_got_exit", None),
            ("g_object_freeze_notify", None),
            ("freezero", Some(Ending::Releases)),
            ("usb_delay", None),
            ("sqlite3_reset", None),
            ("sqlite3_step", None),
            ("sqlite3_wal_checkpoint", None),
        ] {
            assert_eq!(ending(name).map(|(ending, _)| ending), expect, "{name}");
        }
    }
}

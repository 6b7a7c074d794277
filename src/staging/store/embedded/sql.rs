//! The little that must be known of a statement before SQLite sees it: where it ends, and what it does to transactions.
//!
//! Pure. Called by `session` and `protocol`. Everything else in a statement is passed on as it is.

/// What a statement does, as far as the protocol cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`, `END`.
    Commit,
    /// `ROLLBACK`, `ABORT`; not `ROLLBACK TO`.
    Rollback,
    /// `SET`, `RESET`, `DISCARD`, `ANALYZE`: accepted, means nothing here.
    Ignored,
    /// A `DO` block that raises an error, as fault rules send it: see [`raised`].
    Raise,
    /// `SELECT pg_catalog.pg_sleep(seconds)`.
    Sleep,
    /// Everything else, with the word that starts the answer's tag.
    Other(&'static str),
}

/// The dollar quote in which fault rules write their block.
const RAISE_QUOTE: &[u8] = b"$squall$";

const TAGS: [(&str, &str); 9] = [
    ("select", "SELECT"),
    ("values", "SELECT"),
    ("with", "SELECT"),
    ("insert", "INSERT"),
    ("update", "UPDATE"),
    ("delete", "DELETE"),
    ("create", "CREATE"),
    ("drop", "DROP"),
    ("savepoint", "SAVEPOINT"),
];

impl Verb {
    pub(super) fn of(statement: &str) -> Self {
        let mut words = statement.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        let first = words.next().unwrap_or_default().to_lowercase();
        let second = words.next().unwrap_or_default().to_lowercase();
        match first.as_str() {
            "begin" => Self::Begin,
            "start" if second == "transaction" => Self::Begin,
            "commit" | "end" => Self::Commit,
            "rollback" | "abort" if second != "to" => Self::Rollback,
            "set" | "reset" | "discard" | "analyze" => Self::Ignored,
            "do" if raised(statement).is_some() => Self::Raise,
            "select" if slept(statement).is_some() => Self::Sleep,
            word => Self::Other(TAGS.iter().find(|(name, _)| *name == word).map_or("OK", |(_, tag)| *tag)),
        }
    }
}

/// SQLSTATE and message of `DO …RAISE EXCEPTION USING ERRCODE = '…', MESSAGE = '…'…`, in this order.
pub(super) fn raised(statement: &str) -> Option<(String, String)> {
    let (_, rest) = statement.split_once("RAISE EXCEPTION USING ERRCODE = '")?;
    let (sqlstate, rest) = rest.split_once("', MESSAGE = '")?;
    let end = rest.rfind("';END")?;
    Some((sqlstate.to_owned(), rest.get(..end)?.replace("''", "'")))
}

/// The seconds of `SELECT pg_catalog.pg_sleep(seconds)`, at most a day.
pub(super) fn slept(statement: &str) -> Option<f64> {
    let (_, rest) = statement.split_once("pg_catalog.pg_sleep(")?;
    let seconds: f64 = rest.split_once(')')?.0.parse().ok()?;
    (0.0..=86_400.0).contains(&seconds).then_some(seconds)
}

/// The statements of a simple query, cut at semicolons that are not inside quotes or comments; empty ones are left out.
pub(super) fn split(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let (mut statements, mut start, mut at) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'$', _) if bytes[at..].starts_with(RAISE_QUOTE) => {
                at = past(bytes, at + RAISE_QUOTE.len(), RAISE_QUOTE);
            }
            (quote @ (b'\'' | b'"'), _) => at = past(bytes, at + 1, &[quote]),
            (b'-', Some(b'-')) => at = past(bytes, at + 2, b"\n"),
            (b'/', Some(b'*')) => at = past(bytes, at + 2, b"*/"),
            (b';', _) => {
                statements.push(text.get(start..at).unwrap_or_default());
                at += 1;
                start = at;
            }
            _ => at += 1,
        }
    }
    statements.push(text.get(start..).unwrap_or_default());
    statements.into_iter().map(str::trim).filter(|statement| !statement.is_empty()).collect()
}

/// The place after the next `mark` from `from`, or the end.
fn past(bytes: &[u8], from: usize, mark: &[u8]) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.windows(mark.len()).position(|window| window == mark).map_or(bytes.len(), |found| from + found + mark.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::postgres::write;

    #[test]
    fn statements_end_at_semicolons_outside_quotes() {
        assert_eq!(split("a; b ;; "), ["a", "b"]);
        assert_eq!(split("select ';' ; select 1"), ["select ';'", "select 1"]);
        assert_eq!(split("select 'it''s;' ; x"), ["select 'it''s;'", "x"]);
        assert_eq!(split("select 1 -- no; end\n; y /* ; */"), ["select 1 -- no; end", "y /* ; */"]);
        assert_eq!(split("select 'open; "), ["select 'open;"]);
        assert!(split(" ; ").is_empty());
    }

    #[test]
    fn a_verb_is_known_by_its_first_words() {
        assert_eq!(Verb::of("START TRANSACTION"), Verb::Begin);
        assert_eq!(Verb::of("begin read only"), Verb::Begin);
        assert_eq!(Verb::of("COMMIT;"), Verb::Commit);
        assert_eq!(Verb::of("rollback"), Verb::Rollback);
        assert_eq!(Verb::of("ROLLBACK TO a"), Verb::Other("OK"));
        assert_eq!(Verb::of("SET search_path = x"), Verb::Ignored);
        assert_eq!(Verb::of("SELECT pg_catalog.pg_sleep(0.5)"), Verb::Sleep);
        assert_eq!(slept("SELECT pg_catalog.pg_sleep(-1)"), None);
        let raise = write::raise("40P01", "it's; so");
        assert_eq!((Verb::of(&raise), split(&raise).len()), (Verb::Raise, 1));
        assert_eq!(raised(&raise), Some(("40P01".to_owned(), "it's; so".to_owned())));
        assert_eq!(Verb::of("(select 1)"), Verb::Other("SELECT"));
        assert_eq!(Verb::of("insert into x values (1)"), Verb::Other("INSERT"));
    }
}

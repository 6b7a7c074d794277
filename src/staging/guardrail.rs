//! The guardrail on statements that people run by hand: what it finds dangerous, and who may do it anyway.
//!
//! | rule | found |
//! |---|---|
//! | `G1-protected-table` | a delete, update, truncate or drop on a table of customers |
//! | `G2-no-where` | a delete or update of every row, but of a scratch table (`…_tmp`) |
//! | `G3-too-many-rows` | more rows than the limit |
//! | `G4-unreadable` | not one plain statement that can be judged |
//!
//! Off lets everything pass; warn too, and says which rule it breaks; enforce refuses, unless a second person's token and the
//! table's name, typed, come with it. Pure. Called by the admin address.

use serde::{Deserialize, Serialize};

use crate::wire::sql::{Shape, Verb};

/// Tables that hold what customers gave.
const PROTECTED: [&str; 4] = ["orders", "users", "profiles", "carts"];

/// How strict it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Strictness {
    #[default]
    Off,
    Warn,
    Enforce,
}

/// What it is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Guardrail {
    pub(super) mode: Strictness,
    /// The most rows a statement may change.
    #[serde(default = "limit")]
    pub(super) max_rows: u64,
}

fn limit() -> u64 {
    1_000
}

impl Default for Guardrail {
    fn default() -> Self {
        Self { mode: Strictness::Off, max_rows: limit() }
    }
}

/// A rule that a statement breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// Its id: what a refusal names.
    pub(super) rule: &'static str,
    pub(super) why: &'static str,
}

/// What a statement does, as far as the guardrail cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It only reads or adds.
    Harmless,
    /// It takes rows, or what they say, away.
    Destroys,
    /// Nobody can tell from the text.
    Unreadable,
}

/// A statement as far as the guardrail reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    /// The one table it changes, if it changes one.
    pub(super) table: Option<String>,
    kind: Kind,
    has_where: bool,
    /// The question how many rows it would change.
    pub(super) count: Option<String>,
}

impl Statement {
    /// Reads one statement.
    pub(super) fn read(text: &str) -> Self {
        let text = text.trim().trim_end_matches(';').trim();
        let shape = Shape::of(text);
        let single = shape.single();
        let verb = single.map(|statement| statement.verb);
        let destroys = matches!(verb, Some(Verb::Delete | Verb::Update | Verb::Merge | Verb::Truncate | Verb::Define));
        let table = shape.tables.iter().next().filter(|_| destroys).map(|name| bare(name).to_owned());
        let condition = condition(text);
        let counted = matches!(verb, Some(Verb::Delete | Verb::Update)) && shape.tables.len() == 1;
        let count = table.as_ref().filter(|_| counted).map(|table| {
            let condition = condition.map_or(String::new(), |words| format!(" WHERE {words}"));
            format!("SELECT count(*) AS count_rows FROM {table}{condition}")
        });
        let kind = match single {
            Some(_) if !destroys => Kind::Harmless,
            Some(_) if shape.tables.len() == 1 => Kind::Destroys,
            _ => Kind::Unreadable,
        };
        Self { table, kind, has_where: condition.is_some(), count }
    }

    /// The first rule it breaks, when it would change `rows` rows.
    pub(super) fn breaks(&self, guardrail: Guardrail, rows: u64) -> Option<Broken> {
        match self.kind {
            Kind::Harmless => return None,
            Kind::Unreadable => {
                return Some(Broken { rule: "G4-unreadable", why: "it is not one plain statement on one table" });
            }
            Kind::Destroys => {}
        }
        let table = self.table.as_deref().unwrap_or_default();
        if PROTECTED.contains(&table) {
            return Some(Broken { rule: "G1-protected-table", why: "the table holds what customers gave" });
        }
        let scratch = table.ends_with("_tmp");
        if !self.has_where && !scratch {
            return Some(Broken { rule: "G2-no-where", why: "it has no WHERE: every row would go" });
        }
        let many = rows > guardrail.max_rows && !scratch;
        many.then_some(Broken { rule: "G3-too-many-rows", why: "it changes more rows than the limit" })
    }
}

fn bare(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// What follows the first WHERE outside quotes.
fn condition(text: &str) -> Option<&str> {
    let mut quoted = false;
    let lower = text.to_ascii_lowercase();
    let mut at = None;
    for (place, byte) in text.bytes().enumerate() {
        quoted ^= byte == b'\'';
        let whole_word = |from: usize| {
            let before = from == 0 || !lower.as_bytes()[from - 1].is_ascii_alphanumeric();
            before && lower.as_bytes().get(from + 5).is_none_or(|after| !after.is_ascii_alphanumeric())
        };
        if !quoted && lower.as_bytes().get(place..place + 5) == Some(b"where") && whole_word(place) {
            at = Some(place + 5);
            break;
        }
    }
    text.get(at?..).map(str::trim).filter(|words| !words.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENFORCE: Guardrail = Guardrail { mode: Strictness::Enforce, max_rows: 1_000 };

    fn rule(text: &str, rows: u64) -> Option<&'static str> {
        Statement::read(text).breaks(ENFORCE, rows).map(|broken| broken.rule)
    }

    #[test]
    fn the_wrong_table_is_found_and_the_right_one_passes() {
        assert_eq!(rule("DELETE FROM orders", 50_000), Some("G1-protected-table"));
        assert_eq!(rule("delete from squall_shop.orders where seq < 3;", 2), Some("G1-protected-table"));
        assert_eq!(rule("TRUNCATE users", 0), Some("G1-protected-table"));
        assert_eq!(rule("DELETE FROM cart_items_tmp", 90_000), None, "what the clean-up was meant for");
    }

    #[test]
    fn every_row_and_too_many_rows_are_found() {
        assert_eq!(rule("DELETE FROM cart_items", 3_000), Some("G2-no-where"));
        assert_eq!(rule("UPDATE products SET name = 'where'", 10), Some("G2-no-where"));
        assert_eq!(rule("UPDATE products SET stock = 0 WHERE id > 5", 1_001), Some("G3-too-many-rows"));
        assert_eq!(rule("UPDATE products SET stock = 0 WHERE id = 5", 1), None);
        assert_eq!(rule("SELECT * FROM orders", 0), None, "reading destroys nothing");
    }

    #[test]
    fn what_cannot_be_judged_is_refused_too() {
        assert_eq!(rule("DELETE FROM cart_items_tmp; DELETE FROM orders", 1), Some("G4-unreadable"));
        assert_eq!(rule("", 0), Some("G4-unreadable"));
    }

    #[test]
    fn the_rows_are_counted_by_the_same_condition() {
        let count = |text: &str| Statement::read(text).count;
        assert_eq!(
            count("DELETE FROM cart_items WHERE line > 3").unwrap(),
            "SELECT count(*) AS count_rows FROM cart_items WHERE line > 3"
        );
        assert_eq!(count("DELETE FROM cart_items").unwrap(), "SELECT count(*) AS count_rows FROM cart_items");
        assert_eq!(count("DROP TABLE orders"), None);
    }
}

//! What each statement of a text does: its verb, whether it writes, and what becomes of the transaction.
//!
//! Pure. A function that writes cannot be seen from the text. Not here: names of tables (`tables`).

use super::lexer::Token;

/// The first word that says what a statement does; the main one behind `WITH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// `SELECT`, `VALUES`, `TABLE`.
    Select,
    /// `INSERT`.
    Insert,
    /// `UPDATE`.
    Update,
    /// `DELETE`.
    Delete,
    /// `MERGE`.
    Merge,
    /// `TRUNCATE`.
    Truncate,
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`, `END`.
    Commit,
    /// `ROLLBACK`, `ABORT`; not `ROLLBACK TO`.
    Rollback,
    /// `SAVEPOINT`, `RELEASE`, `ROLLBACK TO`.
    Savepoint,
    /// `SET`, `RESET`, `DISCARD`.
    Set,
    /// `SHOW`, `EXPLAIN`.
    Show,
    /// `CREATE`, `ALTER`, `DROP`, `COMMENT`, `GRANT`, `REVOKE`, `REINDEX`.
    Define,
    /// `COPY`.
    Copy,
    /// `CALL`, `DO`.
    Call,
    /// `DECLARE`, `FETCH`, `MOVE`, `CLOSE`.
    Cursor,
    /// `PREPARE`, `EXECUTE`, `DEALLOCATE`, as statements.
    Prepare,
    /// `LISTEN`, `UNLISTEN`, `NOTIFY`.
    Notify,
    /// Anything else.
    Other,
}

/// What a statement does to the transaction, if it succeeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Stay,
    /// A block is open afterwards.
    Open,
    /// No block is open afterwards.
    Close,
}

/// One statement of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its verb.
    pub verb: Verb,
    /// It changes rows or definitions, or locks rows.
    pub writes: bool,
    /// On the transaction.
    pub effect: Effect,
}

const WORDS: [(&str, Verb); 38] = [
    ("select", Verb::Select),
    ("values", Verb::Select),
    ("table", Verb::Select),
    ("insert", Verb::Insert),
    ("update", Verb::Update),
    ("delete", Verb::Delete),
    ("merge", Verb::Merge),
    ("truncate", Verb::Truncate),
    ("begin", Verb::Begin),
    ("start", Verb::Begin),
    ("commit", Verb::Commit),
    ("end", Verb::Commit),
    ("rollback", Verb::Rollback),
    ("abort", Verb::Rollback),
    ("savepoint", Verb::Savepoint),
    ("release", Verb::Savepoint),
    ("set", Verb::Set),
    ("reset", Verb::Set),
    ("discard", Verb::Set),
    ("show", Verb::Show),
    ("explain", Verb::Show),
    ("create", Verb::Define),
    ("alter", Verb::Define),
    ("drop", Verb::Define),
    ("comment", Verb::Define),
    ("grant", Verb::Define),
    ("revoke", Verb::Define),
    ("reindex", Verb::Define),
    ("copy", Verb::Copy),
    ("call", Verb::Call),
    ("do", Verb::Call),
    ("declare", Verb::Cursor),
    ("fetch", Verb::Cursor),
    ("move", Verb::Cursor),
    ("close", Verb::Cursor),
    ("prepare", Verb::Prepare),
    ("execute", Verb::Prepare),
    ("deallocate", Verb::Prepare),
];

const NOTIFY: [&str; 3] = ["listen", "unlisten", "notify"];
const MAIN: [&str; 6] = ["select", "values", "insert", "update", "delete", "merge"];
const CHANGING: [&str; 4] = ["insert", "update", "delete", "merge"];

/// The statement that the tokens between two semicolons are; `None` for no token.
pub(super) fn statement(tokens: &[Token<'_>]) -> Option<Statement> {
    let first = tokens.iter().find(|token| !token.is_mark(b'('))?;
    let with = first.is("with");
    let verb = if with { main(tokens) } else { named(first) };
    let second = tokens.get(1).filter(|_| tokens.first() == Some(first));
    let verb = match verb {
        Verb::Rollback if to_savepoint(tokens) => Verb::Savepoint,
        Verb::Commit | Verb::Rollback if second.is_some_and(|second| second.is("prepared")) => Verb::Other,
        Verb::Prepare if second.is_some_and(|second| second.is("transaction")) => Verb::Other,
        Verb::Begin if first.is("start") && !second.is_some_and(|second| second.is("transaction")) => Verb::Other,
        verb => verb,
    };
    let chains = chains(tokens);
    let effect = match verb {
        Verb::Begin => Effect::Open,
        Verb::Commit | Verb::Rollback if !chains => Effect::Close,
        Verb::Other if first.is("prepare") => Effect::Close,
        _ => Effect::Stay,
    };
    Some(Statement { verb, writes: writes(verb, with, tokens), effect })
}

fn named(first: &Token<'_>) -> Verb {
    let known = WORDS.iter().find(|(word, _)| first.is(word)).map(|(_, verb)| *verb);
    known.unwrap_or(if first.is_any(&NOTIFY) { Verb::Notify } else { Verb::Other })
}

/// The verb outside the parentheses of a `WITH`.
fn main(tokens: &[Token<'_>]) -> Verb {
    let mut depth = 0_i32;
    for token in tokens {
        match token {
            Token::Symbol(b'(') => depth += 1,
            Token::Symbol(b')') => depth -= 1,
            token if depth == 0 && token.is_any(&MAIN) => return named(token),
            _ => {}
        }
    }
    Verb::Other
}

fn to_savepoint(tokens: &[Token<'_>]) -> bool {
    tokens.iter().skip(1).take(2).any(|token| token.is("to"))
}

/// `AND CHAIN` without a `NO` between them.
fn chains(tokens: &[Token<'_>]) -> bool {
    tokens.windows(2).any(|pair| matches!(pair, [a, b] if a.is("and") && b.is("chain")))
}

fn writes(verb: Verb, with: bool, tokens: &[Token<'_>]) -> bool {
    let locks = |pair: &[Token<'_>]| {
        matches!(pair, [a, b] if a.is("for") && b.is_any(&["update", "share", "no", "key"])) && verb == Verb::Select
    };
    let changes = |pair: &[Token<'_>]| matches!(pair, [a, b] if a.is_mark(b'(') && b.is_any(&CHANGING));
    let into = |pair: &[Token<'_>]| verb == Verb::Select && matches!(pair, [_, b] if b.is("into"));
    match verb {
        Verb::Insert | Verb::Update | Verb::Delete | Verb::Merge | Verb::Truncate | Verb::Define => true,
        Verb::Select => tokens.windows(2).any(|pair| locks(pair) || into(pair) || (with && changes(pair))),
        _ => false,
    }
}

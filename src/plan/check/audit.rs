//! What is done when the load is over: books of acknowledged writes are read back.

use super::answer;
use super::desk::{Desk, suggest};
use super::journey::Paths;
use super::step;
use super::tables::{Known, Set, Tables};
use crate::measure::sample::StepId;
use crate::plan::audit::{Audit, Books};
use crate::plan::program::{From, Http};
use crate::plan::template::Template;
use crate::spec::source::{Mark, Spanned};
use crate::spec::step::{Audit as Written, Extract, Steps, WrittenStep};

/// Reads a second, unless the author says otherwise.
const RATE: f64 = 50.0;

/// The books that journeys write, and how teardown reads them back.
pub(super) fn books(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    (paths, teardown): (&Paths<'_>, Option<&Steps>),
) -> Books {
    let names: Vec<String> = tables.books.iter().map(|(name, _)| name.clone()).collect();
    let mut audits = Vec::new();
    for spanned in desk.open_if(teardown).map_or(&[][..], Vec::as_slice) {
        match desk.open(spanned) {
            Some(WrittenStep::Audit(written)) => {
                let audit = audit(desk, tables, known, (paths, written, &names));
                audits.extend(audit);
            }
            Some(_) => desk.not_built("a step of teardown other than Audit", spanned.mark),
            None => {}
        }
    }
    let books = Books { names, audits };
    unread(desk, &books, &tables.books);
    books
}

fn audit(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    (paths, written, names): (&Paths<'_>, &Written, &[String]),
) -> Option<Audit> {
    let name = desk.text(&written.book)?;
    let book = names.iter().position(|known| known == name);
    if book.is_none() {
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        desk.error(
            "unknown_name",
            written.book.mark,
            format!("no request writes a book `{name}`"),
            suggest(name, &known),
        );
    }
    let rate = written.rate.as_ref().map_or(Some(RATE), |rate| desk.rate(rate));
    if let Some(spanned) = written.rate.as_ref().filter(|_| rate == Some(0.0)) {
        desk.error("zero_rate", spanned.mark, "never reads anything", "write a rate above 0");
    }
    let id = tables.variable("id", written.book.mark, vec!["0".to_owned()]);
    let mut inside = known.clone();
    inside.set.insert(id, Set::Surely);
    "no earlier part of the scenario".clone_into(&mut inside.setter);
    let read = desk.open(&written.read).and_then(|read| request(desk, tables, &inside, (paths, &read.url)));
    if read.as_ref().is_some_and(|read| !read.path.variables().any(|used| used == id)) {
        let help = "one of them is read by its `${id}`";
        desk.error("bad_url", written.read.mark, "every read would ask for the same", help);
    }
    let content = source(desk, &written.content);
    let list = written.list.as_ref().map(|list| {
        let list = desk.open(list)?;
        let asked = request(desk, tables, known, (paths, &list.url));
        let content = source(desk, &list.content);
        asked.zip(content)
    });
    let list = match list {
        Some(None) => return None,
        list => list.flatten(),
    };
    let book = u16::try_from(book?).ok()?;
    Some(Audit { book, rate: rate?, read: read?, id, content: content?, list })
}

fn source(desk: &mut Desk, written: &Spanned<Extract>) -> Option<From> {
    desk.open(written).and_then(|extract| answer::source(desk, extract).0)
}

/// A GET that is part of no journey, and of no series.
fn request(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    (paths, url): (&Paths<'_>, &Spanned<String>),
) -> Option<Http> {
    let (origin, path): (usize, Template) = step::place(desk, tables, known, (paths, url, None))?;
    Some(Http {
        step: StepId(u16::MAX),
        method: "GET".to_owned(),
        origin,
        path,
        headers: Vec::new(),
        body: None,
        total: paths.total,
        extract: Vec::new(),
        check: Vec::new(),
        truth: Vec::new(),
    })
}

/// The index of `book`, new or known; its name becomes part of a file's.
pub(super) fn book(desk: &mut Desk, tables: &mut Tables, written: &Spanned<String>) -> Option<u16> {
    let name = desk.text(written)?;
    if !super::scenario::is_name(name) {
        let help = "use the characters a-z 0-9 _ -, at most 64";
        desk.error("bad_name", written.mark, format!("`{name}` cannot name a book"), help);
        return None;
    }
    let known = tables.books.iter().position(|(known, _)| known == name);
    let at = known.unwrap_or_else(|| {
        tables.books.push((name.to_owned(), written.mark));
        tables.books.len() - 1
    });
    u16::try_from(at).ok()
}

/// Books that nobody reads back are worth a word.
fn unread(desk: &mut Desk, books: &Books, marks: &[(String, Mark)]) {
    for (n, (name, at)) in marks.iter().enumerate() {
        if !books.audits.iter().any(|audit| usize::from(audit.book) == n) {
            let message = format!("nobody reads the book `{name}` back");
            desk.warn("unread_book", *at, message, "add an Audit to teardown, or lost writes stay unknown");
        }
    }
}

//! Writes that a target acknowledged, line by line in `ledger-<book>.jsonl`, and what reading them back shows.
//!
//! A write whose answer never came is unknown: it may be there or not, and neither is a mistake. The comparison is pure. Not here:
//! reading back over the network (`load::audit`), what follows from it (`judge`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What is known of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The target said that it is done.
    Acknowledged,
    /// No whole answer came, or one that cannot be understood.
    Unknown,
    /// The target said that it is not done.
    Refused,
    /// An audit did not find it, though it was acknowledged.
    Lost,
}

/// One line of a book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What the target calls it; `None` when it did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its place in the target's own order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<String>,
    /// SHA-256 of its content.
    pub hash: String,
    /// When that was known, µs since tick 0.
    pub at_us: u64,
    /// What is known of it.
    pub fate: Fate,
}

/// The file of `book` in `folder`.
pub fn path(folder: &Path, book: &str) -> PathBuf {
    folder.join(format!("ledger-{book}.jsonl"))
}

/// The books of a run, each opened when its first line comes.
#[derive(Debug)]
pub struct Books {
    folder: PathBuf,
    names: Vec<String>,
    open: BTreeMap<u16, File>,
}

impl Books {
    /// Books of these names in `folder`.
    pub fn new(folder: &Path, names: &[String]) -> Self {
        Self { folder: folder.to_owned(), names: names.to_vec(), open: BTreeMap::new() }
    }

    /// Appends `entries`, each to its book by number.
    ///
    /// # Errors
    /// When a file cannot be written; it is named.
    pub fn write(&mut self, entries: &[(u16, Entry)]) -> Result<(), (PathBuf, io::Error)> {
        let mut lines: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
        for (book, entry) in entries {
            let line = lines.entry(*book).or_default();
            // An entry is texts and numbers, which JSON can always hold.
            line.extend(serde_json::to_vec(entry).unwrap_or_default());
            line.push(b'\n');
        }
        for (book, lines) in lines {
            let Some(name) = self.names.get(usize::from(book)) else { continue };
            let path = path(&self.folder, name);
            let wrong = |source| (path.clone(), source);
            let file = match self.open.remove(&book) {
                Some(file) => file,
                None => File::options().create(true).append(true).open(&path).map_err(wrong)?,
            };
            self.open.entry(book).or_insert(file).write_all(&lines).map_err(wrong)?;
        }
        Ok(())
    }
}

/// The lines of the book at `path`; none when there is no such file. A line that was cut off is left out.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<Entry>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?,
    };
    let mut entries = Vec::new();
    for line in BufReader::new(file).lines() {
        entries.extend(serde_json::from_str::<Entry>(&line?));
    }
    Ok(entries)
}

/// What reading one write back showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is not there.
    Gone,
    /// It is there, and its content has this hash.
    There(String),
    /// The target did not say: no whole answer, or one that is neither.
    Unclear,
}

/// What an audit of one book came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Writes the target acknowledged.
    pub acknowledged: u64,
    /// Writes whose answer never came.
    pub unknown: u64,
    /// Acknowledged writes that were read back.
    pub read: u64,
    /// Of these: not there.
    pub lost: u64,
    /// Of these: there, with another content.
    pub altered: u64,
    /// Copies beyond the first that the target lists; `None` without a list.
    pub duplicated: Option<u64>,
    /// Writes that are there though they were refused, or that an earlier audit found lost.
    pub resurrected: u64,
    /// Reads that showed neither.
    pub unclear: u64,
    /// First and last place of the lost in the target's own order.
    pub lost_seq: Option<(String, String)>,
}

impl Audit {
    /// Everything that must not be.
    pub fn wrong(&self) -> u64 {
        self.lost + self.altered + self.duplicated.unwrap_or(0) + self.resurrected
    }
}

/// Compares a book with what was found: `read` holds what reading back the entry of that index showed, `listed` the hashes of all
/// contents that the target lists.
pub fn compare(entries: &[Entry], read: &[(usize, Found)], listed: Option<&[String]>) -> Audit {
    let of = |fate: Fate| entries.iter().filter(move |entry| entry.fate == fate);
    let lost_before: BTreeSet<&str> = of(Fate::Lost).filter_map(|entry| entry.id.as_deref()).collect();
    let mut audit = Audit {
        acknowledged: of(Fate::Acknowledged).count() as u64,
        unknown: of(Fate::Unknown).count() as u64,
        read: read.len() as u64,
        ..Audit::default()
    };
    let mut lost = Vec::new();
    for (index, found) in read {
        let Some(entry) = entries.get(*index) else { continue };
        match found {
            Found::Gone => {
                audit.lost += 1;
                lost.extend(entry.seq.clone());
            }
            Found::There(hash) => {
                audit.altered += u64::from(*hash != entry.hash);
                let was_lost = entry.id.as_deref().is_some_and(|id| lost_before.contains(id));
                audit.resurrected += u64::from(was_lost);
            }
            Found::Unclear => audit.unclear += 1,
        }
    }
    lost.sort_by(|a, b| order(a, b));
    audit.lost_seq = lost.first().cloned().zip(lost.last().cloned());
    if let Some(listed) = listed {
        let (copies, phantoms) = copies(entries, listed);
        audit.duplicated = Some(copies);
        audit.resurrected += phantoms;
    }
    audit
}

/// Listed copies beyond those that were written, and listed contents that were refused and nothing else.
fn copies(entries: &[Entry], listed: &[String]) -> (u64, u64) {
    let mut times: BTreeMap<&str, u64> = BTreeMap::new();
    for hash in listed {
        *times.entry(hash).or_default() += 1;
    }
    // How often a content may be there, and whether it may only not be there.
    let mut may: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for entry in entries {
        let (written, refused) = may.entry(&entry.hash).or_default();
        match entry.fate {
            Fate::Acknowledged | Fate::Unknown => *written += 1,
            Fate::Refused => *refused += 1,
            Fate::Lost => {}
        }
    }
    let mut sums = (0, 0);
    for (hash, times) in times {
        match may.get(hash) {
            Some((0, refused)) if *refused > 0 => sums.1 += times,
            Some((written, _)) if *written > 0 => sums.0 += times.saturating_sub(*written),
            // What others wrote is not ours to judge.
            _ => {}
        }
    }
    sums
}

/// Numbers by their size, other texts by their letters.
fn order(a: &str, b: &str) -> std::cmp::Ordering {
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, hash: &str, fate: Fate) -> Entry {
        let id = (!id.is_empty()).then(|| id.to_owned());
        Entry { seq: id.clone(), id, hash: hash.to_owned(), at_us: 7, fate }
    }

    fn there(hash: &str) -> Found {
        Found::There(hash.to_owned())
    }

    #[test]
    fn lost_altered_and_unclear_writes_are_told_apart() {
        let ids = ["8", "9", "10", "11", "12"];
        let entries: Vec<Entry> = ids.iter().map(|id| entry(id, "a", Fate::Acknowledged)).collect();
        let read = [Found::Gone, there("a"), Found::Gone, there("b"), Found::Unclear];
        let read: Vec<(usize, Found)> = read.into_iter().enumerate().collect();
        let audit = compare(&entries, &read, None);
        assert_eq!((audit.read, audit.lost, audit.altered, audit.unclear, audit.wrong()), (5, 2, 1, 1, 3));
        assert_eq!(audit.lost_seq, Some(("8".to_owned(), "10".to_owned())), "by their size, not by their letters");
        assert_eq!(audit.duplicated, None, "nobody can tell without a list");
    }

    #[test]
    fn unknown_writes_are_neither_lost_nor_duplicated_and_refused_ones_must_not_be_there() {
        let entries = [
            entry("1", "a", Fate::Acknowledged),
            entry("2", "b", Fate::Acknowledged),
            entry("", "c", Fate::Unknown),
            entry("", "d", Fate::Refused),
            entry("", "b", Fate::Unknown),
        ];
        let list = |hashes: &[&str]| hashes.iter().map(|hash| (*hash).to_owned()).collect::<Vec<_>>();
        for (listed, duplicated, resurrected) in [
            (list(&["a", "b"]), 0, 0),
            (list(&["a", "a", "b", "b", "c"]), 1, 0),
            (list(&["a", "b", "d", "elsewhere", "elsewhere"]), 0, 1),
            (list(&["c", "c", "c"]), 2, 0),
        ] {
            let audit = compare(&entries, &[], Some(&listed));
            assert_eq!((audit.duplicated, audit.resurrected), (Some(duplicated), resurrected), "{listed:?}");
            assert_eq!((audit.lost, audit.unknown), (0, 2));
        }
    }

    #[test]
    fn what_an_earlier_audit_missed_is_resurrected_when_it_is_back() {
        let entries = [entry("1", "a", Fate::Acknowledged), entry("1", "a", Fate::Lost)];
        assert_eq!(compare(&entries, &[(0, there("a"))], None).resurrected, 1);
        assert_eq!(compare(&entries[..1], &[(0, there("a"))], None).resurrected, 0);
    }

    #[test]
    fn a_book_is_read_as_it_was_written_but_for_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let mut books = Books::new(folder.path(), &["orders".to_owned(), "carts".to_owned()]);
        let first = entry("1", "a", Fate::Acknowledged);
        books.write(&[(0, first.clone()), (1, entry("2", "b", Fate::Unknown))]).unwrap();
        books.write(&[(0, entry("3", "c", Fate::Refused))]).unwrap();
        let path = path(folder.path(), "orders");
        File::options().append(true).open(&path).unwrap().write_all(b"{\"id\":\"4\",\"ha").unwrap();
        assert_eq!(read(&path).unwrap(), [first, entry("3", "c", Fate::Refused)]);
        assert!(read(&folder.path().join("ledger-none.jsonl")).unwrap().is_empty());
    }
}

//! Rows of data and secrets: where values come from that no draw and no answer gives.
//!
//! Secrets are not read here: a plan holds their places, the run their values.

use std::sync::Arc;

use super::desk::Desk;
use super::tables::Tables;
use crate::plan::load::{Pattern, Workload};
use crate::plan::template::VarId;
use crate::plan::values::{Feed, RowPick, SecretFrom, SecretPlace};
use crate::spec::names::Named;
use crate::spec::scenario::{Data, DataFile, OnEnd, RowPick as WrittenPick, SecretFrom as WrittenSecret};
use crate::spec::source::{Mark, Spanned};

/// A data file that was read, and what is used of it.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    pub(super) name: String,
    at: Mark,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// Columns that are used, and their variables.
    pub(super) used: Vec<(usize, VarId)>,
    pick: RowPick,
}

pub(super) fn data(desk: &mut Desk, tables: &mut Tables, written: Option<&Spanned<Named<Data>>>) {
    let Some(named) = desk.open_if(written) else { return };
    for (name, at, spanned) in desk.entries(named, "data") {
        let sheet = desk.open(spanned).and_then(|data| sheet(desk, data));
        let (columns, rows, pick) = sheet.unwrap_or((Vec::new(), Vec::new(), RowPick::Sequential));
        tables.sheets.push(Sheet { name: name.to_owned(), at, columns, rows, used: Vec::new(), pick });
    }
}

/// Columns and rows of a file.
type Table = (Vec<String>, Vec<Vec<String>>);

fn sheet(desk: &mut Desk, data: &Data) -> Option<(Vec<String>, Vec<Vec<String>>, RowPick)> {
    let (Data::Csv(written) | Data::JsonLines(written)) = data;
    let again = matches!(desk.open_if(written.on_end.as_ref()), Some(OnEnd::Recycle));
    let pick = match desk.open_if(written.pick.as_ref()) {
        None | Some(WrittenPick::Sequential) => RowPick::Sequential,
        Some(WrittenPick::Random) => RowPick::Random,
        Some(WrittenPick::Unique) if again => RowPick::UniqueAgain,
        Some(WrittenPick::Unique) => RowPick::Unique,
        Some(WrittenPick::PerUser) => RowPick::PerUser,
    };
    let delimiter = delimiter(desk, written);
    let text = desk.beside(&written.file)?;
    let (columns, rows) = match data {
        Data::Csv(_) => csv(desk, &text, delimiter, written.file.mark)?,
        Data::JsonLines(_) => json_lines(desk, &text, written.file.mark)?,
    };
    if rows.is_empty() {
        desk.error("empty_data", written.file.mark, "the file has no row", "write at least one under the names");
        return None;
    }
    Some((columns, rows, pick))
}

fn delimiter(desk: &mut Desk, written: &DataFile) -> char {
    let Some(spanned) = &written.delimiter else { return ',' };
    let text = desk.text(spanned).unwrap_or(",");
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(one), None) if one != '"' => one,
        _ => {
            desk.error("bad_number", spanned.mark, format!("`{text}` is not one character"), "write it as `;`");
            ','
        }
    }
}

/// Comma-separated values with a row of names: RFC 4180, with the author's delimiter.
fn csv(desk: &mut Desk, text: &str, delimiter: char, at: Mark) -> Option<Table> {
    let mut rows = records(text, delimiter).into_iter();
    let columns = rows.next().unwrap_or_default();
    let mut found = Vec::new();
    for (n, row) in rows.enumerate() {
        if row.len() != columns.len() {
            let message = format!("row {} has {} columns, the first row {}", n + 2, row.len(), columns.len());
            desk.error("ragged_row", at, message, "every row has a value for every name");
            return None;
        }
        found.push(row);
    }
    Some((columns, found))
}

fn records(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let (mut row, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            c if quoted => cell.push(c),
            '\r' => {}
            '\n' => {
                // A line of nothing is no row.
                if !(row.is_empty() && cell.is_empty()) {
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
            }
            c if c == delimiter => row.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    if !(row.is_empty() && cell.is_empty()) {
        row.push(cell);
        rows.push(row);
    }
    rows
}

/// One JSON object in each line; the columns are the fields of the first.
fn json_lines(desk: &mut Desk, text: &str, at: Mark) -> Option<Table> {
    let mut columns: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let object = match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line) {
            Ok(object) => object,
            Err(error) => {
                let message = format!("line {}: no JSON object: {error}", n + 1);
                desk.error("ragged_row", at, message, "write one object in each line");
                return None;
            }
        };
        if columns.is_empty() {
            columns = object.keys().cloned().collect();
        }
        let row: Option<Vec<String>> = columns.iter().map(|name| object.get(name).map(text_of)).collect();
        let Some(row) = row else {
            let message = format!("line {} lacks a field of the first line", n + 1);
            desk.error("ragged_row", at, message, format!("every line has {}", columns.join(", ")));
            return None;
        };
        rows.push(row);
    }
    Some((columns, rows))
}

fn text_of(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What is used of the data; files that nobody uses are left out.
pub(super) fn feeds(desk: &mut Desk, tables: &Tables, workloads: &[Workload]) -> Vec<Feed> {
    let mut feeds = Vec::new();
    for sheet in tables.sheets.iter().filter(|sheet| !sheet.used.is_empty()) {
        if sheet.pick == RowPick::Unique {
            enough(desk, sheet, workloads);
        }
        let row = |row: &Vec<String>| {
            sheet.used.iter().map(|(index, _)| row.get(*index).cloned().unwrap_or_default()).collect()
        };
        feeds.push(Feed {
            name: sheet.name.clone(),
            rows: Arc::new(sheet.rows.iter().map(row).collect()),
            columns: sheet.used.iter().map(|(_, variable)| *variable).collect(),
            pick: sheet.pick,
        });
    }
    feeds
}

/// Rows that are taken once must last for the planned arrivals.
fn enough(desk: &mut Desk, sheet: &Sheet, workloads: &[Workload]) {
    let most = workloads.iter().filter_map(|one| match &one.pattern {
        Pattern::Open { curve, arrivals, .. } => Some(arrivals.unwrap_or(u64::MAX).min(curve.arrivals())),
        Pattern::Closed { .. } => None,
    });
    let needed = most.max().unwrap_or(0).saturating_mul(workloads.len() as u64);
    if needed > sheet.rows.len() as u64 {
        let message = format!("{needed} arrivals need {needed} rows, found {}", sheet.rows.len());
        desk.error("too_few_rows", sheet.at, message, "add rows, or `on_end: Recycle`");
    }
}

pub(super) fn secrets(desk: &mut Desk, tables: &mut Tables, written: Option<&Spanned<Named<WrittenSecret>>>) {
    let Some(named) = desk.open_if(written) else { return };
    for (name, _, spanned) in desk.entries(named, "secrets") {
        let place = match desk.open(spanned) {
            Some(WrittenSecret::Env(variable)) => SecretPlace::Env(desk.text(variable).unwrap_or_default().to_owned()),
            Some(WrittenSecret::File(path)) => {
                let path = desk.text(path).unwrap_or_default();
                SecretPlace::File(super::Files::beside(&desk.source.path, path))
            }
            None => SecretPlace::Env(String::new()),
        };
        tables.secrets.push((name.to_owned(), place, None));
    }
}

/// The secrets that are used.
pub(super) fn used_secrets(tables: &Tables) -> Vec<SecretFrom> {
    let used = tables.secrets.iter().filter_map(|(name, place, into)| {
        into.map(|into| SecretFrom { name: name.clone(), place: place.clone(), into })
    });
    used.collect()
}

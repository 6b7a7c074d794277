//! Bodies of requests: texts, JSON, forms, files, and several parts in one.
//!
//! Called by `step`. Not here: sending them.

use super::desk::Desk;
use super::files::Files;
use super::step;
use super::tables::{Known, Tables};
use crate::base::digest::sha256;
use crate::measure::sample::StepId;
use crate::plan::program::{Body, Chunk, FileBody};
use crate::plan::template::{Escape, Piece, Template};
use crate::spec::source::{Mark, Spanned};
use crate::spec::step::{Body as Written, Part};

/// The body and its content type.
pub(super) fn body(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    (written, step): (&Spanned<Written>, StepId),
) -> Option<(Body, String)> {
    let plain = |template: Template, kind: &str| Some((Body::text(template), kind.to_owned()));
    match desk.open(written)? {
        Written::Text(text) => plain(tables.template(desk, known, text, Escape::Plain)?, "text/plain; charset=utf-8"),
        Written::Json(text) => {
            let template = tables.template(desk, known, text, Escape::Json)?;
            json(desk, tables, (&template, text.mark));
            plain(template, "application/json")
        }
        Written::File(path, kind) => {
            let (file, kind) = (file(desk, path), content_type(desk, kind));
            Some((Body(vec![Chunk::File(file?)]), kind?))
        }
        Written::Multipart(parts) => multipart(desk, tables, known, (parts, written.mark, step)),
        Written::Form(named) => {
            let mut template = Template::default();
            for (n, (name, value)) in step::pairs(desk, tables, known, named).into_iter().enumerate() {
                let sign = if n == 0 { "" } else { "&" };
                template.pieces.push(Piece::Text(format!("{sign}{name}=")));
                template.pieces.extend(value.pieces);
            }
            plain(template, "application/x-www-form-urlencoded")
        }
    }
}

/// A file beside the scenario; `None` after it was reported.
fn file(desk: &mut Desk, written: &Spanned<String>) -> Option<FileBody> {
    let name = desk.text(written)?;
    let path = Files::beside(&desk.source.path, name);
    match desk.files.digest(&path) {
        Ok(digest) => Some(FileBody::new(path, digest)),
        Err(error) => {
            let message = format!("cannot read {path}: {error}");
            desk.error("missing_file", written.mark, message, "paths lead from this file's folder");
            None
        }
    }
}

fn content_type(desk: &mut Desk, written: &Spanned<String>) -> Option<String> {
    let text = desk.text(written)?;
    let is_kind = text.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty());
    if !is_kind || text.chars().any(char::is_control) {
        desk.error("bad_header", written.mark, format!("`{text}` is no content type"), "write it as `image/png`");
    }
    Some(text.to_owned())
}

/// Parts between boundaries, after RFC 7578.
fn multipart(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    (parts, at, step): (&[Spanned<Part>], Mark, StepId),
) -> Option<(Body, String)> {
    if parts.is_empty() {
        desk.error("empty_data", at, "a body without parts", "add `Text(name, value)` or `File(name, path, type)`");
    }
    let name = tables.steps.get(usize::from(step.0)).map_or("", |(name, _)| name.as_str());
    let boundary: String = sha256(format!("multipart {name}").as_bytes()).chars().take(24).collect();
    let boundary = format!("squall-{boundary}");
    let quoted = |text: &str| text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let mut chunks = Vec::new();
    let mut whole = true;
    let mut found: Vec<(String, Option<Chunk>)> = Vec::new();
    for part in parts {
        match desk.open(part) {
            Some(Part::Text(name, text)) => {
                let head = format!("content-disposition: form-data; name=\"{}\"\r\n\r\n", quoted(desk.text(name)?));
                found.push((head, tables.template(desk, known, text, Escape::Plain).map(Chunk::Text)));
            }
            Some(Part::File(name, path, kind)) => {
                let file_name = desk.text(path)?.rsplit('/').next().unwrap_or_default().to_owned();
                let kind = content_type(desk, kind)?;
                let (name, file_name) = (quoted(desk.text(name)?), quoted(&file_name));
                let head = format!(
                    "content-disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\ncontent-type: {kind}\r\n\r\n"
                );
                found.push((head, file(desk, path).map(Chunk::File)));
            }
            None => whole = false,
        }
    }
    for (n, (head, chunk)) in found.into_iter().enumerate() {
        let before = if n == 0 { "" } else { "\r\n" };
        chunks.push(Chunk::Text(Template::fixed(format!("{before}--{boundary}\r\n{head}"))));
        match chunk {
            Some(chunk) => chunks.push(chunk),
            None => whole = false,
        }
    }
    chunks.push(Chunk::Text(Template::fixed(format!("\r\n--{boundary}--\r\n"))));
    whole.then(|| (Body(chunks), format!("multipart/form-data; boundary={boundary}")))
}

/// A JSON body must be JSON with every value its variables may take.
fn json(desk: &mut Desk, tables: &Tables, (template, at): (&Template, Mark)) {
    for round in 0..tables.rounds() {
        let filled = tables.sample(template, round);
        let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&filled) else { continue };
        let sentence = error.to_string();
        let sentence = sentence.split(" at line ").next().unwrap_or_default();
        if template.as_fixed().is_some() && error.line() == 1 && error.column() > 0 {
            let column = error.column() - 1;
            let message = format!("the body is not JSON: {sentence}");
            desk.error_inside("bad_json", (at, column..column + 1), message, "");
            return;
        }
        let message = format!("the body is not JSON once filled: {sentence} in `{filled}`");
        desk.error("bad_json", at, message, "a text needs quotes around its `${…}`, a number none");
        return;
    }
}

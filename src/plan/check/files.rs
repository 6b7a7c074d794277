//! The files a check reads, and the memory of what was read: a report made later checks the same texts again, not the disk.
//!
//! Called by `check` alone; `cli` makes it and hands what was read to the journal.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use crate::base::digest::sha256;

/// What stands before a digest that is remembered in the place of a file.
const DIGEST: &str = "sha256:";

/// Where texts come from.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// `None`: the disk.
    held: Option<BTreeMap<String, Arc<str>>>,
    read: Vec<(String, Arc<str>)>,
}

impl Files {
    /// Files of the disk, by the paths users write.
    pub fn disk() -> Self {
        Self::default()
    }

    /// Texts from memory, by path; everything else does not exist.
    pub fn held<T: Into<Arc<str>>>(texts: impl IntoIterator<Item = (String, T)>) -> Self {
        Self { held: Some(texts.into_iter().map(|(path, text)| (path, text.into())).collect()), read: Vec::new() }
    }

    /// The text of `path`; the second reading of a path gives the same text as the first.
    ///
    /// # Errors
    /// When there is no such file, or it is not UTF-8.
    pub fn read(&mut self, path: &str) -> io::Result<Arc<str>> {
        if let Some((_, text)) = self.read.iter().find(|(known, _)| known == path) {
            return Ok(Arc::clone(text));
        }
        let text: Arc<str> = match &self.held {
            Some(held) => held.get(path).map(Arc::clone).ok_or_else(|| {
                io::Error::new(io::ErrorKind::NotFound, format!("{path} is not among the texts of this run"))
            })?,
            None => text_of(std::fs::read(path)?)?.into(),
        };
        self.read.push((path.to_owned(), Arc::clone(&text)));
        Ok(text)
    }

    /// The SHA-256 of what `path` holds, whatever that is. What is remembered of it is the digest alone.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn digest(&mut self, path: &str) -> io::Result<String> {
        if self.held.is_some() || self.read.iter().any(|(known, _)| known == path) {
            let text = self.read(path)?;
            return Ok(text.strip_prefix(DIGEST).map_or_else(|| sha256(text.as_bytes()), str::to_owned));
        }
        let digest = sha256(&std::fs::read(path)?);
        self.read.push((path.to_owned(), format!("{DIGEST}{digest}").into()));
        Ok(digest)
    }

    /// Every path and text that was read, in order of reading.
    pub fn seen(&self) -> &[(String, Arc<str>)] {
        &self.read
    }

    /// The path of `name` as written in the file `beside`: both lie in the same folder.
    pub(super) fn beside(beside: &str, name: &str) -> String {
        match beside.rsplit_once('/') {
            Some((folder, _)) if !name.starts_with('/') => format!("{folder}/{name}"),
            _ => name.to_owned(),
        }
    }
}

/// The text that `bytes` are.
fn text_of(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let row = error.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
        io::Error::new(io::ErrorKind::InvalidData, format!("row {row} is not UTF-8, at byte {at} of the file"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_remembered_and_can_be_read_again_from_memory() {
        let mut files = Files::held([("a/b.ron".to_owned(), "(x: 1)")]);
        assert_eq!(&*files.read("a/b.ron").unwrap(), "(x: 1)");
        assert_eq!(files.read("a/c.ron").unwrap_err().kind(), io::ErrorKind::NotFound);
        let mut again = Files::held(files.seen().to_vec());
        assert_eq!(&*again.read("a/b.ron").unwrap(), "(x: 1)");
        assert_eq!(files.seen().len(), 1);
    }

    #[test]
    fn a_scenario_lies_beside_its_drill() {
        assert_eq!(Files::beside("scenarios/night.ron", "mix.ron"), "scenarios/mix.ron");
        assert_eq!(Files::beside("night.ron", "mix.ron"), "mix.ron");
        assert_eq!(Files::beside("a/night.ron", "/b/mix.ron"), "/b/mix.ron");
    }
}

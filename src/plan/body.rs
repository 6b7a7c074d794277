//! Bodies of requests: texts and files, one behind the other.
//!
//! Made by `check`, which reads no more of a file than its digest; the run reads each file once, when it is compiled. Not here:
//! sending (`load::client`).

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use super::template::{Template, VarId};
use crate::base::digest::sha256;

/// A body: its parts in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body(pub Vec<Chunk>);

/// A part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// A text.
    Text(Template),
    /// A whole file.
    File(FileBody),
}

impl Body {
    /// A body of one text.
    pub fn text(template: Template) -> Self {
        Self(vec![Chunk::Text(template)])
    }

    /// The variables it uses.
    pub fn variables(&self) -> impl Iterator<Item = VarId> + '_ {
        self.templates().flat_map(Template::variables)
    }

    /// Its texts.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.0.iter().filter_map(|chunk| if let Chunk::Text(text) = chunk { Some(text) } else { None })
    }
}

/// A file that is sent whole. Clones share what was read.
#[derive(Clone)]
pub struct FileBody {
    /// Its path.
    pub path: String,
    /// Its SHA-256 when the plan was checked.
    pub digest: String,
    read: Arc<OnceLock<Arc<[u8]>>>,
}

impl FileBody {
    /// The file at `path` with this digest.
    pub fn new(path: String, digest: String) -> Self {
        Self { path, digest, read: Arc::default() }
    }

    /// What is in it; read once.
    ///
    /// # Errors
    /// When it cannot be read, or is no longer what was checked.
    pub fn bytes(&self) -> io::Result<Arc<[u8]>> {
        if let Some(bytes) = self.read.get() {
            return Ok(Arc::clone(bytes));
        }
        let bytes: Arc<[u8]> = std::fs::read(&self.path)?.into();
        if sha256(&bytes) != self.digest {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it has changed since it was checked"));
        }
        Ok(Arc::clone(self.read.get_or_init(|| bytes)))
    }
}

/// Path and digest: what is inside belongs to no plan hash twice.
impl fmt::Debug for FileBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileBody").field("path", &self.path).field("digest", &self.digest).finish_non_exhaustive()
    }
}

impl PartialEq for FileBody {
    fn eq(&self, other: &Self) -> bool {
        (&self.path, &self.digest) == (&other.path, &other.digest)
    }
}

impl Eq for FileBody {}

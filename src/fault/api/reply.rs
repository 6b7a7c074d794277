//! Answers of the API, before they are HTTP. Not here: headers that depend on the request (`door`).

use serde::Serialize;

use super::book::ProxyJson;
use super::errors::Refusal;

pub(super) const JSON: &str = "application/json";
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// A status, a content type and a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// `None`: no body.
    pub(super) kind: Option<&'static str>,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn text(status: u16, kind: &'static str, body: impl Into<String>) -> Self {
        Self { status, kind: Some(kind), body: body.into() }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, kind: None, body: String::new() }
    }

    /// Compact JSON without a final newline.
    pub(super) fn json(status: u16, value: &impl Serialize) -> Result<Self, Refusal> {
        let body = serde_json::to_string(value).map_err(|error| Refusal::new(500, error.to_string()))?;
        Ok(Self::text(status, JSON, body))
    }

    /// What `/populate` answers.
    pub(super) fn proxies(status: u16, refusal: Option<&Refusal>, proxies: &[ProxyJson]) -> Result<Self, Refusal> {
        #[derive(Serialize)]
        struct Populated<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            status: Option<u16>,
            proxies: &'a [ProxyJson],
        }
        let (error, code) = (refusal.map(|one| one.message.as_str()), refusal.map(|one| one.status));
        Self::json(status, &Populated { error, status: code, proxies })
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self::text(refusal.status, TEXT, refusal.json() + "\n")
    }
}

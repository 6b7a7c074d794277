//! Answers that refuse, with the status and text that published clients look for.
//!
//! Not here: where they are decided (`json`, `attributes`, `compat`, `door`).

use crate::fault::FaultError;

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// The body, or a field of it, is not what it must be.
    pub(super) fn body(detail: impl std::fmt::Display) -> Self {
        Self::new(400, format!("bad request body: {detail}"))
    }

    pub(super) fn missing(field: &str) -> Self {
        Self::new(400, format!("missing required field: {field}"))
    }

    pub(super) fn no_proxy() -> Self {
        Self::new(404, "proxy not found")
    }

    pub(super) fn no_toxic() -> Self {
        Self::new(404, "toxic not found")
    }

    pub(super) fn stopped() -> Self {
        Self::new(409, "stopped: no fault is taken until DELETE /squall/v1/stop")
    }

    /// `{"error":…,"status":…}`.
    pub(super) fn json(&self) -> String {
        let error = serde_json::Value::from(self.message.as_str());
        format!(r#"{{"error":{error},"status":{}}}"#, self.status)
    }
}

impl From<FaultError> for Refusal {
    fn from(error: FaultError) -> Self {
        match &error {
            FaultError::Listen { address, source, .. } => {
                let text = source.to_string();
                let text = text.split(" (os error").next().unwrap_or_default().to_lowercase();
                Self::new(500, format!("listen tcp {address}: bind: {text}"))
            }
            FaultError::Loop { .. } => Self::new(500, "upstream is this proxy"),
            FaultError::ProxyExists { .. } => Self::new(409, "proxy already exists"),
            FaultError::UnknownProxy { .. } => Self::no_proxy(),
            FaultError::Speech { speaks, .. } => Self::new(400, format!("proxy speaks {speaks}")),
            FaultError::UnknownFault { .. } => Self::new(404, error.to_string()),
            FaultError::FaultExists { .. } | FaultError::LeaseOver { .. } => Self::new(409, error.to_string()),
            FaultError::NoLease { .. } => Self::new(400, error.to_string()),
            FaultError::Start(_) | FaultError::Stopped | FaultError::Late { .. } => Self::new(500, error.to_string()),
        }
    }
}

//! What a valid event is: PagerDuty's Events API v2, with every mistake named at once.
//!
//! Pure. Not here: the listener.

use serde_json::Value;

use crate::base::digest::sha256;
use crate::drill::director::Page;

/// Longest deduplication key, characters.
const KEY: usize = 255;
/// Longest summary, characters.
const SUMMARY: usize = 1024;
/// The four severities.
const SEVERITIES: [&str; 4] = ["critical", "error", "warning", "info"];

/// Reads an event.
///
/// # Errors
/// Everything that is wrong with it, one sentence each.
pub(super) fn read(body: &[u8]) -> Result<Page, Vec<String>> {
    let event: Value = serde_json::from_slice(body).map_err(|error| {
        // The message of the parser ends with its own place.
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or_default();
        vec![format!("broken JSON at line {}, column {}: {what}", error.line(), error.column())]
    })?;
    let mut wrong = Vec::new();
    let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    if text(&event, "routing_key").is_empty() {
        wrong.push("`routing_key` is missing".to_owned());
    }
    let action = text(&event, "event_action");
    if !matches!(action.as_str(), "trigger" | "acknowledge" | "resolve") {
        wrong.push(format!("`event_action` is `{action}`, not trigger, acknowledge or resolve"));
    }
    let mut dedup_key = text(&event, "dedup_key");
    if dedup_key.chars().count() > KEY {
        wrong.push(format!("`dedup_key` is longer than {KEY} characters"));
    }
    let (mut summary, mut origin) = (String::new(), String::new());
    if action == "trigger" {
        let payload = event.get("payload").unwrap_or(&Value::Null);
        summary = text(payload, "summary");
        origin = text(payload, "source");
        wrong.extend(payload_mistakes(&summary, &origin, &text(payload, "severity")));
        if dedup_key.is_empty() {
            dedup_key = sha256(body).chars().take(32).collect();
        }
    } else if dedup_key.is_empty() {
        wrong.push("`dedup_key` is missing: which alert is meant?".to_owned());
    }
    if wrong.is_empty() { Ok(Page { action, summary, origin, dedup_key }) } else { Err(wrong) }
}

fn payload_mistakes(summary: &str, origin: &str, severity: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if summary.is_empty() {
        wrong.push("`payload.summary` is missing".to_owned());
    }
    if summary.chars().count() > SUMMARY {
        wrong.push(format!("`payload.summary` is longer than {SUMMARY} characters"));
    }
    if origin.is_empty() {
        wrong.push("`payload.source` is missing".to_owned());
    }
    if !SEVERITIES.contains(&severity) {
        wrong.push(format!("`payload.severity` is `{severity}`, not one of {}", SEVERITIES.join(", ")));
    }
    wrong
}

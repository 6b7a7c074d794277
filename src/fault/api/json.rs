//! Reading what clients send: one JSON value, keys in any case, unknown keys ignored, `null` as if it were absent.
//!
//! Pure. Not here: what the fields mean (`compat`, `attributes`).

use serde_json::{Deserializer, Map, Value};

use super::errors::Refusal;

/// Bytes of a body, at most.
pub(super) const LONGEST: usize = 1 << 20;
/// Objects and arrays within each other, at most.
const DEEPEST: usize = 64;

/// The first value of `body`; what follows it is ignored.
pub(super) fn first(body: &[u8]) -> Result<Value, Refusal> {
    let Some(read) = Deserializer::from_slice(body).into_iter::<Value>().next() else {
        return Err(Refusal::body("EOF"));
    };
    let value =
        read.map_err(|error| if error.is_eof() { Refusal::body("unexpected EOF") } else { Refusal::body(error) })?;
    if is_deeper(&value, DEEPEST) {
        return Err(Refusal::body(format!("nested over {DEEPEST} deep")));
    }
    Ok(value)
}

fn is_deeper(value: &Value, than: usize) -> bool {
    match value {
        Value::Array(items) => than == 0 || items.iter().any(|item| is_deeper(item, than - 1)),
        Value::Object(fields) => than == 0 || fields.values().any(|field| is_deeper(field, than - 1)),
        _ => false,
    }
}

/// The fields of an object, and where it stands: `attributes.` or nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    prefix: &'static str,
    fields: Map<String, Value>,
}

impl Fields {
    /// The fields of the first object of `body`.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        Self::of(first(body)?, "")
    }

    /// The fields of `value`; `null` has none.
    pub(super) fn of(value: Value, prefix: &'static str) -> Result<Self, Refusal> {
        match value {
            Value::Object(fields) => Ok(Self { prefix, fields }),
            Value::Null => Ok(Self { prefix, fields: Map::new() }),
            _ => Err(Refusal::body(match prefix.trim_end_matches('.') {
                "" => "it must be an object".to_owned(),
                name => format!("{name} must be an object"),
            })),
        }
    }

    /// The exact key before one that differs in case; `null` is absent.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let alike = || self.fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        self.fields.get(name).or_else(alike).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.get(name)
            .map(|value| value.as_str().map(str::to_owned).ok_or_else(|| self.wrong(name, "a string")))
            .transpose()
    }

    pub(super) fn truth(&self, name: &str) -> Result<Option<bool>, Refusal> {
        self.get(name).map(|value| value.as_bool().ok_or_else(|| self.wrong(name, "true or false"))).transpose()
    }

    /// An integer of 64 bits, written without fraction or exponent.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.get(name).map(|value| value.as_i64().ok_or_else(|| self.wrong(name, "an integer"))).transpose()
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, Refusal> {
        self.get(name).map(|value| value.as_f64().ok_or_else(|| self.wrong(name, "a number"))).transpose()
    }

    /// The object in a field; an absent one has no fields.
    pub(super) fn object(&self, name: &str, prefix: &'static str) -> Result<Self, Refusal> {
        Self::of(self.get(name).cloned().unwrap_or_default(), prefix)
    }

    /// `<field> must be <what>`.
    pub(super) fn wrong(&self, name: &str, what: &str) -> Refusal {
        Refusal::body(format!("{}{name} must be {what}", self.prefix))
    }
}

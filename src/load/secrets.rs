//! The values of secrets, read from their places just before a run; a plan holds the places alone.
//!
//! Values are [`Secret`]s until they are copied into a user's variables. Called by `cli` before anything is sent. [`Mask`] takes
//! them out of whatever a server sends back and we write down.

use crate::base::digest::base64;
use crate::base::secret::Secret;
use crate::plan::load::LoadPlan;
use crate::plan::template::VarId;
use crate::plan::values::SecretPlace;

use super::LoadError;

/// The secrets of `plan` with their values.
///
/// # Errors
/// When one is absent: it is named with its place, never with a value.
pub fn reveal(plan: &LoadPlan) -> Result<Vec<(VarId, Secret)>, LoadError> {
    let mut found = Vec::new();
    for secret in &plan.values.secrets {
        let (place, value) = match &secret.place {
            SecretPlace::Env(name) => (format!("environment variable {name}"), std::env::var(name).ok()),
            SecretPlace::File(path) => {
                let text = std::fs::read_to_string(path).ok();
                (format!("file {path}"), text.map(|text| text.trim().to_owned()))
            }
        };
        let absent = || LoadError::Secret { name: secret.name.clone(), place };
        found.push((secret.into, Secret::new(value.ok_or_else(absent)?)));
    }
    Ok(found)
}

/// Values that are never written down, in all their forms.
#[derive(Debug, Default)]
pub struct Mask(Vec<Secret>);

impl Mask {
    /// Masks `values`: as they are, in base64, and as they stand in an address.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a Secret>) -> Self {
        let forms = |value: &Secret| {
            let plain = value.expose();
            [plain.to_owned(), base64(plain.as_bytes()), percent(plain)]
        };
        let mut all: Vec<String> = values.into_iter().flat_map(forms).filter(|form| !form.is_empty()).collect();
        // A value that is part of another must not leave the other's rest behind.
        all.sort_by_key(|form| std::cmp::Reverse(form.len()));
        Self(all.into_iter().map(Secret::new).collect())
    }

    /// `text` without them.
    pub fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose(), "***"))
    }

    /// An address without them, and without the values of its query: what a server puts there may be a credential too.
    pub fn location(&self, location: &str) -> String {
        let location = self.text(location);
        let location = location.split('#').next().unwrap_or_default();
        let Some((path, query)) = location.split_once('?') else { return location.to_owned() };
        let pairs: Vec<String> = query
            .split('&')
            .map(|pair| pair.split_once('=').map_or_else(|| "***".to_owned(), |(name, _)| format!("{name}=***")))
            .collect();
        format!("{path}?{}", pairs.join("&"))
    }
}

/// All but the unreserved characters of RFC 3986 percent-encoded.
fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_in_every_form() {
        let mask = Mask::new(&[Secret::new("a b/c"), Secret::new("a b/c=d")]);
        assert_eq!(mask.text("a b/c=d and a b/c and YSBiL2M= and a%20b%2Fc"), "*** and *** and *** and ***");
        assert_eq!(mask.location("302 /in/a%20b%2Fc?code=12&x#top"), "302 /in/***?code=***&***");
        assert_eq!(Mask::default().location("302 /plain"), "302 /plain");
    }
}

//! The lever on somebody else's Toxiproxy: its HTTP API, seen to hold the toxic and seen to be rid of it.
//!
//! A server of that kind hangs when it removes a toxic while a reader does not read; then its proxy is switched off and on, which
//! ends the connections that hang. Not here: squall's own proxies (`fault`).

use std::fmt::Write as _;

use super::LeverError;
use super::http::{Ask, Endpoint};
use super::undo::UndoEnv;
use crate::plan::lever::Toxiproxy;

fn endpoint(url: &str, env: &UndoEnv) -> Result<Endpoint, LeverError> {
    Endpoint::at(url, None, &env.clock, &*env.vouch)
}

/// A name as a segment of a path.
fn segment(name: &str) -> String {
    name.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

fn toxic_path(proxy: &str, toxic: &str) -> String {
    format!("/proxies/{}/toxics/{}", segment(proxy), segment(toxic))
}

/// Adds the toxic, and sees that it is there.
pub(super) async fn apply(lever: &Toxiproxy, env: &UndoEnv) -> Result<u64, LeverError> {
    let server = endpoint(&lever.url, env)?;
    let path = format!("/proxies/{}/toxics", segment(&lever.proxy));
    let ask = Ask::new("POST", &path, &lever.toxic);
    server.send(&ask).await?.accepted(&ask)?;
    let path = toxic_path(&lever.proxy, &lever.name);
    let ask = Ask::get(&path);
    let seen = server.send(&ask).await?.accepted(&ask)?.json();
    Ok(u64::from(seen["name"] == lever.name.as_str()))
}

/// Removes the toxic; in words what it took.
///
/// # Errors
/// Why it is not removed, in words.
pub(super) async fn remove((url, proxy, toxic): (&str, &str, &str), env: &UndoEnv) -> Result<String, String> {
    let server = endpoint(url, env).map_err(|error| error.to_string())?;
    let path = toxic_path(proxy, toxic);
    let ask = Ask::new("DELETE", &path, "");
    match server.send(&ask).await {
        Ok(answer) if answer.status == 404 => Ok(format!("toxic {toxic} was gone already")),
        Ok(answer) => {
            answer.accepted(&ask).map(|_| format!("toxic {toxic} was removed")).map_err(|error| error.to_string())
        }
        Err(LeverError::Late { .. }) => {
            switch(&server, proxy).await.map_err(|error| format!("the server hung, and {error}"))?;
            match server.send(&ask).await {
                Ok(answer) if answer.status == 404 || (200..300).contains(&answer.status) => Ok(format!(
                    "the server hung while it removed toxic {toxic}: proxy {proxy} was switched off and on, its connections are cut"
                )),
                Ok(answer) => {
                    Err(format!("the server answers {} after its proxy was switched off and on", answer.status))
                }
                Err(error) => Err(error.to_string()),
            }
        }
        Err(error) => Err(error.to_string()),
    }
}

async fn switch(server: &Endpoint, proxy: &str) -> Result<(), LeverError> {
    let path = format!("/proxies/{}", segment(proxy));
    for json in [r#"{"enabled":false}"#, r#"{"enabled":true}"#] {
        let ask = Ask::new("POST", &path, json);
        server.send(&ask).await?.accepted(&ask)?;
    }
    Ok(())
}

/// Sees that the toxic is not there.
///
/// # Errors
/// What was seen instead, in words.
pub(super) async fn is_gone((url, proxy, toxic): (&str, &str, &str), env: &UndoEnv) -> Result<String, String> {
    let server = endpoint(url, env).map_err(|error| error.to_string())?;
    let path = toxic_path(proxy, toxic);
    match server.send(&Ask::get(&path)).await {
        Ok(answer) if answer.status == 404 => Ok(format!("toxic {toxic} is not there")),
        Ok(answer) => Err(format!("toxic {toxic} is still there (the server answers {})", answer.status)),
        Err(error) => Err(error.to_string()),
    }
}

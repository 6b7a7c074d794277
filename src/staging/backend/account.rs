//! Signing in, and what a customer keeps about himself. Called by the backend's routes.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{Refusal, Visit};
use crate::staging::owner::Owner;
use crate::staging::serve::{Reply, json_reply};
use crate::staging::store::queries::Profile;
use crate::staging::weakness::mini_cart;

/// A city's longest name, in bytes.
const CITY: usize = 200;

/// A field that may be written as text or as a number.
fn word(data: &Value, name: &str) -> Result<String, Refusal> {
    match &data[name] {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Refusal::Wrong(format!("`{name}` is missing; a login is {{\"tenant\": \"t3\", \"user\": 17}}"))),
    }
}

/// `POST /api/login` with `{tenant, user}`.
pub(super) async fn login(visit: &Visit, data: &Value) -> Result<Reply, Refusal> {
    let (tenant, user) = (word(data, "tenant")?, word(data, "user")?);
    let nobody = || Refusal::Wrong(format!("there is no user {user} of {tenant}; users are 1 to 200 of t1 to t5"));
    let owner = Owner::parse(&tenant, &user).ok_or_else(nobody)?;
    let name = visit.held.user_name(owner.id()).await?.ok_or_else(nobody)?;
    let keys = &visit.inside.keys;
    let data = json!({
        "token": keys.token(owner), "owner_tag": keys.tag(owner),
        "tenant_id": owner.tenant_id(), "user": owner.user, "name": name,
    });
    Ok(json_reply(StatusCode::OK, &data))
}

/// `GET /api/me`: the name comes from the cache, where it is kept with whose it is.
pub(super) async fn me(visit: &Visit) -> Result<Reply, Refusal> {
    let fetch = async || {
        let name = visit.held.user_name(visit.owner()?.id()).await?.ok_or(Refusal::Unknown)?;
        // A name is never changed, so its version is the first.
        Ok(json!({"name": name, "version": 1}))
    };
    visit.cached_part("me", "/api/me", fetch).await
}

/// `GET /api/profile`.
pub(super) async fn profile(visit: &Visit) -> Result<Reply, Refusal> {
    let owner = visit.owner()?;
    let profile = visit.held.profile(owner.id()).await?.ok_or(Refusal::Unknown)?;
    shown(visit, owner, &profile).await
}

/// `PUT /api/profile` with `{city}`.
pub(super) async fn write_profile(visit: &Visit, data: &Value) -> Result<Reply, Refusal> {
    let owner = visit.owner()?;
    let city = word(data, "city").map_err(|_| Refusal::Wrong("`city` is missing".to_owned()))?;
    if city.is_empty() || city.len() > CITY || city.contains('\0') {
        return Err(Refusal::Wrong(format!("`city` has 1 to {CITY} bytes, and no zero byte")));
    }
    let profile = visit.held.write_profile(owner.id(), &city).await?.ok_or(Refusal::Unknown)?;
    visit.inside.wrote();
    shown(visit, owner, &profile).await
}

async fn shown(visit: &Visit, owner: Owner, profile: &Profile) -> Result<Reply, Refusal> {
    let lines = mini_cart(visit).await?;
    let data = json!({"email": profile.email, "city": profile.city, "version": profile.version});
    Ok(json_reply(StatusCode::OK, &visit.private(owner, &lines, data)))
}

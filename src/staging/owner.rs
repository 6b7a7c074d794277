//! Who a request belongs to: 5 tenants of 200 users, stateless tokens, and the tag every private answer carries.
//!
//! A token is `tenant.user.signature`, so that checking it needs no database. The header `X-User: t3-17` is taken as
//! well: a load test can be any user without a login. The tag lets a reader of an answer see whose data it holds.

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

use crate::base::digest::hmac_sha256;
use crate::base::seed::Seed;

/// Tenants are `t1` to `t5`.
pub(super) const TENANTS: i64 = 5;
/// Users of a tenant are 1 to 200.
pub(super) const USERS: i64 = 200;

/// One user of one tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) tenant: i64,
    pub(super) user: i64,
}

impl Owner {
    /// `tenant` as `t3` or `3`, `user` as `17` or `u17`.
    pub(super) fn parse(tenant: &str, user: &str) -> Option<Self> {
        let tenant = tenant.strip_prefix('t').unwrap_or(tenant).parse().ok()?;
        let user = user.strip_prefix('u').unwrap_or(user).parse().ok()?;
        ((1..=TENANTS).contains(&tenant) && (1..=USERS).contains(&user)).then_some(Self { tenant, user })
    }

    /// Number of the user in the database: 0 to 999.
    pub(super) fn id(self) -> i64 {
        (self.tenant - 1) * USERS + self.user - 1
    }

    /// The owner with that number.
    pub(super) fn of(id: i64) -> Self {
        Self { tenant: id / USERS + 1, user: id % USERS + 1 }
    }

    pub(super) fn tenant_id(self) -> String {
        format!("t{}", self.tenant)
    }

    /// Where the user is in a roll-out: 0 to 99, the same for every request.
    pub(super) fn bucket(self, seed: Seed) -> u64 {
        seed.key("shop/rollout", &[self.id().unsigned_abs()]) % 100
    }
}

/// Signs tokens and tags.
#[derive(Clone, Debug)]
pub(super) struct Keys(String);

impl Keys {
    /// From the seed: the same users have the same tags in every run of it.
    pub(super) fn new(seed: Seed) -> Self {
        Self(format!("{:016x}{:016x}", seed.key("shop/owner", &[0]), seed.key("shop/owner", &[1])))
    }

    fn sign(&self, purpose: &str, owner: Owner) -> String {
        hmac_sha256(self.0.as_bytes(), format!("{purpose}|t{}|{}", owner.tenant, owner.user).as_bytes())
    }

    /// `own-` and 16 hexadecimal digits.
    pub(super) fn tag(&self, owner: Owner) -> String {
        format!("own-{:.16}", self.sign("tag", owner))
    }

    pub(super) fn token(&self, owner: Owner) -> String {
        format!("t{}.{}.{:.32}", owner.tenant, owner.user, self.sign("token", owner))
    }

    /// Who sent the request: `Ok(None)` says nobody in particular, an error that the token is not ours.
    pub(super) fn who(&self, headers: &HeaderMap) -> Result<Option<Owner>, &'static str> {
        if let Some(value) = headers.get(AUTHORIZATION) {
            let token = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
            let mut parts = token.splitn(3, '.');
            let owner = Owner::parse(parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            return match owner {
                Some(owner) if token == self.token(owner) => Ok(Some(owner)),
                _ => Err("the token is not one of this shop; POST /api/login gives one"),
            };
        }
        let Some(value) = headers.get("x-user") else { return Ok(None) };
        let named = value.to_str().ok().and_then(|text| text.split_once('-'));
        match named.and_then(|(tenant, user)| Owner::parse(tenant, user)) {
            Some(owner) => Ok(Some(owner)),
            None => Err("X-User names nobody; users are t1-1 to t5-200"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn a_token_is_good_for_its_user_only() {
        let keys = Keys::new(Seed(1));
        let owner = Owner::parse("t3", "17").unwrap();
        let token = keys.token(owner);
        assert_eq!(keys.who(&headers("authorization", &format!("Bearer {token}"))), Ok(Some(owner)));
        let forged = token.replacen("t3.17", "t3.18", 1);
        assert!(keys.who(&headers("authorization", &format!("Bearer {forged}"))).is_err());
        assert!(keys.who(&headers("authorization", "Basic x")).is_err());
        assert_eq!(keys.who(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn a_header_can_name_any_user_that_exists() {
        let keys = Keys::new(Seed(1));
        assert_eq!(keys.who(&headers("x-user", "t5-200")), Ok(Some(Owner { tenant: 5, user: 200 })));
        for wrong in ["t6-1", "t1-201", "t1-0", "t1", "", "x-y"] {
            assert!(keys.who(&headers("x-user", wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_owner_has_a_number_and_a_tag_of_its_own() {
        let keys = Keys::new(Seed(1));
        for id in 0..TENANTS * USERS {
            assert_eq!(Owner::of(id).id(), id);
        }
        let tags: std::collections::HashSet<String> = (0..TENANTS * USERS).map(|id| keys.tag(Owner::of(id))).collect();
        assert_eq!(tags.len(), 1000);
        assert!(tags.iter().all(|tag| tag.len() == 20 && tag.starts_with("own-")));
    }
}

//! The rate limiter: token buckets for all requests, for each tenant and for each class of journeys.
//!
//! Pure: the time is an argument. A bucket holds one second of its rate, so that a limit of 280/s lets 280 through in
//! every second, evenly or at once. A request passes when every bucket it belongs to has a token; then each gives one.
//! Called by the gateway (requests) and the switchboard (settings).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::clock::Tick;

/// Classes of requests that a limit can name, by what a customer is doing.
pub(super) const CLASSES: [&str; 5] = ["browse", "private", "cart", "checkout", "profile"];

/// Requests per second that may pass; absent means without limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    /// All requests together.
    pub(super) global: Option<u32>,
    /// Each tenant by itself.
    pub(super) tenant: Option<u32>,
    /// Each class of journeys by itself.
    pub(super) classes: BTreeMap<String, u32>,
}

impl Limits {
    /// The first mistake in words.
    pub(super) fn mistake(&self) -> Option<String> {
        let unknown = self.classes.keys().find(|name| !CLASSES.contains(&name.as_str()))?;
        Some(format!("there is no class {unknown}; classes are {}", CLASSES.join(", ")))
    }
}

/// The class of a request.
pub(super) fn class_of(path: &str) -> &'static str {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    match (segments.next(), segments.next()) {
        (Some("api"), Some("cart")) => "cart",
        (Some("api"), Some("checkout" | "orders")) => "checkout",
        (Some("api"), Some("profile")) => "profile",
        (Some("api"), Some("me" | "login")) => "private",
        _ => "browse",
    }
}

/// Tokens of one limit, at most one second's worth.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Tick,
}

impl Bucket {
    fn fill(&mut self, rate: u32, now: Tick) {
        let rate = f64::from(rate);
        let since = now.since(self.at).as_secs_f64();
        self.tokens = since.mul_add(rate, self.tokens).min(rate);
        self.at = self.at.max(now);
    }
}

/// Who sends a request, as far as limits go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sender<'a> {
    pub(super) tenant: Option<&'a str>,
    pub(super) class: &'static str,
}

/// The buckets of the limits in force.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    buckets: BTreeMap<String, Bucket>,
    /// Requests that were turned away.
    pub(super) throttled: u64,
}

impl Limiter {
    /// Lets a request pass, or says after how many whole seconds another try is worth it (at least 1).
    pub(super) fn pass(&mut self, limits: &Limits, sender: Sender<'_>, now: Tick) -> Result<(), u64> {
        let tenant = limits.tenant.zip(sender.tenant).map(|(rate, tenant)| (format!("tenant {tenant}"), rate));
        let class = limits.classes.get(sender.class).map(|rate| (format!("class {}", sender.class), *rate));
        let global = limits.global.map(|rate| ("all".to_owned(), rate));
        let due: Vec<(String, u32)> = [global, tenant, class].into_iter().flatten().collect();
        for (name, rate) in &due {
            let full = Bucket { tokens: f64::from(*rate), at: now };
            self.buckets.entry(name.clone()).or_insert(full).fill(*rate, now);
        }
        if due.iter().any(|(name, _)| self.buckets[name].tokens < 1.0) {
            self.throttled += 1;
            return Err(1);
        }
        for (name, _) in due {
            if let Some(bucket) = self.buckets.get_mut(&name) {
                bucket.tokens -= 1.0;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(tenant: &str) -> Sender<'_> {
        Sender { tenant: Some(tenant), class: "browse" }
    }

    /// How many of `rate` requests per second pass in ten seconds after the first.
    fn passed(limits: &Limits, rate: u64) -> u64 {
        let mut limiter = Limiter::default();
        let at = |n: u64| Tick::from_nanos(n * 1_000_000_000 / rate);
        (0..rate * 11).filter(|n| limiter.pass(limits, sender("t1"), at(*n)).is_ok() && *n >= rate).count() as u64
    }

    #[test]
    fn a_limit_lets_its_rate_through_and_turns_the_rest_away() {
        let limits = Limits { global: Some(280), ..Limits::default() };
        let through = passed(&limits, 450);
        assert!((2_790..=3_080).contains(&through), "{through} of 4500 in ten seconds");
        assert_eq!(passed(&limits, 200), 2_000, "below the limit nobody is turned away");
        assert_eq!(passed(&Limits::default(), 450), 4_500);
    }

    #[test]
    fn a_tenant_at_its_limit_takes_nothing_from_another() {
        let limits = Limits { global: Some(100), tenant: Some(5), ..Limits::default() };
        let mut limiter = Limiter::default();
        let now = Tick::from_secs(1);
        let first = (0..50).filter(|_| limiter.pass(&limits, sender("t1"), now).is_ok()).count();
        let other = (0..50).filter(|_| limiter.pass(&limits, sender("t2"), now).is_ok()).count();
        assert_eq!((first, other, limiter.throttled), (5, 5, 90));
        assert_eq!(limiter.pass(&limits, sender("t1"), now), Err(1), "what is refused costs the others nothing");
    }

    #[test]
    fn classes_follow_what_a_customer_does_and_unknown_ones_are_named() {
        for (path, class) in [("/", "browse"), ("/p/7", "browse"), ("/api/catalog", "browse"), ("/api/me", "private")] {
            assert_eq!(class_of(path), class, "{path}");
        }
        assert_eq!((class_of("/api/cart/items"), class_of("/api/orders/o-1")), ("cart", "checkout"));
        let limits = Limits { classes: BTreeMap::from([("buy".to_owned(), 3)]), ..Limits::default() };
        assert!(limits.mistake().unwrap().contains("no class buy"));
    }
}

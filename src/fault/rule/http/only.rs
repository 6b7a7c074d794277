//! Which requests an HTTP rule concerns.
//!
//! Pure. Not here: which of them it hits (`docket`).

use crate::base::glob;
use crate::plan::fault::rule::http::Only;
use crate::wire::http1::Head;

/// True when `request` is one that `only` means; `fault` is the name that opts in. The status is not looked at.
pub(super) fn concerns(only: &Only, request: &Head, fault: &str) -> bool {
    (only.methods.is_empty() || only.methods.iter().any(|method| method == request.method()))
        && only.route.as_ref().is_none_or(|route| follows(route, request.path()))
        && only.path.as_ref().is_none_or(|regex| regex.is_match(request.path()))
        && only.host.as_ref().is_none_or(|host| is_host(host, request))
        && only.headers.iter().all(|(name, value)| has(request, name, value))
        && only.opt_in.as_ref().is_none_or(|name| request.lists(name, fault) || request.lists(name, "*"))
}

/// True when the answer's `status` is in one of the ranges.
pub(super) fn has_status(only: &Only, status: u16) -> bool {
    only.status.iter().any(|(from, to)| (*from..=*to).contains(&status))
}

fn follows(route: &[Option<String>], path: &str) -> bool {
    let mut segments = path.trim_start_matches('/').split('/');
    let whole = route.iter().all(|wanted| match (wanted, segments.next()) {
        (_, None) => false,
        (None, Some(found)) => !found.is_empty(),
        (Some(wanted), Some(found)) => wanted == found,
    });
    whole && segments.next().is_none()
}

fn is_host(wanted: &str, request: &Head) -> bool {
    let named = request.values("host").next().unwrap_or_default();
    let host = match named.rsplit_once(':') {
        Some((host, port)) if !wanted.contains(':') && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => named,
    };
    glob::matches(wanted.to_ascii_lowercase().as_bytes(), host.to_ascii_lowercase().as_bytes())
}

fn has(request: &Head, name: &str, wanted: &str) -> bool {
    request.values(name).any(|value| glob::matches(wanted.as_bytes(), value.as_bytes()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use regex::Regex;

    use super::*;
    use crate::wire::http1::{Framer, Part, Side};

    fn request(line: &str, fields: &str) -> Head {
        let mut input = Bytes::from(format!("{line} HTTP/1.1\r\n{fields}\r\n"));
        match Framer::new(Side::Requests).next(&mut input, None) {
            Some(Part::Head(head)) => head,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn everything_that_is_given_must_hold() {
        let one =
            request("POST /orders/17?x=1", "Host: shop.test:8080\r\nX-Kind: vip-1\r\nX-Squall-Fault: a, slow\r\n");
        let route = |parts: &[&str]| {
            let segment = |part: &&str| (!part.is_empty()).then(|| (*part).to_owned());
            Only { route: Some(parts.iter().map(segment).collect()), ..Only::default() }
        };
        let rows = [
            (Only::default(), true),
            (Only { methods: vec!["GET".into(), "POST".into()], ..Only::default() }, true),
            (Only { methods: vec!["GET".into()], ..Only::default() }, false),
            (route(&["orders", ""]), true),
            (route(&["orders"]), false),
            (route(&["orders", "", "items"]), false),
            (Only { path: Regex::new("^/orders/[0-9]+$").ok(), ..Only::default() }, true),
            (Only { path: Regex::new("x=1").ok(), ..Only::default() }, false),
            (Only { host: Some("*.TEST".into()), ..Only::default() }, true),
            (Only { host: Some("shop.test:8080".into()), ..Only::default() }, true),
            (Only { host: Some("shop".into()), ..Only::default() }, false),
            (Only { headers: vec![("x-kind".into(), "vip-*".into())], ..Only::default() }, true),
            (Only { headers: vec![("x-kind".into(), "vip".into())], ..Only::default() }, false),
            (Only { opt_in: Some("x-squall-fault".into()), ..Only::default() }, true),
            (Only { opt_in: Some("x-other".into()), ..Only::default() }, false),
        ];
        for (only, expected) in rows {
            assert_eq!(concerns(&only, &one, "slow"), expected, "{only:?}");
        }
    }
}

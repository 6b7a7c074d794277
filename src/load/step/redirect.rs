//! Redirects: every hop goes to an origin of the scenario, whose addresses the guard has vouched for; no other is followed.
//!
//! 301, 302 and 303 turn into a GET, 307 and 308 keep method and body. Hops are part of their request's time.

use super::ceiling::{self, Leave};
use super::way::Way;
use super::{Ask, http};
use crate::load::client::Trip;
use crate::load::core::Worker;
use crate::load::crew::Crew;
use crate::load::pace::Limits;
use crate::load::user::User;
use crate::measure::outcome::Kind;
use crate::plan::load::{Origin, Scheme};

/// Follows the redirects of `trip` until there is another answer; why not, when the way is not gone to its end.
pub(super) async fn follow(
    worker: &Worker,
    crew: &Crew,
    user: &mut User,
    (ask, trip, way): (&Ask, &mut Trip, &mut Way),
    limits: &mut Limits<'_>,
) -> Option<Kind> {
    let plan = &worker.script.plan;
    let (mut origin, mut path, mut keeps) = (ask.origin, String::from("/"), true);
    for hop in 0..=plan.client.redirects {
        let Ok(answer) = &trip.result else { return None };
        if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let to = answer.header("location")?;
        way.led(answer, to);
        if hop == plan.client.redirects {
            return Some(Kind::Redirects);
        }
        keeps &= matches!(answer.status, 307 | 308);
        let Some((next, location)) = place(&plan.origins, (origin, &path), to) else { return Some(Kind::NotAllowed) };
        (origin, path) = (next, location);
        let authority = plan.origins.get(origin).map(Origin::authority).unwrap_or_default();
        let is_foreign = origin != ask.origin;
        let request = ask.mould.hop(|variable| user.value(variable), (&authority, &path), (is_foreign, keeps));
        let Some(request) = request else { return Some(Kind::Redirects) };
        if ceiling::leave(worker, crew, origin, worker.pace.now()).await == Leave::Refused {
            return Some(Kind::OverCeiling);
        }
        way.turns(worker, ask, trip, worker.pace.now());
        // The hop that ends here was sent and is done; the last one is counted with its request.
        worker.log.borrow_mut().recorder.flow(worker.pace.now(), |flow| flow.done += 1);
        let (bytes_out, bytes_in) = (trip.bytes_out, trip.bytes_in);
        *trip = http::leave(worker, crew, user, (ask, Some((origin, &path)), request), limits).await;
        trip.bytes_out += bytes_out;
        trip.bytes_in += bytes_in;
    }
    None
}

/// Origin and path that `location` means, seen from `path` at `origin`; `None` when the scenario names no such origin.
fn place(origins: &[Origin], (origin, path): (usize, &str), location: &str) -> Option<(usize, String)> {
    let location = location.split('#').next().unwrap_or("");
    if let Some((scheme, rest)) = absolute(location, origins.get(origin)?.scheme) {
        let (authority, path) = rest.find(['/', '?']).map_or((rest, "/"), |at| rest.split_at(at));
        let authority = authority.strip_suffix(&format!(":{}", scheme.port())).unwrap_or(authority);
        let is_meant = |one: &Origin| one.scheme == scheme && one.authority().eq_ignore_ascii_case(authority);
        let next = origins.iter().position(is_meant)?;
        let sign = if path.starts_with('/') { "" } else { "/" };
        return Some((next, format!("{sign}{path}")));
    }
    if location.contains("://") {
        return None;
    }
    if location.starts_with('/') {
        return Some((origin, location.to_owned()));
    }
    let folder = path.split('?').next().and_then(|path| path.rsplit_once('/')).map_or("", |(folder, _)| folder);
    Some((origin, format!("{folder}/{location}")))
}

/// Scheme and rest of a location that names its origin; `//host` has the scheme of the page it stands in.
fn absolute(location: &str, here: Scheme) -> Option<(Scheme, &str)> {
    if let Some(rest) = location.strip_prefix("//") {
        return Some((here, rest));
    }
    let (name, rest) = location.split_once("://")?;
    let scheme = [Scheme::Http, Scheme::Https].into_iter().find(|scheme| scheme.name().eq_ignore_ascii_case(name))?;
    Some((scheme, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_path_or_an_origin_of_the_scenario() {
        let origin = |host: &str, port| Origin::clear(host, port, Vec::new());
        let safe = Origin { scheme: Scheme::Https, ..origin("pay.example", 443) };
        let origins = [origin("shop.example", 80), origin("api.example", 8081), safe];
        for (location, want) in [
            ("/cart?x=1#top", Some((0, "/cart?x=1"))),
            ("next", Some((0, "/a/next"))),
            ("http://api.example:8081/v1", Some((1, "/v1"))),
            ("http://SHOP.example:80", Some((0, "/"))),
            ("//api.example:8081?q", Some((1, "/?q"))),
            ("http://evil.example/", None),
            ("https://shop.example/", None),
            ("https://pay.example:443/in", Some((2, "/in"))),
            ("http://pay.example:443/in", None),
            ("ftp://shop.example/", None),
        ] {
            let found = place(&origins, (0, "/a/b?c=/d"), location);
            assert_eq!(found, want.map(|(origin, path)| (origin, path.to_owned())), "{location}");
        }
        // Without a scheme it is that of the page.
        assert_eq!(place(&origins, (2, "/"), "//pay.example/a"), Some((2, "/a".to_owned())));
        assert_eq!(place(&origins, (2, "/"), "//shop.example/a"), None);
    }
}

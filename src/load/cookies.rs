//! One user's cookies, by the rules of RFC 6265 as far as a load test meets them: name, value, domain, path, end.
//!
//! Made at the first `Set-Cookie`. Not here: which requests carry them (`step::http`).

use std::fmt::Write as _;

/// A cookie.
#[derive(Clone, Debug)]
struct Cookie {
    name: String,
    value: String,
    host: String,
    /// Hosts below count as well.
    and_below: bool,
    path: String,
}

/// One user's cookies.
#[derive(Clone, Debug, Default)]
pub struct Jar(Vec<Cookie>);

impl Jar {
    /// Takes one `Set-Cookie` line of an answer from `host` to `path`; one without a name, or for a foreign domain, is dropped.
    pub fn take(&mut self, line: &str, host: &str, path: &str) {
        let mut parts = line.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() {
            return;
        }
        let folder = path.split(['?', '#']).next().unwrap_or("/").rsplit_once('/').map_or("/", |(folder, _)| folder);
        let mut cookie = Cookie {
            name: name.to_owned(),
            value: value.to_owned(),
            host: host.to_ascii_lowercase(),
            and_below: false,
            path: if folder.is_empty() { "/".to_owned() } else { folder.to_owned() },
        };
        let mut is_over = false;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key.trim().to_ascii_lowercase().as_str() {
                "domain" => {
                    let domain = value.trim().trim_start_matches('.').to_ascii_lowercase();
                    if domain.is_empty() {
                        continue;
                    }
                    if !is_below(&cookie.host, &domain) {
                        return;
                    }
                    (cookie.host, cookie.and_below) = (domain, true);
                }
                "path" if value.trim().starts_with('/') => value.trim().clone_into(&mut cookie.path),
                "max-age" => is_over = value.trim().parse::<i64>().is_ok_and(|seconds| seconds <= 0),
                // The usual way to take a cookie away is a date at the beginning of time.
                "expires" => is_over |= value.contains("1970"),
                _ => {}
            }
        }
        let is_same =
            |held: &Cookie| (&held.name, &held.host, &held.path) == (&cookie.name, &cookie.host, &cookie.path);
        match self.0.iter().position(is_same) {
            Some(place) if is_over => drop(self.0.remove(place)),
            Some(place) => self.0[place] = cookie,
            None if is_over => {}
            None => self.0.push(cookie),
        }
    }

    /// The value of `Cookie` for a request to `path` on `host`; `None` when it has none for it. Longer paths first.
    pub fn show(&self, host: &str, path: &str) -> Option<String> {
        let host = host.to_ascii_lowercase();
        let is_due = |one: &&Cookie| {
            (one.host == host || (one.and_below && is_below(&host, &one.host))) && is_inside(path, &one.path)
        };
        let mut due: Vec<&Cookie> = self.0.iter().filter(is_due).collect();
        due.sort_by_key(|one| std::cmp::Reverse(one.path.len()));
        let mut text = String::new();
        for one in due {
            let sign = if text.is_empty() { "" } else { "; " };
            // Writing to a text cannot fail.
            let _ = write!(text, "{sign}{}={}", one.name, one.value);
        }
        (!text.is_empty()).then_some(text)
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

fn is_inside(path: &str, folder: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or("/");
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || folder.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_go_back_to_where_they_came_from() {
        let mut jar = Jar::default();
        for line in ["a=1; Path=/", "b=2", "c=3; Domain=shop.example; Path=/", "d=4; Domain=evil.example", "nonsense"] {
            jar.take(line, "www.shop.example", "/cart/view?x=/y");
        }
        assert_eq!(jar.show("www.shop.example", "/cart/add").as_deref(), Some("b=2; a=1; c=3"));
        assert_eq!(jar.show("www.shop.example", "/cartoon").as_deref(), Some("a=1; c=3"));
        assert_eq!(jar.show("api.shop.example", "/").as_deref(), Some("c=3"));
        assert_eq!(jar.show("shop.example.org", "/"), None);
        jar.take("a=9; Path=/", "www.shop.example", "/");
        jar.take("c=; Domain=shop.example; Path=/; Max-Age=0", "www.shop.example", "/");
        assert_eq!(jar.show("www.shop.example", "/").as_deref(), Some("a=9"));
    }
}

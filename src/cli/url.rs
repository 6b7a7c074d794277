//! `squall run URL`: a scenario made from flags, so that it takes the same road as a file.

use super::args::RunArgs;
use super::exit::Failure;

/// The name under which the made scenario is kept in the journal.
pub(super) const FILE: &str = "url.ron";

pub(super) fn is_url(what: &str) -> bool {
    what.contains("://")
}

/// Flags that only a URL takes are refused beside a file.
pub(super) fn refuse_flags(args: &RunArgs) -> Result<(), Failure> {
    let given = [
        ("--rate", args.rate.is_some()),
        ("--users", args.users.is_some()),
        ("--for", args.length.is_some()),
        ("--header", !args.headers.is_empty()),
        ("--body", args.body.is_some()),
        ("--check", !args.checks.is_empty()),
        ("--method", args.method != "GET"),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => Err(Failure::usage(format!(
            "{flag} belongs to a URL: {} is taken as a scenario file, which says this itself",
            args.what
        ))),
    }
}

/// The command that does the same again, quoted for a shell.
pub(super) fn repeat(args: &RunArgs, seed: u64) -> String {
    let mut words = vec!["squall".to_owned(), "run".to_owned(), args.what.clone()];
    let mut flag = |name: &str, value: String| words.extend([name.to_owned(), value]);
    args.rate.iter().for_each(|rate| flag("--rate", rate.to_string()));
    args.users.iter().for_each(|users| flag("--users", users.to_string()));
    args.length.iter().for_each(|length| flag("--for", length.to_string()));
    if args.method != "GET" {
        flag("-X", args.method.clone());
    }
    args.headers.iter().for_each(|header| flag("-H", masked(header)));
    args.body.iter().for_each(|body| flag("--body", body.clone()));
    args.checks.iter().for_each(|check| flag("--check", check.clone()));
    args.threads.iter().for_each(|threads| flag("--threads", threads.to_string()));
    args.target.allow.iter().for_each(|target| flag("--allow-target", target.clone()));
    flag("--seed", seed.to_string());
    words.iter().map(|word| shell(word)).collect::<Vec<_>>().join(" ")
}

/// The scenario as the journal keeps it: reports are made from it, and none needs to know who asked.
pub(super) fn kept(args: &RunArgs) -> Result<String, Failure> {
    scenario(&RunArgs { headers: args.headers.iter().map(|header| masked(header)).collect(), ..args.clone() })
}

/// A header that may be shown: who one is, is nobody's business.
fn masked(header: &str) -> String {
    let name = header.split(':').next().unwrap_or_default();
    let secret =
        ["authorization", "cookie", "proxy-authorization"].iter().any(|one| name.trim().eq_ignore_ascii_case(one));
    if secret { format!("{name}: ***") } else { header.to_owned() }
}

fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// The scenario that the flags mean.
pub(super) fn scenario(args: &RunArgs) -> Result<String, Failure> {
    let (scheme, rest) = args.what.split_once("://").unwrap_or(("http", &args.what));
    let (authority, path) = match rest.find(['/', '?']) {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let base = format!("{scheme}://{authority}");
    let name: String = authority
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_lowercase() } else { '_' })
        .collect();
    let length = args.length.map_or_else(|| "10s".to_owned(), |length| length.to_string());
    let load = match (args.rate, args.users) {
        (Some(rate), None) => {
            format!("Open(name: \"arrivals\", rate: [Hold(rate: \"{rate}\", for: \"{length}\")], mix: {{\"url\": 1}})")
        }
        (None, Some(users)) => {
            format!("Closed(name: \"users\", users: [Hold(users: {users}, for: \"{length}\")], mix: {{\"url\": 1}})")
        }
        _ => return Err(Failure::usage("a URL wants a load: --rate 500/s (arrivals) or --users 64 (a closed loop)")),
    };
    let body = args.body.as_ref().map(|body| format!(", body: Text({})", quoted(body))).unwrap_or_default();
    Ok(format!(
        "(\n  name: {},\n  target: (base: {}),\n  load: [{load}],\n  journeys: {{\"url\": (steps: [\n    Http(name: {}, method: {}, url: {}{}{body}),\n  ])}},\n  checks: [{}],\n)\n",
        quoted(&name),
        quoted(&base),
        // A series has no variables: its name says what is sent, with the `$` that would begin one left out.
        plain(&format!("{} {}", args.method, path.replace("${", "{"))),
        quoted(&args.method),
        quoted(&path),
        headers(&args.headers)?,
        args.checks.iter().map(|check| plain(check)).collect::<Vec<_>>().join(", "),
    ))
}

fn headers(given: &[String]) -> Result<String, Failure> {
    if given.is_empty() {
        return Ok(String::new());
    }
    let pairs = given
        .iter()
        .map(|header| match header.split_once(':') {
            Some((name, value)) => Ok(format!("{}: {}", plain(name.trim()), quoted(value.trim()))),
            None => Err(Failure::usage(format!("`{header}` is not a header: write `name: value`"))),
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(format!(", headers: {{{}}}", pairs.join(", ")))
}

/// A RON string; flags hold no variables, so a `$` is a literal one.
fn quoted(text: &str) -> String {
    plain(&text.replace("${", "$${"))
}

fn plain(text: &str) -> String {
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> RunArgs {
        RunArgs {
            what: "http://127.0.0.1:80/a?q=${x}'".to_owned(),
            rate: Some("5/s".parse().unwrap()),
            method: "POST".to_owned(),
            headers: vec!["Authorization: Bearer hush".to_owned(), "x-a: b c".to_owned()],
            body: Some("{\"a\": 1}".to_owned()),
            checks: vec!["p99 < 250ms".to_owned()],
            ..RunArgs::default()
        }
    }

    #[test]
    fn the_command_that_repeats_a_run_says_all_that_was_asked_but_no_secret() {
        let said = r#"squall run 'http://127.0.0.1:80/a?q=${x}'\''' --rate 5/s -X POST -H 'Authorization: ***' -H 'x-a: b c' --body '{"a": 1}' --check 'p99 < 250ms' --seed 7"#;
        assert_eq!(repeat(&args(), 7), said);
    }

    #[test]
    fn a_literal_dollar_in_a_url_is_no_variable_of_its_name() {
        let text = scenario(&args()).unwrap();
        assert!(text.contains("name: \"POST /a?q={x}'\"") && text.contains("url: \"/a?q=$${x}'\""), "{text}");
        assert!(text.contains("hush") && !kept(&args()).unwrap().contains("hush"));
    }
}

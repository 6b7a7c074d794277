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
        plain(&format!("{} {path}", args.method)),
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

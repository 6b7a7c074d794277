//! Levers: requests, processes, programs, clusters, traffic; and the probes that look whether they took.
//!
//! Not here: faults on proxies (`fault`), whether an act can be undone (`act`).

use std::time::Duration;

use super::pace::Paces;
use crate::base::duration::show;
use crate::plan::check::answer::json_path;
use crate::plan::check::desk::{Desk, suggest};
use crate::plan::check::target;
use crate::plan::drill::Probe;
use crate::plan::lever::{Command, HttpRequest, Kube, Pick, Process, ProcessDeed, Signal, Surge, Toxiproxy};
use crate::spec::act::Probe as WrittenProbe;
use crate::spec::lever::{
    CommandLever, HttpLever, KubeLever, LoadLever, Pick as WrittenPick, ProcessDeed as WrittenDeed, ProcessLever,
    Revive, Signal as WrittenSignal, ToxiproxyLever,
};
use crate::spec::source::Spanned;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
/// Programs that would read a whole sentence of commands.
const SHELLS: [&str; 9] = ["sh", "bash", "dash", "zsh", "ksh", "fish", "csh", "tcsh", "busybox"];
/// How long a program may run, unless the file says otherwise.
const COMMAND: Duration = Duration::from_secs(10);

pub(super) fn http(desk: &mut Desk, written: &HttpLever) -> Option<HttpRequest> {
    let method = desk.text(&written.method);
    if let Some(bad) = method.filter(|method| !METHODS.contains(method)) {
        let help = suggest(bad, &METHODS);
        desk.error("unknown-variant", written.method.mark, format!("`{bad}` is not a method of a lever"), help);
    }
    let to = match (&written.path, &written.url) {
        (Some(path), None) => self::path(desk, path).map(|path| (None, path)),
        (None, Some(url)) => self::url(desk, url).map(|(base, path)| (Some(base), path)),
        (Some(_), Some(url)) => {
            desk.error("contradiction", url.mark, "a request has one address", "write `path` or `url`, not both");
            None
        }
        (None, None) => {
            desk.error("missing-field", written.method.mark, "`path` is missing", "add `path: \"/admin/…\"`");
            None
        }
    };
    let json = written.json.as_ref().map_or(Some(String::new()), |json| self::json(desk, json));
    let timeout = time_limit(desk, written.timeout.as_ref(), (HttpRequest::LIMIT, Duration::from_secs(10)));
    let (base, path) = to?;
    Some(HttpRequest { method: method?.to_owned(), base, path, json: json?, timeout })
}

/// A limit of time that healing can afford.
fn time_limit(desk: &mut Desk, written: Option<&Spanned<String>>, (usual, most): (Duration, Duration)) -> Duration {
    let limit = desk.duration_or(written, usual);
    if let Some(spanned) = written.filter(|_| limit.is_zero() || limit > most) {
        desk.error(
            "out-of-range",
            spanned.mark,
            format!("a limit of {}", show(limit)),
            format!("write at most {}", show(most)),
        );
    }
    limit
}

/// `http://host:port/path`, in its parts.
fn url(desk: &mut Desk, written: &Spanned<String>) -> Option<(String, String)> {
    let text = desk.text(written)?;
    let start = text.find("://").map_or(0, |at| at + 3);
    let slash = text.get(start..).and_then(|rest| rest.find('/')).map_or(text.len(), |at| start + at);
    let (base, path) = text.split_at_checked(slash)?;
    let (base, path) = (base.to_owned(), if path.is_empty() { "/" } else { path }.to_owned());
    Some((self::base(desk, written, &base)?, path))
}

/// `http://host:port` and nothing behind it.
fn base(desk: &mut Desk, written: &Spanned<String>, text: &str) -> Option<String> {
    if text.starts_with("https://") {
        desk.error("not_built", written.mark, "`https` is known but not built yet", "use http for now");
        return None;
    }
    let authority = text.strip_prefix("http://").and_then(|rest| target::split_authority(rest, 80));
    let Some((host, port)) = authority else {
        desk.error("bad-address", written.mark, format!("`{text}` is no address"), "write it as `http://HOST:PORT`");
        return None;
    };
    Some(format!("http://{host}:{port}"))
}

fn path(desk: &mut Desk, written: &Spanned<String>) -> Option<String> {
    let path = desk.text(written)?;
    if !path.starts_with('/') || path.contains(|c: char| c.is_whitespace() || c.is_control()) {
        let message = format!("`{path}` is not a path on the admin address");
        desk.error("out-of-range", written.mark, message, "write it as `/admin/flags/name`");
    }
    Some(path.to_owned())
}

fn json(desk: &mut Desk, written: &Spanned<String>) -> Option<String> {
    let text = desk.text(written)?;
    let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) else { return Some(text.to_owned()) };
    let sentence = error.to_string();
    let message = format!("this is not JSON: {}", sentence.split(" at line ").next().unwrap_or_default());
    if error.line() == 1 && (1..=text.len()).contains(&error.column()) {
        let column = error.column() - 1;
        desk.error_inside("not-json", (written.mark, column..column + 1), message, "names and texts need quotes");
    } else {
        desk.error("not-json", written.mark, message, "names and texts need quotes");
    }
    None
}

pub(super) fn probe(desk: &mut Desk, paces: Paces, written: &WrittenProbe) -> Option<Probe> {
    let get = path(desk, &written.get);
    let at = json_path(desk, &written.at);
    let is = desk.text(&written.is).map(str::to_owned);
    let within = paces.read_plain(desk, &written.within);
    if within.is_some_and(|within| within.is_zero()) {
        desk.error("out-of-range", written.within.mark, "no time to look in", "write a time above 0s");
    }
    Some(Probe { get: get?, at: at?, is: is?, within: within? })
}

pub(super) fn process(desk: &mut Desk, written: &ProcessLever) -> Option<Process> {
    let pick = pick(desk, &written.pick);
    let does = match desk.open(&written.does)? {
        WrittenDeed::Pause => ProcessDeed::Pause,
        WrittenDeed::Restart => ProcessDeed::Restart,
        WrittenDeed::Kill(signal) => ProcessDeed::Kill(self::signal(*desk.open(signal)?)),
    };
    let start = match desk.open_if(written.revive.as_ref()) {
        Some(Revive::Start(argv)) => Some(self::argv(desk, argv)?),
        Some(Revive::Resume) | None => None,
    };
    match (does, &start) {
        (ProcessDeed::Pause, Some(_)) => {
            let at = written.revive.as_ref().map_or(written.does.mark, |revive| revive.mark);
            desk.error("contradiction", at, "a paused process is resumed, not started", "write `revive: Resume`");
        }
        (ProcessDeed::Kill(_) | ProcessDeed::Restart, None) => {
            let message = "a process that has ended cannot be resumed";
            desk.error("irreversible-act", written.does.mark, message, "add `revive: Start([\"/path/of/it\", …])`");
        }
        _ => {}
    }
    Some(Process { pick: pick?, does, start: start.unwrap_or_default() })
}

fn signal(written: WrittenSignal) -> Signal {
    match written {
        WrittenSignal::Term => Signal::Term,
        WrittenSignal::Int => Signal::Int,
        WrittenSignal::Quit => Signal::Quit,
        WrittenSignal::Hup => Signal::Hup,
        WrittenSignal::Abrt => Signal::Abrt,
        WrittenSignal::Kill => Signal::Kill,
    }
}

fn pick(desk: &mut Desk, written: &Spanned<WrittenPick>) -> Option<Pick> {
    match desk.open(written)? {
        WrittenPick::Pid(spanned) => {
            let pid = u32::try_from(*desk.open(spanned)?).ok().filter(|pid| (2..=4_194_304).contains(pid));
            if pid.is_none() {
                desk.error("out-of-range", spanned.mark, "no process of yours has this number", "write 2 to 4194304");
            }
            pid.map(Pick::Pid)
        }
        WrittenPick::PidFile(path) => absolute(desk, path).map(Pick::PidFile),
        WrittenPick::Command(command) => {
            let exe = absolute(desk, &command.exe);
            let args_contain = command.args_contain.as_ref().map_or(Some(""), |text| desk.text(text));
            let expect = u32::try_from(*desk.open(&command.expect)?).ok().filter(|n| (1..=64).contains(n));
            if expect.is_none() {
                desk.error("out-of-range", command.expect.mark, "so many processes at once", "write 1 to 64");
            }
            Some(Pick::Command { exe: exe?, args_contain: args_contain?.to_owned(), expect: expect? })
        }
    }
}

fn absolute(desk: &mut Desk, written: &Spanned<String>) -> Option<String> {
    let path = desk.text(written)?;
    if !path.starts_with('/') {
        let message = format!("`{path}` leads from nowhere");
        desk.error("out-of-range", written.mark, message, "write the whole path, from `/` on");
    }
    Some(path.to_owned())
}

/// A program and its arguments.
fn argv(desk: &mut Desk, written: &Spanned<Vec<Spanned<String>>>) -> Option<Vec<String>> {
    let list = desk.open(written)?;
    let argv: Option<Vec<String>> = list.iter().map(|one| desk.text(one).map(str::to_owned)).collect();
    let argv = argv?;
    let mut names = argv.iter().map(|word| word.rsplit('/').next().unwrap_or_default());
    // What `env` runs, behind its settings.
    let program = names.find(|name| *name != "env" && !name.contains('=')).unwrap_or_default();
    if argv.first().is_none_or(|first| first.trim().is_empty()) {
        desk.error("missing-field", written.mark, "no program is named", "write `[\"/path/of/it\", \"argument\"]`");
    } else if SHELLS.contains(&program) {
        let help = "write the program and its arguments as a list: nothing is expanded, piped or redirected";
        desk.error("shell-command", written.mark, format!("`{program}` is a shell"), help);
    } else if argv.iter().any(|word| word.contains('\0')) {
        desk.error("out-of-range", written.mark, "an argument holds a zero byte", "take it out");
    }
    Some(argv)
}

pub(super) fn command(desk: &mut Desk, written: &CommandLever) -> Option<Command> {
    let argv = argv(desk, &written.argv);
    let mut env = Vec::new();
    if let Some(named) = desk.open_if(written.env.as_ref()) {
        for (name, at, value) in desk.entries(named, "variables") {
            let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if !is_name {
                desk.error("out-of-range", at, format!("`{name}` is no name of a variable"), "write A-Z, 0-9 and `_`");
            }
            env.extend(desk.text(value).map(|value| (name.to_owned(), value.to_owned())));
        }
    }
    let timeout = time_limit(desk, written.timeout.as_ref(), (COMMAND, Duration::from_secs(60)));
    Some(Command { argv: argv?, env, timeout })
}

pub(super) fn toxiproxy(desk: &mut Desk, written: &ToxiproxyLever) -> Option<Toxiproxy> {
    let url = desk
        .text(&written.url)
        .map(str::to_owned)
        .and_then(|text| base(desk, &written.url, text.trim_end_matches('/')));
    let proxy = desk.text(&written.proxy);
    if proxy.is_some_and(str::is_empty) {
        desk.error("missing-field", written.proxy.mark, "no proxy is named", "write its name");
    }
    let toxic = json(desk, &written.toxic)?;
    let value: serde_json::Value = serde_json::from_str(&toxic).unwrap_or_default();
    let Some(kind) = value["type"].as_str() else {
        let help = "write it as r#\"{\"type\":\"latency\",\"attributes\":{\"latency\":200}}\"#";
        desk.error("missing-field", written.toxic.mark, "the toxic has no `type`", help);
        return None;
    };
    let stream = value["stream"].as_str().filter(|stream| !stream.is_empty()).unwrap_or("downstream");
    let usual = format!("{kind}_{stream}");
    let name = value["name"].as_str().filter(|name| !name.is_empty()).map_or(usual, str::to_owned);
    Some(Toxiproxy { url: url?, proxy: proxy?.to_owned(), name, toxic })
}

pub(super) fn kube(desk: &mut Desk, written: &KubeLever) -> Option<Kube> {
    let mut word = |spanned: &Spanned<String>, what: &str| {
        let text = desk.text(spanned)?.to_owned();
        if text.is_empty() || text.starts_with('-') || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            desk.error("out-of-range", spanned.mark, format!("`{text}` is no {what}"), "write its name");
        }
        Some(text)
    };
    let (context, namespace) = (word(&written.context, "context"), word(&written.namespace, "namespace"));
    let text = desk.beside(&written.manifest)?;
    let path = desk.text(&written.manifest)?;
    let manifest = path.rsplit('/').next().unwrap_or(path).to_owned();
    if text.trim().is_empty() {
        desk.error("empty-text", written.manifest.mark, "there is nothing in this manifest", "describe an object");
    }
    Some(Kube { context: context?, namespace: namespace?, manifest, text: text.to_string() })
}

pub(super) fn load(desk: &mut Desk, paces: Paces, written: &LoadLever) -> Option<Surge> {
    let times = *desk.open(&written.times)?;
    if !(0.1..=100.0).contains(&times) {
        desk.error("out-of-range", written.times.mark, format!("{times} times the traffic"), "write 0.1 to 100.0");
    }
    let lasts = match &written.lasts {
        None => None,
        Some(lasts) => Some(paces.read_at_least(desk, lasts, Duration::from_secs(1), "a surge")?),
    };
    Some(Surge { times, lasts })
}

//! The target guard, rule by rule: whoever may not be sent traffic sees no connection at all. A listening socket counts them.
//!
//! `0.0.0.0` leads to this machine but is not loopback: what the guard lets through would really arrive.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;

use crate::support::program::{Ran, Squall};
use crate::support::server::Server;

/// A socket that listens on every address of this machine and counts who comes.
struct Watch {
    port: u16,
    came: Arc<AtomicU64>,
}

impl Watch {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let (port, came) = (listener.local_addr().unwrap().port(), Arc::new(AtomicU64::new(0)));
        let count = Arc::clone(&came);
        thread::spawn(move || {
            for _ in listener.incoming() {
                count.fetch_add(1, SeqCst);
            }
        });
        Self { port, came }
    }

    fn url(&self) -> String {
        format!("http://0.0.0.0:{}", self.port)
    }

    /// Nobody came, and the program says why not.
    fn nobody(&self, ran: Ran, words: &str) {
        drop(ran.exits(2).says(words));
        assert_eq!(self.came.load(SeqCst), 0, "{words}");
    }

    /// An entry for it in a list of targets.
    fn entry(&self, more: &str) -> String {
        format!(r#"(net: "0.0.0.0/32", ports: [{}]{more})"#, self.port)
    }
}

/// Twenty requests to `base`, with further words for the target and on the command line.
fn run(base: &str, target: &str, list: Option<&str>, flags: &[&str]) -> Ran {
    let scenario = format!(
        r#"(name: "g", target: (base: "{base}"{target}), load: [Open(rate: [Hold(rate: "20/s", for: "1s")])],
            client: (redirects: 3), journeys: {{"a": (steps: [Http(name: "home", url: "/")])}})"#
    );
    let squall = Squall::new().file("g.ron", &scenario);
    let squall = if let Some(list) = list { squall.file("squall.targets.ron", list) } else { squall };
    squall.args(["run", "g.ron"]).args(flags).run()
}

#[test]
fn what_is_neither_loopback_nor_named_is_not_connected_to() {
    let watch = Watch::start();
    watch.nobody(run(&watch.url(), "", None, &[]), "no squall.targets.ron was found");
    let other_port = r#"(allow: [(net: "0.0.0.0/32", ports: [1], owner: "me")])"#;
    watch.nobody(run(&watch.url(), "", Some(other_port), &[]), "but not port");
    // There is no flag that forces it.
    watch.nobody(run(&watch.url(), "", None, &["--force"]), "unexpected argument");
}

#[test]
fn a_named_target_is_connected_to_so_that_the_others_would_have_been() {
    let watch = Watch::start();
    let list = format!("(allow: [{}])", watch.entry(r#", owner: "me""#));
    // Nobody answers there; it is reached all the same.
    drop(run(&watch.url(), "", Some(&list), &["--skip-preflight"]));
    assert!(watch.came.load(SeqCst) > 0);
    let flagged = Watch::start();
    drop(run(&flagged.url(), "", None, &["--skip-preflight", "--allow-target", &format!("0.0.0.0:{}", flagged.port)]));
    assert!(flagged.came.load(SeqCst) > 0);
}

#[test]
fn an_entry_that_ran_out_has_no_owner_or_is_too_wide_opens_nothing() {
    let watch = Watch::start();
    for (more, id) in [(r#", owner: "me", until: "2020-01-31""#, "expired"), ("", "no_owner")] {
        let list = format!("(allow: [{}])", watch.entry(more));
        watch.nobody(run(&watch.url(), "", Some(&list), &[]), id);
    }
    let wide = format!(r#"(allow: [(net: "0.0.0.0/7", ports: [{}], owner: "me")])"#, watch.port);
    watch.nobody(run(&watch.url(), "", Some(&wide), &[]), "too_wide");
}

#[test]
fn never_beats_allow_and_every_flag() {
    let watch = Watch::start();
    let list = format!(r#"(allow: [{}], never: ["0.0.0.0/32"])"#, watch.entry(r#", owner: "me""#));
    watch.nobody(run(&watch.url(), "", Some(&list), &[]), "`never`");
    let flag = format!("0.0.0.0:{}", watch.port);
    watch.nobody(run(&watch.url(), "", Some(&list), &["--allow-target", &flag]), "`never`");
}

#[test]
fn a_production_name_is_refused_wherever_it_leads() {
    let watch = Watch::start();
    for name in ["api.prod.test", "prd.test", "production.test", "live.test"] {
        let there = format!("127.0.0.1:{}", watch.port);
        let lead = format!(r#", connect_to: {{"{name}:80": "{there}"}}"#);
        let base = format!("http://{name}");
        watch.nobody(run(&base, &lead, None, &["--allow-target", &format!("{name}:80")]), "says production");
    }
}

#[test]
fn connect_to_is_judged_by_where_it_leads() {
    let (watch, home) = (Watch::start(), Server::start());
    let base = home.url().trim_end_matches('/').to_owned();
    let from = base.trim_start_matches("http://");
    let lead = format!(r#", connect_to: {{"{from}": "0.0.0.0:{}"}}"#, watch.port);
    watch.nobody(run(&base, &lead, None, &[]), "may not be sent traffic");
    assert_eq!(home.connections(), 0, "and nothing else is sent either");
}

#[test]
fn a_redirect_leads_nowhere_but_to_the_origins_of_the_scenario() {
    let watch = Watch::start();
    for place in [watch.url(), format!("http://127.0.0.1:{}", watch.port), format!("//0.0.0.0:{}/x", watch.port)] {
        let home = Server::start().redirect(&place);
        let ran = run(home.url().trim_end_matches('/'), "", None, &["--skip-preflight"]);
        let result = ran.json("result.json");
        assert_eq!(result["errors"]["not_allowed"], 20, "{place}: {:#}", result["errors"]);
        assert_eq!((home.requests(), watch.came.load(SeqCst)), (20, 0), "{place}");
    }
}

#[test]
fn no_proxy_of_the_environment_gets_by_the_guard() {
    let (watch, home) = (Watch::start(), Server::start());
    let scenario = format!(
        r#"(name: "g", target: (base: "{}"), load: [Open(rate: [Hold(rate: "20/s", for: "1s")])],
            journeys: {{"a": (steps: [Http(name: "home", url: "/")])}})"#,
        home.url().trim_end_matches('/')
    );
    let proxy = format!("http://127.0.0.1:{}", watch.port);
    let mut squall = Squall::new().file("g.ron", &scenario);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"] {
        squall = squall.env(name, &proxy);
    }
    drop(squall.args(["run", "g.ron", "--skip-preflight"]).run());
    assert_eq!((home.requests(), watch.came.load(SeqCst)), (20, 0));
}

#[test]
fn a_planned_peak_above_the_ceiling_of_a_target_sends_nothing() {
    let watch = Watch::start();
    let flag = format!("0.0.0.0:{}", watch.port);
    let ran = Squall::new()
        .args(["run", &watch.url(), "--rate", "200/s", "--for", "1s", "--skip-preflight", "--allow-target", &flag])
        .run();
    watch.nobody(ran, "above the ceiling of 100/s");
}

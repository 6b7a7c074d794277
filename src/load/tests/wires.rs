//! TLS and HTTP/2 against servers with certificates of their own, socket files, own addresses and other places.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use super::hosted::{Clients, Hosted, Manner, Office};
use super::server::Server;
use super::{Answer, Seen, get, http, open, plan, run, runtime};
use crate::load::preflight;
use crate::plan::load::{Connections, LoadPlan, Origin, Scheme, Via};
use crate::plan::program::{Check, Is, What};
use crate::plan::wires::{Roots, Tls, TlsVersion, Trust, Version};

/// Ten requests in a fifth of a second to `hosted`, called `name`, over TLS.
fn secure(hosted: &Hosted, name: &str, tls: Tls) -> LoadPlan {
    let server = Server::start(|_| Answer::nothing());
    let mut plan = plan(&server, open(50.0, 200), vec![http(get(0, "/"))]);
    let clear = Origin::clear(name, hosted.address.port(), vec![hosted.address]);
    plan.origins[0] = Origin { scheme: Scheme::Https, ..clear };
    plan.client.wires.tls = tls;
    plan
}

fn believing(office: &Office) -> Tls {
    Tls { roots: Roots::File(office.root()), ..Tls::default() }
}

fn refused(plan: &LoadPlan) -> String {
    runtime().block_on(preflight(Arc::new(plan.clone()))).unwrap_err().to_string()
}

fn all_well(seen: &Seen) {
    assert_eq!(seen.all.flow.good, seen.all.flow.sent, "{:?}", seen.all.total().errors);
}

#[test]
fn http_over_tls_is_believed_by_its_root_and_reused() {
    let office = Office::new();
    for roots in [Roots::File(office.root()), Roots::Both(office.root())] {
        let hosted = Hosted::start(Manner {
            tls: Some(office.serve("a.example", &["http/1.1"], Clients::Anyone)),
            ..Manner::default()
        });
        let mut plan = secure(&hosted, "a.example", Tls { roots, ..Tls::default() });
        plan.client.connections = Connections::Shared { max: 1 };
        runtime().block_on(preflight(Arc::new(plan.clone()))).unwrap();
        let seen = run(plan, 1);
        all_well(&seen);
        assert_eq!((seen.all.flow.good, hosted.connections(), seen.all.flow.opened), (10, 2, 1));
        assert_eq!(*hosted.saw.names.lock().unwrap(), ["a.example", "a.example"]);
        assert_eq!(hosted.saw.hosts.lock().unwrap()[0], format!("a.example:{}", hosted.address.port()));
        assert_eq!(hosted.saw.second.load(SeqCst), 0);
    }
}

#[test]
fn a_certificate_for_another_name_is_told_with_its_remedy() {
    let office = Office::new();
    let hosted = Hosted::start(Manner {
        tls: Some(office.serve("a.example", &["http/1.1"], Clients::Anyone)),
        ..Manner::default()
    });
    let plan = secure(&hosted, "b.example", believing(&office));
    let says = refused(&plan);
    assert!(says.ends_with("certificate is for a.example, not b.example; set `tls.sni`"), "{says}");
    let seen = run(plan.clone(), 1);
    assert_eq!(seen.errors("tls_certificate"), 10, "{:?}", seen.all.total().errors);
    assert_eq!(hosted.requests(), 0);
    let mut named = plan;
    named.client.wires.tls.sni = Some("a.example".to_owned());
    runtime().block_on(preflight(Arc::new(named.clone()))).unwrap();
    all_well(&run(named, 1));
}

#[test]
fn an_unknown_issuer_is_refused_unless_nothing_is_checked() {
    let (office, stranger) = (Office::new(), Office::new());
    let hosted = Hosted::start(Manner {
        tls: Some(office.serve("a.example", &["http/1.1"], Clients::Anyone)),
        ..Manner::default()
    });
    for roots in [Roots::File(stranger.root()), Roots::Both(stranger.root())] {
        let plan = secure(&hosted, "a.example", Tls { roots, ..Tls::default() });
        let says = refused(&plan);
        assert!(says.contains("unknown issuer") && says.contains("tls.roots"), "{says}");
        assert_eq!(run(plan, 1).errors("tls_certificate"), 10);
    }
    let plan = secure(&hosted, "z.example", Tls { trust: Trust::Insecure, ..Tls::default() });
    assert_eq!(plan.client.wires.notes(), [("certificates".to_owned(), "not checked (insecure)".to_owned())]);
    all_well(&run(plan, 1));
}

#[test]
fn a_server_that_wants_a_certificate_gets_ours() {
    let office = Office::new();
    let hosted = Hosted::start(Manner {
        tls: Some(office.serve("a.example", &["http/1.1"], Clients::Certified)),
        ..Manner::default()
    });
    let without = run(secure(&hosted, "a.example", believing(&office)), 1);
    assert_eq!(without.errors("tls_alert"), 10, "{:?}", without.all.total().errors);
    let with = Tls { client: Some(office.certify("me.example")), ..believing(&office) };
    let seen = run(secure(&hosted, "a.example", with), 1);
    all_well(&seen);
    assert_eq!(hosted.requests(), 10);
    let broken = Tls { client: Some((office.root(), office.file("absent.key"))), ..believing(&office) };
    let says = refused(&secure(&hosted, "a.example", broken));
    assert!(says.contains("absent.key"), "{says}");
}

#[test]
fn a_server_without_tls_or_without_a_word_is_told_apart() {
    let office = Office::new();
    let hosted = Hosted::start(Manner::default());
    let mut plan = secure(&hosted, "a.example", believing(&office));
    let says = refused(&plan);
    assert!(says.contains("speak TLS"), "{says}");
    assert_eq!(run(plan.clone(), 1).errors("tls_alert"), 10);
    // The kernel accepts, and nobody answers the handshake.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    plan.origins[0].pinned = vec![silent.local_addr().unwrap()];
    plan.client.timeouts.tls = Duration::from_millis(60);
    let seen = run(plan, 1);
    assert_eq!(seen.errors("tls_timeout"), 10, "{:?}", seen.all.total().errors);
}

#[test]
fn the_oldest_version_that_is_accepted_is_kept_to() {
    let office = Office::new();
    let hosted = Hosted::start(Manner {
        tls: Some(office.serve("a.example", &["http/1.1"], Clients::Anyone)),
        ..Manner::default()
    });
    let tls = Tls { min: TlsVersion::V13, ..believing(&office) };
    all_well(&run(secure(&hosted, "a.example", tls), 1));
}

/// A burst of requests to a server of HTTP/2 that answers after a while.
fn burst(hosted: &Hosted, tls: Option<Tls>, version: Version) -> LoadPlan {
    let scheme = if tls.is_some() { Scheme::Https } else { Scheme::Http };
    let mut plan = secure(hosted, "a.example", tls.unwrap_or_default());
    plan.origins[0].scheme = scheme;
    plan.client.wires.http = version;
    plan
}

#[test]
fn http2_is_agreed_on_or_known_before() {
    let office = Office::new();
    let tls = Some(office.serve("a.example", &["h2", "http/1.1"], Clients::Anyone));
    for (manner, tls, version, second) in [
        (Manner { tls: tls.clone(), ..Manner::default() }, true, Version::Auto, 10),
        (Manner { tls: tls.clone(), ..Manner::default() }, true, Version::Http2, 10),
        (Manner { tls, ..Manner::default() }, true, Version::Http1, 0),
        (Manner { prior: true, ..Manner::default() }, false, Version::Http2Prior, 10),
        (Manner::default(), false, Version::Auto, 0),
    ] {
        let hosted = Hosted::start(manner);
        let seen = run(burst(&hosted, tls.then(|| believing(&office)), version), 1);
        all_well(&seen);
        assert_eq!((hosted.requests(), hosted.saw.second.load(SeqCst)), (10, second), "{version:?}");
        assert_eq!(hosted.saw.hosts.lock().unwrap()[0], format!("a.example:{}", hosted.address.port()));
        assert_eq!(hosted.connections(), seen.all.flow.opened);
    }
}

#[test]
fn more_connections_are_opened_only_when_all_streams_are_used_up() {
    // No answer before all 40 requests have come: all of them are under way at once.
    for (ours, theirs, connections) in [(100, None, 1), (10, None, 4), (100, Some(16), 3), (8, Some(16), 5)] {
        let hosted = Hosted::start(Manner { prior: true, streams: theirs, together: 40, ..Manner::default() });
        let mut plan = burst(&hosted, None, Version::Http2Prior);
        plan.workloads[0].pattern = open(2_000.0, 20);
        plan.client.wires.life.streams = ours;
        let seen = run(plan, 1);
        all_well(&seen);
        assert_eq!((seen.all.flow.good, hosted.requests()), (40, 40));
        assert_eq!((hosted.connections(), seen.all.flow.opened), (connections, connections), "{ours} {theirs:?}");
    }
}

#[test]
fn a_body_of_http2_that_breaks_off_has_its_byte_and_a_dead_server_its_kind() {
    let hosted = Hosted::start(Manner::default());
    let seen = run(burst(&hosted, None, Version::Http2Prior), 1);
    // A server of HTTP/1.1 answers the preface with a 400, or hangs up.
    assert_eq!(seen.all.total().failed(), 10, "{:?}", seen.all.total().errors);
    let silent = Server::start(|_| Answer::nothing());
    let mut plan = burst(&hosted, None, Version::Http2Prior);
    plan.origins[0].pinned = vec![silent.address()];
    let seen = run(plan, 1);
    assert_eq!(seen.errors("eof_before_status") + seen.errors("reset_waiting"), 10, "{:?}", seen.all.total().errors);
}

#[test]
fn a_limit_of_time_ends_one_stream_and_not_its_neighbours() {
    let hosted = Hosted::start(Manner { prior: true, after: Duration::from_millis(300), ..Manner::default() });
    let mut plan = burst(&hosted, None, Version::Http2Prior);
    plan.client.timeouts.first_byte = Duration::from_millis(40);
    let seen = run(plan, 1);
    assert_eq!((seen.errors("timeout_first_byte"), hosted.connections()), (10, 1), "{:?}", seen.all.total().errors);
}

#[test]
fn a_socket_file_another_place_and_own_addresses_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.sock");
    let hosted = Hosted::start(Manner { unix: Some(path.clone()), ..Manner::default() });
    let mut plan = burst(&hosted, None, Version::Auto);
    plan.origins[0] = Origin { via: Some(Via::Unix(path)), ..Origin::clear("shop.example", 80, Vec::new()) };
    runtime().block_on(preflight(Arc::new(plan.clone()))).unwrap();
    all_well(&run(plan, 1));
    assert_eq!((hosted.requests(), hosted.saw.hosts.lock().unwrap()[0].as_str()), (10, "shop.example"));

    let hosted = Hosted::start(Manner::default());
    let mut plan = burst(&hosted, None, Version::Auto);
    plan.client.connections = Connections::Fresh;
    plan.client.wires.source = vec!["127.0.0.2".parse().unwrap(), "127.0.0.3".parse().unwrap()];
    all_well(&run(plan.clone(), 1));
    let from = hosted.saw.from.lock().unwrap().clone();
    let second = from.iter().filter(|own| own.to_string() == "127.0.0.2").count();
    assert_eq!((from.len(), second), (10, 5), "{from:?}");
    plan.client.wires.source = vec!["192.0.2.1".parse().unwrap()];
    assert_eq!(run(plan, 1).errors("local_port"), 10);
}

/// `{"n": 7}` and a mebibyte of zeros, packed.
fn packed(text: &[u8]) -> bytes::Bytes {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, text).unwrap();
    encoder.finish().unwrap().into()
}

#[test]
fn a_packed_body_is_unpacked_where_it_is_read_and_cut_at_the_limit() {
    // brotli's own form for a text that is not compressed: length 8, then the bytes, then an empty last block.
    let brotli: &[u8] = b"\x8b\x03\x80{\"n\": 7}\x03";
    for (coding, body, errors) in [
        ("gzip", packed(b"{\"n\": 7}"), ""),
        ("br", brotli.into(), ""),
        ("gzip", packed(&vec![b' '; 1 << 20]), "too_large"),
        ("gzip", "{\"n\": 7}".into(), "decode"),
        ("br", "{\"n\": 7}".into(), "decode"),
        ("identity", "{\"n\": 7}".into(), ""),
    ] {
        let hosted = Hosted::start(Manner { headers: vec![("content-encoding", coding)], body, ..Manner::default() });
        let mut plan = burst(&hosted, None, Version::Auto);
        plan.client.body_limit = 64 << 10;
        let mut ask = get(0, "/");
        let what = What::Json { path: "$.n".to_owned(), is: Is::AtLeast(7.0) };
        let unread = run(plan.clone(), 1);
        assert_eq!(unread.all.flow.good, 10, "a body that nobody reads is not unpacked: {coding}");
        ask.check.push(Check { label: 1, what });
        plan.journeys[0].steps = vec![http(ask)];
        let seen = run(plan, 1);
        let expected = if errors.is_empty() { seen.all.flow.good } else { seen.errors(errors) };
        assert_eq!(expected, 10, "{coding} {errors}: {:?}", seen.all.total().errors);
    }
}

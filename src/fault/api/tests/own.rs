//! squall's own routes over real sockets: faults of runs, connections, events, the stop switch.

use tokio::io::{AsyncBufReadExt, BufReader};

use super::*;

fn put(fault: &str, run: &str) -> String {
    serde_json::json!({ "fault": fault, "run": run, "lease_ms": 5_000 }).to_string()
}

const SLOW: &str = r#"Fault(on: "a", inject: Latency(time: Fixed("30s")), share: "100%", caps: (connections: 2), pattern: Every(n: 1))"#;

#[tokio::test]
async fn a_run_puts_renews_and_heals_its_faults_and_no_others() {
    let rig = Rig::new().await;
    rig.proxy("a").await;
    for (name, run, generation) in [("slow", "night", 1), ("slower", "night", 2), ("other", "day", 1)] {
        let made = rig.say("PUT", &format!("/squall/v1/faults/{name}"), &put(SLOW, run)).await;
        let wanted = format!(r#"{{"expires_in_ms":5000,"generation":{generation},"name":"{name}"}}"#);
        assert_eq!((made.status, made.body.as_str()), (200, wanted.as_str()));
    }
    let state = rig.say("GET", "/squall/v1/state", "").await.value();
    let runs: Vec<_> = state["faults"].as_array().unwrap().iter().map(|one| (&one["name"], &one["run"])).collect();
    assert_eq!(format!("{runs:?}").matches("night").count(), 2, "{runs:?}");
    let rows = [
        ("night", r#"{"lease_ms":60000}"#, 200, r#""renewed":["slow","slower"]"#),
        ("night", r#"{"lease_ms":60000,"generation":2,"faults":["slow"]}"#, 200, r#""renewed":["slow"]"#),
        ("night", r#"{"generation":1}"#, 409, "generation 1 is over: the run is at 2"),
        ("night", r#"{"faults":["other"]}"#, 409, "lease expired: other; inject anew"),
        ("dawn", "{}", 409, "lease expired: dawn; inject anew"),
        ("night", r#"{"lease_ms":4999}"#, 400, r#""field":"lease_ms""#),
        ("night", r#"{"faults":7}"#, 400, r#""field":"faults""#),
    ];
    for (run, body, status, holds) in rows {
        let heard = rig.say("POST", &format!("/squall/v1/leases/{run}"), body).await;
        assert!(heard.status == status && heard.body.contains(holds), "{run} {body}: {heard:?}");
        assert!(heard.has("content-type: application/json"), "{heard:?}");
    }
    let healed = rig.say("POST", "/squall/v1/heal", r#"{"run":"night"}"#).await.value();
    assert_eq!(
        (&healed["healed"], &healed["failed"]),
        (&serde_json::json!(["slow", "slower"]), &serde_json::json!([]))
    );
    assert_eq!(rig.say("POST", "/squall/v1/heal", r#"{"run":"night"}"#).await.status, 404);
    assert_eq!(rig.say("POST", "/squall/v1/heal", "").await.value()["healed"], serde_json::json!(["other"]));
}

#[tokio::test]
async fn a_fault_with_a_mistake_is_refused_with_its_place_and_changes_nothing() {
    let rig = Rig::new().await;
    rig.proxy("a").await;
    let rows = [
        (put(r#"Fault(on: "a", inject: Latency(time: Fixed("9x")))"#, ""), 400, "at 1:"),
        (put(r#"Fault(on: "a", inject: Latencies(time: Fixed("9s")))"#, ""), 400, "unknown kind `Latencies`"),
        (put(r#"Fault(on: "a", inject: Noop, pattern: First(n: 0))"#, ""), 400, "0 would touch nothing"),
        (put(r#"Fault(on: "a", inject: Latency(time: Recorded(file: "/etc/passwd")))"#, ""), 400, "bad request body"),
        (put(r#"Fault(on: "b", inject: Noop)"#, ""), 404, "proxy not found"),
        (put("(", ""), 400, "bad request body: fault"),
        (r#"{"fault":1}"#.into(), 400, r#""field":"fault""#),
        ("{}".into(), 400, "missing required field: fault"),
        (r#"{"fault":"Fault(on: \"a\", inject: Noop)","lease_ms":1}"#.into(), 400, "lease_ms must be 5000..60000"),
    ];
    for (body, status, holds) in rows {
        let heard = rig.say("PUT", "/squall/v1/faults/slow", &body).await;
        assert!(heard.status == status && heard.body.contains(holds), "{body}: {heard:?}");
        assert!(!heard.body.contains("root:"), "no other file is shown: {heard:?}");
    }
    assert_eq!(rig.say("GET", "/squall/v1/state", "").await.value()["faults"], serde_json::json!([]));
}

#[tokio::test]
async fn connections_are_told_and_cut_with_a_reset() {
    let rig = Rig::new().await;
    let listen = rig.proxy("a").await;
    rig.say("PUT", "/squall/v1/faults/slow", &put(SLOW, "")).await;
    let mut client = TcpStream::connect(listen).await.unwrap();
    let (mut server, _) = rig.upstream.accept().await.unwrap();
    client.write_all(b"hello").await.unwrap();
    server.read_exact(&mut [0; 5]).await.unwrap();
    let told = rig.say("GET", "/squall/v1/proxies/a/connections", "").await.value();
    let one = &told["connections"][0];
    assert_eq!(
        (&one["ordinal"], &one["bytes_up"], &one["faults"]),
        (&0.into(), &5.into(), &serde_json::json!(["slow"]))
    );
    assert_eq!(one["peer"].as_str().unwrap(), client.local_addr().unwrap().to_string());
    assert_eq!(rig.say("DELETE", "/squall/v1/proxies/a/connections/7", "").await.status, 404);
    assert_eq!(rig.say("DELETE", "/squall/v1/proxies/b/connections/0", "").await.status, 404);
    assert_eq!(rig.say("DELETE", "/squall/v1/proxies/a/connections/0", "").await.body, r#"{"cut":0}"#);
    for peer in [&mut client, &mut server] {
        let error = peer.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn events_tell_injections_hits_and_healings_as_they_come() {
    let rig = Rig::new().await;
    let listen = rig.proxy("a").await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(b"GET /squall/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut expect = async |wanted: &str| {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains(wanted) {
                return;
            }
        }
        panic!("{wanted} never came");
    };
    rig.say("PUT", "/squall/v1/faults/slow", &put(SLOW, "")).await;
    expect(r#""event":"injected""#).await;
    let mut client = TcpStream::connect(listen).await.unwrap();
    let (mut server, _) = rig.upstream.accept().await.unwrap();
    server.write_all(b"late").await.unwrap();
    expect(r#""touched":1"#).await;
    rig.say("POST", "/squall/v1/heal", "").await;
    expect(r#"{"event":"healed","fault":"slow"}"#).await;
    client.read_exact(&mut [0; 4]).await.unwrap();
}

#[tokio::test]
async fn a_thrown_switch_heals_everything_and_takes_nothing_by_any_call() {
    let rig = Rig::new().await;
    rig.proxy("a").await;
    let toxic = r#"{"name":"t","type":"latency","attributes":{"latency":1}}"#;
    rig.say("POST", "/proxies/a/toxics", toxic).await;
    let stopped = rig.say("POST", "/squall/v1/stop", "").await.value();
    assert_eq!(stopped["healed"].as_array().unwrap().len(), 1);
    let with = |name: &str| format!(r#"{{"name":"{name}","upstream":"$UP","toxics":[{toxic}]}}"#);
    let rows = [
        ("PUT", "/squall/v1/faults/slow", put(SLOW, "")),
        ("POST", "/proxies/a/toxics", toxic.to_owned()),
        ("POST", "/proxies", with("b")),
        ("POST", "/populate", format!("[{}]", with("c"))),
    ];
    for (method, path, body) in &rows {
        let heard = rig.say(method, path, body).await;
        assert!(heard.status == 409 && heard.body.contains("stopped"), "{path}: {heard:?}");
    }
    assert_eq!(rig.say("GET", "/squall/v1/state", "").await.value()["stopped"], true);
    assert_eq!(rig.say("GET", "/proxies", "").await.value().as_object().unwrap().len(), 1, "no proxy came of it");
    rig.say("DELETE", "/squall/v1/stop", "").await;
    for (method, path, body) in &rows {
        let heard = rig.say(method, path, body).await;
        assert!([200, 201].contains(&heard.status), "{path}: {heard:?}");
    }
}

//! Every call of the compatible API with every status it can have: one row each, in one conversation.

use super::*;

const NOT_FOUND: &str = "404 page not found\n";

/// Method, path, body, status, and what the answer must be: `=` exactly, `~` that it contains, `{` that JSON.
type Row = (&'static str, &'static str, &'static str, u16, &'static str);

/// In order: what a row does is seen by those after it. `a` is in use and listens; `off` does not.
const ROWS: &[Row] = &[
    ("GET", "/version", "", 200, "={\"version\": \"2.12.0\"}\n"),
    ("GET", "/proxies", "", 200, "={}"),
    ("GET", "/proxies/a", "", 404, "={\"error\":\"proxy not found\",\"status\":404}\n"),
    ("DELETE", "/proxies/a", "", 404, "={\"error\":\"proxy not found\",\"status\":404}\n"),
    ("POST", "/proxies/a", "{}", 404, "~proxy not found"),
    ("GET", "/proxies/a/toxics", "", 404, "~proxy not found"),
    ("POST", "/proxies/a/toxics", "{}", 404, "~proxy not found"),
    ("GET", "/proxies/a/toxics/t", "", 404, "~proxy not found"),
    ("DELETE", "/proxies/a/toxics/t", "", 404, "~proxy not found"),
    // Creating.
    ("POST", "/proxies", "", 400, "={\"error\":\"bad request body: EOF\",\"status\":400}\n"),
    ("POST", "/proxies", "{", 400, "={\"error\":\"bad request body: unexpected EOF\",\"status\":400}\n"),
    ("POST", "/proxies", "{}", 400, "={\"error\":\"missing required field: name\",\"status\":400}\n"),
    ("POST", "/proxies", r#"{"name":"a"}"#, 400, "={\"error\":\"missing required field: upstream\",\"status\":400}\n"),
    (
        "POST",
        "/proxies",
        r#"{"name":"a","upstream":"$UP","listen":"127.0.0.1:99999"}"#,
        500,
        "~listen tcp: address 99999: invalid port",
    ),
    (
        "POST",
        "/proxies",
        r#"{"name":"a","upstream":"$UP","listen":"bogus"}"#,
        500,
        "~address bogus: missing port in address",
    ),
    ("GET", "/proxies", "", 200, "={}"),
    (
        "POST",
        "/proxies",
        r#"{"NAME":"off","upstream":"$UP","listen":"localhost:22001","enabled":false,"strange":1} rest"#,
        201,
        r#"{"name":"off","listen":"localhost:22001","upstream":"$UP","enabled":false,"toxics":[]}"#,
    ),
    (
        "POST",
        "/proxies",
        r#"{"name":"a","upstream":"$UP","listen":"127.0.0.1:0","enabled":null}"#,
        201,
        "~\"enabled\":true,\"toxics\":[]}",
    ),
    (
        "POST",
        "/proxies",
        r#"{"name":"a","upstream":"$UP"}"#,
        409,
        "={\"error\":\"proxy already exists\",\"status\":409}\n",
    ),
    ("POST", "/proxies", r#"{"name":"b","upstream":"$UP","listen":"$UP"}"#, 500, "~upstream is this proxy"),
    (
        "GET",
        "/proxies/off",
        "",
        200,
        r#"{"name":"off","listen":"localhost:22001","upstream":"$UP","enabled":false,"toxics":[]}"#,
    ),
    ("GET", "/proxies/a/toxics", "", 200, "=[]"),
    // Toxics.
    ("POST", "/proxies/a/toxics", "", 400, "~bad request body: EOF"),
    (
        "POST",
        "/proxies/a/toxics",
        r#"{"type":"bogus","stream":"sideways"}"#,
        400,
        "={\"error\":\"stream was invalid, can be either upstream or downstream\",\"status\":400}\n",
    ),
    ("POST", "/proxies/a/toxics", r#"{"type":"bogus"}"#, 400, "={\"error\":\"invalid toxic type\",\"status\":400}\n"),
    (
        "POST",
        "/proxies/a/toxics",
        r#"{"type":"latency","attributes":{"LATENCY":100}}"#,
        200,
        "={\"attributes\":{\"latency\":100,\"jitter\":0},\"name\":\"latency_downstream\",\"type\":\"latency\",\"stream\":\"downstream\",\"toxicity\":1}",
    ),
    (
        "POST",
        "/proxies/a/toxics",
        r#"{"type":"latency"}"#,
        409,
        "={\"error\":\"toxic already exists\",\"status\":409}\n",
    ),
    ("POST", "/proxies/a/toxics", r#"{"type":"slicer","name":"latency_downstream"}"#, 409, "~toxic already exists"),
    (
        "POST",
        "/proxies/a/toxics",
        r#"{"type":"latency","stream":"UPSTREAM","toxicity":0.3}"#,
        200,
        "={\"attributes\":{\"latency\":0,\"jitter\":0},\"name\":\"latency_UPSTREAM\",\"type\":\"latency\",\"stream\":\"UPSTREAM\",\"toxicity\":0.3}",
    ),
    ("POST", "/proxies/a/toxics", r#"{"type":"bandwidth","attributes":{"rate":100}}"#, 200, "~{\"rate\":100}"),
    ("POST", "/proxies/a/toxics", r#"{"type":"slow_close","attributes":{"delay":7}}"#, 200, "~{\"delay\":7}"),
    ("POST", "/proxies/a/toxics", r#"{"type":"timeout","attributes":{"timeout":7}}"#, 200, "~{\"timeout\":7}"),
    (
        "POST",
        "/proxies/a/toxics",
        r#"{"type":"reset_peer","attributes":{"timeout":70000}}"#,
        200,
        "~{\"timeout\":70000}",
    ),
    (
        "POST",
        "/proxies/a/toxics",
        r#"{"type":"slicer","attributes":{"average_size":10,"size_variation":3,"delay":9}}"#,
        200,
        "~{\"average_size\":10,\"size_variation\":3,\"delay\":9}",
    ),
    ("POST", "/proxies/a/toxics", r#"{"type":"limit_data","attributes":{"bytes":5}}"#, 200, "~{\"bytes\":5}"),
    ("POST", "/proxies/a/toxics", r#"{"type":"noop"}"#, 200, "~\"attributes\":{}"),
    ("POST", "/proxies/a/toxics", r#"{"type":"packet_loss"}"#, 200, "~{\"loss_rate\":0.1,\"correlation\":0}"),
    (
        "POST",
        "/proxies/a/toxics",
        r#"{"type":"noop","name":"alias","direction":"upstream"}"#,
        200,
        "~\"stream\":\"upstream\"",
    ),
    ("GET", "/proxies/a/toxics/latency_downstream", "", 200, "~\"latency\":100"),
    ("GET", "/proxies/a/toxics/none", "", 404, "={\"error\":\"toxic not found\",\"status\":404}\n"),
    ("POST", "/proxies/a/toxics/none", "{}", 404, "~toxic not found"),
    ("PATCH", "/proxies/a/toxics/none", "{}", 404, "~toxic not found"),
    ("DELETE", "/proxies/a/toxics/none", "", 404, "~toxic not found"),
    ("POST", "/proxies/a/toxics/latency_downstream", "{", 400, "~unexpected EOF"),
    (
        "POST",
        "/proxies/a/toxics/latency_downstream",
        r#"{"attributes":{"jitter":20},"name":"x","type":"noop","stream":"upstream"}"#,
        200,
        "={\"attributes\":{\"latency\":100,\"jitter\":20},\"name\":\"latency_downstream\",\"type\":\"latency\",\"stream\":\"downstream\",\"toxicity\":1}",
    ),
    (
        "PATCH",
        "/proxies/a/toxics/latency_downstream",
        r#"{"toxicity":0.5}"#,
        200,
        "~\"jitter\":20},\"name\":\"latency_downstream\",\"type\":\"latency\",\"stream\":\"downstream\",\"toxicity\":0.5",
    ),
    ("DELETE", "/proxies/a/toxics/latency_downstream", "", 204, "="),
    ("GET", "/proxies/a/toxics/latency_downstream", "", 404, "~toxic not found"),
    // Changing proxies.
    ("POST", "/proxies/a", "", 400, "~bad request body: EOF"),
    ("POST", "/proxies/a", r#"{"listen":"127.0.0.1:99999"}"#, 500, "~invalid port"),
    ("PATCH", "/proxies/a", r#"{"enabled":false,"name":"z"}"#, 200, "~\"enabled\":false"),
    ("POST", "/proxies/a", r#"{"enabled":true}"#, 200, "~\"enabled\":true"),
    // Populating.
    ("POST", "/populate", "", 400, "={\"error\":\"bad request body: EOF\",\"status\":400,\"proxies\":[]}"),
    (
        "POST",
        "/populate",
        r#"[{"name":"p","upstream":"$UP"},{"upstream":"$UP"}]"#,
        400,
        "={\"error\":\"missing required field: name at proxy 2\",\"status\":400,\"proxies\":[]}",
    ),
    ("POST", "/populate", r#"[{"name":"p"}]"#, 400, "~missing required field: upstream at proxy 1"),
    (
        "POST",
        "/populate",
        r#"[{"name":"p","upstream":"$UP"},{"name":"q","upstream":"$UP","listen":"bogus"}]"#,
        500,
        "~\"proxies\":[{\"name\":\"p\"",
    ),
    (
        "POST",
        "/populate",
        r#"[{"name":"p","upstream":"$UP","listen":"127.0.0.1:0"}]"#,
        201,
        "~{\"proxies\":[{\"name\":\"p\"",
    ),
    ("POST", "/populate", "[]", 201, "={\"proxies\":[]}"),
    // Resetting.
    ("POST", "/reset", "ignored", 204, "="),
    ("GET", "/proxies/a/toxics", "", 200, "=[]"),
    ("GET", "/proxies/off", "", 200, "~\"listen\":\"127.0.0.1:22001\",\"upstream\":\"$UP\",\"enabled\":true"),
    ("DELETE", "/proxies/off", "", 204, "="),
    ("GET", "/proxies/off", "", 404, "~proxy not found"),
    // Paths and methods.
    ("GET", "/", "", 404, NOT_FOUND),
    ("GET", "/proxies/", "", 404, NOT_FOUND),
    ("GET", "/nowhere", "", 404, NOT_FOUND),
    ("PUT", "/proxies", "", 405, "="),
    ("DELETE", "/proxies", "", 405, "="),
    ("PUT", "/proxies/a", "", 405, "="),
    ("DELETE", "/proxies/a/toxics", "", 405, "="),
    ("PUT", "/proxies/a/toxics/t", "", 405, "="),
    ("GET", "/reset", "", 405, "="),
    ("GET", "/populate", "", 405, "="),
    ("POST", "/version", "", 405, "="),
    ("GET", "/metrics", "", 200, "~toxiproxy_proxy_received_bytes_total{direction=\"upstream\""),
    ("PUT", "/metrics", "", 200, "~# TYPE toxiproxy_proxy_sent_bytes_total counter"),
];

fn check(row: &Row, up: &str, heard: &Heard) {
    let (method, path, body, status, want) = row;
    let what = format!("{method} {path} {body}: {heard:?}");
    assert_eq!(heard.status, *status, "{what}");
    let want = want.replace("$UP", up);
    match want.split_at(1) {
        ("=", exact) => assert_eq!(heard.body, exact, "{what}"),
        ("~", part) => assert!(heard.body.contains(part), "{what} lacks {part}"),
        _ if *status == 404 => assert_eq!(heard.body, want, "{what}"),
        _ => assert_eq!(heard.body, want, "{what}"),
    }
    let matched = heard.body != NOT_FOUND;
    let id = heard.head.lines().find_map(|line| line.strip_prefix("x-toxiproxy-request-id: "));
    assert_eq!(id.map(str::len), matched.then_some(20), "{what}");
    let text = heard.has("content-type: text/plain; charset=utf-8") && heard.has("x-content-type-options: nosniff");
    let refused = !matched || (*status >= 400 && *status != 405 && *path != "/populate");
    assert_eq!(text, refused, "{what}");
    if matches!(status, 200 | 201) && !["/metrics", "/version"].contains(path) {
        assert!(heard.has("content-type: application/json"), "{what}");
    }
}

#[tokio::test]
async fn every_call_has_the_status_and_the_body_of_the_table() {
    let rig = Rig::new().await;
    let up = rig.to().to_string();
    for row in ROWS {
        let heard = rig.say(row.0, row.1, row.2).await;
        check(row, &up, &heard);
    }
}

#[tokio::test]
async fn toxics_are_listed_upstream_first_each_in_the_order_of_its_chain() {
    let rig = Rig::new().await;
    rig.proxy("a").await;
    for (name, stream) in [("d1", "downstream"), ("u1", "upstream"), ("d2", "downstream"), ("u2", "UpStream")] {
        let body = format!(r#"{{"type":"noop","name":"{name}","stream":"{stream}"}}"#);
        assert_eq!(rig.say("POST", "/proxies/a/toxics", &body).await.status, 200);
    }
    let names = |value: &serde_json::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let listed = rig.say("GET", "/proxies/a/toxics", "").await.value();
    assert_eq!(names(&listed), ["u1", "u2", "d1", "d2"]);
    assert_eq!(rig.say("GET", "/proxies/a", "").await.value()["toxics"], listed);
}

#[tokio::test]
async fn browsers_foreign_hosts_and_origins_are_turned_away_after_the_path_is_known() {
    let rig = Rig::with(Gate { hosts: vec!["drill.local".into()], ..Gate::default() }).await;
    let rows = [
        ("/nowhere", "User-Agent: Mozilla/5.0\r\n", 404),
        ("/version", "User-Agent: Mozilla/5.0\r\n", 403),
        ("/version", "User-Agent: curl/8 Mozilla/5.0\r\n", 200),
        ("/version", "Host: evil.example\r\n", 403),
        ("/version", "Host: localhost:8474\r\n", 200),
        ("/version", "Host: [::1]:8474\r\n", 200),
        ("/version", "Host: drill.local:8474\r\n", 200),
        ("/version", "Host: 127.0.0.1.evil.example\r\n", 403),
        ("/version", "Origin: http://evil.example\r\n", 403),
        ("/version", "Origin: http://localhost:3000\r\n", 200),
        ("/version", "Origin: null\r\n", 403),
    ];
    for (path, headers, status) in rows {
        let heard = rig.say_with("GET", path, headers, b"").await;
        assert_eq!(heard.status, status, "{path} {headers}: {heard:?}");
    }
    let browser = rig.say_with("GET", "/version", "User-Agent: Mozilla/5.0\r\n", b"").await;
    assert_eq!(browser.body, "User agent not allowed\n");
    assert!(browser.has("content-type: text/plain; charset=utf-8") && browser.has("x-content-type-options: nosniff"));
}

#[tokio::test]
async fn a_token_is_asked_for_when_there_is_one() {
    let rig = Rig::with(Gate { token: Some(Secret::new("s3cret")), ..Gate::default() }).await;
    for (headers, status) in
        [("", 401), ("Authorization: Bearer wrong!\r\n", 401), ("Authorization: Bearer s3cret\r\n", 200)]
    {
        assert_eq!(rig.say_with("GET", "/proxies", headers, b"").await.status, status, "{headers}");
    }
}

#[tokio::test]
async fn own_routes_tell_the_state_heal_renew_and_stop() {
    let rig = Rig::new().await;
    rig.proxy("a").await;
    rig.say("POST", "/proxies/a/toxics", r#"{"type":"latency"}"#).await;
    let name = "toxic:a/latency_downstream";
    let state = rig.say("GET", "/squall/v1/state", "").await.value();
    assert_eq!((&state["faults"][0]["name"], &state["stopped"]), (&name.into(), &false.into()));
    assert!(state["faults"][0]["expires_in_ms"].as_u64().unwrap() > 3_500_000, "{state}");
    assert_eq!(rig.say("GET", "/squall/v1/version", "").await.value()["api"], 1);
    let stats = rig.say("GET", "/squall/v1/stats", "").await.value();
    assert_eq!(stats["faults"][name]["considered"], 0);
    let bad = rig.say("POST", "/squall/v1/leases", r#"{"faults":[],"lease_ms":1}"#).await;
    assert_eq!((bad.status, &bad.value()["field"]), (400, &"lease_ms".into()));
    let over = rig.say("POST", "/squall/v1/leases", r#"{"faults":["nobody"]}"#).await;
    assert_eq!(over.status, 409);
    assert!(over.body.contains("lease expired") && over.has("content-type: application/json"));
    let renewed = format!(r#"{{"faults":["{name}"],"lease_ms":15000}}"#);
    assert_eq!(rig.say("POST", "/squall/v1/leases", &renewed).await.status, 200);
    let stop = rig.say("POST", "/squall/v1/stop", "").await.value();
    assert_eq!((&stop["healed"][0], &stop["failed"]), (&name.into(), &serde_json::json!([])));
    assert_eq!(rig.say("POST", "/proxies/a/toxics", r#"{"type":"latency"}"#).await.status, 409);
    assert_eq!(rig.say("DELETE", "/squall/v1/stop", "").await.status, 200);
    assert_eq!(rig.say("POST", "/proxies/a/toxics", r#"{"type":"latency"}"#).await.status, 200);
    assert_eq!(rig.say("POST", "/squall/v1/heal", "").await.value()["healed"].as_array().unwrap().len(), 1);
    assert_eq!(rig.say("GET", "/proxies/a/toxics", "").await.body, "[]");
    assert_eq!(rig.say("DELETE", "/squall/v1/faults/nobody", "").await.status, 404);
}

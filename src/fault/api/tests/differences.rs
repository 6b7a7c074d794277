//! What differs from the reference on purpose: each row that a client could notice.

use super::*;

async fn read(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; 64];
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut bytes)).await.expect("nothing came")?;
    bytes.truncate(read);
    Ok(bytes)
}

#[tokio::test]
async fn a_reset_goes_on_past_a_proxy_that_cannot_start_and_names_it() {
    let rig = Rig::new().await;
    rig.proxy("b").await;
    rig.say("POST", "/proxies/b/toxics", r#"{"type":"latency"}"#).await;
    let off = format!(r#"{{"name":"a","upstream":"$UP","listen":"{}","enabled":false}}"#, rig.address);
    assert_eq!(rig.say("POST", "/proxies", &off).await.status, 201);
    let heard = rig.say("POST", "/reset", "").await;
    assert!(heard.status == 500 && heard.body.contains("a: listen tcp"), "{heard:?}");
    assert_eq!(rig.say("GET", "/proxies/b/toxics", "").await.body, "[]");
}

#[tokio::test]
async fn a_failed_listen_on_update_leaves_the_proxy_as_it_was() {
    let rig = Rig::new().await;
    let address = rig.proxy("a").await;
    let before = rig.say("GET", "/proxies/a", "").await.body;
    let heard = rig.say("POST", "/proxies/a", &format!(r#"{{"listen":"{}"}}"#, rig.address)).await;
    assert_eq!(heard.status, 500, "{heard:?}");
    assert_eq!(rig.say("GET", "/proxies/a", "").await.body, before);
    TcpStream::connect(address).await.unwrap();
}

#[tokio::test]
async fn one_bad_attribute_leaves_the_others_as_they_were() {
    let rig = Rig::new().await;
    rig.proxy("a").await;
    rig.say("POST", "/proxies/a/toxics", r#"{"type":"latency","attributes":{"latency":5,"jitter":5}}"#).await;
    let toxic = "/proxies/a/toxics/latency_downstream";
    let before = rig.say("GET", toxic, "").await.body;
    let heard = rig.say("POST", toxic, r#"{"toxicity":0.1,"attributes":{"latency":9,"jitter":-1}}"#).await;
    assert_eq!(heard.status, 400);
    assert_eq!(rig.say("GET", toxic, "").await.body, before);
}

#[tokio::test]
async fn a_toxicity_of_nothing_has_no_effect_at_all() {
    let rig = Rig::new().await;
    let address = rig.proxy("a").await;
    rig.say("POST", "/proxies/a/toxics", r#"{"type":"reset_peer","toxicity":0}"#).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    let (mut server, _) = rig.upstream.accept().await.unwrap();
    client.write_all(b"ask").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(read(&mut server).await.unwrap(), b"ask");
    assert_eq!(read(&mut server).await.unwrap(), b"");
    server.write_all(b"answer").await.unwrap();
    assert_eq!(read(&mut client).await.unwrap(), b"answer", "half a close loses nothing");
}

#[tokio::test]
async fn toxics_of_a_new_proxy_are_there_before_its_first_connection() {
    let rig = Rig::new().await;
    let body = r#"{"name":"a","upstream":"$UP","toxics":[{"type":"limit_data","attributes":{"bytes":3}}]}"#;
    let made = rig.say("POST", "/proxies", body).await.value();
    assert_eq!(made["toxics"][0]["name"], "limit_data_downstream");
    let mut client = TcpStream::connect(made["listen"].as_str().unwrap()).await.unwrap();
    let (mut server, _) = rig.upstream.accept().await.unwrap();
    server.write_all(b"answer").await.unwrap();
    assert_eq!(read(&mut client).await.unwrap(), b"ans");
    assert_eq!(read(&mut client).await.unwrap(), b"");
}

#[tokio::test]
async fn populate_honours_enabled_and_toxics_of_a_proxy_that_it_keeps() {
    let rig = Rig::new().await;
    let listen = rig.proxy("a").await;
    let populate = |more: &str| format!(r#"[{{"name":"a","upstream":"$UP","listen":"{listen}"{more}}}]"#);
    rig.say("POST", "/proxies/a/toxics", r#"{"type":"noop"}"#).await;
    let mut client = TcpStream::connect(listen).await.unwrap();
    let (mut server, _) = rig.upstream.accept().await.unwrap();
    let kept = rig.say("POST", "/populate", &populate("")).await.value();
    assert_eq!(kept["proxies"][0]["toxics"][0]["name"], "noop_downstream");
    client.write_all(b"ask").await.unwrap();
    assert_eq!(read(&mut server).await.unwrap(), b"ask", "a kept proxy keeps its connections");
    let toxics = r#","toxics":[{"type":"latency"}]"#;
    let changed = rig.say("POST", "/populate", &populate(toxics)).await.value();
    assert_eq!(changed["proxies"][0]["toxics"][0]["name"], "latency_downstream");
    let off = rig.say("POST", "/populate", &populate(r#","enabled":false"#)).await.value();
    assert_eq!(off["proxies"][0]["enabled"], false);
    assert!(TcpStream::connect(listen).await.is_err());
}

#[tokio::test]
async fn a_name_with_a_slash_is_reached_escaped() {
    let rig = Rig::new().await;
    rig.proxy("a/b").await;
    assert_eq!(rig.say("GET", "/proxies/a%2Fb", "").await.value()["name"], "a/b");
    assert_eq!(rig.say("GET", "/proxies/a/b", "").await.status, 404);
    assert_eq!(rig.say("DELETE", "/proxies/a%2fb", "").await.status, 204);
}

#[tokio::test]
async fn an_empty_listen_is_loopback() {
    let rig = Rig::new().await;
    for listen in [r#","listen":"""#, "", r#","listen":":0""#] {
        let made = rig.say("POST", "/proxies", &format!(r#"{{"name":"a","upstream":"$UP"{listen}}}"#)).await.value();
        let address: SocketAddr = made["listen"].as_str().unwrap().parse().unwrap();
        assert!(address.ip().is_loopback() && address.port() != 0);
        rig.say("DELETE", "/proxies/a", "").await;
    }
}

#[tokio::test]
async fn metrics_count_bytes_and_faults_while_connections_live() {
    let rig = Rig::new().await;
    let listen = rig.proxy("a").await;
    rig.say("POST", "/proxies/a/toxics", r#"{"type":"latency","stream":"upstream"}"#).await;
    let mut client = TcpStream::connect(listen).await.unwrap();
    let (mut server, _) = rig.upstream.accept().await.unwrap();
    client.write_all(b"12345").await.unwrap();
    assert_eq!(read(&mut server).await.unwrap(), b"12345");
    let text = rig.say("GET", "/metrics", "").await.body;
    let labels = format!("listener=\"{listen}\",proxy=\"a\",upstream=\"{}\"", rig.to());
    let received = format!("toxiproxy_proxy_received_bytes_total{{direction=\"upstream\",{labels}}} 5\n");
    assert!(text.contains(&received), "{text}");
    assert!(text.contains(r#"squall_fault_considered{proxy="a",fault="toxic:a/latency_upstream"} 1"#), "{text}");
}

#[tokio::test]
async fn a_toxic_lives_as_long_as_its_lease_from_the_last_change() {
    let (clock, hand) = Clock::manual();
    let proxies = Proxies::start(clock, Seed(1)).unwrap();
    let api = Api::new(proxies, Gate::default(), Some(Duration::from_secs(3_600)));
    let body = r#"{"name":"a","upstream":"127.0.0.1:9","toxics":[{"type":"noop"}]}"#;
    api.create(body.as_bytes()).await.unwrap();
    hand.advance(Duration::from_secs(3_000));
    api.change_toxic("a", "noop_downstream", b"{}").await.unwrap();
    hand.advance(Duration::from_secs(3_599));
    assert!(api.one("a").await.unwrap().body.contains("noop_downstream"));
    hand.advance(Duration::from_secs(1));
    let gone = async {
        while api.toxics("a", None).await.unwrap().body != "[]" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("the lease never ended");
}

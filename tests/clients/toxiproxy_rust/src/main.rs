//! Every call that the published client toxiproxy_rust offers, against the API at the port given as argument.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use toxiproxy_rust::client::Client;
use toxiproxy_rust::proxy::ProxyPack;

fn exchange(upstream: &TcpListener, listen: &str) -> Duration {
    let mut client = TcpStream::connect(listen).unwrap();
    let (mut server, _) = upstream.accept().unwrap();
    let began = Instant::now();
    client.write_all(b"ask").unwrap();
    let mut read = [0; 6];
    server.read_exact(&mut read[..3]).unwrap();
    server.write_all(b"answer").unwrap();
    client.read_exact(&mut read).unwrap();
    assert_eq!(&read, b"answer");
    began.elapsed()
}

fn main() {
    let port = std::env::args().nth(1).expect("the port of the API");
    let client = Client::new(format!("127.0.0.1:{port}"));
    assert!(client.is_running());
    assert!(client.version().unwrap().contains("2.12.0"));
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = upstream.local_addr().unwrap().to_string();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let made = client.populate(vec![ProxyPack::new("db".into(), free.clone(), to.clone())]).unwrap();
    assert_eq!((made.len(), made[0].proxy_pack.upstream.as_str()), (1, to.as_str()));
    assert_eq!(client.all().unwrap().len(), 1);
    let proxy = client.find_proxy("db").unwrap();
    assert!(client.find_proxy("nobody").is_err());
    assert!(exchange(&upstream, &free) < Duration::from_millis(90));

    proxy.with_latency("downstream".into(), 100, 0, 1.0);
    assert!(exchange(&upstream, &free) >= Duration::from_millis(100));
    assert_eq!(proxy.toxics().unwrap().len(), 1);
    proxy.delete_all_toxics().unwrap();
    assert_eq!(proxy.toxics().unwrap().len(), 0);

    proxy
        .with_bandwidth("downstream".into(), 1_000, 1.0)
        .with_slow_close("downstream".into(), 10, 1.0)
        .with_slicer("upstream".into(), 128, 32, 10, 1.0)
        .with_limit_data("upstream".into(), 1_000_000, 1.0)
        .with_timeout("upstream".into(), 60_000, 0.0);
    let mut types: Vec<String> = proxy.toxics().unwrap().into_iter().map(|toxic| toxic.r#type).collect();
    types.sort();
    assert_eq!(types, ["bandwidth", "limit_data", "slicer", "slow_close", "timeout"]);
    exchange(&upstream, &free);
    client.reset().unwrap();
    assert_eq!(proxy.toxics().unwrap().len(), 0);

    proxy
        .with_down(|| assert!(TcpStream::connect(&free).is_err(), "down"))
        .unwrap();
    exchange(&upstream, &free);
    proxy.with_latency("downstream".into(), 50, 0, 1.0).apply(|| assert!(exchange(&upstream, &free) >= Duration::from_millis(50))).unwrap();
    assert_eq!(client.find_and_reset_proxy("db").unwrap().toxics().unwrap().len(), 0);
    proxy.disable().unwrap();
    assert!(TcpStream::connect(&free).is_err());
    proxy.enable().unwrap();
    exchange(&upstream, &free);
    proxy.delete().unwrap();
    assert!(client.all().unwrap().is_empty());
}

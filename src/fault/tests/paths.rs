//! Proxies that come, stop, move and go, and faults that change under way.

use super::*;

async fn refuses(address: SocketAddr) -> bool {
    matches!(TcpStream::connect(address).await, Err(error) if error.kind() == ErrorKind::ConnectionRefused)
}

#[tokio::test]
async fn a_stopped_proxy_closes_listener_and_connections_and_starts_again_at_its_port_with_its_faults() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    let _slow = rig.inject(latency(100), Side::Upstream).await;
    rig.proxies.disable("db").await.unwrap();
    assert!(refuses(rig.address).await);
    assert_eq!(next(&mut client).await, Ok(vec![]));
    assert_eq!(next(&mut server).await, Ok(vec![]));
    assert!(!rig.proxies.state("db").unwrap().enabled);
    assert_eq!(rig.proxies.enable("db").await.unwrap(), rig.address);
    assert_eq!(rig.proxies.enable("db").await.unwrap(), rig.address, "twice is once");
    let (mut client, mut server) = rig.pair().await;
    client.write_all(b"ask").await.unwrap();
    eventually(|| rig.seen().parcels == 1).await;
    assert!(nothing_came(&server));
    rig.hand.advance(ms(100));
    assert_eq!(next(&mut server).await, Ok(b"ask".to_vec()));
}

#[tokio::test]
async fn a_proxy_moves_only_when_its_new_address_can_be_bound() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = rig.upstream.local_addr().unwrap();
    let moved = rig.proxies.readdress("db", taken.local_addr().unwrap(), upstream).await;
    assert!(matches!(moved, Err(FaultError::Listen { .. })), "{moved:?}");
    echo_once(&mut client, &mut server).await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = elsewhere.local_addr().unwrap();
    assert_eq!(rig.proxies.readdress("db", rig.address, to).await.unwrap(), rig.address);
    assert_eq!(next(&mut client).await, Ok(vec![]), "what leads to the old upstream is closed");
    let mut client = TcpStream::connect(rig.address).await.unwrap();
    let (mut server, _) = elsewhere.accept().await.unwrap();
    echo_once(&mut client, &mut server).await;
    let new = rig.proxies.readdress("db", "127.0.0.1:0".parse().unwrap(), to).await.unwrap();
    assert!(new != rig.address && refuses(rig.address).await);
    TcpStream::connect(new).await.unwrap();
}

#[tokio::test]
async fn a_removed_proxy_is_gone_with_its_faults_and_its_name_is_free() {
    let rig = Rig::with(NonZeroUsize::new(2).unwrap(), vec![]).await;
    let (mut client, _server) = rig.pair().await;
    let guard = rig.inject(latency(100), Side::Upstream).await;
    rig.proxies.remove("db").await.unwrap();
    assert_eq!(next(&mut client).await, Ok(vec![]));
    assert!(refuses(rig.address).await && !rig.proxies.is_active("act") && rig.proxies.states().is_empty());
    assert!(matches!(rig.proxies.remove("db").await, Err(FaultError::UnknownProxy { .. })));
    drop(guard);
    let again = spec(rig.upstream.local_addr().unwrap(), vec![]);
    rig.proxies.add(ProxySpec { listen: rig.address, ..again }).await.unwrap();
}

#[tokio::test]
async fn an_updated_fault_keeps_its_place_and_its_counts() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    let limit = |bytes| Toxic::LimitData { bytes, close: Ending::Fin };
    rig.proxies.put(fault("act", limit(100), Side::Upstream), Some(LEASE)).await.unwrap();
    client.write_all(&[1; 60]).await.unwrap();
    assert_eq!(next(&mut server).await, Ok(vec![1; 60]));
    rig.proxies.put(fault("act", limit(70), Side::Upstream), Some(LEASE)).await.unwrap();
    client.write_all(&[2; 60]).await.unwrap();
    assert_eq!(next(&mut server).await, Ok(vec![2; 10]));
    assert_eq!(next(&mut server).await, Ok(vec![]));
    let seen = rig.seen();
    assert_eq!((seen.considered, seen.touched, seen.cut), (1, 1, 1));
    rig.emptied().await;
    // Another kind under the same name is another fault.
    rig.proxies.put(fault("act", latency(1), Side::Upstream), None).await.unwrap();
    assert_eq!(rig.seen(), FaultStats::default());
    let active = rig.proxies.active();
    assert_eq!(active.len(), 1);
    assert_eq!((&active[0].0.inject, active[0].1), (&latency(1).into(), None), "not leased");
}

#[tokio::test]
async fn a_larger_or_smaller_share_moves_living_connections_in_and_out() {
    let rig = Rig::new().await;
    let mut pairs = vec![];
    for _ in 0..40 {
        pairs.push(rig.pair().await);
    }
    let share = |share| Fault { share: Ratio::new(share), ..fault("act", latency(60_000), Side::Upstream) };
    let mut carried = vec![];
    for part in [0.3, 1.0, 0.3, 0.0] {
        rig.proxies.put(share(part), Some(LEASE)).await.unwrap();
        carried.push(rig.seen().active);
    }
    assert!(carried[0] == carried[2] && (4..20).contains(&carried[0]), "{carried:?}");
    assert_eq!((carried[1], carried[3], rig.seen().considered), (40, 0, 40));
}

#[tokio::test]
async fn a_refusing_fault_closes_the_listener_and_opens_it_again_when_it_heals() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    let down = Toxic::Down { how: Outage::Refuse, existing: Existing::Keep };
    let guard = rig.inject(down, Side::Both).await;
    assert!(refuses(rig.address).await);
    echo_once(&mut client, &mut server).await;
    assert!(guard.heal().await.verified);
    let (mut client, mut server) = rig.pair().await;
    echo_once(&mut client, &mut server).await;
}

#[tokio::test]
async fn faults_given_with_a_proxy_are_in_force_before_its_first_connection() {
    let rig = Rig::new().await;
    let one = ProxySpec { name: "one".into(), ..spec(rig.upstream.local_addr().unwrap(), vec![]) };
    let cut = Fault { on: "one".into(), ..fault("cut", Toxic::LimitData { bytes: 0, close: Ending::Rst }, Side::Both) };
    let address = rig.proxies.add_with(one, vec![cut]).await.unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"x").await.unwrap();
    assert_eq!(next(&mut client).await, Err(ErrorKind::ConnectionReset));
    assert!(rig.proxies.is_active("cut"));
}

#[tokio::test]
async fn a_stall_heals_without_loss() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    let guard = rig.inject(Toxic::Blackhole { how: Silence::Stall }, Side::Both).await;
    client.write_all(b"ask").await.unwrap();
    eventually(|| rig.seen().parcels == 1).await;
    rig.hand.advance(ms(4_000));
    rig.settled().await;
    assert!(nothing_came(&server) && nothing_came(&client));
    assert_eq!(rig.seen().drawn.count, 0, "what waits for healing was not drawn");
    assert!(guard.heal().await.verified);
    assert_eq!(next(&mut server).await, Ok(b"ask".to_vec()));
    echo_once(&mut client, &mut server).await;
}

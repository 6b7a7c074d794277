//! How faults end: by request, by lease, by a dropped guard, with the proxy; and what survives it.

use super::*;

#[tokio::test]
async fn a_timeout_that_swallowed_bytes_cuts_those_connections_when_it_heals() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    let (mut other_client, mut other_server) = rig.pair().await;
    let injection = rig.inject(Toxic::Timeout { after: Duration::ZERO }, Side::Downstream).await;
    server.write_all(b"12345").await.unwrap();
    eventually(|| rig.seen().swallowed == 5).await;
    let healed = injection.heal().await;
    assert!(healed.verified);
    assert_eq!(next(&mut client).await, Ok(vec![]));
    assert_eq!(next(&mut server).await, Ok(vec![]));
    echo_once(&mut other_client, &mut other_server).await;
    let seen = rig.seen();
    assert_eq!((seen.considered, seen.touched, seen.untouched.idle, seen.cut), (2, 1, 1, 1));
}

#[tokio::test]
async fn a_lease_that_nobody_renews_heals_and_the_connection_survives() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    let _injection = rig.inject(latency(60_000), Side::Both).await;
    client.write_all(b"ask").await.unwrap();
    eventually(|| rig.seen().parcels == 1).await;
    rig.hand.advance(ms(4_000));
    rig.proxies.renew("act", LEASE).await.unwrap();
    rig.hand.advance(ms(4_999));
    rig.settled().await;
    assert!(rig.proxies.is_active("act") && nothing_came(&server));
    rig.hand.advance(ms(1));
    assert_eq!(next(&mut server).await, Ok(b"ask".to_vec()), "what was held leaves at once");
    server.write_all(b"answer").await.unwrap();
    assert_eq!(next(&mut client).await, Ok(b"answer".to_vec()));
    assert!(!rig.proxies.is_active("act"));
    assert!(matches!(rig.proxies.renew("act", LEASE).await, Err(FaultError::LeaseOver { .. })));
}

#[tokio::test]
async fn a_stalled_reader_delays_no_healing() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxies = Proxies::start(Clock::start(), Seed(1)).unwrap();
    let address = proxies.add(spec(upstream.local_addr().unwrap(), vec![])).await.unwrap();
    for inject in [latency(1), Toxic::Timeout { after: Duration::ZERO }] {
        let mut stalled = Vec::new();
        for _ in 0..20 {
            let client = TcpStream::connect(address).await.unwrap();
            let (mut server, _) = upstream.accept().await.unwrap();
            // The client never reads: every buffer on the way fills up.
            let writer = tokio::spawn(async move { server.write_all(&vec![7; 64 << 20]).await });
            stalled.push((client, writer));
        }
        eventually(|| proxies.connections("db") >= 20).await;
        proxies.inject(fault("act", inject, Side::Both), LEASE).await.map(std::mem::forget).unwrap();
        let healed = proxies.heal_all().await;
        assert_eq!(healed.len(), 1);
        assert!(healed[0].verified && healed[0].took < Duration::from_secs(2), "{healed:?}");
        for (_, writer) in stalled {
            writer.abort();
        }
    }
    timeout(PATIENCE, proxies.shutdown()).await.unwrap();
}

#[tokio::test]
async fn the_distance_of_a_path_is_there_from_the_first_byte_and_survives_healing() {
    let rig = Rig::with(NonZeroUsize::MIN, vec![(latency(4), Side::Downstream)]).await;
    let (mut client, mut server) = rig.pair().await;
    for _ in 0..2 {
        client.write_all(b"ask").await.unwrap();
        assert_eq!(next(&mut server).await, Ok(b"ask".to_vec()));
        server.write_all(b"answer").await.unwrap();
        // The answer's arrival at the proxy is not visible from here: it may be read up to the moment the clock moves.
        rig.settled().await;
        assert!(nothing_came(&client));
        let mut answer = std::pin::pin!(next(&mut client));
        let answer = loop {
            tokio::select! {
                biased;
                answer = &mut answer => break answer,
                () = async { rig.hand.advance(ms(1)); rig.settled().await } => {}
            }
        };
        assert_eq!(answer, Ok(b"answer".to_vec()));
        assert!(rig.proxies.heal_all().await.is_empty());
    }
}

#[tokio::test]
async fn a_dropped_guard_withdraws_its_fault_and_no_later_one() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    let guard = rig.inject(latency(60_000), Side::Both).await;
    rig.proxies.heal("act").await.unwrap();
    let second = rig.inject(latency(60_000), Side::Both).await;
    drop(guard);
    assert!(rig.proxies.is_active("act"));
    drop(second);
    assert!(!rig.proxies.is_active("act"));
    echo_once(&mut client, &mut server).await;
    assert!(rig.proxies.heal("act").await.unwrap().verified);
    assert!(matches!(rig.proxies.heal("atc").await, Err(FaultError::UnknownFault { .. })));
}

#[tokio::test]
async fn shutdown_ends_listeners_and_connections_and_later_calls_say_so() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    let other = rig.proxies.clone();
    timeout(PATIENCE, rig.proxies.shutdown()).await.unwrap();
    assert_eq!(next(&mut client).await, Ok(vec![]));
    assert_eq!(next(&mut server).await, Ok(vec![]));
    assert_eq!(other.connections("db"), 0);
    let refused = other.inject(fault("late", latency(1), Side::Both), LEASE).await;
    assert!(matches!(refused, Err(FaultError::Stopped)));
    assert!(TcpStream::connect(rig.address).await.is_err());
}

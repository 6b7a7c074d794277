//! What each toxic does to bytes and connections, and what a proxy does without one.

use super::*;

#[tokio::test]
async fn a_half_closed_client_still_gets_its_whole_answer() {
    for base in [vec![], vec![(latency(0), Side::Both)]] {
        let rig = Rig::with(NonZeroUsize::MIN, base).await;
        let (mut client, mut server) = rig.pair().await;
        client.write_all(b"ask").await.unwrap();
        client.shutdown().await.unwrap();
        let mut asked = Vec::new();
        timeout(PATIENCE, server.read_to_end(&mut asked)).await.unwrap().unwrap();
        assert_eq!(asked, b"ask");
        let answer: Vec<u8> = (0..3_000_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let mut got = Vec::new();
        let (sent, read) = tokio::join!(
            async {
                server.write_all(&answer).await?;
                server.shutdown().await
            },
            timeout(PATIENCE, client.read_to_end(&mut got))
        );
        sent.unwrap();
        read.unwrap().unwrap();
        assert!(got == answer, "{} of {} bytes, or other ones", got.len(), answer.len());
        rig.emptied().await;
        rig.proxies.shutdown().await;
    }
}

#[tokio::test]
async fn a_reset_reaches_both_peers_of_new_existing_and_idle_connections() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    echo_once(&mut client, &mut server).await;
    let (mut idle_client, mut idle_server) = rig.pair().await;
    let injection = rig.inject(RESET, Side::Downstream).await;
    for peer in [&mut client, &mut server, &mut idle_client, &mut idle_server] {
        assert_eq!(next(peer).await, Err(ErrorKind::ConnectionReset));
    }
    rig.emptied().await;
    let (mut new_client, mut new_server) = rig.pair().await;
    new_client.write_all(b"hello").await.unwrap();
    assert_eq!(next(&mut new_client).await, Err(ErrorKind::ConnectionReset));
    assert_eq!(next(&mut new_server).await, Err(ErrorKind::ConnectionReset));
    rig.emptied().await;
    let (mut silent_client, mut silent_server) = rig.pair().await;
    rig.settled().await;
    assert!(nothing_came(&silent_client), "a silent client has its grace");
    rig.hand.advance(ms(50));
    assert_eq!(next(&mut silent_client).await, Err(ErrorKind::ConnectionReset));
    assert_eq!(next(&mut silent_server).await, Err(ErrorKind::ConnectionReset));
    let seen = rig.seen();
    assert_eq!((seen.considered, seen.touched, seen.cut), (4, 4, 4));
    rig.emptied().await;
    assert!(injection.heal().await.verified);
    let (mut client, mut server) = rig.pair().await;
    echo_once(&mut client, &mut server).await;
}

#[tokio::test]
async fn writes_at_0_and_100_ms_under_200_ms_latency_arrive_at_200_and_300_ms() {
    let rig = Rig::new().await;
    let (mut client, server) = rig.pair().await;
    let injection = rig.inject(latency(200), Side::Upstream).await;
    client.write_all(b"first").await.unwrap();
    eventually(|| rig.seen().parcels == 1).await;
    rig.hand.advance(ms(100));
    client.write_all(b"second").await.unwrap();
    eventually(|| rig.seen().parcels == 2).await;
    let mut server = server;
    for (wait, text) in [(100, b"first".to_vec()), (100, b"second".to_vec())] {
        rig.hand.advance(ms(wait).saturating_sub(Duration::from_nanos(1)));
        rig.settled().await;
        assert!(nothing_came(&server), "not a nanosecond early");
        rig.hand.advance(Duration::from_nanos(1));
        assert_eq!(next(&mut server).await, Ok(text));
    }
    let drawn = rig.seen().drawn;
    assert_eq!((drawn.count, drawn.mean(), drawn.longest), (2, ms(200), ms(200)));
    assert!(injection.heal().await.verified);
}

#[tokio::test]
async fn a_timeout_of_300_ms_closes_at_300_ms_although_data_comes_every_200_ms() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    let _injection = rig.inject(Toxic::Timeout { after: ms(300) }, Side::Downstream).await;
    server.write_all(b"12345").await.unwrap();
    eventually(|| rig.seen().swallowed == 5).await;
    rig.hand.advance(ms(200));
    server.write_all(b"12345").await.unwrap();
    eventually(|| rig.seen().swallowed == 10).await;
    rig.hand.advance(ms(99));
    rig.settled().await;
    assert!(nothing_came(&client) && nothing_came(&server));
    rig.hand.advance(ms(1));
    assert_eq!(next(&mut client).await, Ok(vec![]));
    assert_eq!(next(&mut server).await, Ok(vec![]));
    assert_eq!(rig.seen().cut, 1);
    rig.emptied().await;
}

#[tokio::test]
async fn an_upstream_that_refuses_gives_the_client_an_end_of_file() {
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let proxies = Proxies::start(Clock::start(), Seed(1)).unwrap();
    let address = proxies.add(spec(dead, vec![])).await.unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    assert_eq!(next(&mut client).await, Ok(vec![]));
    let taken = proxies.add(ProxySpec { name: "twin".into(), listen: address, ..spec(dead, vec![]) }).await;
    assert!(matches!(taken, Err(FaultError::Listen { .. })), "{taken:?}");
}

#[tokio::test]
async fn a_reset_by_a_peer_is_handed_on_as_a_reset() {
    let rig = Rig::new().await;
    for from_client in [true, false] {
        let (mut client, mut server) = rig.pair().await;
        echo_once(&mut client, &mut server).await;
        let (peer, mut other) = if from_client { (client, server) } else { (server, client) };
        peer.set_zero_linger().unwrap();
        drop(peer);
        assert_eq!(next(&mut other).await, Err(ErrorKind::ConnectionReset));
        rig.emptied().await;
    }
}

#[tokio::test]
async fn connections_are_dealt_to_all_workers_and_faults_reach_every_one() {
    let rig = Rig::with(NonZeroUsize::new(3).unwrap(), vec![]).await;
    let mut pairs = Vec::new();
    for _ in 0..7 {
        let (mut client, mut server) = rig.pair().await;
        echo_once(&mut client, &mut server).await;
        pairs.push((client, server));
    }
    let injection = rig.inject(RESET, Side::Both).await;
    for (client, server) in &mut pairs {
        assert_eq!(next(client).await, Err(ErrorKind::ConnectionReset));
        assert_eq!(next(server).await, Err(ErrorKind::ConnectionReset));
    }
    assert_eq!(rig.seen().touched, 7);
    assert!(injection.heal().await.verified);
}

#[tokio::test]
async fn latency_on_the_real_clock_is_never_short() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let clock = Clock::start();
    let proxies = Proxies::start(clock.clone(), Seed(1)).unwrap();
    let base = vec![(latency(4), Side::Downstream)];
    let address = proxies.add(spec(upstream.local_addr().unwrap(), base)).await.unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    let (mut server, _) = upstream.accept().await.unwrap();
    let mut late = Vec::new();
    for _ in 0..100 {
        let sent = clock.now();
        server.write_all(b"answer").await.unwrap();
        assert_eq!(next(&mut client).await, Ok(b"answer".to_vec()));
        late.push(clock.now().since(sent));
    }
    late.sort();
    assert!(late[0] >= ms(4), "{:?}", late[0]);
    // Generous: the machine may be busy. A quiet core shows about 0.1 ms above the target.
    assert!(late[50] < ms(30), "{:?}", late[50]);
    println!("4 ms asked; p1 {:?}, p50 {:?}, p99 {:?}", late[0], late[50], late[98]);
}

#[tokio::test]
async fn an_upstream_that_does_not_answer_ends_its_client_after_the_dial_timeout_and_delays_no_other() {
    let rig = Rig::new().await;
    // A listener that keeps one connection waiting leaves the next one's SYN unanswered.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let silent = socket.listen(0).unwrap();
    let silent_address = silent.local_addr().unwrap();
    let _waiting = TcpStream::connect(silent_address).await.unwrap();
    let silent_spec = ProxySpec { name: "silent".into(), ..spec(silent_address, vec![]) };
    let address = rig.proxies.add(silent_spec).await.unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    rig.settled().await;
    assert!(nothing_came(&client));
    let (mut other_client, mut other_server) = rig.pair().await;
    echo_once(&mut other_client, &mut other_server).await;
    rig.hand.advance(ms(1_999));
    rig.settled().await;
    assert!(nothing_came(&client));
    rig.hand.advance(ms(1));
    assert_eq!(next(&mut client).await, Ok(vec![]));
}

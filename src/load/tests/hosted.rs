//! A hyper server on a thread: TLS with certificates made for the test, HTTP/1.1 or HTTP/2, and counts of what it saw.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::{Notify, oneshot};

/// Certificates of one test, in a folder of their own.
pub(super) struct Office {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Office {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Two offices of one name would be taken for one another.
        let folder = tempfile::tempdir().unwrap();
        params.distinguished_name.push(DnType::CommonName, folder.path().display().to_string());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    /// A certificate for `name` and its key, as files.
    pub(super) fn certify(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let cert = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let (cert_file, key_file) = (self.file(&format!("{name}.pem")), self.file(&format!("{name}.key")));
        std::fs::write(&cert_file, cert.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        (cert_file, key_file)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }

    pub(super) fn root(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// A server's side of TLS: a certificate for `name`, the protocols it speaks, and whether clients must show one.
    pub(super) fn serve(&self, name: &str, alpn: &[&str], clients: Clients) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let cert = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let builder = match clients {
            Clients::Anyone => builder.unwrap().with_no_client_auth(),
            Clients::Certified => {
                let mut store = RootCertStore::empty();
                store.add(self.issuer.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider).build().unwrap();
                builder.unwrap().with_client_cert_verifier(verifier)
            }
        };
        let der = CertificateDer::from(cert.der().to_vec());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = builder.with_single_cert(vec![der], key).unwrap();
        config.alpn_protocols = alpn.iter().map(|one| one.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

/// Who may connect.
#[derive(Clone, Copy)]
pub(super) enum Clients {
    Anyone,
    Certified,
}

/// How a server answers.
#[derive(Clone, Default)]
pub(super) struct Manner {
    pub(super) tls: Option<Arc<ServerConfig>>,
    /// HTTP/2 in clear.
    pub(super) prior: bool,
    /// Streams allowed at once.
    pub(super) streams: Option<u32>,
    pub(super) after: Duration,
    /// Nothing is answered before so many requests have come.
    pub(super) together: u64,
    /// Headers and body of every answer.
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) body: Bytes,
    /// A Unix socket instead of a port.
    pub(super) unix: Option<PathBuf>,
}

/// What it saw.
#[derive(Default)]
pub(super) struct Saw {
    pub(super) connections: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) second: AtomicU64,
    pub(super) from: Mutex<Vec<IpAddr>>,
    pub(super) names: Mutex<Vec<String>>,
    pub(super) hosts: Mutex<Vec<String>>,
    arrived: Notify,
}

pub(super) struct Hosted {
    pub(super) address: SocketAddr,
    pub(super) saw: Arc<Saw>,
    over: Option<oneshot::Sender<()>>,
}

impl Hosted {
    pub(super) fn start(manner: Manner) -> Self {
        let saw = Arc::new(Saw::default());
        let (over, ended) = oneshot::channel::<()>();
        let (told, address) = mpsc::channel();
        let shared = Arc::clone(&saw);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let unix = manner.unix.as_ref().map(|path| UnixListener::bind(path).unwrap());
                told.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! {
                    () = accept(listener, unix, manner, shared) => {}
                    _ = ended => {}
                }
            });
        });
        Self { address: address.recv().unwrap(), saw, over: Some(over) }
    }

    pub(super) fn connections(&self) -> u64 {
        self.saw.connections.load(SeqCst)
    }

    pub(super) fn requests(&self) -> u64 {
        self.saw.requests.load(SeqCst)
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        drop(self.over.take());
    }
}

async fn accept(listener: TcpListener, unix: Option<UnixListener>, manner: Manner, saw: Arc<Saw>) {
    loop {
        if let Some(unix) = &unix {
            let (stream, _) = unix.accept().await.unwrap();
            saw.connections.fetch_add(1, SeqCst);
            tokio::spawn(speak(stream, false, manner.clone(), Arc::clone(&saw)));
            continue;
        }
        let (stream, from) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        saw.connections.fetch_add(1, SeqCst);
        saw.from.lock().unwrap().push(from.ip());
        tokio::spawn(greet(stream, manner.clone(), Arc::clone(&saw)));
    }
}

async fn greet(stream: TcpStream, manner: Manner, saw: Arc<Saw>) {
    let Some(config) = manner.tls.clone() else {
        let prior = manner.prior;
        return speak(stream, prior, manner, saw).await;
    };
    let Ok(stream) = tokio_rustls::TlsAcceptor::from(config).accept(stream).await else { return };
    let second = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    saw.names.lock().unwrap().extend(stream.get_ref().1.server_name().map(str::to_owned));
    speak(stream, second, manner, saw).await;
}

async fn speak<S>(stream: S, second: bool, manner: Manner, saw: Arc<Saw>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let streams = manner.streams;
    let service = service_fn(move |request: Request<Incoming>| answer(request, manner.clone(), Arc::clone(&saw)));
    let io = TokioIo::new(stream);
    if second {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).max_concurrent_streams(streams);
        drop(builder.serve_connection(io, service).await);
    } else {
        drop(http1::Builder::new().serve_connection(io, service).await);
    }
}

async fn answer(
    request: Request<Incoming>,
    manner: Manner,
    saw: Arc<Saw>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    saw.requests.fetch_add(1, SeqCst);
    saw.second.fetch_add(u64::from(request.version() == hyper::Version::HTTP_2), SeqCst);
    let host = request.headers().get("host").and_then(|host| host.to_str().ok()).map(str::to_owned);
    let host = request.uri().authority().map(ToString::to_string).or(host);
    saw.hosts.lock().unwrap().extend(host);
    drop(request.into_body().collect().await);
    saw.arrived.notify_waiters();
    loop {
        let arrived = saw.arrived.notified();
        if saw.requests.load(SeqCst) >= manner.together {
            break;
        }
        arrived.await;
    }
    if !manner.after.is_zero() {
        tokio::time::sleep(manner.after).await;
    }
    let mut response = Response::new(Full::new(manner.body.clone()));
    for (name, value) in &manner.headers {
        response.headers_mut().insert(*name, value.parse().unwrap());
    }
    Ok(response)
}

//! TLS: whose certificates are believed, who we say we are, and what is wrong when there is no agreement.
//!
//! Sessions are not resumed: users who have never met the server make a whole handshake, and all of ours are such users.
//! Not here: opening connections (`connect`), what is spoken inside (`h1`, `h2`).

use std::fmt::{Debug, Display};
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, crypto};
use rustls_platform_verifier::Verifier;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::line::Plain;
use crate::load::LoadError;
use crate::measure::outcome::Kind;
use crate::plan::load::{LoadPlan, Scheme};
use crate::plan::wires::{Roots, Tls, TlsVersion, Trust, Version};

/// How `https` is spoken with each origin.
#[derive(Clone)]
pub struct Connector {
    inner: TlsConnector,
    /// By origin: the name asked for and checked; `None`: in clear.
    names: Arc<Vec<Option<ServerName<'static>>>>,
}

impl Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Connector {
    /// What `plan` wants; `None` when no origin speaks TLS.
    ///
    /// # Errors
    /// When a certificate or key cannot be read or used, or a host is no name for TLS.
    pub fn of(plan: &LoadPlan) -> Result<Option<Self>, LoadError> {
        if plan.origins.iter().all(|origin| origin.scheme == Scheme::Http) {
            return Ok(None);
        }
        let wires = &plan.client.wires;
        let name = |host: &str| {
            let bare = host.trim_matches(['[', ']']).to_owned();
            ServerName::try_from(bare).map_err(|error| wrong(format!("the name `{host}`"), error))
        };
        let names = plan.origins.iter().map(|origin| match origin.scheme {
            Scheme::Http => Ok(None),
            Scheme::Https => name(wires.tls.sni.as_ref().unwrap_or(&origin.host)).map(Some),
        });
        let names = Arc::new(names.collect::<Result<_, LoadError>>()?);
        let mut config = config(&wires.tls)?;
        config.alpn_protocols = match wires.http {
            Version::Auto => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Version::Http1 => vec![b"http/1.1".to_vec()],
            Version::Http2 | Version::Http2Prior => vec![b"h2".to_vec()],
        };
        Ok(Some(Self { inner: TlsConnector::from(Arc::new(config)), names }))
    }

    /// Speaks TLS on `stream` to origin number `origin`.
    ///
    /// # Errors
    /// When there is no agreement, or the origin is in clear.
    pub async fn greet(&self, origin: usize, stream: Plain) -> io::Result<TlsStream<Plain>> {
        match self.names.get(origin) {
            Some(Some(name)) => self.inner.connect(name.clone(), stream).await,
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }
}

fn wrong(what: impl Into<String>, why: impl Display) -> LoadError {
    LoadError::Tls { what: what.into(), why: why.to_string() }
}

fn config(tls: &Tls) -> Result<ClientConfig, LoadError> {
    let provider = Arc::new(crypto::ring::default_provider());
    let versions: &[_] = if tls.min == TlsVersion::V13 { &[&TLS13] } else { &[&TLS13, &TLS12] };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|error| wrong("TLS", error))?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier(tls, provider)?);
    let mut config = match &tls.client {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let key_of = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key.display().to_string(), error))?;
            builder
                .with_client_auth_cert(certificates(cert)?, key_of)
                .map_err(|error| wrong(format!("{} with {}", cert.display(), key.display()), error))?
        }
    };
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn verifier(tls: &Tls, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, LoadError> {
    if tls.trust == Trust::Insecure {
        return Ok(Arc::new(Anyone(provider)));
    }
    let system = |error: Error| wrong("the system's certificates", error);
    Ok(match &tls.roots {
        Roots::Platform => Arc::new(Verifier::new(provider).map_err(system)?),
        Roots::Both(file) => Arc::new(Verifier::new_with_extra_roots(certificates(file)?, provider).map_err(system)?),
        Roots::File(file) => {
            let mut store = RootCertStore::empty();
            for one in certificates(file)? {
                store.add(one).map_err(|error| wrong(file.display().to_string(), error))?;
            }
            let built = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build();
            built.map_err(|error| wrong(file.display().to_string(), error))?
        }
    })
}

/// The certificates of a PEM file, at least one.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, LoadError> {
    let bad = |error| wrong(file.display().to_string(), error);
    let all: Vec<_> = CertificateDer::pem_file_iter(file).map_err(bad)?.collect::<Result<_, _>>().map_err(bad)?;
    if all.is_empty() { Err(wrong(file.display().to_string(), "no certificate in it")) } else { Ok(all) }
}

/// The kind of a handshake's failure.
pub fn kind(error: &io::Error) -> Kind {
    match reason(error) {
        Some(Error::InvalidCertificate(_) | Error::NoCertificatesPresented) => Kind::TlsCertificate,
        _ => Kind::TlsAlert,
    }
}

fn reason(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref::<Error>()
}

const NO_TLS: &str = "the server does not speak TLS here, or hung up on us; is it `http`?";

/// What went wrong in a handshake, and the remedy where there is one.
pub fn explain(error: &io::Error) -> String {
    match reason(error) {
        Some(Error::InvalidCertificate(CertificateError::NotValidForNameContext { expected, presented })) => {
            let names: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
            format!("certificate is for {}, not {}; set `tls.sni`", names.join(", "), expected.to_str())
        }
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "certificate is by an unknown issuer; name its root in `tls.roots`, such as `Both(\"ca.pem\")`".to_owned()
        }
        Some(Error::InvalidMessage(_)) => NO_TLS.to_owned(),
        Some(other) => other.to_string(),
        None if error.kind() == io::ErrorKind::TimedOut => "no agreement in time".to_owned(),
        None if error.kind() == io::ErrorKind::UnexpectedEof => NO_TLS.to_owned(),
        None => error.to_string(),
    }
}

/// `DnsName("a.example")` as the certificate says it.
fn bare(name: &str) -> &str {
    name.split_once('"').and_then(|(_, rest)| rest.split_once('"')).map_or(name, |(inner, _)| inner)
}

/// Believes any certificate; signatures are still checked, so that a broken server is not taken for a working one.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

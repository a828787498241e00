//! Servers with certificates of their own.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData, SerialNumber, SignatureAlgorithm, SigningKey,
};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::upstream;

/// Where a ScaiKey says what it is.
const DISCOVERY: &str = "/api/v1/platform/oauth/.well-known/openid-configuration";

/// A key pair that signs certificates.
struct Key {
    pair: EcdsaKeyPair,
    pkcs8: Vec<u8>,
}

impl Key {
    fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).expect("a key");
        Self {
            pair,
            pkcs8: pkcs8.as_ref().to_vec(),
        }
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature = self.pair.sign(&SystemRandom::new(), message);
        Ok(signature.expect("a signature").as_ref().to_vec())
    }
}

fn parameters(name: &str, names: &[&str], years: (i32, i32)) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut parameters = CertificateParams::new(names).expect("names");
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.serial_number = Some(SerialNumber::from(1_u64));
    parameters.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    parameters
}

/// Somebody who vouches for servers.
pub struct Authority {
    issuer: Issuer<'static, Key>,
    /// The certificate, for those who trust it.
    pub certificate: Vec<u8>,
}

/// The years in which a certificate is good for longer than any test will run.
pub const GOOD: (i32, i32) = (2000, 2200);

impl Authority {
    pub fn new() -> Self {
        let key = Key::new();
        let mut parameters = parameters("authority", &[], GOOD);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = parameters.self_signed(&key).expect("a certificate");
        Self {
            certificate: certificate.der().to_vec(),
            issuer: Issuer::new(parameters, key),
        }
    }

    /// Starts a server that this authority calls `names`, in these years.
    pub async fn server(&self, names: &[&str], years: (i32, i32)) -> TlsUpstream {
        let key = Key::new();
        let certificate = parameters("server", names, years)
            .signed_by(&key, &self.issuer)
            .expect("a certificate");
        serve(certificate.der().clone(), key).await
    }
}

/// Starts a server that vouches for itself.
pub async fn self_signed(names: &[&str]) -> TlsUpstream {
    let key = Key::new();
    let certificate = parameters("server", names, GOOD)
        .self_signed(&key)
        .expect("a certificate");
    serve(certificate.der().clone(), key).await
}

pub struct TlsUpstream {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl TlsUpstream {
    /// Requests that have arrived.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// `https://`, this name for 127.0.0.1, and the port.
    pub fn url(&self, name: &str) -> String {
        format!("https://{name}:{}", self.address.port())
    }
}

async fn serve(certificate: CertificateDer<'static>, key: Key) -> TlsUpstream {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.pkcs8));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate and its key");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = requests.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            let counter = counter.clone();
            tokio::spawn(async move {
                // A client that does not trust us leaves here.
                let Ok(stream) = acceptor.accept(stream).await else {
                    return false;
                };
                let answer = move |request| {
                    counter.fetch_add(1, Ordering::SeqCst);
                    answer(request)
                };
                auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service_fn(answer))
                    .await
                    .is_ok()
            });
        }
    });
    TlsUpstream { address, requests }
}

/// ScaiKey's discovery document, and what every upstream answers.
async fn answer(request: Request<Incoming>) -> Result<Response<upstream::Answered>, Infallible> {
    if request.uri().path() != DISCOVERY {
        return upstream::answer(request, Arc::default()).await;
    }
    // HTTP/2 says it in the address, HTTP/1.1 in a header.
    let authority = match (request.uri().authority(), request.headers().get("host")) {
        (Some(authority), _) => authority.to_string(),
        (None, Some(host)) => host.to_str().expect("text").to_owned(),
        (None, None) => panic!("a request to nobody"),
    };
    let base = format!("https://{authority}");
    let body = serde_json::json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "jwks_uri": format!("{base}/keys"),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
    });
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())).boxed());
    response.headers_mut().insert(
        "content-type",
        http::HeaderValue::from_static("application/json"),
    );
    Ok(response)
}

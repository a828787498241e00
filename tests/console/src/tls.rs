//! What stands in front of a deployment: it has the certificate, so that browsers treat the console's
//! cookies as they do in the open.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rcgen::{
    CertificateParams, PKCS_ECDSA_P256_SHA256, PublicKeyData, SerialNumber, SignatureAlgorithm,
    SigningKey,
};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// The key of the certificate.
struct Key(EcdsaKeyPair);

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature = self.0.sign(&SystemRandom::new(), message);
        Ok(signature.expect("a signature").as_ref().to_vec())
    }
}

/// A port with a certificate for `localhost`.
pub struct Front {
    listener: std::net::TcpListener,
    acceptor: TlsAcceptor,
}

impl Front {
    /// Takes a free port.
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let secret = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, secret.as_ref(), &random).expect("a key");
        let mut parameters =
            CertificateParams::new(vec!["localhost".to_owned()]).expect("a certificate's names");
        parameters.serial_number = Some(SerialNumber::from(1_u64));
        let certificate = parameters.self_signed(&Key(pair)).expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(secret.as_ref().to_vec()));
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a configuration");
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        Self {
            listener,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }
    }

    /// The address that browsers use.
    pub fn url(&self) -> String {
        let port = self.listener.local_addr().expect("an address").port();
        format!("https://localhost:{port}")
    }

    /// Passes every connection on, until the task is ended.
    pub fn serve(self, to: SocketAddr) -> JoinHandle<()> {
        self.listener.set_nonblocking(true).expect("a socket");
        let listener = TcpListener::from_std(self.listener).expect("a socket");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = self.acceptor.clone();
                tokio::spawn(async move {
                    let (Ok(mut outside), Ok(mut inside)) =
                        (acceptor.accept(stream).await, TcpStream::connect(to).await)
                    else {
                        return;
                    };
                    // Either side may leave at any time.
                    let _ = copy_bidirectional(&mut outside, &mut inside).await;
                });
            }
        })
    }
}

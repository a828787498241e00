//! RS256 signatures, right and wrong in many ways, and what three implementations say of them:
//! scaigate's own, the `rsa` crate and `ring`. The numbers below the signature are compared too,
//! with the `rsa` crate's arithmetic. Used by the suite and by the example `rs256_agreement`.

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use rsa::BigUint;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use scaigate_jose::rs256::{BYTES, Rs256Key};
use scaigate_jose::sha256;

const E: [u8; 3] = [1, 0, 1];
/// `DigestInfo` of SHA-256, written down a second time.
const DIGEST_INFO: [u8; 19] = [
    48, 49, 48, 13, 6, 9, 96, 134, 72, 1, 101, 3, 4, 2, 1, 5, 0, 4, 32,
];

/// `SplitMix64`: the same numbers for the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    /// Random bytes, and now and then long runs of zeros and ones, where carries go far.
    fn number(&mut self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let runs = self.below(4) == 0;
        for chunk in bytes.chunks_mut(8) {
            let value = match (runs, self.next() % 3) {
                (true, 0) => 0,
                (true, 1) => u64::MAX,
                _ => self.next(),
            };
            chunk.copy_from_slice(&value.to_be_bytes());
        }
        bytes
    }

    /// An odd number of 2048 bits: a modulus, although hardly one of two primes.
    fn modulus(&mut self) -> [u8; BYTES] {
        let mut n = self.number();
        n[0] |= 0x80;
        n[BYTES - 1] |= 1;
        n
    }
}

impl rsa::rand_core::RngCore for Random {
    fn next_u32(&mut self) -> u32 {
        (self.next() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.next()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let value = self.next().to_be_bytes();
            chunk.copy_from_slice(&value[..chunk.len()]);
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl rsa::rand_core::CryptoRng for Random {}

/// A private key that encrypts any number, which is what a forger of odd paddings would do.
pub struct PrivateKey {
    key: rsa::RsaPrivateKey,
    pub public: Implementations,
}

impl PrivateKey {
    /// A key of 2048 bits and the exponent 65537.
    pub fn new(mut key: rsa::RsaPrivateKey) -> Self {
        key.precompute().unwrap();
        let public = Implementations::new(&padded(key.n()));
        Self { key, public }
    }

    pub fn sign(&self, message: &[u8]) -> [u8; BYTES] {
        self.power(&BigUint::from_bytes_be(&encoded(message)))
    }

    /// Another number with the same remainder, if it has 256 bytes.
    pub fn plus_modulus(&self, number: &[u8; BYTES]) -> Option<[u8; BYTES]> {
        let sum = BigUint::from_bytes_be(number) + self.key.n();
        (sum.bits() <= BYTES * 8).then(|| padded(&sum))
    }

    /// `message` to the power of `d`, by the Chinese remainder theorem (RFC 8017 §5.1.2).
    fn power(&self, message: &BigUint) -> [u8; BYTES] {
        let [p, q] = self.key.primes() else {
            unreachable!("a key has two primes")
        };
        let at_p = message.modpow(self.key.dp().unwrap(), p);
        let at_q = message.modpow(self.key.dq().unwrap(), q);
        let inverse = self.key.crt_coefficient().unwrap();
        let difference = (p + &at_p - (&at_q % p)) % p;
        padded(&(at_q + q * (difference * inverse % p)))
    }
}

/// One public key in each implementation.
pub struct Implementations {
    own: Rs256Key,
    n: [u8; BYTES],
    number: BigUint,
    library: rsa::RsaPublicKey,
}

impl Implementations {
    /// The key of the exponent 65537 and an odd modulus of 2048 bits.
    pub fn new(n: &[u8; BYTES]) -> Self {
        let number = BigUint::from_bytes_be(n);
        Self {
            own: Rs256Key::new(n, &E).unwrap(),
            n: *n,
            library: rsa::RsaPublicKey::new(number.clone(), BigUint::from_bytes_be(&E)).unwrap(),
            number,
        }
    }

    /// Checks that the three agree on `signature` over `message`, and that its power is what the
    /// `rsa` crate's arithmetic says. Returns whether it verifies.
    pub fn agree(&self, message: &[u8], signature: &[u8]) -> bool {
        let digest = sha256(message);
        let own = self.own.verifies(&digest, signature);
        let scheme = rsa::Pkcs1v15Sign {
            hash_len: Some(32),
            prefix: DIGEST_INFO.into(),
        };
        let library = self.library.verify(scheme, &digest, signature).is_ok();
        let ring = RsaPublicKeyComponents {
            n: self.n.as_slice(),
            e: E.as_slice(),
        };
        let ring = ring
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            .is_ok();
        let context = || format!("n {:02x?} signature {signature:02x?}", self.n);
        assert_eq!((own, own), (library, ring), "{}", context());
        if let Ok(signature) = signature.try_into() {
            let power = self.own.encoded(signature);
            let base = BigUint::from_bytes_be(signature);
            let expected = (base < self.number)
                .then(|| padded(&base.modpow(&BigUint::from_bytes_be(&E), &self.number)));
            assert_eq!(power, expected, "{}", context());
        }
        own
    }
}

/// How many inputs of each kind were compared; only the first kind verifies.
#[derive(Debug, Default)]
pub struct Tally {
    /// Signatures as they should be.
    pub valid: usize,
    /// A bit changed, the message changed, the modulus added.
    pub changed: usize,
    /// Powers of an encoding that is wrong in one place.
    pub encodings: usize,
    /// Numbers that are no signatures: anything, and close to the modulus.
    pub numbers: usize,
    /// The same for moduli that are not of two primes.
    pub moduli: usize,
}

impl Tally {
    pub fn inputs(&self) -> usize {
        self.valid + self.changed + self.encodings + self.numbers + self.moduli
    }
}

/// Compares `count` random inputs, and stops the process at the first that is not as it should be.
pub fn compare(keys: &[PrivateKey], random: &mut Random, count: usize) -> Tally {
    let mut tally = Tally::default();
    while tally.inputs() < count {
        let key = &keys[random.below(keys.len())];
        let message = random.next().to_be_bytes();
        let signature = key.sign(&message);

        assert!(key.public.agree(&message, &signature));
        tally.valid += 1;

        for _ in 0..6 {
            let mut changed = signature;
            changed[random.below(BYTES)] ^= 1 << random.below(8);
            assert!(!key.public.agree(&message, &changed));
            tally.changed += 1;
        }
        assert!(!key.public.agree(b"another message", &signature));
        tally.changed += 1;
        if let Some(sum) = key.plus_modulus(&signature) {
            assert!(!key.public.agree(&message, &sum));
            tally.changed += 1;
        }

        let wrong =
            padded(&(BigUint::from_bytes_be(&odd_encoding(&message, random)) % key.key.n()));
        if wrong != encoded(&message) {
            assert!(
                !key.public
                    .agree(&message, &key.power(&BigUint::from_bytes_be(&wrong)))
            );
            tally.encodings += 1;
        }

        for _ in 0..4 {
            for signature in [random.number(), near(&key.public.n, random)] {
                assert!(!key.public.agree(&message, &signature));
                tally.numbers += 1;
            }
            let any = Implementations::new(&random.modulus());
            for signature in [random.number(), near(&any.n, random)] {
                assert!(!any.agree(&message, &signature));
                tally.moduli += 1;
            }
        }
    }
    tally
}

/// The edges of what a signature can be, and lengths it can't have, for one modulus.
pub fn edges(key: &Implementations) -> Vec<Vec<u8>> {
    let one = BigUint::from(1_u8);
    let mut edges: Vec<Vec<u8>> = [
        BigUint::default(),
        one.clone(),
        BigUint::from(2_u8),
        &key.number - &one,
        key.number.clone(),
        &key.number >> 1,
    ]
    .iter()
    .map(|number| padded(number).to_vec())
    .collect();
    let above = &key.number + &one;
    if above.bits() <= BYTES * 8 {
        edges.push(padded(&above).to_vec());
    }
    edges.push(vec![0xff; BYTES]);
    edges.extend([0, 1, 32, BYTES - 1, BYTES + 1, 2 * BYTES].map(|length| vec![0; length]));
    edges
}

/// Moduli at the edges: the least, the greatest, and long runs of equal bits.
pub fn edge_moduli() -> Vec<[u8; BYTES]> {
    let with = |first: u8, fill: u8, last: u8| {
        let mut n = [fill; BYTES];
        (n[0], n[BYTES - 1]) = (first, last);
        n
    };
    vec![
        with(0x80, 0, 1),
        with(0x80, 0xff, 0xff),
        with(0xff, 0, 1),
        with(0xff, 0xff, 0xff),
        with(0xaa, 0xaa, 0xab),
        with(0xff, 0xff, 1),
        with(0x80, 0, 0xff),
    ]
}

/// EMSA-PKCS1-v1_5 of `message`, as RFC 8017 §9.2 says it.
fn encoded(message: &[u8]) -> [u8; BYTES] {
    let tail = [&[0], DIGEST_INFO.as_slice(), &sha256(message)].concat();
    padding(&tail)
}

/// `00 01 ff …` before `tail`.
fn padding(tail: &[u8]) -> [u8; BYTES] {
    let mut bytes = [0xff; BYTES];
    (bytes[0], bytes[1]) = (0, 1);
    bytes[BYTES - tail.len()..].copy_from_slice(tail);
    bytes
}

/// The encoding of `message`, wrong in one of the ways that verifiers have let pass.
fn odd_encoding(message: &[u8], random: &mut Random) -> [u8; BYTES] {
    let digest = sha256(message);
    let mut bytes = encoded(message);
    match random.below(8) {
        // One bit anywhere.
        0 => bytes[random.below(BYTES)] ^= 1 << random.below(8),
        // Block type 2, block type 0, no zero in front.
        1 => bytes[random.below(2)] = u8::try_from(random.below(4)).unwrap() + 2,
        // Eight bytes of padding, then the digest, then what a forger of roots needs
        // (CVE-2006-4339).
        2 => {
            let info = [&[0], DIGEST_INFO.as_slice(), &digest].concat();
            bytes[10..10 + info.len()].copy_from_slice(&info);
            bytes[10 + info.len()..].copy_from_slice(&random.number()[10 + info.len()..]);
        }
        // No `DigestInfo`.
        3 => bytes = padding(&[&[0], digest.as_slice()].concat()),
        // `DigestInfo` without NULL.
        4 => {
            let info = [48, 47, 48, 11, 6, 9, 96, 134, 72, 1, 101, 3, 4, 2, 1, 4, 32];
            bytes = padding(&[&[0], info.as_slice(), &digest].concat());
        }
        // SHA-512's identifier.
        5 => bytes[BYTES - 32 - 5] = 3,
        // Another byte in the padding.
        6 => bytes[2 + random.below(202)] = u8::try_from(random.below(255)).unwrap(),
        // Another digest.
        _ => bytes[BYTES - 32..].copy_from_slice(&sha256(digest)),
    }
    bytes
}

/// A number a little above or below `n`, or `n`.
fn near(n: &[u8; BYTES], random: &mut Random) -> [u8; BYTES] {
    let n = BigUint::from_bytes_be(n);
    let distance = BigUint::from(random.next() >> random.below(64));
    let above = &n + &distance;
    padded(&if random.below(2) == 0 && above.bits() <= BYTES * 8 {
        above
    } else {
        n - distance
    })
}

fn padded(number: &BigUint) -> [u8; BYTES] {
    let bytes = number.to_bytes_be();
    let mut padded = [0; BYTES];
    padded[BYTES - bytes.len()..].copy_from_slice(&bytes);
    padded
}

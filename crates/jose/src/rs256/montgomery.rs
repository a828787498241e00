//! Powers modulo an odd number `n` of 2048 bits, by Montgomery's multiplication.
//!
//! A number is 74 limbs of 28 bits, least significant first, so `R` = 2²⁰⁷². WebAssembly multiplies
//! 64 bits by 64 and keeps 64; with limbs of 28 bits all the products of a column fit into them
//! (2 · 74 · 2⁵⁶ < 2⁶³·³) and a carry is made once a column, not once a product. That also leaves 24
//! bits above `n`: factors below 2·`n` give a product below 2·`n`, so nothing is subtracted until
//! the end.

use super::BYTES;

const LIMBS: usize = 74;
const BITS: u32 = 28;
const MASK: u64 = (1 << BITS) - 1;

type Limbs = [u32; LIMBS];

/// An odd number `n` of exactly 2048 bits, and what is computed from it once.
#[derive(Clone)]
pub(super) struct Modulus {
    n: Limbs,
    n_reversed: Limbs,
    /// -1/`n` modulo 2²⁸.
    negative_inverse: u64,
    /// `R`² modulo `n`, below 2·`n`.
    r_squared: Limbs,
}

impl Modulus {
    /// `None` when `n` (big-endian) is even or below 2²⁰⁴⁷.
    pub(super) fn new(n: &[u8; BYTES]) -> Option<Self> {
        if n[0] < 0x80 || n[BYTES - 1].is_multiple_of(2) {
            return None;
        }
        let n = limbs(n);
        Some(Self {
            n,
            n_reversed: reversed(&n),
            negative_inverse: negative_inverse(n[0]),
            r_squared: r_squared(&n),
        })
    }

    /// `base` to the power of 65537 modulo `n`, big-endian; `None` when `base` is not below `n`.
    pub(super) fn power_65537(&self, base: &[u8; BYTES]) -> Option<[u8; BYTES]> {
        let base = limbs(base);
        if !is_below(&base, &self.n) {
            return None;
        }
        let mut power = self.product(&base, &self.r_squared);
        for _ in 0..16 {
            power = self.square(&power);
        }
        // The other factor has no R, so this one leaves none.
        Some(bytes(&self.remainder(self.product(&power, &base))))
    }

    /// A number below 2·`n` modulo `n`. A product is almost never more than that already.
    fn remainder(&self, number: Limbs) -> Limbs {
        if is_below(&number, &self.n) {
            number
        } else {
            difference(&number, &self.n)
        }
    }

    /// `a`·`b`/`R` modulo `n`, below 2·`n` if `a` and `b` are.
    fn product(&self, a: &Limbs, b: &Limbs) -> Limbs {
        let reversed = reversed(b);
        self.reduced(|column| {
            let (start, start_reversed) = starts(column);
            sum_of_products(from(a, start), from(&reversed, start_reversed))
        })
    }

    /// `a`²/`R` modulo `n`, below 2·`n` if `a` is. Each product of two different limbs occurs twice
    /// and is computed once.
    fn square(&self, a: &Limbs) -> Limbs {
        let reversed = reversed(a);
        self.reduced(|column| {
            let (start, start_reversed) = starts(column);
            let middle = column.div_ceil(2);
            let below = a.get(start..middle).unwrap_or_default();
            let twice = 2 * sum_of_products(below, from(&reversed, start_reversed));
            match a.get(middle) {
                Some(limb) if column.is_multiple_of(2) => {
                    twice + u64::from(*limb) * u64::from(*limb)
                }
                _ => twice,
            }
        })
    }

    /// The number whose column sums `columns` gives, divided by `R` modulo `n`: in the lower half
    /// each column gets the multiple of `n` that makes it end in 28 zeros, the upper half is left.
    /// `columns` is called once for each of 0..148, and its sums are at most 74 · (2²⁸-1)².
    fn reduced(&self, columns: impl Fn(usize) -> u64) -> Limbs {
        let mut multiples: Limbs = [0; LIMBS];
        let mut result: Limbs = [0; LIMBS];
        let mut sum = 0;
        for column in 0..LIMBS {
            let (start, start_reversed) = starts(column);
            sum += columns(column)
                + sum_of_products(
                    from(&multiples, start),
                    from(&self.n_reversed, start_reversed),
                );
            let multiple = ((sum & MASK) * self.negative_inverse) & MASK;
            sum += multiple * u64::from(self.n[0]);
            if let Some(limb) = multiples.get_mut(column) {
                *limb = low_limb(multiple);
            }
            sum >>= BITS;
        }
        for (column, limb) in (LIMBS..).zip(&mut result) {
            let (start, start_reversed) = starts(column);
            sum += columns(column)
                + sum_of_products(
                    from(&multiples, start),
                    from(&self.n_reversed, start_reversed),
                );
            *limb = low_limb(sum);
            sum >>= BITS;
        }
        debug_assert_eq!(sum, 0, "below 2·n");
        result
    }
}

/// Where the factors of a column begin: in one number, and in the reversed other.
const fn starts(column: usize) -> (usize, usize) {
    (
        (column + 1).saturating_sub(LIMBS),
        (LIMBS - 1).saturating_sub(column),
    )
}

fn from(limbs: &Limbs, start: usize) -> &[u32] {
    limbs.get(start..).unwrap_or_default()
}

/// a₀·b₀ + a₁·b₁ + … as far as both go. Four at a time, for an optimiser that was told to keep the
/// code small unrolls nothing: half the time of the plain loop.
fn sum_of_products(a: &[u32], b: &[u32]) -> u64 {
    let product = |a: &u32, b: &u32| u64::from(*a) * u64::from(*b);
    let length = a.len().min(b.len());
    let (fours_of_a, rest_of_a) = a.get(..length).unwrap_or_default().as_chunks();
    let (fours_of_b, rest_of_b) = b.get(..length).unwrap_or_default().as_chunks();
    let mut sum = 0;
    for ([a0, a1, a2, a3], [b0, b1, b2, b3]) in fours_of_a.iter().zip(fours_of_b) {
        sum += product(a0, b0) + product(a1, b1) + product(a2, b2) + product(a3, b3);
    }
    for (a, b) in rest_of_a.iter().zip(rest_of_b) {
        sum += product(a, b);
    }
    sum
}

/// -1/`n` modulo 2²⁸ of an odd `n`, by Newton's iteration: `n` is its own inverse modulo 8, and
/// each step doubles the bits that are right (3, 6, 12, 24, 48).
fn negative_inverse(n: u32) -> u64 {
    let mut inverse = n;
    for _ in 0..4 {
        inverse = inverse.wrapping_mul(2_u32.wrapping_sub(n.wrapping_mul(inverse)));
    }
    u64::from(inverse.wrapping_neg()) & MASK
}

/// 2⁴¹⁴⁴ = `R`² modulo `n`, below 2·`n`: 2²⁰⁴⁴, seventy-five times moved up a limb and reduced.
///
/// Moving up gives `t` = `r`·2²⁸. The quotient is taken from the bits of `t` and `n` from 2²⁰¹⁶ up,
/// `n` rounded up, so it is never too large and the rest never negative. From `r` < 2·`n` follows a
/// quotient below 2²⁹ and, since `n` has 32 bits there, a rest below (1 + 2²⁹/2³¹ + 2⁻³¹)·`n`.
fn r_squared(n: &Limbs) -> Limbs {
    let top_of_n = i64::from(n[73]) << BITS | i64::from(n[72]);
    let mut rest: Limbs = [0; LIMBS];
    rest[73] = 1;
    for _ in 0..75 {
        let top = (i64::from(rest[73]) << BITS | i64::from(rest[72])) << BITS | i64::from(rest[71]);
        let quotient = top / (top_of_n + 1);
        let mut from_below = 0;
        let mut carry = 0;
        for (limb, n) in rest.iter_mut().zip(n) {
            carry += i64::from(from_below) - quotient * i64::from(*n);
            from_below = std::mem::replace(limb, low_limb(carry.cast_unsigned()));
            carry >>= BITS;
        }
        debug_assert_eq!(carry + i64::from(from_below), 0, "0 to 2·n");
    }
    rest
}

/// `a` - `b`, which must not be negative.
fn difference(a: &Limbs, b: &Limbs) -> Limbs {
    let mut result = *a;
    let mut carry = 0_i64;
    for (limb, b) in result.iter_mut().zip(b) {
        carry += i64::from(*limb) - i64::from(*b);
        *limb = low_limb(carry.cast_unsigned());
        carry >>= BITS;
    }
    result
}

fn is_below(a: &Limbs, b: &Limbs) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

fn reversed(limbs: &Limbs) -> Limbs {
    let mut reversed = *limbs;
    reversed.reverse();
    reversed
}

const fn low_limb(value: u64) -> u32 {
    (value & MASK) as u32
}

/// The limbs of a big-endian number.
fn limbs(bytes: &[u8; BYTES]) -> Limbs {
    let mut bytes = bytes.iter().rev();
    let mut bits = 0_u64;
    let mut count = 0;
    std::array::from_fn(|_| {
        while count < BITS {
            bits |= u64::from(bytes.next().copied().unwrap_or(0)) << count;
            count += 8;
        }
        let limb = low_limb(bits);
        bits >>= BITS;
        count -= BITS;
        limb
    })
}

/// The big-endian number of limbs below 2²⁰⁴⁸.
fn bytes(limbs: &Limbs) -> [u8; BYTES] {
    let mut limbs = limbs.iter();
    let mut bits = 0_u64;
    let mut count = 0;
    let mut bytes: [u8; BYTES] = std::array::from_fn(|_| {
        if count < 8 {
            bits |= u64::from(limbs.next().copied().unwrap_or(0)) << count;
            count += BITS;
        }
        let [byte, ..] = bits.to_le_bytes();
        bits >>= 8;
        count -= 8;
        byte
    });
    bytes.reverse();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The least modulus, the greatest, and one between.
    fn moduli() -> [Modulus; 3] {
        [(0x80, 0, 1), (0xff, 0xff, 0xff), (0xc0, 0x5a, 0x7f)].map(|(first, fill, last)| {
            let mut n = [fill; BYTES];
            (n[0], n[BYTES - 1]) = (first, last);
            Modulus::new(&n).unwrap_or_else(|| unreachable!("odd and of 2048 bits"))
        })
    }

    #[test]
    fn a_product_that_is_the_modulus_is_reduced_to_zero() {
        let mut one: Limbs = [0; LIMBS];
        one[0] = 1;
        for modulus in moduli() {
            // 1·n has the multiple R-1, so (1·n + (R-1)·n)/R = n: no random input does that.
            let product = modulus.product(&one, &modulus.n);
            assert_eq!(product, modulus.n);
            assert_eq!(modulus.remainder(product), [0; LIMBS]);
        }
    }

    #[test]
    fn factors_up_to_twice_the_modulus_are_taken() {
        for modulus in moduli() {
            // n - 1 and 2·n - 1 are both -1, so every product of them is 1/R.
            let mut small = modulus.n;
            small[0] -= 1;
            let mut great: Limbs = [0; LIMBS];
            let mut carry = 0;
            for (limb, (a, b)) in great.iter_mut().zip(small.iter().zip(&modulus.n)) {
                carry += u64::from(*a) + u64::from(*b);
                *limb = low_limb(carry);
                carry >>= BITS;
            }
            let mut one: Limbs = [0; LIMBS];
            one[0] = 1;
            let expected = modulus.remainder(modulus.product(&one, &one));
            for product in [
                modulus.product(&great, &great),
                modulus.product(&great, &small),
                modulus.product(&small, &small),
                modulus.square(&great),
                modulus.square(&small),
            ] {
                assert_eq!(modulus.remainder(product), expected);
            }
        }
    }
}

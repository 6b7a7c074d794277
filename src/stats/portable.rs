//! Elementary functions from `+ - * /` and `sqrt` alone, which IEEE 754 rounds the same way on every machine.
//!
//! The platform's own `ln` or `sin` differ in the last bit between C libraries; a plan or a report made from them would
//! differ with them. Accurate to about 1e-15 relative, not to the last bit, and slower than the platform's. Called by
//! whoever draws arrivals and pauses, and by the rest of `stats`; never per byte.

use std::f64::consts::{FRAC_2_PI, LOG2_E, SQRT_2};

/// ln 2 in two parts: the first has 21 trailing zero bits, so that its product with an exponent is exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// π/2 in four parts of 33 bits (the last full), so that the products with a small integer are exact.
const HALF_PI: [f64; 4] =
    [1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_711_166_5e-21, 8.478_427_660_368_9e-32];

const MANTISSA_BITS: u32 = 52;
const ONE_BITS: u64 = 1023 << MANTISSA_BITS;

/// 2^exponent for `exponent` in -1022..=1023.
fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(ONE_BITS.wrapping_add_signed(exponent << MANTISSA_BITS))
}

/// The nearest integer, halves away from zero. Only for arguments far inside the range of `i64`.
#[expect(clippy::cast_possible_truncation, reason = "the callers bound the argument; the truncation is the rounding")]
fn nearest(x: f64) -> i64 {
    (x + if x < 0.0 { -0.5 } else { 0.5 }) as i64
}

/// The natural logarithm. -∞ at 0; NaN below 0.
///
/// `x = m·2^e` with m near 1, `s = (m-1)/(m+1)`, `ln m = 2(s + s³/3 + s⁵/5 + …)`.
pub fn ln(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x == f64::INFINITY {
        return x;
    }
    let (m, e) = split(x);
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    // |s| <= 0.172: the first term left out is below 1e-19.
    let series = (1..=12_i32).rev().fold(0.0, |sum, k| (sum + 1.0 / f64::from(2 * k + 1)) * square);
    let ln_m = 2.0 * s + 2.0 * s * series;
    e * LN_2_HIGH + (ln_m + e * LN_2_LOW)
}

/// `x = m·2^e` with m in (√½, √2]; `x` is positive and finite.
#[expect(clippy::cast_possible_wrap, reason = "an exponent has eleven bits")]
fn split(x: f64) -> (f64, f64) {
    let (x, shift) = if x < f64::MIN_POSITIVE { (x * power_of_two(54), -54) } else { (x, 0) };
    let bits = x.to_bits();
    let exponent = (bits >> MANTISSA_BITS) as i64 - 1023 + shift;
    let m = f64::from_bits(bits & ((1 << MANTISSA_BITS) - 1) | ONE_BITS);
    if m > SQRT_2 { (m / 2.0, (exponent + 1) as f64) } else { (m, exponent as f64) }
}

/// e to the power of `x`. 0 far below -745, ∞ above 709.8.
///
/// `x = k·ln 2 + r` with |r| ≤ ln 2 / 2; a Taylor series for `e^r`, scaled by `2^k`.
pub fn exp(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x > 710.0 {
        return f64::INFINITY;
    }
    if x < -746.0 {
        return 0.0;
    }
    let k = nearest(x * LOG2_E);
    let r = (x - k as f64 * LN_2_HIGH) - k as f64 * LN_2_LOW;
    let series = (1..=14_i32).rev().fold(1.0, |sum, n| 1.0 + sum * r / f64::from(n));
    // Two halves: 2^k alone leaves the range of the normal numbers at both ends.
    let half = k / 2;
    series * power_of_two(half) * power_of_two(k - half)
}

/// The sine of `x` radians, for |x| ≤ 1 000 000; NaN beyond, where the reduction would lose its exactness.
///
/// `x = k·π/2 + r` with |r| ≤ π/4; a Taylor series for the sine or cosine of r.
pub fn sin(x: f64) -> f64 {
    if x.is_nan() || x.abs() > 1e6 {
        return f64::NAN;
    }
    let k = nearest(x * FRAC_2_PI);
    let r = HALF_PI.iter().fold(x, |rest, part| rest - k as f64 * part);
    match k.rem_euclid(4) {
        0 => sin_near_zero(r),
        1 => cos_near_zero(r),
        2 => -sin_near_zero(r),
        _ => -cos_near_zero(r),
    }
}

fn sin_near_zero(r: f64) -> f64 {
    let square = r * r;
    let series = (1..=9_i32).rev().fold(1.0, |sum, n| 1.0 - sum * square / f64::from(2 * n * (2 * n + 1)));
    r * series
}

fn cos_near_zero(r: f64) -> f64 {
    let square = r * r;
    (1..=9_i32).rev().fold(1.0, |sum, n| 1.0 - sum * square / f64::from((2 * n - 1) * 2 * n))
}

/// The standard normal quantile: z with P(Z ≤ z) = `p`. ∓∞ at 0 and 1; NaN outside.
///
/// Wichura (1988), algorithm AS 241, PPND16: three rational approximations, about 1e-16 relative.
pub fn normal_quantile(p: f64) -> f64 {
    if p.is_nan() || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    if (p - 1.0).abs() == 0.0 {
        return f64::INFINITY;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&CENTRE.0, r) / polynomial(&CENTRE.1, r);
    }
    let r = (-ln(if q < 0.0 { p } else { 1.0 - p })).sqrt();
    let (terms, r) = if r <= 5.0 { (&SHOULDER, r - 1.6) } else { (&TAIL, r - 5.0) };
    let z = polynomial(&terms.0, r) / polynomial(&terms.1, r);
    if q < 0.0 { -z } else { z }
}

/// Horner's rule; the coefficients ascend.
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

type Rational = ([f64; 8], [f64; 8]);

const CENTRE: Rational = (
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
);

const SHOULDER: Rational = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);

const TAIL: Rational = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    fn close(ours: f64, theirs: f64, what: &str) {
        let error = (ours - theirs).abs() / theirs.abs().max(f64::MIN_POSITIVE);
        assert!(error < 1e-12, "{what}: {ours:e} and {theirs:e} differ by {error:e}");
    }

    #[test]
    fn ln_agrees_with_the_platform() {
        for k in -1000..=1000 {
            let x = 1.5_f64.powi(k) * (1.0 + f64::from(k.rem_euclid(97)) / 97.0);
            close(ln(x), x.ln(), &format!("ln {x:e}"));
        }
        for k in 1..1000 {
            let x = 1.0 + f64::from(k - 500) * 1e-9;
            close(ln(x), x.ln(), &format!("ln {x:e}"));
        }
        close(ln(5e-324), 5e-324_f64.ln(), "the smallest number");
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert!(ln(-1.0).is_nan() && ln(f64::NAN).is_nan());
        assert_eq!(ln(f64::INFINITY), f64::INFINITY);
    }

    #[test]
    fn exp_agrees_with_the_platform() {
        for k in -70_700..=70_900 {
            let x = f64::from(k) / 100.0;
            close(exp(x), x.exp(), &format!("exp {x}"));
        }
        assert_eq!((exp(711.0), exp(-750.0), exp(0.0)), (f64::INFINITY, 0.0, 1.0));
        assert!(exp(f64::NAN).is_nan());
        assert!(exp(-744.0) > 0.0, "subnormal, not zero");
    }

    #[test]
    fn sin_agrees_with_the_platform() {
        for k in -100_000..=100_000 {
            let x = f64::from(k) * 0.317;
            close(sin(x), x.sin(), &format!("sin {x}"));
        }
        for k in 1..1000 {
            let x = f64::from(k) * PI;
            close(sin(x), x.sin(), &format!("sin {k}π"));
        }
        assert_eq!(sin(0.0), 0.0);
        assert!(sin(f64::INFINITY).is_nan() && sin(2e6).is_nan());
    }

    #[test]
    fn normal_quantile_matches_published_values() {
        for (p, z) in [
            (0.975, 1.959_963_984_540_054),
            (0.995, 2.575_829_303_548_901),
            (0.75, 0.674_489_750_196_081_7),
            (0.999, 3.090_232_306_167_813_5),
            (1e-10, -6.361_340_902_404_056),
            (1e-20, -9.262_340_089_798_408),
        ] {
            close(normal_quantile(p), z, &format!("z({p})"));
        }
        assert_eq!(normal_quantile(0.5), 0.0);
        close(normal_quantile(0.03), -normal_quantile(0.97), "symmetry");
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert!(normal_quantile(1.5).is_nan());
    }

    #[test]
    fn the_bits_are_pinned() {
        let bits = [ln(10.0), exp(1.0), sin(1.0), normal_quantile(0.975)].map(f64::to_bits);
        assert_eq!(
            bits,
            [0x4002_6bb1_bbb5_5516, 0x4005_bf0a_8b14_576a, 0x3fea_ed54_8f09_0cee, 0x3fff_5c03_31ee_ff82],
            "{bits:x?}"
        );
    }
}

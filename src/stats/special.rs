//! The special functions behind the intervals: ln gamma, the regularised incomplete beta function, Student's t.
//!
//! Not a general library: accurate to about 1e-12 for the arguments of a run's statistics (degrees of freedom from 1 to
//! millions, probabilities from 1e-12). Called by the other files of `stats`.

use super::portable::{exp, ln};

/// ln Γ(x) for `x` > 0; NaN elsewhere. Lanczos (1964) with g = 7 and nine terms.
pub fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_7;
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    if x < 0.5 {
        // Γ(x) = Γ(x + 1) / x keeps the series in its good range.
        return ln_gamma(x + 1.0) - ln(x);
    }
    let z = x - 1.0;
    let series = TERMS.iter().zip(1_u32..).fold(0.999_999_999_999_809_9, |sum, (c, k)| sum + c / (z + f64::from(k)));
    let t = z + 7.5;
    HALF_LN_TWO_PI + (z + 0.5) * ln(t) - t + ln(series)
}

/// The regularised incomplete beta function `I_x(a, b)`, the probability that a Beta(a, b) variable is at most `x`.
/// `a` and `b` above 0; `x` outside 0..=1 is clamped.
///
/// `I = x^a (1-x)^b / (a·B(a,b)) · 1/(1 + d₁/(1 + d₂/(1 + …)))`, the fraction evaluated by Lentz's method.
pub fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if a.is_nan() || b.is_nan() || x.is_nan() || a <= 0.0 || b <= 0.0 {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast only below the mean; above it the mirrored one does.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta_below(b, a, 1.0 - x);
    }
    incomplete_beta_below(a, b, x)
}

fn incomplete_beta_below(a: f64, b: f64, x: f64) -> f64 {
    let front = exp(ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * ln(x) + b * ln(1.0 - x));
    front * beta_fraction(a, b, x) / a
}

#[expect(clippy::many_single_char_names, reason = "the letters of the formula")]
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    // O(√max(a, b)) rounds are needed; the bound is reached only far outside the documented range.
    for m in 1..=10_000_i32 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        fraction *= d * c;
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

/// P(T > `t`) for Student's t with `df` degrees of freedom, `t` ≥ 0: `½ I_{df/(df+t²)}(df/2, ½)`.
pub fn t_tail(t: f64, df: f64) -> f64 {
    0.5 * incomplete_beta(df / 2.0, 0.5, df / (df + t * t))
}

/// The quantile of Student's t: the value that a variable with `df` degrees of freedom does not exceed with
/// probability `p`. A two-sided 95 % interval uses `t_quantile(0.975, df)`. ∓∞ at 0 and 1; NaN outside or for `df` ≤ 0.
pub fn t_quantile(p: f64, df: f64) -> f64 {
    if p.is_nan() || df.is_nan() || df <= 0.0 || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p < 0.5 {
        return -upper_quantile(p, df);
    }
    upper_quantile(1.0 - p, df)
}

/// The t ≥ 0 with P(T > t) = `tail`, `tail` in 0..=0.5, by bisection: the tail falls strictly.
fn upper_quantile(tail: f64, df: f64) -> f64 {
    if tail == 0.0 {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while t_tail(high, df) > tail && high < 1e300 {
        low = high;
        high *= 2.0;
    }
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return middle;
        }
        if t_tail(middle, df) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "infinities are exact")]
mod tests {
    use std::f64::consts::FRAC_2_PI;

    use super::*;

    fn close(ours: f64, truth: f64, within: f64, what: &str) {
        assert!((ours - truth).abs() <= within, "{what}: {ours} is not {truth}");
    }

    #[test]
    fn ln_gamma_is_the_factorial() {
        let mut factorial = 1.0_f64;
        for n in 1..=30 {
            close(ln_gamma(f64::from(n)), factorial.ln(), 1e-12 * factorial.ln().max(1.0), &format!("{n}"));
            factorial *= f64::from(n);
        }
        close(ln_gamma(0.5), 0.572_364_942_924_700_1, 1e-14, "ln √π");
        close(ln_gamma(0.1), 2.252_712_651_734_206, 1e-13, "0.1");
        assert!(ln_gamma(0.0).is_nan() && ln_gamma(-1.5).is_nan());
    }

    #[test]
    fn incomplete_beta_has_its_closed_forms() {
        for x in [0.0, 0.01, 0.3, 0.5, 0.77, 0.999, 1.0] {
            close(incomplete_beta(1.0, 1.0, x), x, 1e-14, "uniform");
            close(incomplete_beta(3.0, 1.0, x), x * x * x, 1e-14, "cube");
            close(incomplete_beta(2.0, 3.0, x), 1.0 - incomplete_beta(3.0, 2.0, 1.0 - x), 1e-14, "mirror");
            close(incomplete_beta(0.5, 0.5, x), x.sqrt().asin() * FRAC_2_PI, 1e-13, "arcsine law");
        }
        // Binomial: P(X >= 3), n = 10, p = 0.2.
        close(incomplete_beta(3.0, 8.0, 0.2), 0.322_200_473_6, 1e-12, "binomial");
        assert!(incomplete_beta(0.0, 1.0, 0.5).is_nan());
    }

    #[test]
    fn student_t_matches_published_tables() {
        for (p, df, t) in [
            (0.975, 1.0, 12.706_204_736),
            (0.975, 2.0, 4.302_652_730),
            (0.975, 5.0, 2.570_581_836),
            (0.975, 11.0, 2.200_985_160),
            (0.975, 19.0, 2.093_024_054),
            (0.95, 10.0, 1.812_461_123),
            (0.995, 29.0, 2.756_385_904),
            (0.999, 4.0, 7.173_182_220),
            (0.975, 1e6, 1.959_966_357),
        ] {
            close(t_quantile(p, df), t, 2e-9, &format!("t({p}; {df})"));
            close(t_quantile(1.0 - p, df), -t, 2e-9, &format!("-t({p}; {df})"));
        }
        close(t_quantile(0.5, 7.0), 0.0, 1e-12, "median");
        assert_eq!(t_quantile(1.0, 3.0), f64::INFINITY);
        assert_eq!(t_quantile(0.0, 3.0), f64::NEG_INFINITY);
        assert!(t_quantile(0.9, 0.0).is_nan() && t_quantile(1.1, 3.0).is_nan());
    }

    #[test]
    fn tail_and_quantile_are_inverse() {
        for df in [1.0, 3.0, 11.0, 120.0] {
            for p in [0.6, 0.9, 0.99, 0.999_999] {
                close(1.0 - t_tail(t_quantile(p, df), df), p, 1e-12, &format!("{p} {df}"));
            }
        }
    }
}

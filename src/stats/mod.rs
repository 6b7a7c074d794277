//! Floor 1: statistics on plain numbers; knows no histogram, no request, no file.
//!
//! Every function is pure and stands on [`portable`], never on the platform's mathematics library, so that a verdict
//! computed twice on two machines is the same verdict, bit for bit.
//!
//! | file | answers |
//! |---|---|
//! | `portable` | ln, exp, sin and the normal quantile, the same everywhere |
//! | `special` | ln gamma, the incomplete beta function, Student's t |
//! | `quantile` | how far can the percentile of one run be trusted? |
//! | `proportion` | how far can a share of one run be trusted? |
//! | `kolmogorov` | does a sample come from a distribution? |
//! | `zipf` | which of n things is drawn when some are wanted more? |
//! | `batch` | how far can a mean or a rate of one run be trusted? |
//! | `rank` | did two interleaved arms differ, by how much, how surely? |
//! | `holm` | many tests with one promise; how many blocks; what cannot be seen |
//! | `shift` | which quantiles moved? |
//! | `bootstrap` | how far can any other statistic of one run be trusted? |
//!
//! The unit of noise is the second, not the request: neighbours in time resemble each other, so every interval is
//! built from batches of seconds ([`quantile::batches`]).

pub mod batch;
pub mod bootstrap;
pub mod holm;
pub mod kolmogorov;
pub mod portable;
pub mod proportion;
pub mod quantile;
pub mod rank;
pub mod shift;
pub mod special;
pub mod zipf;

/// Exact rank statistics are computed for at most this many values: their tables grow with the cube.
pub const EXACT_MOST: usize = 200;

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
//! | `zipf` | which of n things is drawn when some are wanted more? |
//! | `batch` | how far can a mean or a rate of one run be trusted? |
//!
//! The unit of noise is the second, not the request: neighbours in time resemble each other, so every interval is
//! built from batches of seconds ([`quantile::batches`]).

pub mod batch;
pub mod portable;
pub mod proportion;
pub mod quantile;
pub mod special;
pub mod zipf;

//! The one integration binary: what the library says and does as a whole.

#[cfg(test)]
mod bad;

//! Which part of a plan is ours: shard `index` of `of` owns the arrivals n with n mod `of` = `index`.

/// A part of a run. A local run is shard 0 of 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// 0 .. `of`
    pub index: u32,
    /// At least 1.
    pub of: u32,
}

impl Shard {
    /// The whole run.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// True when arrival `n` is ours.
    pub fn owns(self, n: u64) -> bool {
        n % u64::from(self.of.max(1)) == u64::from(self.index)
    }
}

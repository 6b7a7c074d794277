//! One connection played by hand.

//! Whole comparisons made by hand.

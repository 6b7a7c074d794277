//! Everything that must hold, as one binary: the house rules, and the program seen from outside.

#[cfg(test)]
mod house;

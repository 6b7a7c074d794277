//! Everything that must hold, as one binary: the house rules, and the program seen from outside.
//!
//! `support` holds what the tests speak: the program, throw-away servers, a server with a script. The redundant
//! `cfg(test)` tells clippy that a test fails by panicking.

#[cfg(test)]
mod ab;
#[cfg(test)]
mod alike;
#[cfg(test)]
mod bad;
#[cfg(test)]
mod baseline;
#[cfg(test)]
mod believed;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod drill;
#[cfg(test)]
mod exit;
#[cfg(test)]
mod find;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod guard;
#[cfg(test)]
mod house;
#[cfg(test)]
mod levers;
#[cfg(test)]
mod outputs;
#[cfg(test)]
mod page;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod run;
#[cfg(test)]
mod scenario;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod support;

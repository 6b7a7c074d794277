//! Floor 4: the demo system under test: a small shop with real weaknesses.
//!
//! ```text
//! squall ─► gateway ─┬► backend a ─┐         ┌ pool of 4 each
//!        (balancer)  ├► backend b ─┼─ cache ─┴─► database (any PostgreSQL, or the embedded one; a proxy may stand here)
//!                    └► dr (backup, old catalogue)
//! admin: flags, releases, balancer, backends, cache, limits, leases, alerts, state, truth
//! ```
//!
//! Every arrow is a TCP connection on loopback, and no handler sleeps: what takes time is the database and the way to
//! it. The shop measures itself, at the gateway, so that a load test can be compared with what really happened.
//!
//! | part | what it is |
//! |---|---|
//! | `settings` `shop` | what it is started with; start and stop |
//! | `gateway` | limits and shares out requests, probes backends, counts every second |
//! | `backend` | admission, pages, account, cart, orders |
//! | `weakness` | what is wrong with it, on one page |
//! | `switchboard` `dial` `leases` | what can be set, and for how long |
//! | `cache` `flags` `releases` `limiter` `leaks` `alerts` | pure parts |
//! | `admin` | levers and state |
//! | `caretaker` `pager` `log` | time, pages, the shop's own account |
//! | `backup` `guardrail` | snapshots and restores; what may be done by hand |
//! | `store` | database, pool, schema |

mod admin;
mod alerts;
mod backend;
mod backup;
mod cache;
mod caretaker;
mod dial;
mod flags;
mod gateway;
mod guardrail;
mod inside;
mod leaks;
mod leases;
mod limiter;
mod log;
mod owner;
mod pager;
pub mod pricing;
mod releases;
mod serve;
pub mod settings;
pub mod shop;
pub mod store;
mod switchboard;
mod upstream;
mod weakness;

#[cfg(test)]
mod tests;

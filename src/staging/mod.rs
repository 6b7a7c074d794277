//! Floor 4: the demo system under test: a small shop with real weaknesses.
//!
//! ```text
//! squall ─► gateway ─┬► backend a ─┐         ┌ pool of 4 each
//!        (in turn)   └► backend b ─┴─ cache ─┴─► database (any PostgreSQL, or the embedded one; a proxy may stand here)
//! admin: flags, leases, alerts, state, truth
//! ```
//!
//! Every arrow is a TCP connection on loopback, and no handler sleeps: what takes time is the database and the way to
//! it. The shop measures itself, at the gateway, so that a load test can be compared with what really happened.
//!
//! | part | what it is |
//! |---|---|
//! | `settings` `shop` | what it is started with; start and stop |
//! | `gateway` | shares out requests, counts every second |
//! | `backend` | admission, pages, account, cart, orders |
//! | `weakness` | what is wrong with it, on one page |
//! | `cache` `flags` `leases` `switchboard` `alerts` | pure parts |
//! | `admin` | levers and state |
//! | `caretaker` `pager` `log` | time, pages, the shop's own account |
//! | `store` | database, pool, schema |

mod admin;
mod alerts;
mod backend;
mod cache;
mod caretaker;
mod flags;
mod gateway;
mod inside;
mod leases;
mod log;
mod owner;
mod pager;
mod serve;
pub mod settings;
pub mod shop;
pub mod store;
mod switchboard;
mod weakness;

#[cfg(test)]
mod tests;

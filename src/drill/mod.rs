//! Floor 5: one drill: a pure director, and the stage that does what it says.
//!
//! ```text
//! plan::drill ─► director (pure: told the time) ─ Command ─► stage ─► lever ─► the system
//!                    ▲                                        │
//!                    └───────────── Event ────────────────────┘──► journal, before every effect
//! ```
//!
//! | part | holds |
//! |---|---|
//! | `director` | what happens next: phases, acts, the robot, leases, clean-up |
//! | `lever` | what can be pulled: requests to the admin side, faults on proxies, probes |
//! | `stage` | the shell: starts the system, carries out commands, writes the journal |
//! | `keeper` | a process of its own that holds proxies, leases and undos when the drill dies |
//! | `recover` | heals what a killed drill left behind, from its journal alone |
//!
//! Not here: what users felt and what it is worth (`judge`), documents and pictures (`report`).

pub mod director;
pub mod keeper;
pub mod lever;
pub mod recover;
pub mod stage;

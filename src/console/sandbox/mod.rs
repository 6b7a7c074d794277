//! Receivers that stand in for the services a system calls in an incident: what is sent there stays here.
//!
//! Not here: what a page means to the drill (`drill::director`). Called by the command that runs a drill.

pub mod events_v2;

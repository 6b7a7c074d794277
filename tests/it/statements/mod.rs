//! Rules on statements, against a real PostgreSQL.

mod bank;
mod bed;
mod cap;
mod passing;
mod slow;
mod truth;

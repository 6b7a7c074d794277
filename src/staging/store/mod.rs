//! The shop's database: an embedded one, and the pool, schema and statements that any PostgreSQL can serve.
//!
//! | part | what it is |
//! |---|---|
//! | `embedded` | a database that needs nothing installed |
//! | `schema` | tables, and how they are filled from a seed |
//! | `filling` | makes the schema in a database; refuses one that is not the shop's |
//! | `statements` | every query the shop sends, in words that PostgreSQL and SQLite both know |
//! | `pool` | a backend's four connections |
//! | `queries` | the statements as functions |
//! | `rows` | orders as rows, for backup and restore |

pub mod embedded;
pub mod filling;
pub(in crate::staging) mod pool;
pub(in crate::staging) mod queries;
pub(in crate::staging) mod rows;
pub(in crate::staging) mod schema;
mod statements;

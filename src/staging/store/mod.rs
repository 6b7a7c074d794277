//! The shop's database: an embedded one, and the pool, schema and statements that any PostgreSQL can serve.
//!
//! | part | what it is |
//! |---|---|
//! | `embedded` | a database that needs nothing installed |

pub mod embedded;

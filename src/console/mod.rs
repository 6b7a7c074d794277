//! Floor 6: HTTP pages and receivers for the people of a drill.
//!
//! | part | holds |
//! |---|---|
//! | `sandbox` | receivers that stand in for paging services, so that nobody outside is woken |

pub mod sandbox;

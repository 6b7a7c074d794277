//! The page: one self-contained file that needs no network, no script, and can be read without its style.
//!
//! | file | holds |
//! |---|---|
//! | `page` `section` `table` | markup (maud) |
//! | `style` | the one style sheet, and the policy that names it by digest |
//! | `palette` `scale` `svg` | colours, axes, the few elements pictures are made of |
//! | `chart` | the border to the drawing crate: lines and areas |
//! | `frame` `heat` `bars` | panels with bands and marks; cells; bars and whiskers |
//! | `hero` `timeline` `acts` `response` `field` `strip` `versus` | the pictures themselves |
//!
//! Not here: any number that is not in [`super::view::View`] or the account.

pub mod acts;
pub mod bars;
pub mod chart;
pub mod field;
pub mod frame;
pub mod heat;
pub mod hero;
pub mod page;
pub mod palette;
pub mod response;
pub mod scale;
pub mod section;
pub mod strip;
pub mod style;
pub mod svg;
pub mod table;
pub mod timeline;
pub mod versus;

#[cfg(test)]
mod tests;

pub use page::render;

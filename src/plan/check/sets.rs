//! Which names steps set, read before the steps are checked: for whoever must know them beforehand.
//!
//! Nothing is reported here; the steps are checked in `journey`.

use crate::spec::names::Named;
use crate::spec::source::{Mark, Spanned};
use crate::spec::step::{Steps, WrittenStep};

/// The names that `steps` may set, with their places, in file order.
pub(super) fn names(steps: &Steps) -> Vec<(String, Mark)> {
    let mut found = Vec::new();
    see(steps, &mut found);
    found
}

fn see(steps: &Steps, found: &mut Vec<(String, Mark)>) {
    for spanned in steps.value.as_deref().unwrap_or_default() {
        match &spanned.value {
            Ok(WrittenStep::Http(http)) => {
                if let Some(Spanned { value: Ok(named), .. }) = &http.extract {
                    entries(named, found);
                }
            }
            Ok(WrittenStep::Extract(named)) => entries(named, found),
            Ok(WrittenStep::Set(named)) => entries(named, found),
            Ok(WrittenStep::Branch(branch)) => {
                see(&branch.then, found);
                branch.otherwise.iter().for_each(|steps| see(steps, found));
            }
            Ok(WrittenStep::Repeat(repeat)) => see(&repeat.steps, found),
            Ok(WrittenStep::Group(group)) => see(&group.steps, found),
            Ok(WrittenStep::Pause(_) | WrittenStep::Check(_) | WrittenStep::Audit(_)) | Err(_) => {}
        }
    }
}

fn entries<T>(named: &Named<T>, found: &mut Vec<(String, Mark)>) {
    let names = named.0.iter().filter_map(|(name, _)| name.value.as_ref().ok().map(|text| (text.clone(), name.mark)));
    found.extend(names);
}

//! The page as a whole: its head with the policy, and the order of its sections.
//!
//! Called by `report::write_all`. Not here: what the sections hold (`section`).

use maud::{DOCTYPE, PreEscaped, html};

use super::{section, style};
use crate::judge::account::Account;
use crate::report::view::View;
use crate::report::words;

/// Largest page, bytes.
pub const LIMIT: usize = 1 << 20;

/// What a page that would be too large does without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// Everything is shown.
    Nothing,
    /// No strips beside the steps.
    Strips,
    /// No pictures around faults either.
    Panels,
    /// No numbers beside the charts either: `result.json` and the record have them.
    Numbers,
}

impl Cut {
    const ALL: [Self; 4] = [Self::Nothing, Self::Strips, Self::Panels, Self::Numbers];

    /// What is missing, for people; empty when nothing is.
    fn said(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Strips => "Left out to keep this page small: the strips beside the steps.",
            Self::Panels => {
                "Left out to keep this page small: the strips beside the steps, the pictures around faults."
            }
            Self::Numbers => {
                "Left out to keep this page small: the strips beside the steps, the pictures around faults, the numbers \
                 beside the charts."
            }
        }
    }
}

/// The page, byte for byte the same for the same account and view; at most 1 MiB, and it says what was left out for that.
pub fn render(account: &Account, view: &View) -> String {
    within(account, view, LIMIT)
}

/// The page in at most `limit` bytes, where leaving something out can do that.
pub fn within(account: &Account, view: &View, limit: usize) -> String {
    let mut page = String::new();
    for cut in Cut::ALL {
        page = draw(account, view, cut);
        if page.len() <= limit {
            break;
        }
    }
    page
}

fn draw(account: &Account, view: &View, cut: Cut) -> String {
    let sheet = style::sheet();
    let drill = account.drill.as_ref().zip(view.drill.as_ref());
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(style::policy(&sheet));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (view.word) ": " (view.title) }
                style { (PreEscaped(&sheet)) }
            }
            body {
                (section::strip(view))
                main {
                    @if let Some((drill, shown)) = drill { (section::drill(account, drill, view, shown, cut)) }
                    (section::checks(view))
                    (section::standouts(view))
                    @if let Some((_, shown)) = drill { (section::course(account, view, shown, cut)) }
                    (section::versus(view, cut))
                    (section::time(account, view, cut))
                    @if cut < Cut::Panels { (section::panels(view, cut)) }
                    (section::deeper(view, cut))
                    (section::tables(view, cut))
                    (section::method(view))
                }
                footer { p { @if cut != Cut::Nothing { (cut.said()) " " } "squall " (words::name(&account.facts.squall)) " · made from the run’s journal and record alone · exit code " (view.exit_code) } }
            }
        }
    };
    page.into_string()
}

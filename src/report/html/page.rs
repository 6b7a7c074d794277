//! The page as a whole: its head with the policy, and the order of its sections.
//!
//! Called by `report::write_all`. Not here: what the sections hold (`section`).

use maud::{DOCTYPE, PreEscaped, html};

use super::{section, style};
use crate::judge::account::Account;
use crate::report::view::View;
use crate::report::words;

/// The page, byte for byte the same for the same account and view.
pub fn render(account: &Account, view: &View) -> String {
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
                    @if let Some((drill, shown)) = drill { (section::drill(account, drill, view, shown)) }
                    (section::checks(view))
                    (section::standouts(view))
                    @if let Some((_, shown)) = drill { (section::course(account, view, shown)) }
                    (section::time(account, view))
                    (section::panels(view))
                    (section::deeper(view))
                    (section::tables(view))
                    (section::method(view))
                }
                footer { p { "squall " (words::name(&account.facts.squall)) " · made from the run’s journal and record alone · exit code " (view.exit_code) } }
            }
        }
    };
    page.into_string()
}

//! Sections of the page, from the verdict strip to the method.
//!
//! Not here: their order and the head of the page (`page`), pictures (`hero`, `timeline`, `bars`).

use maud::{Markup, PreEscaped, html};

use super::page::Cut;
use super::table::{self, Beside};
use super::{acts, bars, field, hero, response as pictures, timeline, versus as pictures_of};
use crate::judge::account::{Account, DrillAccount};
use crate::judge::finding::Verdict;
use crate::report::view::checks::Check;
use crate::report::view::drill::DrillView;
use crate::report::view::{View, caption, response, spectrum, strain, versus};

/// A figure: where links lead, the finding, the picture, the numbers.
fn figure(id: &str, finding: &str, picture: String, numbers: Option<Markup>) -> Markup {
    html! {
        figure id=(id) {
            figcaption { (finding) }
            div.picture { (PreEscaped(picture)) }
            @if let Some(numbers) = numbers { details { summary { "The numbers" } (numbers) } }
        }
    }
}

/// The numbers beside a picture, unless the page does without.
fn beside(cut: Cut, numbers: impl FnOnce() -> Markup) -> Option<Markup> {
    (cut < Cut::Numbers).then(numbers)
}

fn icon(verdict: Verdict, class: &str) -> Markup {
    let shape = bars::shape(verdict, (12.0, 12.0), 11.0);
    html! { svg class=(class) viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" { (PreEscaped(shape)) } }
}

/// The verdict strip.
pub fn strip(view: &View) -> Markup {
    html! {
        header class=(format!("strip {}", view.verdict.word())) {
            p.verdict {
                (icon(view.verdict, "big"))
                strong { (view.word) } " "
                span.title { (view.title) }
            }
            h1 { (view.headline) }
            p.demands { (view.subline) }
            dl.facts { @for (name, value) in &view.facts { div { dt { (name) } dd { (value) } } } }
        }
    }
}

/// The first pictures of a drill.
pub fn drill(account: &Account, drill: &DrillAccount, view: &View, shown: &DrillView, cut: Cut) -> Markup {
    let said = caption::hero(account, drill);
    let bars_said = caption::bars(drill);
    html! {
        section id="drill" aria-label="The drill" {
            (figure("hero", &said, hero::draw(&view.course, &shown.marks, &said), beside(cut, || table::beside(&view.course, Beside::Hero))))
            dl.numbers { @for (name, value) in &shown.numbers { div { dd { (value) } dt { (name) } } } }
            @if !shown.bars.is_empty() {
                (figure("response", &bars_said, bars::responses(&shown.bars, &bars_said), beside(cut, || responses(shown))))
            }
        }
    }
}

fn responses(shown: &DrillView) -> Markup {
    let rows: Vec<Vec<String>> = shown
        .bars
        .iter()
        .map(|bar| {
            let [measured, target, limit] = bar.words.clone();
            vec![bar.name.clone(), bar.verdict.word().to_owned(), measured, target, limit]
        })
        .collect();
    table::numbers("Response", &["expectation", "verdict", "measured", "target", "limit"], &rows)
}

/// The course of a drill in words.
pub fn course(account: &Account, view: &View, shown: &DrillView, cut: Cut) -> Markup {
    let rows = |rows: &[[String; 5]]| rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>();
    html! {
        section id="course" {
            h2 { "The course of the drill" }
            @if !shown.hypothesis.is_empty() { p.lead { "Hypothesis: " (shown.hypothesis) } }
            (table::marks(&shown.marks, &view.course, &account.head.start_utc))
            (table::prose("What was broken on purpose", &["act", "what", "injected", "proof", "undone"], &rows(&shown.acts)))
            (answered(view, shown, cut))
            @if !shown.actions.is_empty() {
                (table::prose("What was done about it", &["action", "by", "worth", "begun", "verified"], &rows(&shown.actions)))
            }
        }
    }
}

/// Who did what, whether it helped, and what it cost.
fn answered(view: &View, shown: &DrillView, cut: Cut) -> Markup {
    let response = &shown.response;
    let effects: Vec<Vec<String>> = response.effects.iter().map(table::effect).collect();
    let head = ["action", "worth", "bad before", "bad after"];
    html! {
        @if !response.lanes.is_empty() {
            @let said = response::lanes_caption(&response.lanes);
            (figure("lanes", &said, pictures::lanes(&response.lanes, &view.course, &said), None))
        }
        @if !response.effects.is_empty() {
            @let said = response::effects_caption(&response.effects);
            (figure("effects", &said, pictures::effects(&response.effects, &said), beside(cut, || table::numbers("Before and after", &head, &effects))))
        }
        @if let Some(budget) = &response.budget {
            (figure("budget", &budget.caption, pictures::budget(budget, &view.course), beside(cut, || table::budget(budget, &view.course))))
        }
    }
}

/// Findings that are listed; the others are counted.
const LISTED: usize = 200;
/// Findings with a picture.
const DRAWN: usize = 100;

/// The findings.
pub fn checks(view: &View) -> Markup {
    let listed = view.checks.iter().take(LISTED).enumerate();
    let (open, passed): (Vec<_>, Vec<_>) = listed.partition(|(_, check)| check.verdict != Verdict::Pass);
    let more = view.checks.len().saturating_sub(LISTED);
    html! {
        section id="checks" {
            h2 { "What was demanded" }
            @if view.checks.is_empty() { p.lead { "Nothing was demanded of this run." } }
            @if !open.is_empty() { ol.checks { @for (n, one) in &open { (check(one, *n)) } } }
            @if !passed.is_empty() {
                details open[open.is_empty() || passed.len() <= 12] {
                    summary { (passed.len()) " held" }
                    ol.checks { @for (n, one) in &passed { (check(one, *n)) } }
                }
            }
            @if more > 0 { p.lead { (more) " more, none of them worse, are in result.json." } }
        }
    }
}

fn check(check: &Check, n: usize) -> Markup {
    let drawn = (n < DRAWN).then(|| bars::whisker(check, &format!("check-{n}"))).flatten();
    html! {
        li class=(check.verdict.word()) {
            div.mark { (icon(check.verdict, "small")) " " span { (check.verdict.word()) } }
            div.what {
                p.subject { (check.subject) }
                p.id { code { (check.id) } " · " (check.level) @if !check.source.is_empty() { " · " (check.source) } }
                @if !check.next.is_empty() && check.verdict != Verdict::Pass { p.next { (check.next) } }
            }
            div.whisker { @if let Some(drawn) = drawn { (PreEscaped(drawn)) } }
            div.seen {
                p.observed { (check.observed) }
                p.expected { "demanded " (check.expected) }
                @if !check.n.is_empty() { p.expected { (check.n) } }
            }
        }
    }
}

/// What stands out, each with a link to where it is seen.
pub fn standouts(view: &View) -> Markup {
    html! {
        @if !view.deeper.standouts.is_empty() {
            section id="standouts" {
                h2 { "What stands out" }
                ol.standouts { @for one in &view.deeper.standouts {
                    li { (one.text) " " a href={ "#" (one.place) } { "See it" } }
                } }
            }
        }
    }
}

/// Two arms beside each other.
pub fn versus(view: &View, cut: Cut) -> Markup {
    let versus = &view.deeper.versus;
    html! {
        @if !versus.drawn.is_empty() {
            section id="versus" {
                h2 { "Candidate against base" }
                @for (n, pair) in versus.drawn.iter().enumerate() {
                    @let id = format!("blocks-{n}");
                    (figure(&format!("at-{id}"), &pair.caption, pictures_of::blocks(pair, &id), beside(cut, || table::blocks(pair))))
                    @if !pair.shift.is_empty() && cut < Cut::Panels {
                        @let (id, said) = (format!("shift-{n}"), versus::shift_caption(pair));
                        (figure(&format!("at-{id}"), &said, pictures_of::shift(pair, &id, &said), beside(cut, || table::shift(pair))))
                    }
                }
                @if !versus.more.is_empty() {
                    p.lead { "Without a picture: " (versus.more.join(", ")) ". Their numbers stand above." }
                }
            }
        }
    }
}

/// The run around each fault.
pub fn panels(view: &View, cut: Cut) -> Markup {
    let panels = &view.deeper.panels;
    html! {
        @if !panels.drawn.is_empty() {
            section id="faults" {
                h2 { "Around each fault" }
                @for (n, panel) in panels.drawn.iter().enumerate() {
                    @let id = format!("fault-{n}");
                    (figure(&format!("at-{id}"), &panel.caption, acts::draw(panel, &id), beside(cut, || table::hit(panel))))
                }
                @if !panels.more.is_empty() {
                    p.lead { "Without a picture: " (panels.more.join(", ")) ". Their bands are in every chart, their numbers in the table of stretches." }
                }
            }
        }
    }
}

/// Every percentile, and load against latency.
pub fn deeper(view: &View, cut: Cut) -> Markup {
    let deeper = &view.deeper;
    html! {
        @if deeper.spectrum.is_some() || deeper.strain.is_some() {
            section id="deeper" {
                h2 { "Beyond the course of time" }
                @if let Some(one) = &deeper.spectrum {
                    @let said = spectrum::caption(one);
                    (figure("spectrum", &said, field::spectrum(one, &said), beside(cut, || table::spectrum(one))))
                }
                @if let Some(one) = &deeper.strain {
                    @let said = strain::caption(one);
                    (figure("strain", &said, field::strain(one, &said), beside(cut, || table::strain(one, &view.course))))
                }
            }
        }
    }
}

/// The time charts.
pub fn time(account: &Account, view: &View, cut: Cut) -> Markup {
    let course = &view.course;
    let said = [
        caption::load(account, course),
        caption::times(account),
        caption::gap(account),
        caption::errors(account, course),
        caption::generator(account),
    ];
    html! {
        section id="time" {
            h2 { "Over time" }
            (figure("load", &said[0], timeline::load(course, &said[0]), beside(cut, || table::beside(course, Beside::Load))))
            (figure("times", &said[1], timeline::times(course, &said[1]), beside(cut, || table::beside(course, Beside::Times))))
            (figure("gap", &said[2], timeline::gap(course, &said[2]), beside(cut, || table::beside(course, Beside::Gap))))
            (figure("errors", &said[3], timeline::errors(course, &said[3]), beside(cut, || table::beside(course, Beside::Errors))))
            (figure("generator", &said[4], timeline::generator(course, &said[4]), beside(cut, || table::beside(course, Beside::Generator))))
        }
    }
}

/// The tables.
pub fn tables(view: &View, cut: Cut) -> Markup {
    let tables = &view.tables;
    let steps: Vec<_> = std::iter::once(&tables.all).chain(&tables.steps).collect();
    html! {
        section id="steps" {
            h2 { "In numbers" }
            (table::steps(&steps, cut))
            @if !tables.asides.is_empty() {
                (table::cells("The same requests seen otherwise", "group, label or attempts", &tables.asides.iter().collect::<Vec<_>>()))
            }
            (table::cells("Stretches of the run", "stretch", &tables.stretches.iter().collect::<Vec<_>>()))
            @if !tables.journeys.is_empty() { (table::journeys(&tables.journeys)) }
            @if !tables.errors.is_empty() { (table::errors(&tables.errors)) }
            @if !tables.slowest.is_empty() { details { summary { "Slowest requests" } (table::slowest(&tables.slowest)) } }
        }
    }
}

/// How it was measured.
pub fn method(view: &View) -> Markup {
    html! {
        section id="method" {
            h2 { "Method and limits" }
            dl.method { @for (name, value) in &view.deeper.method {
                div { dt { (name) } dd { @if matches!(*name, "Repeat it" | "Plan" | "Setting") { code { (value) } } @else { (value) } } }
            } }
        }
    }
}

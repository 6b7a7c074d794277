//! What every page promises, on synthetic accounts.

#![expect(clippy::string_slice, reason = "the texts cut here are ours, at places that were searched for")]

use super::palette::{self, Colour};
use crate::base::digest::sha256_base64;
use crate::judge::account::Account;
use crate::plan::drill::MitigationKind;
use crate::report::sample;
use crate::report::tests::{all, page};
use crate::report::view;

/// Every picture of a page.
fn pictures(page: &str) -> Vec<&str> {
    page.match_indices("<svg").map(|(from, _)| &page[from..from + page[from..].find("</svg>").unwrap() + 6]).collect()
}

#[test]
fn a_page_asks_for_nothing_and_runs_nothing() {
    for (name, account) in all() {
        let page = page(&account);
        for forbidden in
            [" style=", "<script", "<link", "<img", "@import", "url(", " src=", " href=\"h", " href=\"/", " on"]
        {
            // Text may say anything; a tag may not.
            let mut rest = page.as_str();
            while let Some(open) = rest.find('<') {
                let close = rest[open..].find('>').unwrap() + open;
                let tag = &rest[open..=close];
                assert!(!tag.contains(forbidden) || tag.starts_with("<meta"), "{name}: {forbidden} in {tag}");
                rest = &rest[close + 1..];
            }
        }
        let sheet = &page[page.find("<style>").unwrap() + 7..page.find("</style>").unwrap()];
        assert!(!sheet.contains("http") && !sheet.contains("url(") && !sheet.contains("@import"));
        let digest = sha256_base64(sheet.as_bytes());
        assert!(
            page.contains(&format!("style-src 'sha256-{digest}'"))
                || page.contains(&format!("style-src &#39;sha256-{digest}")),
            "{name}"
        );
        assert_eq!(page.matches("<style>").count(), 1);
    }
}

#[test]
fn every_picture_is_well_formed_and_has_a_text() {
    for (name, account) in all() {
        let page = page(&account);
        let pictures = pictures(&page);
        assert!(pictures.len() >= 5, "{name}");
        for picture in pictures {
            let parsed =
                roxmltree::Document::parse(picture).unwrap_or_else(|error| panic!("{name}: {error}\n{picture}"));
            let root = parsed.root_element();
            if root.attribute("aria-hidden").is_some() {
                continue;
            }
            assert_eq!(root.attribute("role"), Some("img"));
            for part in ["title", "desc"] {
                let text = root.children().find(|node| node.has_tag_name(part)).and_then(|node| node.text());
                assert!(text.is_some_and(|text| !text.trim().is_empty()), "{name}: {part}");
            }
            assert!(!picture.contains("NaN") && !picture.contains("inf\""), "{name}");
        }
    }
}

#[test]
fn every_time_chart_carries_every_band() {
    let account = sample::drill();
    let page = page(&account);
    let charts: Vec<_> = pictures(&page).into_iter().filter(|picture| picture.contains("data-band")).collect();
    assert_eq!(
        charts.len(),
        9,
        "hero, lanes, budget, load, times, both clocks, errors, generator; and one around the fault"
    );
    for chart in charts.into_iter().filter(|chart| !chart.contains("fault-0-t")) {
        assert_eq!(chart.matches("data-band=").count(), account.bands.len());
    }
}

#[test]
fn a_harmful_action_has_the_colour_of_harm() {
    let mut account = sample::drill();
    let squares = |account: &Account| {
        let page = page(account);
        let hero = pictures(&page).into_iter().find(|picture| picture.contains("id=\"hero-t\"")).unwrap().to_owned();
        [Colour::Green, Colour::Vermillion]
            .map(|colour| hero.matches(&format!("width=\"9\" height=\"9\" fill=\"{}\"", colour.hex())).count())
    };
    assert_eq!(squares(&account), [1, 0]);
    account.drill.as_mut().unwrap().actions[0].kind = MitigationKind::Harmful;
    assert_eq!(squares(&account), [0, 1]);
}

#[test]
fn colours_come_from_the_palette_alone() {
    let page = page(&sample::drill());
    let known: Vec<String> = palette::ALL.iter().map(|(colour, ..)| colour.hex()).collect();
    for picture in pictures(&page) {
        for (at, _) in picture.match_indices("=\"#") {
            let hex = &picture[at + 2..at + 9];
            // References of ids look alike but stand in other attributes.
            assert!(known.iter().any(|colour| colour == hex), "{hex}");
        }
    }
}

/// Bytes of the page of every combination, which must all be at most 1 MiB and say how much was summed up.
fn matrix(lengths: &[u32], steps: &[u16], faults: &[u32]) {
    for (length, steps, faults) in
        lengths.iter().flat_map(|l| steps.iter().flat_map(move |s| faults.iter().map(move |f| (*l, *s, *f))))
    {
        let account = sample::sized(length, steps, faults);
        let page = page(&account);
        println!("{length} s, {steps} steps, {faults} faults: {} bytes", page.len());
        assert!(page.len() <= super::page::LIMIT, "{length} s, {steps} steps, {faults} faults: {} bytes", page.len());
        assert_eq!(page.contains(" others</th>"), steps > 50);
        assert_eq!(page.matches("id=\"load-t\"").count(), 1);
        let load = pictures(&page).into_iter().find(|picture| picture.contains("id=\"load-t\"")).unwrap();
        assert_eq!(load.matches("data-band=").count(), account.bands.len(), "{length} s, {faults} faults");
        assert_eq!(page.contains("Without a picture: fault 6"), faults > 6);
    }
}

#[test]
fn pages_of_short_runs_stay_small_whatever_they_hold() {
    matrix(&[2, 10], &[1, 3, 50, 5_000], &[0, 40]);
}

#[test]
#[ignore = "renders days: minutes without optimisation"]
fn pages_of_long_runs_stay_small_whatever_they_hold() {
    matrix(&[600, 3_600, 86_400], &[1, 3, 50, 5_000], &[0, 40]);
}

#[test]
fn a_page_that_would_be_too_large_says_what_it_does_without() {
    let account = sample::drill();
    let view = view::of(&account, 0);
    let whole = super::page::within(&account, &view, super::page::LIMIT);
    assert!(!whole.contains("Left out"));
    let mut size = whole.len();
    for (missing, mark) in
        [("strips", "class=\"spark\""), ("around faults", "fault-0-t"), ("beside the charts", "The same in numbers")]
    {
        assert!(whole.contains(mark), "{missing}");
        let page = super::page::within(&account, &view, size - 1);
        assert!(
            page.len() < size && page.contains("Left out") && page.contains(missing) && !page.contains(mark),
            "{missing}"
        );
        size = page.len();
    }
    assert_eq!(super::page::within(&account, &view, 1).len(), size, "what is left is always shown");
}

#[test]
fn the_head_of_a_hostile_page_is_as_it_was() {
    let page = page(&sample::hostile());
    let part = |from: &str, to: &str| {
        let start = page.find(from).unwrap();
        page[start..start + page[start..].find(to).unwrap()].replace('<', "\n<")
    };
    insta::assert_snapshot!(format!(
        "{}{}",
        part("<header", "<main"),
        part("<caption>Steps, slowest", "<caption>Stretches")
    ));
}

#[test]
fn two_renders_are_the_same_bytes_and_a_day_stays_small() {
    for (name, account) in all() {
        assert_eq!(page(&account), page(&account), "{name}");
    }
    for (hours, columns) in [(1, "12"), (24, "288")] {
        let page = page(&sample::long(hours));
        assert!(page.len() <= 1 << 20, "{hours} h: {} bytes", page.len());
        assert!(page.contains(&format!("Columns of {columns} s")), "{hours} h");
    }
}

#[test]
fn two_arms_stand_beside_each_other_block_by_block_and_quantile_by_quantile() {
    let account = sample::compared();
    let drawn = page(&account);
    let pictures = pictures(&drawn);
    let of = |id: &str| {
        *pictures.iter().find(|one| one.contains(&format!("id=\"{id}-t\""))).unwrap_or_else(|| panic!("no {id}"))
    };
    let (round, square) =
        (of("blocks-0").matches("r=\"4.6\"").count(), of("blocks-0").matches("width=\"8.4\"").count());
    assert_eq!((round, square), (6, 4), "round where the base went first");
    assert!(of("blocks-0").contains("allowed +5.0") && of("blocks-0").contains("+8.2"));
    assert_eq!(of("shift-0").matches("r=\"4.8\"").count(), 8);
    assert!(!drawn.contains("id=\"shift-1-t\""), "shares have no quantiles");
    assert!(drawn.contains("never answered") && drawn.contains("the whole distribution moved"));
    assert!(!page(&sample::load()).contains("id=\"versus\""));
}

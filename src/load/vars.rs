//! The variables of a journey, drawn at its start by key: arrival n has the same values in every run.
//!
//! Not here: values taken from answers (`step::extract`).

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::base::digest::base64;
use crate::base::seed::{Seed, Stream, unit};
use crate::plan::program::{Draw, Drawn, Stamp};
use crate::plan::template::{Template, VarId};
use crate::stats::zipf;

/// A draw with the name of its stream.
#[derive(Clone, Debug)]
pub struct Named {
    var: VarId,
    draw: Draw,
    place: String,
}

/// What every draw of a journey under way is keyed by.
#[derive(Clone, Copy, Debug)]
pub struct Dice {
    /// The run's.
    pub seed: Seed,
    /// The workload's, the visit's and the turn's.
    pub key: u64,
    /// Number of the arrival.
    pub n: u64,
}

impl Dice {
    /// A uniform number in [0, 1) for `place`.
    pub fn unit(self, place: &str) -> f64 {
        unit(self.seed.key(place, &[self.key, self.n]))
    }

    /// A uniform number below `most` for `place`; 0 when that is 0.
    pub fn below(self, place: &str, most: usize) -> usize {
        let drawn = self.seed.keyed(place, &[self.key, self.n]).below(most as u64);
        usize::try_from(drawn).unwrap_or(0)
    }
}

/// The draws of a plan, each named after its variable.
pub fn named(draws: &[Drawn]) -> Vec<Named> {
    named_at("var", draws)
}

/// Draws that belong to `place`.
pub fn named_at(place: &str, draws: &[Drawn]) -> Vec<Named> {
    let named = |one: &Drawn| Named { var: one.into, draw: one.draw.clone(), place: format!("{place}/{}", one.name) };
    draws.iter().map(named).collect()
}

/// Draws all of them; `now` reads the wall clock.
pub fn draw(all: &[Named], dice: Dice, now: &dyn Fn() -> Timestamp, values: &mut [String]) {
    for one in all {
        let mut text = values.get_mut(usize::from(one.var.0)).map(std::mem::take).unwrap_or_default();
        text.clear();
        if let Draw::Timestamp(stamp) = one.draw {
            moment(now(), stamp, &mut text);
        } else {
            let stream = dice.seed.keyed(&one.place, &[dice.key, dice.n]);
            write(&one.draw, stream, dice.n, values, &mut text);
        }
        if let Some(slot) = values.get_mut(usize::from(one.var.0)) {
            *slot = text;
        }
    }
}

fn moment(now: Timestamp, stamp: Stamp, into: &mut String) {
    let written = match stamp {
        Stamp::Rfc3339 => write!(into, "{now:.3}"),
        Stamp::UnixSeconds => write!(into, "{}", now.as_second()),
        Stamp::UnixMillis => write!(into, "{}", now.as_millisecond()),
    };
    debug_assert!(written.is_ok(), "writing to a text cannot fail");
}

fn write(draw: &Draw, mut stream: Stream, n: u64, values: &[String], into: &mut String) {
    match draw {
        Draw::Text(template) => {
            template.render(|var| values.get(usize::from(var.0)).map_or("", String::as_str), into);
        }
        Draw::Uuid => into.push_str(&uuid(&mut stream)),
        Draw::Hex(digits) => {
            let digits = usize::from(*digits);
            let words = std::iter::repeat_with(|| format!("{:016x}", stream.bits()));
            into.extend(words.take(digits.div_ceil(16)));
            into.truncate(digits);
        }
        Draw::Int(low, high) => {
            let width = high.abs_diff(*low).wrapping_add(1);
            let offset = if width == 0 { stream.bits() } else { stream.below(width) };
            into.push_str(&low.wrapping_add_unsigned(offset).to_string());
        }
        Draw::Choice(choices) => {
            if let Some(template) = choose(choices, &mut stream) {
                template.render(|var| values.get(usize::from(var.0)).map_or("", String::as_str), into);
            }
        }
        Draw::Counter { start, step } => {
            let value = i128::from(*start) + i128::from(*step) * i128::from(n);
            into.push_str(&value.to_string());
        }
        Draw::Zipf { items, s, from } => {
            let rank = zipf::rank(*items, *s, || stream.unit());
            let value = i128::from(*from) + i128::from(rank) - 1;
            into.push_str(&value.to_string());
        }
        Draw::Basic(template) => {
            let mut text = String::new();
            template.render(|var| values.get(usize::from(var.0)).map_or("", String::as_str), &mut text);
            into.push_str(&base64(text.as_bytes()));
        }
        // Written by `moment`: it is not drawn.
        Draw::Timestamp(_) => {}
    }
}

/// The form of version 4: random but for version and variant.
fn uuid(stream: &mut Stream) -> String {
    let high = stream.bits() & 0xffff_ffff_ffff_0fff | 0x4000;
    let low = stream.bits() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000;
    let (first, second, third) = (high >> 32, (high >> 16) & 0xffff, high & 0xffff);
    let (fourth, fifth) = (low >> 48, low & 0xffff_ffff_ffff);
    format!("{first:08x}-{second:04x}-{third:04x}-{fourth:04x}-{fifth:012x}")
}

fn choose<'a>(choices: &'a [(Template, u64)], stream: &mut Stream) -> Option<&'a Template> {
    let mut left = stream.below(choices.iter().map(|(_, weight)| weight).sum());
    for (text, weight) in choices {
        if left < *weight {
            return Some(text);
        }
        left -= weight;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(n: u64) -> Vec<String> {
        let draws = [
            Draw::Uuid,
            Draw::Hex(5),
            Draw::Int(-2, 3),
            Draw::Choice(vec![(Template::fixed("red"), 3), (Template::fixed("blue"), 1)]),
            Draw::Counter { start: 100, step: 10 },
            Draw::Text(Template::fixed("fixed")),
            Draw::Basic(Template::fixed("Aladdin:open sesame")),
            Draw::Timestamp(Stamp::Rfc3339),
            Draw::Timestamp(Stamp::UnixSeconds),
        ];
        let drawn = |(n, draw): (u16, _)| Drawn { name: format!("v{n}"), into: VarId(n), draw };
        let draws: Vec<_> = (0..).zip(draws).map(drawn).collect();
        let mut values = vec![String::new(); draws.len()];
        let now = || Timestamp::from_millisecond(1_795_187_045_123).unwrap();
        draw(&named(&draws), Dice { seed: Seed(1), key: 7, n }, &now, &mut values);
        values
    }

    #[test]
    fn an_arrival_has_the_same_values_in_every_run() {
        assert_eq!(values(3), values(3));
        assert_ne!(values(3)[0], values(4)[0]);
        assert_eq!(
            values(3)[4..],
            ["130", "fixed", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "2026-11-20T15:04:05.123Z", "1795187045"]
        );
    }

    #[test]
    fn values_have_their_form() {
        let mut reds = 0;
        for n in 0..2_000 {
            let all = values(n);
            let parts: Vec<usize> = all[0].split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12]);
            assert_eq!(all[0].as_bytes()[14], b'4');
            assert!(b"89ab".contains(&all[0].as_bytes()[19]));
            assert_eq!(all[1].len(), 5);
            assert!((-2..=3).contains(&all[2].parse::<i64>().unwrap()));
            reds += u32::from(all[3] == "red");
        }
        assert!((1_400..1_600).contains(&reds), "{reds}");
    }
}

//! What is shaken, what is told about it, how long the phases last, and what was promised to users.

use std::time::Duration;

use super::DrillOptions;
use super::pace::Paces;
use crate::base::duration::show;
use crate::base::ratio::Ratio;
use crate::plan::check::answer::statuses;
use crate::plan::check::desk::Desk;
use crate::plan::check::proxy;
use crate::plan::check::target;
use crate::plan::drill::{About, Phases, ShopData, System};
use crate::plan::good::Good;
use crate::plan::load::{Origin, Scheme};
use crate::plan::slo::{Rule, Slo, USUAL};
use crate::spec::condition::Reference;
use crate::spec::drill::{
    About as WrittenAbout, Data, FlagPoll, Phases as WrittenPhases, Remote, Run, Slo as WrittenSlo,
    System as WrittenSystem,
};
use crate::spec::source::Spanned;

/// Over both backends, unless the file says otherwise.
const IN_FLIGHT: u32 = 150;
/// Where a system says that it may be shaken, unless the file says otherwise.
const HANDSHAKE: &str = "/.well-known/squall-target";
const BUDGET_PERIOD: Duration = Duration::from_secs(30 * 86_400);

/// A text that somebody is to read.
pub(super) fn said(desk: &mut Desk, written: &Spanned<String>) -> String {
    let text = desk.text(written);
    if text.is_some_and(|text| text.trim().is_empty()) {
        desk.error("empty-text", written.mark, "there is nothing to read here", "write a sentence");
    }
    text.unwrap_or_default().to_owned()
}

pub(super) fn about(desk: &mut Desk, written: &Spanned<WrittenAbout>) -> Option<About> {
    let about = desk.open(written)?;
    let difficulty = desk.open_if(about.difficulty.as_ref()).copied().unwrap_or(3);
    if let Some(spanned) = about.difficulty.as_ref().filter(|_| !(1..=5).contains(&difficulty)) {
        desk.error("out-of-range", spanned.mark, format!("a difficulty of {difficulty}"), "write 1 to 5");
    }
    let objectives = desk.open_if(about.objectives.as_ref()).map_or(&[][..], Vec::as_slice);
    Some(About {
        title: said(desk, &about.title),
        briefing: said(desk, &about.briefing),
        hypothesis: about.hypothesis.as_ref().map(|text| said(desk, text)).unwrap_or_default(),
        objectives: objectives.iter().map(|text| said(desk, text)).collect(),
        difficulty: u8::try_from(difficulty).unwrap_or(5),
    })
}

pub(super) fn system(
    desk: &mut Desk,
    paces: Paces,
    written: &Spanned<WrittenSystem>,
    options: &DrillOptions,
) -> Option<System> {
    match desk.open(written)? {
        WrittenSystem::Remote(remote) => self::remote(desk, remote),
        WrittenSystem::Shop(shop) => {
            let data = match desk.open_if(shop.data.as_ref()) {
                Some(Data::TestLike) => ShopData::TestLike,
                Some(Data::Realistic) | None => ShopData::Realistic,
            };
            let in_flight = desk.open_if(shop.in_flight.as_ref()).copied().unwrap_or(u64::from(IN_FLIGHT));
            let fits = u32::try_from(in_flight).ok().filter(|n| (2..=100_000).contains(n));
            if let Some(spanned) = shop.in_flight.as_ref().filter(|_| fits.is_none()) {
                let message = format!("a cap of {in_flight} requests over two backends");
                desk.error("out-of-range", spanned.mark, message, "write 2 to 100000");
            }
            Some(System::Shop {
                data: options.data.unwrap_or(data),
                in_flight: fits.unwrap_or(IN_FLIGHT),
                flag_poll: flag_poll(desk, paces, shop.flag_poll.as_ref()),
                database: options.database.clone(),
            })
        }
    }
}

fn flag_poll(desk: &mut Desk, paces: Paces, written: Option<&Spanned<FlagPoll>>) -> (Duration, Duration) {
    let usual = Duration::from_secs(5);
    let Some(poll) = desk.open_if(written) else { return (usual, usual) };
    let mut read = |spanned: &Spanned<String>| {
        let least = Duration::from_millis(100);
        paces.read_at_least(desk, spanned, least, "a flag poll").unwrap_or(usual)
    };
    (read(&poll.a), read(&poll.b))
}

fn remote(desk: &mut Desk, remote: &Remote) -> Option<System> {
    let mut in_clear = |url: &Spanned<String>| {
        let origin = target::origin(desk, url)?;
        if origin.scheme == Scheme::Https {
            desk.error("not_built", url.mark, "`https` is known but not built yet", "use http for now");
            return None;
        }
        Some(origin)
    };
    let (base, admin) = (in_clear(&remote.base), in_clear(&remote.admin));
    let token_env = desk.text(&remote.token_env)?.to_owned();
    let is_name = token_env.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if token_env.is_empty() || !is_name {
        let help = "write the name, such as `SHOP_ADMIN_TOKEN`; its value stays in the environment";
        desk.error("secret-in-file", remote.token_env.mark, "this is not the name of an environment variable", help);
    }
    let url = |origin: Origin| format!("http://{}:{}", origin.host, origin.port);
    let handshake = handshake(desk, remote.handshake.as_ref());
    let proxies = desk.open_if(remote.proxies.as_ref()).map_or_else(Vec::new, |list| proxy::of_a_drill(desk, list));
    Some(System::Remote { base: url(base?), admin: url(admin?), token_env, handshake, proxies })
}

/// Where the system agrees to be shaken.
fn handshake(desk: &mut Desk, written: Option<&Spanned<String>>) -> String {
    let Some(spanned) = written else { return HANDSHAKE.to_owned() };
    let path = desk.text(spanned).unwrap_or(HANDSHAKE);
    if !path.starts_with('/') || path.contains(|c: char| c.is_whitespace() || c.is_control()) {
        let message = format!("`{path}` is not a path on the public side");
        desk.error("out-of-range", spanned.mark, message, format!("write it as `{HANDSHAKE}`"));
    }
    path.to_owned()
}

/// Where the load goes: of the embedded system only the host is known before it has started.
pub(super) fn origin(system: &System) -> Origin {
    let address = match system {
        System::Shop { .. } => None,
        System::Remote { base, .. } => base.strip_prefix("http://").and_then(|text| target::split_authority(text, 80)),
    };
    let (host, port) = address.unwrap_or_else(|| ("127.0.0.1".to_owned(), 0));
    Origin::clear(host, port, Vec::new())
}

pub(super) fn phases(
    desk: &mut Desk,
    paces: Paces,
    run: Option<&Run>,
    written: &Spanned<WrittenPhases>,
) -> Option<Phases> {
    let secs = Duration::from_secs;
    let at_most = run.and_then(|run| paces.read_at_least(desk, &run.at_most, secs(5), "an exercise"));
    let phases = desk.open(written)?;
    let baseline = paces.read_at_least(desk, &phases.baseline, secs(20), "a baseline");
    let recovery_hold = paces.read_at_least(desk, &phases.recovery_hold, secs(10), "a recovery hold");
    // Nobody talks after a drill that nobody attended: any reading is accepted, and none is waited for.
    if let Some(hot_wash) = &phases.hot_wash {
        paces.read(desk, hot_wash);
    }
    let time_factor = paces.factor();
    Some(Phases { baseline: baseline?, at_most: at_most?, recovery_hold: recovery_hold?, time_factor })
}

/// What was promised.
#[derive(Debug)]
pub(super) struct Promise {
    pub(super) good: Good,
    pub(super) slo: Slo,
}

pub(super) fn slo(desk: &mut Desk, written: &Spanned<WrittenSlo>) -> Option<Promise> {
    let slo = desk.open(written)?;
    let mut good = Good::default();
    if let Some(written) = desk.open(&slo.good) {
        if let Some(set) = written.status.as_ref().and_then(|text| statuses(desk, text)) {
            good.status = set;
        }
        good.within = written.within.as_ref().and_then(|within| desk.duration(within));
    }
    let objective = desk.ratio(&slo.objective).map(Ratio::get);
    if objective.is_some_and(|share| share <= 0.0 || share >= 1.0) {
        let help = "write a share such as 99.9%: with 100% there is no budget to spend";
        desk.error("out-of-range", slo.objective.mark, "no error budget follows from this objective", help);
    }
    let period = slo.period.as_ref().map_or(Some(BUDGET_PERIOD), |text| period(desk, text));
    let reference = match desk.open_if(slo.reference.as_ref()) {
        Some(list) => list.iter().filter_map(|one| reference(desk, one)).collect(),
        None => USUAL.to_vec(),
    };
    Some(Promise { good, slo: Slo { objective: objective?, period: period?, reference } })
}

fn reference(desk: &mut Desk, written: &Spanned<Reference>) -> Option<Rule> {
    match desk.open(written)? {
        Reference::Above(above) => {
            let (bad, hold) = (desk.ratio(&above.bad), desk.duration(&above.hold));
            let (bad, hold) = (bad?.get(), hold?);
            if bad >= 1.0 {
                desk.error("out-of-range", above.bad.mark, "more than all cannot be bad", "write less than 100%");
            }
            Some(Rule::Above { bad, hold })
        }
        Reference::Burn(burn) => {
            let (long, short) = (desk.duration(&burn.long), desk.duration(&burn.short));
            let times = desk.open(&burn.times).copied();
            let (long, short, times) = (long?, short?, times?);
            if short.is_zero() || short > long {
                let message = format!("a short window of {} beside a long one of {}", show(short), show(long));
                desk.error(
                    "inverted-range",
                    burn.short.mark,
                    message,
                    "the short one is usually a twelfth of the long one",
                );
            }
            if !times.is_finite() || times <= 0.0 {
                desk.error(
                    "out-of-range",
                    burn.times.mark,
                    format!("{times} times the allowed rate"),
                    "write a number such as 14.4",
                );
            }
            Some(Rule::Burn { long, short, times })
        }
    }
}

/// A duration, with days besides the usual units.
fn period(desk: &mut Desk, written: &Spanned<String>) -> Option<Duration> {
    let text = desk.text(written)?;
    let period = match text.strip_suffix('d').map(str::parse::<u32>) {
        Some(Ok(days)) if days <= 366 => Some(Duration::from_secs(u64::from(days) * 86_400)),
        _ => desk.duration(written),
    };
    if period.is_some_and(|period| period.is_zero()) {
        desk.error("out-of-range", written.mark, "a budget over no time", "write a period such as 30d");
    }
    period
}

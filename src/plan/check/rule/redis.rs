//! Rules on Redis: commands, keys, failures.

use super::{cut, nth, time};
use crate::plan::check::desk::Desk;
use crate::plan::fault::rule::redis::{Act, Failure, Only, Redis};
use crate::spec::rule as spec;
use crate::spec::source::Spanned;

/// The rule of `written`.
pub(in crate::plan::check) fn redis(desk: &mut Desk, written: &spec::Redis) -> Option<Redis> {
    let only = match &written.only {
        None => Some(Only::default()),
        Some(spanned) => desk.open(spanned).and_then(|one| only(desk, one)),
    };
    let act = desk.open(&written.act).and_then(|one| act(desk, one));
    let (only, act) = (only?, act?);
    if let (Act::Cap(_), Some(spanned)) = (&act, written.only.as_ref().filter(|_| only != Only::default())) {
        let help = "leave `only` out";
        desk.error("out-of-range", spanned.mark, "a cap on connections knows no commands", help);
    }
    Some(Redis { only, act })
}

fn only(desk: &mut Desk, written: &spec::RedisOnly) -> Option<Only> {
    let mut commands = Vec::new();
    for one in desk.open_if(written.commands.as_ref()).map_or(&[][..], Vec::as_slice) {
        let Some(command) = desk.text(one) else { continue };
        if command.is_empty() || command.contains(|c: char| c.is_whitespace() || c.is_control()) {
            let help = "write the name of a command, such as \"GET\"";
            desk.error("out-of-range", one.mark, format!("`{command}` is no command"), help);
        }
        commands.push(command.to_ascii_uppercase());
    }
    let keys = match &written.keys {
        None => None,
        Some(spanned) => Some(desk.text(spanned)?.to_owned()),
    };
    Some(Only { commands, keys, nth: nth(desk, written.nth.as_ref()) })
}

fn act(desk: &mut Desk, written: &spec::RedisAct) -> Option<Act> {
    Some(match written {
        spec::RedisAct::Delay(one) => Act::Delay(time(desk, &one.time)?),
        spec::RedisAct::Error(spanned) => Act::Error(failure(desk, spanned)?),
        spec::RedisAct::Miss => Act::Miss,
        spec::RedisAct::Drop(one) => {
            let (after, close) = cut(desk, one)?;
            Act::Drop { after, close }
        }
        spec::RedisAct::Flush(spanned) => match desk.open(spanned)? {
            spec::Flush::Masked => Act::Flush,
        },
        spec::RedisAct::Cap(one) => Act::Cap(*desk.open(&one.limit)?),
    })
}

fn failure(desk: &mut Desk, written: &Spanned<spec::Failure>) -> Option<Failure> {
    Some(match desk.open(written)? {
        spec::Failure::Oom => Failure::Oom,
        spec::Failure::ReadOnly => Failure::ReadOnly,
        spec::Failure::Loading => Failure::Loading,
        spec::Failure::Busy => Failure::Busy,
        spec::Failure::ClusterDown => Failure::ClusterDown,
        spec::Failure::MasterDown => Failure::MasterDown,
        spec::Failure::NoAuth => Failure::NoAuth,
        spec::Failure::Text(spanned) => {
            let text = desk.text(spanned)?;
            if text.is_empty() || text.contains(['\r', '\n']) {
                let help = "write one line that begins with a code, such as \"ERR no such luck\"";
                desk.error("out-of-range", spanned.mark, "an error of Redis is one line", help);
            }
            Failure::Text(text.to_owned())
        }
    })
}

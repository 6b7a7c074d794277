//! What becomes of one command: held, failed, led to a key that does not exist, or passed.
//!
//! Pure. A command in an open transaction fails by the server, so that its EXEC fails as well; what would tell a client an
//! untruth passes and is counted. Not here: replies (`slot`).

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use bytes::Bytes;

use super::slot::{Does, Slot};
use crate::base::clock::Tick;
use crate::base::glob;
use crate::fault::decide::Unit;
use crate::fault::parcel::Close;
use crate::fault::rule::docket::Case;
use crate::fault::rule::{Docket, Hit, Hold};
use crate::plan::fault::rule::Rule;
use crate::plan::fault::rule::redis::{Act, Failure, Only};
use crate::wire::redis::{Access, Command, keys};

/// The state of the connection's transaction, as far as commands tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transaction {
    None,
    /// Commands are queued.
    Open,
}

impl Transaction {
    pub(super) fn is_open(self) -> bool {
        self == Self::Open
    }

    /// The state behind `command`.
    pub(super) fn after(self, command: &Command) -> Self {
        match name(command).as_slice() {
            b"MULTI" => Self::Open,
            b"EXEC" | b"DISCARD" | b"RESET" => Self::None,
            _ => self,
        }
    }
}

/// A judged command.
#[derive(Debug)]
pub(super) struct Judged {
    /// What goes to the server; `None`: nothing.
    pub(super) bytes: Option<Bytes>,
    pub(super) holds: Vec<Hold>,
    pub(super) slot: Slot,
}

/// What can be done to a command.
enum Deed {
    Hold,
    /// Fails without the server.
    Fail(Bytes),
    /// The server is told this instead, and the client that it failed.
    FailThere(&'static [u8], Bytes),
    /// These arguments are led elsewhere.
    Miss(Vec<usize>),
    Cut(u64, Close),
}

/// A command that no server knows: it fails in a transaction as it does outside.
const BAD: &[u8] = b"*1\r\n$15\r\nSQUALL.INJECTED\r\n";
const DISCARD: &[u8] = b"*1\r\n$7\r\nDISCARD\r\n";

/// Judges `command`, the `ordinal`th of its connection, by every rule.
pub(super) fn judge(
    command: &Command,
    (ordinal, transaction): (u64, Transaction),
    docket: &mut Docket,
    now: Tick,
) -> Judged {
    let (access, at) = keys(&command.args);
    let mut judged = Judged { bytes: Some(command.bytes.clone()), holds: Vec::new(), slot: Slot::new() };
    let mut missed: Vec<usize> = Vec::new();
    for case in docket.cases() {
        let Some((deed, hit)) = decide(case, command, (access, &at), (ordinal, transaction), now) else { continue };
        match deed {
            Deed::Hold => judged.holds.push(Hold::new(&hit)),
            Deed::Fail(reply) => {
                judged.bytes = None;
                judged.slot.does = Does::Made(reply);
            }
            Deed::FailThere(instead, reply) => {
                judged.bytes = Some(Bytes::from_static(instead));
                judged.slot.does = Does::Instead(reply);
            }
            Deed::Miss(which) => missed.extend(which),
            Deed::Cut(left, how) => judged.slot.does = Does::Cut { left, how },
        }
        judged.slot.hits.push(hit);
        if !judged.slot.is_plain() {
            return judged;
        }
    }
    if !missed.is_empty() {
        judged.bytes = Some(elsewhere(command, &missed));
    }
    judged
}

fn decide(
    case: &mut Case,
    command: &Command,
    (access, at): (Access, &[usize]),
    (ordinal, transaction): (u64, Transaction),
    now: Tick,
) -> Option<(Deed, Hit)> {
    let Some(Rule::Redis(rule)) = case.rule() else { return None };
    if matches!(rule.act, Act::Cap(_)) {
        return None;
    }
    let (only, act) = (rule.only.clone(), rule.act.clone());
    if matches!(act, Act::Flush) && access == Access::Write {
        wrote(case, command, at, &only);
        return None;
    }
    if !concerns(&only, command, at) || !case.is_nth(only.nth) {
        return None;
    }
    let deed = match deed(&act, case, command, (access, at), &only) {
        Wish::None => return None,
        Wish::Untrue => {
            case.spare();
            return None;
        }
        Wish::Do(deed) => within(transaction, deed, command),
    };
    let Some(deed) = deed else {
        case.spare();
        return None;
    };
    let time = if let Act::Delay(time) = &act { Some(time) } else { None };
    let unit = Unit { key: at.first().and_then(|at| command.args.get(*at)).map(hash), ..case.unit(ordinal) };
    case.judge(&unit, now, time).map(|hit| (deed, hit))
}

enum Wish {
    Do(Deed),
    /// It cannot be done without an untruth.
    Untrue,
    /// It does not concern the command after all.
    None,
}

fn deed(act: &Act, case: &Case, command: &Command, (access, at): (Access, &[usize]), only: &Only) -> Wish {
    match act {
        Act::Delay(_) => Wish::Do(Deed::Hold),
        Act::Error(failure) => Wish::Do(Deed::Fail(error(failure))),
        Act::Drop { after, close } => Wish::Do(Deed::Cut(*after, (*close).into())),
        Act::Miss if access != Access::Read => Wish::None,
        Act::Miss if command.is_whole => Wish::Do(Deed::Miss(matching(only, command, at))),
        Act::Miss => Wish::Untrue,
        Act::Flush => {
            let masked = |at: &usize| command.args.get(*at).is_some_and(|key| case.shared().masks(key));
            let which: Vec<usize> = matching(only, command, at).into_iter().filter(masked).collect();
            match access {
                Access::Read if which.is_empty() => Wish::None,
                Access::Read if command.is_whole => Wish::Do(Deed::Miss(which)),
                Access::Read => Wish::Untrue,
                Access::Write | Access::None => Wish::None,
            }
        }
        Act::Cap(_) => Wish::None,
    }
}

/// The deed as an open transaction allows it: the server must know of every failure, and nothing is pretended to be missing.
fn within(transaction: Transaction, deed: Deed, command: &Command) -> Option<Deed> {
    if !transaction.is_open() {
        return Some(deed);
    }
    match (deed, name(command).as_slice()) {
        (Deed::Fail(_), b"DISCARD" | b"RESET" | b"QUIT") | (Deed::Miss(_), _) => None,
        // Of a long command the rest would follow.
        (Deed::Fail(_), _) if !command.is_whole => None,
        (Deed::Fail(reply), b"EXEC") => Some(Deed::FailThere(DISCARD, reply)),
        (Deed::Fail(reply), _) => Some(Deed::FailThere(BAD, reply)),
        (deed, _) => Some(deed),
    }
}

/// The keys that `command` writes are there again.
fn wrote(case: &Case, command: &Command, at: &[usize], only: &Only) {
    for key in matching(only, command, at).into_iter().filter_map(|at| command.args.get(at)) {
        if case.shared().write(key) {
            tracing::warn!(fault = case.name(), "more than a million keys were written: the flush has ended");
        }
    }
}

fn concerns(only: &Only, command: &Command, at: &[usize]) -> bool {
    let name = name(command);
    (only.commands.is_empty() || only.commands.iter().any(|one| one.as_bytes() == name.as_slice()))
        && (only.keys.is_none() || !matching(only, command, at).is_empty())
}

/// The arguments among `at` whose key the glob matches.
fn matching(only: &Only, command: &Command, at: &[usize]) -> Vec<usize> {
    let matches = |key: &Bytes| only.keys.as_ref().is_none_or(|glob| glob::matches(glob.as_bytes(), key));
    at.iter().copied().filter(|at| command.args.get(*at).is_some_and(matches)).collect()
}

fn name(command: &Command) -> Vec<u8> {
    command.args.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default()
}

fn error(failure: &Failure) -> Bytes {
    format!("-{}\r\n", failure.text()).into()
}

/// The command with the keys at `which` replaced by keys of the same hash slot that nobody writes: the server itself gives
/// the reply of the right shape.
fn elsewhere(command: &Command, which: &[usize]) -> Bytes {
    let mut bytes = format!("*{}\r\n", command.args.len()).into_bytes();
    for (at, arg) in command.args.iter().enumerate() {
        let arg = if which.contains(&at) { missing(arg) } else { arg.to_vec() };
        bytes.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        bytes.extend_from_slice(&arg);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.into()
}

fn missing(key: &[u8]) -> Vec<u8> {
    let tagged = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = key.get(open + 1..)?;
        let close = rest.iter().position(|byte| *byte == b'}').filter(|close| *close > 0)?;
        rest.get(..close)
    });
    let mut name = vec![b'{'];
    name.extend_from_slice(tagged.unwrap_or(key));
    name.extend_from_slice(format!("}}squall:missing:{:016x}", hash(key)).as_bytes());
    name
}

fn hash(key: impl AsRef<[u8]>) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.as_ref().hash(&mut hasher);
    hasher.finish()
}

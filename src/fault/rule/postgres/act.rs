//! What befalls a statement: an error raised by the server, a sleep in the server, the end of the connection.
//!
//! Pure. Where a transaction is involved the server fails; an answer of our own is given only when nothing is owed and no
//! transaction is open. Not here: who is hit (`judge`), the replies (`server`).

use super::Postgres;
use super::client::Asked;
use super::judge::{End, Tied, Verdict};
use super::script::{Role, Show, Then};
use super::state::{Doom, Gate};
use super::turn::Turn;
use crate::fault::parcel::Close;
use crate::plan::fault::rule::postgres::Death;
use crate::wire::postgres::track::Reply;
use crate::wire::postgres::write;
use crate::wire::sql::Verb;

/// What a server says to a cancelled statement.
pub(super) const CANCELLED: (&str, &str) = ("57014", "canceling statement due to user request");

/// What a server says when it ends a connection.
pub(super) fn last_words(sqlstate: &str) -> &'static str {
    match sqlstate {
        "57P01" => "terminating connection due to administrator command",
        "57P02" => "terminating connection because of crash of another server process",
        "57P03" => "the database system is starting up",
        "53300" => "sorry, too many clients already",
        _ => "terminating connection",
    }
}

impl Postgres {
    /// Does to a statement what was decided.
    pub(super) fn carry_out(&mut self, asked: Asked, mut verdict: Verdict, turn: &mut Turn<'_>) {
        match verdict.end.take() {
            Some(End::Raise { sqlstate, message }) => self.raise(&asked, (&sqlstate, &message), turn),
            Some(End::Kill(death)) => self.flow.doom = Some(Doom::of(death)),
            Some(End::Unknown(death)) => self.commit_unheard(&asked, death, turn),
            None if verdict.server.is_empty() => {
                let role = Role { response: verdict.response, stall: verdict.stall, ..Role::own() };
                self.send(&asked, role, turn);
            }
            None => self.sleep(asked, verdict, turn),
        }
    }

    /// The statement ends the transaction in which it stands.
    fn ends_block(&self, asked: &Asked) -> bool {
        let single = asked.stated.known.shape.single();
        self.track.ahead() == b'T' && single.is_some_and(|one| matches!(one.verb, Verb::Commit | Verb::Rollback))
    }

    /// The server raises an error in the place of the statement.
    pub(super) fn raise(&mut self, asked: &Asked, (sqlstate, message): (&str, &str), turn: &mut Turn<'_>) {
        if self.world.raises(&self.me.who.user) != Some(true) {
            return self.refuse(asked, (sqlstate, message), turn);
        }
        self.flush_pending(turn);
        let ends = self.ends_block(asked);
        let sql = write::raise(sqlstate, message);
        if asked.simple {
            let then = if ends { Then::Rollback } else { Then::Nothing };
            self.track.expect(Reply::Query, Role::of(Show::All, then));
            turn.ask(&write::query(&sql));
            if ends {
                self.flow.gate = Gate::Waiting;
            }
            return;
        }
        self.secretly(&sql, Role::own(), turn);
        self.desk.rollback |= ends;
    }

    /// `Parse`, `Bind` and `Execute` under a name that was never used; the replies to the last belong to `role`.
    fn secretly(&mut self, sql: &str, role: Role, turn: &mut Turn<'_>) {
        self.desk.secrets += 1;
        let name = format!("_squall_{}", self.desk.secrets);
        let asleep = role.is_sleep();
        for reply in [Reply::Parse, Reply::Bind] {
            let then = if asleep { Then::Wake(Vec::new()) } else { Then::Nothing };
            self.track.expect(reply, Role::of(Show::Errors, then));
        }
        self.track.expect(Reply::Execute, role);
        turn.ask(&write::extended(&name, sql));
        self.desk.litter.push(name);
    }

    /// The role cannot make the server raise: an answer of our own where it is no untruth, else the end.
    fn refuse(&mut self, asked: &Asked, (sqlstate, message): (&str, &str), turn: &mut Turn<'_>) {
        if !self.track.is_idle() {
            self.flow.doom = Some(Doom { death: Death::Fatal(sqlstate.to_owned()), message: message.to_owned() });
            return;
        }
        self.desk.pending.clear();
        turn.tell(&write::error("ERROR", sqlstate, message));
        if asked.simple {
            turn.tell(&write::ready(b'I'));
        } else {
            self.flow.gate = Gate::Skipping;
        }
    }

    /// The commit happens, and the connection ends without a word about it.
    fn commit_unheard(&mut self, asked: &Asked, death: Death, turn: &mut Turn<'_>) {
        if asked.simple {
            self.send(asked, Role::of(Show::Nothing, Then::Cut(death)), turn);
            self.flow.gate = Gate::Waiting;
        } else {
            self.send(asked, Role::of(Show::Nothing, Then::Nothing), turn);
            self.desk.cut = Some(death);
        }
    }

    /// The server sleeps: in a transaction after the statement, whose completion is kept; else before it, and also before a
    /// COMMIT, which a cancelled sleep must not be able to deny.
    fn sleep(&mut self, asked: Asked, mut verdict: Verdict, turn: &mut Turn<'_>) {
        let ties = std::mem::take(&mut verdict.server);
        let (ends, inside) = (self.ends_block(&asked), self.track.ahead() == b'T');
        let sql = write::sleep(seconds(&ties));
        if asked.simple && inside && !ends {
            let role =
                Role { then: Then::Sleep(ties), response: verdict.response, stall: verdict.stall, ..Role::own() };
            self.send(&asked, role, turn);
            self.flow.gate = Gate::Waiting;
        } else if asked.simple {
            self.flush_pending(turn);
            self.track.expect(Reply::Query, Role::of(Show::Errors, Then::Send(Box::new((asked, verdict, ties)))));
            turn.ask(&write::query(&sql));
            self.flow.gate = Gate::Waiting;
        } else if ends {
            self.flush_pending(turn);
            self.secretly(&sql, Role::of(Show::Errors, Then::Nothing), turn);
            self.send(&asked, Role { response: verdict.response, ..Role::own() }, turn);
        } else {
            let role = Role { then: Then::Keep, response: verdict.response, stall: verdict.stall, ..Role::own() };
            self.send(&asked, role, turn);
            self.desk.sleep.extend(ties);
        }
    }

    /// The sleep that belongs before this `Sync` or `Flush`.
    pub(super) fn sleep_now(&mut self, turn: &mut Turn<'_>) {
        let ties = std::mem::take(&mut self.desk.sleep);
        if !ties.is_empty() {
            let sql = write::sleep(seconds(&ties));
            self.secretly(&sql, Role::of(Show::Errors, Then::Wake(ties)), turn);
        }
    }

    /// Ends the connection now, with its last words.
    pub(super) fn end(&mut self, doom: &Doom, turn: &mut Turn<'_>) {
        match &doom.death {
            Death::Rst => turn.cut(Close::Rst),
            Death::Fatal(sqlstate) => {
                turn.tell(&write::error("FATAL", sqlstate, &doom.message));
                turn.cut(Close::Fin);
            }
        }
        self.over();
    }
}

pub(super) fn seconds(ties: &[Tied]) -> f64 {
    ties.iter().map(|tied| tied.time).sum::<std::time::Duration>().as_secs_f64()
}

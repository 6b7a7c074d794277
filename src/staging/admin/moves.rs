//! Moves that no lease can take back: backends in and out of service, killed and started, the cache purged, flushed and
//! warmed, the database restarted.

use hyper::StatusCode;
use serde_json::json;

use super::levers::{Answered, Pull};
use super::{bad, refuse_lease, state};
use crate::staging::gateway::balance::{NAMES, Service};
use crate::staging::serve::{Reply, json_reply, refusal};

/// The place of the backend with that name.
fn backend(name: &str) -> Result<usize, Box<Reply>> {
    NAMES.iter().position(|known| *known == name).ok_or_else(|| {
        let reason = format!("there is no backend {name}; backends are {}", NAMES.join(", "));
        Box::new(refusal(StatusCode::NOT_FOUND, "not_found", &reason))
    })
}

/// `POST /admin/lb/backends/{n}/{in,drain,out}`.
pub(super) fn serve(pull: Pull<'_>, name: &str, word: &str) -> Answered {
    refuse_lease(pull.headers)?;
    let n = backend(name)?;
    let Some(service) = Service::of(word) else {
        return Err(Box::new(bad(&format!("a backend is put in, drain or out, not {word}"))));
    };
    pull.inside.balancer().serve(n, service);
    pull.inside.log.event("service", pull.inside.now(), &json!({"backend": name, "service": word}));
    Ok(json_reply(StatusCode::OK, &state::balance(pull.inside)))
}

/// `POST /admin/backends/{n}/{kill,start}`: a killed backend cuts its connections and listens no more.
pub(super) fn power(pull: Pull<'_>, name: &str, word: &str) -> Answered {
    refuse_lease(pull.headers)?;
    let n = backend(name)?;
    let up = match word {
        "kill" => false,
        "start" => true,
        _ => return Err(Box::new(bad(&format!("a backend is told to kill or start, not {word}")))),
    };
    pull.inside.doors[n].send_replace(up);
    pull.inside.log.event("power", pull.inside.now(), &json!({"backend": name, "up": up}));
    Ok(json_reply(StatusCode::OK, &json!({"backend": name, "up": up})))
}

/// `POST /admin/cache/{purge?prefix=…,flush,warm}`.
pub(super) fn cache(pull: Pull<'_>, word: &str, query: &str) -> Answered {
    refuse_lease(pull.headers)?;
    let gone = match word {
        "purge" => {
            let prefix = query.split('&').find_map(|pair| pair.strip_prefix("prefix=")).unwrap_or_default();
            if prefix.is_empty() {
                return Err(Box::new(bad(
                    "a purge needs ?prefix=, such as prefix=me; to empty the cache there is flush",
                )));
            }
            pull.inside.cache().purge(prefix)
        }
        "flush" => {
            let mut cache = pull.inside.cache();
            let all = cache.len();
            cache.flush();
            all
        }
        "warm" => {
            pull.inside.warm();
            0
        }
        _ => return Err(Box::new(bad(&format!("the cache is told to purge, flush or warm, not {word}")))),
    };
    let data = json!({"what": word, "entries_gone": gone, "entries": pull.inside.cache().len()});
    pull.inside.log.event("cache", pull.inside.now(), &data);
    Ok(json_reply(StatusCode::OK, &data))
}

/// `POST /admin/db/restart`: cuts every connection and empties the cache, as a database that comes back does to a shop.
pub(super) fn restart_database(pull: Pull<'_>) -> Answered {
    refuse_lease(pull.headers)?;
    for pool in &pull.inside.pools {
        pool.cut();
    }
    pull.inside.cache().flush();
    pull.inside.log.event("db_restart", pull.inside.now(), &json!({}));
    Ok(json_reply(StatusCode::OK, &json!({"connections": "cut", "cache": "cold"})))
}

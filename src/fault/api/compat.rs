//! The Toxiproxy 2.x API: what each call does to the proxies, and what it answers.
//!
//! A request is read whole before anything is changed, and one change is made at a time: the book is locked while workers
//! confirm, which never waits for data. Not here: HTTP (`door`, `mod`), attributes, addresses.

use serde_json::Value;

use super::attributes::{self, Attributes};
use super::book::{Book, ProxyJson, Row, ToxicRow, fault_name};
use super::errors::Refusal;
use super::json::{Fields, first};
use super::own::punctual;
use super::reply::Reply;
use super::{Api, address, spec};
use crate::base::duration::show;
use crate::fault::{FaultError, ProxySpec, ProxyState};

type Answer = Result<Reply, Refusal>;

/// A proxy as its client wants it.
#[derive(Debug)]
struct Wanted {
    name: String,
    listen: String,
    upstream: String,
    /// As written; absent is true for a new proxy, and no change for an old one.
    enabled: Option<bool>,
    toxics: Option<Vec<ToxicRow>>,
}

/// Reads one toxic; its name must not be one of `taken`.
fn read_toxic(fields: &Fields, taken: &[ToxicRow]) -> Result<ToxicRow, Refusal> {
    let toxicity = fields.number("toxicity")?.unwrap_or(1.0);
    let (name, kind) = (fields.text("name")?, fields.text("type")?.unwrap_or_default());
    let attributes = fields.object("attributes", "attributes.")?;
    let stream = fields.text("stream")?.filter(|stream| !stream.is_empty());
    let stream = stream.or(fields.text("direction")?).unwrap_or_else(|| "downstream".to_owned());
    if !["upstream", "downstream"].iter().any(|known| stream.eq_ignore_ascii_case(known)) {
        return Err(Refusal::new(400, "stream was invalid, can be either upstream or downstream"));
    }
    let of = attributes::find(&kind).ok_or_else(|| Refusal::new(400, "invalid toxic type"))?;
    let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("{kind}_{stream}"));
    if taken.iter().any(|toxic| toxic.name == name) {
        return Err(Refusal::new(409, "toxic already exists"));
    }
    let toxicity = share(toxicity)?;
    Ok(ToxicRow { name, of, stream, toxicity, attributes: Attributes::read(of, &attributes)? })
}

#[expect(clippy::cast_possible_truncation, reason = "the API counts in 32 bits")]
fn share(toxicity: f64) -> Result<f32, Refusal> {
    if (0.0..=1.0).contains(&toxicity) { Ok(toxicity as f32) } else { Err(Refusal::body("toxicity must be 0..1")) }
}

fn read_toxics(value: Option<&Value>) -> Result<Option<Vec<ToxicRow>>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    let Value::Array(items) = value else { return Err(Refusal::body("toxics must be a list")) };
    let mut read = Vec::new();
    for item in items {
        read.push(read_toxic(&Fields::of(item.clone(), "toxics.")?, &read)?);
    }
    Ok(Some(read))
}

fn read_proxy(fields: &Fields) -> Result<Wanted, Refusal> {
    let name = fields.text("name")?.unwrap_or_default();
    let upstream = fields.text("upstream")?.unwrap_or_default();
    let (listen, enabled) = (fields.text("listen")?.unwrap_or_default(), fields.truth("enabled")?);
    if name.is_empty() {
        return Err(Refusal::missing("name"));
    }
    if upstream.is_empty() {
        return Err(Refusal::missing("upstream"));
    }
    let toxics = read_toxics(fields.get("toxics"))?;
    Ok(Wanted { name, listen, upstream, enabled, toxics })
}

impl Api {
    /// `GET /proxies`.
    pub(super) async fn all(&self) -> Answer {
        let mut book = self.book.lock().await;
        book.prune(&self.proxies);
        let all = self.proxies.states().into_iter().map(|state| (state.name.clone(), book.show(&state)));
        Reply::json(200, &all.collect::<std::collections::BTreeMap<String, ProxyJson>>())
    }

    /// `GET /proxies/{p}`.
    pub(super) async fn one(&self, name: &str) -> Answer {
        let mut book = self.book.lock().await;
        Reply::json(200, &self.shown(&mut book, name)?)
    }

    /// `GET /proxies/{p}/toxics`, and one of them.
    pub(super) async fn toxics(&self, name: &str, toxic: Option<&str>) -> Answer {
        let mut book = self.book.lock().await;
        self.shown(&mut book, name)?;
        let rows = book.rows.get(name).map(Row::shown).unwrap_or_default();
        match toxic {
            None => Reply::json(200, &rows),
            Some(toxic) => {
                let row = rows.into_iter().find(|row| row.name == toxic).ok_or_else(Refusal::no_toxic)?;
                Reply::json(200, &row)
            }
        }
    }

    /// `POST /proxies`.
    pub(super) async fn create(&self, body: &[u8]) -> Answer {
        let wanted = read_proxy(&Fields::read(body)?)?;
        let mut book = self.book.lock().await;
        if self.proxies.state(&wanted.name).is_ok() {
            return Err(Refusal::new(409, "proxy already exists"));
        }
        let name = wanted.name.clone();
        self.make(&mut book, wanted).await?;
        Reply::json(201, &self.shown(&mut book, &name)?)
    }

    /// `DELETE /proxies/{p}`.
    pub(super) async fn delete(&self, name: &str) -> Answer {
        let mut book = self.book.lock().await;
        self.proxies.remove(name).await?;
        book.rows.remove(name);
        Ok(Reply::empty(204))
    }

    /// `POST` or `PATCH /proxies/{p}`.
    pub(super) async fn change(&self, name: &str, body: &[u8]) -> Answer {
        let mut book = self.book.lock().await;
        let state = self.proxies.state(name).map_err(|_| Refusal::no_proxy())?;
        let fields = Fields::read(body)?;
        let (listen, upstream) = (fields.text("listen")?, fields.text("upstream")?);
        let enabled = fields.truth("enabled")?;
        let mut row = book.rows.get(name).cloned().unwrap_or_else(|| typed(&state));
        let to_listen = match &listen {
            Some(text) if *text != row.listen || !row.started => address::listen(text, &self.gate.listen).await?,
            _ => state.listen,
        };
        let to_upstream = match &upstream {
            Some(text) if text.is_empty() => return Err(Refusal::missing("upstream")),
            Some(text) if *text != row.upstream => address::upstream(text, &self.gate.guard).await?,
            _ => state.upstream,
        };
        self.turn(&state, (to_listen, to_upstream), enabled.unwrap_or(state.enabled)).await?;
        row.started = self.proxies.state(name)?.enabled || (row.started && listen.is_none());
        row.listen = listen.unwrap_or(row.listen);
        row.upstream = upstream.unwrap_or(row.upstream);
        book.rows.insert(name.to_owned(), row);
        Reply::json(200, &self.shown(&mut book, name)?)
    }

    /// Leads a proxy to new addresses and switches it on or off; when that fails it is what it was.
    async fn turn(
        &self,
        old: &ProxyState,
        (listen, upstream): (std::net::SocketAddr, std::net::SocketAddr),
        enabled: bool,
    ) -> Result<(), Refusal> {
        if old.enabled && !enabled {
            self.proxies.disable(&old.name).await?;
        }
        self.proxies.readdress(&old.name, listen, upstream).await?;
        if !enabled || old.enabled {
            return Ok(());
        }
        if let Err(error) = self.proxies.enable(&old.name).await {
            self.proxies.readdress(&old.name, old.listen, old.upstream).await?;
            return Err(error.into());
        }
        Ok(())
    }

    /// `POST /populate`. What was made stays, and comes back beside the refusal.
    pub(super) async fn populate(&self, body: &[u8]) -> Answer {
        let mut book = self.book.lock().await;
        let mut done = Vec::new();
        match self.fill(&mut book, body, &mut done).await {
            Ok(()) => {
                let all: Result<Vec<ProxyJson>, Refusal> =
                    done.iter().map(|name| self.shown(&mut book, name)).collect();
                Reply::proxies(201, None, &all?)
            }
            Err(refusal) => {
                let all: Vec<ProxyJson> = done.iter().filter_map(|name| self.shown(&mut book, name).ok()).collect();
                Reply::proxies(refusal.status, Some(&refusal), &all)
            }
        }
    }

    async fn fill(&self, book: &mut Book, body: &[u8], done: &mut Vec<String>) -> Result<(), Refusal> {
        let items = match first(body)? {
            Value::Array(items) => items,
            Value::Null => Vec::new(),
            _ => return Err(Refusal::body("it must be a list of proxies")),
        };
        let mut wanted = Vec::with_capacity(items.len());
        for (nth, item) in (1..).zip(items) {
            let at = |refusal: Refusal| Refusal { message: format!("{} at proxy {nth}", refusal.message), ..refusal };
            wanted.push(Fields::of(item, "").and_then(|fields| read_proxy(&fields)).map_err(at)?);
        }
        for one in wanted {
            let name = one.name.clone();
            match self.proxies.state(&name) {
                Err(_) => self.make(book, one).await?,
                Ok(state) => self.keep_or_replace(book, &state, one).await?,
            }
            done.push(name);
        }
        Ok(())
    }

    /// Kept with its toxics when it leads from and to the same; else replaced by a new one.
    async fn keep_or_replace(&self, book: &mut Book, state: &ProxyState, wanted: Wanted) -> Result<(), Refusal> {
        let listen = address::listen(&wanted.listen, &self.gate.listen).await?;
        let upstream = address::upstream(&wanted.upstream, &self.gate.guard).await?;
        if (listen, upstream) != (state.listen, state.upstream) {
            self.proxies.remove(&state.name).await?;
            book.rows.remove(&state.name);
            return self.make(book, wanted).await;
        }
        if let Some(toxics) = wanted.toxics {
            book.refuse_while_stopped(&toxics)?;
            book.prune(&self.proxies);
            let row = book.rows.entry(state.name.clone()).or_insert_with(|| typed(state));
            for old in std::mem::take(&mut row.toxics) {
                self.proxies.heal(&fault_name(&state.name, &old.name)).await?;
            }
            for toxic in toxics {
                self.proxies.put(toxic.fault(&state.name), self.ttl).await?;
                row.toxics.push(toxic);
            }
        }
        self.turn(state, (listen, upstream), wanted.enabled.unwrap_or(state.enabled)).await
    }

    /// Makes a proxy with its toxics in force before it listens; nothing of it is left when that fails.
    async fn make(&self, book: &mut Book, wanted: Wanted) -> Result<(), Refusal> {
        let Wanted { name, listen, upstream, enabled, toxics } = wanted;
        let from = address::listen(&listen, &self.gate.listen).await?;
        let to = address::upstream(&upstream, &self.gate.guard).await?;
        let toxics = toxics.unwrap_or_default();
        book.refuse_while_stopped(&toxics)?;
        self.proxies.define(ProxySpec { listen: from, ..spec(&name, to) })?;
        let started = enabled.unwrap_or(true);
        if let Err(error) = self.furnish(&name, &toxics, started).await {
            self.proxies.remove(&name).await?;
            return Err(error.into());
        }
        book.rows.insert(name, Row { listen, upstream, toxics, started });
        Ok(())
    }

    async fn furnish(&self, name: &str, toxics: &[ToxicRow], started: bool) -> Result<(), FaultError> {
        for toxic in toxics {
            self.proxies.put(toxic.fault(name), self.ttl).await?;
        }
        if started {
            self.proxies.enable(name).await?;
        }
        Ok(())
    }

    /// `POST /proxies/{p}/toxics`.
    pub(super) async fn add_toxic(&self, name: &str, body: &[u8]) -> Answer {
        let mut book = self.book.lock().await;
        let state = self.proxies.state(name).map_err(|_| Refusal::no_proxy())?;
        book.prune(&self.proxies);
        let stopped = book.stopped;
        let row = book.rows.entry(name.to_owned()).or_insert_with(|| typed(&state));
        let toxic = read_toxic(&Fields::read(body)?, &row.toxics)?;
        if stopped {
            return Err(Refusal::stopped());
        }
        self.proxies.put(toxic.fault(name), self.ttl).await?;
        row.toxics.push(toxic.clone());
        Reply::json(200, &toxic)
    }

    /// `POST` or `PATCH /proxies/{p}/toxics/{t}`.
    pub(super) async fn change_toxic(&self, name: &str, toxic: &str, body: &[u8]) -> Answer {
        let mut book = self.book.lock().await;
        self.shown(&mut book, name)?;
        let stopped = book.stopped;
        let rows = book.rows.get_mut(name).map(|row| &mut row.toxics).ok_or_else(Refusal::no_toxic)?;
        let row = rows.iter_mut().find(|row| row.name == toxic).ok_or_else(Refusal::no_toxic)?;
        let fields = Fields::read(body)?;
        let toxicity = fields.number("toxicity")?.map(share).transpose()?.unwrap_or(row.toxicity);
        let attributes = row.attributes.clone().merged(row.of, &fields.object("attributes", "attributes.")?)?;
        if stopped {
            return Err(Refusal::stopped());
        }
        let changed = ToxicRow { toxicity, attributes, ..row.clone() };
        self.proxies.put(changed.fault(name), self.ttl).await?;
        *row = changed.clone();
        Reply::json(200, &changed)
    }

    /// `DELETE /proxies/{p}/toxics/{t}`.
    pub(super) async fn remove_toxic(&self, name: &str, toxic: &str) -> Answer {
        let mut book = self.book.lock().await;
        self.shown(&mut book, name)?;
        let rows = book.rows.get_mut(name).map(|row| &mut row.toxics).ok_or_else(Refusal::no_toxic)?;
        let place = rows.iter().position(|row| row.name == toxic).ok_or_else(Refusal::no_toxic)?;
        rows.remove(place);
        let healed = self.proxies.heal(&fault_name(name, toxic)).await?;
        punctual(std::slice::from_ref(&healed))?;
        tracing::debug!(toxic, took = show(healed.took), "toxic removed");
        Ok(Reply::empty(204))
    }

    /// `POST /reset`: everything heals, every proxy starts; those that cannot are named.
    pub(super) async fn reset(&self) -> Answer {
        let mut book = self.book.lock().await;
        let healed = self.proxies.heal_all().await;
        let mut failed = Vec::new();
        for state in self.proxies.states() {
            if let Err(error) = self.proxies.enable(&state.name).await {
                failed.push(format!("{}: {}", state.name, Refusal::from(error).message));
            } else if let Some(row) = book.rows.get_mut(&state.name) {
                row.started = true;
            }
        }
        book.prune(&self.proxies);
        punctual(&healed)?;
        if failed.is_empty() { Ok(Reply::empty(204)) } else { Err(Refusal::new(500, failed.join("; "))) }
    }

    fn shown(&self, book: &mut Book, name: &str) -> Result<ProxyJson, Refusal> {
        let state = self.proxies.state(name).map_err(|_| Refusal::no_proxy())?;
        book.prune(&self.proxies);
        Ok(book.show(&state))
    }
}

/// The row of a proxy that no client has written.
fn typed(state: &ProxyState) -> Row {
    Row { listen: state.listen.to_string(), upstream: state.upstream.to_string(), toxics: Vec::new(), started: true }
}

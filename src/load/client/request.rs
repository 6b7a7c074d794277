//! A request step compiled once: what never varies is parsed and laid out before the first arrival.
//!
//! Not here: sending (`h1`), values of variables (`load::user`).

use std::str::FromStr;

use bytes::Bytes;
use futures::FutureExt;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue,
};
use hyper::http::{Method, Uri};

use super::h1::Prepared;
use crate::load::LoadError;
use crate::plan::load::{Client, LoadPlan};
use crate::plan::program::{Body, Chunk, Http};
use crate::plan::template::{Template, VarId};

/// A compiled request.
#[derive(Debug)]
pub struct Mould {
    method: Method,
    uri: Part<Uri>,
    /// Headers that never vary, `host` among them.
    headers: HeaderMap,
    varied: Vec<(HeaderName, Template)>,
    body: Content,
}

/// A body: laid out once, or put together for each request.
#[derive(Debug)]
enum Content {
    Fixed(Bytes),
    /// Texts with variables, and what stands between them.
    Varied(Vec<Segment>),
}

#[derive(Debug)]
enum Segment {
    Text(Template),
    Bytes(Bytes),
}

impl Content {
    fn new(body: Option<&Body>) -> Result<Self, LoadError> {
        let Some(body) = body else { return Ok(Self::Fixed(Bytes::new())) };
        let segment = |chunk: &Chunk| match chunk {
            Chunk::File(file) => file
                .bytes()
                .map(|bytes| Segment::Bytes(Bytes::from_owner(bytes)))
                .map_err(|why| LoadError::File { path: file.path.clone(), why }),
            Chunk::Text(text) => Ok(text.as_fixed().map_or_else(
                || Segment::Text(text.clone()),
                |text| Segment::Bytes(Bytes::copy_from_slice(text.as_bytes())),
            )),
        };
        let mut segments = body.0.iter().map(segment).collect::<Result<Vec<_>, _>>()?;
        if let [Segment::Bytes(bytes)] = segments.as_slice() {
            return Ok(Self::Fixed(bytes.clone()));
        }
        if segments.iter().all(|one| matches!(one, Segment::Bytes(_))) {
            let whole = segments.drain(..).fold(Vec::new(), |mut whole, one| {
                if let Segment::Bytes(bytes) = one {
                    whole.extend_from_slice(&bytes);
                }
                whole
            });
            return Ok(Self::Fixed(whole.into()));
        }
        Ok(Self::Varied(segments))
    }

    fn cast<'a>(&self, value: impl Fn(VarId) -> &'a str) -> Bytes {
        let segments = match self {
            Self::Fixed(bytes) => return bytes.clone(),
            Self::Varied(segments) => segments,
        };
        if let [Segment::Text(template)] = segments.as_slice() {
            let mut text = String::new();
            template.render(&value, &mut text);
            return Bytes::from(text);
        }
        let mut whole = Vec::new();
        let mut text = String::new();
        for segment in segments {
            match segment {
                Segment::Bytes(bytes) => whole.extend_from_slice(bytes),
                Segment::Text(template) => {
                    text.clear();
                    template.render(&value, &mut text);
                    whole.extend_from_slice(text.as_bytes());
                }
            }
        }
        whole.into()
    }
}

/// Path and query of a request that is ready to leave.
pub fn path_of(request: &Prepared) -> &str {
    request.uri().path_and_query().map_or("/", |path| path.as_str())
}

/// A request as people read it: its first line towards `origin`, its headers, its body.
pub fn shown(request: &Prepared, origin: &str) -> (String, Vec<(String, String)>, String) {
    let line = format!("{} {origin}{}", request.method(), path_of(request));
    // Its body is whole: all of it is its first and only part.
    let body = request.body().clone().frame().now_or_never().flatten().and_then(Result::ok);
    let body = body.and_then(|frame| frame.into_data().ok()).unwrap_or_default();
    (line, texts(request.headers()), String::from_utf8_lossy(&body).into_owned())
}

/// Headers as texts.
pub fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// Adds cookies to those the author wrote; false when they cannot stand in a header.
pub fn carry(request: &mut Prepared, cookies: &str) -> bool {
    let written = request.headers().get(COOKIE).and_then(|value| value.to_str().ok());
    let all = written.map_or_else(|| cookies.to_owned(), |written| format!("{written}; {cookies}"));
    HeaderValue::from_str(&all).is_ok_and(|value| {
        request.headers_mut().insert(COOKIE, value);
        true
    })
}

#[derive(Debug)]
enum Part<T> {
    Fixed(T),
    Varied(Template),
}

impl Mould {
    /// Compiles `http` of `plan`; the headers of its client come first, the step's replace them.
    ///
    /// # Errors
    /// When a fixed part cannot be sent: a method, path or header that HTTP does not allow.
    pub fn new(plan: &LoadPlan, client: &Client, http: &Http) -> Result<Self, LoadError> {
        let wrong = |what: &str, text: &str| LoadError::Unsendable { what: what.to_owned(), text: text.to_owned() };
        let origin = plan.origins.get(http.origin).ok_or_else(|| wrong("origin", &http.origin.to_string()))?;
        let method = Method::from_str(&http.method).map_err(|_| wrong("method", &http.method))?;
        let uri = match http.path.as_fixed() {
            Some(path) => Part::Fixed(Uri::from_str(path).map_err(|_| wrong("path", path))?),
            None => Part::Varied(http.path.clone()),
        };
        let body = Content::new(http.body.as_ref())?;
        let mut mould = Self { method, uri, headers: HeaderMap::new(), varied: Vec::new(), body };
        let authority = origin.authority();
        let host = HeaderValue::from_str(&authority).map_err(|_| wrong("host", &authority))?;
        mould.headers.insert(HOST, host);
        let own = |name: &str| http.headers.iter().any(|(own, _)| own == name);
        for (name, value) in client.headers.iter().filter(|(name, _)| !own(name)).chain(&http.headers) {
            mould.header(name, value)?;
        }
        // Without a body hyper says nothing of its length; servers may insist on it for these methods.
        let expects = [Method::POST, Method::PUT, Method::PATCH].contains(&mould.method);
        if expects && matches!(&mould.body, Content::Fixed(body) if body.is_empty()) {
            mould.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Ok(mould)
    }

    fn header(&mut self, name: &str, value: &Template) -> Result<(), LoadError> {
        let wrong = |text: &str| LoadError::Unsendable { what: "header".to_owned(), text: text.to_owned() };
        let header = HeaderName::from_str(name).map_err(|_| wrong(name))?;
        if let Some(text) = value.as_fixed() {
            self.headers.append(header, HeaderValue::from_str(text).map_err(|_| wrong(text))?);
        } else {
            self.varied.push((header, value.clone()));
        }
        Ok(())
    }

    /// The request that follows a redirect to `path` at `authority`: `keeps` its method and body or becomes a GET. What
    /// belongs to the origin stays there.
    pub fn hop<'a>(
        &self,
        value: impl Fn(VarId) -> &'a str,
        (authority, path): (&str, &str),
        (is_foreign, keeps): (bool, bool),
    ) -> Option<Prepared> {
        let mut request = self.cast(value)?;
        *request.uri_mut() = Uri::from_str(path).ok()?;
        request.headers_mut().insert(HOST, HeaderValue::from_str(authority).ok()?);
        if is_foreign {
            request.headers_mut().remove(AUTHORIZATION);
        }
        if !keeps && *request.method() != Method::HEAD {
            *request.method_mut() = Method::GET;
            *request.body_mut() = Full::new(Bytes::new());
            request.headers_mut().remove(CONTENT_LENGTH);
            request.headers_mut().remove(CONTENT_TYPE);
        }
        Some(request)
    }

    /// Path and query with `value(var)` in their places.
    pub fn path<'a>(&self, value: impl Fn(VarId) -> &'a str) -> String {
        match &self.uri {
            Part::Fixed(uri) => uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            Part::Varied(template) => {
                let mut text = String::new();
                template.render(&value, &mut text);
                text
            }
        }
    }

    /// The request with `value(var)` in its places; `None` when a value cannot stand where it is put.
    pub fn cast<'a>(&self, value: impl Fn(VarId) -> &'a str) -> Option<Prepared> {
        let mut text = String::new();
        let uri = match &self.uri {
            Part::Fixed(uri) => uri.clone(),
            Part::Varied(template) => {
                template.render(&value, &mut text);
                Uri::from_str(&text).ok()?
            }
        };
        let mut headers = self.headers.clone();
        for (name, template) in &self.varied {
            text.clear();
            template.render(&value, &mut text);
            headers.append(name, HeaderValue::from_str(&text).ok()?);
        }
        let body = self.body.cast(&value);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Some(request)
    }
}

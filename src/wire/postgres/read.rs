//! The fields of the messages that matter to a proxy. `None` where a body does not hold what its type promises.
//!
//! Pure; nothing is copied. Not here: types and lengths (`frame`).

/// Takes a text that ends in a zero byte off `body`.
fn text<'a>(body: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = body.iter().position(|byte| *byte == 0)?;
    let (text, rest) = body.split_at(end);
    *body = rest.get(1..)?;
    Some(text)
}

/// The text of a `Query`.
pub fn query(mut body: &[u8]) -> Option<&str> {
    std::str::from_utf8(text(&mut body)?).ok()
}

/// Name and text of a `Parse`.
pub fn parse(mut body: &[u8]) -> Option<(&[u8], &str)> {
    let name = text(&mut body)?;
    Some((name, std::str::from_utf8(text(&mut body)?).ok()?))
}

/// Portal and statement of a `Bind`.
pub fn bind(mut body: &[u8]) -> Option<(&[u8], &[u8])> {
    Some((text(&mut body)?, text(&mut body)?))
}

/// The portal of an `Execute`.
pub fn execute(mut body: &[u8]) -> Option<&[u8]> {
    text(&mut body)
}

/// Kind (`S` or `P`) and name of a `Close` or `Describe`.
pub fn target(body: &[u8]) -> Option<(u8, &[u8])> {
    let (kind, mut rest) = body.split_first()?;
    Some((*kind, text(&mut rest)?))
}

/// The status in a `ReadyForQuery`: `I`, `T` or `E`.
pub fn status(body: &[u8]) -> Option<u8> {
    body.first().copied().filter(|status| matches!(status, b'I' | b'T' | b'E'))
}

/// The SQLSTATE of an `ErrorResponse`.
pub fn sqlstate(body: &[u8]) -> Option<&str> {
    field(body, b'C')
}

/// The severity of an `ErrorResponse`, in English (`V`), from servers that send it.
pub fn severity(body: &[u8]) -> Option<&str> {
    field(body, b'V').or_else(|| field(body, b'S'))
}

fn field(mut body: &[u8], wanted: u8) -> Option<&str> {
    while let Some((kind, rest)) = body.split_first() {
        if *kind == 0 {
            return None;
        }
        body = rest;
        let value = text(&mut body)?;
        if *kind == wanted {
            return std::str::from_utf8(value).ok();
        }
    }
    None
}

/// Name and value of a `ParameterStatus`.
pub fn parameter(mut body: &[u8]) -> Option<(&str, &str)> {
    let name = std::str::from_utf8(text(&mut body)?).ok()?;
    Some((name, std::str::from_utf8(text(&mut body)?).ok()?))
}

/// The first column of a `DataRow`; `None` when it is NULL or absent.
pub fn first_column(body: &[u8]) -> Option<&[u8]> {
    let length = i32::from_be_bytes(body.get(2..6)?.try_into().ok()?);
    body.get(6..)?.get(..usize::try_from(length).ok()?)
}

//! Values between SQLite and the wire: column types from declarations, rows out, parameters in.
//!
//! SQLite knows a type only for a column of a table. An expression gets the type of the table column of the same name
//! (so that `RETURNING version` works), else BIGINT when its name starts with `count` or `sum`, else TEXT.
//! Called by `session` and `protocol`.

use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use pgwire::api::Type;
use pgwire::api::portal::Portal;
use pgwire::api::results::{FieldFormat, FieldInfo};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::data::DataRow;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Statement};

use super::session::refused;

/// A column of an answer: name and type.
pub(super) type Column = (String, Type);

fn declared(declaration: &str) -> Type {
    let word = declaration.split('(').next().unwrap_or_default().trim().to_uppercase();
    match word.as_str() {
        "BIGINT" | "INT8" => Type::INT8,
        "INT" | "INTEGER" | "INT4" => Type::INT4,
        "SMALLINT" => Type::INT2,
        "BOOLEAN" | "BOOL" => Type::BOOL,
        "DOUBLE PRECISION" | "REAL" | "FLOAT" => Type::FLOAT8,
        "BYTEA" | "BLOB" => Type::BYTEA,
        _ => Type::TEXT,
    }
}

/// The columns a statement answers with, and their types.
pub(super) fn columns(connection: &Connection, statement: &Statement<'_>) -> Vec<Column> {
    statement
        .columns()
        .map(|column| {
            let name = column.name();
            let kind = match column.decl_type() {
                Some(declaration) => declared(declaration),
                None => namesake(connection, name).unwrap_or_else(|| guessed(name)),
            };
            (name.to_owned(), kind)
        })
        .collect()
}

fn guessed(name: &str) -> Type {
    let name = name.to_lowercase();
    if name.starts_with("count") || name.starts_with("sum") { Type::INT8 } else { Type::TEXT }
}

fn namesake(connection: &Connection, name: &str) -> Option<Type> {
    connection
        .prepare_cached(
            "SELECT c.type FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND c.name = ?1",
        )
        .and_then(|mut statement| statement.query_row([name], |row| row.get::<_, String>(0)))
        .ok()
        .map(|declaration| declared(&declaration))
}

/// The columns as the protocol describes them, each in the format that `format` gives for its place.
pub(super) fn fields(columns: &[Column], format: impl Fn(usize) -> FieldFormat) -> Arc<Vec<FieldInfo>> {
    let field =
        |(at, (name, kind)): (usize, &Column)| FieldInfo::new(name.clone(), None, None, kind.clone(), format(at));
    Arc::new(columns.iter().enumerate().map(field).collect())
}

/// One row of an answer. Fails with 22P02 when SQLite holds a value that is not of the column's type.
pub(super) fn encode(row: &rusqlite::Row<'_>, fields: &[FieldInfo]) -> PgWireResult<DataRow> {
    let mut data = BytesMut::with_capacity(fields.len() * 16);
    for (at, field) in fields.iter().enumerate() {
        let value = row.get_ref(at).map_err(|error| refused("XX000", error.to_string()))?;
        if value == ValueRef::Null {
            data.put_i32(-1);
            continue;
        }
        let length_at = data.len();
        data.put_i32(0);
        match field.format() {
            FieldFormat::Text => put_text(&mut data, value, field.datatype()),
            FieldFormat::Binary => put_binary(&mut data, value, field)?,
        }
        let length = i32::try_from(data.len() - length_at - 4).unwrap_or(i32::MAX);
        data[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(DataRow::new(data, i16::try_from(fields.len()).unwrap_or(i16::MAX)))
}

fn put_text(data: &mut BytesMut, value: ValueRef<'_>, kind: &Type) {
    match value {
        ValueRef::Null => {}
        ValueRef::Integer(n) if *kind == Type::BOOL => data.put_slice(if n == 0 { b"f" } else { b"t" }),
        ValueRef::Integer(n) => data.put_slice(n.to_string().as_bytes()),
        ValueRef::Real(x) => data.put_slice(x.to_string().as_bytes()),
        ValueRef::Text(text) => data.put_slice(text),
        ValueRef::Blob(bytes) => {
            data.put_slice(b"\\x");
            for byte in bytes {
                data.put_slice(format!("{byte:02x}").as_bytes());
            }
        }
    }
}

fn put_binary(data: &mut BytesMut, value: ValueRef<'_>, field: &FieldInfo) -> PgWireResult<()> {
    let kind = field.datatype();
    let misfit = || refused("22P02", format!("the value of column {} is not of type {}", field.name(), kind.name()));
    match value {
        ValueRef::Integer(n) if *kind == Type::INT8 => data.put_i64(n),
        ValueRef::Integer(n) if *kind == Type::INT4 => data.put_i32(i32::try_from(n).map_err(|_| misfit())?),
        ValueRef::Integer(n) if *kind == Type::INT2 => data.put_i16(i16::try_from(n).map_err(|_| misfit())?),
        ValueRef::Integer(n) if *kind == Type::BOOL => data.put_u8(u8::from(n != 0)),
        ValueRef::Integer(n) if *kind == Type::FLOAT8 => data.put_f64(n as f64),
        ValueRef::Real(x) if *kind == Type::FLOAT8 => data.put_f64(x),
        ValueRef::Blob(bytes) if *kind == Type::BYTEA => data.put_slice(bytes),
        // The binary form of a text is the text.
        any if *kind == Type::TEXT => put_text(data, any, kind),
        _ => return Err(misfit()),
    }
    Ok(())
}

/// Parameter `at` of a bound statement, as SQLite takes it.
pub(super) fn parameter<S: Clone>(portal: &Portal<S>, at: usize, kind: &Type) -> PgWireResult<Value> {
    let bound = |value: Option<Value>| value.unwrap_or(Value::Null);
    Ok(match *kind {
        Type::INT8 => bound(portal.parameter::<i64>(at, kind)?.map(Value::Integer)),
        Type::INT4 => bound(portal.parameter::<i32>(at, kind)?.map(|n| Value::Integer(n.into()))),
        Type::INT2 => bound(portal.parameter::<i16>(at, kind)?.map(|n| Value::Integer(n.into()))),
        Type::BOOL => bound(portal.parameter::<bool>(at, kind)?.map(|yes| Value::Integer(yes.into()))),
        Type::FLOAT8 => bound(portal.parameter::<f64>(at, kind)?.map(Value::Real)),
        Type::BYTEA => bound(portal.parameter::<Vec<u8>>(at, kind)?.map(Value::Blob)),
        Type::TEXT | Type::VARCHAR => bound(portal.parameter::<String>(at, kind)?.map(Value::Text)),
        // The client left the type open: its text is compared with the column's affinity, which is SQLite's own rule.
        Type::UNKNOWN => bound(portal.parameter::<String>(at, &Type::TEXT)?.map(Value::Text)),
        _ => return Err(PgWireError::InvalidRustTypeForParameter(kind.name().to_owned())),
    })
}

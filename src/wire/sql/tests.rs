//! Shapes, verbs and tables of statements as applications write them.

use proptest::prelude::*;

use super::*;

fn shape(text: &str) -> String {
    Shape::of(text).text
}

fn tables(text: &str) -> Vec<String> {
    Shape::of(text).tables.into_iter().collect()
}

fn verbs(text: &str) -> Vec<Verb> {
    Shape::of(text).statements.iter().map(|statement| statement.verb).collect()
}

#[test]
fn a_shape_holds_no_value_and_folds_lists() {
    let rows = [
        ("SELECT  *\n FROM Orders WHERE id = 42 -- by id", "select * from orders where id = ?"),
        ("select * from orders where id=$1;", "select * from orders where id = ?"),
        ("select a from t where x in (1, 2,3) and y in ($1)", "select a from t where x in(?) and y in(?)"),
        ("insert into t values (1, 'a'), (2, 'b'), (3, 'c')", "insert into t values(?)"),
        ("insert into t values (1, now()), (2, now())", "insert into t values(?, now())"),
        ("update t set x = x - 1, y = -1 where z > -5", "update t set x = x - ?, y = ? where z > ?"),
        ("select 'a' || E'b\\'c' from \"T\"", "select ? | | ? from \"T\""),
        ("/* user 7 */ select f(1, g(2, 3))", "select f(?, g(?))"),
    ];
    for (text, expected) in rows {
        assert_eq!(shape(text), expected, "{text}");
    }
}

#[test]
fn equal_shapes_have_equal_numbers_and_others_differ() {
    let of = |text: &str| Shape::of(text).fingerprint;
    assert_eq!(of("select 1 from a where b in (1,2)"), of("SELECT 99 FROM A WHERE b IN ($1, $2, $3)"));
    assert_ne!(of("select 1 from a"), of("select 1 from b"));
    assert_eq!(of("select 1").to_string().len(), 16);
    assert_eq!(Fingerprint::parse(&of("select 1").to_string()), Some(of("select 1")));
    assert_eq!(Fingerprint::parse("xyz"), None);
}

#[test]
fn tables_are_what_follows_the_keywords() {
    let rows: [(&str, &[&str]); 19] = [
        ("select * from orders o, public.items as i where o.id = i.oid", &["orders", "public.items"]),
        ("select * from a join b using (x) left join \"C\" on true", &["C", "a", "b"]),
        ("insert into t (a, b) select 1, 2 from u", &["t", "u"]),
        ("update only t set a = 1 from u where t.x = u.x", &["t", "u"]),
        ("delete from t using u where t.x = u.x", &["t"]),
        ("select * from (select * from inner_one) s, (a cross join b) x", &["a", "b", "inner_one"]),
        ("select * from t for update", &["t"]),
        ("select * from t for no key update of t", &["t"]),
        ("insert into t values (1) on conflict do update set a = 2", &["t"]),
        ("with made as (select * from real_one) select * from made join t on true", &["real_one", "t"]),
        ("with made(x, y) as materialized (select 1, 2) select * from made", &[]),
        ("select extract(year from ts), trim(both from y) from t", &["t"]),
        ("select * from generate_series(1, 3) g, t", &["t"]),
        ("select a is distinct from b from t", &["t"]),
        ("create table if not exists t (a int)", &["t"]),
        ("truncate t", &["t"]),
        ("select count(*) from t where id in (select oid from items)", &["items", "t"]),
        ("select 'from nowhere'", &[]),
        ("select * from lateral (select 1 from t) x", &["t"]),
    ];
    for (text, expected) in rows {
        assert_eq!(tables(text), expected, "{text}");
    }
    let shape = Shape::of("select * from shop.orders");
    assert!(shape.names("orders") && shape.names("shop.orders") && !shape.names("shop"));
}

#[test]
fn a_verb_is_what_a_statement_does() {
    use Verb as V;
    let rows: [(&str, &[Verb]); 14] = [
        ("select 1; insert into t values (1);", &[V::Select, V::Insert]),
        ("with x as (delete from t returning *) select * from x", &[V::Select]),
        ("with x as (select 1) update t set a = 1", &[V::Update]),
        ("(select 1)", &[V::Select]),
        ("begin; commit", &[V::Begin, V::Commit]),
        ("START TRANSACTION READ ONLY", &[V::Begin]),
        ("start replication slot x", &[V::Other]),
        ("END", &[V::Commit]),
        ("rollback to savepoint a", &[V::Savepoint]),
        ("rollback work to a", &[V::Savepoint]),
        ("commit prepared 'x'", &[V::Other]),
        ("vacuum", &[V::Other]),
        ("  ; -- nothing", &[]),
        ("do $$ begin end $$", &[V::Call]),
    ];
    for (text, expected) in rows {
        assert_eq!(verbs(text), expected, "{text}");
    }
}

#[test]
fn what_writes_and_what_becomes_of_the_transaction_is_seen() {
    let one = |text: &str| Shape::of(text).single().unwrap();
    for text in
        ["insert into t values (1)", "select * from t for update", "with x as (delete from t) select 1", "drop table t"]
    {
        assert!(one(text).writes, "{text}");
    }
    for text in ["select 1", "begin", "show x", "select * from t where a = 'for update'"] {
        assert!(!one(text).writes, "{text}");
    }
    assert_eq!(one("begin").effect, Effect::Open);
    assert_eq!(one("commit and chain").effect, Effect::Stay);
    assert_eq!(one("commit and no chain").effect, Effect::Close);
    assert_eq!(one("rollback to a").effect, Effect::Stay);
    assert_eq!(one("prepare transaction 'a'").effect, Effect::Close);
}

#[test]
fn a_trace_is_read_from_a_comment() {
    let text = "select 1 /*traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'*/";
    assert_eq!(trace_of(text), Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    assert_eq!(trace_of("select 1 /* traceparent */"), None);
    assert_eq!(trace_of("select traceparent, '00-"), None);
}

proptest! {
    #[test]
    fn no_literal_survives_into_a_shape(secret in "[a-z]{12,20}", number in 100_000_u64..) {
        let text = format!("select * from t where a = '{secret}' and b = {number} and c = $${secret}$$ -- {secret}");
        let shape = Shape::of(&text);
        prop_assert!(!shape.text.contains(&secret) && !shape.text.contains(&number.to_string()));
    }

    #[test]
    fn any_text_has_a_shape(text in "[a-z0-9 ()'\",;.$=*-]{0,80}", other in "\\PC*") {
        let (one, two) = (Shape::of(&text), Shape::of(&other));
        prop_assert!(one.statements.len() <= text.len() + 1 && two.statements.len() <= other.len() + 1);
    }
}

//! Every statement the shop sends while it serves, with its parameters' types: SQLite knows no types, so they are said.
//!
//! Both databases take these words. Prepared when a connection is made, so that one query is one round trip.

use tokio_postgres::types::Type;

/// A statement and the types of its parameters.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) text: &'static str,
    pub(super) types: &'static [Type],
}

macro_rules! statements {
    ($($name:ident ($($kind:ident),*) $text:literal;)*) => {
        $(pub(super) static $name: Statement = Statement { text: $text, types: &[$(Type::$kind),*] };)*
        /// All of them.
        pub(super) static ALL: &[&Statement] = &[$(&$name),*];
    };
}

statements! {
    USER (INT8) "SELECT name FROM users WHERE id = $1";
    PROFILE (INT8) "SELECT email, city, version FROM profiles WHERE user_id = $1";
    WRITE_PROFILE (INT8, TEXT)
        "UPDATE profiles SET city = $2, version = version + 1 WHERE user_id = $1 RETURNING email, city, version";
    STOCK (INT8) "SELECT stock FROM products WHERE id = $1";
    PRODUCT (INT8) "SELECT id, name, price_cents FROM products WHERE id = $1";
    CART (INT8) "SELECT version FROM carts WHERE user_id = $1";
    CART_LINES (INT8) "SELECT line FROM cart_items WHERE user_id = $1 ORDER BY line";
    CART_LINE (INT8, INT8)
        "SELECT i.line, i.product_id, i.quantity, i.version, p.name, p.price_cents
         FROM cart_items i JOIN products p ON p.id = i.product_id WHERE i.user_id = $1 AND i.line = $2";
    CART_JOINED (INT8)
        "SELECT i.line, i.product_id, i.quantity, i.version, p.name, p.price_cents
         FROM cart_items i JOIN products p ON p.id = i.product_id WHERE i.user_id = $1 ORDER BY i.line";
    PUT_ITEM (INT8, INT8, INT8, INT8)
        "INSERT INTO cart_items (user_id, line, product_id, quantity, version) VALUES ($1, $2, $3, $4, 1)
         ON CONFLICT (user_id, line) DO UPDATE
         SET product_id = excluded.product_id, quantity = excluded.quantity, version = cart_items.version + 1
         RETURNING version";
    TOUCH_CART (INT8) "UPDATE carts SET version = version + 1 WHERE user_id = $1 RETURNING version";
    PLACE_ORDER (INT8, INT8, TEXT)
        "INSERT INTO orders (seq, user_id, request_key, total_cents, version) VALUES ($1, $2, $3,
         (SELECT CAST(COALESCE(SUM(i.quantity * p.price_cents), 0) AS BIGINT)
          FROM cart_items i JOIN products p ON p.id = i.product_id WHERE i.user_id = $2), 1)
         ON CONFLICT (user_id, request_key) DO UPDATE SET version = orders.version
         RETURNING seq, total_cents, version";
    ORDERS (INT8) "SELECT seq, total_cents, version FROM orders WHERE user_id = $1 ORDER BY seq DESC LIMIT 20";
    ORDER (INT8, INT8) "SELECT seq, total_cents, version FROM orders WHERE user_id = $1 AND seq = $2";
}

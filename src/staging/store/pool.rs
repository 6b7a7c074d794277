//! A backend's connections: four, first come first served, two seconds of waiting at most.
//!
//! Recycled without a query, statements prepared when the connection is made. A request takes one connection and keeps
//! it until its answer is written: taken per query instead, small pages would overtake large ones and nothing would
//! ever be refused. Called by the backends.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool as Deadpool, PoolError, RecyclingMethod, Runtime,
};
use futures::future::try_join_all;
use thiserror::Error;
use tokio::sync::watch;
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};

use super::filling::{FillError, config};
use super::statements::{ALL, Statement};

/// Connections of one backend.
pub(in crate::staging) const CONNECTIONS: usize = 4;
/// The longest a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a request got no data.
#[derive(Debug, Error)]
pub(in crate::staging) enum Trouble {
    #[error("no database connection within {} s", PATIENCE.as_secs())]
    Busy,
    #[error("the database connection was cut")]
    Cut,
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    #[error("the database refused a statement: {0}")]
    Refused(#[from] tokio_postgres::Error),
}

#[derive(Debug)]
pub(in crate::staging) struct Pool {
    inner: Deadpool,
    /// Raised when the connections are cut.
    epoch: watch::Sender<u64>,
    queries: Arc<AtomicU64>,
}

impl Pool {
    /// A pool of connections to `url`; none is made yet. `queries` counts what it sends.
    pub(in crate::staging) fn new(url: &str, queries: Arc<AtomicU64>) -> Result<Self, FillError> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let prepare = Hook::async_fn(|client: &mut deadpool_postgres::ClientWrapper, _| {
            Box::pin(async move {
                // Sent together: preparing costs one round trip, not one per statement.
                let all = ALL.iter().map(|statement| client.prepare_typed_cached(statement.text, statement.types));
                try_join_all(all).await.map(drop).map_err(HookError::Backend)
            })
        });
        let inner = Deadpool::builder(Manager::from_config(config(url)?, NoTls, recycling))
            .max_size(CONNECTIONS)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .runtime(Runtime::Tokio1)
            .post_create(prepare)
            .build()
            .map_err(|error| FillError::Pool(error.to_string()))?;
        Ok(Self { inner, epoch: watch::Sender::new(0), queries })
    }

    /// A connection, once it is this request's turn.
    pub(in crate::staging) async fn take(&self) -> Result<Held, Trouble> {
        let epoch = self.epoch.subscribe();
        let client = self.inner.get().await.map_err(|error| match error {
            PoolError::Timeout(_) => Trouble::Busy,
            PoolError::Backend(error) => Trouble::Unreachable(error.to_string()),
            other => Trouble::Unreachable(other.to_string()),
        })?;
        let born = *epoch.borrow();
        Ok(Held { client: Some(client), epoch, born, queries: Arc::clone(&self.queries) })
    }

    /// Cuts every connection, in use or not.
    pub(in crate::staging) fn cut(&self) {
        self.epoch.send_modify(|epoch| *epoch += 1);
        self.inner.retain(|_, _| false);
    }

    /// Connections in use, and requests waiting for one.
    pub(in crate::staging) fn load(&self) -> (usize, usize) {
        let status = self.inner.status();
        (status.size.saturating_sub(status.available), status.waiting)
    }
}

/// A connection in the hands of one request; goes back when dropped.
#[derive(Debug)]
pub(in crate::staging) struct Held {
    client: Option<Object>,
    epoch: watch::Receiver<u64>,
    born: u64,
    queries: Arc<AtomicU64>,
}

impl Held {
    /// Sends one statement: one round trip.
    pub(super) async fn query(
        &self,
        statement: &Statement,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Trouble> {
        let Some(client) = &self.client else { return Err(Trouble::Cut) };
        self.queries.fetch_add(1, Ordering::Relaxed);
        self.uncut(async {
            let prepared = client.prepare_typed_cached(statement.text, statement.types).await?;
            client.query(&prepared, values).await
        })
        .await
    }

    /// Sends two statements in a transaction of their own; each answers with one row.
    pub(super) async fn pair(
        &mut self,
        first: (&Statement, &[&(dyn ToSql + Sync)]),
        second: (&Statement, &[&(dyn ToSql + Sync)]),
    ) -> Result<(Row, Row), Trouble> {
        // Taken out for the time of the transaction: a cut in the middle drops it, and the connection with it.
        let Some(mut client) = self.client.take() else { return Err(Trouble::Cut) };
        self.queries.fetch_add(4, Ordering::Relaxed);
        let rows = self
            .uncut(async {
                let transaction = client.transaction().await?;
                let prepared = transaction.prepare_typed_cached(first.0.text, first.0.types).await?;
                let one = transaction.query_one(&prepared, first.1).await?;
                let prepared = transaction.prepare_typed_cached(second.0.text, second.0.types).await?;
                let two = transaction.query_one(&prepared, second.1).await?;
                transaction.commit().await?;
                Ok((one, two))
            })
            .await;
        self.client = Some(client);
        rows
    }

    async fn uncut<T>(&self, work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Trouble> {
        let mut epoch = self.epoch.clone();
        tokio::select! {
            biased;
            done = work => done.map_err(|error| if error.is_closed() { Trouble::Cut } else { Trouble::Refused(error) }),
            _ = epoch.wait_for(|epoch| *epoch != self.born) => Err(Trouble::Cut),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if *self.epoch.borrow() != self.born
            && let Some(client) = self.client.take()
        {
            // Out of the pool: dropping the client closes its socket.
            drop(Object::take(client));
        }
    }
}

//! The session behind the two query protocols of PostgreSQL.
//!
//! Answers are fed and flushed once, at `Sync`: one query is one write to the socket, which is what a proxy in front
//! sees. Called by `listener`.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{Sink, SinkExt, stream};
use pgwire::api::auth::StartupHandler;
use pgwire::api::auth::noop::NoopStartupHandler;
use pgwire::api::portal::{Format, Portal};
use pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use pgwire::api::results::{
    DescribePortalResponse, DescribeStatementResponse, FieldFormat, FieldInfo, QueryResponse, Response,
};
use pgwire::api::stmt::{QueryParser, StoredStatement};
use pgwire::api::store::{Entry, PortalStore};
use pgwire::api::{ClientInfo, ClientPortalStore, DEFAULT_NAME, PgWireConnectionState, PgWireServerHandlers, Type};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::extendedquery::{Bind, BindComplete, Execute};
use pgwire::messages::response::{CommandComplete, TransactionStatus};
use pgwire::messages::startup::ParameterStatus;
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};

use super::rows::fields;
use super::session::{Outcome, Prepared, Session};
use super::sql::{Verb, split};

/// What a connection reports as the value of `squall_database`, so that a client can tell it from PostgreSQL.
const NAME: &str = "embedded";

/// The handlers of one connection.
#[derive(Clone, Debug)]
pub(super) struct Handlers(pub(super) Arc<Session>);

impl PgWireServerHandlers for Handlers {
    fn simple_query_handler(&self) -> Arc<impl SimpleQueryHandler> {
        Arc::new(self.clone())
    }
    fn extended_query_handler(&self) -> Arc<impl ExtendedQueryHandler> {
        Arc::new(self.clone())
    }
    fn startup_handler(&self) -> Arc<impl StartupHandler> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl NoopStartupHandler for Handlers {
    async fn post_startup<C>(&self, client: &mut C, _message: PgWireFrontendMessage) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let name = ParameterStatus::new("squall_database".to_owned(), NAME.to_owned());
        client.feed(PgWireBackendMessage::ParameterStatus(name)).await?;
        Ok(())
    }
}

fn response(outcome: Outcome, before: TransactionStatus) -> Response {
    match (before, outcome.status) {
        (TransactionStatus::Idle, TransactionStatus::Transaction) => Response::TransactionStart(outcome.tag),
        (TransactionStatus::Transaction | TransactionStatus::Error, TransactionStatus::Idle) => {
            Response::TransactionEnd(outcome.tag)
        }
        _ if outcome.fields.is_empty() => Response::Execution(outcome.tag),
        _ => Response::Query(QueryResponse::new(outcome.fields, stream::iter(outcome.rows.into_iter().map(Ok)))),
    }
}

#[async_trait]
impl SimpleQueryHandler for Handlers {
    async fn do_query<C>(&self, client: &mut C, query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let statements = split(query);
        let mut status = client.transaction_status();
        // Several statements in one message are one transaction, unless they say otherwise themselves.
        let together = status == TransactionStatus::Idle
            && statements.len() > 1
            && statements.iter().all(|sql| matches!(Verb::of(sql), Verb::Other(_) | Verb::Ignored));
        if together {
            self.0.run_text("BEGIN", status)?;
        }
        let mut responses = Vec::with_capacity(statements.len());
        for sql in statements {
            let inner_status = if together { TransactionStatus::Transaction } else { status };
            match self.0.run_text(sql, inner_status) {
                Ok(outcome) if together => responses.push(response(Outcome { status, ..outcome }, status)),
                Ok(outcome) => {
                    let after = outcome.status;
                    responses.push(response(outcome, status));
                    status = after;
                }
                Err(error) if together => {
                    self.0.run_text("ROLLBACK", TransactionStatus::Transaction)?;
                    return Err(error);
                }
                Err(error) => {
                    // The answers so far are lost with the error; the state they led to is not.
                    client.set_transaction_status(status);
                    return Err(error);
                }
            }
        }
        if together {
            self.0.run_text("COMMIT", TransactionStatus::Transaction)?;
        }
        Ok(responses)
    }
}

#[async_trait]
impl ExtendedQueryHandler for Handlers {
    type Statement = Arc<Prepared>;
    type QueryParser = Self;

    fn query_parser(&self) -> Arc<Self> {
        Arc::new(self.clone())
    }

    async fn on_bind<C>(&self, client: &mut C, message: Bind) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let name = message.statement_name.as_deref().unwrap_or(DEFAULT_NAME);
        match client.portal_store().get_statement(name) {
            Some(Entry::Value(statement)) => {
                client.portal_store().put_portal(Arc::new(Portal::try_new(&message, statement)?));
            }
            Some(Entry::Empty) => {
                client.portal_store().put_empty_portal(message.portal_name.as_deref().unwrap_or(DEFAULT_NAME));
            }
            None => return Err(PgWireError::StatementNotFound(name.to_owned())),
        }
        client.feed(PgWireBackendMessage::BindComplete(BindComplete::new())).await?;
        Ok(())
    }

    async fn on_execute<C>(&self, client: &mut C, message: Execute) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        let portal = match client.portal_store().get_portal(name) {
            Some(Entry::Value(portal)) if message.max_rows == 0 => portal,
            // Cursors and empty statements are rare: the library's own way.
            _ => return self._on_execute(client, message).await,
        };
        if !matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
            return Err(PgWireError::NotReadyForQuery);
        }
        let outcome = self.0.run_portal(&portal, client.transaction_status())?;
        client.set_transaction_status(outcome.status);
        for row in outcome.rows {
            client.feed(PgWireBackendMessage::DataRow(row)).await?;
        }
        client.feed(PgWireBackendMessage::CommandComplete(CommandComplete::from(outcome.tag))).await?;
        Ok(())
    }

    async fn do_query<C>(
        &self,
        client: &mut C,
        portal: &Portal<Self::Statement>,
        _max_rows: usize,
    ) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let before = client.transaction_status();
        Ok(response(self.0.run_portal(portal, before)?, before))
    }

    async fn do_describe_statement<C>(
        &self,
        _client: &mut C,
        statement: &StoredStatement<Self::Statement>,
    ) -> PgWireResult<DescribeStatementResponse>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let prepared = &statement.statement;
        let given = |at: usize| statement.parameter_types.get(at).cloned().flatten().unwrap_or(Type::TEXT);
        let kinds = (0..prepared.parameters()).map(given).collect();
        let fields = Arc::unwrap_or_clone(fields(&prepared.columns, |_| FieldFormat::Binary));
        Ok(DescribeStatementResponse::new(kinds, fields))
    }

    async fn do_describe_portal<C>(
        &self,
        _client: &mut C,
        portal: &Portal<Self::Statement>,
    ) -> PgWireResult<DescribePortalResponse>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let format = |at| portal.result_column_format.format_for(at);
        let fields = Arc::unwrap_or_clone(fields(&portal.statement.statement.columns, format));
        Ok(DescribePortalResponse::new(fields))
    }
}

#[async_trait]
impl QueryParser for Handlers {
    type Statement = Arc<Prepared>;

    async fn parse_sql<C>(
        &self,
        _client: &C,
        sql: &str,
        _types: &[Option<Type>],
    ) -> PgWireResult<Option<Self::Statement>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        Ok(Some(Arc::new(self.0.prepare(sql)?)))
    }

    fn get_parameter_types(&self, statement: &Self::Statement) -> PgWireResult<Vec<Type>> {
        Ok(vec![Type::TEXT; statement.parameters()])
    }

    fn get_result_schema(&self, statement: &Self::Statement, format: Option<&Format>) -> PgWireResult<Vec<FieldInfo>> {
        let format = |at| format.map_or(FieldFormat::Text, |format| format.format_for(at));
        Ok(Arc::unwrap_or_clone(fields(&statement.columns, format)))
    }
}

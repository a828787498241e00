//! `spin:sqlite/sqlite@3.1.0`, its asynchronous and its older synchronous half.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use wasmtime::StoreContextMut;
use wasmtime::component::{
    Accessor, Destination, FutureReader, Linker, Resource, ResourceType, StreamProducer,
    StreamReader, StreamResult,
};

use super::connection::{Connection, Rows};
use crate::abi::{SqliteError, SqliteResult, SqliteRow, SqliteValue};
use crate::faults::{Target, Verdict};
use crate::instance::{ComponentState, InstanceData};

/// Open connections of one instance (Spin's number).
const MAX_OPEN: usize = 256;

/// What a component holds.
pub(crate) struct Opened {
    label: String,
    connection: Connection,
}

type Answer<T> = Result<T, SqliteError>;
type Streamed = (
    Vec<String>,
    StreamReader<SqliteRow>,
    FutureReader<Answer<()>>,
);
type Arguments = (Resource<Opened>, String, Vec<SqliteValue>);

pub(crate) fn add_to_linker(linker: &mut Linker<InstanceData>) -> wasmtime::Result<()> {
    let mut interface = linker.instance("spin:sqlite/sqlite@3.1.0")?;
    interface.resource(
        "connection",
        ResourceType::host::<Opened>(),
        |mut cx, rep| {
            let data = cx.data_mut();
            data.table.delete(Resource::<Opened>::new_own(rep))?;
            data.open_connections = data.open_connections.saturating_sub(1);
            Ok(())
        },
    )?;
    interface.func_wrap_concurrent(
        "[static]connection.open-async",
        |accessor, (label,): (String,)| {
            Box::pin(async move {
                let component = accessor.with(|mut access| access.data_mut().component.clone());
                let allowed = admit(&component, &label).await;
                accessor.with(|mut access| Ok((open(access.data_mut(), label, allowed)?,)))
            })
        },
    )?;
    interface.func_wrap_async("[static]connection.open", |mut cx, (label,): (String,)| {
        Box::new(async move {
            let component = cx.data().component.clone();
            let allowed = admit(&component, &label).await;
            Ok((open(cx.data_mut(), label, allowed)?,))
        })
    })?;
    interface.func_wrap_concurrent(
        "[method]connection.execute-async",
        |accessor, (connection, statement, parameters): Arguments| {
            Box::pin(async move {
                let call = accessor.with(|mut access| Call::of(access.data_mut(), &connection))?;
                let answer = call.stream(accessor, statement, parameters).await?;
                Ok((answer,))
            })
        },
    )?;
    interface.func_wrap_async(
        "[method]connection.execute",
        |mut cx, (connection, statement, parameters): Arguments| {
            Box::new(async move {
                let call = Call::of(cx.data_mut(), &connection)?;
                Ok((call.collect(statement, parameters).await,))
            })
        },
    )?;
    interface.func_wrap_concurrent(
        "[method]connection.changes-async",
        |accessor, (connection,): (Resource<Opened>,)| {
            Box::pin(async move {
                let call = accessor.with(|mut access| Call::of(access.data_mut(), &connection))?;
                Ok((call.changes().await?,))
            })
        },
    )?;
    interface.func_wrap_async(
        "[method]connection.changes",
        |mut cx, (connection,): (Resource<Opened>,)| {
            Box::new(async move {
                let call = Call::of(cx.data_mut(), &connection)?;
                Ok((call.changes().await?,))
            })
        },
    )?;
    interface.func_wrap_concurrent(
        "[method]connection.last-insert-rowid-async",
        |accessor, (connection,): (Resource<Opened>,)| {
            Box::pin(async move {
                let call = accessor.with(|mut access| Call::of(access.data_mut(), &connection))?;
                Ok((call.last_insert_rowid().await?,))
            })
        },
    )?;
    interface.func_wrap_async(
        "[method]connection.last-insert-rowid",
        |mut cx, (connection,): (Resource<Opened>,)| {
            Box::new(async move {
                let call = Call::of(cx.data_mut(), &connection)?;
                Ok((call.last_insert_rowid().await?,))
            })
        },
    )?;
    Ok(())
}

/// Whether the component may open the database, and what a rule says about it.
async fn admit(component: &ComponentState, label: &str) -> Answer<()> {
    if !component.sqlite_databases.contains(label) {
        return Err(SqliteError::AccessDenied);
    }
    let target = Target::Sqlite(label.to_owned());
    match component.meet(target, "open", "").await {
        Verdict::Refuse | Verdict::LoseAnswer => Err(injected()),
        Verdict::Proceed | Verdict::CutBody(_) => Ok(()),
    }
}

fn open(
    data: &mut InstanceData,
    label: String,
    allowed: Answer<()>,
) -> wasmtime::Result<Answer<Resource<Opened>>> {
    if let Err(error) = allowed {
        return Ok(Err(error));
    }
    if data.open_connections >= MAX_OPEN {
        return Ok(Err(SqliteError::Io(
            "too many connections opened".to_owned(),
        )));
    }
    data.open_connections += 1;
    let connection = Connection::new(data.component.app.state.database_file());
    Ok(Ok(data.table.push(Opened { label, connection })?))
}

struct Call {
    component: Arc<ComponentState>,
    label: String,
    connection: Connection,
}

impl Call {
    fn of(data: &mut InstanceData, resource: &Resource<Opened>) -> wasmtime::Result<Self> {
        let opened = data.table.get(resource)?;
        Ok(Self {
            component: data.component.clone(),
            label: opened.label.clone(),
            connection: opened.connection.clone(),
        })
    }

    async fn meet(&self, statement: &str) -> Verdict {
        let target = Target::Sqlite(self.label.clone());
        self.component.meet(target, "execute", statement).await
    }

    async fn stream(
        &self,
        accessor: &Accessor<InstanceData>,
        statement: String,
        parameters: Vec<SqliteValue>,
    ) -> wasmtime::Result<Answer<Streamed>> {
        let verdict = self.meet(&statement).await;
        let rows = match verdict {
            // Told at the end of the stream, where failures of statements are.
            Verdict::Refuse => Ok(failed()),
            Verdict::Proceed | Verdict::LoseAnswer | Verdict::CutBody(_) => {
                self.connection.stream(statement, parameters).await
            }
        };
        let rows = match (verdict, rows) {
            (Verdict::LoseAnswer, Ok(mut rows)) => {
                // To its end, so that what it changes is done.
                while rows.rows.recv().await.is_some() {}
                match rows.end.await {
                    Ok(_) | Err(_) => Ok(failed()),
                }
            }
            (_, rows) => rows,
        };
        let Rows { columns, rows, end } = match rows {
            Ok(rows) => rows,
            Err(error) => return Ok(Err(error)),
        };
        let component = self.component.clone();
        let end = async move {
            let ended = end.await;
            component.app.faults.statement_ended();
            ended
        };
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, RowProducer(rows))?;
            let end = FutureReader::new(&mut access, end)?;
            Ok(Ok((columns, rows, end)))
        })
    }

    async fn collect(
        &self,
        statement: String,
        parameters: Vec<SqliteValue>,
    ) -> Answer<SqliteResult> {
        let answer = match self.meet(&statement).await {
            Verdict::Refuse => return Err(injected()),
            Verdict::LoseAnswer => self
                .connection
                .collect(statement, parameters)
                .await
                .and(Err(injected())),
            Verdict::Proceed | Verdict::CutBody(_) => {
                self.connection.collect(statement, parameters).await
            }
        };
        self.component.app.faults.statement_ended();
        answer
    }

    // These two have no error in the interface: as in Spin, one is a trap.
    async fn changes(&self) -> wasmtime::Result<u64> {
        self.connection.changes().await.map_err(trap)
    }

    async fn last_insert_rowid(&self) -> wasmtime::Result<i64> {
        self.connection.last_insert_rowid().await.map_err(trap)
    }
}

fn trap(error: SqliteError) -> wasmtime::Error {
    wasmtime::format_err!("{error:?}")
}

fn injected() -> SqliteError {
    SqliteError::Io("injected fault".to_owned())
}

fn failed() -> Rows {
    let (_, rows) = mpsc::channel(1);
    let (end_in, end) = tokio::sync::oneshot::channel();
    // The receiver is right here.
    let _ = end_in.send(Err(injected()));
    Rows {
        columns: Vec::new(),
        rows,
        end,
    }
}

struct RowProducer(mpsc::Receiver<SqliteRow>);

impl<D> StreamProducer<D> for RowProducer {
    type Item = SqliteRow;
    type Buffer = Option<SqliteRow>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if destination.remaining(store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        match self.0.poll_recv(cx) {
            Poll::Ready(Some(row)) => {
                destination.set_buffer(Some(row));
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Ready(None) => Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }
}

//! The life of instances: when one is made, takes another request, and ends.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

use crate::app::App;
use crate::instance::{ComponentState, InstanceData, Prepared};
use crate::reuse::ReuseOptions;

/// One of the instances there are, until it is dropped.
struct Counted(Arc<App>);

impl Counted {
    fn new(app: &Arc<App>) -> Self {
        app.instances
            .send_modify(|count| *count = count.saturating_add(1));
        Self(app.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0
            .instances
            .send_modify(|count| *count = count.saturating_sub(1));
    }
}

/// Makes instances of one component.
pub(crate) struct Instances {
    pub component: Arc<ComponentState>,
    pub prepared: Prepared,
    pub reuse: ReuseOptions,
}

impl HandlerState for Instances {
    type StoreData = InstanceData;
    type WorkerExpiration = Expiration;
    type WorkerState = Life;

    async fn instantiate(&self) -> wasmtime::Result<Instance<InstanceData, Expiration, Life>> {
        let counted = Counted::new(&self.component.app);
        let mut generation = self.component.app.generation.subscribe();
        let born = *generation.borrow_and_update();
        let mut store = self.prepared.store(&self.component);
        let proxy = self.prepared.handler.instantiate_async(&mut store).await?;
        let request_timeout = self
            .reuse
            .request_timeout
            .map_or(Duration::MAX, |choice| choice.pick());
        let (total, concurrent) = if self.prepared.is_reusable() {
            (
                self.reuse.max_reuse_count.pick(),
                self.reuse.max_concurrent_reuse_count.pick(),
            )
        } else {
            (1, 1)
        };
        let killed = Arc::new(AtomicBool::new(false));
        Ok(Instance {
            store,
            proxy,
            view: if self.prepared.is_reusable() {
                InstanceData::inbound_http
            } else {
                InstanceData::http
            },
            expiration: Expiration {
                idle: self.reuse.idle_timeout.pick(),
                request_timeout,
                sleep: None,
                kill: Box::pin(async move {
                    if generation.changed().await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }),
                killed: killed.clone(),
            },
            state: Life {
                component: self.component.clone(),
                request_timeout,
                total,
                concurrent,
                killed,
                born,
                _counted: counted,
            },
        })
    }
}

/// Ends an instance that idles or works for too long, or is killed.
pub(crate) struct Expiration {
    idle: Duration,
    request_timeout: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    kill: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    killed: Arc<AtomicBool>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        if self.killed.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        if self.kill.as_mut().poll(cx).is_ready() {
            self.killed.store(true, Ordering::Relaxed);
            return Poll::Ready(());
        }
        let limit = match status {
            WorkerStatus::Idle => self.idle,
            // As in Spin: work after the answer gets the same time.
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.request_timeout,
        };
        let Some(deadline) = start.checked_add(limit) else {
            return Poll::Pending;
        };
        let deadline = tokio::time::Instant::from_std(deadline);
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx)
    }
}

/// Decides which requests an instance takes.
pub(crate) struct Life {
    component: Arc<ComponentState>,
    request_timeout: Duration,
    total: usize,
    concurrent: usize,
    killed: Arc<AtomicBool>,
    /// The generation it belongs to. One of an earlier generation is being killed.
    born: u64,
    /// Dropped after the instance.
    _counted: Counted,
}

impl WorkerState for Life {
    type StoreData = InstanceData;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.total || *self.component.app.generation.borrow() != self.born {
            ShouldAccept::Never
        } else if concurrent >= self.concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, InstanceData>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        if self.request_timeout == Duration::MAX {
            Box::pin(std::future::pending())
        } else {
            Box::pin(tokio::time::sleep(self.request_timeout))
        }
    }

    fn drop(&self, store: Store<InstanceData>, result: Result<(), wasmtime::Error>) {
        // First: what the component wrote last is in the log before the reason.
        std::mem::drop(store);
        if let Err(error) = result {
            if self.killed.load(Ordering::Relaxed) {
                self.component.log("instance killed");
            } else {
                self.component.log(&format!("instance ended: {error:?}"));
            }
        }
    }
}

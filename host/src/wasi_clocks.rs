//! `wasi:clocks`, 0.2 and 0.3, over the host's clock.

use wasmtime::component::{Accessor, HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks as p2;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::p3::bindings::clocks as p3;

use crate::clock::HostClock;
use crate::instance::InstanceData;

/// Nanoseconds: what the machine's clocks offer.
const RESOLUTION: u64 = 1;

struct Clocks;

struct ClocksView<'a> {
    clock: &'a HostClock,
    table: &'a mut ResourceTable,
}

impl HasData for Clocks {
    type Data<'a> = ClocksView<'a>;
}

fn view(data: &mut InstanceData) -> ClocksView<'_> {
    ClocksView {
        clock: &data.component.app.clock,
        table: &mut data.table,
    }
}

/// Defines every clock interface; the linker must allow shadowing when it has
/// some already.
pub(crate) fn add_to_linker(linker: &mut Linker<InstanceData>) -> wasmtime::Result<()> {
    p2::wall_clock::add_to_linker::<_, Clocks>(linker, view)?;
    p2::monotonic_clock::add_to_linker::<_, Clocks>(linker, view)?;
    p3::types::add_to_linker::<_, Clocks>(linker, view)?;
    p3::system_clock::add_to_linker::<_, Clocks>(linker, view)?;
    p3::monotonic_clock::add_to_linker::<_, Clocks>(linker, view)
}

impl p2::wall_clock::Host for ClocksView<'_> {
    fn now(&mut self) -> wasmtime::Result<p2::wall_clock::Datetime> {
        let now = self.clock.wall();
        Ok(p2::wall_clock::Datetime {
            seconds: now.as_secs(),
            nanoseconds: now.subsec_nanos(),
        })
    }

    fn resolution(&mut self) -> wasmtime::Result<p2::wall_clock::Datetime> {
        Ok(p2::wall_clock::Datetime {
            seconds: 0,
            nanoseconds: 1,
        })
    }
}

impl p2::monotonic_clock::Host for ClocksView<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.clock.monotonic())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(RESOLUTION)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let deadline = self.table.push(Deadline {
            clock: self.clock.clone(),
            when,
        })?;
        subscribe(self.table, deadline)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let when = self.clock.monotonic().saturating_add(duration);
        self.subscribe_instant(when)
    }
}

struct Deadline {
    clock: HostClock,
    when: u64,
}

#[wasmtime_wasi::async_trait]
impl Pollable for Deadline {
    async fn ready(&mut self) {
        if self.clock.monotonic() >= self.when {
            // A component that polls in a loop must not keep others from running.
            tokio::task::yield_now().await;
        }
        self.clock.sleep_until(self.when).await;
    }
}

impl p3::types::Host for ClocksView<'_> {}

impl p3::system_clock::Host for ClocksView<'_> {
    fn now(&mut self) -> wasmtime::Result<p3::system_clock::Instant> {
        let now = self.clock.wall();
        Ok(p3::system_clock::Instant {
            seconds: i64::try_from(now.as_secs())?,
            nanoseconds: now.subsec_nanos(),
        })
    }

    fn get_resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(RESOLUTION)
    }
}

impl p3::monotonic_clock::Host for ClocksView<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.clock.monotonic())
    }

    fn get_resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(RESOLUTION)
    }
}

impl<T> p3::monotonic_clock::HostWithStore<T> for Clocks {
    async fn wait_until(store: &Accessor<T, Self>, when: u64) -> wasmtime::Result<()> {
        let clock = store.with(|mut access| access.get().clock.clone());
        clock.sleep_until(when).await;
        Ok(())
    }

    async fn wait_for(store: &Accessor<T, Self>, duration: u64) -> wasmtime::Result<()> {
        let clock = store.with(|mut access| access.get().clock.clone());
        let when = clock.monotonic().saturating_add(duration);
        clock.sleep_until(when).await;
        Ok(())
    }
}

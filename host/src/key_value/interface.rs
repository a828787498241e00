//! `spin:key-value/key-value@3.0.0`.

use wasmtime::component::{Accessor, FutureReader, Linker, Resource, ResourceType, StreamReader};

use crate::abi::KeyValueError;
use crate::faults::{Target, Verdict};
use crate::instance::InstanceData;

/// Open stores of one instance (Spin's number).
const MAX_OPEN: usize = 256;

/// What a component holds: the store's label.
pub(crate) struct Store(String);

type Answer<T> = Result<T, KeyValueError>;
type Keys = (StreamReader<String>, FutureReader<Answer<()>>);

pub(crate) fn add_to_linker(linker: &mut Linker<InstanceData>) -> wasmtime::Result<()> {
    let mut interface = linker.instance("spin:key-value/key-value@3.0.0")?;
    interface.resource("store", ResourceType::host::<Store>(), |mut cx, rep| {
        let data = cx.data_mut();
        data.table.delete(Resource::<Store>::new_own(rep))?;
        data.open_stores = data.open_stores.saturating_sub(1);
        Ok(())
    })?;
    interface.func_wrap_concurrent("[static]store.open", |accessor, (label,): (String,)| {
        Box::pin(async move { Ok((open(accessor, label).await?,)) })
    })?;
    interface.func_wrap_concurrent(
        "[method]store.get",
        |accessor, (store, key): (Resource<Store>, String)| {
            Box::pin(async move {
                let call = Call::meet(accessor, &store, "get", &key).await?;
                Ok((call.around_now(|call| call.data.app.key_value.get(&call.label, &key)),))
            })
        },
    )?;
    interface.func_wrap_concurrent(
        "[method]store.exists",
        |accessor, (store, key): (Resource<Store>, String)| {
            Box::pin(async move {
                let call = Call::meet(accessor, &store, "exists", &key).await?;
                Ok((call.around_now(|call| call.data.app.key_value.exists(&call.label, &key)),))
            })
        },
    )?;
    interface.func_wrap_concurrent(
        "[method]store.set",
        |accessor, (store, key, value): (Resource<Store>, String, Vec<u8>)| {
            Box::pin(async move {
                let call = Call::meet(accessor, &store, "set", &key).await?;
                let set = call.data.app.key_value.set(&call.label, &key, value);
                Ok((call.around(set).await,))
            })
        },
    )?;
    interface.func_wrap_concurrent(
        "[method]store.delete",
        |accessor, (store, key): (Resource<Store>, String)| {
            Box::pin(async move {
                let call = Call::meet(accessor, &store, "delete", &key).await?;
                let delete = call.data.app.key_value.delete(&call.label, &key);
                Ok((call.around(delete).await,))
            })
        },
    )?;
    interface.func_wrap_concurrent(
        "[method]store.get-keys",
        |accessor, (store,): (Resource<Store>,)| {
            Box::pin(async move {
                let call = Call::meet(accessor, &store, "get-keys", "").await?;
                let keys = call.around(call.data.app.key_value.keys(&call.label)).await;
                Ok((stream(accessor, keys)?,))
            })
        },
    )?;
    Ok(())
}

async fn open(
    accessor: &Accessor<InstanceData>,
    label: String,
) -> wasmtime::Result<Answer<Resource<Store>>> {
    let component = accessor.with(|mut access| access.data_mut().component.clone());
    if !component.key_value_stores.contains(&label) {
        return Ok(Err(KeyValueError::AccessDenied));
    }
    accessor.with(|mut access| {
        let data = access.data_mut();
        if data.open_stores >= MAX_OPEN {
            return Ok(Err(KeyValueError::StoreTableFull));
        }
        data.open_stores += 1;
        Ok(Ok(data.table.push(Store(label))?))
    })
}

fn stream(accessor: &Accessor<InstanceData>, keys: Answer<Vec<String>>) -> wasmtime::Result<Keys> {
    let (keys, end) = match keys {
        Ok(keys) => (keys, Ok(())),
        Err(error) => (Vec::new(), Err(error)),
    };
    accessor.with(|mut access| {
        let keys = StreamReader::new(&mut access, keys)?;
        let end = FutureReader::new(&mut access, async move { wasmtime::error::Ok(end) })?;
        Ok((keys, end))
    })
}

/// A call that has met the rules set for its store.
struct Call {
    data: std::sync::Arc<crate::instance::ComponentState>,
    label: String,
    verdict: Verdict,
}

impl Call {
    async fn meet(
        accessor: &Accessor<InstanceData>,
        store: &Resource<Store>,
        operation: &'static str,
        key: &str,
    ) -> wasmtime::Result<Self> {
        let (data, label) = accessor.with(|mut access| {
            let data = access.data_mut();
            let label = data.table.get(store)?.0.clone();
            wasmtime::error::Ok((data.component.clone(), label))
        })?;
        let target = Target::KeyValue(label.clone());
        let verdict = data.meet(target, operation, key).await;
        Ok(Self {
            data,
            label,
            verdict,
        })
    }

    fn around_now<T>(&self, work: impl FnOnce(&Self) -> Answer<T>) -> Answer<T> {
        match self.verdict {
            Verdict::Refuse => Err(injected()),
            Verdict::LoseAnswer => work(self).and(Err(injected())),
            Verdict::Proceed | Verdict::CutBody(_) => work(self),
        }
    }

    async fn around<T>(&self, work: impl Future<Output = Answer<T>>) -> Answer<T> {
        match self.verdict {
            Verdict::Refuse => Err(injected()),
            Verdict::LoseAnswer => work.await.and(Err(injected())),
            Verdict::Proceed | Verdict::CutBody(_) => work.await,
        }
    }
}

fn injected() -> KeyValueError {
    KeyValueError::Other("injected fault".to_owned())
}

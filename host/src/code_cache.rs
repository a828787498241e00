//! The engine, and compiled components: once per process, and on disk when a
//! directory is given.

use std::collections::HashMap;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::io::Read as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use wasmtime::component::Component;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::deserialize;

/// The largest component loaded, in bytes.
const MAX_COMPONENT_BYTES: u64 = 64 * 1024 * 1024;
/// Guest code gives way to other tasks this often.
const EPOCH: Duration = Duration::from_millis(10);
/// Instances alive at once, over all hosts of the process (Spin's number).
const MAX_INSTANCES: u32 = 1_000;

type Key = [u8; 32];
/// A component, once it is loaded.
type Slot = Arc<Mutex<Option<Component>>>;

/// The engine of the process.
///
/// # Errors
///
/// The machine cannot run it (no supported instruction set, no address space).
pub(crate) fn engine() -> anyhow::Result<&'static Engine> {
    static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();
    ENGINE
        .get_or_init(|| {
            let engine = Engine::new(&config(true))
                .or_else(|_| Engine::new(&config(false)))
                .map_err(|error| format!("{error:#}"))?;
            let ticking = engine.clone();
            std::thread::Builder::new()
                .name("epoch".to_owned())
                .spawn(move || {
                    loop {
                        std::thread::sleep(EPOCH);
                        ticking.increment_epoch();
                    }
                })
                .map_err(|error| error.to_string())?;
            Ok(engine)
        })
        .as_ref()
        .map_err(|message| anyhow!("the WebAssembly engine does not start: {message}"))
}

fn config(pooling: bool) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .wasm_component_model(true)
        .wasm_component_model_async(true);
    if pooling {
        let mut pool = PoolingAllocationConfig::default();
        pool.total_component_instances(MAX_INSTANCES)
            .total_core_instances(4 * MAX_INSTANCES)
            .total_memories(MAX_INSTANCES)
            .total_tables(2 * MAX_INSTANCES)
            .total_stacks(MAX_INSTANCES)
            .table_elements(100_000)
            .max_component_instance_size(10 * 1024 * 1024)
            .max_core_instance_size(10 * 1024 * 1024)
            .max_core_instances_per_component(200)
            .max_memories_per_component(32)
            .max_tables_per_component(64)
            .max_memories_per_module(2)
            .max_tables_per_module(2)
            .linear_memory_keep_resident(2 * 1024 * 1024)
            .table_keep_resident(512 * 1024);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

/// Loads the component at `source`, compiled now or earlier.
///
/// # Errors
///
/// The file is missing, too large or no component; or `directory` can be
/// written to by others. A cache that cannot be read or written is ignored.
pub(crate) fn load(source: &Path, directory: Option<&Path>) -> anyhow::Result<Component> {
    let engine = engine()?;
    let wasm = read(source)?;
    let key: Key = hmac_sha256::Hash::hash(&wasm);

    // One lock per component: two hosts that start together compile it once.
    let slot = {
        static LOADED: OnceLock<Mutex<HashMap<Key, Slot>>> = OnceLock::new();
        let mut loaded = LOADED
            .get_or_init(Mutex::default)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        loaded.entry(key).or_default().clone()
    };
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(component) = slot.as_ref() {
        return Ok(component.clone());
    }

    let file = match directory {
        Some(directory) => {
            prepare(directory)?;
            Some(directory.join(file_name(engine, &key)))
        }
        None => None,
    };
    let kept = file
        .as_deref()
        .filter(|file| file.exists())
        .and_then(|file| deserialize::component(engine, file).ok());
    let component = match kept {
        Some(component) => component,
        None => {
            let component = Component::new(engine, &wasm)
                .map_err(anyhow::Error::from)
                .with_context(|| format!("{} is not a component", source.display()))?;
            if let Some(file) = &file {
                keep(&component, file);
            }
            component
        }
    };
    *slot = Some(component.clone());
    Ok(component)
}

fn read(source: &Path) -> anyhow::Result<Vec<u8>> {
    let described = || format!("component file {}", source.display());
    let file = fs::File::open(source).with_context(described)?;
    let mut wasm = Vec::new();
    file.take(MAX_COMPONENT_BYTES + 1)
        .read_to_end(&mut wasm)
        .with_context(described)?;
    ensure!(
        wasm.len() as u64 <= MAX_COMPONENT_BYTES,
        "{} is larger than {MAX_COMPONENT_BYTES} bytes",
        source.display()
    );
    Ok(wasm)
}

fn file_name(engine: &Engine, key: &Key) -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let content: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{content}-{:016x}.cwasm", hasher.finish())
}

/// Makes the directory, or checks that nobody else can write to it: what lies
/// in it is executed.
fn prepare(directory: &Path) -> anyhow::Result<()> {
    let described = || format!("code cache {}", directory.display());
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(described)?;
    let found = fs::symlink_metadata(directory).with_context(described)?;
    ensure!(
        found.is_dir(),
        "code cache {} is not a directory",
        directory.display()
    );
    // A file made now shows who we are.
    let probe = unique(directory, "probe");
    let own = fs::File::create_new(&probe)
        .and_then(|file| file.metadata())
        .with_context(described);
    let removed = fs::remove_file(&probe).with_context(described);
    let own = own?;
    removed?;
    ensure!(
        found.uid() == own.uid() && found.mode() & 0o022 == 0,
        "code cache {} belongs to, or can be written by, somebody else",
        directory.display()
    );
    Ok(())
}

fn unique(directory: &Path, name: &str) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    directory.join(format!("{name}-{}-{number}.tmp", std::process::id()))
}

/// Writes compiled code beside its place and moves it there, so that nobody
/// reads half a file. A failure only costs the next start its time.
fn keep(component: &Component, file: &Path) {
    let (Ok(code), Some(directory)) = (component.serialize(), file.parent()) else {
        return;
    };
    let partial = unique(directory, "code");
    let written = fs::write(&partial, code).and_then(|()| fs::rename(&partial, file));
    if written.is_err() {
        // Nothing depends on the leftover being gone.
        let _ = fs::remove_file(&partial);
    }
}

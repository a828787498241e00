//! How much linear memory an instance has had.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::ResourceLimiter;

/// The most that one instance of a component has had, in bytes.
#[derive(Debug, Default)]
pub(crate) struct Peak(AtomicUsize);

impl Peak {
    fn note(&self, bytes: usize) {
        self.0.fetch_max(bytes, Ordering::Relaxed);
    }

    /// What it was, and begins anew: an instance that is alive counts again when it grows and when it
    /// ends.
    pub(crate) fn take(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// Follows the memories of one instance. They never shrink.
pub(crate) struct Meter {
    peak: Arc<Peak>,
    bytes: usize,
}

impl Meter {
    pub(crate) fn new(peak: &Arc<Peak>) -> Self {
        Self {
            peak: peak.clone(),
            bytes: 0,
        }
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        self.bytes = self.bytes.saturating_add(more);
        self.peak.note(self.bytes);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        _desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.peak.note(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memories_of_an_instance_count_and_of_instances_the_largest() -> wasmtime::Result<()> {
        let peak = Arc::new(Peak::default());
        let mut large = Meter::new(&peak);
        large.memory_growing(0, 10, None)?;
        large.memory_growing(0, 5, None)?;
        large.memory_growing(10, 30, None)?;
        Meter::new(&peak).memory_growing(0, 20, None)?;
        assert_eq!(peak.take(), 35);
        assert_eq!(peak.take(), 0);
        drop(large);
        assert_eq!(peak.take(), 35);
        Ok(())
    }
}

//! Many requests at one moment.

use tokio::task::JoinSet;

/// Runs `n` futures side by side and returns their outputs in no particular order. A panic in one
/// is the test's.
pub async fn together<F>(n: usize, mut make: impl FnMut(usize) -> F) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    let mut set = JoinSet::new();
    for i in 0..n {
        set.spawn(make(i));
    }
    set.join_all().await
}

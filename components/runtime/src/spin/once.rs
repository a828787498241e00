//! What an instance finds out once.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread::LocalKey;

use scaigate_problem::Problem;

/// Something of an instance, for all its requests: its settings.
#[derive(Debug)]
pub struct Once<T>(RefCell<Option<Rc<T>>>);

impl<T: 'static> Once<T> {
    /// What nobody has asked for yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }

    /// What `read` finds, the first time that it finds something: a failure is not remembered.
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn get(
        kept: &'static LocalKey<Self>,
        read: impl AsyncFnOnce() -> Result<T, Problem>,
    ) -> Result<Rc<T>, Problem> {
        if let Some(known) = kept.with(|kept| kept.0.borrow().clone()) {
            return Ok(known);
        }
        let found = Rc::new(read().await?);
        kept.with(|kept| kept.0.replace(Some(Rc::clone(&found))));
        Ok(found)
    }
}

impl<T: 'static> Default for Once<T> {
    fn default() -> Self {
        Self::new()
    }
}

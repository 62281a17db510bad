//! A transaction.

use std::cell::Cell;

use kernel::StoreError;

use crate::connection::AnyConnection;
use crate::error::Stored;
use crate::notice::Notice;
use crate::prepared::prepared;

/// One connection inside one transaction, or outside of one for a glance. It implements every domain's `Store` port; it can't begin or commit.
pub struct Tx<'c> {
    connection: &'c mut AnyConnection,
    notices: &'c mut Vec<Notice>,
    depth: u32,
    /// There while nothing can be undone alone: set when something should have been, and all has to run again.
    spoilt: Option<&'c Cell<bool>>,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(connection: &'c mut AnyConnection, notices: &'c mut Vec<Notice>) -> Self {
        Self { connection, notices, depth: 0, spoilt: None }
    }

    /// One without savepoints. When the work in one fails, `spoilt` is set: nothing was undone, and whatever comes of this
    /// transaction must not be committed.
    pub(crate) fn hasty(
        connection: &'c mut AnyConnection,
        notices: &'c mut Vec<Notice>,
        spoilt: &'c Cell<bool>,
    ) -> Self {
        Self { connection, notices, depth: 0, spoilt: Some(spoilt) }
    }

    /// The connection, for a query.
    pub fn conn(&mut self) -> &mut AnyConnection {
        self.connection
    }

    /// Tells the rest of the process, once and only if this transaction commits.
    pub fn notify(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// Runs `work` so that its failure undoes only what it did: its rows and its notices.
    ///
    /// # Errors
    /// What `work` answers, or a failure of the savepoint itself. [`StoreError::Retry`] when all has to run again, which it
    /// then does; it must be handed on.
    pub fn savepoint<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let depth = self.depth + 1;
        let kept = self.notices.len();
        if let Some(spoilt) = self.spoilt {
            let mut inner = Tx {
                connection: &mut *self.connection,
                notices: &mut *self.notices,
                depth,
                spoilt: self.spoilt,
            };
            return work(&mut inner).map_err(|_| {
                spoilt.set(true);
                StoreError::Retry("a part has to be undone, and all runs again".to_owned()).into()
            });
        }
        self.statement(&format!("SAVEPOINT s{depth}"))?;
        let mut inner =
            Tx { connection: &mut *self.connection, notices: &mut *self.notices, depth, spoilt: None };
        match work(&mut inner) {
            Ok(value) => {
                self.statement(&format!("RELEASE SAVEPOINT s{depth}"))?;
                Ok(value)
            }
            Err(error) => {
                self.notices.truncate(kept);
                self.statement(&format!("ROLLBACK TO SAVEPOINT s{depth}"))?;
                self.statement(&format!("RELEASE SAVEPOINT s{depth}"))?;
                Err(error)
            }
        }
    }

    fn statement(&mut self, sql: &str) -> Result<(), StoreError> {
        prepared::<()>(sql, &[]).execute(self.connection).stored().map(drop)
    }
}

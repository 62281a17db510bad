//! `/admin/jobs`: the work in the background, and running again what was given up.
//!
//! Which jobs are shown is in the address. Running one again posts to `/api/admin/jobs/{id}/retry`, by script.

use askama::Template;

use crate::frame::Frame;

/// The page.
#[derive(Debug, Default, Template)]
#[template(path = "jobs.html")]
pub struct JobsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Which jobs are shown.
    pub shown: JobFilter,
    /// How many jobs were given up.
    pub dead: u64,
    /// How many wait.
    pub queued: u64,
    /// How many are being worked on.
    pub running: u64,
    /// One page of jobs, newest first.
    pub rows: Vec<JobRow>,
    /// The cursor of the next page.
    pub next_cursor: Option<String>,
}

/// Which jobs are shown: those that need a person, unless something else is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobFilter {
    /// Given up.
    #[default]
    Dead,
    /// Waiting.
    Queued,
    /// Being worked on.
    Running,
    /// Done.
    Done,
}

/// One job.
#[derive(Clone, Debug, Default)]
pub struct JobRow {
    /// The job's id.
    pub id: String,
    /// What is done.
    pub kind: &'static str,
    /// How often it was tried.
    pub attempts: u32,
    /// How often it is tried before it is given up.
    pub max_attempts: u32,
    /// RFC 3339: when it is tried next, or was.
    pub due_at: String,
    /// Why the last attempt failed.
    pub reason: Option<String>,
}

/// A filter above the table.
pub(crate) struct Choice {
    pub(crate) label: &'static str,
    pub(crate) count: Option<u64>,
    pub(crate) href: String,
    pub(crate) current: bool,
}

impl JobFilter {
    const ALL: [Self; 4] = [Self::Dead, Self::Queued, Self::Running, Self::Done];

    /// The name of the status, as the API has it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
        }
    }

    /// The filter of that name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filter| filter.code() == code)
    }

    fn label(self) -> &'static str {
        match self {
            Self::Dead => "Failed",
            Self::Queued => "Waiting",
            Self::Running => "Running",
            Self::Done => "Done",
        }
    }

    fn chip(self) -> &'static str {
        match self {
            Self::Dead => "chip chip-bad",
            Self::Queued | Self::Running => "chip",
            Self::Done => "chip chip-ok",
        }
    }

    fn href(self, cursor: Option<&str>) -> String {
        let mut address = match self {
            Self::Dead => "/admin/jobs".to_owned(),
            Self::Queued | Self::Running | Self::Done => format!("/admin/jobs?status={}", self.code()),
        };
        if let Some(cursor) = cursor {
            let joint = if address.contains('?') { '&' } else { '?' };
            address.push_str(&format!("{joint}cursor={cursor}"));
        }
        address
    }
}

impl JobRow {
    /// The kind in words.
    pub(crate) fn name(&self) -> String {
        self.kind.replace('_', " ")
    }
}

impl JobsPage {
    /// The title states what needs doing.
    pub(crate) fn title(&self) -> String {
        match self.dead {
            0 => "No job has failed".to_owned(),
            1 => "1 job has failed".to_owned(),
            count => format!("{count} jobs have failed"),
        }
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.shown == JobFilter::Dead
    }

    pub(crate) fn status_label(&self) -> &'static str {
        self.shown.label()
    }

    pub(crate) fn chip(&self) -> &'static str {
        self.shown.chip()
    }

    pub(crate) fn choices(&self) -> Vec<Choice> {
        let choice = |filter: JobFilter| Choice {
            label: filter.label(),
            count: match filter {
                JobFilter::Dead => Some(self.dead),
                JobFilter::Queued => Some(self.queued),
                JobFilter::Running => Some(self.running),
                JobFilter::Done => None,
            },
            href: filter.href(None),
            current: self.shown == filter,
        };
        JobFilter::ALL.into_iter().map(choice).collect()
    }

    /// What an empty table says.
    pub(crate) fn nothing(&self) -> (&'static str, &'static str) {
        match self.shown {
            JobFilter::Dead => ("Nothing has failed", "A job that was tried in vain for long appears here."),
            JobFilter::Queued => {
                ("Nothing waits", "Mails, refunds and timers appear here before their time.")
            }
            JobFilter::Running => ("Nothing runs", "What is being worked on appears here."),
            JobFilter::Done => ("Nothing was done yet", "Finished jobs stay here for 30 days."),
        }
    }

    pub(crate) fn next_href(&self) -> Option<String> {
        self.next_cursor.as_deref().map(|cursor| self.shown.href(Some(cursor)))
    }
}

#[cfg(test)]
mod tests {
    use super::JobFilter;

    #[test]
    fn the_address_says_what_the_table_shows() {
        for (filter, cursor, href) in [
            (JobFilter::Dead, None, "/admin/jobs"),
            (JobFilter::Dead, Some("a"), "/admin/jobs?cursor=a"),
            (JobFilter::Done, None, "/admin/jobs?status=done"),
            (JobFilter::Queued, Some("a"), "/admin/jobs?status=queued&cursor=a"),
        ] {
            assert_eq!(filter.href(cursor), href);
            assert_eq!(JobFilter::from_code(filter.code()), Some(filter));
        }
        assert_eq!(JobFilter::from_code("Dead"), None);
    }
}

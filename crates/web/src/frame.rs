//! What surrounds every page: the bar on top, the navigation, the foot.

use crate::session::initials;

/// Filled once a request and handed to every page.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Who is signed in.
    pub viewer: Option<Viewer>,
    /// Which entry of the navigation is marked as the current page.
    pub nav: Nav,
    /// Where people write when nothing else helps: a bare mail address.
    pub support_address: String,
    /// The viewer's zone, an IANA name; empty for UTC. Times stand in it until a script puts them into the device's.
    pub time_zone: String,
    /// RFC 3339: the server's clock when the page was made. Countdowns are measured against it.
    pub now: String,
    /// Whether this is a development server. It shows a quiet link to the mailbox.
    pub development: bool,
}

/// The person who looks at the page.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The user's id.
    pub id: String,
    /// The name the person gave.
    pub name: String,
    /// What the person may do.
    pub role: Role,
}

/// Roles as the navigation tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Asks for help.
    Customer,
    /// Gives it.
    Mechanic,
    /// Runs a workshop.
    Workshop,
    /// Looks after sessions.
    Support,
    /// Runs Pitlane.
    Admin,
}

/// Entries of the navigation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nav {
    /// None of them.
    #[default]
    None,
    /// The customer's dashboard, the mechanic's queue or the admin's live sessions.
    Home,
    /// The admin's queue of applications.
    Applications,
    /// The people an admin looks up.
    People,
    /// The money of sessions, and disputes.
    Money,
    /// The work in the background.
    Jobs,
    /// The account page.
    Account,
}

impl Frame {
    /// Where the brand leads: the person's own first page, or the landing page.
    #[must_use]
    pub fn home(&self) -> &'static str {
        self.viewer.as_ref().map_or("/", |viewer| viewer.role.home())
    }

    /// Whether the viewer may change what the staff sees: an admin, and not support.
    pub(crate) fn decides(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.role.decides())
    }

    /// Whether `nav` is the current entry.
    pub(crate) fn is_at(&self, nav: Nav) -> bool {
        self.nav == nav
    }
}

impl Viewer {
    /// Up to two letters for the avatar.
    #[must_use]
    pub fn initials(&self) -> String {
        initials(&self.name)
    }
}

impl Role {
    /// The first page of this role.
    #[must_use]
    pub fn home(&self) -> &'static str {
        match self {
            Self::Customer => "/dashboard",
            Self::Mechanic => "/mechanic",
            Self::Workshop => "/workshop",
            Self::Support | Self::Admin => "/admin",
        }
    }

    /// Whether this role answers requests.
    pub(crate) fn repairs(&self) -> bool {
        match self {
            Self::Mechanic => true,
            Self::Customer | Self::Workshop | Self::Support | Self::Admin => false,
        }
    }

    /// Whether this role runs a workshop.
    pub(crate) fn leads(&self) -> bool {
        match self {
            Self::Workshop => true,
            Self::Customer | Self::Mechanic | Self::Support | Self::Admin => false,
        }
    }

    /// Whether this role decides; the rest of the staff only looks.
    pub(crate) fn decides(&self) -> bool {
        match self {
            Self::Admin => true,
            Self::Customer | Self::Mechanic | Self::Workshop | Self::Support => false,
        }
    }

    /// Whether this role runs the place.
    pub(crate) fn operates(&self) -> bool {
        match self {
            Self::Support | Self::Admin => true,
            Self::Customer | Self::Mechanic | Self::Workshop => false,
        }
    }
}

//! The names of what is sold. What each costs and allows stands in `pricing`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The canonical code of a plan: `free`, `chat10`, `video15`, `diagnostic` (reconciliation C3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanCode {
    /// Free Diagnostic, once per customer.
    Free,
    /// Quick Chat.
    Chat10,
    /// Expert Video.
    Video15,
    /// Premium Diagnostic.
    Diagnostic,
}

impl PlanCode {
    /// Every plan, cheapest first.
    pub const ALL: [Self; 4] = [Self::Free, Self::Chat10, Self::Video15, Self::Diagnostic];

    /// The stored and published code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Chat10 => "chat10",
            Self::Video15 => "video15",
            Self::Diagnostic => "diagnostic",
        }
    }

    /// The plan of that canonical code. Aliases are the price book's business.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plan| plan.as_str() == code)
    }
}

impl fmt::Display for PlanCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a session is (reconciliation C5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionType {
    /// Text only.
    Chat,
    /// Booked as video.
    Video,
    /// The long video consultation.
    Diagnostic,
    /// Booked as chat, upgraded to video.
    UpgradedFromChat,
    /// A visit on site; the type allows it and nothing offers it.
    MobileVisit,
}

impl SessionType {
    /// Every type.
    pub const ALL: [Self; 5] =
        [Self::Chat, Self::Video, Self::Diagnostic, Self::UpgradedFromChat, Self::MobileVisit];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Video => "video",
            Self::Diagnostic => "diagnostic",
            Self::UpgradedFromChat => "upgraded_from_chat",
            Self::MobileVisit => "mobile_visit",
        }
    }

    /// The type of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// How its two sides talk.
    pub const fn modality(self) -> Modality {
        match self {
            Self::Chat => Modality::Chat,
            Self::Video | Self::Diagnostic | Self::UpgradedFromChat | Self::MobileVisit => Modality::Video,
        }
    }
}

/// How the two sides of a session talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// Text only.
    Chat,
    /// Text with video.
    Video,
}

impl Modality {
    /// The published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Video => "video",
        }
    }
}
